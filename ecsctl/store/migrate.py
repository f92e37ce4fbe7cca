"""Opening a state file: is it ours, is it whole, is it of this release; and bringing an older one forward."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from ecsctl.model.errors import StateError
from ecsctl.store.files import WriterQueue, beside, private_file
from ecsctl.store.schema import APPLICATION_ID, MIGRATIONS, VERSION

BUSY_TIMEOUT = 5.0
"""Seconds that SQLite itself waits; the writers' queue makes this a second net."""


def opened(path: Path) -> tuple[sqlite3.Connection, bool]:
    """A connection, and whether it can only read: where the file cannot be written, it is read as it lies there."""
    has_key = beside(path, "key").exists()  # asked first: who makes a state makes the file before the key
    fresh = not path.exists() or path.stat().st_size == 0
    if fresh and has_key:
        raise StateError(
            f"there is no state at {path}, but its key is there: it was lost. Put a backup back "
            "(ecsctl state restore), rebuild it from the hosts (ecsctl recover), or begin anew without it: "
            f"move {beside(path, 'key')} away"
        )
    try:
        if fresh:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StateError(f"the state file {path} cannot be made: {error.strerror}") from None
    private_file(path)
    with translate(path), quoting():
        connection, writable = connected(path)
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            if writable:
                _check_owner(connection, path)
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
        except BaseException:
            connection.close()
            raise
    return connection, not writable


def connected(path: Path) -> tuple[sqlite3.Connection, bool]:
    """A bare connection to a file that is there, and whether it can write."""
    writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?{'mode=rw' if writable else 'mode=ro&immutable=1'}",
        uri=True,
        timeout=BUSY_TIMEOUT,
        isolation_level=None,
        check_same_thread=False,
    )
    return connection, writable


def migrate(connection: sqlite3.Connection, path: Path, queue: WriterQueue, read_only: bool) -> None:
    """Bring the file to this release's schema, in one transaction, after a backup. A newer file is left alone."""
    version = _version(connection)
    if version == VERSION:
        return
    if version > VERSION:
        raise StateError(
            f"the state file {path} was written by a newer ecsctl (schema {version}, this one knows {VERSION}): "
            "upgrade ecsctl; nothing was changed"
        )
    if read_only:
        raise StateError(f"the state file {path} is of an older ecsctl and cannot be written, so not brought forward")
    with queue.turn():
        version = _version(connection)  # another process may have been first
        if version == VERSION:
            return
        if version:
            from ecsctl.store.backup import back_up, new_backup, prune  # once a release at most

            back_up(connection, new_backup(path, f"v{version}"))
            prune(path)
        connection.execute("BEGIN IMMEDIATE")
        try:
            for script in MIGRATIONS[version:]:
                for statement in statements(script):
                    connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")
        except BaseException:
            roll_back(connection)
            raise


def roll_back(connection: sqlite3.Connection) -> None:
    """End the transaction; SQLite may have done so by itself, where the disk is full or fails."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


@contextmanager
def translate(path: Path) -> Iterator[None]:
    """SQLite's errors as one line that says what to do."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as error:
        raise StateError(_advice(path, error)) from None


@contextmanager
def quoting() -> Iterator[None]:
    """SQLite's errors quote what is in a file: where that is no text, the file is damaged."""
    try:
        yield
    except UnicodeDecodeError:
        raise sqlite3.DatabaseError("names in it are not text") from None


def _advice(path: Path, error: sqlite3.DatabaseError) -> str:
    text = str(error)
    if "locked" in text or "busy" in text:
        return f"the state file {path} is locked by another program: try again, or see `fuser {path}`"
    if "readonly" in text or "read-only" in text:
        return f"the state file {path} cannot be written: check its owner, mode and disk"
    if "full" in text:
        return f"the disk of the state file {path} is full: nothing was changed; make room and try again"
    if "disk I/O" in text:
        return (
            f"the disk of the state file {path} failed ({text}); nothing was changed: "
            "make sure that it has room and that its directory can be written, then try again"
        )
    if "unable to open" in text:
        return f"the state file {path} cannot be opened: check the path, its owner and mode"
    return (
        f"the state file {path} is damaged or not ecsctl's ({text}); nothing was changed: put a backup back "
        f"(ecsctl state restore; there may be some in {path.parent / 'backups'}), or rebuild it from the hosts "
        "(ecsctl recover)"
    )


def _check_owner(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse another program's database before anything is written to it."""
    connection.execute("BEGIN")  # one snapshot: another process may be making the file at this moment
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    connection.execute("COMMIT")
    if owner != APPLICATION_ID and tables:
        raise StateError(f"{path} is a database of another program: give another path by --state or ECSCTL_STATE")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def statements(script: str) -> Iterator[str]:
    """The single statements: executescript() would commit the open transaction."""
    pending = ""
    for line in script.splitlines():
        pending += line + "\n"
        if pending.strip() and sqlite3.complete_statement(pending):
            yield pending
            pending = ""
