"""From what a person has at hand (a file of ours, of AWS's, of another tool) to RegisterTaskDefinition's request."""

from __future__ import annotations

from ecsctl.model.api.task_definitions import RegisterTaskDefinitionRequest
from ecsctl.model.errors import InputError
from ecsctl.model.record import decode, fields_of
from ecsctl.model.task_definition import TaskDefinition

_INPUT = fields_of(RegisterTaskDefinitionRequest)
OUTPUT_ONLY = tuple(name for name in fields_of(TaskDefinition) if name not in _INPUT)
"""What describe-task-definition answers and register-task-definition does not take."""

_FOREIGN = {
    "AWSTemplateFormatVersion": "a CloudFormation template: give the properties of one AWS::ECS::TaskDefinition, "
    "with names that start in lower case",
    "Resources": "a CloudFormation template: give the properties of one AWS::ECS::TaskDefinition, "
    "with names that start in lower case",
    "resource": "Terraform configuration: give what its aws_ecs_task_definition says, in ECS's own names",
    "services": "a Compose file, not a task definition: see containerDefinitions in the ECS documentation",
    "kind": "a Kubernetes manifest, not a task definition",
    "serviceName": "a service definition: a task definition has family and containerDefinitions",
    "image": "one container definition: put it in containerDefinitions, beside family",
}


def definition_request(data: object, where: str) -> RegisterTaskDefinitionRequest:
    """The request in `data`. Raises InputError, one line that begins with `where`, when it is something else."""
    try:
        check_shape(data)
        return decode(RegisterTaskDefinitionRequest, data)
    except InputError as error:
        raise type(error)(f"{where}: {error}" if where else str(error)) from None


def bare_list_hint(data: object) -> str | None:
    """What to do with a list of container definitions, as Terraform and some CI actions keep them."""
    if isinstance(data, list) and data and all(isinstance(item, dict) for item in data):
        return 'the family is missing: wrap the list as {"family": "NAME", "containerDefinitions": […]}'
    return None


def check_shape(data: object) -> None:
    """Raises InputError, which says what to do, for what is known not to be a task definition."""
    if not isinstance(data, dict):
        hint = bare_list_hint(data) or "a task definition is an object with family and containerDefinitions"
        raise InputError(hint)
    inner = data.get("taskDefinition")
    if isinstance(inner, dict):
        surplus = [name for name in inner if name in OUTPUT_ONLY]
        also = f" and remove {', '.join(surplus)} from it" if surplus else ""
        raise InputError(
            f'this is the output of describe-task-definition: keep only what is inside "taskDefinition"{also}'
        )
    if surplus := [name for name in data if name in OUTPUT_ONLY]:
        is_or_are = "is" if len(surplus) == 1 else "are"
        it_or_them = "it" if len(surplus) == 1 else "them"
        raise InputError(
            f"{', '.join(surplus)} {is_or_are} output of describe-task-definition, not input: remove {it_or_them}"
        )
    if "containerDefinitions" not in data:
        for name, what in _FOREIGN.items():
            if name in data:
                raise InputError(f"this looks like {what}")
    if respelled := {name: right for name in data if (right := _respelled(name)) is not None}:
        pairs = ", ".join(f"{wrong} → {right}" for wrong, right in respelled.items())
        raise InputError(f"unknown field; ECS's API spells it otherwise, here and inside: {pairs}")


def _respelled(name: str) -> str | None:
    """The API's name of what CloudFormation (PascalCase) or Terraform (snake_case) calls `name`."""
    if name in _INPUT:
        return None
    head, *rest = name.split("_")
    camel = head[:1].lower() + head[1:] + "".join(word[:1].upper() + word[1:] for word in rest)
    return camel if camel in _INPUT else None
