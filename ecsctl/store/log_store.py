"""Logs that outlive their containers: a file for each stream, in a directory for each group, beside the state.

A file's first line says in JSON which group, stream and container it is of; then comes a line for each of the log: `o`
or `e` for stdout or stderr, the time, and what was said. A group that somebody made has a file that says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO
from urllib.parse import quote

import msgspec

from ecsctl.model.errors import StateError
from ecsctl.model.observed import LogChunk, LogPlace

_MADE = "group.json"
_BLOCK = 1 << 16
_LONGEST = 200
"""Characters of a name that become a file's; a longer one is told by a hash."""


class KeptGroup(msgspec.Struct, frozen=True):
    """A log group: its name, since when it is there, how many bytes are kept of it, and its tags."""

    name: str
    created_at: datetime
    size: int = 0
    tags: dict[str, str] = {}


class LogStore:
    """The directory of the logs. It is made when the first is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, place: LogPlace, log: Iterable[LogChunk]) -> None:
        """Keep a whole log, or none of it; one that is there is replaced. StateError when it cannot be written."""
        path = self._path(place)
        try:
            self._make(path.parent)
            with NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.", delete=False) as file:  # mode 0600
                try:
                    _write(file, place, log)
                    Path(file.name).replace(path)
                except BaseException:
                    Path(file.name).unlink(missing_ok=True)
                    raise
        except OSError as error:
            raise StateError(f"the log {path} cannot be kept: {error.strerror}") from None

    def has(self, place: LogPlace) -> bool:
        return self._path(place).exists()

    def read(self, place: LogPlace) -> Iterator[LogChunk]:
        """The lines of a log; of one that is not there, none."""
        with suppress(FileNotFoundError), self._path(place).open("rb") as file:
            file.readline()
            for line in file:
                stream, timestamp, said = line.rstrip(b"\n").split(b" ", 2)
                yield LogChunk("stderr" if stream == b"e" else "stdout", timestamp.decode(), said)

    def streams(self, group: str) -> list[LogPlace]:
        """The logs of a group that are kept."""
        files = sorted((self._folder / _file_name(group)).glob("*.log"))
        return [place for file in files if (place := _place(file)).group == group]

    def make_group(self, name: str, now: datetime, tags: dict[str, str]) -> bool:
        """Make a group without any log, which stays; whether it was not made before. StateError."""
        path = self._folder / _file_name(name) / _MADE
        try:
            self._make(path.parent)
            with path.open("xb") as file:
                file.write(msgspec.json.encode(KeptGroup(name, now, tags=tags)))
        except FileExistsError:
            return False
        except OSError as error:
            raise StateError(f"the log group {path.parent} cannot be made: {error.strerror}") from None
        return True

    def groups(self) -> list[KeptGroup]:
        """Those that were made, and those of which a log is kept."""
        found = [self._group(folder) for folder in sorted(self._folder.glob("*/"))]
        return [group for group in found if group]

    def _group(self, folder: Path) -> KeptGroup | None:
        with suppress(FileNotFoundError):  # somebody else is at deleting it
            logs = sorted(folder.glob("*.log"))
            made, size = folder / _MADE, sum(log.stat().st_size for log in logs)
            if made.exists():
                group = msgspec.json.decode(made.read_bytes(), type=KeptGroup)
                return KeptGroup(group.name, group.created_at, size, group.tags)
            if logs:
                first = min(log.stat().st_mtime for log in logs)
                return KeptGroup(_place(logs[0]).group, datetime.fromtimestamp(first, timezone.utc), size)
        return None

    def _make(self, group: Path) -> None:
        for folder in (self._folder, group):
            folder.mkdir(exist_ok=True, mode=0o700)

    def forget_before(self, moment: datetime) -> None:
        """Delete the logs that were kept before a moment."""
        for file in self._folder.glob("*/*"):
            with suppress(FileNotFoundError):  # somebody else is at it, or at keeping one
                if file.name != _MADE and file.stat().st_mtime < moment.timestamp():
                    file.unlink()

    def first_time(self, place: LogPlace) -> str:
        """When the first line of a log was said; empty where there is none."""
        return next((chunk.timestamp for chunk in self.read(place)), "")

    def last_time(self, place: LogPlace) -> str:
        """When the last line of a log was said; empty where there is none."""
        with suppress(FileNotFoundError), self._path(place).open("rb") as file:
            end, tail = file.seek(0, 2), b""
            while end and tail.count(b"\n") < 2:
                begin = max(0, end - _BLOCK)
                file.seek(begin)
                end, tail = begin, file.read(end - begin) + tail
            lines = tail.removesuffix(b"\n").split(b"\n")[1:]  # the first is the header, or a part of a line
            return lines[-1].split(b" ", 2)[1].decode() if lines else ""
        return ""

    def _path(self, place: LogPlace) -> Path:
        return self._folder / _file_name(place.group) / f"{_file_name(place.stream)}~{place.container[:12]}.log"


def _write(file: IO[bytes], place: LogPlace, log: Iterable[LogChunk]) -> None:
    file.write(msgspec.json.encode(place) + b"\n")
    for chunk in log:
        stream = b"e" if chunk.stream == "stderr" else b"o"
        file.write(b"%s %s %s\n" % (stream, chunk.timestamp.encode(), chunk.line))
    file.flush()


def _file_name(name: str) -> str:
    quoted = quote(name, safe="").replace(".", "%2E") or "%"
    if len(quoted) <= _LONGEST:
        return quoted
    return f"{quoted[: _LONGEST - 20]}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _place(file: Path) -> LogPlace:
    with file.open("rb") as opened:
        return msgspec.json.decode(opened.readline(), type=LogPlace)
