"""A state in PostgreSQL, which processes of several machines share.

Writers take turns by an advisory lock that ends with the transaction: PostgreSQL serves those that wait in order, and
READ COMMITTED statements behind it see all that was committed before (SERIALIZABLE instead costs two retries a commit).
Nothing belongs to a session, so a pooler may hand transactions to any. A connection that was lost is made anew for the
next transaction.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from ecsctl.model.errors import ConfigError, StateError, StateUnreachable
from ecsctl.model.state_place import SharedState
from ecsctl.store.database import Rows
from ecsctl.store.files import beside
from ecsctl.store.postgresql_schema import bring_forward, version_of
from ecsctl.store.schema import APPLICATION_ID, VERSION

try:
    import psycopg
    from psycopg import errors
    from psycopg.conninfo import conninfo_to_dict, make_conninfo
except ImportError as error:  # the package, or libpq
    raise ConfigError(
        f"a state in PostgreSQL needs psycopg ({error}): pip install 'psycopg[binary]', or ecsctl-hosts[postgresql]"
    ) from None

WAIT = 30
"""Seconds that a writer waits for its turn."""
CONNECTION = {
    "connect_timeout": 10,
    # A server that is gone is noticed within 25 seconds, whatever the kernel's hours are.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15000,
    "application_name": "ecsctl",
    "client_encoding": "UTF8",
}
# A process that was stopped amid a transaction holds nobody up for longer.
_IDLE = "SET LOCAL idle_in_transaction_session_timeout = '10s'"
_CLOCK = "SELECT extract(epoch FROM clock_timestamp())::float8"
_BEGIN_READING = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {_IDLE}; {_CLOCK}"
_BEGIN_WRITING = (
    f"BEGIN ISOLATION LEVEL READ COMMITTED; {_IDLE}; SET LOCAL lock_timeout = '{{wait:d}}s';"
    f" SELECT pg_advisory_xact_lock({APPLICATION_ID}, {{lock:d}}); {_CLOCK}"
)
_STATE, _LEASES = 0, 1
"""The locks, by number."""
_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_COUNT = "UPDATE meta SET value = (value::bigint + 1)::text WHERE key = 'writes'"
_WRITES = "SELECT value::bigint FROM meta WHERE key = 'writes'"


class PostgresDatabase:
    """See Database."""

    task_group = "convert_from(doc, 'UTF8')::json #>> '{task,group}'"
    is_shared = True

    def __init__(self, place: SharedState) -> None:
        self._place = place
        self._raw: psycopg.Connection[tuple[Any, ...]] | None = None
        self._changes = 0  # rows, by this process
        self._commits = 0
        self._ahead = 0.0  # of this machine's clock since boot, in seconds
        self.in_transaction = False
        self.read_only = False

    @classmethod
    def open(
        cls, place: SharedState, *, make: bool = True, anew: bool = False, upgrade: bool = False
    ) -> PostgresDatabase:
        """Open the database. `make`: tables, in an empty one, `anew`: even where its key says that it had some;
        `upgrade`: bring those of an older release forward."""
        database = cls(place)
        try:
            database._prepare(make=make, anew=anew, upgrade=upgrade)
        except BaseException:
            database.close()
            raise
        return database

    @property
    def connection(self) -> PostgresDatabase:
        return self

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Rows:
        """One statement, as Connection has it."""
        found = self._connected().execute(_with_marks(sql), parameters or None)
        if found.rowcount > 0 and (found.statusmessage or "").startswith(("INSERT", "UPDATE", "DELETE")):
            self._changes += found.rowcount
        return found

    @contextmanager
    def reading(self) -> Iterator[None]:
        with self._translated():
            self._begin(_BEGIN_READING)
            try:
                yield
            finally:
                self._roll_back()

    @contextmanager
    def writing(self) -> Iterator[None]:
        if self.read_only:
            raise StateError(_read_only(self._place))
        with self._translated():
            self._begin(_BEGIN_WRITING.format(wait=WAIT, lock=_STATE))
            changes = self._changes
            try:
                yield
            except BaseException:
                self._roll_back()
                raise
            if self._changes == changes:
                self._roll_back()
                return
            self._commit()

    @contextmanager
    def leasing(self) -> Iterator[None]:
        """A transaction of the only one who changes leases, which is no change of the state."""
        with self._translated():
            self._begin(_BEGIN_WRITING.format(wait=WAIT, lock=_LEASES))
            try:
                yield
            except BaseException:
                self._roll_back()
                raise
            self.in_transaction = False
            self._connected().execute("COMMIT")

    def version(self) -> tuple[int, int]:
        return self._writes(), self._changes

    def written_by_others(self) -> int:
        with self._translated():
            try:
                return self._writes() - self._commits
            except psycopg.OperationalError:
                if self._raw is not None and not self._raw.closed:
                    raise
                return self._writes() - self._commits  # by another connection

    def lease_time(self, since_boot: float) -> float:  # noqa: ARG002 the server's clock, as it was last told
        return _since_boot() + self._ahead

    def close(self) -> None:
        if self._raw is not None:
            self._raw.close()
            self._raw = None

    def _writes(self) -> int:
        return int(self.execute(_WRITES).fetchone()[0])

    # Transactions

    def _begin(self, statements: str) -> None:
        before = self._raw
        try:
            begun = self._connected().execute(statements)
        except psycopg.OperationalError:
            self._roll_back()
            if before is None or before is not self._raw or not before.closed:
                raise
            self._begin(statements)  # the connection was lost while nothing was done: by another one
            return
        while begun.nextset():
            pass
        now = begun.fetchone()
        self._ahead = float(now[0]) - _since_boot() if now else 0.0
        self.in_transaction = True

    def _roll_back(self) -> None:
        self.in_transaction = False
        if self._raw is not None and not self._raw.closed:
            self._raw.execute("ROLLBACK")

    def _commit(self) -> None:
        raw = self._connected()
        self.in_transaction = False
        try:
            raw.execute(f"{_COUNT}; COMMIT")
        except psycopg.Error as error:
            if not raw.closed:
                self._roll_back()
                raise
            raise StateUnreachable(
                f"the connection to the state {self._place} was lost ({_reason(error)}) while a change was written: "
                "whether it was made is not known; look before you repeat it"
            ) from None
        self._commits += 1

    # Connections

    def _connected(self) -> psycopg.Connection[tuple[Any, ...]]:
        if self._raw is None or self._raw.closed:
            if self.in_transaction:
                raise psycopg.OperationalError("the connection is closed")
            self._raw = self._connect()
        return self._raw

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        try:
            given = make_conninfo(self._place.url, **_missing(conninfo_to_dict(self._place.url)))
        except psycopg.Error:  # its words may repeat the URL
            raise ConfigError(
                f"the URL of the state {self._place} is not one that PostgreSQL's libpq takes: see "
                "https://www.postgresql.org/docs/current/libpq-connect.html"
            ) from None
        try:
            # No prepared statements: they belong to a session.
            return psycopg.connect(given, autocommit=True, prepare_threshold=None)
        except psycopg.Error as error:
            raise StateUnreachable(_unreachable(self._place, error)) from None

    def _prepare(self, *, make: bool, anew: bool, upgrade: bool) -> None:
        """See that the tables are there, and of this release."""
        key = beside(self._place.home, "key")
        has_key = key.exists()  # asked first: who makes a state makes the tables before the key
        with self._translated():
            version = version_of(self, self._place)
            self.read_only, encoding = self.execute(
                "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool,"
                " current_setting('server_encoding')"
            ).fetchone()
        if encoding != "UTF8":
            raise StateError(f"the database {self._place} has the encoding {encoding}: make one with createdb -E UTF8")
        if version == VERSION:
            return
        if version > VERSION:
            raise StateError(
                f"the state {self._place} was written by a newer ecsctl (schema {version}, this one knows {VERSION}): "
                "upgrade ecsctl; nothing was changed"
            )
        if not version and not make:
            raise StateError(f"there is no state in {self._place}")
        if not version and has_key and not anew:
            raise StateError(
                f"there is no state in {self._place}, but its key {key} is there: it was lost. "
                "Put a backup back (pg_restore), rebuild it from the hosts (ecsctl recover), or begin anew without it: "
                "move the key away"
            )
        if version and not upgrade:
            raise StateError(
                f"the state {self._place} is of an older ecsctl (schema {version}, this one has {VERSION}): when every "
                "machine that uses it has this ecsctl, back it up (pg_dump), then run ecsctl state upgrade"
            )
        try:
            self._place.home.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StateError(f"{self._place.home.parent}, for the keys, cannot be made: {error.strerror}") from None
        with self.writing():
            bring_forward(self, version_of(self, self._place))  # another process may have been first

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """PostgreSQL's errors as one line that says what to do."""
        try:
            yield
        except psycopg.IntegrityError:
            raise
        except psycopg.Error as error:
            if self._raw is None or self._raw.closed:
                raise StateUnreachable(
                    f"the connection to the state {self._place} was lost ({_reason(error)}); nothing was changed: "
                    "try again"
                ) from None
            raise StateError(_advice(self._place, error)) from None


def has_state(place: SharedState) -> bool:
    """Whether there is a state in a database, of whatever release."""
    database = PostgresDatabase(place)
    try:
        with database.reading():
            return version_of(database, place) > 0
    finally:
        database.close()


def _missing(given: Mapping[str, Any]) -> dict[str, Any]:
    """What a URL does not say of the connection."""
    return {name: value for name, value in CONNECTION.items() if given.get(name) is None}


def _since_boot() -> float:
    return time.clock_gettime(_BOOT)


@lru_cache(maxsize=256)
def _with_marks(sql: str) -> str:
    """The statement with psycopg's marks for its arguments."""
    return sql.replace("?", "%s")


def _reason(error: psycopg.Error) -> str:
    """Its first line, which has no password in it."""
    return (str(error).strip().splitlines() or ["no reason given"])[0]


def _read_only(place: SharedState) -> str:
    return (
        f"the state {place} cannot be written: the server is a read-only replica, or set so; give the primary's URL "
        "(of several hosts: ?target_session_attrs=read-write)"
    )


def _unreachable(place: SharedState, error: psycopg.Error) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = next((line for line in lines if "FATAL" in line), (lines or ["no reason given"])[0])
    said = said.rpartition("FATAL:")[2].strip()
    if "password" in said or "authentication" in said:
        todo = "check the user and the password (in the URL, PGPASSWORD or ~/.pgpass)"
    elif "database" in said and "does not exist" in said:
        todo = "make it (createdb), or give another one"
    elif "role" in said and "does not exist" in said:
        todo = "make it (createuser), or give another user"
    elif "starting up" in said or "shutting down" in said or "recovery" in said:
        todo = "try again in a moment"
    elif "too many" in said or "slots" in said:
        todo = "raise max_connections, or put a pooler between"
    else:
        todo = "see that the server runs, and check host and port"
    return f"the state {place} cannot be reached ({said}): {todo}"


def _advice(place: SharedState, error: psycopg.Error) -> str:
    said = _reason(error)
    if isinstance(error, errors.LockNotAvailable):
        return f"another process has been writing to the state {place} for {WAIT} s: try again, or see pg_stat_activity"
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return _read_only(place)
    if isinstance(error, errors.DiskFull):
        return f"the disk of the state {place} is full: nothing was changed; make room and try again"
    if isinstance(error, errors.InsufficientPrivilege):
        return f"the user of the state {place} may not do this ({said}): let it own the database or its schema"
    if isinstance(error, psycopg.DataError):
        return f"the state {place} cannot hold this ({said}); nothing was changed"
    return f"the state {place}: {said}; nothing was changed"
