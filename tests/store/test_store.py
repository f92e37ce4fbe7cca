"""The state file: what it keeps, whom it lets in, and what it refuses."""

from __future__ import annotations

import multiprocessing
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path

import msgspec
import pytest

from ecsctl.model.cluster import Cluster
from ecsctl.model.errors import StateError
from ecsctl.model.record import evolve, to_wire
from ecsctl.model.service import Service
from ecsctl.model.stored import DeploymentRecord, ServiceRecord
from ecsctl.store import files, schema
from ecsctl.store.migrate import translate
from ecsctl.store.store import Store, Use, add_event
from ecsctl.store.tables import CLUSTERS, EVENTS, SERVICES, TABLES, TASK_DEFINITIONS, TASKS
from tests import unprivileged
from tests.making import CLUSTER, INSTANCE, NOW, definition, task_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "state.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = Store.open(path)
    yield opened
    opened.close()


def cluster(name: str = "default") -> Cluster:
    arn = f"arn:aws:ecs:us-east-1:000000000000:cluster/{name}"
    return Cluster(cluster_arn=arn, cluster_name=name, status="ACTIVE")


def test_what_was_written_is_there_after_reopening(path: Path) -> None:
    store = Store.open(path)
    with store.write() as tx:
        tx.put(CLUSTERS, cluster())
        tx.put(TASK_DEFINITIONS, definition({"name": "main"}))
        tx.put(TASKS, task_of(definition({"name": "main"})))
    install, key = store.install, store.key
    store.close()
    again = Store.open(path)
    with again.read() as view:
        assert view.get(CLUSTERS, CLUSTER) == cluster()
        assert view.find(TASKS) == [task_of(definition({"name": "main"}))]
        assert view.find(TASK_DEFINITIONS, family="app", status="ACTIVE") == [definition({"name": "main"})]
    assert (again.install, again.key) == (install, key)
    again.close()


def test_the_declared_columns_are_those_of_the_schema(store: Store) -> None:
    connection = sqlite3.connect(store.path)
    for table in TABLES:
        found = [row[1] for row in connection.execute(f"PRAGMA table_info({table.name})")]
        assert sorted(found) == sorted([*table.columns, "doc"]), table.name
    connection.close()


def test_only_the_owner_can_read_what_is_written(store: Store) -> None:
    with store.write() as tx:
        tx.put(CLUSTERS, cluster())
    for file in store.path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700


def test_commits_survive_a_power_loss(store: Store) -> None:
    assert store._connection.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert store._connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError), store.write() as tx:
        tx.put(CLUSTERS, cluster())
        raise RuntimeError
    with store.read() as view:
        assert view.find(CLUSTERS) == []


def test_a_transaction_that_wrote_nothing_leaves_the_file_alone(store: Store) -> None:
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
    with pytest.raises(sqlite3.IntegrityError, match="never goes back"), store.write() as tx:
        tx.put(TASKS, evolve(record, task=evolve(record.task, last_status=after)))


def test_the_version_is_another_whoever_writes(path: Path, store: Store) -> None:
    other = Store.open(path)
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


def test_old_events_are_forgotten(store: Store) -> None:
    with store.write() as tx:
        add_event(tx, NOW, CLUSTER, CLUSTER, "Old", "")
        add_event(tx, NOW + timedelta(days=2), CLUSTER, CLUSTER, "New", "")
        assert tx.forget_before(EVENTS, "at", NOW + timedelta(days=1)) == 1
        assert [event.kind for event in tx.find(EVENTS)] == ["New"]


def test_unknown_columns_never_reach_sql(store: Store) -> None:
    with store.read() as view, pytest.raises(ValueError, match="no column"):
        view.find(CLUSTERS, **{"name = '' OR 1 --": "x"})  # type: ignore[arg-type]


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
    assert new._connection.execute("SELECT x FROM later").fetchone() == ("a;b",)
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
    assert new._connection.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
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
    old._connection.execute("UPDATE service SET doc = ?", (msgspec.json.encode(plain),))
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
    assert store._connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'later'").fetchone() == (0,)
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


def test_a_missing_key_is_said_and_not_made_anew(path: Path) -> None:
    Store.open(path).close()
    path.with_name("state.db.key").unlink()
    assert "state.db.key" in refused_to_write(path)


@pytest.mark.parametrize("key", [b"", b"short", bytes(32)])
def test_a_wrong_key_is_said_before_all_containers_look_like_strangers(path: Path, key: bytes) -> None:
    Store.open(path).close()
    path.with_name("state.db.key").write_bytes(key)
    assert "is not this state's key" in refused_to_write(path)


def refused_to_write(path: Path) -> str:
    with closing(Store.open(path)) as store, pytest.raises(StateError) as caught, store.write():
        pytest.fail("it was written")
    return str(caught.value)


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
    store._connection.execute("PRAGMA max_page_count = 40")
    with pytest.raises(StateError, match="full"), store.write() as tx:
        for number in range(10000):
            tx.put(CLUSTERS, cluster(f"c{number}"))
    with store.read() as view:
        assert view.find(CLUSTERS) == []


def test_a_writer_that_holds_the_queue_too_long_is_reported(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "WAIT", 0.2)
    other = Store.open(path)
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


def _write_for(path: Path, seconds: float, together: Barrier, results: multiprocessing.Queue[int]) -> None:
    store = Store.open(path)
    together.wait(30)
    count, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        with store.write() as tx:
            tx.set_meta("counter", str(int(tx.meta("counter") or 0) + 1))
            time.sleep(0.002)
        count += 1
    store.close()
    results.put(count)


def test_no_update_of_several_writers_is_lost_and_no_writer_starves(store: Store) -> None:
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[int] = context.Queue()
    together = context.Barrier(4)
    writers = [context.Process(target=_write_for, args=(store.path, 1.5, together, results)) for _ in range(4)]
    for writer in writers:
        writer.start()
    counts = [results.get(timeout=30) for _ in writers]
    for writer in writers:
        writer.join()
    results.close()
    with store.read() as view:
        assert view.meta("counter") == str(sum(counts))
    assert min(counts) * 20 > max(counts), counts  # a starved one writes once or never


def test_two_that_open_a_new_file_at_once_agree(path: Path) -> None:
    stores: list[Store] = []
    threads = [threading.Thread(target=lambda: stores.append(Store.open(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({(store.install, store.key) for store in stores}) == 1
    assert len(stores) == 8
    for store in stores:
        store.close()


def test_tables_can_be_prepared_and_read_by_several_threads(path: Path) -> None:
    """What msgspec notes about a type must not be seen half done: the process would end by a segmentation fault."""
    script = """
import sys, threading
from pathlib import Path
from ecsctl.store.store import Store, prepare_to_read
from ecsctl.store.tables import INSTANCES, SERVICES, TASK_DEFINITIONS, TASKS
store = Store.open(Path(sys.argv[1]))
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
    with closing(Store.open(path)) as store, store.write() as tx:
        tx.put(CLUSTERS, cluster())
        tx.put(TASKS, task_of(made, "0" * 32))
        tx.put(TASK_DEFINITIONS, made)
    for _ in range(8):
        subprocess.run([sys.executable, "-c", script, str(path)], check=True)
