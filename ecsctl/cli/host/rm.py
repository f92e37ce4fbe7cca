"""`host rm`: hosts that are no longer wanted."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ecsctl.cli.durations import duration_of
from ecsctl.cli.problems import UsageError, printable
from ecsctl.model.record import to_wire

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation


def command(
    ctx: typer.Context,
    hosts: Annotated[list[str], typer.Argument(help="Names, ids or ARNs.", metavar="HOST...")],
    cluster: Annotated[str | None, typer.Option(help="The cluster; without it, whichever has the host.")] = None,
    drain: Annotated[
        bool, typer.Option("--drain", help="Let services move their tasks away first, and wait for it.")
    ] = False,
    timeout: Annotated[str, typer.Option(help="How long to wait for that.")] = "10m",
    force: Annotated[bool, typer.Option("--force", help="Stop the tasks that are on it.")] = False,
) -> int:
    """Take hosts out of their cluster. One with tasks is refused, unless they are moved away or stopped.

    `--drain` makes all of them DRAINING: services replace their tasks elsewhere, as their deployments allow; tasks of
    no service are waited for. What is not done in time (exit code 124) stays DRAINING. The machines themselves are not
    touched. A name that is not that of one host is refused before anything is done.
    """
    from ecsctl.operations.remove_hosts import remove_hosts

    if drain and force:
        raise UsageError("host rm: only one of --drain and --force can be given")
    invocation: Invocation = ctx.obj
    seconds = duration_of("--timeout", timeout) if drain else None
    gone = []
    with invocation.open() as context:
        for record in remove_hosts(context, cluster, hosts, drain_for=seconds, force=force):
            gone.append(record)
            if not invocation.for_scripts:
                sys.stdout.write(printable(f"{record.name}: taken away ({record.address})") + "\n")
    if invocation.for_scripts:
        invocation.show({"containerInstances": [to_wire(record.instance) for record in gone]}, "Hosts")
    return 0
