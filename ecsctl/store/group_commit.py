"""Several writing transactions, committed at once: to wait for the disk takes longer than what most of them do.

Source: SQLite, "Savepoints".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ecsctl.model.errors import StateError
from ecsctl.store.database import Database
from ecsctl.store.migrate import translate


@contextmanager
def group_commit(database: Database, path: Path) -> Iterator[GroupCommit]:
    """One transaction of the database, begun by the first of its parts and committed at the end. StateError where that
    is not possible: then none of it is done."""
    with ExitStack() as whole:
        group = GroupCommit(database, path, whole)
        yield group
        group.check()


class GroupCommit:
    """See group_commit()."""

    def __init__(self, database: Database, path: Path, whole: ExitStack) -> None:
        self._database = database
        self._path = path
        self._whole = whole
        self._has_begun = False
        self._refused: StateError | None = None
        self._is_whole = True

    @contextmanager
    def part(self) -> Iterator[None]:
        """One of the transactions. An exception undoes this one alone."""
        if self._refused is not None:
            raise self._refused  # whoever has not let us in waited long: not each part is to wait as long again
        if not self._has_begun:
            try:
                self._whole.enter_context(self._database.writing())
            except StateError as error:
                self._refused = error
                raise
            self._has_begun = True
        self.check()
        connection = self._database.connection
        with translate(self._path):
            connection.execute("SAVEPOINT part")
            try:
                yield
                connection.execute("RELEASE part")
            except BaseException:
                self._is_whole = False
                if self._database.in_transaction:  # else SQLite has undone all of it: the disk is full, or fails
                    connection.execute("ROLLBACK TO part")
                    connection.execute("RELEASE part")
                    self._is_whole = True
                raise

    def check(self) -> None:
        """StateError where the parts are not all there that were done."""
        if not self._is_whole:
            raise StateError(f"what was to be written to the state file {self._path} was undone: try again")
