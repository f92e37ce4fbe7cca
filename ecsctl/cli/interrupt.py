"""Ctrl-C: it ends the command at once with 130, whenever it comes.

An exception would not do: raised inside an import, a destructor or a library's own callback it is lost, or leaves
half of something behind. Ending at once is safe, since the state survives a kill at any instruction.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from ecsctl.cli.main import INTERRUPTED
from ecsctl.engine import apart

_last: list[Callable[[], None]] = []


def listen() -> None:
    """From now on. A process that was started with SIGINT ignored, in the background of a script say, goes on so."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


@contextmanager
def doing_last(what: Callable[[], None]) -> Iterator[None]:
    """Within it, an interruption does this before the end."""
    _last.append(what)
    try:
        yield
    finally:
        _last.remove(what)


def _end(number: int, _: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)  # the second one does not wait for the last words
    try:
        for what in _last:
            what()
    finally:
        apart.end_all()  # the terminal tells those who share it
        os._exit(INTERRUPTED)
