"""`scheduled-tasks`: which schedules there are, when each runs next, and how its last run went."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ecsctl.cli.commands import Entry
from ecsctl.cli.own import Own
from ecsctl.cli.problems import UNREACHABLE
from ecsctl.model.record import to_wire

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation
    from ecsctl.model.schedule import Schedule

HEAD = ("NAME", "DEFINITION", "EXPRESSION", "ZONE", "STATE", "NEXT RUN", "LAST RUN", "OUTCOME", "REASON")


def command(entry: Entry) -> Own:
    return Own(entry, scheduled)


def scheduled(
    ctx: typer.Context,
    cluster: Annotated[str | None, typer.Option(help="The cluster; without it, `default`.")] = None,
) -> int:
    """Show the scheduled tasks of a cluster: when each runs next, in its own time zone, and how its last run went.

    Exits with 5 when a host did not answer: what its tasks do is shown as it was last seen.
    """
    from ecsctl.operations.schedules import scheduled_tasks

    invocation: Invocation = ctx.obj
    with invocation.open() as context:
        schedules, complete = scheduled_tasks(context, cluster)
    if invocation.for_scripts:
        invocation.show({"schedules": [to_wire(schedule) for schedule in schedules]}, "Schedules")
    else:
        print_schedules(schedules)
    return 0 if complete else UNREACHABLE


def print_schedules(schedules: Sequence[Schedule]) -> None:
    """A table with a line for each."""
    from ecsctl.cli.people import print_table

    print_table(HEAD, [_cells(schedule) for schedule in schedules])


def _cells(schedule: Schedule) -> list[str]:
    last = schedule.last_run
    return [
        schedule.name,
        schedule.task_definition,
        schedule.schedule_expression,
        schedule.schedule_expression_timezone or "",
        schedule.schedule_state or "",
        _local(schedule.next_run_at, schedule),
        _local(last.due_at if last else None, schedule),
        last.outcome if last else "",
        schedule.obstacle or (last.reason if last else None) or "",
    ]


def _local(moment: datetime | None, schedule: Schedule) -> str:
    """In the schedule's time zone; in UTC where that is not known any more."""
    from ecsctl.model.errors import InputError
    from ecsctl.scheduler.expressions import parse_timezone

    if moment is None:
        return ""
    with suppress(InputError):
        moment = moment.astimezone(parse_timezone(schedule.schedule_expression_timezone or "UTC"))
    return moment.isoformat(" ", "seconds")
