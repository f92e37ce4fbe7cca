"""`image push|ls`: images on hosts, without a registry."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from ecsctl.cli.commands import IMAGE, Entry
from ecsctl.cli.group import chosen
from ecsctl.cli.own import Own
from ecsctl.cli.problems import FAILED, UNREACHABLE, UsageError, printable, say
from ecsctl.model.record import evolve, to_wire

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation
    from ecsctl.controller.send_image import Sent

Cluster = Annotated[str | None, typer.Option(help="The cluster; without it, `default`.")]
Hosts = Annotated[
    list[str] | None, typer.Option("--host", help="A container instance: name, id or ARN.", metavar="NAME")
]


class Image:
    """`ecsctl image`, with its commands."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    def execute(self, invocation: Invocation, words: Sequence[str]) -> int:
        found = chosen(self._entry, IMAGE, "command", invocation, words)
        if found is None:
            return 0
        entry, rest = found
        return Own(evolve(entry, name=f"image {entry.name}"), _FUNCTIONS[entry.name]).execute(invocation, rest)


def push(
    ctx: typer.Context,
    image: Annotated[str, typer.Argument(help="The image, as its engine calls it.")],
    host: Hosts = None,
    every: Annotated[bool, typer.Option("--all", help="To every container instance of the cluster.")] = False,
    source: Annotated[
        str | None,
        typer.Option("--from", help="The engine that has it, if not the Docker context's.", metavar="ADDRESS"),
    ] = None,
    cluster: Cluster = None,
) -> int:
    """Send an image to hosts, without any registry, and only the layers that they lack.

    Exits with 1 when a host would not have it, 5 when one did not answer.
    """
    if bool(host) == every:
        raise UsageError("image push: name hosts by --host, or take --all of the cluster")
    from ecsctl.cli.transfers import Transfers
    from ecsctl.engine.contexts import current_address
    from ecsctl.operations.images import push_image

    invocation: Invocation = ctx.obj
    with invocation.open() as context:
        sent = push_image(
            context,
            image,
            cluster=cluster,
            hosts=host or None,
            source=source or current_address(),
            tell=partial(Transfers().sending, image),
        )
    if invocation.for_scripts:
        invocation.show({"hosts": [_shape(one) for one in sent]}, "Hosts")
    else:
        sys.stdout.writelines(printable(f"{one.host}: {_said(one)}") + "\n" for one in sent if not one.reason)
    for one in sent:
        if one.reason:
            say(f"ecsctl: {one.host}: {one.reason}")
    results = {one.result for one in sent}
    return FAILED if "failed" in results else UNREACHABLE if "unreachable" in results else 0


def _shape(one: Sent) -> dict[str, object]:
    names = {"container_instance_arn": "containerInstanceArn", "of_layers": "ofLayers"}
    return {names.get(name, name): value for name, value in one._asdict().items() if value != ""}


def _said(one: Sent) -> str:
    if one.result != "sent":
        return one.result
    return f"{one.layers} of {one.of_layers} layers sent, {one.bytes / 1e6:.1f} MB in {one.seconds:.1f} s"


def show(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Only those with this in their names.", show_default=False)] = None,
    host: Hosts = None,
    cluster: Cluster = None,
) -> int:
    """Show which host has which image, whether a container uses it, and whether ecsctl brought it there.

    Exits with 5 when a host did not answer.
    """
    from ecsctl.operations.images import list_images

    invocation: Invocation = ctx.obj
    with invocation.open() as context:
        rows, silent = list_images(context, cluster=cluster, hosts=host or None, name=name)
    if invocation.for_scripts:
        invocation.show({"images": [to_wire(row) for row in rows]}, "Images")
    else:
        from ecsctl.cli.people import print_table

        cells = [
            [
                row.host,
                ", ".join(row.tags) or "-",
                row.image_id.removeprefix("sha256:")[:12],
                f"{row.size / 1e6:.1f} MB",
                "in use" if row.in_use else "",
                row.came_by or "",
            ]
            for row in rows
        ]
        print_table(("HOST", "IMAGE", "ID", "SIZE", "USED", "BY"), cells)
    for silent_host, why in sorted(silent.items()):
        say(f"ecsctl: {silent_host}: {why}")
    return UNREACHABLE if silent else 0


_FUNCTIONS: dict[str, Callable[..., int]] = {"push": push, "ls": show}
