"""Containers that their restart policy starts again, over a simulated host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecsctl.model.api.tasks import RunTaskRequest, StopTaskRequest
from ecsctl.model.observed import Observed
from ecsctl.model.stored import TaskRecord
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.tasks import run_task, stop_task
from tests.controller.world import World, world_in

POLICY = {"enabled": True, "ignoredExitCodes": [7], "restartAttemptPeriod": 60}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_in(tmp_path) as made:
        yield made


def run(world: World, *others: dict[str, Any], **policy: Any) -> None:
    containers = ({"restartPolicy": POLICY | policy}, *others)
    run_task(world.process(), RunTaskRequest(world.define(*containers)))
    reconcile(world.process())


def end(world: World, after: float, code: int, name: str = "main", *, oom_killed: bool = False) -> None:
    world.clock.seconds += after
    (engine,) = world.engines.values()
    engine.end(container(world, name).id, code, oom_killed=oom_killed)
    world.clock.seconds += 30  # until cron looks
    reconcile(world.process())
    world.check_safety()


def container(world: World, name: str = "main") -> Observed:
    (found,) = [one for one in world.containers() if f"-{name}-" in one.name]
    return found


def task(world: World) -> TaskRecord:
    (record,) = world.tasks()
    return record


def test_a_container_comes_back_and_its_task_goes_on(world: World) -> None:
    run(world, {"name": "other"})
    before, other = container(world), container(world, "other")
    for times in (1, 2, 3):
        end(world, after=61, code=1, oom_killed=times == 2)
        assert container(world).id == before.id
        assert container(world).is_up
        assert container(world, "other") == other
        assert task(world).containers[0].restarts == times
    shown = (task(world).task.containers or [])[0]
    assert (task(world).task.last_status, shown.last_status, shown.exit_code) == ("RUNNING", "RUNNING", None)
    with world.store.read() as view:
        told = [event.message for _, event in view.journal() if event.kind == "ContainerRestarted"]
    assert told == [f"container main exited with code {code}" for code in (1, 1, 1)]
    world.check_quiet()


@pytest.mark.parametrize(
    ("after", "code", "policy"), [(59, 1, {}), (100, 7, {}), (299, 1, {"restartAttemptPeriod": None})]
)
def test_when_it_does_not_come_back(world: World, after: float, code: int, policy: dict[str, Any]) -> None:
    run(world, **policy)
    end(world, after, code)
    assert (task(world).task.last_status, task(world).task.stop_code) == ("STOPPED", "EssentialContainerExited")
    assert (task(world).task.containers or [])[0].exit_code == code
    world.check_quiet()


def test_a_second_end_too_soon_is_the_end(world: World) -> None:
    run(world)
    end(world, after=100, code=0)
    assert task(world).task.last_status == "RUNNING"
    end(world, after=20, code=0)
    assert task(world).task.last_status == "STOPPED"


def test_a_policy_that_is_off_restarts_nothing(world: World) -> None:
    run(world, enabled=False, ignoredExitCodes=None, restartAttemptPeriod=None)
    end(world, after=1000, code=1)
    assert task(world).is_stopped


def test_what_was_removed_does_not_come_back(world: World) -> None:
    run(world)
    world.clock.seconds += 100
    (engine,) = world.engines.values()
    engine.remove(container(world).id)
    reconcile(world.process())
    assert task(world).is_stopped


def test_one_that_is_not_essential_comes_back_too(world: World) -> None:
    run(world, {"name": "side", "essential": False, "restartPolicy": POLICY})
    end(world, after=70, code=3, name="side")
    assert container(world, "side").is_up
    end(world, after=7, code=3, name="side")
    assert not container(world, "side").is_up
    assert task(world).task.last_status == "RUNNING"
    world.check_quiet()


def test_a_task_that_is_to_stop_restarts_nothing(world: World) -> None:
    run(world, {"name": "other"})
    world.clock.seconds += 100
    (engine,) = world.engines.values()
    engine.end(container(world).id, 1)
    stop_task(world.process(), StopTaskRequest(task(world).arn))
    reconcile(world.process())
    assert task(world).is_stopped
    assert task(world).containers[0].restarts == 0
    world.check_quiet()


@pytest.mark.parametrize("kind", ["lost_request", "lost_reply", "late"])
def test_a_restart_whose_answer_is_lost_does_not_outlive_its_task(world: World, kind: Any) -> None:
    from ecsctl.engine.simulated_faults import Fault

    run(world)
    (engine,) = world.engines.values()
    engine.faults.append(Fault(kind, ("start",), seconds=500))
    end(world, after=100, code=1)
    stop_task(world.process(), StopTaskRequest(task(world).arn))
    for _ in range(3):
        reconcile(world.process())
        world.clock.seconds += 300
        world.check_safety()
    assert task(world).is_stopped
    world.check_quiet()
