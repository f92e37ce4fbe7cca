"""A state in PostgreSQL as a backup, and a backup as a state in PostgreSQL. A backup is a SQLite file, whatever the
state is, so a state moves from the one to the other by them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from ecsctl.model.errors import StateError
from ecsctl.model.state_place import SharedState
from ecsctl.store.backup import Copy, back_up, look_into
from ecsctl.store.every_table import TABLES
from ecsctl.store.files import beside, replace_private_file
from ecsctl.store.key_store import keys_of
from ecsctl.store.postgresql import PostgresDatabase
from ecsctl.store.restore import add_secrets_keys, key_of, read_only_connection
from ecsctl.store.schema import VERSION
from ecsctl.store.sqlite import SqliteDatabase
from ecsctl.store.store import Transaction, View
from ecsctl.store.tables import EVENTS

_OF_ONE_KIND = frozenset({"application", "schema", "writes"})
"""What PostgreSQL's `meta` has and SQLite's has not."""


def back_up_shared(view: View, target: Path, *, force: bool) -> Copy:
    """Write what is seen into a file, for its owner alone."""
    try:
        folder = TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise StateError(f"the backup {target} cannot be written: {error.strerror}") from None
    with folder as name, closing(SqliteDatabase.open(Path(name) / "copy")) as made:
        with made.writing():
            _copy(view, Transaction(made))
        return back_up(made.connection, target, force=force)


def restore_shared(place: SharedState, source: Path, key_file: Path | None) -> Copy:
    """Put a backup into a database that has no state. All of it, or nothing. Raises StateError."""
    found = look_into(source)
    if found.version != VERSION:
        raise StateError(
            f"{source} is of an older ecsctl (schema {found.version}, this one has {VERSION}): restore it to a file "
            "first (--state FILE), run any command on that, and restore a backup of it"
        )
    key = key_of(place.home, source, key_file, found)
    with (
        closing(read_only_connection(source)) as copied,
        closing(PostgresDatabase.open(place, anew=True)) as database,
        database.writing(),
    ):
        tx = Transaction(database)
        if tx.meta("install") is not None:
            raise StateError(f"there is a state in {place}: give an empty database, or drop its tables first")
        _copy(View(SqliteDatabase(copied, source, read_only=True)), tx)
        database.execute("SELECT setval(pg_get_serial_sequence('event', 'id'), ?)", (tx.last_event + 1,))
        if beside(source, "secrets-key").exists():
            add_secrets_keys(place.home, keys_of(beside(source, "secrets-key")))
        replace_private_file(beside(place.home, "key"), key)
    return found


def _copy(source: View, target: Transaction) -> None:
    """All that is in one state into another that is empty."""
    for table in TABLES:
        columns = ", ".join((*table.columns, "doc"))
        marks = ", ".join("?" * (len(table.columns) + 1))
        order = "id" if table is EVENTS else "rowid"
        rows = source.database.connection.execute(f"SELECT {columns} FROM {table.name} ORDER BY {order}")  # noqa: S608 names from the table's declaration
        for row in rows:
            target.database.connection.execute(f"INSERT INTO {table.name} ({columns}) VALUES ({marks})", tuple(row))  # noqa: S608 as above
    for key, value in source.database.connection.execute("SELECT key, value FROM meta").fetchall():
        if key not in _OF_ONE_KIND:
            target.set_meta(key, value)
