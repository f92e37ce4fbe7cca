"""A state in a SQLite file: whom it lets in, and what it refuses."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ecsctl.model.errors import StateError
from ecsctl.model.record import evolve, to_wire
from ecsctl.model.service import Service
from ecsctl.model.stored import DeploymentRecord, Leading, ServiceRecord
from ecsctl.store import files, schema
from ecsctl.store.every_table import TABLES
from ecsctl.store.files import WriterQueue
from ecsctl.store.leases import LEASES, FileLeases
from ecsctl.store.migrate import translate
from ecsctl.store.store import Store
from ecsctl.store.tables import CLUSTERS, SERVICES, TASK_DEFINITIONS, TASKS
from tests import unprivileged
from tests.making import CLUSTER, NOW
from tests.store.test_backup import put
from tests.store.test_store import cluster


def database_of(store: Store) -> Any:
    """The connection of SQLite's."""
    return store._database.connection


def test_only_the_owner_can_read_what_is_written(store: Store) -> None:
    with store.write() as tx:
        tx.put(CLUSTERS, cluster())
    for file in store.path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700


def test_commits_survive_a_power_loss(store: Store) -> None:
    assert database_of(store).execute("PRAGMA synchronous").fetchone()[0] == 2
    assert database_of(store).execute("PRAGMA journal_mode").fetchone()[0] == "wal"


@pytest.mark.parametrize("family", [None, "app"])
@pytest.mark.parametrize("falling", [False, True])
def test_a_page_is_looked_up_not_searched_for(family: str | None, falling: bool, store: Store) -> None:
    """In an index, from the place on: else a list gets slower with each page, and with all there ever was."""
    named: dict[str, Any] = {"family": family} if family else {}
    asked: list[str] = []
    connection = database_of(store)
    connection.set_trace_callback(asked.append)
    with store.read() as view:
        view.page(
            TASKS, "created_at", after=("2026", 7), limit=3, falling=falling, cluster="c", desired_status="RUNNING"
        )
        after, order = ((5, 7), ("revision",)) if family else (("app", 5, 7), ("family", "revision"))
        view.page(TASK_DEFINITIONS, *order, after=after, limit=3, falling=falling, scope="s", status="ACTIVE", **named)
    connection.set_trace_callback(None)
    plans = [connection.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall() for sql in asked if sql.startswith("SELECT")]
    (tasks,), (definitions,) = ([row[3] for row in plan] for plan in plans)  # one step: nothing is sorted
    way = "<" if falling else ">"
    assert tasks == f"SEARCH task USING INDEX task_cluster (cluster=? AND desired_status=? AND created_at{way}?)"
    ends = f"scope=? AND family=? AND revision{way}?" if family else f"scope=? AND (family,revision){way}(?,?)"
    assert definitions.endswith(f"({ends})")


def refused(path: Path) -> str:
    with pytest.raises(StateError) as caught:
        Store.open(path).close()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_newer_file_is_refused_and_left_as_it_is(path: Path) -> None:
    Store.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    connection.close()
    before = path.read_bytes()
    assert "newer ecsctl" in refused(path)
    assert path.read_bytes() == before


def test_an_older_file_is_brought_forward_after_a_backup(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = Store.open(path)
    with old.write() as tx:
        tx.put(CLUSTERS, cluster())
    old.close()
    more = (*schema.MIGRATIONS, "CREATE TABLE later (x);\nINSERT INTO later VALUES ('a;b');")
    monkeypatch.setattr("ecsctl.store.migrate.MIGRATIONS", more)
    monkeypatch.setattr("ecsctl.store.migrate.VERSION", len(more))
    new = Store.open(path)
    with new.read() as view:
        assert view.get(CLUSTERS, CLUSTER) is not None
    assert database_of(new).execute("SELECT x FROM later").fetchone() == ("a;b",)
    new.close()
    (backup,) = (path.parent / "backups").iterdir()
    assert f"-v{schema.VERSION}-" in backup.name
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600


@pytest.mark.parametrize("version", range(1, schema.VERSION))
def test_a_file_of_every_older_release_gets_every_table(
    path: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    monkeypatch.setattr("ecsctl.store.migrate.MIGRATIONS", schema.MIGRATIONS[:version])
    monkeypatch.setattr("ecsctl.store.migrate.VERSION", version)
    old = Store.open(path)
    with old.write() as tx:
        tx.put(CLUSTERS, cluster())
    old.close()
    monkeypatch.undo()
    new = Store.open(path)
    with new.read() as view:
        counts = {table.name: view.count(table) for table in TABLES}
        assert view.get(CLUSTERS, CLUSTER) is not None
    assert {name for name, count in counts.items() if count} == {"cluster"}
    assert database_of(new).execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
    new.close()


def test_what_deployments_no_longer_have_is_dropped(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecsctl.store.migrate.MIGRATIONS", schema.MIGRATIONS[:4])
    monkeypatch.setattr("ecsctl.store.migrate.VERSION", 4)
    deployment = DeploymentRecord("ecs-svc/1", "app:1", NOW, NOW, completed=True)
    service = Service(service_arn=f"{CLUSTER}/web", cluster_arn=CLUSTER, status="ACTIVE")
    record = ServiceRecord(service, [deployment, evolve(deployment, id="ecs-svc/2")])
    old = Store.open(path)
    with old.write() as tx:
        tx.put(CLUSTERS, cluster())
        tx.put(SERVICES, record)
    plain = to_wire(record)
    plain["deployments"][0]["ran"] = True
    database_of(old).execute("UPDATE service SET doc = ?", (msgspec.json.encode(plain),))
    old.close()
    monkeypatch.undo()
    new = Store.open(path)
    with new.read() as view:
        assert view.find(SERVICES) == [record]
    new.close()


def test_a_migration_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store.open(path).close()
    more = (*schema.MIGRATIONS, "CREATE TABLE later (x);\nINSERT INTO nowhere VALUES (1);")
    monkeypatch.setattr("ecsctl.store.migrate.MIGRATIONS", more)
    monkeypatch.setattr("ecsctl.store.migrate.VERSION", len(more))
    refused(path)
    monkeypatch.undo()
    store = Store.open(path)
    assert database_of(store).execute("SELECT count(*) FROM sqlite_master WHERE name = 'later'").fetchone() == (0,)
    store.close()


def test_a_file_that_is_no_database_is_refused_and_kept(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database, but somebody's letter" * 100)
    path.chmod(0o600)
    before = path.read_bytes()
    assert "damaged or not ecsctl's" in refused(path)
    assert path.read_bytes() == before


def test_another_programs_database_is_refused_and_kept(path: Path) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    path.chmod(0o600)
    before = path.read_bytes()
    assert "another program" in refused(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("offset", [0, 50, 100, 4096, 9000])
def test_damage_is_one_clear_line_or_harmless(path: Path, offset: int) -> None:
    store = Store.open(path)
    with store.write() as tx:
        tx.put(CLUSTERS, cluster())
    store.close()
    content = bytearray(path.read_bytes())
    content[offset : offset + 64] = b"\xa5" * 64
    path.write_bytes(bytes(content))
    try:
        damaged = Store.open(path)
    except StateError as error:
        assert "\n" not in str(error)
        return
    try:
        with damaged.read() as view:
            view.find(CLUSTERS)
    except StateError as error:
        assert "damaged" in str(error)
    finally:
        damaged.close()


def test_a_file_that_others_can_read_is_refused(path: Path) -> None:
    Store.open(path).close()
    path.chmod(0o644)
    assert "chmod 600" in refused(path)


def test_a_directory_is_refused(tmp_path: Path) -> None:
    assert "is a directory" in refused(tmp_path)


@pytest.mark.parametrize("device", ["/dev/null", "/dev/full"])
def test_what_is_no_file_is_refused(device: str) -> None:
    assert "is not a regular file" in refused(Path(device))


def test_a_disk_that_fails_is_not_called_a_damaged_state(path: Path) -> None:
    with pytest.raises(StateError, match=r"disk of the state file .* room") as caught, translate(path):
        raise sqlite3.OperationalError("disk I/O error")
    assert "damaged" not in str(caught.value)


def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_file_system", lambda _: "nfs4")
    assert "network file system" in refused(tmp_path / "state.db")


def test_a_file_that_cannot_be_written_is_read_and_says_so(path: Path) -> None:
    store = Store.open(path)
    with store.write() as tx:
        tx.put(CLUSTERS, cluster())
    store.close()
    command = unprivileged.python()
    unprivileged.give_away(path.parent, "*", 0o400)
    path.parent.chmod(0o555)
    program = """
import sys
from pathlib import Path
from ecsctl.model.errors import StateError
from ecsctl.store.store import Store
from ecsctl.store.tables import CLUSTERS
store = Store.open(Path(sys.argv[1]))
with store.read() as view:
    print([c.cluster_name for c in view.find(CLUSTERS)])
try:
    with store.write():
        pass
except StateError as error:
    print(error)
"""
    done = subprocess.run(
        [*command, "-c", program, str(path)], capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    path.parent.chmod(0o755)
    assert done.stdout.splitlines()[:1] == ["['default']"], done.stderr
    assert "cannot be written" in done.stdout


def test_a_full_disk_is_one_clear_line(store: Store) -> None:
    database_of(store).execute("PRAGMA max_page_count = 40")
    with pytest.raises(StateError, match="is full: nothing was changed"), store.write() as tx:
        for number in range(10000):
            tx.put(CLUSTERS, cluster(f"c{number}"))
    with store.read() as view:
        assert view.find(CLUSTERS) == []


def names(store: Store) -> list[str | None]:
    with store.read() as view:
        return [found.cluster_name for found in view.find(CLUSTERS)]


def test_what_is_written_together_is_seen_by_others_at_the_end_and_by_who_writes_it_at_once(store: Store) -> None:
    with closing(store.another()) as other:
        with store.together():
            assert names(store) == []
            put(store, "a")
            put(store, "b")
            assert (names(store), names(other)) == (["a", "b"], [])
        assert names(other) == ["a", "b"]
        put(store, "c")
        assert names(other) == ["a", "b", "c"]


def test_a_part_that_fails_is_undone_alone(store: Store) -> None:
    with store.together():
        put(store, "a")
        with pytest.raises(ZeroDivisionError), store.write() as tx:
            tx.put(CLUSTERS, cluster("b"))
            _ = 1 // 0
        with pytest.raises(sqlite3.IntegrityError), store.write() as tx:
            tx.put(CLUSTERS, cluster("c"))
            tx.put(CLUSTERS, evolve(cluster("d"), cluster_name="c"))
        put(store, "e")
    assert names(store) == ["a", "e"]


def test_what_raises_amid_what_is_written_together_undoes_all_of_it(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.together():
        put(store, "a")
        _ = 1 // 0
    assert names(store) == []
    put(store, "b")
    assert names(store) == ["b"]


def test_where_nothing_is_written_together_nobody_waits(store: Store) -> None:
    with closing(store.another()) as other, store.together():
        assert names(store) == []
        put(other, "a")
        assert names(store) == ["a"]


def test_who_may_not_write_waits_once_for_all_that_is_written_together(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def wait(self: WriterQueue, descriptor: int) -> None:
        waits.append(descriptor)
        raise StateError("another process has been writing")

    monkeypatch.setattr(WriterQueue, "_wait", wait)
    with closing(store.another()) as other, other.write(), store.together():
        for name in "abc":
            with pytest.raises(StateError, match="another process"):
                put(store, name)
        assert names(store) == []
    assert len(waits) == 1
    put(store, "d")
    assert names(store) == ["d"]


def test_who_gave_up_waiting_does_not_take_the_turn_later(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "WAIT", 0.2)
    with closing(store.another()) as other:
        with other.write() as tx:
            tx.put(CLUSTERS, cluster("a"))
            with pytest.raises(StateError, match="another process has been writing"):
                put(store, "b")
        monkeypatch.setattr(files, "WAIT", 10)
        time.sleep(0.2)
        put(other, "c")
        put(store, "d")
        put(other, "e")
    assert names(store) == ["a", "c", "d", "e"]


def test_a_full_disk_amid_what_is_written_together_undoes_all_of_it_and_says_so(store: Store) -> None:
    database_of(store).execute("PRAGMA max_page_count = 40")
    database_of(store).execute("PRAGMA cache_size = 1")
    with pytest.raises(StateError, match="was undone"), store.together():
        put(store, "a")
        for number in range(3):
            with pytest.raises(StateError, match=r"is full|was undone"):
                put(store, *(f"{number}-{n}" for n in range(10_000)))
        database_of(store).execute("PRAGMA max_page_count = 4000")
    assert names(store) == []
    put(store, "b")
    assert names(store) == ["b"]


def test_a_commit_that_fails_undoes_all_of_it(store: Store) -> None:
    database_of(store).execute("CREATE TABLE child (parent REFERENCES cluster (arn) DEFERRABLE INITIALLY DEFERRED)")
    with pytest.raises((StateError, sqlite3.IntegrityError)), store.together():
        put(store, "a")
        database_of(store).execute("INSERT INTO child VALUES ('nobody')")
        put(store, "b")
    assert names(store) == []


def test_a_disk_that_is_full_amid_a_large_change_is_said_to_be_full_and_can_be_used_again(tmp_path: Path) -> None:
    with closing(FileLeases(tmp_path / "state.db", "boot")) as leases:
        connection = leases._database.connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StateError, match="is full: nothing was changed"), leases.turn() as tx:
            for number in range(500):
                tx.put(LEASES, Leading(f"{number:0300}", "me"))
        connection.execute(f"PRAGMA max_page_count = {pages + 100}")
        with leases.turn() as tx:
            tx.put(LEASES, Leading("one", "me"))
        with leases.turn() as tx:
            assert [one.cluster for one in tx.find(LEASES)] == ["one"]
