"""The door: arguments in, an exit code out, and every error as one line."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation

INTERRUPTED = 130
"""The exit code after Ctrl-C. It stands here because it is needed before anything else is imported."""


def main() -> NoReturn:
    """The console script."""
    # What start-up makes stays; looking for garbage in it costs 15 ms.
    gc.set_threshold(100_000)
    try:
        from ecsctl.cli.interrupt import listen

        listen()
        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # outside of what run() guards
        code = INTERRUPTED
    # All is closed and flushed; taking the interpreter down in order costs 20 ms, and what a thread still waits
    # for, an engine's answer say, must not keep the command from ending.
    os._exit(code)


def run(argv: Sequence[str]) -> int:
    """Do what the arguments say; the exit code. Nothing is raised."""
    if list(argv) == ["--version"]:
        from ecsctl import __version__

        sys.stdout.write(f"ecsctl {__version__}\n")
        sys.stdout.flush()
        return 0
    _import_msgspec()
    from ecsctl.cli.invocation import Invocation

    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who started us, as with `>&-`
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 it lives as long as we do
    invocation = Invocation(os.environ)
    try:
        code = _dispatch(invocation, argv)
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException as error:  # the one place where every error ends
        from ecsctl.cli.failures import report

        return report(error, invocation)
    return code


def _import_msgspec() -> None:
    """Without typing_extensions, which msgspec asks for what typing has as well: that alone takes 10 ms."""
    if "typing_extensions" in sys.modules or sys.version_info < (3, 11):
        return
    sys.modules["typing_extensions"] = None  # type: ignore[assignment,unused-ignore]
    import msgspec  # noqa: F401

    del sys.modules["typing_extensions"]


def _dispatch(invocation: Invocation, argv: Sequence[str]) -> int:
    from ecsctl.cli.dispatch import dispatch
    from ecsctl.cli.problems import UsageError

    for number, argument in enumerate(argv, 1):
        if any("\ud800" <= character <= "\udfff" for character in argument):
            raise UsageError(f"argument {number} is not UTF-8 text")
    return dispatch(invocation, argv)
