"""What becomes of a workload on a fleet that need not be there: how much fits, how many hosts it needs, what it costs,
how it is spread, and what is lost with a zone. Pure.

The tasks are placed by the engine that places real ones, in the order of the workload.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ecsctl.model.cluster import CapacityProviderStrategyItem
from ecsctl.model.record import evolve
from ecsctl.placement.fleet import Fleet, Rejection, Requirements
from ecsctl.placement.host import Host, prices
from ecsctl.placement.pack import Kind, Size, hosts_needed, lower_bound
from ecsctl.placement.providers import names, shares
from ecsctl.placement.search import Search

Draw = Callable[[int], int]


class Load(NamedTuple):
    """So many tasks of one kind. `asked.group` is theirs alone."""

    name: str
    asked: Requirements
    tasks: int
    strategy: tuple[CapacityProviderStrategyItem, ...] = ()


class Placed(NamedTuple):
    """What became of a load: its tasks by host (ARN), how many found none, and why not on each host."""

    load: Load
    by_host: dict[str, int]
    unplaced: int
    rejections: tuple[Rejection, ...] = ()

    @property
    def tasks(self) -> int:
        return sum(self.by_host.values())


class Need(NamedTuple):
    """How many hosts of one kind would take the whole workload, packed as tightly as can be; at least `bound`.

    None of them where such a host does not take a task of it even when it is empty, for the reason `why`. `price`: of
    one, an hour.
    """

    kind: Host
    hosts: int | None
    bound: int
    price: float
    why: str | None = None


class Loss(NamedTuple):
    """What a zone takes with it: hosts, and of each load the tasks that were there and those that find a place."""

    zone: str
    hosts: int
    lost: dict[str, int]
    moved: dict[str, int]


class Simulation(NamedTuple):
    """A workload on a fleet."""

    hosts: list[Host]
    placed: list[Placed]

    @property
    def used(self) -> list[Host]:
        """The hosts that have a task of the workload, or had one before."""
        mine = {arn for placed in self.placed for arn in placed.by_host}
        return [host for host in self.hosts if host.arn in mine or host.tasks]

    def taken(self, host: Host) -> tuple[int, int]:
        """CPU units and MiB that the workload takes on a host."""
        counts = [(p.load.asked.demand, p.by_host.get(host.arn, 0)) for p in self.placed]
        return sum(d.cpu * n for d, n in counts), sum(d.memory * n for d, n in counts)

    def by_zone(self, placed: Placed) -> dict[str, int]:
        """The tasks of a load by zone."""
        found = {zone: 0 for host in self.hosts if (zone := host.zone)}
        for host in self.hosts:
            if host.zone:
                found[host.zone] += placed.by_host.get(host.arn, 0)
        return dict(sorted(found.items()))


def simulate(hosts: Sequence[Host], loads: Sequence[Load], draw: Draw) -> Simulation:
    """Place a workload on hosts as they are. `draw(n)` is in 0..n-1."""
    fleet = Fleet(hosts)
    return Simulation(fleet.hosts, [_place(fleet, load, load.tasks, draw) for load in loads])


def _place(fleet: Fleet, load: Load, tasks: int, draw: Draw) -> Placed:
    by_host: dict[str, int] = {}
    rejections: tuple[Rejection, ...] = ()
    for provider, number in shares(load.strategy, {}, tasks).items():
        asked = evolve(load.asked, provider=provider)
        search = Search(fleet, asked, draw, number)
        for _ in range(number):
            host = search.take()
            if host is None:
                rejections = rejections or tuple(fleet.rejections(asked))
                break
            arn = fleet.hosts[host].arn
            by_host[arn] = by_host.get(arn, 0) + 1
    return Placed(load, by_host, tasks - sum(by_host.values()), rejections)


def needs(simulation: Simulation) -> list[Need]:
    """Of each kind of host in the fleet, how many would be needed if there were no others."""
    kinds: dict[tuple[Size, float], list[Host]] = {}
    for host, price in zip(simulation.hosts, prices(simulation.hosts), strict=True):
        kinds.setdefault((_size(host), price), []).append(_emptied(host))
    wanted = [
        Kind(p.load.asked.demand, p.load.tasks, p.load.asked.is_distinct or bool(p.load.asked.demand.ports))
        for p in simulation.placed
    ]
    found = []
    for (size, price), alike in kinds.items():
        fleet = Fleet(alike)
        refused = [p.load for p in simulation.placed if not any(map(fleet.fitting, _asked(p.load)))]
        why = _why_not(fleet, refused[0]) if refused else None
        hosts = None if refused else hosts_needed(size, wanted)
        found.append(Need(alike[0], hosts, lower_bound(size, wanted), price, why))
    return sorted(found, key=lambda need: (need.hosts is None, (need.hosts or 0) * need.price, need.hosts or 0))


def _size(host: Host) -> Size:
    return Size(host.cpu_total, host.memory_total, host.gpus_total, evolve(host, groups={}, stopping=0).slots)


def _emptied(host: Host) -> Host:
    """As it is when no task is there."""
    gpus = tuple(map(str, range(host.gpus_total)))
    return evolve(
        host,
        cpu_free=host.cpu_total,
        memory_free=host.memory_total,
        ports=frozenset(),
        groups={},
        stopping=0,
        gpus=gpus,
    )


def _asked(load: Load) -> list[Requirements]:
    """What its tasks ask of hosts, for each capacity provider that they may be of."""
    providers: list[str | None] = [*names(load.strategy)]
    return [evolve(load.asked, provider=name) for name in providers or [None]]


def _why_not(fleet: Fleet, load: Load) -> str:
    """Why none of some empty hosts takes a load, in a few words."""
    rejections = [rejection for asked in _asked(load) for rejection in fleet.rejections(asked)]
    found = min(rejections, key=lambda rejection: rejection.short)
    return f"{load.name}: {found.reason}: {found.detail}"


def lose(simulation: Simulation, zone: str, draw: Draw) -> Loss:
    """What is lost with a zone, and how much of it the others take."""
    gone = {host.arn for host in simulation.hosts if host.zone == zone}
    fleet = Fleet(host for host in simulation.hosts if host.arn not in gone)
    numbers = {host.arn: number for number, host in enumerate(fleet.hosts)}
    for placed in simulation.placed:
        for arn, count in placed.by_host.items():
            for _ in range(count if arn in numbers else 0):
                fleet.take(numbers[arn], placed.load.asked.demand, placed.load.asked.group)
    lost = {p.load.name: sum(n for arn, n in p.by_host.items() if arn in gone) for p in simulation.placed}
    moved = {p.load.name: _place(fleet, p.load, lost[p.load.name], draw).tasks for p in simulation.placed}
    return Loss(zone, len(gone), lost, moved)
