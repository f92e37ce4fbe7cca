"""Workers: a bounded number of threads that do jobs, each job under a key, one at a time per key."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock, Thread
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Done(NamedTuple, Generic[T]):
    """A job that has ended: its result, or the exception that ended it."""

    key: str
    result: T | None
    error: Exception | None


class Crew(Generic[T]):
    """Threads that come with the work and go when there is none. They do not keep the process from ending."""

    def __init__(self, limit: int, done: Callable[[Done[T]], object]) -> None:
        """`done` is told of the end of each job, in the worker's thread."""
        self._limit = limit
        self._done = done
        self._waiting: deque[tuple[str, Callable[[], T]]] = deque()
        self._keys: set[str] = set()
        self._workers = 0
        self._untold = 0  # jobs whose end `done` does not know yet
        self._lock = Lock()

    @property
    def busy(self) -> bool:
        return self._untold > 0

    def take(self, key: str, job: Callable[[], T]) -> bool:
        """Do a job as soon as a worker is free; False when there is one of that key already."""
        with self._lock:
            if key in self._keys:
                return False
            self._keys.add(key)
            self._untold += 1
            self._waiting.append((key, job))
            if self._workers < self._limit:
                self._workers += 1
                Thread(target=self._work, daemon=True).start()
        return True

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._workers -= 1
                    return
                key, job = self._waiting.popleft()
            result, problem = None, None
            try:
                result = job()
            except Exception as error:
                problem = error
            with self._lock:
                self._keys.remove(key)
            self._done(Done(key, result, problem))
            with self._lock:
                self._untold -= 1
