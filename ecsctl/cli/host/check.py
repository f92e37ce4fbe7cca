"""`host check`: what is wrong with hosts."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ecsctl.cli.host.findings import exit_code, lines
from ecsctl.cli.problems import printable
from ecsctl.model.record import to_wire

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation
    from ecsctl.model.host import CheckedHost


def command(
    ctx: typer.Context,
    hosts: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names, ids, ARNs; or addresses of hosts to come.", metavar="[HOST]...", show_default=False
        ),
    ] = None,
    cluster: Annotated[str | None, typer.Option(help="Those of this cluster; without it, of the region.")] = None,
) -> int:
    """Say what is wrong with hosts, a line for each thing, and what to do about it.

    Looked at are: the name, the port, the host key and your keys, TLS; whether Docker is there, may be used, is recent
    enough and the one that was registered; disk, clock, live-restore. Nothing is asked and nothing is changed.
    Exits with 1 when something is wrong, 5 when hosts did not answer; what is only a warning is no failure.
    """
    from ecsctl.operations.host_check import check_hosts

    invocation: Invocation = ctx.obj
    with invocation.open() as context:
        found = check_hosts(context, cluster, hosts or [])
    if invocation.for_scripts:
        invocation.show({"hosts": [to_wire(host) for host in found]}, "Hosts")
    else:
        sys.stdout.writelines(printable(line) + "\n" for host in found for line in _said(host))
    return exit_code(host.answers for host in found if any(one.level == "error" for one in host.findings))


def _said(host: CheckedHost) -> list[str]:
    said = lines(host.host, host.findings)
    if not any(one.level == "error" for one in host.findings):
        said.insert(0, f"{host.host}: ok: {host.address}, engine {host.engine_version}, API {host.api_version}")
    return said
