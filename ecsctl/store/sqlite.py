"""A state in one SQLite file, of processes of one machine.

`synchronous=FULL`: what a command acknowledged is still there after a power loss.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ecsctl.model.errors import StateError
from ecsctl.store.files import WriterQueue, beside, prepare_directory
from ecsctl.store.migrate import migrate, opened, roll_back, translate


class SqliteDatabase:
    """See Database."""

    task_group = "json_extract(CAST(doc AS TEXT), '$.task.group')"
    is_shared = False

    def __init__(self, connection: sqlite3.Connection, path: Path, *, read_only: bool) -> None:
        self.connection = connection
        self.read_only = read_only
        self._path = path
        self._queue = WriterQueue(beside(path, "lock"))

    @classmethod
    def open(cls, path: Path) -> SqliteDatabase:
        """Open the file, making or migrating it if need be."""
        prepare_directory(path)
        connection, read_only = opened(path)
        database = cls(connection, path, read_only=read_only)
        try:
            with translate(path):
                migrate(connection, path, database._queue, read_only)
        except BaseException:
            database.close()
            raise
        return database

    @property
    def in_transaction(self) -> bool:
        return self.connection.in_transaction

    @contextmanager
    def reading(self) -> Iterator[None]:
        with translate(self._path):
            self.connection.execute("BEGIN")
            try:
                yield
            finally:
                roll_back(self.connection)

    @contextmanager
    def writing(self) -> Iterator[None]:
        if self.read_only:
            raise StateError(f"the state file {self._path} cannot be written: check its owner, mode and disk")
        with self._queue.turn(), translate(self._path):
            self.connection.execute("BEGIN IMMEDIATE")
            changes = self.connection.total_changes
            try:
                yield
                self.connection.execute("COMMIT" if self.connection.total_changes > changes else "ROLLBACK")
            except BaseException:
                roll_back(self.connection)
                raise

    def version(self) -> tuple[int, int]:
        return self._data_version(), self.connection.total_changes

    def written_by_others(self) -> int:
        with translate(self._path):
            return self._data_version()

    def lease_time(self, since_boot: float) -> float:
        return since_boot

    def close(self) -> None:
        self.connection.close()
        self._queue.close()

    def _data_version(self) -> int:
        return int(self.connection.execute("PRAGMA data_version").fetchone()[0])
