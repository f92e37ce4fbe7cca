"""What containers ask the endpoint of their host that it cannot answer by itself: it says so on its output, and waits
for a file with the answer (see endpoint.sh)."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from ecsctl.controller.clock import Clock
from ecsctl.engine.port import Engine
from ecsctl.model.timestamps import rfc3339

WAITED_FOR = 70.0
"""Seconds that the endpoint waits for an answer, or a little less."""
_WORDS = 5


class Request(Struct, frozen=True):
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
    for line in said(engine, run, clock):
        if request := parse(run, line):
            asked[request.number] = request
        elif number := done_with(line):
            asked.pop(number, None)
    return list(asked.values())


def parse(run: str, line: bytes) -> Request | None:
    """A line of an endpoint's output; None when nothing is asked with it."""
    word, *words = line.decode("ascii", "replace").split(" ")
    if word != "ask" or len(words) != _WORDS:
        return None
    import base64  # mostly nothing is asked
    import binascii

    number, known, method, what, body = words
    try:
        return Request(run, number, known, method, what, base64.b64decode(body, validate=True))
    except binascii.Error:
        return None


def said(engine: Engine, run: str, clock: Clock) -> Iterable[bytes]:
    """The lines of an endpoint's output that may still matter."""
    return [chunk.line for chunk in engine.logs(run, since=begin(clock))]


def begin(clock: Clock) -> str:
    """The time that what still matters was said after."""
    return rfc3339(clock.now().timestamp() - WAITED_FOR)


def done_with(line: bytes) -> str | None:
    """The number of the request that is over, when the line says that one is."""
    word, _, number = line.decode("ascii", "replace").partition(" ")
    return number if word == "done" else None
