"""A task definition with every field set comes back as it was, however it was given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.validate import ParamValidator  # type: ignore[import-untyped, unused-ignore]

from tests.cli.running import Runner
from tests.docs.fields import leaves
from tests.full import full_definition, full_overrides, paths_of
from tests.model.test_coverage import MODEL

GIVEN = full_definition()
OUTPUT_ONLY = MODEL.shape_for("TaskDefinition").members.keys() - GIVEN.keys()
DEFAULTS: dict[str, Any] = {
    "cpu": 0,
    "essential": True,
    "portMappings": [],
    "environment": [],
    "mountPoints": [],
    "volumesFrom": [],
    "systemControls": [],
}
"""What AWS answers for a container that does not say it."""


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {_toml(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


NOTATIONS = {
    "json": json.dumps(GIVEN),
    "yaml": yaml.safe_dump(GIVEN),
    "toml": "".join(f"{name} = {_toml(value)}\n" for name, value in GIVEN.items()),
}


def test_every_field_of_ecs_is_set() -> None:
    published = {leaf.path for leaf in leaves()}
    given = paths_of(GIVEN) | paths_of(full_overrides(), "overrides")
    output_only = {path for path in published if path.partition(".")[0].partition("[")[0] in OUTPUT_ONLY}
    assert sorted(given ^ (published - output_only)) == []
    for action, request in (
        ("RegisterTaskDefinition", GIVEN),
        ("RunTask", {"taskDefinition": "family", "overrides": full_overrides()}),
    ):
        report = ParamValidator().validate(request, MODEL.operation_model(action).input_shape)
        assert not report.has_errors(), report.generate_report()


@pytest.mark.parametrize("way", [*NOTATIONS, "--cli-input-json", "--cli-input-yaml", "options"])
def test_it_comes_back_unchanged_but_for_the_defaults_of_aws(ecsctl: Runner, tmp_path: Path, way: str) -> None:
    if way == "options":
        words = [word for name, value in GIVEN.items() for word in _option(name, value)]
    else:
        path = tmp_path / f"full.{way.removeprefix('--cli-input-')}"
        path.write_text(NOTATIONS[path.suffix[1:]], encoding="utf-8")
        words = [str(path)] if way in NOTATIONS else [way, f"file://{path}"]
    registered = ecsctl("register-task-definition", *words)
    assert registered.code == 0, registered.err
    described = ecsctl("describe-task-definition", "--task-definition", "family", "--include", "TAGS")
    answer = json.loads(described.out)
    assert answer == json.loads(registered.out)
    assert answer["tags"] == GIVEN["tags"]
    stored = answer["taskDefinition"]
    added = {name: stored.pop(name) for name in OUTPUT_ONLY & stored.keys()}
    assert added.keys() == {
        *("taskDefinitionArn", "revision", "status", "requiresAttributes"),
        *("compatibilities", "registeredAt", "registeredBy"),
    }
    containers = [DEFAULTS | container for container in GIVEN["containerDefinitions"]]
    assert stored == {name: GIVEN[name] for name in GIVEN if name != "tags"} | {"containerDefinitions": containers}


def _option(name: str, value: Any) -> list[str]:
    flag = "--" + "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)
    if value is True:
        return [flag]
    return [flag, value if isinstance(value, str) else json.dumps(value)]
