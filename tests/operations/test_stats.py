"""What is reserved, and what is used, over simulated hosts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecsctl.engine.port import Usage
from ecsctl.engine.simulated_container import Program
from ecsctl.model.api.tasks import RunTaskRequest
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.stats import stats
from ecsctl.operations.tasks import run_task
from tests.controller.world import World, world_in


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_in(tmp_path, hosts=2, burn=Program(cpu=0.5, memory=30 << 20)) as world:
        yield world


def run(world: World, *containers: dict[str, object], count: int = 1, **fields: Any) -> None:
    run_task(world.process(), RunTaskRequest(world.define(*containers, **fields), count=count))
    reconcile(world.process())


def test_what_is_used_is_beside_what_is_reserved(world: World) -> None:
    burn = {"image": "burn", "cpu": 128, "memory": 64, "memoryReservation": 32}
    run(world, burn, {"name": "rest", "memory": None}, cpu="256", memory="100")
    hosts, (first, second), complete = stats(world.process())
    assert complete
    assert (first.container, first.cpu_reserved, first.memory_reserved, first.memory_limit) == ("main", 128, 32, 64)
    assert (first.cpu_used, first.memory_used) == (512, 30)
    assert (second.cpu_reserved, second.memory_reserved, second.memory_limit) == (None, None, None)
    assert (second.task_cpu, second.task_memory, second.cpu_used, second.memory_used) == (256, 100, 0, 1)
    by_name = {host.name: host for host in hosts}
    assert sorted(by_name) == ["host0", "host1"]
    busy = by_name[first.host]
    assert (busy.cpu_reserved, busy.memory_reserved, busy.running_tasks) == (256, 100, 1)
    assert (busy.cpu_used, busy.memory_used) == (512, 31)
    (idle,) = [host for host in hosts if host is not busy]
    assert (idle.cpu_reserved, idle.cpu_used, idle.memory_used) == (0, 0, 0)


def test_hosts_that_do_not_answer_are_shown_without_what_they_use(world: World) -> None:
    run(world, {"image": "burn"}, count=2)
    world.engines["host1"].reachable = False
    hosts, containers, complete = stats(world.process())
    assert not complete
    assert [(host.name, host.cpu_used) for host in hosts] == [("host0", 512), ("host1", None)]
    assert [one.host for one in containers] == ["host0"]


def test_a_container_that_goes_meanwhile_is_left_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    run(world, {"image": "burn"})
    (engine,) = [engine for engine in world.engines.values() if engine.containers()]
    ask = engine.usage

    def gone(container: str) -> Usage | None:
        engine.remove(container)
        return ask(container)

    monkeypatch.setattr(engine, "usage", gone)
    _, containers, complete = stats(world.process())
    assert (containers, complete) == ([], True)
