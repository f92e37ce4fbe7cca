"""ExecuteCommand over the wire: what is answered, and the data channel that the client opens then.

An offer is good for one use, by whoever has its token, in a minute. The token is in the answer and in the channel's
first message, never in a URL or the log; here only its digest is kept.

Source: ECS API_ExecuteCommand, API_Session; ECS developer guide, "Monitor Amazon ECS containers with ECS Exec" (idle
after 20 minutes); aws/session-manager-plugin, src/datachannel (what its end of the channel does).
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from hmac import compare_digest
from threading import Lock
from typing import Any, NamedTuple

from starlette.websockets import WebSocket

from ecsctl.model.api.exec import ExecuteCommandRequest, ExecuteCommandResponse, Session
from ecsctl.model.errors import ApiError, InputError, invalid_parameter
from ecsctl.operations.context import Context
from ecsctl.operations.exec import Target, target_of
from ecsctl.operations.strict_json import parse_json
from ecsctl.server.terminal import GONE, Terminal

PATH = "/v1/data-channel/{session}"
MOST = 100
"""Sessions that may be open, or offered, at once."""
GOOD_FOR = 60.0
"""Seconds in which an offer has to be taken."""
_OPENING = 10.0
"""Seconds for the first message."""
_CLOSING = 8.0
"""Seconds in which sessions may end at the server's end."""
_REFUSED = 1008
"""The WebSocket's close code of a client that may not."""


class Offer(NamedTuple):
    """What a token is good for. `until` is of the monotonic clock, `origin` the endpoint as a browser would name it,
    `caller` the ARN of who asked."""

    digest: bytes
    until: float
    origin: str
    caller: str
    target: Target


class Sessions:
    """Those of one server."""

    def __init__(self, context: Context, log: Callable[[str], object]) -> None:
        self._context = context
        self._log = log
        self._offers: dict[str, Offer] = {}
        self._open: set[Terminal] = set()
        self._lock = Lock()
        self._closing = False

    def offer(self, context: Context, request: ExecuteCommandRequest, origin: str) -> ExecuteCommandResponse:
        """The answer to ExecuteCommand, asked in a context of its own at `origin` (`https://host:port`). Errors as of
        target_of(); ClientException when there are too many."""
        if not request.interactive:
            raise invalid_parameter("Interactive is the only mode supported currently.")
        target = target_of(context, request)
        session, token = f"ecs-execute-command-{secrets.token_hex(9)[:17]}", secrets.token_urlsafe(32)
        now = time.monotonic()
        with self._lock:
            self._offers = {key: offer for key, offer in self._offers.items() if offer.until > now}
            if len(self._offers) + len(self._open) >= MOST:
                raise ApiError("ClientException", f"{MOST} sessions of ExecuteCommand are open already: end some.")
            self._offers[session] = Offer(_digest(token), now + GOOD_FOR, origin, context.caller, target)
        stream = origin.replace("http", "ws", 1) + PATH.format(session=session)
        return ExecuteCommandResponse(
            target.cluster,
            target.container_arn,
            target.container,
            interactive=True,
            session=Session(session, stream, token),
            task_arn=target.task,
        )

    async def channel(self, websocket: WebSocket) -> None:
        """What comes to the URL of a session. Before it is known who comes, nothing is said but no."""
        session = websocket.path_params["session"]
        with self._lock:
            offer = self._offers.get(session)
        origin = websocket.headers.get("origin")  # programs send none; a web page's is its own
        if offer is None or self._closing or origin not in (None, offer.origin):
            await websocket.close(_REFUSED)  # not accepted yet: status 403
            return
        await websocket.accept()
        client = await self._opened(websocket, session)
        if client is None or self._closing:
            with suppress(*GONE):
                await websocket.close(_REFUSED)
            return
        terminal = Terminal(self._context, offer.target, websocket, session, client)
        self._open.add(terminal)
        began = time.monotonic()
        self._say(session, f"opened by {offer.caller}")
        try:
            why = await terminal.run()
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            why = f"a bug in ecsctl: {type(error).__name__} at {place.filename}:{place.lineno}"
        finally:
            self._open.discard(terminal)
        self._say(session, f"ended after {time.monotonic() - began:.0f}s: {why}")

    async def close(self) -> None:
        """End all sessions; whoever is at a terminal is told why."""
        self._closing = True
        for terminal in self._open:
            terminal.end("The server ends.")
        end = time.monotonic() + _CLOSING
        while self._open and time.monotonic() < end:
            await asyncio.sleep(0.05)

    async def _opened(self, websocket: WebSocket, session: str) -> str | None:
        """The client's id, when its first message has the token, which is used up then; else None."""
        try:
            first = await asyncio.wait_for(websocket.receive(), _OPENING)
            message = parse_json(first.get("text") or "", "the first message")
        except (asyncio.TimeoutError, InputError):
            return None
        fields: dict[str, Any] = message if isinstance(message, dict) else {}
        digest = _digest(str(fields.get("TokenValue")))
        with self._lock:
            offer = self._offers.get(session)
            if offer is None or offer.until < time.monotonic() or not compare_digest(digest, offer.digest):
                return None
            del self._offers[session]
        return str(fields.get("ClientId"))[:100]

    def _say(self, session: str, what: str) -> None:
        self._log(f"{datetime.now(timezone.utc).isoformat(timespec='milliseconds')} {session} {what}")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
