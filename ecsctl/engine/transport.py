"""Calls and streams to one Docker Engine: connections kept, deadlines held, failures told apart.

What failed before a request was sent is EngineUnreachable; what failed after is EngineTimeout, as the engine may
have done it. A request that changes something is therefore never sent twice, and goes over a connection of its own:
one that was kept may have been closed by the other side, and then nobody could tell which of the two it was. (A fresh
connection to a unix socket takes 0.1 ms; one over ssh a round trip.)
"""

from __future__ import annotations

import re
import select
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from ecsctl.engine.dial import Dial, Scarce
from ecsctl.engine.http import BrokenAnswerError, Exchange
from ecsctl.model.errors import Conflict, EngineRefused, EngineTimeout, EngineTooOld, NotFound

API_VERSION = (1, 41)
"""The version whose semantics docker.py is written to (Docker 20.10); newer engines speak it too."""

NOT_MODIFIED = 304
"""The engine's answer when a container is already as asked."""

PING_SECONDS = 5.0
IDLE_CONNECTIONS = 8
IDLE_SCARCE = 1
IDLE_SECONDS = 30.0

_VERSION_REFUSED = r"(?s)client version \S+ is too (new|old).*?version is (\d+)\.(\d+)"


class Reply(msgspec.Struct, frozen=True):
    """An engine's answer that was not a refusal; headers have lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body's value. EngineRefused when it is no JSON, as then this is no Docker Engine."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError as error:
            raise EngineRefused(self.status, f"The answer is not that of a Docker Engine: {error}.") from error


class Transport:
    """Requests to one engine. May be used by several threads at once."""

    def __init__(self, address: str, dial: Dial) -> None:
        """`address` is what messages call the engine."""
        self._address = address
        self._dial = dial
        self._version = API_VERSION
        self._idle: list[tuple[socket.socket, float]] = []
        self._lock = threading.Lock()
        self._closed = False

    def call(
        self,
        method: str,
        path: str,
        seconds: float,
        query: Mapping[str, str] | None = None,
        body: object = None,
    ) -> Reply:
        """One request and its whole answer within `seconds` of the connection being there. A `body` of bytes is a tar
        archive, any other is sent as JSON.

        Raises EngineUnreachable, EngineTimeout, and EngineRefused (NotFound for every 404, Conflict for every 409).
        """
        content = b"" if body is None else body if isinstance(body, bytes) else msgspec.json.encode(body)
        kind = "application/x-tar" if isinstance(body, bytes) else "application/json"
        reply = self._once(method, path, seconds, query, content, kind)
        if reply.status == 400 and self._adopt_version(message_of(reply.body)):
            reply = self._once(method, path, seconds, query, content, kind)  # nothing was done: refused by version
        if reply.status >= 300 and reply.status != NOT_MODIFIED:
            raise refusal(reply.status, message_of(reply.body))
        return reply

    def stream(
        self,
        method: str,
        path: str,
        quiet: float | None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[bytes]:
        """The body as it comes, in pieces; nothing is sent before the first is asked for, which is empty: it tells
        that the engine has answered.

        At most `quiet` seconds pass between pieces, without limit when None. Raises as `call` does.
        """
        for _ in range(2):
            sock = self._dial(lasting=True)
            try:
                exchange = Exchange(sock, quiet=quiet)
                exchange.ask(method, self._target(path, query), headers or {})
                if exchange.status < 300:
                    yield b""
                    yield from exchange.pieces()
                    return
                message = message_of(exchange.body())
            except (OSError, BrokenAnswerError) as error:
                raise self._lost(method, path, quiet, error) from error
            finally:
                sock.close()
            if exchange.status != 400 or not self._adopt_version(message):
                break
        raise refusal(exchange.status, message)

    def upload(
        self, path: str, pieces: Iterable[bytes], quiet: float, query: Mapping[str, str] | None = None
    ) -> Iterator[bytes]:
        """The answer, in pieces, to a POST of a tar archive that comes in pieces. At most `quiet` seconds pass in which
        nothing goes either way. Raises as `call` does.

        The engine has to have answered before: what was begun cannot be sent again in another version.
        """
        self.call("GET", "/_ping", min(quiet, PING_SECONDS))
        sock = self._dial(lasting=True)
        try:
            exchange = Exchange(sock, quiet=quiet)
            headers = {"Content-Type": "application/x-tar"}
            exchange.ask("POST", self._target(path, query), headers, pieces=pieces)
            if exchange.status < 300:
                yield from exchange.pieces()
                return
            message = message_of(exchange.body())
        except (OSError, BrokenAnswerError) as error:
            raise self._lost("POST", path, quiet, error) from error
        finally:
            sock.close()
        raise refusal(exchange.status, message)

    def converse(self, path: str, seconds: float, body: object) -> tuple[socket.socket, bytes]:
        """A POST after whose answer the connection is a stream in both directions: the caller's from then on, with what
        has come on it already. Raises as `call` does."""
        content = msgspec.json.encode(body)
        headers = {"Content-Type": "application/json", "Connection": "Upgrade", "Upgrade": "tcp"}
        sock = self._dial(lasting=True)
        try:
            exchange = Exchange(sock, end=time.monotonic() + seconds)
            exchange.ask("POST", self._target(path, None), headers, content)
            if exchange.status < 300:
                return sock, exchange.unread
            message = message_of(exchange.body())
        except (OSError, BrokenAnswerError) as error:
            sock.close()
            raise self._lost("POST", path, seconds, error) from error
        sock.close()
        raise refusal(exchange.status, message)

    def close(self) -> None:
        """Close what is idle; what is in use is closed when its answer is there."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for sock, _ in idle:
            sock.close()

    def _once(
        self, method: str, path: str, seconds: float, query: Mapping[str, str] | None, content: bytes, kind: str
    ) -> Reply:
        headers = {"Content-Type": kind} if content else {}
        target = self._target(path, query)
        kept = self._take() if method == "GET" else None
        sock = kept or self._dial()
        try:
            return self._exchange(sock, method, target, headers, content, seconds)
        except (OSError, BrokenAnswerError) as error:
            closed_unread = isinstance(error, ConnectionError) or (
                isinstance(error, BrokenAnswerError) and not error.began
            )
            # A GET may be sent again: whatever was kept, a connection here or the ssh behind it, may have been dead.
            if method != "GET" or not closed_unread:
                raise self._lost(method, path, seconds, error) from error
        sock = self._dial()
        try:
            return self._exchange(sock, method, target, headers, content, seconds)
        except (OSError, BrokenAnswerError) as error:
            raise self._lost(method, path, seconds, error) from error

    def _exchange(
        self, sock: socket.socket, method: str, target: str, headers: dict[str, str], content: bytes, seconds: float
    ) -> Reply:
        exchange = Exchange(sock, end=time.monotonic() + seconds)
        try:
            exchange.ask(method, target, headers, content)
            reply = Reply(exchange.status, exchange.headers, exchange.body())
        except BaseException:
            sock.close()
            raise
        self._give(sock, reusable=exchange.reusable)
        return reply

    def _target(self, path: str, query: Mapping[str, str] | None) -> str:
        major, minor = self._version
        return f"/v{major}.{minor}{path}{f'?{urlencode(query)}' if query else ''}"

    def _adopt_version(self, message: str) -> bool:
        """Whether the engine refused our API version and names one that will do instead."""
        found = re.search(_VERSION_REFUSED, message)
        if not found:
            return False
        offered = (int(found[2]), int(found[3]))
        if offered < API_VERSION:
            wanted = ".".join(map(str, API_VERSION))
            raise EngineTooOld(
                400,
                f"{self._address} is too old: it speaks API {found[2]}.{found[3]}, and {wanted} is needed "
                "(Docker 20.10 or later).",
            )
        adopted, self._version = self._version, offered
        return adopted != offered

    def _take(self) -> socket.socket | None:
        """A kept connection that the other side has not closed, as far as can be seen."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                sock, since = self._idle.pop()
            if time.monotonic() - since < IDLE_SECONDS and not _readable(sock):
                return sock
            sock.close()

    def _give(self, sock: socket.socket, *, reusable: bool) -> None:
        with self._lock:
            most = IDLE_SCARCE if isinstance(sock, Scarce) else IDLE_CONNECTIONS
            if reusable and not self._closed and len(self._idle) < most:
                self._idle.append((sock, time.monotonic()))
                return
        sock.close()

    def _lost(self, method: str, path: str, seconds: float | None, error: Exception) -> EngineTimeout:
        what = f"{method} {path}"
        unknown = "" if method == "GET" else " Whether it was done is unknown; it may still be."
        if isinstance(error, TimeoutError) and seconds is not None:
            return EngineTimeout(f"{self._address} did not answer {what} within {seconds:g} s.{unknown}")
        if isinstance(error, BrokenAnswerError) and error.began:
            return EngineTimeout(f"{self._address} gave no usable answer to {what}: {error}.{unknown}")
        return EngineTimeout(f"{self._address} closed the connection at {what}. Is dockerd running there?{unknown}")


def refusal(status: int, message: str) -> EngineRefused:
    """The error of an HTTP status, with the engine's words."""
    if status == 404:
        return NotFound(status, message)
    if status == 409:
        return Conflict(status, message)
    return EngineRefused(status, message)


def message_of(body: bytes) -> str:
    """What an engine's error answer says, in one line: the JSON's `message`, else the text."""
    try:
        found = msgspec.json.decode(body)
        text = found["message"] if isinstance(found, dict) else str(found)
    except (msgspec.DecodeError, KeyError):
        text = body.decode("utf-8", "replace")
    return " ".join(str(text).split())[:4000] or "no reason given"


def _readable(sock: socket.socket) -> bool:
    """Whether a connection that should be silent has something to read: its end, or what nobody asked for."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


def segment(name: str) -> str:
    """The name of a container, a volume, an image as a part of a path. NotFound for what would be none."""
    if name in ("", ".", ".."):  # would ask for something else
        raise NotFound(404, f"No such container, volume or image: '{name}'")
    return quote(name, safe="")
