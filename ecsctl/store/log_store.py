"""Logs that outlive their containers: a file for each stream, in a directory for each group, beside the state.

A file's first line says in JSON which group, stream and container it is of; then comes a line for each of the log: `o`
or `e` for stdout or stderr, the time, and what was said.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO
from urllib.parse import quote

import msgspec

from ecsctl.model.errors import StateError
from ecsctl.model.observed import LogChunk, LogPlace

_LONGEST = 200
"""Characters of a name that become a file's; a longer one is told by a hash."""


class LogStore:
    """The directory of the logs. It is made when the first is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, place: LogPlace, log: Iterable[LogChunk]) -> None:
        """Keep a whole log, or none of it; one that is there is replaced. StateError when it cannot be written."""
        path = self._path(place)
        try:
            for folder in (self._folder, path.parent):
                folder.mkdir(exist_ok=True, mode=0o700)
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

    def forget_before(self, moment: datetime) -> None:
        """Delete the logs that were kept before a moment."""
        for file in self._folder.glob("*/*"):
            with suppress(FileNotFoundError):  # somebody else is at it, or at keeping one
                if file.stat().st_mtime < moment.timestamp():
                    file.unlink()

    def first_time(self, place: LogPlace) -> str:
        """When the first line of a log was said; empty where there is none."""
        return next((chunk.timestamp for chunk in self.read(place)), "")

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
