"""Whether a state is sound: its file, what lies beside it, what its records say of each other. Nothing is changed."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ecsctl.model.account_records import family_key
from ecsctl.model.errors import StateError
from ecsctl.model.state_place import SharedState, StatePlace
from ecsctl.store.account_tables import FAMILIES
from ecsctl.store.deployment_tables import SERVICE_DEPLOYMENTS, SERVICE_REVISIONS
from ecsctl.store.every_table import TABLES
from ecsctl.store.files import beside, fingerprint, network_file_system
from ecsctl.store.iam_tables import ACCESS_KEYS
from ecsctl.store.key_store import entry_of, keys_of
from ecsctl.store.migrate import connected, quoting, translate
from ecsctl.store.schema import APPLICATION_ID, VERSION
from ecsctl.store.secret_table import SECRETS
from ecsctl.store.sqlite import SqliteDatabase
from ecsctl.store.store import View
from ecsctl.store.tables import INSTANCES, PORTS, SERVICES, TASK_DEFINITIONS, TASKS, Table, scope_of

if TYPE_CHECKING:
    from ecsctl.store.sealing import Seal

MENDING = "put a backup back (ecsctl state restore), or rebuild the state from the hosts (ecsctl recover)"
BACK = "put it back from a backup of the state"
SHARED_BACK = "copy it from a machine that uses this state, or from a backup"


class Finding(NamedTuple):
    """What is wrong, and what to do about it."""

    what: str
    advice: str

    def __str__(self) -> str:
        return f"{self.what}: {self.advice}"


def check(place: StatePlace) -> list[Finding]:
    """All that is wrong with a state. StateError when there is none, or it cannot be reached."""
    return _check_file(place) if isinstance(place, Path) else _check_shared(place)


def _check_shared(place: SharedState) -> list[Finding]:
    from ecsctl.store.postgresql import PostgresDatabase

    with closing(PostgresDatabase.open(place, make=False)) as database, database.reading():
        view = View(database)
        return [
            *_ours(place.home, (".key", ".secrets-key", ".key-generation", ".logs")),
            *_records(view, place.home, SHARED_BACK),
        ]


def _check_file(path: Path) -> list[Finding]:
    if not path.is_file():
        raise StateError(f"there is no state at {path}" if not path.exists() else f"{path} is no file")
    found = [*_files(path)]
    try:
        with translate(path), quoting(), closing(connected(path)[0]) as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.execute("BEGIN")
            found += _database(connection, path)
    except StateError as error:
        found.append(Finding(str(error).partition("; nothing was changed")[0], MENDING))
    return found


def is_damaged(path: Path) -> bool:
    """Whether the file of a state cannot be read as one, or not all of it."""
    with translate(path):
        try:
            with quoting(), closing(connected(path)[0]) as connection:
                return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok")
        except sqlite3.OperationalError:  # locked, or not to be opened: nothing about what is in it
            raise
        except sqlite3.DatabaseError:
            return True


def _files(path: Path) -> Iterator[Finding]:
    if kind := network_file_system(path.parent):
        yield Finding(
            f"{path.parent} is on a network file system ({kind}), where SQLite loses data",
            "move the state to a local disk, and set ECSCTL_STATE",
        )
    leases = (place.name.removeprefix(path.name) for place in path.parent.glob(f"{path.name}.leases-*"))
    yield from _ours(
        path, ("", "-wal", "-shm", ".key", ".secrets-key", ".key-generation", ".lock", ".controller", ".logs", *leases)
    )


def _ours(path: Path, endings: Sequence[str]) -> Iterator[Finding]:
    """Whether the files are for their owner alone, and that is us."""
    places = [place for ending in endings if (place := path.with_name(path.name + ending)).exists()]
    for place in [*places, *_copies(path)]:
        facts = place.stat()
        mode = stat.S_IMODE(facts.st_mode)
        if mode & 0o077:
            right = "700" if place.is_dir() else "600"
            yield Finding(f"{place} can be read by others (mode {mode:04o})", f"chmod {right} {place}")
        if facts.st_uid != os.getuid():
            yield Finding(f"{place} is another user's (uid {facts.st_uid})", f"chown {os.getuid()} {place}")


def _copies(path: Path) -> list[Path]:
    return sorted((path.parent / "backups").glob(f"{path.name}-*"))


def _database(connection: sqlite3.Connection, path: Path) -> Iterator[Finding]:
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        yield Finding(f"{path} is not a state of ecsctl", "give another path by --state or ECSCTL_STATE")
        return
    troubles = [row[0] for row in connection.execute("PRAGMA integrity_check(5)")]
    if troubles != ["ok"]:
        yield from (Finding(f"{path} is damaged: {' '.join(trouble.split())}", MENDING) for trouble in troubles)
        return
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version != VERSION:
        newer = version > VERSION
        yield Finding(
            f"{path} has the schema {version}, this ecsctl has {VERSION}",
            "upgrade ecsctl" if newer else "any other command brings it forward, after a backup",
        )
        return
    for table, _, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        yield Finding(f"a record of the table {table} names a {parent} that is not there", MENDING)
    yield from _records(View(SqliteDatabase(connection, path, read_only=True)), path, BACK)


def _records(view: View, path: Path, back: str) -> Iterator[Finding]:
    """What the records say of each other and of the keys beside `path`."""
    yield from _keys(view, path, back)
    unreadable = [trouble for table in TABLES if (trouble := _unreadable(view, table))]
    yield from unreadable or _references(view)


def _unreadable(view: View, table: Table[Any]) -> Finding | None:
    try:
        view.find(table)
    except StateError as error:
        return Finding(str(error).partition("; nothing was changed")[0], MENDING)
    return None


def _keys(view: View, path: Path, back: str) -> Iterator[Finding]:
    key = beside(path, "key")
    back = f"{back}; without it containers that exist cannot be told from forged ones"
    if not key.exists():
        yield Finding(f"{key} is missing", back)
    elif fingerprint(key.read_bytes()) != view.meta("key"):
        yield Finding(f"{key} is not this state's key", back)
    put_again = "put its key back, or put the secret again (ecsctl secret put)"
    make_again = "put its key back, or make another one (ecsctl iam create-access-key)"
    sealed = [
        (f"the secret {secret.name}", version.sealed, put_again)
        for secret in view.find(SECRETS)
        for version in secret.versions
    ]
    sealed += [(f"the access key {one.id}", one.sealed, make_again) for one in view.find(ACCESS_KEYS)]
    if not sealed:
        return
    from ecsctl.store.sealing import Seal  # loads the ciphers

    place = beside(path, "secrets-key")
    if not place.exists():
        yield Finding(f"{place} is missing", f"{back.partition(';')[0]}, or put every secret again")
        return
    try:
        if entry_of(place) is not None:
            keys_of(place)
    except StateError as error:  # of the keyring: once, and not for each secret
        what, _, todo = str(error).partition(": ")
        yield Finding(what, todo)
        return
    for name, todo in sorted({(name, todo) for name, value, todo in sealed if not _opens(Seal(place), value)}):
        yield Finding(f"{place} does not open {name}", todo)


def _opens(seal: Seal, value: str) -> bool:
    try:
        seal.open(value)
    except StateError:
        return False
    return True


def _references(view: View) -> Iterator[Finding]:
    """What records name and what is not there."""
    known = {
        *(str(one.task_definition_arn) for one in view.find(TASK_DEFINITIONS)),
        *(one.arn for one in view.find(INSTANCES)),
        *(one.arn for one in view.find(SERVICES)),
    }
    tasks = [task for task in view.find(TASKS) if not task.is_stopped]  # of one that is over only its past is known
    services = view.find(SERVICES, status=("ACTIVE", "DRAINING"))
    named = [(task.arn, str(task.task.task_definition_arn), "ecsctl stop-task") for task in tasks]
    named += [(task.arn, str(task.task.container_instance_arn), "ecsctl stop-task") for task in tasks]
    named += [(task.arn, task.service, "ecsctl stop-task") for task in tasks if task.service]
    named += [(s.arn, starter.task_definition_arn, "ecsctl update-service") for s in services for starter in s.starters]
    named += [
        (str(one.service_deployment_arn), str(one.service_arn), MENDING) for one in view.find(SERVICE_DEPLOYMENTS)
    ]
    named += [(str(one.service_revision_arn), str(one.service_arn), MENDING) for one in view.find(SERVICE_REVISIONS)]
    yield from (Finding(f"{who} names {arn}, which is not there", todo) for who, arn, todo in named if arn not in known)
    unfinished = {task.arn for task in tasks}
    for port in view.find(PORTS):
        if port.task_arn not in unfinished:
            yield Finding(f"the port {port.key} is held by {port.task_arn}, which is not there", MENDING)
    families = {one.key for one in view.find(FAMILIES)}
    for definition in view.find(TASK_DEFINITIONS):
        if family_key(scope_of(definition.task_definition_arn), str(definition.family)) not in families:
            yield Finding(f"the family of {definition.task_definition_arn} is not there", MENDING)
