"""Claims: whose hold, and when nothing may be begun under them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ecsctl.controller.claims import LEASE, Claimant
from ecsctl.controller.clock import Clock
from ecsctl.controller.leadership import TERM, Leadership
from ecsctl.model.api.tasks import RunTaskRequest
from ecsctl.model.record import evolve
from ecsctl.model.state_place import StatePlace
from ecsctl.model.stored import TaskRecord
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.tasks import run_task
from ecsctl.store.leases import CONTROLLERS, leases_of
from ecsctl.store.store import Store
from tests.controller.test_leadership import OwnClock
from tests.controller.world import world_in
from tests.making import definition, task_of


@pytest.fixture
def store(place: StatePlace) -> Iterator[Store]:
    with closing(Store.open(place)) as opened:
        yield opened


def claimed(claimant: Claimant) -> TaskRecord:
    return evolve(task_of(definition({"name": "main"})), claim=claimant.claim())


def elsewhere(store: Store, clock: Clock | None = None) -> Claimant:
    """Of a machine that is not this one."""
    made = Claimant(clock or Clock(), store)
    made._process.boot_id = "another"
    return made


def test_two_workers_of_a_process_exclude_one_another_until_one_has_done(store: Store) -> None:
    process = Claimant(Clock(), store)
    one, other = process.another(), process.another()
    record = claimed(one)
    assert one.may_take(record)
    assert not other.may_take(record)
    one.done()
    assert other.may_take(record)


def test_a_claim_of_another_machine_holds_where_there_can_be_one(store: Store) -> None:
    record = claimed(elsewhere(store))
    assert Claimant(Clock(), store).may_take(record) is not store.is_shared


def test_a_claim_of_another_machine_ends_with_its_lease_by_the_servers_clock(store: Store) -> None:
    record = claimed(elsewhere(store))
    assert record.claim is not None
    late = evolve(record, claim=evolve(record.claim, until=record.claim.until - LEASE - 1))
    assert Claimant(Clock(), store).may_take(late)


@pytest.fixture
def leading(store: Store) -> Iterator[Leadership]:
    made = Leadership(leases_of(store.place, "one"), OwnClock(), lambda: ["a"], None, lambda: None)
    made.beat()
    yield made
    made.end()


def test_a_controllers_claim_ends_when_it_has_not_said_that_it_is_there(store: Store, leading: Leadership) -> None:
    controller = elsewhere(store)
    controller.leadership = leading
    worker = controller.another()
    record = claimed(worker)
    other = Claimant(Clock(), store)
    other._process.boot_id = "one"  # a file has the leases of one boot
    if store.is_shared:
        assert not other.may_take(record)
    with leading._leases.turn() as tx:
        (found,) = tx.find(CONTROLLERS)
        tx.put(CONTROLLERS, evolve(found, until=leading._leases.now() - 1))
    assert other.may_take(record)


def test_nothing_begins_under_a_claim_after_a_pause(store: Store) -> None:
    clock = OwnClock()
    worker = Claimant(clock, store).another()
    worker.claim()
    assert worker.may_act()
    clock.paused = LEASE / 2 + 1
    assert not worker.may_act()
    worker.claim()
    assert worker.may_act()


def test_nothing_begins_under_a_leadership_that_may_be_lost(store: Store, leading: Leadership) -> None:
    claimant = Claimant(Clock(), store)
    claimant.leadership = leading
    before = claimant.another()
    before.claim()
    assert before.may_act()
    assert isinstance(leading._clock, OwnClock)
    leading._clock.paused = TERM + 1
    assert not before.may_act()
    leading.beat()  # it leads again; what began before it was paused does not go on
    assert not before.may_act()
    assert claimant.another().may_act()


def test_a_controller_that_was_paused_before_a_call_makes_none_and_the_next_pass_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world_in(tmp_path) as world:
        world.define({"image": "up"})
        with monkeypatch.context() as paused:
            paused.setattr(Claimant, "may_act", lambda _: False)
            run_task(world.process(), RunTaskRequest("app"))
            reconcile(world.process(), timeout=0.5)
        assert world.mutations() == 0
        assert [task.claim for task in world.tasks()] == [None]
        reconcile(world.process())
        assert [found.is_up for found in world.containers()] == [True]
        world.check_quiet()
