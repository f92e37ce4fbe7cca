"""The store: a database, read in snapshots, written in short transactions of one writer at a time.

A transaction is never held over an engine call. What a command acknowledged is still there after a power loss.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ecsctl.model.errors import StateError
from ecsctl.model.record import Record
from ecsctl.model.state_place import StatePlace
from ecsctl.model.stored import Event, TaskRecord
from ecsctl.store.files import Presence, beside, fingerprint, private_file
from ecsctl.store.migrate import translate
from ecsctl.store.sqlite import SqliteDatabase
from ecsctl.store.tables import EVENTS, TASKS, UNFINISHED, Scalar, Table, timestamp

if TYPE_CHECKING:
    from ecsctl.model.key_store import KeyStore
    from ecsctl.store.backup import Copy
    from ecsctl.store.database import Database
    from ecsctl.store.group_commit import GroupCommit
    from ecsctl.store.sealing import Seal

R = TypeVar("R", bound=Record)
Filter = Scalar | tuple[Scalar, ...]
Place = tuple[str | int, ...]
"""Where something is in a list, by what that is sorted by."""


class Use(msgspec.Struct, frozen=True):
    """What the unfinished tasks of a container instance take: CPU units, MiB; and how many are running, pending, and to
    stop."""

    cpu: int = 0
    memory: int = 0
    running: int = 0
    pending: int = 0
    stopping: int = 0


class View:
    """What can be read. Every call sees the same snapshot."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._connection = database.connection

    def get(self, table: Table[R], key: str) -> R | None:
        """The record of that key."""
        filters: dict[str, Any] = {table.key: key}
        found = self.find(table, limit=1, **filters)
        return found[0] if found else None

    def find(
        self,
        table: Table[R],
        *,
        order: str | None = None,
        limit: int | None = None,
        until: tuple[str, datetime] | None = None,
        **filters: Any,
    ) -> list[R]:
        """The records whose columns equal the filters (a tuple: are among), by a column (`-column`: falling).

        `until`: only those that have a time up to that moment in that column.
        """
        where, arguments = _where(table, filters)
        if until:
            _known(table, until[0])
            where += f" AND {until[0]} <= ?"
            arguments.append(timestamp(until[1]))
        by = _sorted_by(table, order or table.key)
        rows = self._connection.execute(
            f"SELECT doc FROM {table.name} WHERE {where} ORDER BY {by}, rowid{_limit(limit)}",  # noqa: S608 names are checked against the table's columns
            arguments,
        )
        found = rows.fetchall()  # where there is none, no decoder is made: that takes longer than the question
        try:
            return [_decoder(table.kind).decode(row[0]) for row in found]
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StateError(
                f"the state is damaged: a record of the table {table.name} cannot be read ({error}); nothing was "
                "changed: see ecsctl state check, put a backup back (ecsctl state restore), or rebuild the state from "
                "the hosts (ecsctl recover)"
            ) from None

    def keys(self, table: Table[Any], *order: str, **filters: Any) -> list[str]:
        """As find, the keys only, by these columns: the records are not decoded for it."""
        return [key for key, _ in self.page(table, *order, **filters)]

    def page(
        self,
        table: Table[Any],
        *order: str,
        after: Place | None = None,
        limit: int | None = None,
        falling: bool = False,
        **filters: Filter,
    ) -> list[tuple[str, Place]]:
        """As keys, those behind a place, with the place of each: what it has in these columns, and the number of its
        row, which tells apart what has the same there."""
        where, arguments = _where(table, filters)
        for column in order:
            _known(table, column)
        columns = (*order, "rowid")
        if after is not None:
            where += f" AND ({', '.join(columns)}) {'<' if falling else '>'} ({', '.join('?' * len(columns))})"
            arguments += after
        by = ", ".join(f"{column} {'DESC' if falling else 'ASC'}" for column in columns)
        rows = self._connection.execute(
            f"SELECT {table.key}, {', '.join(columns)} FROM {table.name} WHERE {where} ORDER BY {by}{_limit(limit)}",  # noqa: S608 as in find
            arguments,
        )
        return [(str(key), tuple(place)) for key, *place in rows]

    def values(self, table: Table[Any], column: str, **filters: Filter) -> list[str]:
        """What there is in a column, each once, rising."""
        where, arguments = _where(table, filters)
        _known(table, column)
        sql = f"SELECT DISTINCT {column} FROM {table.name} WHERE {where} ORDER BY {column}"  # noqa: S608 as in find
        return [str(row[0]) for row in self._connection.execute(sql, arguments)]

    def count(self, table: Table[Any], **filters: Filter) -> int:
        """How many records match."""
        where, arguments = _where(table, filters)
        sql = f"SELECT count(*) FROM {table.name} WHERE {where}"  # noqa: S608 as in find
        return int(self._connection.execute(sql, arguments).fetchone()[0])

    @property
    def has_schedules(self) -> bool:
        """Whether there are schedules at all: each pass asks, and to define their records takes longer than that."""
        return self._connection.execute("SELECT 1 FROM schedule LIMIT 1").fetchone() is not None

    def older(self, table: Table[Any], column: str, moment: datetime) -> int:
        """How many records have a time before `moment` in that column."""
        _known(table, column)
        sql = f"SELECT count(*) FROM {table.name} WHERE {column} < ?"  # noqa: S608 checked above
        return int(self._connection.execute(sql, (timestamp(moment),)).fetchone()[0])

    def used(self, cluster_arn: str) -> dict[str, Use]:
        """What unfinished tasks take per container instance."""
        rows = self._connection.execute(
            "SELECT instance, sum(cpu), sum(memory), count(*) FILTER (WHERE last_status = 'RUNNING'),"
            " count(*) FILTER (WHERE last_status IN ('PROVISIONING', 'PENDING', 'ACTIVATING')),"
            " count(*) FILTER (WHERE desired_status = 'STOPPED')"
            " FROM task WHERE cluster = ? AND last_status != 'STOPPED' AND instance IS NOT NULL GROUP BY instance",
            (cluster_arn,),
        )
        return {instance: Use(*map(int, figures)) for instance, *figures in rows}

    def groups(self, cluster_arn: str) -> dict[str, dict[str, int]]:
        """How many tasks of which group there are per container instance, but for those that are to stop: placement
        goes by what is desired (ECS developer guide, "Example Amazon ECS task placement constraints"). They are not
        decoded for it."""
        wanted: dict[str, Filter] = {
            "cluster": cluster_arn,
            "last_status": UNFINISHED,
            "desired_status": ("RUNNING", "PENDING"),
        }
        where, arguments = _where(TASKS, wanted)
        rows = self._connection.execute(
            f"SELECT instance, {self.database.task_group} AS name, count(*) FROM task"  # noqa: S608 as in find
            f" WHERE {where} AND instance IS NOT NULL GROUP BY 1, 2",
            arguments,
        )
        found: dict[str, dict[str, int]] = {}
        for instance, group, count in rows:
            if group is not None:
                found.setdefault(instance, {})[group] = count
        return found

    def unfinished(self, **filters: Any) -> list[TaskRecord]:
        """The tasks that are not STOPPED, oldest first."""
        return self.find(TASKS, order="created_at", last_status=UNFINISHED, **filters)

    def journal(
        self,
        *,
        after: int = 0,
        since: datetime | None = None,
        owner: tuple[str, dict[str, Filter]] | None = None,
        last: int | None = None,
        **filters: Filter,
    ) -> list[tuple[int, Event]]:
        """The journal's last lines with their numbers, oldest first: numbered above `after`, from `since` on.

        `owner`: those about the resource of that ARN, or about a task of it: one that has these values.
        """
        where, arguments = _where(EVENTS, filters)
        if owner:
            arn, of_tasks = owner
            tasks, values = _where(TASKS, of_tasks)
            where += f" AND (resource = ? OR resource IN (SELECT arn FROM task WHERE {tasks}))"  # noqa: S608 as in find
            arguments += [arn, *values]
        rows = self._connection.execute(
            f"SELECT id, doc FROM event WHERE {where} AND id > ? AND at >= ? ORDER BY id DESC{_limit(last)}",  # noqa: S608 as in find
            (*arguments, after, timestamp(since) if since else ""),
        ).fetchall()
        decode = _decoder(Event).decode
        return [(number, decode(doc)) for number, doc in reversed(rows)]

    @property
    def last_event(self) -> int:
        """The number of the journal's last line, 0 when it has none."""
        return int(self._connection.execute("SELECT coalesce(max(id), 0) FROM event").fetchone()[0])

    def meta(self, key: str) -> str | None:
        row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    @property
    def version(self) -> tuple[int, int]:
        """The same as long as this process sees the same, whoever writes."""
        return self.database.version()

    @property
    def sequence(self) -> int:
        """The number of the last writing transaction."""
        return int(self.meta("seq") or 0)


class Transaction(View):
    """One writing transaction. All of it is committed, or none."""

    _seq: int | None = None

    @property
    def seq(self) -> int:
        """This transaction's number."""
        if self._seq is None:
            self._seq = self.sequence + 1
            self.set_meta("seq", str(self._seq))
        return self._seq

    def put(self, table: Table[R], record: R) -> None:
        """Insert the record, or replace the one with its key."""
        columns, values = table.columns, table.values(record)
        if values[0] is None:  # the database numbers these records
            columns, values = columns[1:], values[1:]
        marks = ", ".join("?" * (len(columns) + 1))
        updates = ", ".join(f"{column} = excluded.{column}" for column in (*table.columns[1:], "doc"))
        self._connection.execute(
            f"INSERT INTO {table.name} ({', '.join(columns)}, doc) VALUES ({marks})"  # noqa: S608 names from the table's declaration
            f" ON CONFLICT ({table.key}) DO UPDATE SET {updates}",
            (*values, msgspec.json.encode(record)),
        )

    def delete(self, table: Table[Any], **filters: Filter) -> int:
        """Delete what matches (at least one filter); how many that were."""
        if not filters:
            raise ValueError("delete needs a filter")
        where, arguments = _where(table, filters)
        return self._connection.execute(f"DELETE FROM {table.name} WHERE {where}", arguments).rowcount  # noqa: S608 as in find

    def forget_before(self, table: Table[Any], column: str, moment: datetime) -> int:
        """Delete the records whose time column is before `moment`; how many that were."""
        _known(table, column)
        sql = f"DELETE FROM {table.name} WHERE {column} < ?"  # noqa: S608 checked above
        return self._connection.execute(sql, (timestamp(moment),)).rowcount

    def set_meta(self, key: str, value: str) -> None:
        self._connection.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value)
        )


class Origin(msgspec.Struct, frozen=True):
    """Whose state a new one is: the id of the install, which is on the labels of its containers, and its key."""

    install: str
    key: bytes


class Store:
    """An open state. Usable by several threads; close() when done."""

    def __init__(self, database: Database, path: Path, place: StatePlace) -> None:
        """`path`: what lies beside it belongs to the state on this machine. `place`: what the state is called."""
        self.path = path
        self.place = place
        self._database = database
        self._lock = threading.RLock()
        self._group: GroupCommit | None = None
        self._key: bytes | None = None

    @classmethod
    def open(cls, place: StatePlace, origin: Origin | None = None) -> Store:
        """Open a state, making or migrating its file if need be. A new one continues the install `origin`.

        Raises StateError, with one line that says what to do, for a file that is damaged, another program's, from a
        newer release, readable by others, or on a network file system; for a database that cannot be used.
        """
        database: Database
        if isinstance(place, Path):
            path, database = place, SqliteDatabase.open(place)
        else:
            from ecsctl.store.postgresql import PostgresDatabase  # loads the driver

            path, database = place.home, PostgresDatabase.open(place, anew=origin is not None)
        store = cls(database, path, place)
        try:
            store._install(origin)
        except BaseException:
            store.close()
            raise
        return store

    def another(self) -> Store:
        """The same state by a connection of its own: who reads by it does not wait for a writer of this one that waits
        for its turn."""
        return Store.open(self.place)

    @property
    def read_only(self) -> bool:
        return self._database.read_only

    @property
    def is_shared(self) -> bool:
        """Whether processes of other machines may use it."""
        return self._database.is_shared

    @contextmanager
    def read(self) -> Iterator[View]:
        """One snapshot."""
        with self._lock:
            if self._database.in_transaction:
                yield View(self._database)
                return
            with self._database.reading():
                yield View(self._database)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """One writing transaction; an exception undoes all of it. What changed nothing is not committed."""
        _ = self.key  # a missing or a wrong one is said before anything is done
        with self._writing() as tx:
            yield tx

    @contextmanager
    def _writing(self) -> Iterator[Transaction]:
        with self._lock, self._group.part() if self._group else self._database.writing():
            yield Transaction(self._database)

    @contextmanager
    def together(self) -> Iterator[None]:
        """What this thread writes within is committed at the end of it, all at once; until then nobody may be told of
        it, and all others wait. StateError at the end: nothing of it is done."""
        if self.is_shared:  # a commit may be done there that is said to have failed
            yield
            return
        from ecsctl.store.group_commit import group_commit  # `serve` alone writes so

        with self._lock, group_commit(self._database, self.path) as group:
            self._group = group
            try:
                yield
            finally:
                self._group = None

    def presence(self) -> Presence:
        """That a controller stays on this machine: while one does, the state's file is not replaced."""
        try:
            return Presence(beside(self.path, "controller"))
        except OSError as error:
            raise StateError(f"{beside(self.path, 'controller')} cannot be made: {error.strerror}") from None

    def written_by_others(self) -> int:
        """A number that is another one as soon as another process has written."""
        with self._lock:
            return self._database.written_by_others()

    def lease_time(self, since_boot: float) -> float:
        """Seconds by the clock that leases go by, for a moment of this machine's clock (Clock.since_boot)."""
        return self._database.lease_time(since_boot)

    @property
    def install(self) -> str:
        """This store's id, which is on the label of every container it made."""
        with self.read() as view:
            return view.meta("install") or ""

    @property
    def key(self) -> bytes:
        """The key that signs our containers' labels. It lives beside the state file, not in it."""
        if self._key is None:
            key = private_file(self._key_path, advice=self._key_advice).read_bytes()
            with self.read() as view:
                known = view.meta("key")
            if fingerprint(key) != known:
                # With another key our own containers look like strangers', and their tasks as if they had vanished.
                raise StateError(f"{self._key_path} is not this state's key: {self._key_advice}")
            self._key = key
        return self._key

    @property
    def _key_advice(self) -> str:
        if self.is_shared:
            return "copy it from a machine that uses this state, or from a backup"
        return "restore it from the backup of the state"

    def seal(self, keys_in: KeyStore | None = None) -> Seal:
        """The keys that open this state's secrets. `keys_in`: where new ones go."""
        from ecsctl.store.sealing import Seal  # loads the ciphers

        return Seal(self.secrets_key_path, self._key_advice, keys_in)

    @property
    def secrets_key_path(self) -> Path:
        """Where the keys are that open this state's secrets."""
        return beside(self.path, "secrets-key")

    @property
    def logs_path(self) -> Path:
        """The directory of the logs that have outlived their containers."""
        return beside(self.path, "logs")

    @property
    def _key_path(self) -> Path:
        return beside(self.path, "key")

    def back_up(self, target: Path, *, force: bool = False) -> Copy:
        """Write a consistent copy, while others write. See backup.back_up."""
        database = self._database
        if not isinstance(database, SqliteDatabase):
            from ecsctl.store.transfer import back_up_shared

            with self.read() as view:
                return back_up_shared(view, target, force=force)
        from ecsctl.store.backup import back_up  # most who open a state make no copy of it

        with self._lock, translate(self.path):
            return back_up(database.connection, target, force=force)

    def _install(self, origin: Origin | None) -> None:
        with self.read() as view:
            known = view.meta("install") and view.meta("key")
        if not known:
            import uuid  # once in a state's life

            if self.read_only:
                raise StateError(f"there is no state at {self.place}, and none can be made: check the owner and mode")
            with self._writing() as tx:
                if tx.meta("install") is None:
                    made = origin or Origin(str(uuid.uuid4()), os.urandom(32))
                    private_file(self._key_path, made.key)
                    tx.set_meta("key", fingerprint(made.key))
                    tx.set_meta("install", made.install)

    def close(self) -> None:
        self._database.close()


def is_there(place: StatePlace) -> bool:
    """Whether there is a state. A file may be damaged."""
    if isinstance(place, Path):
        return place.is_file() and place.stat().st_size > 0
    from ecsctl.store.postgresql import has_state

    return has_state(place)


def add_event(tx: Transaction, at: datetime, cluster_arn: str, resource_arn: str, kind: str, message: str) -> None:
    """Write one line into the journal."""
    event = Event(at=at, cluster_arn=cluster_arn, resource_arn=resource_arn, kind=kind, message=message)
    tx.put(EVENTS, event)


def _known(table: Table[Any], column: str) -> None:
    if column not in table.columns:
        raise ValueError(f"{table.name} has no column {column}")


def _sorted_by(table: Table[Any], order: str) -> str:
    """Of a column, or `-column`."""
    column = order.removeprefix("-")
    _known(table, column)
    return f"{column} {'DESC' if order.startswith('-') else 'ASC'}"


def _where(table: Table[Any], filters: dict[str, Filter]) -> tuple[str, list[Scalar]]:
    clauses, arguments = ["TRUE"], list[Scalar]()
    for column, value in filters.items():
        _known(table, column)
        if value is None:
            clauses.append(f"{column} IS NULL")
        elif not isinstance(value, tuple):
            clauses.append(f"{column} = ?")
            arguments.append(value)
        elif value:
            clauses.append(f"{column} IN ({', '.join('?' * len(value))})")
            arguments.extend(value)
        else:
            clauses.append("FALSE")
    return " AND ".join(clauses), arguments


def _limit(number: int | None) -> str:
    return "" if number is None else f" LIMIT {number:d}"


def prepare_to_read(*tables: Table[Any]) -> None:
    """Do what the first `find` in a table takes longest for, ahead of it."""
    for table in tables:
        _decoder(table.kind)


# msgspec notes what it knows of a record type in the type, before it is complete: two threads that make decoders of
# types which have one in common end the process by a segmentation fault.
_deciphering = threading.Lock()
_decoders: dict[type[Record], msgspec.json.Decoder[Any]] = {}


def _decoder(kind: type[R]) -> msgspec.json.Decoder[R]:
    with _deciphering:
        if kind not in _decoders:
            _decoders[kind] = msgspec.json.Decoder(kind)
        return _decoders[kind]
