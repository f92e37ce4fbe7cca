"""From the bytes of a container's log endpoint, with `timestamps=1`, to lines.

Without a terminal the engine sends frames: one byte for the stream (1 stdout, 2 stderr, 3 an error of its own), three
zeros, the length as four bytes big-endian, then `TIMESTAMP SP text`. A line longer than 16 KiB comes in several
frames, each with the line's timestamp again and only the last with the line end. With a terminal there are no frames,
and lines end in CR LF. The Content-Type does not tell which it is at API 1.41; the first byte does, as a timestamp
begins with a digit.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from ecsctl.engine.port import LogChunk, Stream
from ecsctl.model.errors import EngineRefused

MAX_LINE = 1024 * 1024
"""Bytes of a line that are held back for its end; a longer one comes in pieces."""
MESSAGE = 16384
"""Bytes of a line the engine keeps together."""

_STREAMS: dict[int, Stream] = {0: "stdout", 1: "stdout", 2: "stderr"}
_ENGINE_ERROR = 3
_HEADER = 8


def read_log(pieces: Iterable[bytes]) -> Iterator[LogChunk]:
    """The lines in the pieces of a log endpoint's body. EngineRefused when the engine reports an error among them."""
    pieces = iter(pieces)
    first = b""
    for first in pieces:
        if first:
            break
    if not first:
        return
    whole = _chain(first, pieces)
    yield from _framed(whole) if first[0] <= _ENGINE_ERROR else _raw(whole)


class Seen:
    """Which lines of a log have been read: an engine that is followed may end before the last of them.

    Docker 20.10 loses the last line this way more often than not when it has no line end.
    """

    def __init__(self) -> None:
        self.first: str | None = None
        """The earliest timestamp that was read."""
        self._last: dict[str, tuple[str, int]] = {}  # by stream: the last timestamp, and how many lines had it

    @property
    def last(self) -> str | None:
        """The latest timestamp that was read."""
        return max((timestamp for timestamp, _ in self._last.values()), default=None)

    def add(self, chunk: LogChunk) -> None:
        """Within a stream, in the order of the log."""
        self.first = min(self.first or chunk.timestamp, chunk.timestamp)
        timestamp, count = self._last.get(chunk.stream, ("", 0))
        self._last[chunk.stream] = (chunk.timestamp, count + 1 if chunk.timestamp == timestamp else 1)

    def unseen(self, chunks: Iterable[LogChunk]) -> Iterator[LogChunk]:
        """Those of a log, read again from `first` on, that come after what was read before this."""
        read = dict(self._last)
        again = dict.fromkeys(read, 0)
        for chunk in chunks:
            last, count = read.get(chunk.stream, (self.first or "", 0))
            if chunk.timestamp == last and again.get(chunk.stream, 0) < count:
                again[chunk.stream] += 1
            elif chunk.timestamp >= last:
                yield chunk


def _framed(pieces: Iterable[bytes]) -> Iterator[LogChunk]:
    lines = {"stdout": _Line("stdout"), "stderr": _Line("stderr")}
    for kind, payload in _frames(pieces):
        if kind == _ENGINE_ERROR:
            raise EngineRefused(500, " ".join(payload.decode("utf-8", "replace").split()))
        line = lines[_STREAMS.get(kind, "stdout")]
        yield from line.add(payload)
    for line in lines.values():
        yield from line.end()


def _frames(pieces: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        while len(buffer) >= _HEADER:
            kind, size = struct.unpack_from(">BxxxL", buffer)
            if len(buffer) < _HEADER + size:
                break
            payload = bytes(buffer[_HEADER : _HEADER + size])
            del buffer[: _HEADER + size]
            yield kind, payload


class _Line:
    """The line one stream is in the middle of."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._timestamp = ""
        self._text = bytearray()

    def add(self, payload: bytes) -> Iterator[LogChunk]:
        timestamp, _, text = payload.partition(b" ")
        if not self._timestamp:
            self._timestamp = timestamp.decode("latin-1")
        elif text == self._text and len(text) < MESSAGE and timestamp.decode("latin-1") == self._timestamp:
            return  # the end of the output, without a line end: Docker 20.10 now and then tells a follower of it twice
        self._text += text
        if self._text.endswith(b"\n"):
            del self._text[-1:]
            yield from self.end()
        elif len(self._text) >= MAX_LINE:
            yield from self.end()

    def end(self) -> Iterator[LogChunk]:
        if self._timestamp:
            yield LogChunk(self._stream, self._timestamp, bytes(self._text))
        self._timestamp = ""
        self._text.clear()


def _raw(pieces: Iterable[bytes]) -> Iterator[LogChunk]:
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        while (end := buffer.find(b"\n")) >= 0:
            yield _raw_line(bytes(buffer[:end]))
            del buffer[: end + 1]
        if len(buffer) >= MAX_LINE:
            yield _raw_line(bytes(buffer))
            buffer.clear()
    if buffer:
        yield _raw_line(bytes(buffer))


def _raw_line(line: bytes) -> LogChunk:
    timestamp, _, text = line.partition(b" ")
    again = timestamp + b" "
    parts = []
    while text[MESSAGE:].startswith(again):
        parts.append(text[:MESSAGE])
        text = text[MESSAGE + len(again) :]
    return LogChunk("stdout", timestamp.decode("latin-1"), (b"".join(parts) + text).removesuffix(b"\r"))


def _chain(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
