"""How every error ends: one line on stderr and an exit code, never a traceback unless it is asked for."""

from __future__ import annotations

import os
import sys
import traceback
from typing import TYPE_CHECKING, TextIO

from ecsctl.cli.main import INTERRUPTED
from ecsctl.cli.problems import (
    CONFIGURATION,
    FAILED,
    MISUSED,
    OTHER,
    SERVICE,
    TIMED_OUT,
    UNREACHABLE,
    USAGE,
    UsageError,
    WaiterError,
    say,
)
from ecsctl.model.errors import (
    ApiError,
    ConfigError,
    EcsctlError,
    EngineTimeout,
    EngineUnreachable,
    InputError,
)

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation

PIPE_CLOSED = 141
"""As a shell says of a program that SIGPIPE ended."""


def report(error: BaseException, invocation: Invocation) -> int:
    """Say what went wrong; the exit code."""
    if type(error).__name__ == "Exit" and isinstance(code := getattr(error, "exit_code", None), int):
        return code  # Typer's, which is not imported unless a command is made with it
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else FAILED
    if isinstance(error, BrokenPipeError):
        return _leave_quietly()
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    line, aws_code, own_code = _explain(error, invocation)
    try:
        if invocation.wants_traceback:
            traceback.print_exception(error)
        say(line)
    except OSError:
        return _leave_quietly()
    try:
        sys.stdout.flush()
    except OSError:
        discard(sys.stdout)
    return own_code if invocation.is_own else aws_code


def _explain(error: BaseException, invocation: Invocation) -> tuple[str, int, int]:
    """The line, the exit code of an AWS verb, and that of an own one."""
    match error:
        case ApiError():
            return _service_error(error, invocation), SERVICE, FAILED
        case UsageError():
            return f"ecsctl: {error}", USAGE, MISUSED
        case InputError():
            return f"ecsctl: {error}", USAGE, FAILED
        case ConfigError():
            return f"ecsctl: {error}", CONFIGURATION, FAILED
        case EngineUnreachable() | EngineTimeout():
            return f"ecsctl: {error}", OTHER, UNREACHABLE
        case WaiterError() | EcsctlError():
            return f"ecsctl: {error}", OTHER, FAILED
        case TimeoutError():
            return f"ecsctl: timed out: {error}", TIMED_OUT, TIMED_OUT
        case OSError() if error.strerror:
            where = f" {error.filename}" if error.filename else ""
            return f"ecsctl: {error.strerror}{where}", OTHER, FAILED
        case MemoryError() | RecursionError():
            return f"ecsctl: out of {'memory' if isinstance(error, MemoryError) else 'stack'}", OTHER, FAILED
    if usage := getattr(error, "format_message", None):  # Typer's usage errors, see above
        return f"ecsctl: {usage()}", USAGE, MISUSED
    kind, text = type(error).__name__, str(error)
    line = f"ecsctl: this is a bug in ecsctl: {kind}: {text}; set ECSCTL_DEBUG=1 for the traceback"
    return line, OTHER, FAILED


def _service_error(error: ApiError, invocation: Invocation) -> str:
    entry = invocation.entry
    if entry is None or entry.own:
        return f"ecsctl: {error.message} ({error.code})"
    action = "DescribeTasks" if entry.name == "wait" else entry.action
    return f"An error occurred ({error.code}) when calling the {action} operation: {error.message}"


def _leave_quietly() -> int:
    """The reader is gone: nothing may be written any more, not even at the interpreter's end."""
    discard(sys.stdout)
    discard(sys.stderr)
    return PIPE_CLOSED


def discard(stream: TextIO) -> None:
    """Let what the stream still holds go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
