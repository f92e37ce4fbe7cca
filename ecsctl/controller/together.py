"""Several calls at once, to several hosts or for several tasks, and how to wait for them."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

T = TypeVar("T")

PARALLEL = 4
"""Calls at once to one host: more make no container start sooner (measured: a start is the host's CPU time)."""
HEARING = 0.5
"""Seconds that a wait may last at a stretch. Only the main thread runs signal handlers, and Linux may give a signal to
another thread, one that begins a thread or a process just then, which does not wake this one."""


def together(
    calls: Sequence[Callable[[], T]],
    limit: int,
    seconds: float | None = None,
    meanwhile: Callable[[], object] | None = None,
) -> list[T | None]:
    """The results of some calls, at most `limit` at once; None for one that did not end within `seconds`.

    A call that takes too long goes on in its thread and does not keep the process from ending. `meanwhile` is done
    here, when all have begun.
    """
    if len(calls) == 1 and seconds is None and meanwhile is None:
        return [calls[0]()]
    results: list[T | None] = [None] * len(calls)
    errors: list[BaseException] = []
    todo = deque(range(len(calls)))

    def work() -> None:
        while True:
            try:
                index = todo.popleft()
            except IndexError:
                return
            try:
                results[index] = calls[index]()
            except BaseException as error:
                errors.append(error)
                return

    threads = [Thread(target=work, daemon=True) for _ in range(min(limit, len(calls)))]
    for thread in threads:
        thread.start()
    if meanwhile is not None:
        meanwhile()
    end = math.inf if seconds is None else time.monotonic() + seconds
    for thread in threads:
        while thread.is_alive() and (left := end - time.monotonic()) > 0:
            thread.join(min(left, HEARING))
    if errors:
        raise errors[0]
    return list(results)


def next_of(queue: SimpleQueue[T], seconds: float | None = None) -> T:
    """What is taken out of a queue; Empty when nothing came within `seconds`."""
    end = math.inf if seconds is None else time.monotonic() + seconds
    while (left := end - time.monotonic()) > HEARING:
        with suppress(Empty):
            return queue.get(timeout=HEARING)
    return queue.get(timeout=max(0.0, left))
