"""A registered revision is what was given plus only what AWS itself adds."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from ecsctl.model.api.task_definitions import RegisterTaskDefinitionRequest
from ecsctl.model.record import decode, fields_of, to_wire
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.operations.registered_definition import register

NOW = datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
ARN = "arn:aws:ecs:us-west-2:123456789012:task-definition/sleep360:2"
WHO = "arn:aws:iam::123456789012:root"


def _registered(data: dict[str, Any]) -> dict[str, Any]:
    return to_wire(register(decode(RegisterTaskDefinitionRequest, data), 2, ARN, NOW, WHO))


def test_the_example_of_the_aws_cli_comes_back_as_aws_answers_it() -> None:
    # aws ecs register-task-definition, example 1 of its help; newer answers also carry systemControls, EXTERNAL
    # among the compatibilities, and who registered it when.
    given = {
        "containerDefinitions": [
            {"name": "sleep", "image": "busybox", "cpu": 10, "command": ["sleep", "360"], "memory": 10}
        ],
        "family": "sleep360",
    }
    assert _registered(given) == {
        "taskDefinitionArn": ARN,
        "containerDefinitions": [
            {
                "name": "sleep",
                "image": "busybox",
                "cpu": 10,
                "memory": 10,
                "portMappings": [],
                "essential": True,
                "command": ["sleep", "360"],
                "environment": [],
                "mountPoints": [],
                "volumesFrom": [],
                "systemControls": [],
            }
        ],
        "family": "sleep360",
        "revision": 2,
        "volumes": [],
        "status": "ACTIVE",
        "requiresAttributes": [],
        "placementConstraints": [],
        "compatibilities": ["EXTERNAL", "EC2"],
        "registeredAt": NOW,
        "registeredBy": WHO,
    }


def _container(**fields: Any) -> dict[str, Any]:
    return {"name": "a", "image": "i", "memory": 10, **fields}


@pytest.mark.parametrize(
    ("mode", "given", "stored"),
    [
        (None, {"containerPort": 80}, {"containerPort": 80, "hostPort": 0, "protocol": "tcp"}),
        ("bridge", {"containerPort": 80, "hostPort": 8080}, {"containerPort": 80, "hostPort": 8080, "protocol": "tcp"}),
        ("host", {"containerPort": 53, "protocol": "udp"}, {"containerPort": 53, "hostPort": 53, "protocol": "udp"}),
        ("awsvpc", {"containerPort": 80}, {"containerPort": 80, "hostPort": 80, "protocol": "tcp"}),
        ("bridge", {"containerPortRange": "1-9"}, {"containerPortRange": "1-9", "protocol": "tcp"}),
    ],
)
def test_ports(mode: str | None, given: dict[str, Any], stored: dict[str, Any]) -> None:
    data = {"family": "f", "containerDefinitions": [_container(portMappings=[given])], "networkMode": mode}
    answer = _registered(data)
    assert answer["containerDefinitions"][0]["portMappings"] == [stored]
    assert answer.get("networkMode") == mode


def test_what_was_given_is_kept() -> None:
    container = _container(
        cpu=5,
        essential=False,
        environment=[{"name": "A", "value": ""}],
        healthCheck={"command": ["CMD", "x"], "interval": 7, "timeout": 3, "retries": 9, "startPeriod": 1},
        dockerLabels={},
        stopTimeout=0,
        links=[],
        versionConsistency="disabled",
    )
    data = {
        "family": "f",
        "containerDefinitions": [container],
        "volumes": [{"name": "v", "dockerVolumeConfiguration": {"scope": "shared"}}],
        "placementConstraints": [{"type": "memberOf", "expression": "x"}],
        "pidMode": "host",
        "ipcMode": "none",
        "requiresCompatibilities": [],
    }
    answer = _registered(data)
    added = {"portMappings", "mountPoints", "volumesFrom", "systemControls"}
    stored = answer["containerDefinitions"][0]
    assert {name: value for name, value in stored.items() if name not in added} == container
    assert {name: answer[name] for name in data if name != "containerDefinitions"} == {
        name: data[name] for name in data if name != "containerDefinitions"
    }


def test_every_field_of_the_request_but_tags_is_a_field_of_the_revision() -> None:
    assert fields_of(RegisterTaskDefinitionRequest).keys() - fields_of(TaskDefinition).keys() == {"tags"}


def test_sizes_volumes_and_health_checks_are_stored_as_ecs_stores_them() -> None:
    answer = _registered(
        {
            "family": "f",
            "containerDefinitions": [_container(healthCheck={"command": ["CMD", "x"]})],
            "volumes": [{"name": "v"}],
            "cpu": "1 vCPU",
            "memory": "0.5GB",
        }
    )
    assert (answer["cpu"], answer["memory"]) == ("1024", "512")
    assert answer["volumes"] == [{"name": "v", "host": {}}]
    assert answer["containerDefinitions"][0]["healthCheck"] == {
        "command": ["CMD", "x"],
        "interval": 30,
        "timeout": 5,
        "retries": 3,
    }


def test_compatibilities_say_where_it_could_run() -> None:
    fargate = {
        "family": "f",
        "containerDefinitions": [_container()],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
    }
    assert _registered(fargate)["compatibilities"] == ["EC2", "FARGATE"]
    assert _registered({**fargate, "cpu": "300"})["compatibilities"] == ["EC2"]
    assert _registered({**fargate, "networkMode": "host"})["compatibilities"] == ["EXTERNAL", "EC2"]


def test_requires_attributes_name_what_the_definition_needs() -> None:
    names = [
        attribute["name"]
        for attribute in _registered(
            {
                "family": "f",
                "executionRoleArn": "r",
                "taskRoleArn": "r",
                "containerDefinitions": [
                    _container(
                        image="1.dkr.ecr.us-east-1.amazonaws.com/a",
                        logConfiguration={"logDriver": "awslogs"},
                        secrets=[{"name": "A", "valueFrom": "arn:aws:secretsmanager:us-east-1:1:secret:x"}],
                    )
                ],
            }
        )["requiresAttributes"]
    ]
    assert names == [
        "com.amazonaws.ecs.capability.docker-remote-api.1.17",
        "com.amazonaws.ecs.capability.docker-remote-api.1.18",
        "com.amazonaws.ecs.capability.docker-remote-api.1.19",
        "com.amazonaws.ecs.capability.ecr-auth",
        "com.amazonaws.ecs.capability.logging-driver.awslogs",
        "com.amazonaws.ecs.capability.task-iam-role",
        "ecs.capability.execution-role-awslogs",
        "ecs.capability.execution-role-ecr-pull",
        "ecs.capability.secrets.asm.environment-variables",
    ]
