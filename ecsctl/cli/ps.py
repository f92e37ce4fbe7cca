"""`ps`: what runs where, one line per container."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ecsctl.cli.commands import Entry
from ecsctl.cli.durations import short_duration
from ecsctl.cli.own import Own
from ecsctl.cli.problems import UNREACHABLE
from ecsctl.model.record import to_wire

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation
    from ecsctl.operations.overview import PsRow

HEAD = ("TASK", "DEFINITION", "CONTAINER", "STATUS", "HEALTH", "ADDRESS", "HOST", "AGE")


def command(entry: Entry) -> Own:
    return Own(entry, ps)


def ps(
    ctx: typer.Context,
    cluster: Annotated[str | None, typer.Option(help="The cluster; without it, `default`.")] = None,
    every: Annotated[bool, typer.Option("--all", "-a", help="Stopped tasks too, with why they stopped.")] = False,
) -> int:
    """Show the tasks of a cluster: what runs where, one line per container.

    Exits with 5 when a host did not answer: its tasks are shown as they were last seen.
    """
    from ecsctl.operations.overview import overview

    invocation: Invocation = ctx.obj
    with invocation.open() as context:
        rows, complete = overview(context, cluster, include_stopped=every)
        now = context.now()
    if invocation.for_scripts:
        invocation.show({"containers": [to_wire(row) for row in rows]}, "Containers")
    else:
        from ecsctl.cli.people import print_table

        print_table((*HEAD, "REASON") if every else HEAD, [_cells(row, now, every) for row in rows])
    return 0 if complete else UNREACHABLE


def _cells(row: PsRow, now: datetime, every: bool) -> list[str]:
    since = row.stopped_at or row.started_at or row.created_at
    cells = [
        row.task_id[:12],
        row.definition,
        row.container,
        row.status if row.exit_code is None else f"{row.status} ({row.exit_code})",
        "" if row.health == "UNKNOWN" else row.health,
        ", ".join(filter(None, [row.address, *row.ports])),
        row.host,
        short_duration((now - since).total_seconds()) if since else "",
    ]
    return [*cells, row.reason or ""] if every else cells
