"""Start-up is a feature: a command imports what it needs and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecsctl.model.api.services import CreateServiceRequest
from ecsctl.model.observed import Observed
from ecsctl.model.record import evolve
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.services import create_service
from ecsctl.store.tables import INSTANCES
from tests.cli.running import process
from tests.controller.world import World, world_in
from tests.engine.faulty_server import FaultyServer, answers, serving

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
    "keyring",
    "dateutil",
    "zoneinfo",
    "uvicorn",
    "starlette",
    "prometheus_client",
)
NOT_FOR_A_QUIET_PASS = (
    "ecsctl.model.iam",
    "ecsctl.model.secret",
    "ecsctl.model.service_deployment",
    "ecsctl.model.schedule",
    "ecsctl.model.account_settings",
    "ecsctl.model.auto_scaling",
    "ecsctl.model.gateway_connector",
    "ecsctl.model.api.tasks",
    "ecsctl.engine.port",
    "ecsctl.store.backup",
    "ecsctl.store.database",
    "ecsctl.store.group_commit",
    "ecsctl.cli.background",
    "ecsctl.cli.config_tables",
    "ecsctl.placement.priority",
    "unicodedata",
    "asyncio",
    "email",
    "http.client",
    "json",
    "logging",
    "ssl",
    "subprocess",
    "tempfile",
)
"""What `reconcile` can do without where all is as it should be: cron asks for no more each minute."""
_REPORT = """
import sys
before = set(sys.modules)
from ecsctl.cli.main import run
code = run(sys.argv[1:])
sys.stderr.write("\\nloaded:" + ",".join(set(sys.modules) - before))
raise SystemExit(code)
"""


def loaded(home: Path, *words: str, **more: str) -> set[str]:
    ran = process(home, *words, code=_REPORT, **more)
    assert ran.returncode == 0, ran.stderr
    return set(ran.stderr.rpartition("loaded:")[2].split(","))


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[FaultyServer]:
    """An engine with the tasks of a service that has all it wants; its state is in the test's folder."""
    with world_in(tmp_path) as world:
        create_service(world.process(), CreateServiceRequest("web", task_definition=world.define({}), desired_count=2))
        settle(world)
        listing = json.dumps([listed(container) for container in world.containers()]).encode()
        with world.store.write() as tx:
            (instance,) = tx.find(INSTANCES)
            tx.put(INSTANCES, evolve(instance, address=f"unix://{tmp_path}/engine.sock"))
    with serving(tmp_path / "engine.sock", answers(listing)) as server:
        yield server


def settle(world: World) -> None:
    """Until the tasks run, and for long enough to count as healthy."""
    for _ in range(20):
        reconcile(world.process())
        world.clock.sleep(10)


def listed(container: Observed) -> dict[str, Any]:
    """A container as the engine lists it."""
    return {
        "Id": container.id,
        "Names": [f"/{container.name}"],
        "ImageID": container.image_id,
        "Labels": container.labels,
        "State": container.state,
        "Status": "Up 3 minutes",
        "Ports": [],
    }


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


def test_a_quiet_reconcile_loads_nothing_of_what_it_would_do(tmp_path: Path, quiet: FaultyServer) -> None:
    found = loaded(tmp_path, "reconcile", "--detailed-exitcode", ECSCTL_STATE=str(tmp_path / "state.db"))
    assert len(quiet.asked) == 1
    assert found & {*HEAVY, *NOT_FOR_A_QUIET_PASS} == set()
