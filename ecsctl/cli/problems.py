"""What is wrong with a command line, and how every error is shown: one line, nothing that steers a terminal."""

from __future__ import annotations

import sys

from ecsctl.model.errors import InputError

USAGE, CONFIGURATION, SERVICE, OTHER = 252, 253, 254, 255
"""The exit codes of the AWS CLI, version 2, beside 0 and 130 for an interruption."""

FAILED, MISUSED, UNREACHABLE, TIMED_OUT = 1, 2, 5, 124
"""The exit codes of the verbs that AWS does not have, beside 0."""


class UsageError(InputError):
    """The command line cannot be understood: an unknown option, a missing argument, a value of the wrong form."""


class ParameterError(InputError):
    """The request does not have the form the action takes (AWS: "Parameter validation failed")."""


class WaiterError(Exception):
    """`wait` did not see what it waited for (AWS CLI: exit code 255)."""


def printable(text: str) -> str:
    """The text as one line, control characters written as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\u00a0" else _escape(c) for c in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def say(line: str) -> None:
    """One line on stderr, where every message goes."""
    sys.stderr.write(printable(line) + "\n")
