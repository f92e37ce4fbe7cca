"""decode's lines: where, what, and what to write instead."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ecsctl.model.api.task_definitions import RegisterTaskDefinitionRequest
from ecsctl.model.errors import InputError
from ecsctl.model.record import decode, evolve, to_wire


def _with(**container: Any) -> dict[str, Any]:
    return {"family": "f", "containerDefinitions": [{"name": "a", "image": "i", **container}]}


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (_with(cpus=1), 'containerDefinitions[0].cpus: unknown field; did you mean "cpu"?'),
        (_with(Memory=1), 'containerDefinitions[0].Memory: unknown field; did you mean "memory"?'),
        (_with(port_mappings=[]), 'containerDefinitions[0].port_mappings: unknown field; did you mean "portMappings"?'),
        (_with(zzzzzz=1), "containerDefinitions[0].zzzzzz: unknown field"),
        (_with(cpu="1"), "containerDefinitions[0].cpu: expected a whole number, got a string"),
        (_with(essential="true"), "containerDefinitions[0].essential: expected true or false, got a string"),
        (_with(command="sh"), "containerDefinitions[0].command: expected a list, got a string"),
        (
            {"family": "f", "containerDefinitions": [], "cpu": 256},
            'cpu: expected a string, got a whole number; write "256", in quotes',
        ),
        (
            _with(environment=[{"name": "DEBUG", "value": True}]),
            "containerDefinitions[0].environment[0].value: expected a string, got true or false; "
            'write "true", in quotes',
        ),
        ({"family": "f", "containerDefinitions": {}}, "containerDefinitions: expected a list, got an object"),
        ({"family": "f"}, "containerDefinitions: is required but missing"),
        (
            _with(dependsOn=[{"containerName": "b", "condition": "READY"}]),
            "containerDefinitions[0].dependsOn[0].condition: 'READY' is not one of START, COMPLETE, SUCCESS, HEALTHY",
        ),
        (_with(ulimits=[{"name": "nofile"}]), "containerDefinitions[0].ulimits[0].softLimit: is required but missing"),
    ],
)
def test_a_line_says_where_and_what_and_what_to_write(data: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError) as raised:
        decode(RegisterTaskDefinitionRequest, data)
    assert str(raised.value) == line


def test_a_file_is_named_before_the_path() -> None:
    for where, line in (("a.json: ", "a.json: family: is required but missing"), ("list[0].", "list[0].family: is")):
        with pytest.raises(InputError, match=f"^{re.escape(line)}"):
            decode(RegisterTaskDefinitionRequest, {"containerDefinitions": []}, where)


def test_what_was_given_comes_back_and_nothing_else() -> None:
    data = _with(environment=[], cpu=0, essential=False, dockerLabels={"a": "b"})
    assert to_wire(decode(RegisterTaskDefinitionRequest, data)) == data


def test_null_is_absent() -> None:
    # The console and some CI tools write every field they know, most of them null.
    assert to_wire(decode(RegisterTaskDefinitionRequest, _with(cpu=None, links=None))) == _with()


def test_evolve_leaves_the_original_alone() -> None:
    request = decode(RegisterTaskDefinitionRequest, _with())
    assert evolve(request, family="g").family == "g"
    assert request.family == "f"
