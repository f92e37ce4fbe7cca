"""`reconcile`: makes what runs what should run, and says what it did and why.

Its options are read without Typer, which takes longer to load than a quiet reconcile takes: cron runs it each minute.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ecsctl.cli import global_flags
from ecsctl.cli.argv import Flag, wants_help
from ecsctl.cli.commands import Entry
from ecsctl.cli.durations import duration_of
from ecsctl.cli.problems import FAILED, TIMED_OUT, UNREACHABLE, UsageError, printable, say

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation
    from ecsctl.operations.reconcile import Report

CHANGED = 2
"""With --detailed-exitcode: something was changed, or with --dry-run would be."""
TIMEOUT, INTERVAL = "50s", "30s"
SHORTEST_INTERVAL = 1.0
ABOUT = """Make what runs what should run: give services their tasks, start scheduled ones that are due, notice what
stopped, finish what was interrupted, clean up. Without --watch it ends when all that is under way has arrived.

Exits with 0; 1 when an engine refused something, 5 when a host did not answer, 124 when the time was up."""

FLAGS = (
    Flag("--dry-run", "dry_run", "none", own=True, help="Say what would be done and why; do nothing."),
    Flag("--cluster", "cluster", metavar="<string>", own=True, help="This cluster only; without it, every one."),
    Flag("--task", "task", "many", metavar="<string> ...", own=True, help="These tasks only: ids or ARNs."),
    Flag(
        "--service",
        "service",
        "many",
        metavar="<string> ...",
        own=True,
        help="These services only, until each has its tasks: names or ARNs.",
    ),
    Flag(
        "--timeout",
        "timeout",
        metavar="<duration>",
        own=True,
        help=f"How long to go on, by default {TIMEOUT}; the next run finishes the rest.",
    ),
    Flag(
        "--detailed-exitcode",
        "detailed_exitcode",
        "none",
        own=True,
        help=f"Exit with {CHANGED} when something changed, or would, and with {FAILED} for all else but 0.",
    ),
    Flag("--watch", "watch", "none", own=True, help="Stay, and act at once on what happens."),
    Flag(
        "--interval",
        "interval",
        metavar="<duration>",
        own=True,
        help=f"With --watch: how often to look at each host anyway, by default {INTERVAL}.",
    ),
)


class Reconcile:
    """The command."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    def execute(self, invocation: Invocation, words: Sequence[str]) -> int:
        if wants_help(words):
            from ecsctl.cli.help import print_flags

            print_flags(self._entry.name, ABOUT, FLAGS)
            return 0
        try:
            parsed, found = global_flags.read(words, FLAGS)
            invocation.options |= found
            options = parsed.values
            return _stay(invocation, options) if options.get("watch") else _once(invocation, options)
        except UsageError as error:
            if "--detailed-exitcode" not in words:
                raise
            say(f"ecsctl: {error}")
            return FAILED  # its usual code says here that something changed


def _stay(invocation: Invocation, options: dict[str, Any]) -> int:
    for flag in FLAGS:
        if flag.key in options and flag.key not in ("watch", "cluster", "interval"):
            raise UsageError(f"{flag.name} does not go with --watch, which stays and keeps everything")
    interval = duration_of("--interval", options.get("interval", INTERVAL))
    if interval < SHORTEST_INTERVAL:
        raise UsageError(f"argument --interval: at least {SHORTEST_INTERVAL:g}s, got {options['interval']}")
    from ecsctl.cli.watch import watch

    return watch(invocation, options.get("cluster"), interval)


def _once(invocation: Invocation, options: dict[str, Any]) -> int:
    if "interval" in options:
        raise UsageError("--interval goes with --watch only")
    timeout = options.get("timeout", TIMEOUT)
    seconds = duration_of("--timeout", timeout)
    from ecsctl.operations.reconcile import reconcile

    with invocation.open() as context:
        report = reconcile(
            context,
            cluster=options.get("cluster"),
            tasks=options.get("task", ()),
            services=options.get("service", ()),
            timeout=seconds,
            dry_run="dry_run" in options,
        )
    _print(invocation, report)
    if report.timed_out:
        say(f"ecsctl: the time was up after {timeout}; the next run goes on")
    code = FAILED if report.failed else UNREACHABLE if report.unreachable else TIMED_OUT if report.timed_out else 0
    if "detailed_exitcode" not in options:
        return code
    return FAILED if code else CHANGED if report.changed else 0


def _print(invocation: Invocation, report: Report) -> None:
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
