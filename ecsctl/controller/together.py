"""Several calls at once, to several hosts or for several tasks."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from threading import Thread
from typing import TypeVar

T = TypeVar("T")

PARALLEL = 4
"""Calls at once to one host: more make no container start sooner (measured: a start is the host's CPU time)."""


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
    end = None if seconds is None else time.monotonic() + seconds
    for thread in threads:
        thread.join(None if end is None else max(0.0, end - time.monotonic()))
    if errors:
        raise errors[0]
    return list(results)
