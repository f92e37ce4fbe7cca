"""Who leads which cluster, of states in a file and in PostgreSQL."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from queue import SimpleQueue

import pytest

from ecsctl.cli.watch import _Standing
from ecsctl.controller import leadership
from ecsctl.controller.clock import Clock
from ecsctl.controller.leadership import BEAT, TERM, Leadership, share
from ecsctl.model.errors import StateError
from ecsctl.model.state_place import StatePlace
from ecsctl.model.stored import Controlling
from ecsctl.operations import reconcile as operations
from ecsctl.store.leases import CONTROLLERS, Leases, leases_of
from ecsctl.store.store import Store
from tests.controller.world import world_in

CLUSTERS = ["a", "b", "c", "d"]
Leader = Callable[..., Leadership]


class OwnClock(Clock):
    """Of one process: it may have stood still, or jumped."""

    def __init__(self) -> None:
        self.paused = 0.0

    def since_boot(self) -> float:
        return super().since_boot() + self.paused


def test_what_ends_its_thread_is_told(tmp_path: Path) -> None:
    told = SimpleQueue[Exception]()
    with closing(Store.open(tmp_path / "state.db")) as store:

        def gone() -> None:
            raise BrokenPipeError

        made = Leadership(leases_of(store.place, "one"), OwnClock(), lambda: ["a"], None, gone, told.put)
        made.start()
        assert isinstance(told.get(timeout=30), BrokenPipeError)
        made.end()


def test_why_it_leads_no_more_is_said_until_it_does_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(leadership, "BEAT", 0.01)
    clock, full, changed = OwnClock(), threading.Event(), SimpleQueue[None]()

    def clusters() -> list[str]:
        if full.is_set():
            clock.paused += TERM / 2
            raise StateError("the disk is full")
        return ["a"]

    with closing(Store.open(tmp_path / "state.db")) as store:
        made = Leadership(leases_of(store.place, "one"), clock, clusters, None, lambda: changed.put(None))
        standing = _Standing(made, None)
        made.beat()
        standing.tell()
        made.start()
        for change in (full.set, full.clear):
            change()
            changed.get(timeout=30)
            standing.tell()
        made.end()
    kept = "ecsctl: keeping the state; Ctrl-C or SIGTERM ends it\n"
    why = "ecsctl: this state cannot be kept: the disk is full; standing by to take over\n"
    assert capsys.readouterr().err == f"{kept}{why}{kept}"


def test_each_cluster_has_one_leader_and_all_lead_about_as_many() -> None:
    leaders: dict[str, str] = {}
    wanted: dict[str, Sequence[str] | None] = {"x": None, "y": None, "z": ["a"]}
    for _ in range(20):
        for me in wanted:
            take, leave = share(me, wanted, leaders, CLUSTERS)
            assert not set(take) & leaders.keys()
            leaders |= dict.fromkeys(take, me)
            for cluster in leave:
                assert leaders.pop(cluster) == me
    assert leaders.keys() == set(CLUSTERS)
    assert leaders["a"] == "z"
    assert sorted(leaders.values()) == ["x", "x", "y", "z"] or sorted(leaders.values()) == ["x", "y", "y", "z"]


def test_what_is_shared_evenly_stays_where_it_is() -> None:
    leaders = {"a": "x", "b": "x", "c": "x", "d": "y"}
    assert share("x", {"x": None, "y": None}, leaders, CLUSTERS).leave == ["a"]
    assert share("x", {"x": None, "y": None}, {**leaders, "a": "y"}, CLUSTERS) == ([], [])
    assert share("y", {"x": None, "y": ["d"]}, leaders, CLUSTERS) == ([], [])


def test_what_its_only_candidate_would_not_lead_has_no_leader() -> None:
    assert share("x", {"x": ["a"]}, {}, CLUSTERS) == (["a"], [])


@pytest.fixture
def leader(place: StatePlace) -> Iterator[Leader]:
    """Makes controllers of one state, each as if it were of a machine of its own."""
    Store.open(place).close()
    boots = iter(f"boot{number}" for number in range(9))
    with ExitStack() as stack:

        def make(named: Sequence[str] | None = None, clusters: Sequence[str] = CLUSTERS) -> Leadership:
            made = Leadership(leases(), OwnClock(), lambda: clusters, named, lambda: None)
            made._process.boot_id = next(boots)
            stack.callback(made.end)
            return made

        def leases() -> Leases:
            return leases_of(place, "one")

        yield make


def beat(*leaders: Leadership) -> None:
    for _ in range(6):
        for one in leaders:
            one.beat()


def test_the_first_leads_all_and_shares_with_the_second(leader: Leader) -> None:
    first, second = leader(), leader()
    beat(first)
    assert first.led == set(CLUSTERS)
    assert first.leads_all
    beat(first, second)
    assert first.led | second.led == set(CLUSTERS)
    assert not first.led & second.led
    assert len(first.led) == 2
    assert [one.id for one in first.others] == [second.id]


def test_who_is_limited_to_a_cluster_leads_no_other(leader: Leader) -> None:
    first, limited = leader(), leader(["b"])
    beat(first, limited)
    assert limited.led == {"b"}
    assert first.led == {"a", "c", "d"}


def test_what_one_leaves_the_other_takes_at_once(leader: Leader) -> None:
    first, second = leader(), leader(clusters=["a"])
    first._clusters = second._clusters
    beat(first, second)
    assert first.led == {"a"}
    first.end()
    second.beat()
    assert not first.led
    assert second.led == {"a"}


def test_one_that_is_silent_for_its_term_loses_what_it_led_and_its_claims(
    leader: Leader, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = leader(clusters=["a"]), leader(clusters=["a"])
    monkeypatch.setattr(leadership, "TERM", -1.0)  # over as soon as it was given
    first.beat()
    monkeypatch.setattr(leadership, "TERM", TERM)
    second.beat()
    assert second.led == {"a"}
    before = first.id
    assert not first.holds(before)
    first.beat()
    assert first.led == frozenset()
    assert first.id != before
    assert [one.id for one in first.others] == [second.id]


def test_one_that_was_paused_knows_by_its_own_clock_that_it_leads_no_more(leader: Leader) -> None:
    first = leader()
    first.beat()
    before = first.id
    assert first.holds(before)
    assert isinstance(first._clock, OwnClock)
    first._clock.paused = TERM + 0.1
    assert not first.holds(before)
    assert first.led == frozenset()
    first.beat()  # nobody else was there: it leads again, and what it began before is void
    assert first.led == set(CLUSTERS)
    assert not first.holds(before)


def test_a_process_of_this_machine_that_is_gone_has_lost_what_it_led_at_once(leader: Leader, place: StatePlace) -> None:
    first, second = leader(), leader()
    first.beat()
    with first._leases.turn() as tx:
        (found,) = tx.find(CONTROLLERS)
        gone = Controlling(
            id=found.id,
            until=found.until,
            host=found.host,
            boot_id=second._process.boot_id,
            pid_namespace=second._process.namespace,
            pid=2**22 + 1,
            process_start=1,
        )
        tx.put(CONTROLLERS, gone)
    second.beat()
    assert second.led == set(CLUSTERS)


def test_heartbeats_are_no_change_of_the_state(leader: Leader, place: StatePlace) -> None:
    store = Store.open(place)
    before = store.written_by_others()
    beat(leader(), leader())
    assert store.written_by_others() == before
    store.close()
    assert BEAT * 3 < TERM


def test_a_writer_that_waits_for_its_turn_does_not_keep_its_controller_from_saying_that_it_is_there(
    tmp_path: Path,
) -> None:
    with world_in(tmp_path, real_time=True) as world, ExitStack() as stack:
        context = world.process()
        own, other = (stack.enter_context(closing(context.store.another())) for _ in range(2))
        leading = operations.leadership(context, own, None, lambda: None, print)
        stack.callback(leading.end)
        begun = threading.Event()

        def write() -> None:
            begun.set()
            with context.store.write() as tx:
                tx.set_meta("test", "written")

        with other.write():
            writer = threading.Thread(target=write)
            writer.start()
            stack.callback(writer.join)
            begun.wait()
            time.sleep(0.3)
            beat = threading.Thread(target=leading.beat, daemon=True)
            beat.start()
            stack.callback(beat.join)
            beat.join(BEAT * 3)
            assert not beat.is_alive()
            assert writer.is_alive()
        assert len(leading.led) == 1
