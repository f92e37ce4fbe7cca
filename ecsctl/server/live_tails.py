"""Live tails that are open: each a stream of events, one a second, until the client leaves or it has lasted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from starlette.concurrency import run_in_threadpool

from ecsctl.model.errors import ApiError, EcsctlError
from ecsctl.model.record import Record, evolve
from ecsctl.operations.neighbours.live_tail import LiveTail
from ecsctl.server import protocol
from ecsctl.server.neighbours import event_stream

_MOST = 15
"""Of an account at once (CloudWatch Logs service quotas)."""
_SECONDS = 3 * 3600
"""How long one lasts (StartLiveTail)."""
_TICK = 1.0


class _Message(Record):
    message: str


class LiveTails:
    """Those of one server. It is used by its event loop."""

    content_type = event_stream.CONTENT_TYPE

    def __init__(self) -> None:
        self._open = 0
        self._closed = asyncio.Event()

    def close(self) -> None:
        """End them all, soon."""
        self._closed.set()

    def stream(self, tail: LiveTail, number: str, allowed: Callable[[], object]) -> AsyncIterator[bytes]:
        """The events of a session that the request of that number began. It goes on as long as `allowed` raises
        nothing. LimitExceededException."""
        if self._open >= _MOST:
            raise ApiError(
                "LimitExceededException", f"There are {_MOST} live tails already, which is as many as can be."
            )

        def look() -> bytes:
            allowed()
            return protocol.answer_body(tail.look())

        return self._events(evolve(tail.start, request_id=number), look)

    async def _events(self, start: Record, look: Callable[[], bytes]) -> AsyncIterator[bytes]:
        self._open += 1
        try:
            yield event_stream.event("initial-response", b"{}")
            yield event_stream.event("sessionStart", protocol.answer_body(start))
            end = time.monotonic() + _SECONDS
            while time.monotonic() < end:
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._closed.wait(), _TICK)
                if self._closed.is_set():
                    yield _ended("SessionStreamingException", "The server ends.")
                    return
                yield event_stream.event("sessionUpdate", await run_in_threadpool(look))
            yield _ended("SessionTimeoutException", "The session has lasted three hours.")
        except EcsctlError as error:
            yield _ended("SessionStreamingException", str(error))
        finally:
            self._open -= 1


def _ended(kind: str, message: str) -> bytes:
    return event_stream.exception(kind, protocol.answer_body(_Message(message)))
