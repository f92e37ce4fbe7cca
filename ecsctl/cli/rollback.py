"""`rollback SERVICE`: a service gets what it had before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ecsctl.cli.commands import Entry
from ecsctl.cli.deploy import see_through
from ecsctl.cli.durations import duration_of
from ecsctl.cli.own import Own
from ecsctl.cli.problems import say
from ecsctl.cli.progress import PATIENCE, patience
from ecsctl.model.arn import last_part

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation


def command(entry: Entry) -> Own:
    return Own(entry, rollback)


def rollback(
    ctx: typer.Context,
    service: Annotated[str, typer.Argument(help="The service's name or ARN.", show_default=False)],
    cluster: Annotated[str | None, typer.Option(help="The service's cluster.")] = None,
    timeout: Annotated[
        str | None, typer.Option(help=f"How long to wait for it.  [default: {PATIENCE}]", show_default=False)
    ] = None,
) -> int:
    """Roll back the deployment that is under way, or else the last one: the task definition, the network, the names
    and the volumes.

    Exits with 1 when that fails, 124 when it takes too long; it goes on then.
    """
    seconds = None if timeout is None else duration_of("--timeout", timeout)
    from ecsctl.operations.deploy import active_service, go_back

    invocation: Invocation = ctx.obj
    with invocation.open() as context:
        found = active_service(context, cluster, service)
        release = go_back(context, found)
        old, new = last_part(str(found.task_definition)), last_part(release.definition)
        said = f"{old} -> {new}" if old != new else f"{new} with what it had before"
        say(f"service {found.service_name}: {said}")
        return see_through(invocation, context, found, release, patience(seconds, [found]), no_rollback=True)
