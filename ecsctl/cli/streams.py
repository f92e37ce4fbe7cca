"""The output of containers, passed on line by line."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ecsctl.cli.problems import say
from ecsctl.model.arn import last_part

if TYPE_CHECKING:
    from ecsctl.engine.port import LogChunk
    from ecsctl.operations.context import Context

TICK = 0.1
"""Seconds between looks at the threads, so that an interruption is heard."""

_COLOURS = (36, 33, 32, 35, 34, 31)


class Printer:
    """Prints lines: stdout to stdout, stderr to stderr, behind the container's name if there are `several`.

    Several threads may print; lines stay whole. Names have colours on a terminal only. `names` are those that are known
    beforehand: the column is as wide as the longest so far.
    """

    def __init__(self, names: Sequence[str] = (), *, several: bool, timestamps: bool = False) -> None:
        self._several = several
        self._timestamps = timestamps
        self._lock = threading.Lock()
        self._width = max(map(len, names), default=0)
        self._colours = {name: _COLOURS[n % len(_COLOURS)] for n, name in enumerate(names)}

    def print_all(self, chunks: Iterable[tuple[str, LogChunk]]) -> None:
        for name, chunk in chunks:
            self.line(name, chunk)

    def line(self, name: str, chunk: LogChunk) -> None:
        stream = sys.stderr if chunk.stream == "stderr" else sys.stdout
        text = self._prefix(name, stream.isatty()) if self._several else ""
        if self._timestamps:
            text += f"{chunk.timestamp} "
        with self._lock:
            stream.buffer.write(text.encode() + chunk.line + b"\n")
            stream.buffer.flush()

    def _prefix(self, name: str, coloured: bool) -> str:
        self._colours.setdefault(name, _COLOURS[len(self._colours) % len(_COLOURS)])
        self._width = max(self._width, len(name))
        text = f"{name:<{self._width}} | "
        return f"\033[{self._colours[name]}m{text}\033[0m" if coloured and not os.environ.get("NO_COLOR") else text


class Follower:
    """Prints the output of tasks, a thread per task, and thereby brings the tasks to their end.

    Reading a task's output drives the task: nothing else in this process may do so meanwhile.
    """

    def __init__(self, context: Context, tasks: Mapping[str, Sequence[str]]) -> None:
        """`tasks`: the containers' names by the task's ARN."""
        self._context = context
        self._names = {arn: f"{last_part(arn)[:8]}/" if len(tasks) > 1 else "" for arn in tasks}
        known = [self._names[arn] + name for arn, names in tasks.items() for name in names]
        self._printer = Printer(known, several=len(known) > 1)
        self._reader_is_gone = False
        self._is_over = False

    def follow(self, timeout: float) -> None:
        """Until all output has ended, or for `timeout` seconds. BrokenPipeError: nobody reads ours any more."""
        end = time.monotonic() + timeout
        threads = [threading.Thread(target=self._copy, args=(arn,), daemon=True) for arn in self._names]
        for thread in threads:
            thread.start()
        try:
            while any(thread.is_alive() for thread in threads) and time.monotonic() < end:
                next((thread for thread in threads if thread.is_alive()), threads[0]).join(TICK)
                if self._reader_is_gone:
                    raise BrokenPipeError
        finally:
            self._is_over = True

    def _copy(self, arn: str) -> None:
        from ecsctl.operations.logs import task_logs

        try:
            for name, chunk in task_logs(self._context, arn):
                if self._is_over:
                    return
                self._printer.line(self._names[arn] + name, chunk)
        except BrokenPipeError:
            self._reader_is_gone = True
        except Exception as error:
            if not self._is_over:  # else what we work with is being closed
                say(f"ecsctl: the output of task {last_part(arn)} could not be read: {error}")
