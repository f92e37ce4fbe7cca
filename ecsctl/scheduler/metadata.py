"""What containers are told of themselves by the task metadata endpoint, and where they find it. Pure.

Source: ECS developer guide, "Amazon ECS task metadata endpoint version 4", "… version 3", "Amazon ECS task scale-in
protection endpoint" and "Amazon ECS task IAM role".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

from ecsctl.model import identity
from ecsctl.model.arn import last_part, parse_arn
from ecsctl.model.common import Tag
from ecsctl.model.container_definition import ContainerDefinition
from ecsctl.model.sizes import task_cpu_units, task_memory_mib
from ecsctl.model.stored import ContainerState, TaskRecord
from ecsctl.model.task_definition import TaskDefinition

ADDRESS = "http://169.254.170.2"
_PATHS = {"ECS_CONTAINER_METADATA_URI": "/v3/", "ECS_CONTAINER_METADATA_URI_V4": "/v4/", "ECS_AGENT_URI": "/api/"}
_EXECUTION = {"EC2": "AWS_ECS_EC2", "FARGATE": "AWS_ECS_FARGATE"}
_STAGES = {"none": "NONE", "created": "CREATED", "started": "RUNNING", "exited": "STOPPED", "fenced": "STOPPED"}
_BEGINNING = {"PROVISIONING": "NONE", "PENDING": "NONE", "ACTIVATING": "CREATED", "STOPPED": "STOPPED"}

Document = dict[str, Any]


class Surroundings(NamedTuple):
    """What a task's documents say beside what is known of it: tags, the service's name, which container is which."""

    task_tags: Sequence[Tag] = ()
    instance_tags: Sequence[Tag] = ()


def has_endpoint(definition: TaskDefinition) -> bool:
    """Whether the containers of a task have a network to reach it by."""
    return definition.network_mode != "none"


def environment(
    record: TaskRecord, definition: TaskDefinition, container: ContainerDefinition, key: bytes
) -> dict[str, str]:
    """The variables that ECS sets in a container, without those that its definition sets itself."""
    task = record.task
    variables = {}
    if task.launch_type in _EXECUTION:
        variables["AWS_EXECUTION_ENV"] = _EXECUTION[task.launch_type]
    if task.launch_type == "FARGATE":
        region = parse_arn(record.arn).region
        variables |= {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}
    if record.endpoint and record.endpoint.offered and has_endpoint(definition) and not container.disable_networking:
        known = metadata_id(record, str(container.name), key)
        variables |= {name: f"{ADDRESS}{path}{known}" for name, path in _PATHS.items()}
        if record.endpoint.credentials:
            variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = f"/v2/credentials/{credentials_id(record, key)}"
    own = {pair.name for pair in container.environment or []}
    return {name: value for name, value in variables.items() if name not in own}


def metadata_id(record: TaskRecord, container: str, key: bytes) -> str:
    """What the endpoint knows a container by."""
    return identity.token(key, "metadata", record.arn, container)


def credentials_id(record: TaskRecord, key: bytes) -> str:
    """What the endpoint knows the credentials of a task's role by, in the shape of a UUID."""
    digits = identity.token(key, "credentials", record.arn)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def role_of(record: TaskRecord, definition: TaskDefinition) -> str | None:
    """The ARN of a task's role; a name stands for the role of that name in the task's account."""
    role = (record.task.overrides and record.task.overrides.task_role_arn) or definition.task_role_arn
    if role is None or role.startswith("arn:"):
        return role
    return f"arn:aws:iam::{parse_arn(record.arn).account}:role/{role}"


def documents(
    record: TaskRecord, definition: TaskDefinition, effective: Mapping[str, ContainerDefinition], about: Surroundings
) -> dict[str, str]:
    """The file of each container of a task: a line for each document, in the order in which the endpoint shows them.

    `effective`: the container definitions with the task's overrides, by name.
    """
    containers = {
        state.name: _container(record, definition, effective[state.name], state) for state in record.containers
    }
    task = _task(record, definition)
    with_tags = {**task, **_tags("TaskTags", about.task_tags), **_tags("ContainerInstanceTags", about.instance_tags)}
    all_of_them = {"Containers": list(containers.values())}
    task_v3 = {name: value for name, value in task.items() if name not in _NOT_IN_V3}
    task_v3["Containers"] = [_in_v3(container) for container in containers.values()]
    timed_out = error_document(record.arn, "RequestCanceled", "Timed out calling Amazon ECS Task Protection API")
    shared = [{**task, **all_of_them}, {**with_tags, **all_of_them}]
    return {
        state.name: lines_of(containers[state.name], *shared, _in_v3(containers[state.name]), task_v3, timed_out)
        for state in record.own_containers
    }


def lines_of(*found: Document) -> str:
    """Documents as the endpoint has them: ASCII, one a line, and a line that says that there are no more."""
    return "".join(f"{json.dumps(document, separators=(',', ':'))}\n" for document in found) + "end\n"


def digest_of(files: Mapping[str, str]) -> str:
    """What tells these files from others."""
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:16]


def error_document(task: str, code: str, message: str) -> Document:
    """An error as the endpoint for task protection shows it."""
    return {"error": {"Arn": task, "Code": code, "Message": message}}


def time_text(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


_NOT_IN_V3 = ("LaunchType", "ServiceName", "ContainerARN", "LogDriver", "LogOptions")
_NETWORK_IN_V3 = ("NetworkMode", "IPv4Addresses")


def _in_v3(container: Document) -> Document:
    found = {name: value for name, value in container.items() if name not in _NOT_IN_V3}
    if networks := container.get("Networks"):
        found["Networks"] = [{name: one[name] for name in _NETWORK_IN_V3 if name in one} for one in networks]
    return found


def _task(record: TaskRecord, definition: TaskDefinition) -> Document:
    task = record.task
    cluster = str(task.cluster_arn)
    cpu, memory = (task.overrides and task.overrides.cpu) or definition.cpu, definition.memory
    memory = (task.overrides and task.overrides.memory) or memory
    limits: Document = {"CPU": task_cpu_units(cpu) / 1024} if cpu else {}
    if memory:
        limits["Memory"] = task_memory_mib(memory)
    return _present(
        Cluster=cluster if task.launch_type == "FARGATE" else last_part(cluster),
        TaskARN=record.arn,
        Family=definition.family,
        Revision=str(definition.revision),
        DesiredStatus=task.desired_status,
        KnownStatus=_BEGINNING.get(str(task.last_status), "RUNNING"),
        Limits=limits,
        PullStartedAt=task.pull_started_at,
        PullStoppedAt=task.pull_stopped_at,
        ExecutionStoppedAt=task.execution_stopped_at,
        AvailabilityZone=task.availability_zone,
        LaunchType=task.launch_type,
        ServiceName=last_part(record.service) if record.service else None,
    )


def _container(
    record: TaskRecord, definition: TaskDefinition, container: ContainerDefinition, state: ContainerState
) -> Document:
    task = record.task
    is_pause = state.name == identity.PAUSE
    shape = next((one for one in task.containers or [] if one.name == state.name), None)
    agent = (
        last_part(str(task.cluster_arn)),
        state.name,
        record.arn,
        str(definition.family),
        str(definition.revision),
    )
    logs = container.log_configuration
    known = _STAGES[state.stage]
    provisioned = "RESOURCES_PROVISIONED"
    return _present(
        DockerId=state.engine_id,
        Name=state.name,
        DockerName=state.engine_name,
        Image=container.image,
        ImageID=state.image_id,
        Labels={**(container.docker_labels or {}), **dict(zip(identity.AGENT_LABELS, agent, strict=True))},
        DesiredStatus=provisioned if is_pause and task.desired_status == "RUNNING" else task.desired_status,
        KnownStatus=provisioned if is_pause and known == "RUNNING" else known,
        ExitCode=state.exit_code,
        Limits={"CPU": container.cpu or 0, "Memory": container.memory or 0},
        CreatedAt=state.created_at,
        StartedAt=state.started_at,
        FinishedAt=state.exited_at,
        Type="CNI_PAUSE" if is_pause else "NORMAL",
        Health=_health(container, state),
        LogDriver=logs and logs.log_driver,
        LogOptions=logs and logs.options,
        ContainerARN=shape and shape.container_arn,
        Ports=[
            _present(ContainerPort=b.container_port, Protocol=b.protocol, HostPort=b.host_port, HostIp=b.bind_ip)
            for b in (shape and shape.network_bindings) or []
        ],
        Networks=_networks(record, definition, container, state),
    )


def _health(container: ContainerDefinition, state: ContainerState) -> Document | None:
    if not container.has_health_check:
        return None
    return {"status": state.health.upper() if state.health in ("healthy", "unhealthy") else "UNKNOWN"}


def _networks(
    record: TaskRecord, definition: TaskDefinition, container: ContainerDefinition, state: ContainerState
) -> list[Document]:
    mode = "none" if container.disable_networking else definition.network_mode or "bridge"
    pause = next((one for one in record.containers if one.name == identity.PAUSE), None)
    address = (pause.address if pause else None) if mode == "awsvpc" else state.address
    found = _present(
        NetworkMode=mode,
        IPv4Addresses=[address.ipv4] if address and address.ipv4 else None,
        IPv6Addresses=[address.ipv6] if address and address.ipv6 else None,
    )
    if mode == "awsvpc":
        found["AttachmentIndex"] = 0
        if address:
            name = "ip-" + address.ipv4.replace(".", "-")
            found |= {"MACAddress": address.mac, "PrivateDNSName": name}
    return [found]


def _tags(name: str, tags: Sequence[Tag]) -> Document:
    return {name: {tag.key: tag.value or "" for tag in tags}} if tags else {}


def _present(**values: Any) -> Document:
    """Without what is not known; times as text."""
    return {
        name: time_text(value) if isinstance(value, datetime) else value
        for name, value in values.items()
        if value is not None and value not in ([], {})
    }
