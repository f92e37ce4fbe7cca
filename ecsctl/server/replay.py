"""What was answered to signed requests that change something: the same bytes again get the same answer, and no second
effect. A client that tries again within a second sends the same bytes, so they must not be refused.

Nor must what is asked twice on purpose be taken for one: a date has seconds, so within one of them two requests may
have the same signature. What tells them apart is the id that SDKs give to each call, the same whenever they try again.
It is not signed by all of them, so it counts only where that can be: shortly after the first.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

KEPT = 600.0
"""Seconds: longer than a signature is taken for, from five minutes before its date to five minutes after."""
ON_PURPOSE = 2.0
"""Seconds after the first in which another call may have the same signature."""
MOST_BYTES = 32 << 20
"""Of answers that are kept; the oldest go first."""
_EACH = 1000
"""Bytes that one takes beside its body."""


class Sized(Protocol):
    """An answer."""

    @property
    def body(self) -> bytes: ...


A = TypeVar("A", bound=Sized)


class _Entry(Generic[A]):
    """A call. `done` once there is an answer, or it ended without one that is to be kept."""

    def __init__(self, call: str, since: float) -> None:
        self.call = call
        self.since = since
        self.done = threading.Event()
        self.answer: A | None = None

    @property
    def size(self) -> int:
        return _EACH + len(self.answer.body) if self.answer is not None else 0


class Answers(Generic[A]):
    """The answers, by signature."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, most_bytes: int = MOST_BYTES) -> None:
        self._clock = clock
        self._most = most_bytes
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, list[_Entry[A]]] = OrderedDict()
        """Those of one signature, the first one first."""
        self._bytes = 0

    def once(self, signature: str, call: str, work: Callable[[], A], keeps: Callable[[A], bool]) -> A:
        """The answer that was given to this signature, waited for while it is under way; else that of `work`, which
        is kept if `keeps` says so. `call` is the client's id of the call."""
        while True:
            with self._lock:
                self._forget()
                entry = self._found(signature, call)
                if entry is None:
                    own = _Entry[A](call, self._clock())
                    self._entries.setdefault(signature, []).append(own)
            if entry is None:
                return self._done(signature, own, work, keeps)
            entry.done.wait()
            if entry.answer is not None:
                return entry.answer

    def now(self) -> float:
        """The moment, for `forget`."""
        return self._clock()

    def forget(self, answers: Sequence[A], since: float) -> None:
        """Keep none of these that were asked for since then. One from before that was given again holds: what it tells
        of is done."""
        gone = set(map(id, answers))
        with self._lock:
            for signature, entries in list(self._entries.items()):
                kept = [one for one in entries if one.answer is None or one.since < since or id(one.answer) not in gone]
                self._bytes -= sum(entry.size for entry in entries) - sum(entry.size for entry in kept)
                if kept:
                    self._entries[signature] = kept
                else:
                    del self._entries[signature]

    def _found(self, signature: str, call: str) -> _Entry[A] | None:
        entries = self._entries.get(signature, [])
        same = next((entry for entry in entries if entry.call == call), None)
        if same is None and entries and entries[0].since < self._clock() - ON_PURPOSE:
            return entries[0]
        return same

    def _done(self, signature: str, entry: _Entry[A], work: Callable[[], A], keeps: Callable[[A], bool]) -> A:
        answer = None
        try:
            answer = work()
            return answer
        finally:
            with self._lock:
                if answer is not None and keeps(answer):
                    entry.answer = answer
                    self._bytes += entry.size
                else:
                    self._entries[signature].remove(entry)
                    if not self._entries[signature]:
                        del self._entries[signature]
            entry.done.set()

    def _forget(self) -> None:
        """What is too old, and the oldest while there is too much; what is under way stays."""
        too_old = self._clock() - KEPT
        gone = []
        for signature, entries in self._entries.items():
            if any(entry.answer is None for entry in entries):
                continue
            if entries[0].since >= too_old and self._bytes <= self._most:
                break
            self._bytes -= sum(entry.size for entry in entries)
            gone.append(signature)
        for signature in gone:
            del self._entries[signature]
