"""`schedule install`, `remove` and `show`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecsctl.cli.commands import SCHEDULE, Entry
from ecsctl.cli.durations import duration_of
from ecsctl.cli.group import chosen
from ecsctl.cli.own import Own
from ecsctl.cli.problems import UsageError, printable, say
from ecsctl.model.record import evolve, to_wire

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation
    from ecsctl.cli.schedule.way import Found, Status, Way

LONGEST = 86400.0
"""Seconds between two runs."""


class Schedule:
    """`ecsctl schedule`, with its three commands."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    def execute(self, invocation: Invocation, words: Sequence[str]) -> int:
        found = chosen(self._entry, SCHEDULE, "command", invocation, words)
        if found is None:
            return 0
        entry, rest = found
        return Own(evolve(entry, name=f"schedule {entry.name}"), _FUNCTIONS[entry.name]).execute(invocation, rest)


def install(
    ctx: typer.Context,
    watch: Annotated[bool, typer.Option("--watch", help="A controller that stays: `reconcile --watch`.")] = False,
    every: Annotated[
        str | None, typer.Option(help="How often to run; with --watch how often to look anyway. [default: 1m]")
    ] = None,
    using: Annotated[
        str | None, typer.Option(help="systemd or crontab; without it, systemd where the machine runs it.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be written; write nothing.")] = False,
) -> int:
    """Let the machine run `ecsctl reconcile` for this state: by a systemd timer, or a line of the crontab.

    Root gets units of the system, everybody else units of their own. Another schedule of the same state is replaced.
    What of the environment the command needs (PATH, HOME, ECSCTL_*, DOCKER_*) is kept as it is here and now.
    """
    from ecsctl.cli.schedule import way as ways
    from ecsctl.cli.schedule.job import job_of, this_program

    invocation: Invocation = ctx.obj
    seconds = _seconds(every or "1m")
    arguments = ["reconcile", "--watch", *(["--interval", every] if every else [])] if watch else ["reconcile"]
    way, others = _chosen(invocation, using)
    entries = way.wanted(job_of(invocation, this_program(), arguments, None if watch else seconds))
    if dry_run:
        for where, content in entries.items():
            sys.stdout.write(f"# {where}\n{content.rstrip()}\n")
        return 0
    replaced = ways.install(way, entries, others)
    for other in replaced.entries:
        say(f"replaced: what was scheduled by {other.name}")
    _print([way.status(entries, _now())], invocation)
    _hint(invocation, way)
    return 0


def remove(ctx: typer.Context) -> int:
    """Take away what `schedule install` made for this state. There may be nothing to take away."""
    found = _found(ctx.obj)
    found.remove()
    for entries in found.entries.values():
        for where in entries:
            say(f"removed: {where}")
    return 0


def show(ctx: typer.Context) -> int:
    """Show what is scheduled for this state, where, when it runs next, and how its last run ended."""
    invocation: Invocation = ctx.obj
    _print([way.status(entries, _now()) for way, entries in _found(invocation).entries.items()], invocation)
    return 0


_FUNCTIONS: dict[str, Callable[..., int]] = {"install": install, "remove": remove, "show": show}


def _ways(invocation: Invocation) -> list[Way]:
    """Every way, the best one first."""
    import pwd

    from ecsctl.cli.schedule import systemd
    from ecsctl.cli.schedule.crontab import Crontab
    from ecsctl.cli.schedule.job import job_name, state_of

    user = os.geteuid()
    try:
        home = pwd.getpwuid(user).pw_dir
    except KeyError:
        home = ""
    state = state_of(invocation)
    directory = systemd.user_units(invocation.environment) if user else systemd.SYSTEM_UNITS
    return [systemd.Systemd(job_name(state, home), directory, system=user == 0), Crontab(state)]


def _chosen(invocation: Invocation, using: str | None) -> tuple[Way, list[Way]]:
    """The way that is asked for, or fits the machine, and the others."""
    from ecsctl.cli.schedule.systemd import RUNS

    ways = _ways(invocation)
    name = using or ("systemd" if RUNS.is_dir() else "crontab")
    way = next((way for way in ways if way.name == name), None)
    if way is None:
        raise UsageError(f"argument --using: {using!r} is none of {', '.join(way.name for way in ways)}")
    return way, [other for other in ways if other is not way]


def _found(invocation: Invocation) -> Found:
    """What is installed. Raises EcsctlError when nothing is seen, and not everything could be looked at."""
    from ecsctl.cli.schedule.way import Found

    found = Found(_ways(invocation))
    if found.unknown and not found.entries:
        raise found.unknown[0]
    if not found.entries:
        say("nothing is installed")
    return found


def _seconds(every: str) -> float:
    seconds = duration_of("--every", every, "30s, 5m or 1h")
    if not 1 <= seconds <= LONGEST:
        raise UsageError(f"argument --every: expected 1s to 1d, got {every}")
    return seconds


def _now() -> datetime:
    return datetime.now().astimezone()


def _print(states: list[Status], invocation: Invocation) -> None:
    if invocation.for_scripts:
        invocation.show({"schedules": [to_wire(state) for state in states]}, "Schedules")
        return
    for state in states:
        rows = {
            "using": state.using,
            "where": ", ".join(state.where),
            "runs": f"every {state.every:g} s" if state.every else "for good",
            "command": state.command,
            "is": state.active or "",
            "next run": _moment(state.next_run),
            "last run": _moment(state.last_run),
            "result": state.last_result or "",
        }
        sys.stdout.writelines(f"{name:<10}{printable(text)}\n" for name, text in rows.items() if text)


def _moment(moment: datetime | None) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else ""


def _hint(invocation: Invocation, way: Way) -> None:
    """What the person has to know about the difference between this shell and the schedule."""
    if way.name == "systemd" and os.geteuid() != 0 and not _lingers():
        say("it runs while you are logged in; `loginctl enable-linger` lets it go on when you are not")
    if invocation.environment.get("SSH_AUTH_SOCK"):
        say("it cannot ask this shell's ssh agent: ssh:// hosts need a key in ~/.ssh that has no passphrase")


def _lingers() -> bool:
    import pwd

    try:
        return Path("/var/lib/systemd/linger", pwd.getpwuid(os.geteuid()).pw_name).exists()
    except KeyError:
        return False
