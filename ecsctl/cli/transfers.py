"""How far images are that go from one place to another, for somebody who waits: one line that changes on a terminal,
elsewhere a line when one begins."""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import suppress
from threading import Lock

from ecsctl.cli.problems import printable, say
from ecsctl.engine.port import PullProgress

REFRESH = 0.1
"""Seconds between changes of the line."""
MEGABYTE = 1_000_000


class Transfers:
    """On stderr. May be told by several threads."""

    def __init__(self) -> None:
        self._under_way: dict[str, str] = {}
        self._begun: set[str] = set()
        self._shown = 0.0
        self._lock = Lock()

    def pulling(self, host: str, image: str, progress: PullProgress | None) -> None:
        """How far a pull is; None: over."""
        said = ""
        if progress and progress.of_layers:
            said = f"{progress.layers} of {progress.of_layers} layers"
            said += f", {megabytes(progress.bytes, progress.of_bytes)}" if progress.of_bytes else ""
        self._tell(f"pulling {image} on {host}", None if progress is None else said)

    def sending(self, image: str, host: str, sent: int, size: int) -> None:
        """How far a push is."""
        self._tell(f"sending {image} to {host}", megabytes(sent, size) if sent < size else None)

    def _tell(self, what: str, how_far: str | None) -> None:
        with self._lock:
            is_new = what not in self._begun
            self._begun.add(what)
            if how_far is None:
                if self._under_way.pop(what, None) is None:
                    return
            else:
                self._under_way[what] = how_far
            if sys.stderr.isatty():
                self._show(at_once=is_new or how_far is None)
            elif is_new:
                say(what)

    def _show(self, *, at_once: bool) -> None:
        now = time.monotonic()
        if not at_once and now - self._shown < REFRESH:
            return
        self._shown = now
        line = "; ".join(f"{what}: {how_far}" if how_far else what for what, how_far in self._under_way.items())
        with suppress(OSError):
            width = shutil.get_terminal_size().columns
            sys.stderr.write(f"\r\x1b[K{printable(line)[: width - 1]}")
            sys.stderr.flush()


def megabytes(done: int, total: int) -> str:
    return f"{done / MEGABYTE:.1f} of {total / MEGABYTE:.1f} MB"
