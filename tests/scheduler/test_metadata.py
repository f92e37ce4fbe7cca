"""What containers are told of themselves."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from ecsctl.model import identity
from ecsctl.model.common import Tag
from ecsctl.model.record import evolve
from ecsctl.model.stored import ContainerState, Endpoint, TaskAddress, TaskRecord
from ecsctl.model.task import NetworkBinding
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.scheduler.container_spec import create_body, effective
from ecsctl.scheduler.metadata import Surroundings, credentials_id, documents, metadata_id, role_of
from tests.making import NOW, TASK_ID, definition, task_of

KEY = b"key"
BARE = Surroundings()
SIGNATURE = identity.Signature("install", lambda: KEY)


def files(record: TaskRecord, made: TaskDefinition, about: Surroundings = BARE) -> dict[str, list[Any]]:
    containers = {state.name: effective(record, made, state.name) for state in record.containers}
    found = documents(record, made, containers, about)
    assert all(file.isascii() and file.endswith("\nend\n") for file in found.values())
    return {name: [json.loads(line) for line in file.splitlines()[:-1]] for name, file in found.items()}


def environment(record: TaskRecord, made: TaskDefinition, name: str = "main") -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in create_body(record, made, name, SIGNATURE)["Env"])


def test_a_running_container_is_told_what_it_is() -> None:
    made = definition(
        {
            "name": "main",
            "cpu": 64,
            "memory": 32,
            "dockerLabels": {"team": "blüe"},
            "portMappings": [{"containerPort": 80}],
            "healthCheck": {"command": ["CMD", "true"]},
            "logConfiguration": {"logDriver": "json-file", "options": {"max-size": "1m"}},
        },
        memory="64",
        cpu="512",
    )
    record = task_of(made)
    record.service = "arn:aws:ecs:us-east-1:000000000000:service/default/web"
    record.task.last_status = "RUNNING"
    record.task.availability_zone = "us-east-1a"
    (shape,) = record.task.containers or []
    shape.container_arn = "arn:aws:ecs:us-east-1:000000000000:container/default/x/y"
    shape.network_bindings = [NetworkBinding("0.0.0.0", 80, 32768, "tcp")]
    (state,) = record.containers
    state.stage, state.engine_id, state.image_id, state.health = "started", "abc", "sha256:1", "healthy"
    state.created_at, state.started_at = NOW, NOW + timedelta(seconds=1)
    state.address = TaskAddress("172.17.0.2", "", "02:42:ac:11:00:02")
    one, task, tagged, one_v3, task_v3, late = files(record, made, Surroundings([Tag("a", "b")], [Tag("c", "d")]))[
        "main"
    ]
    assert one == {
        "DockerId": "abc",
        "Name": "main",
        "DockerName": f"ecs-app-1-main-{TASK_ID}",
        "Image": "busybox",
        "ImageID": "sha256:1",
        "Labels": {
            "team": "blüe",
            "com.amazonaws.ecs.cluster": "default",
            "com.amazonaws.ecs.container-name": "main",
            "com.amazonaws.ecs.task-arn": record.arn,
            "com.amazonaws.ecs.task-definition-family": "app",
            "com.amazonaws.ecs.task-definition-version": "1",
        },
        "DesiredStatus": "RUNNING",
        "KnownStatus": "RUNNING",
        "Limits": {"CPU": 64, "Memory": 32},
        "CreatedAt": "2026-01-02T03:04:05Z",
        "StartedAt": "2026-01-02T03:04:06Z",
        "Type": "NORMAL",
        "Health": {"status": "HEALTHY"},
        "LogDriver": "json-file",
        "LogOptions": {"max-size": "1m"},
        "ContainerARN": shape.container_arn,
        "Ports": [{"ContainerPort": 80, "Protocol": "tcp", "HostPort": 32768, "HostIp": "0.0.0.0"}],
        "Networks": [{"NetworkMode": "bridge", "IPv4Addresses": ["172.17.0.2"]}],
    }
    about = {
        "Cluster": "default",
        "TaskARN": record.arn,
        "Family": "app",
        "Revision": "1",
        "DesiredStatus": "RUNNING",
        "KnownStatus": "RUNNING",
        "Limits": {"CPU": 0.5, "Memory": 64},
        "AvailabilityZone": "us-east-1a",
    }
    assert task == {**about, "LaunchType": "EC2", "ServiceName": "web", "Containers": [one]}
    assert tagged == {**task, "TaskTags": {"a": "b"}, "ContainerInstanceTags": {"c": "d"}}
    new = ("ContainerARN", "LogDriver", "LogOptions")
    assert one_v3 == {name: value for name, value in one.items() if name not in new}
    assert task_v3 == {**about, "Containers": [one_v3]}
    assert late["error"]["Code"] == "RequestCanceled"


def test_what_is_not_known_yet_is_left_out() -> None:
    made = definition({"name": "main"})
    one, task, *_ = files(task_of(made), made)["main"]
    assert not {"DockerId", "ImageID", "CreatedAt", "StartedAt", "FinishedAt", "ExitCode", "Health"} & one.keys()
    assert (one["KnownStatus"], task["KnownStatus"]) == ("NONE", "NONE")
    assert one["Networks"] == [{"NetworkMode": "bridge"}]


def test_with_a_network_interface_all_containers_have_its_address() -> None:
    made = definition({"name": "main"}, {"name": "side"}, networkMode="awsvpc")
    record = task_of(made)
    address = TaskAddress("10.0.0.7", "", "02:42:0a:00:00:07")
    pause = ContainerState(name=identity.PAUSE, engine_name="pause", stage="started", address=address)
    record.containers.insert(0, pause)
    one, task, *_ = files(record, made)["side"]
    assert one["Networks"] == [
        {
            "NetworkMode": "awsvpc",
            "IPv4Addresses": ["10.0.0.7"],
            "AttachmentIndex": 0,
            "MACAddress": "02:42:0a:00:00:07",
            "PrivateDNSName": "ip-10-0-0-7",
        }
    ]
    assert [(c["Name"], c["Type"]) for c in task["Containers"]] == [
        (identity.PAUSE, "CNI_PAUSE"),
        ("main", "NORMAL"),
        ("side", "NORMAL"),
    ]
    assert task["Containers"][0]["KnownStatus"] == "RESOURCES_PROVISIONED"
    assert set(files(record, made)) == {"main", "side"}


def test_containers_are_told_where_to_ask_when_there_is_an_endpoint() -> None:
    made = definition({"name": "main"}, {"name": "alone", "disableNetworking": True})
    record = evolve(task_of(made), endpoint=Endpoint(offered=True))
    known = metadata_id(record, "main", KEY)
    assert environment(record, made) == {
        "AWS_EXECUTION_ENV": "AWS_ECS_EC2",
        "ECS_CONTAINER_METADATA_URI": f"http://169.254.170.2/v3/{known}",
        "ECS_CONTAINER_METADATA_URI_V4": f"http://169.254.170.2/v4/{known}",
        "ECS_AGENT_URI": f"http://169.254.170.2/api/{known}",
    }
    assert environment(record, made, "alone") == {"AWS_EXECUTION_ENV": "AWS_ECS_EC2"}
    record.endpoint = Endpoint(offered=True, credentials=True)
    where = environment(record, made)["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]
    assert where == f"/v2/credentials/{credentials_id(record, KEY)}"
    record.endpoint = Endpoint(offered=False)
    assert environment(record, made) == {"AWS_EXECUTION_ENV": "AWS_ECS_EC2"}


def test_what_a_definition_sets_itself_stays() -> None:
    made = definition({"name": "main", "environment": [{"name": "AWS_REGION", "value": "mars-1"}]})
    record = task_of(made)
    record.task.launch_type = "FARGATE"
    assert environment(record, made) == {
        "AWS_REGION": "mars-1",
        "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def test_what_the_endpoint_knows_a_container_by_cannot_be_told_without_the_key() -> None:
    made = definition({"name": "main"}, {"name": "side"})
    record = task_of(made)
    known = {metadata_id(record, name, key) for name in ("main", "side") for key in (KEY, b"other")}
    known |= {credentials_id(record, key).replace("-", "") for key in (KEY, b"other")}
    assert len(known) == 6
    assert {len(one) for one in known} == {32}
    assert metadata_id(record, "main", KEY) == metadata_id(task_of(made), "main", KEY)


def test_the_role_is_the_one_of_the_run_before_that_of_the_definition() -> None:
    made = definition({"name": "main"}, taskRoleArn="app")
    record = task_of(made)
    assert role_of(record, made) == "arn:aws:iam::000000000000:role/app"
    assert role_of(record, definition({"name": "main"})) is None
