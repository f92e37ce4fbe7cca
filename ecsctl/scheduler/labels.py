"""The labels of a container: whose it is, and what a lost state is rebuilt from; and how those are read again. Pure."""

from __future__ import annotations

import base64
import binascii
import zlib
from datetime import datetime
from typing import TypeVar

import msgspec

from ecsctl.model import identity
from ecsctl.model.arn import last_part, parse_arn
from ecsctl.model.common import KeyValuePair
from ecsctl.model.identity import Signature
from ecsctl.model.record import Record, evolve
from ecsctl.model.service import Service
from ecsctl.model.service_network import ServiceConnectConfiguration
from ecsctl.model.stored import Discovery, Endpoint, PlacementRules, TaskRecord
from ecsctl.model.task import LaunchType, TaskOverride
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.model.task_launch import AwsVpcConfiguration, TaskVolumeConfiguration
from ecsctl.scheduler.namespaces import PAUSE

R = TypeVar("R", bound=Record)
_LONGEST = 1 << 22
"""Bytes that a label may unpack to."""


class About(Record):
    """What a container's labels say of its task, beside whose it is. `containers`: the last parts of their ARNs, by
    name; `service`: the service that it is of, as it was when the container was made. `endpoint`: what the container
    was told of it; all else is as `TaskRecord` has it."""

    created_at: datetime | None = None
    group: str | None = None
    started_by: str | None = None
    launch_type: LaunchType = "EC2"
    provider: str | None = None
    zone: str | None = None
    executable: bool = False
    rank: int = 0
    network: AwsVpcConfiguration | None = None
    rules: PlacementRules | None = None
    volume: TaskVolumeConfiguration | None = None
    port_rows: list[int] = msgspec.field(default_factory=list)
    image_map: dict[str, str] = msgspec.field(default_factory=dict)
    endpoint: Endpoint | None = None
    discovery: Discovery | None = None
    overrides: TaskOverride | None = None
    containers: dict[str, str] = msgspec.field(default_factory=dict)
    gpus: dict[str, list[str]] = msgspec.field(default_factory=dict)
    service: Service | None = None


def labels_of(
    record: TaskRecord,
    definition: TaskDefinition,
    name: str,
    digest: str,
    signature: Signature,
    service: Service | None = None,
) -> dict[str, str]:
    """All labels of one container of a task. `digest` is its create body's, `service` the one that the task is of."""
    task = record.task
    found = (container for container in definition.container_definitions or [] if container.name == name)
    given = next(found, PAUSE).docker_labels or {}
    ours = {
        f"{identity.AGENT}cluster": parse_arn(str(task.cluster_arn)).path[-1],
        f"{identity.AGENT}container-name": name,
        f"{identity.AGENT}task-arn": record.arn,
        f"{identity.AGENT}task-definition-family": str(definition.family),
        f"{identity.AGENT}task-definition-version": str(definition.revision),
        identity.INSTALL: signature.install,
        identity.TASK: last_part(record.arn),
        identity.CONTAINER: name,
        identity.INSTANCE: last_part(str(task.container_instance_arn)),
        identity.SEQ: str(record.seq),
        identity.SPEC: digest,
        identity.TASK_DEFINITION: _packed(bare(definition)),
        identity.ABOUT: _packed(_about(record, service)),
    }
    return identity.sign({**given, **ours}, signature.key)


def definition_in(labels: dict[str, str]) -> TaskDefinition | None:
    """The task definition, as `bare` leaves it; None where the labels have none that can be read."""
    return _unpacked(TaskDefinition, labels.get(identity.TASK_DEFINITION, ""))


def about_in(labels: dict[str, str]) -> About | None:
    """What else the labels say; None for those of an earlier release, or of a later one that says it otherwise."""
    return _unpacked(About, labels.get(identity.ABOUT, ""))


def bare(definition: TaskDefinition) -> TaskDefinition:
    """A definition without what may be secret. Labels are shown in listings and exported as metrics: the values of the
    environment are left out, and of log options all but those that name places."""
    containers = [
        evolve(
            container,
            environment=_names(container.environment),
            log_configuration=container.log_configuration
            if container.log_configuration and container.log_configuration.log_driver == "awslogs"
            else container.log_configuration and evolve(container.log_configuration, options=None),
        )
        for container in definition.container_definitions or []
    ]
    return evolve(definition, container_definitions=containers)


def _about(record: TaskRecord, service: Service | None) -> About:
    task = record.task
    overrides = task.overrides
    if overrides is not None and overrides.container_overrides is not None:
        given = [evolve(one, environment=_names(one.environment)) for one in overrides.container_overrides]
        overrides = evolve(overrides, container_overrides=given)
    containers = task.containers or []
    return About(
        created_at=task.created_at,
        group=task.group,
        started_by=task.started_by,
        launch_type=task.launch_type or "EC2",
        provider=task.capacity_provider_name,
        zone=task.availability_zone,
        executable=bool(task.enable_execute_command),
        rank=record.rank,
        network=record.network,
        rules=record.rules,
        volume=record.volume,
        port_rows=record.port_rows,
        image_map=record.image_map,
        endpoint=record.endpoint and evolve(record.endpoint, run="", digest="", renew_at=None),
        discovery=record.discovery,
        overrides=overrides,
        containers={str(one.name): str(one.container_arn).rpartition("/")[2] for one in containers},
        gpus={str(one.name): one.gpu_ids for one in containers if one.gpu_ids},
        service=service and evolve(service, service_connect_configuration=_without_logs(service)),
    )


def _without_logs(service: Service) -> ServiceConnectConfiguration | None:
    """Options of a log may be secret."""
    connect = service.service_connect_configuration
    return connect and evolve(connect, log_configuration=None)


def _names(environment: list[KeyValuePair] | None) -> list[KeyValuePair] | None:
    return environment and [evolve(pair, value=None) for pair in environment]


def _packed(record: Record) -> str:
    return base64.b64encode(zlib.compress(msgspec.json.encode(record))).decode()


def _unpacked(kind: type[R], text: str) -> R | None:
    try:
        plain = zlib.decompressobj().decompress(base64.b64decode(text, validate=True), _LONGEST)
        return msgspec.json.decode(plain, type=kind)
    except (binascii.Error, zlib.error, msgspec.DecodeError, UnicodeDecodeError):
        return None
