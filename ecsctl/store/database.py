"""What the store asks of a database: statements, transactions, and a few words that SQL dialects differ in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol


class Rows(Protocol):
    """What a statement gave."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """Statements have `?` where their arguments go."""

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Rows: ...


class Database(Protocol):
    """An open database with the schema of this release. Its errors are StateError, but for violated constraints."""

    read_only: bool
    task_group: str
    """SQL for the group of a task, of its record."""

    @property
    def connection(self) -> Connection: ...

    @property
    def in_transaction(self) -> bool: ...

    def reading(self) -> AbstractContextManager[None]:
        """A transaction that sees one snapshot."""

    def writing(self) -> AbstractContextManager[None]:
        """A transaction of the only writer; an exception undoes it. What changed nothing is not committed."""

    def version(self) -> tuple[int, int]:
        """In a transaction: the same as long as this process sees the same, whoever writes."""

    def written_by_others(self) -> int:
        """A number that is another one as soon as another process has written."""

    def lease_time(self, since_boot: float) -> float:
        """Seconds by the clock of this database's leases, for a moment of this machine's clock, as Clock has it."""

    @property
    def is_shared(self) -> bool:
        """Whether processes of other machines may write to it."""

    def close(self) -> None: ...
