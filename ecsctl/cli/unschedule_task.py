"""`unschedule-task NAME`: deletes a schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ecsctl.cli.commands import Entry
from ecsctl.cli.own import Own
from ecsctl.cli.problems import UsageError, say

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation


def command(entry: Entry) -> Own:
    return Own(entry, unschedule)


def unschedule(
    ctx: typer.Context,
    schedule: Annotated[str | None, typer.Argument(metavar="NAME", help="The name of the schedule.")] = None,
    name: Annotated[str | None, typer.Option(help="The same, as schedule-task has it.")] = None,
    cluster: Annotated[str | None, typer.Option(help="The cluster; without it, `default`.")] = None,
) -> int:
    """Delete a schedule. Its tasks go on: `stop-task` stops them."""
    from ecsctl.model.schedule import UnscheduleTaskRequest
    from ecsctl.operations.schedules import unschedule_task

    if (schedule is None) == (name is None):
        raise UsageError("say which schedule, once: `ecsctl unschedule-task NAME`")
    given = schedule or name or ""
    invocation: Invocation = ctx.obj
    with invocation.open() as context:
        unschedule_task(context, UnscheduleTaskRequest(given, cluster))
    say(f"schedule {given} deleted")
    return 0
