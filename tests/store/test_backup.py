"""Backups of a state: made while it is in use, put back whole or not at all, and what a check finds."""

from __future__ import annotations

import random
import re
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from ecsctl.model.errors import StateError
from ecsctl.model.secret import SecretRecord, SecretVersion
from ecsctl.model.stored import PortReservation
from ecsctl.store import backup, files, schema
from ecsctl.store.backup import copy_keys, look_into
from ecsctl.store.check import check
from ecsctl.store.every_table import TABLES
from ecsctl.store.restore import restore
from ecsctl.store.sealing import Seal
from ecsctl.store.secret_table import SECRETS
from ecsctl.store.store import Store
from ecsctl.store.tables import CLUSTERS, PORTS, TASK_DEFINITIONS, TASKS, Table
from tests.making import INSTANCE, NOW, definition, task_of
from tests.store.test_store import cluster


def put(store: Store, *names: str) -> None:
    with store.write() as tx:
        for name in names:
            tx.put(CLUSTERS, cluster(name))


def names(path: Path) -> list[str | None]:
    with closing(Store.open(path)) as store, store.read() as view:
        return [found.cluster_name for found in view.find(CLUSTERS)]


def test_a_backup_is_the_state_as_it_was_for_its_owner_alone(store: Store, tmp_path: Path) -> None:
    put(store, "one")
    found = store.back_up(tmp_path / "b")
    put(store, "two")
    assert (found.version, found.install) == (schema.VERSION, store.install)
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o600
    copy_keys(store.path, tmp_path / "b")
    assert names(tmp_path / "b") == ["one"]


def test_a_backup_does_not_replace_a_file_unless_it_is_told_to(store: Store, tmp_path: Path) -> None:
    (tmp_path / "b").write_text("precious")
    with pytest.raises(StateError, match="--force"):
        store.back_up(tmp_path / "b")
    assert (tmp_path / "b").read_text() == "precious"
    store.back_up(tmp_path / "b", force=True)
    assert look_into(tmp_path / "b").install == store.install


def test_a_backup_that_is_not_sound_is_none(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def look(_: Path) -> None:
        raise StateError("damaged")

    monkeypatch.setattr(backup, "look_into", look)
    (tmp_path / "old").write_text("precious")
    for name, force in (("new", False), ("old", True)):
        with pytest.raises(StateError, match="damaged"):
            store.back_up(tmp_path / name, force=force)
    assert (tmp_path / "old").read_text() == "precious"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["home", "old"]


def test_backups_made_while_others_write_are_each_one_moment(store: Store, tmp_path: Path) -> None:
    """Each transaction writes two clusters: a backup that has one of them without the other is torn."""
    over = threading.Event()

    def write(who: str) -> None:
        with closing(Store.open(store.path)) as own:
            number = 0
            while not over.is_set():
                put(own, f"{who}-{number}-a", f"{who}-{number}-b")
                number += 1

    writers = [threading.Thread(target=write, args=(who,)) for who in "xyz"]
    for writer in writers:
        writer.start()
    try:
        for number in range(10):
            store.back_up(tmp_path / f"b{number}")
    finally:
        over.set()
        for writer in writers:
            writer.join()
    counts = []
    for number in range(10):
        copy_keys(store.path, tmp_path / f"b{number}")
        found = {str(name) for name in names(tmp_path / f"b{number}")}
        assert {name[:-1] + "b" for name in found if name.endswith("a")} == {n for n in found if n.endswith("b")}
        counts.append(len(found))
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]


def test_the_state_before_a_migration_is_kept_the_last_ones_only(path: Path) -> None:
    for _ in range(backup.KEPT + 3):
        Store.open(path).close()
        with closing(sqlite3.connect(path)) as connection:  # as an older release left it
            for table in re.findall(r"CREATE TABLE (\w+)", schema.MIGRATIONS[-1]):
                connection.execute(f"DROP TABLE {table}")
            connection.execute(f"PRAGMA user_version = {schema.VERSION - 1}")
    Store.open(path).close()
    kept = sorted((path.parent / "backups").iterdir())
    assert len(kept) == backup.KEPT
    assert all(look_into(file).version == schema.VERSION - 1 for file in kept)


def test_restore_puts_a_backup_in_place_and_keeps_what_was_there(store: Store, path: Path, tmp_path: Path) -> None:
    put(store, "one")
    store.back_up(tmp_path / "b")
    put(store, "two")
    kept = restore(path, tmp_path / "b").kept
    with store.read() as view:  # one that has it open sees it too
        assert [found.cluster_name for found in view.find(CLUSTERS)] == ["one"]
    assert names(path) == ["one"]
    assert kept is not None
    assert names(kept) == ["one", "two"]
    restore(path, kept)
    assert names(path) == ["one", "two"]


def test_restore_brings_back_what_was_lost_with_its_keys(store: Store, path: Path, tmp_path: Path) -> None:
    put(store, "one")
    seal = Seal(store.secrets_key_path)
    seal.add_key()
    secret = SecretRecord(
        name="s", created_at=NOW, versions=[SecretVersion(id="1", created_at=NOW, sealed=seal.seal("v"))]
    )
    with store.write() as tx:
        tx.put(SECRETS, secret)
    assert store.back_up(tmp_path / "b").has_secrets
    copy_keys(path, tmp_path / "b")
    install = store.install
    store.close()
    for file in path.parent.iterdir():
        file.unlink()
    assert restore(path, tmp_path / "b").kept is None
    with closing(Store.open(path)) as again, again.write() as tx:
        assert again.install == install
        assert Seal(again.secrets_key_path).open(tx.find(SECRETS)[0].versions[0].sealed) == "v"
    assert check(path) == []


def test_restore_does_not_take_away_keys_that_open_newer_secrets(store: Store, path: Path, tmp_path: Path) -> None:
    seal = Seal(store.secrets_key_path)
    seal.add_key()
    store.back_up(tmp_path / "b")
    copy_keys(path, tmp_path / "b")
    old = seal.seal("old")
    seal.add_key()
    new = seal.seal("new")
    restore(path, tmp_path / "b")
    assert [seal.open(value) for value in (old, new)] == ["old", "new"]


def test_restore_without_the_key_is_refused_and_changes_nothing(store: Store, path: Path, tmp_path: Path) -> None:
    put(store, "one")
    with closing(Store.open(tmp_path / "other.db")) as other:
        other.back_up(tmp_path / "b")
    with pytest.raises(StateError, match="--key"):
        restore(path, tmp_path / "b")
    assert names(path) == ["one"]
    restore(path, tmp_path / "b", tmp_path / "other.db.key")
    assert names(path) == []


def test_restore_of_what_is_no_backup_is_refused_and_changes_nothing(store: Store, path: Path, tmp_path: Path) -> None:
    put(store, "one")
    store.back_up(tmp_path / "b")
    whole = (tmp_path / "b").read_bytes()
    (tmp_path / "text").write_text("no database")
    (tmp_path / "half").write_bytes(whole[: len(whole) // 2])
    with closing(sqlite3.connect(tmp_path / "foreign")) as foreign:
        foreign.execute("CREATE TABLE t (x)")
    with closing(sqlite3.connect(tmp_path / "b")) as newer:
        newer.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    for name, words in (
        ("text", "damaged, or not a state"),
        ("half", "damaged"),
        ("foreign", "not a state of ecsctl"),
        ("b", "newer ecsctl"),
        ("none", "there is no file"),
    ):
        with pytest.raises(StateError, match=words):
            restore(path, tmp_path / name)
    assert names(path) == ["one"]


def test_restore_is_refused_while_a_controller_keeps_the_state(store: Store, path: Path, tmp_path: Path) -> None:
    put(store, "one")
    store.back_up(tmp_path / "b")
    put(store, "two")
    with closing(store.presence()) as lease:
        assert lease.take(alone=False)
        with pytest.raises(StateError, match="reconcile --watch"):
            restore(path, tmp_path / "b")
    assert names(path) == ["one", "two"]
    restore(path, tmp_path / "b")


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_state_is_one_line_that_says_what_to_do_and_can_be_restored(
    path: Path, tmp_path: Path, seed: int
) -> None:
    with closing(Store.open(path)) as store:
        put(store, *(f"c{number}" for number in range(200)))
        store.back_up(tmp_path / "b")
    before = len(names(path))
    damage = random.Random(seed)  # noqa: S311 the same each time
    content = bytearray(path.read_bytes())
    for _ in range(300):
        content[damage.randrange(0 if seed else 100, len(content))] ^= 1 << damage.randrange(8)
    path.write_bytes(content)
    assert check(path)
    with suppress(StateError):  # what is damaged may be what is not read
        assert len(names(path)) == before
    try:
        with closing(Store.open(path)) as store, store.read() as view:
            tables: tuple[Table[Any], ...] = TABLES
            for table in tables:
                view.find(table)
    except StateError as error:
        assert "ecsctl state restore" in str(error)
        assert "ecsctl recover" in str(error)
        assert "\n" not in str(error)
    kept = restore(path, tmp_path / "b").kept
    assert kept is not None
    assert kept.read_bytes()[:2000] == content[:2000] or "replaced" in kept.name
    assert len(names(path)) == before
    assert check(path) == []


def test_a_state_that_was_lost_is_not_begun_anew_while_its_key_is_there(path: Path) -> None:
    Store.open(path).close()
    key = path.with_name("state.db.key").read_bytes()
    path.unlink()
    with pytest.raises(StateError, match=r"state restore.*recover"):
        Store.open(path)
    assert not path.exists()
    assert path.with_name("state.db.key").read_bytes() == key


def test_a_sound_state_has_no_findings_and_is_not_changed_by_the_check(store: Store, path: Path) -> None:
    made = definition({"name": "main"})
    with store.write() as tx:
        tx.put(CLUSTERS, cluster())
    before = path.read_bytes()
    assert check(path) == []
    assert path.read_bytes() == before
    with store.write() as tx:
        tx.put(TASKS, task_of(made))
    assert [finding.what.rpartition(" names ")[2] for finding in check(path)] == [
        f"{made.task_definition_arn}, which is not there",
        f"{INSTANCE}, which is not there",
    ]


def test_a_check_finds_what_is_wrong_beside_the_state(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = path.with_name("state.db.key")
    key.chmod(0o640)
    (finding,) = check(path)
    assert str(finding) == f"{key} can be read by others (mode 0640): chmod 600 {key}"
    key.chmod(0o600)
    key.write_bytes(bytes(32))
    assert [finding.what for finding in check(path)] == [f"{key} is not this state's key"]
    key.unlink()
    assert [finding.what for finding in check(path)] == [f"{key} is missing"]
    monkeypatch.setattr(files, "_file_system", lambda _: "nfs4")
    assert "network file system (nfs4)" in check(path)[0].what


def test_a_check_finds_secrets_that_nothing_opens(store: Store, path: Path) -> None:
    seal = Seal(store.secrets_key_path)
    seal.add_key()
    version = SecretVersion(id="1", created_at=NOW, sealed=seal.seal("v"))
    with store.write() as tx:
        tx.put(SECRETS, SecretRecord(name="s", created_at=NOW, versions=[version]))
    assert check(path) == []
    store.secrets_key_path.unlink()
    assert "secrets-key is missing" in check(path)[0].what
    seal.add_key()
    assert "does not open the secret s" in check(path)[0].what


def test_a_check_finds_ports_and_families_of_nothing(store: Store, path: Path) -> None:
    made = definition({"name": "main"})
    over = task_of(made)
    over.task.last_status = "STOPPED"
    with store.write() as tx:
        tx.put(CLUSTERS, cluster())
        tx.put(TASK_DEFINITIONS, made)
        tx.put(TASKS, over)
        tx.put(PORTS, PortReservation(instance_arn=INSTANCE, port=80, protocol="tcp", task_arn=over.arn))
    assert [finding.what.split(" is ")[0] for finding in check(path)] == [
        f"the port {INSTANCE}|80/tcp",
        f"the family of {made.task_definition_arn}",
    ]


def test_a_restore_that_is_killed_leaves_the_old_state_or_the_new(path: Path, tmp_path: Path) -> None:
    with closing(Store.open(path)) as store:
        put(store, "one")
        store.back_up(tmp_path / "b")
        put(store, "two")
    program = """
import os, sys
from pathlib import Path
from ecsctl.store import backup, restore, files
left = int(sys.argv[3])
def step(*_):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), 9)
sys.setprofile(lambda frame, event, arg: step() if "ecsctl/store" in frame.f_code.co_filename else None)
restore.restore(Path(sys.argv[1]), Path(sys.argv[2]))
"""
    seen = set()
    for steps in range(0, 400, 25):
        command = [sys.executable, "-c", program, str(path), str(tmp_path / "b"), str(steps)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])
        assert done.returncode in (0, -9), done.stderr
        found = names(path)
        assert found in (["one"], ["one", "two"])
        seen.add((done.returncode, tuple(found)))
        if done.returncode == 0:
            break
    assert (0, ("one",)) in seen
    assert (-9, ("one", "two")) in seen
