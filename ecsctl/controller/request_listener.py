"""Listening to what containers ask the endpoint of their host, while the controller stays."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

from ecsctl.controller.clock import Clock
from ecsctl.controller.endpoint_container import present
from ecsctl.controller.requests import Request, begin, done_with, parse, said
from ecsctl.engine.port import Engine
from ecsctl.model.errors import EngineError

PAUSE = (1.0, 10.0)
"""Seconds between looks for an endpoint to listen to: the first, and the most."""


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
            over = {number for line in said(engine, run, self._clock) if (number := done_with(line))}
            for chunk in engine.logs(run, follow=True, since=begin(self._clock)):
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
