"""`simulate`: how a workload fits a fleet that need not be there."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecsctl.cli.commands import Entry
from ecsctl.cli.own import Own
from ecsctl.cli.problems import FAILED, UsageError, printable, say
from ecsctl.model.errors import InputError
from ecsctl.model.record import decode, to_wire
from ecsctl.model.simulation import FleetItem, SimulationFile, SimulationReport, WorkloadItem

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation
    from ecsctl.placement.host import Host

_HOSTS = re.compile(
    r"(?:(?P<count>\d{1,6})\s+hosts?\s+of\s+)?(?P<cpu>[\d.]+\s*vcpus?|\d+)\s*,\s*(?P<memory>[\d.]+\s*gi?b|\d+)"
    r"(?:\s+in\s+(?P<zones>\d{1,2})\s+zones?)?(?:\s+at\s+(?P<price>\d*\.?\d+))?",
    re.IGNORECASE,
)
_HOSTS_HELP = '"100 hosts of 4 vCPU, 16 GB in 3 zones at 0.17"'
_TASK_HELP = "FILE=COUNT, or '0.25 vCPU, 512 MB=COUNT'"


def command(entry: Entry) -> Own:
    return Own(entry, simulate)


def simulate(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="A fleet and a workload: JSON, YAML or TOML.")] = None,
    hosts: Annotated[list[str] | None, typer.Option(help=f"Hosts: {_HOSTS_HELP}; as often as there are kinds.")] = None,
    cluster: Annotated[str | None, typer.Option(help="Take the hosts of a cluster as they are now.")] = None,
    task: Annotated[list[str] | None, typer.Option(help=f"Tasks: {_TASK_HELP}.")] = None,
    strategy: Annotated[
        list[str] | None,
        typer.Option(help="Placement strategies, as of run-task; without any, spread over zones, then hosts."),
    ] = None,
    priority: Annotated[
        str | None, typer.Option(help="cost, availability, balanced, or 0 (cost) to 1 (availability).")
    ] = None,
    lose_zone: Annotated[list[str] | None, typer.Option(help="Which zones are lost; without it each in turn.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw the hosts as bars: a file in SVG or PNG.")] = None,
    seed: Annotated[int, typer.Option(help="What chance goes by: the same seed, the same plan.")] = 1,
) -> int:
    """Say how a workload fits a fleet: how many hosts it needs, what they cost, and what a lost zone does.

    The tasks are placed by the engine that places real ones. Exits with 1 when not all of them fit.
    """
    from ecsctl.operations.simulate import imaginary_hosts, loads_of, report
    from ecsctl.placement.simulation import simulate as run

    invocation: Invocation = ctx.obj
    given = _file(file) if file else SimulationFile()
    fleet = [*given.fleet, *(_fleet_item(text) for text in hosts or [])]
    workload = [*given.workload, *(_workload_item(text) for text in task or [])]
    more = {"priority": priority, "placement_strategy": _strategies(strategy)}
    for item in workload:
        if item.priority is None and item.placement_strategy is None:
            item.priority, item.placement_strategy = more["priority"], more["placement_strategy"]
    found = _cluster_hosts(invocation, cluster) if cluster else imaginary_hosts(fleet)
    if not found or (cluster and fleet):
        raise UsageError(f"give a fleet: a FILE, --hosts {_HOSTS_HELP}, or --cluster NAME")
    if not workload:
        raise UsageError(f"give a workload: a FILE, or --task {_TASK_HELP}")
    loads = loads_of(workload, _read_definition, {host.provider for host in found})
    draw = Random(seed).randrange  # noqa: S311 it is to be the same each time
    simulation = run(found, loads, draw)
    zones = sorted({host.zone for host in found if host.zone})
    answer = report(simulation, lose_zone or (zones if len(zones) > 1 else []), draw)
    if picture:
        from ecsctl.cli.picture import draw_hosts, save

        save(draw_hosts(simulation), picture)
        say(f"ecsctl: {picture} shows the hosts")
    if invocation.for_scripts:
        invocation.show(to_wire(answer), "Simulation")
    else:
        _print(answer)
    return 0 if all(load.placed == load.count for load in answer.workload) else FAILED


# What is given


def _file(path: Path) -> SimulationFile:
    from ecsctl.cli.documents import read_document

    found = decode(SimulationFile, read_document(path), f"{path}: ")
    for item in found.workload:
        if item.task_definition is not None:
            item.task_definition = str(path.parent / item.task_definition)
    return found


def _read_definition(path: Path) -> Any:
    from ecsctl.cli.register_task_definition import definition_in

    return definition_in(path)


def _fleet_item(text: str) -> FleetItem:
    match = _HOSTS.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"argument --hosts: {text!r} is not like {_HOSTS_HELP}")
    return FleetItem(
        cpu=_cpu(match["cpu"]),
        memory=_memory(match["memory"]),
        count=int(match["count"] or 1),
        zones=int(match["zones"] or 1),
        price=float(match["price"]) if match["price"] else None,
    )


def _workload_item(text: str) -> WorkloadItem:
    what, _, count = text.rpartition("=")
    if not what or not re.fullmatch(r"[0-9]{1,6}", count.strip()):
        raise UsageError(f"argument --task: {text!r} is not like {_TASK_HELP}")
    if match := re.fullmatch(r"\s*([\d.]+\s*vcpus?|\d+)\s*,\s*([\d.]+\s*[gm]i?b|\d+)\s*", what, re.IGNORECASE):
        return WorkloadItem(count=int(count), cpu=_cpu(match[1]), memory=_memory(match[2]), name=what.strip())
    return WorkloadItem(count=int(count), task_definition=what)


def _cpu(text: str) -> str:
    return text.lower().removesuffix("s")


def _memory(text: str) -> str:
    plain = text.lower().replace("ib", "b")
    return plain.removesuffix("mb").strip() if plain.endswith("mb") else plain


def _strategies(words: list[str] | None) -> Any:
    if not words:
        return None
    from ecsctl.cli.values import from_words
    from ecsctl.model.task_launch import PlacementStrategy

    plain = from_words("--strategy", list[PlacementStrategy], words)
    try:
        return [decode(PlacementStrategy, one) for one in plain]
    except InputError as error:
        raise UsageError(f"argument --strategy: {error}") from None


def _cluster_hosts(invocation: Invocation, name: str) -> list[Host]:
    from ecsctl.controller.hosts import hosts_of
    from ecsctl.operations.lookup import find_cluster

    with invocation.open() as context, context.store.read() as view:
        return hosts_of(view, str(find_cluster(view, context, name).cluster_arn))


# What is shown


def _print(answer: SimulationReport) -> None:
    from ecsctl.cli.people import print_table

    zones = ", ".join(f"{name} {count}" for name, count in answer.zones.items())
    lines = [
        f"{answer.hosts_used} of {answer.hosts} hosts used ({zones}); "
        f"CPU {answer.cpu_percent:g}%, memory {answer.memory_percent:g}% of all taken"
    ]
    if answer.price_per_hour is not None:
        used = answer.price_per_hour_used or 0
        lines.append(f"{answer.price_per_hour:,.2f} an hour, {used:,.2f} of it for hosts that are used")
    if answer.hosts_without_price:
        lines.append(f"hosts without a price: {answer.hosts_without_price}; each counts as the dearest")
    _write([*lines, ""])
    names = list(answer.zones)
    rows = [
        [load.name, f"{load.placed} of {load.count}", str(load.hosts), *(str(load.zones.get(n, 0)) for n in names)]
        for load in answer.workload
    ]
    print_table(("WORKLOAD", "PLACED", "HOSTS", *(name.upper() for name in names)), rows)
    reasons = [f"{load.name}: {load.reason}" for load in answer.workload if load.reason]
    _write(["", *reasons, *([""] if reasons else []), "Packed tightly, on hosts that are all alike:"])
    needed = [
        [
            f"{need.cpu / 1024:g} vCPU, {need.memory / 1024:g} GB{f', {need.gpus} GPUs' if need.gpus else ''}",
            str(need.hosts) if need.hosts is not None else f"cannot be: {need.reason}",
            str(need.at_least),
            f"{need.price_per_hour:,.2f}" if need.price_per_hour is not None else "",
        ]
        for need in answer.needed
    ]
    print_table(("HOST", "NEEDED", "AT LEAST", "AN HOUR"), needed)
    if answer.lost_zones:
        _write(["", "When a zone is lost:"])
        lost = [
            [
                loss.zone,
                str(loss.hosts),
                str(loss.lost),
                str(loss.moved),
                ", ".join(f"{count} of {name}" for name, count in loss.without_place.items()) or "none",
            ]
            for loss in answer.lost_zones
        ]
        print_table(("ZONE", "HOSTS", "TASKS LOST", "FIND A PLACE", "WITHOUT ONE"), lost)


def _write(lines: list[str]) -> None:
    sys.stdout.writelines(printable(line) + "\n" for line in lines)
    sys.stdout.flush()
