"""The records cover ECS's published model, counted: shapes, members, types, enums and requiredness."""

from __future__ import annotations

import importlib
import pkgutil
import typing
from datetime import datetime
from typing import Any, Literal, get_args, get_origin

import botocore.session  # type: ignore[import-untyped, unused-ignore]
import msgspec
import pytest
from botocore.model import (  # type: ignore[import-untyped, unused-ignore]
    ListShape,
    MapShape,
    ServiceModel,
    Shape,
    StringShape,
    StructureShape,
)

import ecsctl.model
from ecsctl.model.record import Record, fields_of, unwrap
from ecsctl.operations.actions import OF_IAM, OF_STS

OURS = tuple(
    f"ecsctl.model.{name}"
    for name in (
        "record",
        "schedule",
        "schedule_record",
        "stored",
        "account_records",
        "observed",
        "explanation",
        "loss",
        "secret",
        "simulation",
        "host",
        "iam",
        "api.regions",
        *(f"api.{room}" for room in {*OF_IAM.values(), *OF_STS.values()}),
    )
)
"""Modules of the room that hold no shapes of ECS; those of EC2, IAM and STS are tested where they are answered."""
NEIGHBOURS = "ecsctl.model.neighbours"
"""Shapes of other services: tests/server/test_neighbours_model.py."""
EXTENSIONS = {
    "Deployment": {"nextAttemptAt"},
    "RunTaskRequest": {"priority", "preemptionPriority", "seed"},
    "CreateServiceRequest": {"priority", "preemptionPriority", "lossPolicy"},
    "UpdateServiceRequest": {"priority", "preemptionPriority", "lossPolicy"},
    "Service": {"priority", "preemptionPriority", "lossPolicy", "serviceConnectConfiguration"},
}
"""Fields of our own in shapes of ECS: clients do not mind them."""
WORDS = {"LogConfiguration.logDriver": {"local"}}
"""Words of our own in enumerations of ECS: clients send what they are given."""
LEAST_SHAPES, LEAST_MEMBERS = 49, 215
"""What botocore 1.44 publishes under the task definition actions; fewer found means the walk is broken."""


def _model() -> ServiceModel:
    model: ServiceModel = botocore.session.get_session().get_service_model("ecs")
    return model


MODEL = _model()


def _records() -> dict[str, type[Record]]:
    found: dict[str, type[Record]] = {}
    for module in pkgutil.walk_packages(ecsctl.model.__path__, "ecsctl.model."):
        if module.name in OURS or module.name.startswith(NEIGHBOURS):
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, Record) and value is not Record:
                assert found.setdefault(value.__name__, value) is value, f"two records are called {value.__name__}"
    return found


RECORDS = _records()


def _structures(shape: Shape, found: dict[str, StructureShape]) -> None:
    if isinstance(shape, StructureShape):
        if shape.name not in found:
            found[shape.name] = shape
            for member in shape.members.values():
                _structures(member, found)
    elif isinstance(shape, ListShape):
        _structures(shape.member, found)
    elif isinstance(shape, MapShape):
        _structures(shape.value, found)


def _task_definition_shapes() -> dict[str, StructureShape]:
    found: dict[str, StructureShape] = {}
    for name in ("RegisterTaskDefinition", "DescribeTaskDefinition", "ListTaskDefinitions", "DeleteTaskDefinitions"):
        operation = MODEL.operation_model(name)
        _structures(operation.input_shape, found)
        _structures(operation.output_shape, found)
    return found


def _difference(kind: Any, shape: Shape, path: str) -> list[str]:
    """What keeps the Python type `kind` from being botocore's `shape`."""
    kind = unwrap(kind)
    match shape:
        case StructureShape():
            return [] if kind is RECORDS.get(shape.name) else [f"{path}: {kind} is not {shape.name}"]
        case ListShape():
            if get_origin(kind) is not list:
                return [f"{path}: {kind} is not a list"]
            return _difference(get_args(kind)[0], shape.member, f"{path}[]")
        case MapShape():
            if get_origin(kind) is not dict:
                return [f"{path}: {kind} is not a map"]
            return _difference(get_args(kind)[1], shape.value, f"{path}{{}}")
        case StringShape() if shape.enum:
            wanted, got = (
                {*shape.enum, *WORDS.get(path, ())},
                set(get_args(kind)) if get_origin(kind) is Literal else {kind},
            )
            return [] if wanted == got else [f"{path}: differs in {sorted(map(str, wanted ^ got))}"]
    scalars: dict[str, type] = {
        "string": str,
        "boolean": bool,
        "integer": int,
        "long": int,
        "double": float,
        "float": float,
        "timestamp": datetime,
    }
    return [] if kind is scalars[shape.type_name] else [f"{path}: {kind} is not {shape.type_name}"]


def test_every_shape_of_the_task_definition_actions_has_a_record() -> None:
    shapes = _task_definition_shapes()
    assert len(shapes) >= LEAST_SHAPES
    assert sorted(shapes.keys() - RECORDS.keys()) == []


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_a_record_has_the_fields_of_its_published_shape(name: str) -> None:
    record, shape = RECORDS[name], MODEL.shape_for(name)
    assert isinstance(shape, StructureShape)
    fields = fields_of(record)
    assert sorted(shape.members.keys() - fields.keys()) == [], f"{name} lacks fields of ECS"
    assert fields.keys() - shape.members.keys() == EXTENSIONS.get(name, set()), (
        f"{name} has fields that ECS does not know"
    )
    differences = [
        problem
        for member, member_shape in shape.members.items()
        for problem in _difference(fields[member], member_shape, f"{name}.{member}")
    ]
    assert differences == []
    required = {field.encode_name for field in msgspec.structs.fields(record) if field.required}
    assert required == set(shape.required_members), f"{name}: what is required differs"


def test_an_absent_field_is_none() -> None:
    for name, record in RECORDS.items():
        hints = typing.get_type_hints(record)
        for field in msgspec.structs.fields(record):
            if not field.required:
                assert field.default is None, f"{name}.{field.name}"
                assert type(None) in get_args(hints[field.name]), f"{name}.{field.name} cannot be absent"


def test_the_same_words_stand_in_the_same_order() -> None:
    """Python takes two Literals of the same words for one in a union: which of them, depends on what is loaded first,
    and messages name the words in its order."""
    orders: dict[frozenset[Any], set[tuple[Any, ...]]] = {}
    for module in pkgutil.walk_packages(ecsctl.model.__path__, "ecsctl.model."):
        for value in vars(importlib.import_module(module.name)).values():
            if get_origin(value) is Literal:
                orders.setdefault(frozenset(get_args(value)), set()).add(get_args(value))
    assert [found for found in orders.values() if len(found) > 1] == []


def test_the_coverage_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    shapes = _task_definition_shapes()
    members = sum(len(shape.members) for shape in shapes.values())
    published = [shape for name in MODEL.shape_names if isinstance(shape := MODEL.shape_for(name), StructureShape)]
    with capsys.disabled():
        print(
            f"\ntask definitions: {len(shapes)} of {len(shapes)} published shapes, {members} members; "
            f"all records: {len(RECORDS)} of {len(published)} shapes of ECS"
        )
    assert members >= LEAST_MEMBERS
