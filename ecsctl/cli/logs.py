"""`logs TASK|SERVICE|GROUP`: what containers printed."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Annotated

import typer

from ecsctl.cli.commands import Entry
from ecsctl.cli.durations import is_duration, parse_duration
from ecsctl.cli.own import Own
from ecsctl.cli.problems import FAILED, UNREACHABLE, UsageError

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation


def command(entry: Entry) -> Own:
    return Own(entry, logs)


def logs(
    ctx: typer.Context,
    target: Annotated[
        str, typer.Argument(metavar="TASK|SERVICE|GROUP", help="A task's id, a service, or the group of awslogs.")
    ],
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on: until the task stops; of a service or group for ever.")
    ] = False,
    since: Annotated[str | None, typer.Option(help="From then on: 10m, 2h, 2026-01-02T15:04:05Z.")] = None,
    tail: Annotated[int | None, typer.Option("--tail", "-n", help="The last lines of each container only.")] = None,
    container: Annotated[str | None, typer.Option(help="One container only.")] = None,
    filter_pattern: Annotated[
        str | None, typer.Option(help='As in CloudWatch Logs: ERROR -timeout, "a phrase", { $.level = "error" }.')
    ] = None,
    timestamps: Annotated[bool, typer.Option("--timestamps", "-t", help="When each line was printed.")] = False,
    cluster: Annotated[str | None, typer.Option(help="The cluster; without it, `default`.")] = None,
) -> int:
    """Print what containers printed: of a task, of a service's tasks, or of all that log to a group.

    Lines are merged by time, each behind its container's name if there are several. Logs of the driver awslogs outlive
    their containers, on this machine, by 30 days. Exits with 5 when a host did not answer, and nothing of it is kept.
    """
    from ecsctl.cli.streams import Printer
    from ecsctl.operations.filter_pattern import parse_filter_pattern
    from ecsctl.operations.logs import Wanted, read_logs

    if tail is not None and tail < 0:
        raise UsageError(f"argument --tail: expected 0 or more, got {tail}")
    passes = parse_filter_pattern(filter_pattern) if filter_pattern is not None else None
    invocation: Invocation = ctx.obj
    with invocation.open() as context:
        start = moment(since, context.now()) if since else None
        wanted = Wanted(container, start, tail, passes)
        reading = read_logs(context, target, cluster, wanted, follow=follow)
        several = len(reading.names) != 1
        Printer(reading.names, several=several, timestamps=timestamps).print_all(reading.lines)
    return UNREACHABLE if reading.silent else FAILED if reading.problems else 0


def moment(text: str, now: datetime) -> datetime:
    """A point in time, given as a duration before now or as ISO 8601 (without a zone: local time)."""
    if is_duration(text):
        return now - timedelta(seconds=parse_duration(text))
    try:
        given = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return given.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        raise UsageError(f"argument --since: {text!r} is neither a duration (10m, 2h) nor a time") from None
