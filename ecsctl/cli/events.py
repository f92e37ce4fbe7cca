"""`events`: the journal, one line per event."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ecsctl.cli.commands import Entry
from ecsctl.cli.logs import moment
from ecsctl.cli.own import Own
from ecsctl.cli.problems import UsageError, printable
from ecsctl.model.record import to_wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ecsctl.cli.invocation import Invocation
    from ecsctl.operations.journal import JournalEntry

LINES = 50
"""How many are shown when nothing says how many, or since when."""

_NOUNS = {"container-instance": "instance"}


def command(entry: Entry) -> Own:
    return Own(entry, events)


def events(
    ctx: typer.Context,
    cluster: Annotated[str | None, typer.Option(help="The cluster; without it, `default`.")] = None,
    task: Annotated[str | None, typer.Option(help="Of one task: its id, the beginning of it, or its ARN.")] = None,
    service: Annotated[str | None, typer.Option(help="Of one service and its tasks: its name or ARN.")] = None,
    schedule: Annotated[str | None, typer.Option(help="Of one schedule and its tasks: its name or ARN.")] = None,
    since: Annotated[str | None, typer.Option(help="From then on: 10m, 2h, 2026-01-02T15:04:05Z.")] = None,
    tail: Annotated[
        int | None, typer.Option("--tail", "-n", help=f"The last lines only; {LINES} unless --since is given.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what happens, until Ctrl-C.")] = False,
) -> int:
    """Print the journal of a cluster, oldest line first: when, what it happened to, what happened, why.

    As data (`--output`, `--query`) it is a list; with --follow one event at a time, in JSON a line each.
    """
    from ecsctl.operations.journal import journal

    if tail is not None and tail < 0:
        raise UsageError(f"argument --tail: expected 0 or more, got {tail}")
    about = {
        key: value for key, value in (("task", task), ("service", service), ("schedule", schedule)) if value is not None
    }
    if len(about) > 1:
        raise UsageError("only one of --task, --service and --schedule can be given")
    invocation: Invocation = ctx.obj
    with invocation.open() as context:
        start = moment(since, context.now()) if since else None
        last = LINES if tail is None and start is None else tail
        batches = journal(context, cluster, since=start, last=last, follow=follow, **about)
        if not invocation.for_scripts:
            printer = Printer()
            for batch in batches:
                printer.print_all(batch)
        elif follow:
            for batch in batches:
                for entry in batch:
                    invocation.show_next(to_wire(entry), "Event")
        else:
            invocation.show([to_wire(entry) for batch in batches for entry in batch], "Events")
    return 0


class Printer:
    """Prints the lines of a journal in columns, which get wider when something longer comes."""

    def __init__(self) -> None:
        self._widths = (0, 0)

    def print_all(self, entries: Sequence[JournalEntry]) -> None:
        rows = [(_what(entry), printable(entry.kind), entry) for entry in entries]
        self._widths = (
            max([self._widths[0], *(len(what) for what, _, _ in rows)]),
            max([self._widths[1], *(len(kind) for _, kind, _ in rows)]),
        )
        for what, kind, entry in rows:
            when = entry.at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
            line = f"{when}  {what:<{self._widths[0]}}  {kind:<{self._widths[1]}}  {printable(entry.message)}"
            sys.stdout.write(line.rstrip() + "\n")
        sys.stdout.flush()


def _what(entry: JournalEntry) -> str:
    name = entry.name[:12] if entry.resource == "task" else entry.name
    return printable(f"{_NOUNS.get(entry.resource, entry.resource)} {name}")
