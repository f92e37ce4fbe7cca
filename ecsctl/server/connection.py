"""A connection: uvicorn's, with an end to its patience. Who sends a request byte by byte, more headers than anybody
needs, or comes to the Unix socket as another user, is told so and left.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

PATIENCE = 20.0
"""Seconds that a request may take to arrive, from its first byte (or the connection) to its last."""
LARGEST_HEAD = 64 << 10
"""Bytes that may come without anything being complete by them: the headers, or a part of the body."""
MOST_WAITING = 64
"""Requests of a connection that may wait for the one before them."""
_LINGER = 1.0
"""Seconds in which what still comes is dropped, before hanging up: an answer may be lost to who is still sending."""


class Connection(HttpToolsProtocol):
    """One of them."""

    patience = PATIENCE

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._deadline: asyncio.TimerHandle | None = None
        self._refused = False
        self._arriving = False
        self._in_head = False
        self._unread = 0
        self._running: RequestResponseCycle | None = None
        self._unread_answer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        peer = transport.get_extra_info("socket")
        if peer.family == socket.AF_UNIX and _user_of(peer) not in (os.geteuid(), 0):
            self._refuse(HTTPStatus.FORBIDDEN)
        self._wait(begun=True)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._stop_watching()
        running = self._running
        if running is not None and not running.response_complete:  # uvicorn tells the last one only
            running.disconnected = True
            running.message_event.set()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Called where nothing more will come; whether to stay. What came whole is answered: its client may only have
        said that this was all. To one of a stream it says that nobody listens; asyncio's TLS cannot stay."""
        streams = self._running is not None and self._running.response_started
        if not self._answering or streams or not self.transport.can_write_eof():
            return False
        self._refuse(HTTPStatus.BAD_REQUEST)
        return True

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._unread += len(data)
        super().data_received(data)
        if self.transport.get_protocol() is not self:
            return  # it has become a WebSocket, which stays open
        if self._unread > LARGEST_HEAD:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        self._wait(begun=True)

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= MOST_WAITING:
            raise ValueError("too many requests at once")
        self._arriving = self._in_head = True
        self._unread = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # what follows the body is no header of the request
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if not self.url.startswith(b"/"):
            raise ValueError("the target of the request is not a path")  # it may name another host than `Host` does
        self._in_head = False
        self._unread = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._arriving = False
        self._unread = 0
        super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._wait(begun=False)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch(None)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_watching()

    def _watch(self, before: int | None) -> None:
        """Hang up on who takes nothing of what is to be sent; `before`: how much that was the last time."""
        left = self.transport.get_write_buffer_size()
        if before is not None and left >= before:
            self.transport.abort()
        else:
            self._unread_answer = self.loop.call_later(self.patience, self._watch, left)

    def _stop_watching(self) -> None:
        if self._unread_answer is not None:
            self._unread_answer.cancel()
            self._unread_answer = None

    def shutdown(self) -> None:
        """Called where the server ends: a request is not waited for of which something is still to come."""
        super().shutdown()
        if self.cycle is not None and self.cycle.more_body and not self.cycle.response_complete:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)

    def handle_websocket_upgrade(self) -> None:
        if self._answering:  # an answer would come amid what the WebSocket says
            self._refuse(HTTPStatus.BAD_REQUEST)
            return
        self._stop_waiting()
        super().handle_websocket_upgrade()
        websocket: Any = self.transport.get_protocol()
        if not websocket.handshake_initiated:  # its parser takes less than ours, and says nothing where it stops
            self.transport.write(_only(HTTPStatus.BAD_REQUEST))
            self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Called where a client would rather speak another protocol. It is answered in this one; the parser takes what
        would follow for the other."""
        self.cycle.keep_alive = False

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        """Called where what came is no request."""
        self._refuse(HTTPStatus.BAD_REQUEST)

    def _wait(self, *, begun: bool) -> None:
        """Be patient while a request arrives; `begun`: something of it has come, or is to come on a new connection."""
        arriving = (begun or self._arriving) and not self._answering
        if not arriving or self._refused or self.transport.is_closing():
            self._stop_waiting()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self.patience, self._refuse, HTTPStatus.REQUEST_TIMEOUT)

    @property
    def _answering(self) -> bool:
        """Whether there is a request that has arrived, and is not answered."""
        cycle = self.cycle
        return bool(self.pipeline) or (cycle is not None and not cycle.more_body and not cycle.response_complete)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer with nothing but a status, unless an answer has begun, and hang up."""
        if self._refused or self.transport.is_closing():
            return
        self._stop_waiting()
        self._refused = True
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and cycle.more_body and self.pipeline:
            self.pipeline.popleft()  # of this one something is missing; those before it came whole
            cycle = self.pipeline[0][0] if self.pipeline else self._running
            self.cycle = cycle  # type: ignore[assignment] # as uvicorn has it where there is none
        if cycle is not None and not cycle.response_complete:
            if not cycle.more_body:
                cycle.keep_alive = False  # what came before is answered
                return
            if cycle.response_started:
                self.transport.close()
                return
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.write(_only(status))
        if self.transport.can_write_eof():
            with suppress(OSError):  # the other side has hung up by now
                self.transport.write_eof()
        self.loop.call_later(_LINGER, self.transport.close)


def _only(status: HTTPStatus) -> bytes:
    """An answer that is nothing but a status, and the last."""
    return f"HTTP/1.1 {status.value} {status.phrase}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".encode()


def _user_of(peer: socket.socket) -> int:
    """The user at the other end of a Unix socket; ours where the system does not say: the file's mode holds all the
    same."""
    if not hasattr(socket, "SO_PEERCRED"):
        return os.geteuid()
    size = struct.calcsize("3i")
    return int(struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))[1])
