"""`execute-command`: a command in a container, at this terminal."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ecsctl.cli.action import Action
from ecsctl.cli.argv import Parsed
from ecsctl.cli.flags import build

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation
    from ecsctl.engine.port import ExecSession, Stream


class ExecuteCommand(Action):
    """The action, which needs no plugin here: the command's input and output are this process's, its exit code too."""

    def run(self, invocation: Invocation, parsed: Parsed) -> int:
        from ecsctl.operations.exec import execute_command

        request: Any = build(self.request_type, parsed.values, self.own_flags)
        tty = request.interactive and sys.stdin.isatty() and sys.stdout.isatty()
        with invocation.open() as context:
            session = execute_command(context, request, tty=tty, stdin=request.interactive)
            stdin = sys.stdin.fileno() if request.interactive else None
            if not tty:
                return session.converse(stdin, _write)
            with _raw_terminal(session):
                return session.converse(stdin, _write)


def _write(stream: Stream, data: bytes) -> None:
    out = (sys.stderr if stream == "stderr" else sys.stdout).buffer
    out.write(data)
    out.flush()


@contextmanager
def _raw_terminal(session: ExecSession) -> Iterator[None]:
    """Every key goes to the container, Ctrl-C too; its terminal has the size of this one, also when that changes."""
    import termios
    import tty

    def tell_size(*_: object) -> None:
        size = os.get_terminal_size(sys.stdout.fileno())
        session.resize(size.lines, size.columns)

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    handler = signal.signal(signal.SIGWINCH, tell_size)
    tty.setraw(descriptor, termios.TCSADRAIN)  # what was typed already is for the container
    try:
        tell_size()
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
        signal.signal(signal.SIGWINCH, handler)
