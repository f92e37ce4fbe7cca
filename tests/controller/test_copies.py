"""Containers that have the labels of ours, to the letter, and are not ours (SECURITY A26)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ecsctl.model import identity
from ecsctl.model.api.container_instances import DeregisterContainerInstanceRequest
from ecsctl.model.api.services import CreateServiceRequest
from ecsctl.model.api.tasks import RunTaskRequest, StopTaskRequest
from ecsctl.model.observed import Observed
from ecsctl.model.record import decode, evolve
from ecsctl.operations.container_instances import deregister_container_instance
from ecsctl.operations.hosts import HostOptions, register_host
from ecsctl.operations.reconcile import Report, reconcile
from ecsctl.operations.services import create_service
from ecsctl.operations.tasks import run_task, stop_task
from ecsctl.store.tables import EVENTS, INSTANCES
from tests.controller.world import World, world_in

LONG = timedelta(hours=4).total_seconds()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_in(tmp_path, hosts=2) as made:
        yield made


def run(world: World, **fields: Any) -> str:
    world.define({}, **fields)
    (task,) = run_task(world.process(), RunTaskRequest("app")).tasks or []
    reconcile(world.process())
    return str(task.task_arn)


def stop(world: World, task: str) -> None:
    stop_task(world.process(), StopTaskRequest(task))
    reconcile(world.process())


def hosts_of(world: World) -> tuple[str, str]:
    """The host that has containers, and the other."""
    here = next(name for name, engine in world.engines.items() if engine.containers())
    return here, next(name for name in world.engines if name != here)


def copy(world: World, original: Observed, host: str, name: str) -> Observed:
    engine = world.engines[host]
    engine.start(engine.create(name, {"Image": "up", "Labels": dict(original.labels)}))
    return engine.containers()[-1]


def named(world: World, name: str) -> Observed:
    return next(found for found in world.containers() if found.name == name)


def journal(world: World) -> list[str]:
    with world.store.read() as view:
        return [event.message for event in view.find(EVENTS) if event.kind == "ForeignLabel"]


def pass_later(world: World, seconds: float = 60) -> Report:
    world.clock.sleep(seconds)
    return reconcile(world.process())


def test_a_copy_on_the_same_or_another_host_is_never_touched_and_told_once(world: World) -> None:
    task = run(world)
    here, elsewhere = hosts_of(world)
    (original,) = world.containers()
    places = [(here, "debug"), (elsewhere, "moved"), (elsewhere, original.name)]
    copies = [copy(world, original, host, name) for host, name in places]
    report = reconcile(world.process())
    assert sorted(report.left_alone) == [
        f"container debug carries the labels of {original.name}: it is a copy",
        f"container {original.name} carries the labels of a container on another host",
        "container moved carries the labels of a container on another host",
    ]
    assert sorted(journal(world)) == sorted(report.left_alone)
    world.check_quiet()
    stop(world, task)
    for seconds in (60, LONG, LONG):
        pass_later(world, seconds)
    assert world.tasks()[0].collected
    assert {found.id for found in world.containers()} == {found.id for found in copies}
    assert all(found.is_up for found in world.containers())
    assert len(journal(world)) == 3


def test_a_dry_run_writes_nothing_of_a_copy(world: World) -> None:
    run(world)
    copy(world, world.containers()[0], hosts_of(world)[0], "debug")
    assert len(reconcile(world.process(), dry_run=True).left_alone) == 1
    assert journal(world) == []


def test_a_copy_does_not_take_the_place_of_its_original(world: World) -> None:
    """It is not counted: the service gets another task, and the one whose container is gone has ended."""
    world.define({})
    create_service(
        world.process(),
        decode(CreateServiceRequest, {"serviceName": "web", "taskDefinition": "app", "desiredCount": 1}),
    )
    reconcile(world.process())
    (original,) = world.containers()
    here, _ = hosts_of(world)
    debug = copy(world, original, here, "debug")
    world.engines[here].remove(original.id)
    for _ in range(3):
        pass_later(world)
    first, second = world.tasks()
    assert (first.is_stopped, second.is_running) == (True, True)
    assert debug.id not in {state.engine_id for record in (first, second) for state in record.containers}
    assert named(world, "debug").is_up


def test_a_pause_container_is_known_by_its_name_and_its_copy_is_not(world: World) -> None:
    task = run(world, pidMode="task")
    originals = world.containers()
    assert len(originals) == 2
    copies = [copy(world, found, hosts_of(world)[0], f"copy{n}") for n, found in enumerate(originals)]
    stop(world, task)
    pass_later(world, LONG)
    assert [found.id for found in world.containers()] == [found.id for found in copies]


def test_what_was_renamed_by_hand_is_still_known(world: World) -> None:
    """By the engine's id, while its task runs and when it has ended."""
    task = run(world)
    (original,) = world.containers()
    engine = world.engines[hosts_of(world)[0]]
    engine.rename(original.id, "renamed")
    assert reconcile(world.process()).left_alone == []
    stop(world, task)
    engine.rename(original.id, "kept")
    engine.start(original.id)
    assert any("its task is STOPPED" in line for line in reconcile(world.process()).lines)
    pass_later(world, LONG)
    assert world.containers() == []
    assert journal(world) == []


@pytest.mark.parametrize("engine_id", ["", "ANOTHER"])
def test_the_containers_of_a_host_that_was_registered_anew_are_still_at_home(world: World, engine_id: str) -> None:
    """Also where its engine has got another id, as `host check` advises then."""
    run(world)
    here, _ = hosts_of(world)
    engine = world.engines[here]
    with world.store.read() as view:
        (old,) = [record for record in view.find(INSTANCES) if record.address == here]
    deregister_container_instance(
        world.process(), DeregisterContainerInstanceRequest(container_instance=old.arn, force=True)
    )
    if engine_id:
        engine._info = evolve(engine._info, id=engine_id)
    register_host(world.process(), None, HostOptions(here, availability_zone="zone0"))
    engine.start(engine.containers()[0].id)
    assert any("its task is STOPPED" in line for line in reconcile(world.process()).lines)
    pass_later(world, LONG)
    assert world.containers() == []
    assert journal(world) == []


def test_signed_labels_that_say_little_stop_no_pass(world: World) -> None:
    """As an older ecsctl wrote them: of a task that is not known, and called otherwise."""
    run(world)
    (original,) = world.containers()
    few = {name: original.labels[name] for name in (identity.INSTALL, identity.TASK, identity.CONTAINER)}
    labels = identity.sign(few, world.store.key)
    host, _ = hosts_of(world)
    copy(world, evolve(original, labels=labels), host, "old")
    left = reconcile(world.process()).left_alone
    assert len(left) == 1
    assert left[0].startswith("container old carries the labels of ")
