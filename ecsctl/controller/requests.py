"""What containers ask the endpoint of their host that it cannot answer by itself: it says so on its output, and waits
for a file with the answer (see endpoint.sh)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from threading import Event, Thread
from typing import Any, NamedTuple

from ecsctl.controller.clock import Clock
from ecsctl.controller.endpoint_container import present, put
from ecsctl.engine.port import Engine
from ecsctl.model.errors import EngineError
from ecsctl.model.stored import TaskRecord
from ecsctl.model.timestamps import rfc3339
from ecsctl.scheduler.metadata import lines_of, metadata_id

WAITED_FOR = 70.0
"""Seconds that the endpoint waits for an answer, or a little less."""
PAUSE = (1.0, 10.0)
"""Seconds between looks for an endpoint to listen to: the first, and the most."""
_WORDS = 5


class Request(NamedTuple):
    """`run`: which endpoint asks, `id`: what it knows the container by, `what`: protection, stats or task/stats."""

    run: str
    number: str
    id: str
    method: str
    what: str
    body: bytes


def pending(engine: Engine, run: str, clock: Clock) -> list[Request]:
    """What an endpoint waits for an answer to."""
    asked: dict[str, Request] = {}
    for line in _said(engine, run, clock):
        if request := parse(run, line):
            asked[request.number] = request
        elif number := _done(line):
            asked.pop(number, None)
    return list(asked.values())


def parse(run: str, line: bytes) -> Request | None:
    """A line of an endpoint's output; None when nothing is asked with it."""
    word, *words = line.decode("ascii", "replace").split(" ")
    if word != "ask" or len(words) != _WORDS:
        return None
    number, known, method, what, body = words
    try:
        return Request(run, number, known, method, what, base64.b64decode(body, validate=True))
    except binascii.Error:
        return None


def asker(request: Request, tasks: Iterable[TaskRecord], key: bytes) -> tuple[TaskRecord, str] | None:
    """Whose container asks, and its name; None when it is none of these tasks'."""
    for record in tasks:
        for state in record.own_containers:
            if record.endpoint and record.endpoint.offered and metadata_id(record, state.name, key) == request.id:
                return record, state.name
    return None


def answer(engine: Engine, request: Request, status: int, document: dict[str, Any]) -> None:
    """Give the endpoint the HTTP status and the document that it waits for."""
    file = f"{status}\n{lines_of(document)}"
    put(engine, request.run, {f"a/{request.number}": file})


class RequestListener:
    """Listens to the endpoint of one host in a thread of its own, and passes on what is asked by `tell`."""

    def __init__(
        self,
        connect: Callable[[], Engine],
        clock: Clock,
        tell: Callable[[Request], object],
        ended: Callable[[], object],
    ) -> None:
        """`ended` is told when an endpoint that was listened to has ended."""
        self._tell_end = ended
        self._connect = connect
        self._clock = clock
        self._tell = tell
        self._ended = Event()
        Thread(target=self._listen, daemon=True).start()

    def end(self) -> None:
        """Pass on nothing more. The thread ends when its stream does."""
        self._ended.set()

    def _listen(self) -> None:
        pause = PAUSE[0]
        while not self._ended.is_set():
            pause = PAUSE[0] if self._hear() else min(pause * 1.5, PAUSE[1])
            self._ended.wait(pause)

    def _hear(self) -> bool:
        """One stream, to its end; whether there was one."""
        try:
            engine = self._connect()
            run = present(engine)
            if run is None:
                return False
            over = {number for line in _said(engine, run, self._clock) if (number := _done(line))}
            for chunk in engine.logs(run, follow=True, since=_begin(self._clock)):
                if self._ended.is_set():
                    break
                request = parse(run, chunk.line)
                if request and request.number not in over:
                    self._tell(request)
        except EngineError:
            return False
        if not self._ended.is_set():
            self._tell_end()
        return True


def _said(engine: Engine, run: str, clock: Clock) -> Iterable[bytes]:
    return [chunk.line for chunk in engine.logs(run, since=_begin(clock))]


def _begin(clock: Clock) -> str:
    return rfc3339(clock.now().timestamp() - WAITED_FOR)


def _done(line: bytes) -> str | None:
    word, _, number = line.decode("ascii", "replace").partition(" ")
    return number if word == "done" else None
