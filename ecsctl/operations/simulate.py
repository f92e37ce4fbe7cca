"""`simulate`: a workload on a fleet that need not be there. No engine is asked, nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path

from ecsctl.controller.providers import check_strategy
from ecsctl.model.api.task_definitions import RegisterTaskDefinitionRequest
from ecsctl.model.arn import Scope
from ecsctl.model.cluster import FARGATE_PROVIDERS, Cluster
from ecsctl.model.errors import ApiError, InputError
from ecsctl.model.record import evolve
from ecsctl.model.simulation import (
    FleetItem,
    HostNeed,
    SimulatedLoad,
    SimulationReport,
    WorkloadItem,
    ZoneLoss,
)
from ecsctl.model.sizes import task_cpu_units, task_memory_mib
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.operations.definition_rules import validate
from ecsctl.operations.registered_definition import register
from ecsctl.operations.task_rules import check_rules
from ecsctl.placement.demand import Demand, demand_of
from ecsctl.placement.fleet import requirements
from ecsctl.placement.host import ARCHITECTURE, OS, PRICE, ZONE, Host, figure_problem, prices
from ecsctl.placement.providers import names
from ecsctl.placement.simulation import Draw, Load, Loss, Need, Placed, Simulation, lose, needs
from ecsctl.scheduler.obstacle import cannot_place
from ecsctl.scheduler.service_work import SPREAD

MOST_HOSTS, MOST_TASKS = 20_000, 200_000
MOST_GPUS = 64
REGION = "us-east-1"


def imaginary_hosts(items: Iterable[FleetItem]) -> list[Host]:
    """The hosts of a fleet, all free. Raises InputError for what cannot be one."""
    hosts: list[Host] = []
    for index, item in enumerate(items):
        where = f"fleet[{index}]"
        cpu, memory = _size(where, item.cpu, item.memory)
        zones = item.zones
        if isinstance(zones, int):
            if not 1 <= zones <= 26:
                raise InputError(f"{where}.zones: {zones} is not between 1 and 26")
            zones = [f"{REGION}{chr(ord('a') + number)}" for number in range(zones)]
        if item.count < 1 or len(hosts) + item.count > MOST_HOSTS:
            raise InputError(f"{where}.count: {item.count} is not between 1 and {MOST_HOSTS} hosts in all")
        if not 0 <= item.gpus <= MOST_GPUS:
            raise InputError(f"{where}.gpus: {item.gpus} is not between 0 and {MOST_GPUS}")
        if not zones:
            raise InputError(f"{where}.zones: name one, or say how many")
        if item.price is not None and not 0 <= item.price < float("inf"):
            raise InputError(f"{where}.price: {item.price} is no price of an hour")
        price = {PRICE: f"{item.price:.6f}"} if item.price is not None else {}
        for attribute, value in item.attributes.items():
            if wrong := figure_problem(attribute, value):
                raise InputError(f"{where}.attributes.{attribute}: {wrong}")
        for number in range(item.count):
            attributes = {OS: "linux", ARCHITECTURE: "x86_64", **item.attributes, **price}
            attributes.setdefault(ZONE, zones[number % len(zones)])
            name = f"{item.name}-{len(hosts) + 1:05}"
            host = Host(name, cpu, memory, cpu, memory, attributes=attributes, name=name)
            gpus = tuple(map(str, range(item.gpus)))
            hosts.append(evolve(host, provider=item.capacity_provider, gpus=gpus, gpus_total=item.gpus))
    return hosts


def loads_of(
    items: Sequence[WorkloadItem],
    read: Callable[[Path], RegisterTaskDefinitionRequest],
    providers: Collection[str | None] = (),
) -> list[Load]:
    """The workload, on hosts of these capacity providers. `read` reads a task definition's file. Raises InputError."""
    known = Cluster(capacity_providers=[*FARGATE_PROVIDERS, *(name for name in providers if name)])
    loads: list[Load] = []
    total = 0
    for index, item in enumerate(items):
        where = f"workload[{index}]"
        total += item.count
        if item.count < 1 or total > MOST_TASKS:
            raise InputError(f"{where}.count: {item.count} is not between 1 and {MOST_TASKS} tasks in all")
        definition, demand, name = None, None, item.name
        if item.task_definition is not None:
            definition = _definition(read(Path(item.task_definition)))
            demand, name = demand_of(definition, None), name or definition.family
        elif item.cpu is not None and item.memory is not None:
            if not 0 <= item.gpus <= MOST_GPUS:
                raise InputError(f"{where}.gpus: {item.gpus} is not between 0 and {MOST_GPUS}")
            demand = Demand(*_size(where, item.cpu, item.memory), gpus=item.gpus)
        else:
            raise InputError(f"{where}: give a taskDefinition, or cpu and memory")
        name = name or f"task {index + 1}"
        if name in {load.name for load in loads}:
            name = f"{name} ({index + 1})"
        for name_asked in names(item.capacity_provider_strategy):
            if name_asked not in (known.capacity_providers or []):
                raise InputError(f"{where}: no host of the fleet is of the capacity provider {name_asked!r}")
        try:
            check_strategy(known, item.capacity_provider_strategy)
            check_rules(item.placement_strategy or [], item.placement_constraints or [], item.priority)
        except ApiError as error:
            raise InputError(f"{where}: {error.message}") from None
        asked = requirements(
            demand,
            name,
            item.placement_strategy or SPREAD,
            (*((definition.placement_constraints if definition else None) or ()), *(item.placement_constraints or ())),
            item.priority,
        )
        loads.append(Load(name, asked, item.count, tuple(item.capacity_provider_strategy)))
    return loads


def _definition(request: RegisterTaskDefinitionRequest) -> TaskDefinition:
    try:
        validate(request)
    except ApiError as error:
        raise InputError(f"{request.family}: {error.message}") from None
    scope = Scope()
    arn = scope.task_definition(request.family, 1)
    return register(request, 1, arn, datetime(1970, 1, 1, tzinfo=timezone.utc), "")


def _size(where: str, cpu: str | int, memory: str | int) -> tuple[int, int]:
    try:
        return task_cpu_units(str(cpu)), task_memory_mib(str(memory))
    except ApiError as error:
        raise InputError(f"{where}.{error.message}") from None


def report(simulation: Simulation, zones: Sequence[str], draw: Draw) -> SimulationReport:
    """What is told of a simulation; of what is lost with each of these zones."""
    hosts, used = simulation.hosts, simulation.used
    counts: dict[str, int] = {}
    for host in hosts:
        counts[host.zone or "none"] = counts.get(host.zone or "none", 0) + 1
    for zone in zones:
        if zone not in counts:
            raise InputError(f"there is no zone {zone!r}: there are {', '.join(sorted(counts))}")
    costs = {host.arn: price for host, price in zip(hosts, prices(hosts), strict=True)}
    unpriced = sum(host.price is None for host in hosts)
    is_priced = unpriced < len(hosts)
    return SimulationReport(
        hosts=len(hosts),
        hosts_used=len(used),
        zones=dict(sorted(counts.items())),
        cpu_percent=_percent(
            sum(h.cpu_total - h.cpu_free + simulation.taken(h)[0] for h in hosts), sum(h.cpu_total for h in hosts)
        ),
        memory_percent=_percent(
            sum(h.memory_total - h.memory_free + simulation.taken(h)[1] for h in hosts),
            sum(h.memory_total for h in hosts),
        ),
        workload=[_load(simulation, placed) for placed in simulation.placed],
        needed=[_need(need) for need in needs(simulation)],
        lost_zones=[_loss(lose(simulation, zone, draw)) for zone in zones],
        price_per_hour=round(sum(costs.values()), 6) if is_priced else None,
        price_per_hour_used=round(sum(costs[host.arn] for host in used), 6) if is_priced else None,
        hosts_without_price=unpriced if is_priced and unpriced else None,
    )


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0


def _load(simulation: Simulation, placed: Placed) -> SimulatedLoad:
    return SimulatedLoad(
        name=placed.load.name,
        count=placed.load.tasks,
        placed=placed.tasks,
        hosts=len(placed.by_host),
        zones=simulation.by_zone(placed),
        reason=cannot_place(placed.rejections) if placed.unplaced else None,
    )


def _need(need: Need) -> HostNeed:
    return HostNeed(
        cpu=need.kind.cpu_total,
        memory=need.kind.memory_total,
        at_least=need.bound,
        hosts=need.hosts,
        reason=need.why,
        gpus=need.kind.gpus_total or None,
        price_per_hour=round(need.hosts * need.price, 6) if need.hosts is not None and need.price else None,
    )


def _loss(loss: Loss) -> ZoneLoss:
    without = {name: count - loss.moved[name] for name, count in loss.lost.items() if count > loss.moved[name]}
    return ZoneLoss(
        zone=loss.zone,
        hosts=loss.hosts,
        lost=sum(loss.lost.values()),
        moved=sum(loss.moved.values()),
        without_place=without,
    )
