"""The store, in a SQLite file and in PostgreSQL: what it keeps, and what it refuses."""

from __future__ import annotations

import multiprocessing
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ecsctl.model.cluster import Cluster
from ecsctl.model.errors import StateError
from ecsctl.model.record import evolve
from ecsctl.model.state_place import StatePlace, home_of
from ecsctl.store import files, postgresql
from ecsctl.store.every_table import TABLES
from ecsctl.store.files import beside
from ecsctl.store.store import Store, Transaction, Use, add_event
from ecsctl.store.tables import CLUSTERS, EVENTS, TASK_DEFINITIONS, TASKS
from tests.making import CLUSTER, INSTANCE, NOW, definition, task_of


@pytest.fixture
def store(place: StatePlace) -> Iterator[Store]:
    opened = Store.open(place)
    yield opened
    opened.close()


def cluster(name: str = "default") -> Cluster:
    arn = f"arn:aws:ecs:us-east-1:000000000000:cluster/{name}"
    return Cluster(cluster_arn=arn, cluster_name=name, status="ACTIVE")


def test_what_was_written_is_there_after_reopening(place: StatePlace) -> None:
    store = Store.open(place)
    with store.write() as tx:
        tx.put(CLUSTERS, cluster())
        tx.put(TASK_DEFINITIONS, definition({"name": "main"}))
        tx.put(TASKS, task_of(definition({"name": "main"})))
    install, key = store.install, store.key
    store.close()
    again = Store.open(place)
    with again.read() as view:
        assert view.get(CLUSTERS, CLUSTER) == cluster()
        assert view.find(TASKS) == [task_of(definition({"name": "main"}))]
        assert view.find(TASK_DEFINITIONS, family="app", status="ACTIVE") == [definition({"name": "main"})]
    assert (again.install, again.key) == (install, key)
    again.close()


def test_the_declared_columns_are_those_of_the_schema(store: Store) -> None:
    with store.read() as view:
        for table in TABLES:
            if store.is_shared:
                sql = (
                    "SELECT column_name FROM information_schema.columns WHERE table_name = ? AND column_name != 'rowid'"
                )
            else:
                sql = "SELECT name FROM pragma_table_info(?)"
            found = [row[0] for row in view._connection.execute(sql, (table.name,))]
            assert sorted(found) == sorted([*table.columns, "doc"]), table.name


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError), store.write() as tx:
        tx.put(CLUSTERS, cluster())
        raise RuntimeError
    with store.read() as view:
        assert view.find(CLUSTERS) == []


def test_a_transaction_that_wrote_nothing_leaves_the_state_alone(store: Store) -> None:
    with store.read() as view:
        before = view.sequence
    with store.write():
        pass
    with store.read() as view:
        assert view.sequence == before


def test_each_writing_transaction_has_a_number_of_its_own(store: Store) -> None:
    numbers = []
    for name in ("a", "b", "c"):
        with store.write() as tx:
            numbers.append(tx.seq)
            tx.put(CLUSTERS, cluster(name))
            assert tx.seq == numbers[-1]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(("before", "after"), [("RUNNING", "PENDING"), ("STOPPED", "RUNNING"), ("STOPPED", "STOPPING")])
def test_a_state_never_goes_back(store: Store, before: str, after: str) -> None:
    record = task_of(definition({"name": "main"}))
    record.task.last_status = before
    with store.write() as tx:
        tx.put(CLUSTERS, cluster())
        tx.put(TASKS, record)
    with pytest.raises((sqlite3.IntegrityError, psycopg.IntegrityError), match="never goes back"), store.write() as tx:
        tx.put(TASKS, evolve(record, task=evolve(record.task, last_status=after)))


def test_the_version_is_another_whoever_writes(place: StatePlace, store: Store) -> None:
    other = Store.open(place)
    seen: list[tuple[int, int]] = []
    for writer in (None, store, other, None):
        if writer:
            with writer.write() as tx:
                tx.put(CLUSTERS, evolve(cluster(), status=f"S{len(seen)}"))
        with store.read() as view:
            seen.append(view.version)
    other.close()
    assert len(set(seen)) == 3
    assert seen[2] == seen[3]


def test_what_is_used_is_the_sum_over_unfinished_tasks(store: Store) -> None:
    made = definition({"name": "main"})
    with store.write() as tx:
        tx.put(CLUSTERS, cluster())
        for number, status in enumerate(["RUNNING", "PENDING", "STOPPED"]):
            record = evolve(task_of(made, f"{number:032x}"), cpu=100, memory=50)
            record.task.last_status = status
            tx.put(TASKS, record)
        assert tx.used(CLUSTER) == {INSTANCE: Use(200, 100, 1, 1, 0)}


def test_the_groups_on_an_instance_are_counted_by_its_tasks_that_are_not_to_stop(store: Store) -> None:
    made = definition({"name": "main"})
    states = [("RUNNING", "web"), ("PENDING", "web"), ("STOPPING", "db"), ("STOPPED", "old"), ("RUNNING", None)]
    with store.write() as tx:
        tx.put(CLUSTERS, cluster())
        for number, (status, group) in enumerate(states):
            record = task_of(made, f"{number:032x}")
            record.task.last_status, record.task.group = status, group
            tx.put(TASKS, record)
        leaving = task_of(made, "e" * 32)
        leaving.task.last_status, leaving.task.desired_status, leaving.task.group = "RUNNING", "STOPPED", "web"
        tx.put(TASKS, leaving)
        unplaced = task_of(made, "f" * 32)
        unplaced.task.container_instance_arn = None
        tx.put(TASKS, unplaced)
        assert tx.groups(CLUSTER) == {INSTANCE: {"web": 2, "db": 1}}
        assert tx.groups(f"{CLUSTER}2") == {}
        assert tx.used(CLUSTER)[INSTANCE].stopping == 1


def test_text_of_every_kind_comes_back_and_sorts_by_its_bytes(store: Store) -> None:
    names = ["Z", "a", "b", "é", "漢"]
    with store.write() as tx:
        for name in reversed(names):
            tx.put(CLUSTERS, cluster(name))
        assert [found.cluster_name for found in tx.find(CLUSTERS, order="name")] == names
        assert len(tx.find(CLUSTERS, name="漢")) == 1


def test_old_events_are_forgotten(store: Store) -> None:
    with store.write() as tx:
        add_event(tx, NOW, CLUSTER, CLUSTER, "Old", "")
        add_event(tx, NOW + timedelta(days=2), CLUSTER, CLUSTER, "New", "")
        assert tx.forget_before(EVENTS, "at", NOW + timedelta(days=1)) == 1
        assert [event.kind for event in tx.find(EVENTS)] == ["New"]


def test_unknown_columns_never_reach_sql(store: Store) -> None:
    with store.read() as view, pytest.raises(ValueError, match="no column"):
        view.find(CLUSTERS, **{"name = '' OR 1 --": "x"})  # type: ignore[arg-type]


def test_a_missing_key_is_said_and_not_made_anew(place: StatePlace) -> None:
    Store.open(place).close()
    beside(home_of(place), "key").unlink()
    assert f"{beside(home_of(place), 'key')} is missing" in refused_to_write(place)


@pytest.mark.parametrize("key", [b"", b"short", bytes(32)])
def test_a_wrong_key_is_said_before_all_containers_look_like_strangers(place: StatePlace, key: bytes) -> None:
    Store.open(place).close()
    beside(home_of(place), "key").write_bytes(key)
    assert "is not this state's key" in refused_to_write(place)


def refused_to_write(place: StatePlace) -> str:
    with closing(Store.open(place)) as store, pytest.raises(StateError) as caught, store.write():
        pytest.fail("it was written")
    return str(caught.value)


def test_a_writer_that_holds_the_queue_too_long_is_reported(
    store: Store, place: StatePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "WAIT", 0.2)
    monkeypatch.setattr(postgresql, "WAIT", 1)
    other = Store.open(place)
    holding, done = threading.Event(), threading.Event()

    def hold() -> None:
        with other.write():
            holding.set()
            done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait(10)
    try:
        with pytest.raises(StateError, match="another process has been writing"), store.write():
            pass
    finally:
        done.set()
        thread.join()
        other.close()


def _write_for(place: StatePlace, seconds: float, together: Barrier, results: multiprocessing.Queue[int]) -> None:
    store = Store.open(place)
    together.wait(30)
    count, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        with store.write() as tx:
            tx.set_meta("counter", str(int(tx.meta("counter") or 0) + 1))
            time.sleep(0.002)
        count += 1
    store.close()
    results.put(count)


WRITERS = 8


def test_no_update_of_several_writers_is_lost_and_no_writer_starves(place: StatePlace, store: Store) -> None:
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[int] = context.Queue()
    together = context.Barrier(WRITERS)
    writers = [context.Process(target=_write_for, args=(place, 3.0, together, results)) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    counts = [results.get(timeout=30) for _ in writers]
    for writer in writers:
        writer.join()
    results.close()
    with store.read() as view:
        assert view.meta("counter") == str(sum(counts))
    assert min(counts) * 20 > max(counts), counts  # a starved one writes once or never


def test_two_that_open_a_new_state_at_once_agree(place: StatePlace) -> None:
    stores: list[Store] = []
    threads = [threading.Thread(target=lambda: stores.append(Store.open(place))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({(store.install, store.key) for store in stores}) == 1
    assert len(stores) == 8
    for store in stores:
        store.close()


def test_tables_can_be_prepared_and_read_by_several_threads(place: StatePlace) -> None:
    """What msgspec notes about a type must not be seen half done: the process would end by a segmentation fault."""
    script = """
import sys, threading
from pathlib import Path
from ecsctl.model.state_place import SharedState
from ecsctl.store.store import Store, prepare_to_read
from ecsctl.store.tables import INSTANCES, SERVICES, TASK_DEFINITIONS, TASKS
store = Store.open(SharedState(sys.argv[2], Path(sys.argv[1])) if sys.argv[2:] else Path(sys.argv[1]))
sys.setswitchinterval(1e-6)
together = threading.Barrier(3)
def work(*tables):
    together.wait()
    for table in tables:
        prepare_to_read(table)
        with store.read() as view:
            view.find(table)
for tables in ((TASKS, SERVICES), (INSTANCES, TASKS), (TASK_DEFINITIONS, SERVICES, TASKS)):
    threading.Thread(target=work, args=tables).start()
"""
    made = definition({"name": "main"})
    with closing(Store.open(place)) as store, store.write() as tx:
        tx.put(CLUSTERS, cluster())
        tx.put(TASKS, task_of(made, "0" * 32))
        tx.put(TASK_DEFINITIONS, made)
    words = [str(place)] if isinstance(place, Path) else [str(place.home), place.url]
    for _ in range(8):
        subprocess.run([sys.executable, "-c", script, *words], check=True)


def put_revisions(tx: Transaction, *numbers: tuple[str, int]) -> None:
    for family, revision in numbers:
        made = definition({"name": "main"})
        arn = f"arn:aws:ecs:us-east-1:000000000000:task-definition/{family}:{revision}"
        tx.put(TASK_DEFINITIONS, evolve(made, task_definition_arn=arn, family=family, revision=revision))


def last_words(arns: Iterable[str]) -> list[str]:
    return [arn.rpartition("/")[2] for arn in arns]


def test_keys_by_more_than_one_column_and_what_there_is_in_one(store: Store) -> None:
    with store.write() as tx:
        put_revisions(tx, ("b", 2), ("b", 10), ("a", 1), ("B", 1))
    with store.read() as view:

        def listed(*order: str) -> list[str]:
            return last_words(view.keys(TASK_DEFINITIONS, *order, status="ACTIVE"))

        assert listed("family", "revision") == ["B:1", "a:1", "b:2", "b:10"]
        assert listed("revision") == ["a:1", "B:1", "b:2", "b:10"]
        assert view.values(TASK_DEFINITIONS, "family") == ["B", "a", "b"]
        assert view.values(TASK_DEFINITIONS, "family", status="INACTIVE") == []
        with pytest.raises(ValueError, match="no column"):
            listed("family; --")


@pytest.mark.parametrize("falling", [False, True])
def test_a_page_goes_on_behind_what_may_be_gone(falling: bool, store: Store) -> None:
    numbers = [("B", 1), ("a", 1), ("a", 2), ("a-b", 1), ("a_b", 1), ("b", 2), ("b", 10)]
    with store.write() as tx:
        put_revisions(tx, *numbers)
    every = [f"{family}:{revision}" for family, revision in (numbers[::-1] if falling else numbers)]
    shown, after = list[str](), None
    while True:
        with store.write() as tx:
            found = tx.page(TASK_DEFINITIONS, "family", "revision", after=after, limit=2, falling=falling)
            shown += last_words(arn for arn, _ in found)
            if not found:
                break
            arn, after = found[-1]
            tx.delete(TASK_DEFINITIONS, arn=arn)
    assert shown == every


def test_what_was_made_at_one_moment_is_in_pages_as_it_was_made(store: Store) -> None:
    made = [task_of(definition({"name": "main"}), digit * 32) for digit in "3142"]
    with store.write() as tx:
        tx.put(CLUSTERS, cluster())
        for task in made:
            tx.put(TASKS, task)
    with store.write() as tx:
        tx.put(TASKS, evolve(made[1], cpu=7))  # stays where it is
    asked: dict[str, Any] = {"cluster": CLUSTER, "desired_status": "RUNNING"}
    with store.read() as view:
        (first, second) = view.page(TASKS, "created_at", limit=2, **asked)
        rest = view.page(TASKS, "created_at", after=second[1], **asked)
    assert [arn[-1] for arn, _ in (first, second, *rest)] == ["3", "1", "4", "2"]
