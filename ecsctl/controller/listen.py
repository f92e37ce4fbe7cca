"""Listening to a host: its engine's events, for as long as it is wanted, through every failure."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import NamedTuple

from ecsctl.engine.port import Engine
from ecsctl.model.errors import EngineError

QUIET = 60.0
"""Seconds without an event after which the stream is opened anew: a dead connection may look like silence."""
PAUSE = (1.0, 10.0)
"""Seconds before another attempt at a host that does not answer: the first, and the most."""


class Happened(NamedTuple):
    """Something happened to a container of a task (by id) on a host (by ARN). `ended`: the container that ended."""

    host: str
    task: str
    ended: str | None = None


class Look(NamedTuple):
    """A host is to be looked at: events may have been missed, or it does not answer."""

    host: str


class Listener:
    """Listens to one host in a thread of its own, and says what it hears by `tell`."""

    def __init__(
        self, host: str, connect: Callable[[], Engine], install: str, tell: Callable[[Happened | Look], object]
    ) -> None:
        self._host = host
        self._connect = connect
        self._install = install
        self._tell = tell
        self._ended = Event()
        Thread(target=self._listen, daemon=True).start()

    def end(self) -> None:
        """Say nothing more. The thread ends when its stream does."""
        self._ended.set()

    def _listen(self) -> None:
        pause = PAUSE[0]
        while not self._ended.is_set():
            if self._hear():
                pause = PAUSE[0]
                continue
            self._tell(Look(self._host))
            self._ended.wait(pause)
            pause = min(pause * 2, PAUSE[1])

    def _hear(self) -> bool:
        """One stream, to its end; whether there was one."""
        heard = False
        try:
            for event in self._connect().events(self._install, QUIET):
                if self._ended.is_set():
                    return True
                heard = True
                if event is None:
                    self._tell(Look(self._host))
                else:
                    self._tell(Happened(self._host, event.task, event.container if event.action == "die" else None))
        except EngineError:
            pass
        return heard
