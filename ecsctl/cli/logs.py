"""`logs TASK`: what a task's containers printed."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Annotated

import typer

from ecsctl.cli.commands import Entry
from ecsctl.cli.durations import is_duration, parse_duration
from ecsctl.cli.own import Own
from ecsctl.cli.problems import UsageError

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation
    from ecsctl.operations.context import Context


def command(entry: Entry) -> Own:
    return Own(entry, logs)


def logs(
    ctx: typer.Context,
    task: Annotated[str, typer.Argument(help="The task's id, the beginning of it, or its ARN.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the task stops.")] = False,
    since: Annotated[str | None, typer.Option(help="From then on: 10m, 2h, 2026-01-02T15:04:05Z.")] = None,
    tail: Annotated[int | None, typer.Option("--tail", "-n", help="The last lines of each container only.")] = None,
    container: Annotated[str | None, typer.Option(help="One container only.")] = None,
    timestamps: Annotated[bool, typer.Option("--timestamps", "-t", help="When each line was printed.")] = False,
    cluster: Annotated[str | None, typer.Option(help="The cluster; without it, `default`.")] = None,
) -> int:
    """Print the output of a task's containers, each line behind its container's name if there are several."""
    from ecsctl.cli.streams import Printer
    from ecsctl.operations.logs import task_logs

    if tail is not None and tail < 0:
        raise UsageError(f"argument --tail: expected 0 or more, got {tail}")
    invocation: Invocation = ctx.obj
    with invocation.open() as context:
        start = moment(since, context.now()) if since else None
        names = [container] if container else _containers(context, task, cluster)
        chunks = task_logs(context, task, cluster=cluster, container=container, follow=follow, since=start, tail=tail)
        Printer(names, timestamps).print_all(chunks)
    return 0


def moment(text: str, now: datetime) -> datetime:
    """A point in time, given as a duration before now or as ISO 8601 (without a zone: local time)."""
    if is_duration(text):
        return now - timedelta(seconds=parse_duration(text))
    try:
        given = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return given.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        raise UsageError(f"argument --since: {text!r} is neither a duration (10m, 2h) nor a time") from None


def _containers(context: Context, task: str, cluster: str | None) -> list[str]:
    from ecsctl.operations.lookup import find_cluster, the_task

    with context.store.read() as view:
        found = the_task(view, find_cluster(view, context, cluster), task)
    return [state.name for state in found.own_containers]
