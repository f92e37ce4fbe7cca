"""Putting a backup in the place of a state."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from ecsctl.model.errors import StateError
from ecsctl.store.backup import Copy, back_up, look_into, new_backup
from ecsctl.store.check import is_damaged
from ecsctl.store.files import (
    Presence,
    WriterQueue,
    beside,
    fingerprint,
    prepare_directory,
    private_file,
    replace_private_file,
)
from ecsctl.store.key_store import keep_keys, keys_of
from ecsctl.store.migrate import opened, translate


class Restored(NamedTuple):
    """What was put in place, and where what was there is kept (None: there was nothing)."""

    copy: Copy
    kept: Path | None


def restore(path: Path, source: Path, key_file: Path | None = None) -> Restored:
    """Make a state what a backup of it says. What was there is kept; nothing is changed unless all can be.

    Its key is that of `key_file`, beside the backup, or the one that is there. Raises StateError.
    """
    found = look_into(source)
    key = key_of(path, source, key_file, found)
    prepare_directory(path)
    with _alone(path):
        kept = _set_aside(path)
        if beside(source, "secrets-key").exists():
            add_secrets_keys(path, keys_of(beside(source, "secrets-key")))
        if not beside(path, "key").exists() or beside(path, "key").read_bytes() != key:
            replace_private_file(beside(path, "key"), key)
        with closing(read_only_connection(source)) as copied:
            if path.exists():
                # Page by page in one transaction: others that have it open see the new content, or still the old.
                with translate(path), closing(opened(path)[0]) as current:
                    copied.backup(current)
            else:
                back_up(copied, path, force=True)  # no empty file first, for others to begin a state in
    return Restored(found, kept)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Nobody else writes to the state, and no controller keeps it. StateError where one does."""
    presence = Presence(beside(path, "controller"))
    queue = WriterQueue(beside(path, "lock"))
    try:
        if not presence.take(alone=True):
            raise StateError(
                f"process {presence.holder} keeps this state (reconcile --watch or serve): stop it first, begin again"
            )
        with queue.turn():
            yield
    finally:
        queue.close()
        presence.close()


def _set_aside(path: Path) -> Path | None:
    """Keep what is at a state's path, with its key: a copy of what is sound, which stays; what is damaged is moved."""
    if not path.exists():
        return None
    damaged = path.stat().st_size == 0 or is_damaged(path)
    kept = new_backup(path, "damaged" if damaged else "replaced")
    if beside(path, "key").exists():
        private_file(beside(kept, "key"), beside(path, "key").read_bytes())
    if not damaged:
        with translate(path), closing(opened(path)[0]) as current:
            back_up(current, kept)
        return kept
    for ending in ("-wal", "-shm", ""):  # a log that is left behind would be taken for the new file's
        part = path.with_name(path.name + ending)
        if part.exists():
            part.replace(kept.with_name(kept.name + ending))
    return kept


def key_of(path: Path, source: Path, key_file: Path | None, found: Copy) -> bytes:
    """The key of the backup. StateError where it is none of those that are there."""
    places = [key_file] if key_file else [beside(source, "key"), beside(path, "key")]
    for place in places:
        if place.exists() and fingerprint(key := private_file(place).read_bytes()) == found.key:
            return key
    raise StateError(
        f"the key of the backup {source} is not {' nor '.join(map(str, places))}: give it with --key; it is the file "
        f"{beside(path, 'key').name} that lay beside the state then"
    )


def add_secrets_keys(path: Path, keys: list[bytes]) -> None:
    """The backup's keys seal from here on; those that are there still open."""
    place = beside(path, "secrets-key")
    present = keys_of(place) if place.exists() else []
    wanted = [*keys, *(key for key in present if key not in keys)]
    if wanted != present:
        keep_keys(place, wanted, None)


def read_only_connection(source: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(source.absolute()))}?mode=ro&immutable=1", uri=True, isolation_level=None)
