"""`host join-swarm`: hosts that are to have networks in common."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import asdict

from ecsctl.cli.problems import FAILED, UNREACHABLE, UsageError, printable, say

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation
    from ecsctl.controller.swarm import Joined, Report


def command(
    ctx: typer.Context,
    host: Annotated[
        list[str] | None, typer.Argument(help="Container instances: names, ids or ARNs.", show_default=False)
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every container instance of the cluster.")] = False,
    cluster: Annotated[str | None, typer.Option(help="The cluster; without it, `default`.")] = None,
    advertise: Annotated[
        list[str] | None,
        typer.Option(help="By which IP address the others reach a host.", metavar="HOST=ADDRESS"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
) -> int:
    """Make hosts one Docker swarm: from then on subnets and namespaces are networks of all of them.

    The first begins it, unless the cluster has one; of three hosts or more, three manage it, of seven or more, five.
    Those that are in it already stay as they are. Exits with 1 when a host could not join, 5 when one did not answer.
    """
    if bool(host) == every:
        raise UsageError("host join-swarm: name hosts, or take --all of the cluster")
    addresses = dict(_pair(text) for text in advertise or ())
    from ecsctl.operations.swarm import join_swarm

    invocation: Invocation = ctx.obj
    with invocation.open() as context:
        report = join_swarm(context, cluster=cluster, hosts=host or None, addresses=addresses, dry_run=dry_run)
    if invocation.for_scripts:
        invocation.show(_shape(report), "Swarm")
    else:
        sys.stdout.writelines(printable(f"{one.host}: {_said(one)}") + "\n" for one in report.hosts if not one.reason)
    for one in report.hosts:
        if one.reason:
            say(f"ecsctl: {one.host}: {one.reason}")
        if one.bridges:
            say(
                f"ecsctl: {one.host}: tasks there are still in networks of the host alone ({', '.join(one.bridges)}); "
                "when they have ended, run this again (docs/networks.md)"
            )
    results = {one.result for one in report.hosts}
    return FAILED if "failed" in results else UNREACHABLE if "unreachable" in results else 0


def _pair(text: str) -> tuple[str, str]:
    host, _, address = text.partition("=")
    if not host or not address:
        raise UsageError(f"--advertise {text}: write HOST=ADDRESS")
    return host, address


def _said(one: Joined) -> str:
    where = f" at {one.address}" if one.address else ""
    if one.result == "there already":
        return f"there already, as a {one.role}{where}"
    what = "began the swarm" if one.result == "began" else one.result
    return f"{what.replace('would begin', 'would begin a swarm')}, as a {one.role}{where}"


def _shape(report: Report) -> dict[str, object]:
    names = {"container_instance_arn": "containerInstanceArn"}
    hosts = [
        {names.get(name, name): value for name, value in asdict(one).items() if value not in ("", ())}
        for one in report.hosts
    ]
    return {"swarm": report.swarm, "hosts": hosts} if report.swarm else {"hosts": hosts}
