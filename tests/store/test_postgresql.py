"""A state in PostgreSQL: whom it lets in, what it refuses, and what becomes of it when its server is gone."""

from __future__ import annotations

import os
import pickle
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ecsctl.model.errors import ConfigError, StateError, StateUnreachable
from ecsctl.model.secret import SecretRecord, SecretVersion
from ecsctl.model.state_place import SharedState, shared_state
from ecsctl.store import postgresql, postgresql_schema, schema
from ecsctl.store.check import check
from ecsctl.store.files import beside
from ecsctl.store.postgresql import PostgresDatabase, has_state
from ecsctl.store.secret_table import SECRETS
from ecsctl.store.store import Store, add_event
from ecsctl.store.tables import CLUSTERS, EVENTS, TASK_DEFINITIONS, TASKS
from ecsctl.store.transfer import restore_shared
from tests.making import CLUSTER, NOW, definition, task_of
from tests.postgresql import PASSWORD, Server, server
from tests.store.test_store import cluster


@pytest.fixture
def place(postgres: Server, tmp_path: Path) -> SharedState:
    name = postgres.new_database()
    return SharedState(postgres.url(name), tmp_path / "home" / name)


@pytest.fixture
def store(place: SharedState) -> Iterator[Store]:
    opened = Store.open(place)
    yield opened
    opened.close()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[Server, SharedState]]:
    """A server that may be stopped, and a state there."""
    with server() as made:
        yield made, SharedState(made.url(made.new_database()), tmp_path / "own")


def refused(place: SharedState, kind: type[Exception] = StateError) -> str:
    with pytest.raises(kind) as caught:
        Store.open(place).close()
    text = str(caught.value)
    assert "\n" not in text
    assert PASSWORD not in text
    return text


def sql(postgres: Server, place: SharedState, statement: str) -> None:
    with closing(postgres.connect(place.home.name)) as connection:
        connection.execute(statement)


def test_what_it_is_called_has_no_password(place: SharedState) -> None:
    assert PASSWORD not in f"{place} {place!r} {[place]}"
    assert str(place).endswith(place.home.name)
    assert pickle.loads(pickle.dumps(place)) == place  # noqa: S301 other processes are given it


def test_a_wrong_password_an_unknown_user_and_an_unknown_database_are_one_line_each(
    postgres: Server, place: SharedState
) -> None:
    wrong = place._replace(url=postgres.url(place.home.name, password="not-the-one"))
    assert "check the user and the password" in refused(wrong, StateUnreachable)
    assert "not-the-one" not in refused(wrong)
    assert "check the user" in refused(place._replace(url=postgres.url(place.home.name, user="nobody")))
    assert "createdb" in refused(place._replace(url=postgres.url("nowhere")))
    assert "see that the server runs" in refused(place._replace(url="postgresql://x@127.0.0.1:1/y"), StateUnreachable)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://u:p@ss@h/db", "percent-encoded"),
        ("postgresql://u:pa/ss@h/db", "percent-encoded"),
        ("postgresql://u:pass@h:x/db", "the port"),
        ("postgresql://u:12/ss@h/db", "percent-encoded"),
        ("postgresql://u:p#ss@h/db", "percent-encoded"),
        ("postgresql://u:pass@h", "name the database"),
        ("postgresql://u:pass@h/", "name the database"),
    ],
)
def test_a_url_that_cannot_be_read_is_not_repeated(tmp_path: Path, url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        shared_state(url, tmp_path, "ECSCTL_STATE")
    assert "ss" not in str(caught.value).replace("password", "")


def test_parameters_that_libpq_does_not_know_are_refused_without_the_url(place: SharedState) -> None:
    text = refused(place._replace(url=f"{place.url}?passwort={PASSWORD}"), ConfigError)
    assert "libpq" in text


def test_several_hosts_and_parameters_are_libpqs(postgres: Server, place: SharedState) -> None:
    url = place.url.replace("@127.0.0.1", "@127.0.0.1:1,127.0.0.1") + "?target_session_attrs=read-write"
    Store.open(shared_state(url, place.home.parent, "ECSCTL_STATE")).close()
    assert has_state(place)


def test_the_key_is_for_its_owner_alone(store: Store) -> None:
    _ = store.key
    assert stat.S_IMODE(beside(store.path, "key").stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700


def test_another_machine_needs_the_key_and_is_told_so(store: Store, place: SharedState) -> None:
    elsewhere = place._replace(home=place.home.parent.parent / "elsewhere" / place.home.name)
    with closing(Store.open(elsewhere)) as other:
        assert other.install == store.install
        with pytest.raises(StateError, match="copy it from a machine that uses this state"), other.write():
            pytest.fail("it was written")
    elsewhere.home.parent.mkdir()
    beside(elsewhere.home, "key").touch(0o600)
    beside(elsewhere.home, "key").write_bytes(store.key)
    with closing(Store.open(elsewhere)) as other, other.write() as tx:
        tx.put(CLUSTERS, cluster())


def test_a_state_that_was_lost_is_not_begun_anew(postgres: Server, place: SharedState) -> None:
    Store.open(place).close()
    sql(postgres, place, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    assert "it was lost" in refused(place)
    assert not has_state(place)


def test_another_programs_tables_are_refused_and_kept(postgres: Server, place: SharedState) -> None:
    for statement in ("CREATE TABLE theirs (x int)", "CREATE TABLE meta (x int)"):
        sql(postgres, place, statement)
        assert "another program" in refused(place)
    sql(postgres, place, "SELECT theirs.x, meta.x FROM theirs, meta")


def test_a_newer_state_is_refused_and_an_older_one_waits_for_its_upgrade(
    postgres: Server, place: SharedState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_schema, "VERSION", schema.VERSION - 1)
    monkeypatch.setattr(postgresql, "VERSION", schema.VERSION - 1)
    with closing(Store.open(place)) as old, old.write() as tx:
        tx.put(CLUSTERS, cluster())
    monkeypatch.undo()
    assert "ecsctl state upgrade" in refused(place)
    PostgresDatabase.open(place, upgrade=True).close()
    with closing(Store.open(place)) as new, new.read() as view:
        assert view.find(CLUSTERS) == [cluster()]
    sql(postgres, place, "UPDATE meta SET value = (value::int + 1)::text WHERE key = 'schema'")
    assert "newer ecsctl" in refused(place)


def test_a_read_only_server_is_read_and_says_so(store: Store, postgres: Server, place: SharedState) -> None:
    with store.write() as tx:
        tx.put(CLUSTERS, cluster())
    url = f"{place.url}?options=-c%20default_transaction_read_only%3Don"
    with closing(Store.open(place._replace(url=url))) as replica:
        assert replica.read_only
        with replica.read() as view:
            assert view.find(CLUSTERS) == [cluster()]
        with pytest.raises(StateError, match="read-only replica"), replica.write():
            pytest.fail("it was written")


def test_a_user_without_rights_is_told_what_is_missing(postgres: Server, place: SharedState) -> None:
    sql(postgres, place, f"DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'")
    assert "let it own the database" in refused(place._replace(url=postgres.url(place.home.name, user="reader")))


def test_a_database_that_cannot_hold_every_text_is_refused(postgres: Server, place: SharedState) -> None:
    name = postgres.new_database("ENCODING SQL_ASCII TEMPLATE template0")
    assert "createdb -E UTF8" in refused(place._replace(url=postgres.url(name)))


def test_a_statement_that_fails_at_the_commit_undoes_all_and_the_connection_goes_on(
    store: Store, postgres: Server, place: SharedState
) -> None:
    sql(postgres, place, "ALTER TABLE meta ADD CONSTRAINT full_disk CHECK (key != 'writes' OR value::bigint < 9)")
    for number in range(20):
        with suppress(psycopg.IntegrityError), store.write() as tx:
            tx.put(CLUSTERS, cluster(f"c{number}"))
    with store.read() as view:
        assert 0 < view.count(CLUSTERS) < 9


def terminate(postgres: Server, place: SharedState) -> None:
    sql(
        postgres,
        place,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ecsctl'"
        " AND datname = current_database()",
    )


def test_a_connection_that_was_lost_while_nothing_was_done_is_made_anew(
    store: Store, postgres: Server, place: SharedState
) -> None:
    for _ in range(2):
        terminate(postgres, place)
        with store.write() as tx:
            tx.put(CLUSTERS, cluster())
        terminate(postgres, place)
        with store.read() as view:
            assert view.find(CLUSTERS) == [cluster()]
        terminate(postgres, place)
        store.written_by_others()


def test_a_connection_that_is_lost_amid_a_transaction_undoes_it(
    store: Store, postgres: Server, place: SharedState
) -> None:
    with pytest.raises(StateUnreachable, match="nothing was changed"), store.write() as tx:
        tx.put(CLUSTERS, cluster())
        terminate(postgres, place)
        tx.put(CLUSTERS, cluster("second"))
    with store.read() as view:
        assert view.find(CLUSTERS) == []


def test_a_connection_that_is_lost_at_the_commit_is_not_called_a_failure(
    store: Store, postgres: Server, place: SharedState
) -> None:
    with pytest.raises(StateUnreachable, match="whether it was made is not known"), store.write() as tx:
        tx.put(CLUSTERS, cluster())
        terminate(postgres, place)


def test_a_server_that_starts_again_is_used_again(own: tuple[Server, SharedState]) -> None:
    postgres, place = own
    with closing(Store.open(place)) as store:
        postgres.stop()
        with pytest.raises(StateUnreachable), store.read():
            pytest.fail("it was read")
        postgres.start()
        with store.write() as tx:
            tx.put(CLUSTERS, cluster())


WRITER = """
import sys
from pathlib import Path
from ecsctl.model.state_place import SharedState
from ecsctl.store.store import Store
from ecsctl.store.tables import CLUSTERS
from tests.store.test_store import cluster
store = Store.open(SharedState(sys.argv[1], Path(sys.argv[2])))
with store.write() as tx:
    tx.put(CLUSTERS, cluster("unfinished"))
    print("writing", flush=True)
    sys.stdin.readline()
"""


@pytest.mark.parametrize(("sent", "most"), [(signal.SIGKILL, 5.0), (signal.SIGSTOP, 25.0)])
def test_a_writer_that_is_killed_or_stopped_keeps_nobody_waiting_for_long(
    store: Store, place: SharedState, sent: signal.Signals, most: float
) -> None:
    command = [sys.executable, "-c", WRITER, place.url, str(place.home)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) as writer:
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "writing\n"
            os.kill(writer.pid, sent)
            began = time.monotonic()
            with store.write() as tx:
                assert tx.find(CLUSTERS) == []
                tx.put(CLUSTERS, cluster())
            assert time.monotonic() - began < most
        finally:
            writer.kill()


def test_threads_share_a_store(store: Store) -> None:
    def count() -> None:
        for _ in range(20):
            with store.write() as tx:
                tx.set_meta("counter", str(int(tx.meta("counter") or 0) + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as view:
        assert view.meta("counter") == "80"


def test_a_backup_moves_a_state_from_one_kind_to_the_other_and_back(
    place: SharedState, postgres: Server, tmp_path: Path
) -> None:
    made = definition({"name": "main"})
    with closing(Store.open(tmp_path / "state.db")) as file:
        seal = file.seal()
        seal.add_key()
        with file.write() as tx:
            tx.put(CLUSTERS, cluster())
            tx.put(TASK_DEFINITIONS, made)
            tx.put(TASKS, task_of(made))
            version = SecretVersion(id="1", created_at=NOW, sealed=seal.seal("v"), stages=["AWSCURRENT"])
            tx.put(SECRETS, SecretRecord(name="s", created_at=NOW, versions=[version]))
            for number in range(3):
                add_event(tx, NOW, CLUSTER, CLUSTER, f"Kind{number}", "")
            tx.delete(EVENTS, id=1)
            before = tx.seq
        file.back_up(tmp_path / "b")
        install, key = file.install, file.key
    known = check(tmp_path / "state.db")
    for ending in ("key", "secrets-key"):
        beside(tmp_path / "state.db", ending).rename(beside(tmp_path / "b", ending))
    restore_shared(place, tmp_path / "b", None)
    assert check(place) == known
    with closing(Store.open(place)) as store:
        assert (store.install, store.key) == (install, key)
        with store.write() as tx:
            assert tx.sequence == before
            assert tx.find(TASKS) == [task_of(made)]
            assert store.seal().open(tx.find(SECRETS)[0].versions[0].sealed) == "v"
            add_event(tx, NOW, CLUSTER, CLUSTER, "New", "")
            numbers = [(number, event.kind) for number, event in tx.journal()]
            assert [kind for _, kind in numbers] == ["Kind1", "Kind2", "New"]
            assert [number for number, _ in numbers[:2]] == [2, 3]
        found = store.back_up(tmp_path / "back")
        assert (found.install, found.has_secrets) == (install, True)
    assert stat.S_IMODE((tmp_path / "back").stat().st_mode) == 0o600
    assert not [left for left in tmp_path.iterdir() if left.name.startswith(".back")]
    with pytest.raises(StateError, match="there is a state in"):
        restore_shared(place, tmp_path / "b", None)
    beside(tmp_path / "b", "key").rename(beside(tmp_path / "back", "key"))
    again = SharedState(postgres.url(name := postgres.new_database()), tmp_path / "again" / name)
    restore_shared(again, tmp_path / "back", None)
    with closing(Store.open(again)) as store, store.read() as view:
        assert [event.kind for event in view.find(EVENTS)] == ["Kind1", "Kind2", "New"]


def test_a_check_finds_what_is_wrong_and_makes_nothing(
    place: SharedState, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StateError, match="there is no state"):
        check(place)
    assert not has_state(place)
    with closing(Store.open(place)) as store, store.write() as tx:
        tx.put(CLUSTERS, cluster())
        tx.put(TASKS, task_of(definition({"name": "main"})))
    assert any("which is not there" in str(found) for found in check(place))
    beside(place.home, "key").chmod(0o644)
    assert any("can be read by others" in str(found) for found in check(place))
    beside(place.home, "key").unlink()
    assert any("copy it from a machine" in str(found) for found in check(place))
    sql(postgres, place, "UPDATE task SET doc = 'nonsense'")
    assert any("cannot be read" in str(found) for found in check(place))


def test_a_missing_driver_is_one_line_that_says_what_to_install(place: SharedState) -> None:
    program = """
import sys
sys.modules["psycopg"] = None
from ecsctl.cli.main import run
sys.exit(run(["list-clusters"]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "ECSCTL_STATE": place.url, "ECSCTL_KEYS": str(place.home.parent)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 253, done.stderr
    (line,) = done.stderr.splitlines()
    assert "pip install 'psycopg[binary]'" in line


def test_a_state_in_a_file_loads_no_driver(tmp_path: Path) -> None:
    program = """
import sys
from ecsctl.cli.main import run
code = run(["list-clusters"])
late = ("psycopg", "ecsctl.store.postgresql", "ecsctl.store.leases", "ecsctl.store.transfer")
assert not [name for name in sys.modules if name.startswith(late)]
sys.exit(code)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "ECSCTL_STATE": str(tmp_path / "state.db")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_no_nul_gets_into_a_column(store: Store) -> None:
    with pytest.raises(StateError, match="cannot hold this"), store.write() as tx:
        tx.put(CLUSTERS, cluster("a\0b"))
    arguments: dict[str, Any] = {"name": "a\0b"}
    with suppress(StateError), store.read() as view:
        assert view.find(CLUSTERS, **arguments) == []
