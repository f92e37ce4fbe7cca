"""The door: arguments in, an exit code out, and every error as one line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """The console script."""
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv: Sequence[str]) -> int:
    """Do what the arguments say; the exit code. Nothing is raised."""
    if list(argv) == ["--version"]:
        from ecsctl import __version__

        sys.stdout.write(f"ecsctl {__version__}\n")
        return 0
    import os

    from ecsctl.cli.invocation import Invocation

    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who started us, as with `>&-`
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 it lives as long as we do
    invocation = Invocation(os.environ)
    try:
        code = _dispatch(invocation, argv)
        sys.stdout.flush()
    except BaseException as error:  # the one place where every error ends
        from ecsctl.cli.failures import report

        return report(error, invocation)
    return code


def _dispatch(invocation: Invocation, argv: Sequence[str]) -> int:
    from ecsctl.cli.dispatch import dispatch
    from ecsctl.cli.problems import UsageError

    for number, argument in enumerate(argv, 1):
        if any("\ud800" <= character <= "\udfff" for character in argument):
            raise UsageError(f"argument {number} is not UTF-8 text")
    return dispatch(invocation, argv)
