"""A connection: uvicorn's, with an end to its patience. Who sends a request byte by byte, more headers than anybody
needs, or comes to the Unix socket as another user, is told so and left.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import sys
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE = 20.0
"""Seconds that a request may take to arrive, from its first byte (or the connection) to its last."""
_TOO_LONG = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
_LINGER = 1.0
"""Seconds in which what still comes is dropped, before hanging up: an answer may be lost to who is still sending."""


class Connection(H11Protocol):
    """One of them."""

    patience = PATIENCE

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._deadline: asyncio.TimerHandle | None = None
        self._refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        peer = transport.get_extra_info("socket")
        if peer.family == socket.AF_UNIX and _user_of(peer) not in (os.geteuid(), 0):
            self._refuse(HTTPStatus.FORBIDDEN)
        self._wait(begun=True)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._refused:
            super().data_received(data)
            if self.transport.get_protocol() is self:  # else it has become a WebSocket, which stays open
                self._wait(begun=True)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._wait(begun=False)

    def shutdown(self) -> None:
        """Called where the server ends: a request is not waited for of which something is still to come."""
        super().shutdown()
        if self.conn.their_state is h11.SEND_BODY and not self._refused:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._stop_waiting()
        super().handle_websocket_upgrade(event)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        """Called where h11 could not read a request; its error says more than the message."""
        error = sys.exc_info()[1]
        too_long = isinstance(error, h11.RemoteProtocolError) and error.error_status_hint == _TOO_LONG
        self._refuse(_TOO_LONG if too_long else HTTPStatus.BAD_REQUEST)

    def _wait(self, *, begun: bool) -> None:
        """Be patient while a request arrives; `begun`: something of it has come, or is to come on a new connection."""
        arriving = self.conn.their_state is h11.SEND_BODY or (begun and self.conn.their_state is h11.IDLE)
        if not arriving or self._refused or self.transport.is_closing():
            self._stop_waiting()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self.patience, self._refuse, HTTPStatus.REQUEST_TIMEOUT)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer with nothing but a status, unless an answer has begun, and hang up."""
        self._stop_waiting()
        self._refused = True
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()
            return
        headers = [("connection", "close"), ("content-length", "0")]
        for event in (h11.Response(status_code=status, headers=headers, reason=status.phrase), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        if self.transport.can_write_eof():
            with suppress(OSError):  # the other side has hung up by now
                self.transport.write_eof()
        self.loop.call_later(_LINGER, self.transport.close)


def _user_of(peer: socket.socket) -> int:
    """The user at the other end of a Unix socket; ours where the system does not say: the file's mode holds all the
    same."""
    if not hasattr(socket, "SO_PEERCRED"):
        return os.geteuid()
    size = struct.calcsize("3i")
    return int(struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))[1])
