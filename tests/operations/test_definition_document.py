"""What people have at hand instead of RegisterTaskDefinition's input is recognised and the way out is named."""

from __future__ import annotations

from typing import Any

import pytest

from ecsctl.model.errors import InputError
from ecsctl.operations.definition_document import OUTPUT_ONLY, definition_request

GOOD: dict[str, Any] = {"family": "f", "containerDefinitions": [{"name": "a", "image": "i", "memory": 10}]}


def test_the_input_of_register_task_definition_is_taken() -> None:
    assert definition_request({**GOOD, "tags": [{"key": "a", "value": "b"}]}, "f.json").family == "f"


def test_output_only_fields_are_those_that_describe_adds() -> None:
    assert set(OUTPUT_ONLY) == {
        "taskDefinitionArn",
        "revision",
        "status",
        "requiresAttributes",
        "compatibilities",
        "registeredAt",
        "deregisteredAt",
        "deleteRequestedAt",
        "registeredBy",
    }


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (
            {"taskDefinition": {**GOOD, "revision": 1, "status": "ACTIVE"}, "tags": []},
            'f.json: this is the output of describe-task-definition: keep only what is inside "taskDefinition" '
            "and remove revision, status from it",
        ),
        (
            {"taskDefinition": GOOD},
            'f.json: this is the output of describe-task-definition: keep only what is inside "taskDefinition"',
        ),
        (
            {**GOOD, "revision": 3, "compatibilities": ["EC2"]},
            "f.json: revision, compatibilities are output of describe-task-definition, not input: remove them",
        ),
        ({**GOOD, "status": "ACTIVE"}, "f.json: status is output of describe-task-definition, not input: remove it"),
        (
            GOOD["containerDefinitions"],
            'f.json: the family is missing: wrap the list as {"family": "NAME", "containerDefinitions": […]}',
        ),
        ("text", "f.json: a task definition is an object with family and containerDefinitions"),
        ([], "f.json: a task definition is an object with family and containerDefinitions"),
        (
            {"Family": "f", "ContainerDefinitions": []},
            "f.json: unknown field; ECS's API spells it otherwise, here and inside: "
            "Family → family, ContainerDefinitions → containerDefinitions",
        ),
        (
            {"family": "f", "container_definitions": [], "network_mode": "host"},
            "f.json: unknown field; ECS's API spells it otherwise, here and inside: "
            "container_definitions → containerDefinitions, network_mode → networkMode",
        ),
        (
            {"family": "f", "containerDefinitions": [{"Name": "a"}]},
            'f.json: containerDefinitions[0].Name: unknown field; did you mean "name"?',
        ),
        ({**GOOD, "networkmode": "host"}, 'f.json: networkmode: unknown field; did you mean "networkMode"?'),
        ({"family": "f"}, "f.json: containerDefinitions: is required but missing"),
        ({**GOOD, "cpu": 256}, 'f.json: cpu: expected a string, got a whole number; write "256", in quotes'),
    ],
)
def test_one_line_says_what_it_is_and_what_to_do(data: object, line: str) -> None:
    with pytest.raises(InputError) as raised:
        definition_request(data, "f.json")
    assert str(raised.value) == line


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ({"AWSTemplateFormatVersion": "2010-09-09", "Resources": {}}, "CloudFormation template"),
        ({"resource": {"aws_ecs_task_definition": {}}}, "Terraform"),
        ({"services": {"web": {"image": "nginx"}}}, "Compose file"),
        ({"apiVersion": "v1", "kind": "Pod"}, "Kubernetes manifest"),
        ({"serviceName": "web", "desiredCount": 2}, "service definition"),
        ({"name": "web", "image": "nginx"}, "one container definition"),
    ],
)
def test_files_of_other_tools_are_recognised(data: object, what: str) -> None:
    with pytest.raises(InputError, match="this looks like") as raised:
        definition_request(data, "f.json")
    assert what in str(raised.value)
