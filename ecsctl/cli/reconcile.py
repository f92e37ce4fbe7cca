"""`reconcile`: makes what runs what should run, and says what it did and why."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ecsctl.cli.commands import Entry
from ecsctl.cli.durations import is_duration, parse_duration
from ecsctl.cli.own import Own
from ecsctl.cli.problems import FAILED, TIMED_OUT, UNREACHABLE, UsageError, printable, say

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation

CHANGED = 2
"""With --detailed-exitcode: something was changed, or with --dry-run would be."""


def command(entry: Entry) -> Own:
    return Own(entry, reconcile)


def reconcile(
    ctx: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done and why; do nothing.")] = False,
    cluster: Annotated[str | None, typer.Option(help="This cluster only; without it, every one.")] = None,
    task: Annotated[list[str] | None, typer.Option(help="These tasks only: ids or ARNs.")] = None,
    service: Annotated[
        list[str] | None, typer.Option(help="These services only, until each has its tasks: names or ARNs.")
    ] = None,
    timeout: Annotated[str, typer.Option(help="How long to go on; the next run finishes the rest.")] = "50s",
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help=f"Exit with {CHANGED} when something changed or would.")
    ] = False,
) -> int:
    """Make what runs what should run: give services their tasks, notice what stopped, finish what was interrupted,
    clean up.

    Exits with 1 when an engine refused something, 5 when a host did not answer, 124 when the time was up.
    """
    from ecsctl.operations.reconcile import reconcile as run

    if not is_duration(timeout):
        raise UsageError(f"argument --timeout: {timeout!r} is not a duration: write 90, 50s, 5m or 2h")
    invocation: Invocation = ctx.obj
    with invocation.open() as context:
        seconds = parse_duration(timeout)
        report = run(
            context, cluster=cluster, tasks=task or (), services=service or (), timeout=seconds, dry_run=dry_run
        )
    if invocation.for_scripts:
        invocation.show(report.to_wire(), "Reconcile")
    else:
        sys.stdout.writelines(printable(line) + "\n" for line in report.lines)
        if not report.changed:
            say("nothing to do")
        for stranger in report.left_alone:
            say(f"left alone: {stranger}")
    for problem in (*report.unreachable, *report.errors):
        say(f"ecsctl: {problem}")
    if report.failed:
        return FAILED
    if report.unreachable:
        return UNREACHABLE
    if report.timed_out:
        say(f"ecsctl: the time was up after {timeout}; the next run goes on")
        return TIMED_OUT
    return CHANGED if detailed_exitcode and report.changed else 0
