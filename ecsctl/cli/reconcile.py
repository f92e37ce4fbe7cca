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
    timeout: Annotated[
        str | None, typer.Option(help="How long to go on; the next run finishes the rest. [default: 50s]")
    ] = None,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help=f"Exit with {CHANGED} when something changed or would.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Stay, and act on what happens at once.")] = False,
    interval: Annotated[str | None, typer.Option(help="With --watch: how often to look anyway. [default: 30s]")] = None,
) -> int:
    """Make what runs what should run: give services their tasks, notice what stopped, finish what was interrupted,
    clean up.

    Exits with 1 when an engine refused something, 5 when a host did not answer, 124 when the time was up.
    """
    from ecsctl.operations.reconcile import reconcile as run

    invocation: Invocation = ctx.obj
    if watch:
        given = {"--dry-run": dry_run, "--task": task, "--service": service, "--timeout": timeout}
        if wrong := [option for option, value in {**given, "--detailed-exitcode": detailed_exitcode}.items() if value]:
            raise UsageError(f"{wrong[0]} does not go with --watch, which stays and keeps everything")
        from ecsctl.cli.watch import watch as stay

        pause = _seconds("--interval", interval or "30s")
        if pause < 1:
            raise UsageError(f"argument --interval: at least 1s, got {interval}")
        return stay(invocation, cluster, pause)
    if interval:
        raise UsageError("--interval goes with --watch only")
    seconds = _seconds("--timeout", timeout or "50s")
    with invocation.open() as context:
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
        say(f"ecsctl: the time was up after {timeout or '50s'}; the next run goes on")
        return TIMED_OUT
    return CHANGED if detailed_exitcode and report.changed else 0


def _seconds(option: str, text: str) -> float:
    if not is_duration(text):
        raise UsageError(f"argument {option}: {text!r} is not a duration: write 90, 50s, 5m or 2h")
    return parse_duration(text)
