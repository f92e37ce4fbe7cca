"""What `simulate` takes, an imaginary fleet and a workload, and what it answers."""

from __future__ import annotations

import msgspec

from ecsctl.model.cluster import CapacityProviderStrategyItem
from ecsctl.model.record import Record
from ecsctl.model.task_launch import PlacementConstraint, PlacementStrategy


class FleetItem(Record):
    """`count` hosts alike. `cpu` and `memory` as in a task definition: units or "4 vCPU", MiB or "16 GB". `zones` are
    how many, or their names; `price` is of one host an hour."""

    cpu: str | int
    memory: str | int
    count: int = 1
    zones: int | list[str] = 1
    price: float | None = None
    name: str = "host"
    gpus: int = 0
    capacity_provider: str | None = None
    attributes: dict[str, str] = msgspec.field(default_factory=dict)


class WorkloadItem(Record):
    """`count` tasks: of a task definition's file, or of so much `cpu` and `memory`."""

    count: int = 1
    task_definition: str | None = None
    cpu: str | int | None = None
    memory: str | int | None = None
    gpus: int = 0
    name: str | None = None
    placement_strategy: list[PlacementStrategy] | None = None
    placement_constraints: list[PlacementConstraint] | None = None
    priority: str | None = None
    capacity_provider_strategy: list[CapacityProviderStrategyItem] = msgspec.field(default_factory=list)


class SimulationFile(Record):
    """A file that `simulate` reads: either part may be missing."""

    fleet: list[FleetItem] = msgspec.field(default_factory=list)
    workload: list[WorkloadItem] = msgspec.field(default_factory=list)


class SimulatedLoad(Record):
    """What became of one item of the workload. `reason`: why the others have no place, on the host that is closest."""

    name: str
    count: int
    placed: int
    hosts: int
    zones: dict[str, int]
    reason: str | None = None


class HostNeed(Record):
    """How many hosts of one kind would take the whole workload, packed tightly; fewer than `at_least` cannot. `hosts`
    is missing where such a host does not take one of the tasks at all, for the `reason`."""

    cpu: int
    memory: int
    at_least: int
    hosts: int | None = None
    reason: str | None = None
    gpus: int | None = None
    price_per_hour: float | None = None


class ZoneLoss(Record):
    """What is lost with a zone, and how many of the tasks find a place in the others."""

    zone: str
    hosts: int
    lost: int
    moved: int
    without_place: dict[str, int]


class SimulationReport(Record):
    """A workload on a fleet. Percentages are of all hosts; prices are of an hour, missing where no host has one;
    `hosts_without_price` count as the dearest."""

    hosts: int
    hosts_used: int
    zones: dict[str, int]
    cpu_percent: float
    memory_percent: float
    workload: list[SimulatedLoad]
    needed: list[HostNeed]
    lost_zones: list[ZoneLoss]
    price_per_hour: float | None = None
    price_per_hour_used: float | None = None
    hosts_without_price: int | None = None
