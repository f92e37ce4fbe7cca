"""Processes apart from the terminal: neither they nor what they start can ask for anything at it.

ssh's own BatchMode does not reach the ssh that it starts for a jump host. What has no terminal cannot ask, whoever
started it; nor does a Ctrl-C reach it, so `end_all` is called where one ends the command.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import subprocess

_running: set[int] = set()
_starting = threading.Lock()


def start(command: Sequence[str], **streams: Any) -> subprocess.Popen[bytes]:
    """The process, in a session of its own. `wait` for it, or `run` it."""
    from concurrent.futures import ThreadPoolExecutor  # most commands start nothing, and all import this module

    with ThreadPoolExecutor(1) as thread:  # so that a signal's handler, in the main one, can wait for it
        return thread.submit(_start, command, streams).result()


def wait(process: subprocess.Popen[bytes]) -> None:
    """Until it ends by itself."""
    process.wait()
    _running.discard(process.pid)


def run(
    command: Sequence[str], seconds: float, given: bytes | None = None, **streams: Any
) -> subprocess.CompletedProcess[bytes]:
    """What became of it. After so many seconds it is ended, with all that it started: subprocess.TimeoutExpired."""
    import subprocess

    with start(command, **streams) as process:
        try:
            out, err = process.communicate(given, timeout=seconds)
        except BaseException:
            _signal(process.pid, signal.SIGKILL)
            raise
        finally:
            _running.discard(process.pid)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def end_all() -> None:
    """End what is running, and let nothing start any more. May be called by a signal's handler."""
    _starting.acquire(timeout=1)
    for pid in tuple(_running):
        _signal(pid, signal.SIGTERM)


def _start(command: Sequence[str], streams: dict[str, Any]) -> subprocess.Popen[bytes]:
    import subprocess

    with _starting:
        process = subprocess.Popen(command, env=_environment(), start_new_session=True, **streams)
        _running.add(process.pid)
    return process


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, number)


def _environment() -> dict[str, str]:
    # Without a terminal ssh asks in a window. Before 8.4 it knew no SSH_ASKPASS_REQUIRE, and asked where a display was.
    displays = ("DISPLAY", "WAYLAND_DISPLAY")
    return {key: value for key, value in os.environ.items() if key not in displays} | {"SSH_ASKPASS_REQUIRE": "never"}
