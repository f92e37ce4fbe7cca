"""Start-up is a feature: a command imports what it needs and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import process

HEAVY = (
    "docker",
    "rich",
    "yaml",
    "jmespath",
    "typer",
    "requests",
    "botocore",
    "click",
    "croniter",
    "dateutil",
    "zoneinfo",
    "uvicorn",
    "starlette",
    "prometheus_client",
)
_REPORT = """
import sys
before = set(sys.modules)
from ecsctl.cli.main import run
code = run(sys.argv[1:])
sys.stderr.write("\\nloaded:" + ",".join(set(sys.modules) - before))
raise SystemExit(code)
"""


def loaded(home: Path, *words: str) -> set[str]:
    ran = process(home, *words, code=_REPORT)
    assert ran.returncode == 0, ran.stderr
    return set(ran.stderr.rpartition("loaded:")[2].split(","))


@pytest.mark.parametrize(
    "words",
    [
        "list-clusters",
        "describe-clusters --output text",
        "--help",
        "run-task --help",
        "list-tasks",
        "list-task-definitions",
    ],
)
def test_a_plain_command_loads_nothing_heavy(words: str, tmp_path: Path) -> None:
    assert not loaded(tmp_path, *words.split()) & set(HEAVY)


def test_a_query_loads_jmespath_unless_it_is_a_name_and_yaml_loads_yaml(tmp_path: Path) -> None:
    assert "jmespath" in loaded(tmp_path, "list-clusters", "--query", "clusterArns[0]")
    assert "jmespath" not in loaded(tmp_path, "list-clusters", "--query", "clusterArns")
    assert "yaml" in loaded(tmp_path, "list-clusters", "--output", "yaml")


def test_the_version_loads_nothing_of_ours_but_the_door(tmp_path: Path) -> None:
    found = loaded(tmp_path, "--version")
    assert {name for name in found if name.startswith("ecsctl.")} <= {"ecsctl.cli", "ecsctl.cli.main"}
    assert not found & {"msgspec", "typing_extensions", "pathlib", "difflib"}


def test_help_imports_no_command_and_no_operation(tmp_path: Path) -> None:
    found = loaded(tmp_path, "--help")
    assert not {name for name in found if name.startswith(("ecsctl.operations", "ecsctl.cli.action", "ecsctl.store"))}
