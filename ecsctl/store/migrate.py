"""Opening a state file: is it ours, is it whole, is it of this release; and bringing an older one forward."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import quote

from ecsctl.model.errors import StateError
from ecsctl.store.files import WriterQueue, private_file
from ecsctl.store.schema import APPLICATION_ID, MIGRATIONS, VERSION

BUSY_TIMEOUT = 5.0
"""Seconds that SQLite itself waits; the writers' queue makes this a second net."""


def opened(path: Path) -> tuple[sqlite3.Connection, bool]:
    """A connection, and whether it can only read: where the file cannot be written, it is read as it lies there."""
    fresh = not path.exists()
    try:
        if fresh:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StateError(f"the state file {path} cannot be made: {error.strerror}") from None
    private_file(path)
    with translate(path):
        writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
        mode = "mode=rw" if writable else "mode=ro&immutable=1"
        connection = sqlite3.connect(
            f"file:{quote(str(path.absolute()))}?{mode}",
            uri=True,
            timeout=BUSY_TIMEOUT,
            isolation_level=None,
            check_same_thread=False,
        )
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
            _back_up(connection, path, version)
        connection.execute("BEGIN IMMEDIATE")
        try:
            for script in MIGRATIONS[version:]:
                for statement in _statements(script):
                    connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


@contextmanager
def translate(path: Path) -> Iterator[None]:
    """SQLite's errors as one line that says what to do."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as error:
        raise StateError(_advice(path, error)) from None


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
        f"the state file {path} is damaged or not ecsctl's ({text}); nothing was changed: "
        f"restore a backup (see {path.parent / 'backups'}), or move the file away to begin anew"
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


def _back_up(connection: sqlite3.Connection, path: Path, version: int) -> None:
    folder = path.parent / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    now = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    copy = folder / f"{path.name}-v{version}-{now}"
    copy.unlink(missing_ok=True)
    connection.execute("VACUUM INTO ?", (str(copy),))
    copy.chmod(0o600)
    with sqlite3.connect(copy) as check:
        if check.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
            raise StateError(f"the backup {copy} is not sound: the state was not brought forward")
    check.close()


def _statements(script: str) -> Iterator[str]:
    """The single statements: executescript() would commit the open transaction."""
    pending = ""
    for line in script.splitlines():
        pending += line + "\n"
        if pending.strip() and sqlite3.complete_statement(pending):
            yield pending
            pending = ""
