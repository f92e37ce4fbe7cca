"""`host fence`: a person confirms that a host is down."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ecsctl.cli.problems import UsageError, printable
from ecsctl.model.arn import last_part

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation


def command(
    ctx: typer.Context,
    host: Annotated[str, typer.Argument(help="A container instance that does not answer: name, id or ARN.")],
    confirmed_down: Annotated[
        bool, typer.Option("--confirmed-down", help="You know that it is off: nothing runs on it any more.")
    ] = False,
    cluster: Annotated[str | None, typer.Option(help="The cluster; without it, `default`.")] = None,
) -> int:
    """Confirm that a host is down: its tasks are STOPPED, and others take their place.

    It is the way on for tasks that may never run twice (loss policy never-double-run): they wait for their host to
    answer, or for your word. If containers run on it all the same, they run twice.
    """
    if not confirmed_down:
        raise UsageError(
            f"host fence {host}: nobody but you can know that it is down; when nothing runs on it any more, say "
            "--confirmed-down"
        )
    from ecsctl.operations.fence import fence_host

    invocation: Invocation = ctx.obj
    known = (invocation.environment.get(name) for name in ("SUDO_USER", "LOGNAME", "USER"))
    by = next(filter(None, known), f"user {os.getuid()}")
    with invocation.open() as context:
        fenced = fence_host(context, host, by, cluster)
    if invocation.for_scripts:
        invocation.show({"containerInstanceArn": fenced.instance, "taskArns": fenced.tasks}, "Fence")
    else:
        sys.stdout.writelines(printable(f"task {last_part(arn)[:12]} is STOPPED") + "\n" for arn in fenced.tasks)
    return 0
