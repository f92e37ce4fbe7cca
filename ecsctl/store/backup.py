"""Copies of a state file in use: made, found sound, and named."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct

from ecsctl.model.errors import StateError
from ecsctl.store.files import beside, sync_directory
from ecsctl.store.key_store import entry_of, keys_of
from ecsctl.store.schema import APPLICATION_ID, VERSION

KEPT = 10
"""How many of the backups that are made without being asked for stay."""


class Copy(Struct, frozen=True):
    """What a sound state file that nobody uses is: its schema, its install, its key's fingerprint, and whether it has
    secrets."""

    version: int
    install: str
    key: str
    has_secrets: bool


def new_backup(path: Path, why: str) -> Path:
    """The name of a new backup of the state file of that path, in the directory for them, which is made."""
    folder = path.parent / "backups"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StateError(f"the directory {folder} cannot be made: {error.strerror}") from None
    now = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
    return folder / f"{path.name}-{why}-{now}"


def back_up(connection: sqlite3.Connection, target: Path, *, force: bool = False) -> Copy:
    """Write a consistent copy of an open state, for its owner alone, whoever writes to it meanwhile.

    It is on the disk, whole and found sound when this returns, or there is none. Raises StateError; without `force`
    also where there is a file of that name.
    """
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        if not force:
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        try:
            os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))
            connection.execute("VACUUM INTO ?", (str(part),))
            found = look_into(part)
            _sync(part)
            part.replace(target)
        except BaseException:
            part.unlink(missing_ok=True)
            if not force:
                target.unlink(missing_ok=True)
            raise
        sync_directory(target.parent)
    except FileExistsError:
        raise StateError(f"{target} exists: give another name, or --force to replace it") from None
    except OSError as error:
        raise StateError(f"the backup {target} cannot be written: {error.strerror}") from None
    return found


def look_into(path: Path) -> Copy:
    """What a state file that nobody uses is. Raises StateError when it is not ecsctl's, not whole, or too new."""
    if not path.is_file():
        raise StateError(f"{path} is no file" if path.exists() else f"there is no file {path}")
    if (wal := path.with_name(path.name + "-wal")).exists() and wal.stat().st_size:
        raise StateError(f"{path} is in use, or was copied while it was: make the copy with ecsctl state backup")
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1", uri=True)) as found:
            if found.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
                raise StateError(f"{path} is not a state of ecsctl")
            version = int(found.execute("PRAGMA user_version").fetchone()[0])
            if version > VERSION:
                raise StateError(
                    f"{path} was written by a newer ecsctl (schema {version}, this one knows {VERSION}): upgrade ecsctl"
                )
            trouble = found.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if trouble != "ok":
                raise StateError(f"{path} is damaged: {trouble}")
            known = dict(found.execute("SELECT key, value FROM meta WHERE key IN ('install', 'key')"))
            tables = {name for (name,) in found.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            sealed = [name for name in ("secret", "access_key") if name in tables]
            secrets = sum(found.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in sealed)  # noqa: S608 one of two names
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise StateError(f"{path} is damaged, or not a state of ecsctl ({error})") from None
    return Copy(version, known.get("install", ""), known.get("key", ""), bool(secrets))


def copy_keys(path: Path, target: Path, *, force: bool = False) -> list[Path]:
    """Copy the keys of a state beside a backup of it; those that there are, and into files what is in the keyring."""
    made = []
    for ending in ("key", "secrets-key"):
        source, copy = beside(path, ending), beside(target, ending)
        if not source.exists():
            continue
        content = source.read_bytes() if entry_of(source) is None else b"\n".join(keys_of(source)) + b"\n"
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (os.O_TRUNC if force else os.O_EXCL)
        try:
            with os.fdopen(os.open(copy, flags, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fchmod(file.fileno(), 0o600)
                os.fsync(file.fileno())
        except OSError as error:
            raise StateError(f"the key {copy} cannot be written: {error.strerror}") from None
        made.append(copy)
    sync_directory(target.parent)
    return made


def prune(path: Path) -> None:
    """Delete the oldest of the backups that were made of a state before it was brought forward."""
    made = sorted((path.parent / "backups").glob(f"{path.name}-v*"), key=lambda file: file.stat().st_mtime)
    for old in made[:-KEPT]:
        old.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
