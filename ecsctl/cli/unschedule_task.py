"""`unschedule-task NAME`: deletes a schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ecsctl.cli.commands import Entry
from ecsctl.cli.own import Own
from ecsctl.cli.problems import say

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation


def command(entry: Entry) -> Own:
    return Own(entry, unschedule)


def unschedule(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The name of the schedule.")],
    cluster: Annotated[str | None, typer.Option(help="The cluster; without it, `default`.")] = None,
) -> int:
    """Delete a schedule. Its tasks go on: `stop-task` stops them."""
    from ecsctl.model.schedule import UnscheduleTaskRequest
    from ecsctl.operations.schedules import unschedule_task

    invocation: Invocation = ctx.obj
    with invocation.open() as context:
        unschedule_task(context, UnscheduleTaskRequest(name, cluster))
    say(f"schedule {name} deleted")
    return 0
