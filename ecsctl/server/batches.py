"""Short work, done by the batch: what came while one was done is the next.

A thread for each would take longer to wake than the work takes, and the one that answers would wait for each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Generic, TypeVar

MOST = 64
"""In a batch: what is done at the same time elsewhere may have to wait for it."""

R = TypeVar("R")
Work = Callable[[], R]


class Batches(Generic[R]):
    """Of an event loop. Work is done in the order in which it comes, by one thread of the executor at a time."""

    def __init__(self, executor: Executor, together: Callable[[Sequence[Work[R]]], Sequence[R]]) -> None:
        """`together` does a batch. What it raises is raised to all of it."""
        self._executor = executor
        self._together = together
        self._waiting: list[tuple[asyncio.Future[R], Work[R]]] = []
        self._is_busy = False

    def do(self, work: Work[R]) -> asyncio.Future[R]:
        """What comes of it."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        self._waiting.append((future, work))
        if not self._is_busy:
            self._is_busy = True
            loop.call_soon(self._begin)  # what else has come already is of the first batch too
        return future

    def _begin(self) -> None:
        batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        every = [work for _, work in batch]
        under_way = asyncio.get_running_loop().run_in_executor(self._executor, self._together, every)
        under_way.add_done_callback(partial(self._end, [future for future, _ in batch]))

    def _end(self, futures: Sequence[asyncio.Future[R]], done: asyncio.Future[Sequence[R]]) -> None:
        error = done.exception()
        for index, future in enumerate(futures):
            if future.done():
                continue  # nobody waits for it any more
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(done.result()[index])
        if self._waiting:
            self._begin()
        else:
            self._is_busy = False
