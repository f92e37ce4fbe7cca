"""A job as one line of a crontab (crontab(5)), and a crontab with that line put in or taken out. Pure."""

from __future__ import annotations

import re
import shlex
from datetime import datetime, timedelta

from ecsctl.cli.problems import UsageError
from ecsctl.cli.schedule.job import Job
from ecsctl.model.errors import EcsctlError
from ecsctl.model.state_place import StatePlace

LONGEST = 998
"""Bytes of a command: cron cuts off what is beyond 999 without a word."""

_MINUTES = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60)


def crontab_line(job: Job, log: str) -> str:
    """The line, marked with its state. `log` is the program that takes what the command says; "": nobody does.

    Raises UsageError for a job that cron cannot run at its time, EcsctlError for one that is too long for it.
    """
    assignments = [f"{name}={_word(value)}" for name, value in sorted(job.environment.items())]
    output = f"2>&1 | {_word(log)} -t ecsctl" if log else ">/dev/null 2>&1"
    command = " ".join([*assignments, *map(_word, job.words), output, mark(job.state)])
    if len(command.encode()) > LONGEST:
        raise EcsctlError(
            f"the command has {len(command.encode())} bytes with its environment, and cron takes {LONGEST}: "
            "shorten PATH for this one command"
        )
    return f"{_when(job.every)} {command}"


def mark(state: StatePlace) -> str:
    """The comment at the end of a state's line, by which it is found again."""
    return f"# ecsctl: {_word(str(state))}"


def line_of(text: str, state: StatePlace) -> str | None:
    """The state's line in a crontab. One that somebody made a comment is not ours any more."""
    return next((row.rstrip("\n") for row in _rows(text) if _is_of(row, state)), None)


def edited(text: str, state: StatePlace, line: str | None) -> str:
    """The crontab with this as the state's only line, or without any. Every other line stays as it is."""
    rows: list[str] = []
    for row in _rows(text):
        if not _is_of(row, state):
            rows.append(row)
        elif line is not None:
            rows.append(f"{line}\n")
            line = None
    if line is not None:
        if rows and not rows[-1].endswith("\n"):
            rows[-1] += "\n"
        rows.append(f"{line}\n")
    return "".join(rows)


def interval(line: str) -> int:
    """The minutes between two runs of a line that crontab_line() wrote."""
    minutes = line.partition(" ")[0]
    return {"*": 1, "0": 60}.get(minutes) or int(minutes.removeprefix("*/"))


def next_run(line: str, now: datetime) -> datetime:
    """When cron runs the line next, after `now` (in the machine's zone)."""
    minutes = interval(line)
    begun = now.replace(second=0, microsecond=0)
    return begun + timedelta(minutes=minutes - begun.minute % minutes)


def _when(every: float | None) -> str:
    if every is None:
        raise UsageError("--watch needs systemd: cron does not keep a process running; leave --watch out")
    if every / 60 not in _MINUTES:
        *most, last = (f"{minutes}m" for minutes in _MINUTES)
        raise UsageError(f"argument --every: cron takes {', '.join(most)} or {last}")
    minutes = int(every / 60)
    first = {1: "*", 60: "0"}.get(minutes, f"*/{minutes}")
    return f"{first} * * * *"


def _word(word: str) -> str:
    """A word for the shell that cron starts, as cron has to be told it.

    Cron reads `\\%` as `%`, and some also `\\\\` as `\\`: an empty string behind each backslash keeps it from both.
    """
    return shlex.quote(word).replace("\\", "\\''").replace("%", "\\%")


def _rows(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _is_of(row: str, state: StatePlace) -> bool:
    return not row.lstrip().startswith("#") and row.rstrip("\n").endswith(f" {mark(state)}")
