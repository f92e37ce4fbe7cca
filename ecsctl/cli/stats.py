"""`stats`: what hosts and containers have reserved, and what they use."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ecsctl.cli.commands import Entry
from ecsctl.cli.own import Own
from ecsctl.cli.problems import UNREACHABLE
from ecsctl.model.record import to_wire

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation
    from ecsctl.operations.stats import ContainerStats, HostStats

HOSTS = ("HOST", "TASKS", "CPU", "RESERVED", "USED", "MEMORY", "RESERVED", "USED")
CONTAINERS = ("TASK", "DEFINITION", "CONTAINER", "CPU RESERVED", "USED", "MEMORY RESERVED", "LIMIT", "USED", "HOST")


def command(entry: Entry) -> Own:
    return Own(entry, show_stats)


def show_stats(
    ctx: typer.Context,
    cluster: Annotated[str | None, typer.Option(help="The cluster; without it, `default`.")] = None,
) -> int:
    """Show what is reserved, and what is used, of hosts and by running containers.

    CPU in units (1024 are one CPU), as the mean of a second; memory in MiB. Tasks are placed by what is reserved. Of
    hosts it is what ecsctl's own containers use. Exits with 5 when a host did not answer.
    """
    from ecsctl.operations.stats import stats

    invocation: Invocation = ctx.obj
    with invocation.open() as context:
        hosts, containers, complete = stats(context, cluster)
    if invocation.for_scripts:
        shown = {"hosts": [to_wire(host) for host in hosts], "containers": [to_wire(one) for one in containers]}
        invocation.show(shown, "Stats")
    else:
        from ecsctl.cli.people import print_table

        print_table(HOSTS, [_of_host(host) for host in hosts])
        if containers:
            sys.stdout.write("\n")
            print_table(CONTAINERS, [_of_container(one) for one in containers])
    return 0 if complete else UNREACHABLE


def _of_host(host: HostStats) -> list[str]:
    return [
        host.name,
        str(host.running_tasks),
        str(host.cpu),
        _share(host.cpu_reserved, host.cpu),
        "?" if host.cpu_used is None else _share(host.cpu_used, host.cpu),
        str(host.memory),
        _share(host.memory_reserved, host.memory),
        "?" if host.memory_used is None else _share(host.memory_used, host.memory),
    ]


def _of_container(one: ContainerStats) -> list[str]:
    return [
        one.task_id[:12],
        one.definition,
        one.container,
        _reserved(one.cpu_reserved, one.task_cpu),
        f"{one.cpu_used:.0f}",
        _reserved(one.memory_reserved, one.task_memory),
        "" if one.memory_limit is None else str(one.memory_limit),
        f"{one.memory_used:.1f}",
        one.host,
    ]


def _reserved(own: int | None, of_task: int) -> str:
    return str(own) if own else f"(task: {of_task})" if of_task else ""


def _share(amount: float, total: int) -> str:
    return f"{amount:.0f} ({100 * amount / total:.0f}%)" if total else f"{amount:.0f}"
