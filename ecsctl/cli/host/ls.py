"""`host ls`: the hosts of a region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ecsctl.cli.problems import UNREACHABLE, say
from ecsctl.model.record import to_wire

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation
    from ecsctl.model.host import HostRow

HEAD = ("HOST", "CLUSTER", "ADDRESS", "ZONE", "STATE", "CONNECTED", "CPU", "MEMORY", "TASKS", "ENGINE")


def command(
    ctx: typer.Context,
    cluster: Annotated[str | None, typer.Option(help="Those of this cluster; without it, of the region.")] = None,
) -> int:
    """Show the hosts, whether they answer now, and how much of them tasks have reserved.

    CPU in units (1024 are one CPU), memory in MiB. Exits with 5 when a host did not answer.
    """
    from ecsctl.operations.host_list import list_hosts

    invocation: Invocation = ctx.obj
    with invocation.open() as context:
        found = list_hosts(context, cluster)
    if invocation.for_scripts:
        invocation.show({"hosts": [to_wire(row) for row in found.rows]}, "Hosts")
    else:
        from ecsctl.cli.people import print_table

        print_table(HEAD, [_cells(row) for row in found.rows])
    for host, why in found.silent.items():
        say(f"ecsctl: {host}: {why}")
    return UNREACHABLE if found.silent else 0


def _cells(row: HostRow) -> list[str]:
    return [
        row.host,
        row.cluster,
        row.address,
        row.zone or "",
        row.status,
        "yes" if row.agent_connected else "no",
        f"{row.cpu_reserved}/{row.cpu}",
        f"{row.memory_reserved}/{row.memory}",
        str(row.tasks),
        row.engine_version or "",
    ]
