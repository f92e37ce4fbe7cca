"""HTTP/1.1 as Docker Engines speak it, over a connected socket, with a deadline for the whole answer.

The standard library's client would do, but costs every command 20 ms (it loads the email package for its headers)
and limits the wait for each piece, not for the answer.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Iterator, Mapping

MAX_LINE = 65536
MAX_HEADERS = 200
MAX_BODY = 256 * 1024 * 1024
"""Bytes: a listing of ten thousand containers is 10 MB; what is larger is no engine."""
PIECE = 65536
SWITCHING = 101
"""The answer after which the connection speaks something else."""


class BrokenAnswerError(Exception):
    """What came back is not an HTTP answer, or ends in the middle.

    `began`: whether any of it came. When nothing did, the other side may have closed the connection unread.
    """

    def __init__(self, message: str, *, began: bool = True) -> None:
        super().__init__(message)
        self.began = began


class Exchange:
    """One request and its answer. The socket remains the caller's."""

    def __init__(self, sock: socket.socket, end: float | None = None, quiet: float | None = None) -> None:
        """`end`: monotonic time by which the whole answer must be there; `quiet`: seconds without a byte to bear."""
        self.status = 0
        self.headers: dict[str, str] = {}
        self.reusable = False
        """Whether the connection can take another request: the answer was read to its end, and both sides stay."""
        self._sock = sock
        self._end = end
        self._quiet = quiet
        self._buffer = bytearray()
        self._began = False
        self._stays = True

    def ask(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes = b"",
        pieces: Iterable[bytes] | None = None,
    ) -> None:
        """Send a request and read the head of the answer. OSError (TimeoutError too) or BrokenAnswerError.

        `pieces`: a body that is not there at once, in place of one that is.
        """
        lines = [f"{method} {target} HTTP/1.1", "Host: docker", "User-Agent: ecsctl"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if pieces is not None:
            lines.append("Transfer-Encoding: chunked")
        elif body or method == "POST":
            lines.append(f"Content-Length: {len(body)}")
        self._set_timeout()
        self._sock.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        if pieces is not None:
            self._send_chunked(pieces)
        self._read_head()
        while 100 <= self.status < 200 and self.status != SWITCHING:
            self._read_head()

    @property
    def unread(self) -> bytes:
        """What has come beyond the head."""
        return bytes(self._buffer)

    def body(self) -> bytes:
        """The whole body."""
        out = bytearray()
        for piece in self.pieces():
            out += piece
            if len(out) > MAX_BODY:
                raise BrokenAnswerError(f"the answer is larger than {MAX_BODY} bytes")
        return bytes(out)

    def pieces(self) -> Iterator[bytes]:
        """The body as it comes, in pieces of no meaning."""
        length = self.headers.get("content-length")
        if self.status in (204, 304):
            pass
        elif "chunked" in self.headers.get("transfer-encoding", "").lower():
            yield from self._chunked()
        elif length is not None:
            if not length.isdigit():
                raise BrokenAnswerError(f"the answer's Content-Length is {length!r}")
            yield from self._sized(int(length))
        else:
            self._stays = False
            yield from self._until_closed()
        self.reusable = self._stays and not self._buffer

    def _send_chunked(self, pieces: Iterable[bytes]) -> None:
        try:
            for piece in filter(None, pieces):
                self._sock.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
            self._sock.sendall(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has heard enough, and its answer says why

    def _read_head(self) -> None:
        version, _, rest = self._line().partition(" ")
        status = rest[:3]
        if not version.startswith("HTTP/1.") or not status.isdigit():
            raise BrokenAnswerError("the answer is not HTTP")
        self.status = int(status)
        self.headers = {}
        for _ in range(MAX_HEADERS):
            line = self._line()
            if not line:
                break
            name, _, value = line.partition(":")
            self.headers[name.strip().lower()] = value.strip()
        else:
            raise BrokenAnswerError("the answer's head does not end")
        self._stays = version == "HTTP/1.1" and self.headers.get("connection", "").lower() != "close"

    def _chunked(self) -> Iterator[bytes]:
        while True:
            text = self._line().partition(";")[0].strip()
            try:
                size = int(text, 16)
            except ValueError:
                raise BrokenAnswerError(f"a piece of the answer has the length {text[:20]!r}") from None
            if size <= 0:
                break
            yield from self._sized(size)
            self._line()
        while self._line():
            pass  # trailing headers

    def _sized(self, size: int) -> Iterator[bytes]:
        while size:
            if not self._buffer:
                self._fill()
            piece = bytes(self._buffer[:size])
            del self._buffer[:size]
            size -= len(piece)
            yield piece

    def _until_closed(self) -> Iterator[bytes]:
        while True:
            if self._buffer:
                piece = bytes(self._buffer)
                self._buffer.clear()
                yield piece
            self._set_timeout()
            received = self._sock.recv(PIECE)
            if not received:
                return
            self._buffer += received

    def _line(self) -> str:
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > MAX_LINE:
                raise BrokenAnswerError("a line of the answer does not end")
            self._fill()
        line = self._buffer[:end].rstrip(b"\r").decode("latin-1")
        del self._buffer[: end + 1]
        return line

    def _fill(self) -> None:
        self._set_timeout()
        received = self._sock.recv(PIECE)
        if not received:
            raise BrokenAnswerError("the connection was closed before the answer was complete", began=self._began)
        self._began = True
        self._buffer += received

    def _set_timeout(self) -> None:
        left = self._quiet
        if self._end is not None:
            left = self._end - time.monotonic()
            if left <= 0:
                raise TimeoutError
        self._sock.settimeout(left)
