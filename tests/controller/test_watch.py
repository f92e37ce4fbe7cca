"""The controller that stays, over simulated hosts in real time: what it hears, what it tells."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from ecsctl.controller.crew import Done
from ecsctl.controller.passes import Pass
from ecsctl.controller.watch import RETRY, SUBSCRIBED, TICK, Watch
from ecsctl.engine.simulated_container import Program
from ecsctl.model.api.attributes import PutAttributesRequest
from ecsctl.model.api.services import CreateServiceRequest, UpdateServiceRequest
from ecsctl.model.api.tasks import RunTaskRequest
from ecsctl.model.common import Attribute
from ecsctl.model.loss import CONTACTS, GRACE
from ecsctl.model.observed import Observed
from ecsctl.model.record import evolve
from ecsctl.model.stored import InstanceRecord
from ecsctl.operations.attributes import put_attributes
from ecsctl.operations.context import Context
from ecsctl.operations.reconcile import controller, reconcile
from ecsctl.operations.services import create_service, update_service
from ecsctl.operations.tasks import run_task
from ecsctl.store.tables import INSTANCES, SERVICES
from tests.controller.world import World, world_in


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_in(
        tmp_path, hosts=2, real_time=True, sound=Program(health=((0.1, "healthy"),)), slow=Program(stop_seconds=10.0)
    ) as made:
        yield made


@contextmanager
def watching(world: World, interval: float = 600.0) -> Iterator[list[str]]:
    """What it tells, line by line."""
    told: list[str] = []
    watch = controller(world.process(), None, told.append, interval)
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        yield told
    finally:
        watch.stop()
        thread.join(60)
        assert not thread.is_alive()


def serve(world: World, desired: int, image: str = "up") -> None:
    check = {"healthCheck": {"command": ["CMD", "true"]}} if image == "sound" else {}
    definition = world.define({"image": image, **check})
    create_service(world.process(), CreateServiceRequest("web", task_definition=definition, desired_count=desired))


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def instances(world: World) -> list[InstanceRecord]:
    with world.store.read() as view:
        return view.find(INSTANCES)


def up(world: World) -> list[str]:
    return sorted(found.id for found in world.containers() if found.is_up)


def looks(world: World) -> int:
    """How often a host was looked at."""
    return sum(len(engine.calls_of("list")) for engine in world.engines.values())


def until_looked_around(world: World) -> None:
    """Until the hosts, which are looked at once more when they have begun to tell, are not any more for a long time."""
    until(lambda: all(engine.calls_of("events") for engine in world.engines.values()))
    before = -1
    while before != (before := looks(world)):
        time.sleep(2 * SUBSCRIBED)


def test_what_other_processes_ask_for_is_done(world: World) -> None:
    with watching(world) as told:
        serve(world, 3, "sound")
        until(lambda: "service web has reached a steady state." in told)
        assert len(up(world)) == 3
        update_service(world.process(), UpdateServiceRequest("web", desired_count=1))
        until(lambda: len(up(world)) == 1)
        until(lambda: told.count("service web has reached a steady state.") == 2)
    world.check_safety()


@contextmanager
def watching_beside(process: Context) -> Iterator[tuple[Context, Watch, list[str]]]:
    """A process that leaves what it begins to a controller of its own; and what that tells."""
    told: list[str] = []
    watch = controller(process, None, told.append, 600.0)
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        yield evolve(process, hand_over=watch.go_on_with), watch, told
    finally:
        watch.stop()
        thread.join(60)


def test_a_task_that_its_own_process_leaves_is_gone_on_with(world: World) -> None:
    definition = world.define({"image": "remote"})
    with watching_beside(world.process()) as (process, _, told):
        until_looked_around(world)
        run_task(process, RunTaskRequest(definition))
        until(lambda: len(up(world)) == 1)
        until(lambda: any("pull" in line for line in told))


def test_what_its_own_process_writes_is_acted_on_when_it_says_so(world: World) -> None:
    with watching_beside(world.process()) as (process, watch, told):
        definition = world.define({"image": "sound", "healthCheck": {"command": ["CMD", "true"]}})
        create_service(process, CreateServiceRequest("web", task_definition=definition, desired_count=2))
        until(lambda: "service web has reached a steady state." in told)
        with world.store.write() as tx:
            (record,) = tx.find(SERVICES)
            tx.put(SERVICES, evolve(record, service=evolve(record.service, desired_count=1), seq=tx.seq))
        time.sleep(1.5)
        assert len(up(world)) == 2, "this process's writes are found without being told"
        watch.go_on_with()
        until(lambda: len(up(world)) == 1)


def test_a_container_that_ends_is_replaced_without_a_look_at_every_host(world: World) -> None:
    with watching(world):
        serve(world, 2)
        until(lambda: len(up(world)) == 2)
        until_looked_around(world)
        before = looks(world)
        lost = up(world)[0]
        for engine in world.engines.values():
            if lost in {found.id for found in engine.containers()}:
                engine.end(lost, 1)
        until(lambda: lost not in up(world) and len(up(world)) == 2)
        assert looks(world) == before


def test_a_container_that_ends_is_replaced_before_its_engine_lets_anybody_look_at_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    cleaned_up = threading.Event()
    with watching(world):
        serve(world, 2)
        until(lambda: sum(task.is_running for task in world.tasks()) == 2)
        lost = up(world)[0]
        engine = next(e for e in world.engines.values() if lost in {found.id for found in e.containers()})
        inspect = engine.inspect

        def inspect_slowly(container: str) -> Observed:
            if container == lost:
                cleaned_up.wait(60)
            return inspect(container)

        monkeypatch.setattr(engine, "inspect", inspect_slowly)
        engine.end(lost, 3)
        until(lambda: lost not in up(world) and len(up(world)) == 2)
        assert not cleaned_up.is_set()
        cleaned_up.set()
        until(lambda: any(task.is_stopped for task in world.tasks()))
    assert [c.exit_code for task in world.tasks() if task.is_stopped for c in task.containers] == [3]
    world.check_safety()


def test_a_slow_stop_keeps_nothing_else_from_being_done(world: World) -> None:
    with watching(world):
        serve(world, 4, "slow")
        until(lambda: len(up(world)) == 4)
        update_service(world.process(), UpdateServiceRequest("web", desired_count=1))
        until(lambda: any(task.task.desired_status == "STOPPED" for task in world.tasks()))
        began = time.monotonic()
        update_service(world.process(), UpdateServiceRequest("web", desired_count=3))
        until(lambda: sum(t.task.desired_status == t.task.last_status == "RUNNING" for t in world.tasks()) == 3)
        assert any(not t.is_stopped and t.task.desired_status == "STOPPED" for t in world.tasks())
        assert time.monotonic() - began < 10
        until(lambda: len([task for task in world.tasks() if task.is_stopped]) == 3)


def test_a_host_that_falls_silent_and_answers_again_is_told_once_each(world: World) -> None:
    with watching(world) as told:
        until(lambda: all(engine.calls_of("list") for engine in world.engines.values()))
        world.engines["host1"].reachable = False
        until(lambda: any(line.startswith("host host1: ") for line in told))
        time.sleep(1.5)
        world.engines["host1"].reachable = True
        until(lambda: "host host1 answers again" in told)
    assert len([line for line in told if line.startswith("host host1: ")]) == 1


def test_a_task_that_gets_nowhere_is_tried_again_for_ever_and_seldom(world: World) -> None:
    watch = controller(world.process(), None, lambda _: None, 600.0)
    result = Pass()
    result.unfinished = ["some-task"]
    waits = []
    for _ in range(2000):  # some three hours
        watch._note(Done("some-task", result, None))
        waits.append(watch._due.pop("some-task") - world.clock.since_boot())
    assert waits[0] == pytest.approx(RETRY[0], abs=0.1)
    assert max(waits) <= RETRY[1]
    assert waits[-1] == pytest.approx(RETRY[1], abs=0.1)


def test_what_is_done_at_the_end_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()
    for engine in world.engines.values():

        def start(container: str, start: Callable[[str], object] = engine.start) -> None:
            begun.set()
            go_on.wait(60)
            start(container)

        monkeypatch.setattr(engine, "start", start)
    told: list[str] = []
    watch = controller(world.process(), None, told.append, 600.0)
    thread = threading.Thread(target=watch.run)
    thread.start()
    serve(world, 1)
    assert begun.wait(60)
    watch.stop()
    time.sleep(0.5)
    go_on.set()
    thread.join(60)
    assert not thread.is_alive()
    assert any("start container main" in line for line in told)


def test_a_host_that_answered_while_nobody_asked_is_not_lost(world: World) -> None:
    serve(world, 2)
    reconcile(world.process())
    before = up(world)
    assert len(before) == 2
    with world.store.write() as tx:
        for instance in tx.find(INSTANCES):
            if instance.name == "host1":  # as the last controller left it, an hour ago
                shape = evolve(instance.instance, agent_connected=False)
                since = world.clock.now() - timedelta(hours=1)
                tx.put(INSTANCES, evolve(instance, instance=shape, silent_since=since, failed_contacts=3))
    with watching(world) as told:
        until(lambda: all(one.instance.agent_connected for one in instances(world)))
        time.sleep(2 * TICK)
    assert up(world) == before
    assert not any("lost" in line for line in told)


def test_a_host_that_stays_silent_is_lost(world: World) -> None:
    arn = next(one.arn for one in instances(world) if one.name == "host1")
    values = {GRACE: "1", CONTACTS: "1"}
    grace = [Attribute(name=name, value=value, target_id=arn) for name, value in values.items()]
    put_attributes(world.process(), PutAttributesRequest(grace))
    serve(world, 2, "sound")  # else it is not steady before its tasks count as healthy, most of a minute later
    reconcile(world.process())
    with watching(world) as told:
        until(lambda: any("steady" in line for line in told))
        world.engines["host1"].reachable = False
        until(lambda: len([c for c in world.engines["host0"].containers() if c.is_up]) == 2)
    assert any("host1 is lost" in line for line in told)
