"""`host add`: hosts, one by one, from an inventory, or of every Docker context."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecsctl.cli.host.findings import exit_code, lines
from ecsctl.cli.problems import UsageError, printable, say
from ecsctl.model.record import decode, evolve, to_wire

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation
    from ecsctl.model.host import AddedHost, HostWish


def command(
    ctx: typer.Context,
    address: Annotated[
        str | None,
        typer.Argument(
            help="A Docker context; an alias of ~/.ssh/config, [user@]host[:port], ssh://…; tcp://host:port; "
            "unix:///path.",
            show_default=False,
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="Many hosts: an inventory in TOML, YAML or JSON.")
    ] = None,
    all_contexts: Annotated[bool, typer.Option("--all-contexts", help="The hosts of every Docker context.")] = False,
    name: Annotated[str | None, typer.Option(help="What to call it; else the name it gives itself.")] = None,
    cluster: Annotated[str | None, typer.Option(help="The cluster; without it, `default`.")] = None,
    zone: Annotated[
        str | None, typer.Option("--zone", "--availability-zone", help="Its ecs.availability-zone.")
    ] = None,
    instance_type: Annotated[str | None, typer.Option(help="Its ecs.instance-type; else docker.CPUSxGIB.")] = None,
    price: Annotated[float | None, typer.Option(min=0, help="What it costs an hour, for --priority.")] = None,
    attributes: Annotated[
        list[str] | None, typer.Option(help="Further attributes of it.", metavar="NAME=VALUE")
    ] = None,
    capacity_provider: Annotated[str | None, typer.Option(help="The capacity provider it is of.")] = None,
    cpu: Annotated[int | None, typer.Option(help="CPU units for tasks; else 1024 per CPU.")] = None,
    memory: Annotated[int | None, typer.Option(help="MiB for tasks; else all but the reserve.")] = None,
    gpus: Annotated[
        str | None, typer.Option(help="The ids of its GPUs, as nvidia-smi -L has them.", metavar="ID,…")
    ] = None,
) -> int:
    """Check hosts, and make those that nothing is wrong with container instances.

    An engine is registered once, by whatever address. Of many hosts those that can be are registered, and of the others
    it is said why they are not; a second time nothing changes but what the inventory says anew.
    Exits with 1 when a host was not added, 5 when one did not answer.
    """
    from ecsctl.model.host import HostWish
    from ecsctl.operations.add_hosts import add_hosts

    if [address is not None, file is not None, all_contexts].count(True) != 1:
        raise UsageError("host add: give an address, -f FILE, or --all-contexts")
    wish = HostWish(
        address=address or "",
        name=name,
        cluster=cluster,
        zone=zone,
        instance_type=instance_type,
        price=price,
        attributes=dict(map(_attribute, attributes or [])),
        capacity_provider=capacity_provider,
        cpu=cpu,
        memory=memory,
        gpus=gpus.split(",") if gpus else [],
    )
    invocation: Invocation = ctx.obj
    wishes = _inventory(file, wish) if file else _contexts(wish) if all_contexts else [wish]
    with invocation.open() as context:
        added = add_hosts(context, wishes, "change" if file else "accept" if all_contexts else "refuse")
    if invocation.for_scripts:
        invocation.show({"hosts": [to_wire(host) for host in added]}, "Hosts")
    else:
        sys.stdout.writelines(printable(_said(host)) + "\n" for host in added if host.result != "failed")
    for host in added:
        if host.result == "failed":
            say(f"ecsctl: {host.host}: not added: {host.reason}")
        elif host.result == "added":
            for line in lines(host.host, host.findings):
                say(f"ecsctl: {line}")
    return exit_code(host.answers for host in added if host.result == "failed")


def _attribute(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise UsageError(f"argument --attributes: expected NAME=VALUE, got {text!r}")
    return name, value


def _inventory(file: Path, wish: HostWish) -> list[HostWish]:
    """The hosts of a file; `--cluster` is for those that say no other."""
    from ecsctl.cli.documents import read_document
    from ecsctl.model.host import HostWish, Inventory

    if wish != HostWish(address="", cluster=wish.cluster):
        raise UsageError("host add: with -f what is said of hosts stands in the file; only --cluster may be given too")
    found = decode(Inventory, read_document(file), f"{file}: ")
    cluster = found.cluster or wish.cluster
    return [evolve(host, cluster=host.cluster or cluster, region=host.region or found.region) for host in found.hosts]


def _contexts(wish: HostWish) -> list[HostWish]:
    """The host of every context, called as the context; they are alike in what is said of them."""
    from ecsctl.engine.address import ContextAddress, parse_address
    from ecsctl.engine.contexts import addresses

    if wish.name is not None or wish.gpus:
        raise UsageError("host add: --name and --gpus are of one host, not of all contexts")
    parsed = [parse_address(address) for address in addresses()]
    return [
        evolve(wish, address=str(one), name=one.name if isinstance(one, ContextAddress) else None) for one in parsed
    ]


def _said(host: AddedHost) -> str:
    more = f": {host.reason}" if host.reason else f" ({host.address})"
    return f"{host.host}: {host.result}{more}"
