"""Which controller leads which cluster: rows that say until when, beside the state.

Of a state in a file they are in a file of their own, which is new after each boot and never forced to the disk: the
heartbeats cost the disk nothing, and are no change of the state. PostgreSQL has them in tables, under a lock of their
own.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ecsctl.model.errors import StateError
from ecsctl.model.state_place import SharedState, StatePlace
from ecsctl.model.stored import Controlling, Leading
from ecsctl.store.files import beside
from ecsctl.store.migrate import BUSY_TIMEOUT, roll_back, translate
from ecsctl.store.sqlite import SqliteDatabase
from ecsctl.store.store import Transaction
from ecsctl.store.tables import Table

if TYPE_CHECKING:
    from ecsctl.store.postgresql import PostgresDatabase

CONTROLLERS = Table("controller", Controlling, ("id",), lambda c: (c.id,))
LEASES = Table("lease", Leading, ("cluster", "controller"), lambda lease: (lease.cluster, lease.controller))

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS controller (id TEXT PRIMARY KEY, doc BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS lease (cluster TEXT PRIMARY KEY, controller TEXT NOT NULL, doc BLOB NOT NULL)",
)
_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Leases(Protocol):
    """The rows. Usable by one thread at a time; close() when done. Its errors are StateError."""

    def turn(self) -> AbstractContextManager[Transaction]:
        """A transaction that nobody else is in; with the tables above, and no others."""

    def now(self) -> float:
        """Seconds, by the clock that the leases go by."""

    def close(self) -> None: ...


class FileLeases:
    """Those of a state in a file."""

    def __init__(self, path: Path, boot_id: str) -> None:
        """`path` is the state's. Leases of another boot are void: they are in another file, which is removed."""
        self._path = beside(path, f"leases-{boot_id[:8]}")
        try:
            for old in path.parent.glob(f"{path.name}.leases-*"):
                if not old.name.startswith(self._path.name):
                    old.unlink(missing_ok=True)
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise StateError(f"the leases {self._path} cannot be made: {error.strerror}") from None
        with translate(self._path):
            connection = sqlite3.connect(
                self._path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = OFF")
            for statement in SCHEMA:
                connection.execute(statement)
        self._database = SqliteDatabase(connection, self._path, read_only=False)

    @contextmanager
    def turn(self) -> Iterator[Transaction]:
        connection = self._database.connection
        with translate(self._path):
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield Transaction(self._database)
                connection.execute("COMMIT")
            except BaseException:
                roll_back(connection)
                raise

    def now(self) -> float:
        return time.clock_gettime(_BOOT)

    def close(self) -> None:
        self._database.close()


def leases_of(place: StatePlace, boot_id: str) -> Leases:
    """Those of a state, for a machine that has been up since `boot_id`."""
    return FileLeases(place, boot_id) if isinstance(place, Path) else SharedLeases(place)


class SharedLeases:
    """Those of a state in PostgreSQL, by a connection of their own: another that waits does not keep them waiting."""

    def __init__(self, place: SharedState) -> None:
        from ecsctl.store.postgresql import PostgresDatabase

        self._database: PostgresDatabase = PostgresDatabase(place)

    @contextmanager
    def turn(self) -> Iterator[Transaction]:
        with self._database.leasing():
            yield Transaction(self._database)

    def now(self) -> float:
        return self._database.lease_time(0)

    def close(self) -> None:
        self._database.close()
