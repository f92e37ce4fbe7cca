"""Placement: which container instance takes a task, or why none does. Pure.

Source: ECS developer guide, "How Amazon ECS places tasks on container instances"; reasons as in
"API failure reasons".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from ecsctl.model.api.tasks import PlacementConstraint, PlacementStrategy
from ecsctl.model.container_definition import ContainerDefinition
from ecsctl.model.sizes import task_cpu_units, task_memory_mib
from ecsctl.model.task import TaskOverride
from ecsctl.model.task_definition import TaskDefinition

Port = tuple[int, str]
ZONE = "ecs.availability-zone"
ARCHITECTURE = "ecs.cpu-architecture"


class Demand(NamedTuple):
    """What one task takes: cpu units, memory in MiB, host ports; and the architecture it is built for."""

    cpu: int
    memory: int
    ports: frozenset[Port] = frozenset()
    architecture: str | None = None


class Host(NamedTuple):
    """A container instance as placement sees it. `group_tasks` counts the tasks of the group being placed."""

    arn: str
    cpu_total: int
    memory_total: int
    cpu_free: int
    memory_free: int
    ports: frozenset[Port] = frozenset()
    attributes: tuple[tuple[str, str | None], ...] = ()
    active: bool = True
    connected: bool = True
    group_tasks: int = 0

    def attribute(self, name: str) -> str | None:
        return dict(self.attributes).get(name)

    def with_task(self, demand: Demand) -> Host:
        """The host after it took the task."""
        return self._replace(
            cpu_free=self.cpu_free - demand.cpu,
            memory_free=self.memory_free - demand.memory,
            ports=self.ports | demand.ports,
            group_tasks=self.group_tasks + 1,
        )


class Rejection(NamedTuple):
    """Why a host does not take a task: ECS's reason, and the figures. `short`: by how much of what it is to have."""

    arn: str
    reason: str
    detail: str
    short: float = 0.0


class Placement(NamedTuple):
    """The host chosen, or None and every host's reason."""

    host: Host | None
    rejections: tuple[Rejection, ...] = ()


def demand_of(definition: TaskDefinition, overrides: TaskOverride | None) -> Demand:
    """What a task of this definition takes: its own size if it states one, else the sum of its containers'."""
    changed = {o.name: o for o in (overrides.container_overrides if overrides else None) or []}
    cpu = memory = 0
    ports: set[Port] = set()
    for container in definition.container_definitions or []:
        override = changed.get(container.name)
        cpu += (override.cpu if override and override.cpu is not None else container.cpu) or 0
        hard = override.memory if override and override.memory is not None else container.memory
        soft = container.memory_reservation
        if override and override.memory_reservation is not None:
            soft = override.memory_reservation
        memory += soft or hard or 0
        ports |= _host_ports(definition, container)
    if text := (overrides and overrides.cpu) or definition.cpu:
        cpu = task_cpu_units(text)
    if text := (overrides and overrides.memory) or definition.memory:
        memory = task_memory_mib(text)
    platform = definition.runtime_platform
    return Demand(cpu, memory, frozenset(ports), platform.cpu_architecture if platform else None)


def _host_ports(definition: TaskDefinition, container: ContainerDefinition) -> set[Port]:
    """The fixed host ports; in host mode every container port is one."""
    found: set[Port] = set()
    for mapping in container.port_mappings or []:
        port = mapping.container_port if definition.network_mode == "host" else mapping.host_port
        if port and definition.network_mode in (None, "bridge", "host"):
            found.add((port, mapping.protocol or "tcp"))
    return found


def place(
    demand: Demand,
    hosts: Sequence[Host],
    strategies: Iterable[PlacementStrategy],
    constraints: Iterable[PlacementConstraint],
    draw: Callable[[int], int],
) -> Placement:
    """Choose a host: filter, then each strategy narrows the choice, then a draw (`draw(n)` is in 0..n-1) decides.

    Without a strategy the draw alone decides, as in RunTask.
    """
    distinct = any(constraint.type == "distinctInstance" for constraint in constraints)
    rejections = [r for host in hosts if (r := _unfit(demand, host, distinct))]
    unfit = {rejection.arn for rejection in rejections}
    fitting = [host for host in hosts if host.arn not in unfit]
    if not fitting:
        return Placement(None, tuple(rejections))
    everyone = list(hosts)
    for strategy in strategies:
        fitting = _narrow(strategy, fitting, everyone)
    fitting.sort(key=lambda host: host.arn)
    return Placement(fitting[draw(len(fitting))])


def place_copies(
    demand: Demand,
    hosts: Sequence[Host],
    strategies: Sequence[PlacementStrategy],
    constraints: Sequence[PlacementConstraint],
    count: int,
    draw: Callable[[int], int],
) -> list[Placement]:
    """Place `count` tasks one after the other; after one for which there is no host none is tried: it is no smaller."""
    placements: list[Placement] = []
    for _ in range(count):
        choice = place(demand, hosts, strategies, constraints, draw)
        placements.append(choice)
        if choice.host is None:
            break
        hosts = [host.with_task(demand) if host.arn == choice.host.arn else host for host in hosts]
    return placements


def never_fits(demand: Demand, hosts: Iterable[Host]) -> str | None:
    """Why no host could take the task even when empty, in a sentence; None when one could, or there is none."""
    active = [host for host in hosts if host.active]
    if not active:
        return None
    largest_memory = max(host.memory_total for host in active)
    largest_cpu = max(host.cpu_total for host in active)
    if demand.memory > largest_memory:
        return f"it needs {demand.memory} MiB of memory, and the largest container instance has {largest_memory}"
    if demand.cpu > largest_cpu:
        return f"it needs {demand.cpu} CPU units, and the largest container instance has {largest_cpu}"
    return None


def _unfit(demand: Demand, host: Host, distinct: bool) -> Rejection | None:
    if not host.active:
        return Rejection(host.arn, "INACTIVE", "the container instance is not ACTIVE")
    if not host.connected:
        return Rejection(host.arn, "AGENT", "the host did not answer when it was last asked")
    architecture = host.attribute(ARCHITECTURE)
    if demand.architecture and architecture and demand.architecture.lower() != architecture.lower():
        return Rejection(host.arn, "ATTRIBUTE", f"needs {demand.architecture}, the host is {architecture}")
    if demand.memory > host.memory_free:
        detail = f"needs {demand.memory} MiB, {host.memory_free} of {host.memory_total} are free"
        return Rejection(host.arn, "RESOURCE:MEMORY", detail, 1 - host.memory_free / demand.memory)
    if demand.cpu > host.cpu_free:
        detail = f"needs {demand.cpu} CPU units, {host.cpu_free} of {host.cpu_total} are free"
        return Rejection(host.arn, "RESOURCE:CPU", detail, 1 - host.cpu_free / demand.cpu)
    if taken := sorted(demand.ports & host.ports):
        return Rejection(host.arn, "RESOURCE:PORTS", "taken: " + ", ".join(f"{port}/{kind}" for port, kind in taken))
    if distinct and host.group_tasks:
        return Rejection(host.arn, "distinctInstance placement constraint unsatisfied.", "has a task of the group")
    return None


def _narrow(strategy: PlacementStrategy, fitting: list[Host], everyone: list[Host]) -> list[Host]:
    """The hosts that this strategy likes best, all equally."""
    field = strategy.field or ""
    if strategy.type == "spread":
        counts: dict[str | None, int] = {}
        for host in everyone:
            counts[_bucket(host, field)] = counts.get(_bucket(host, field), 0) + host.group_tasks
        return _least(fitting, lambda host: counts[_bucket(host, field)])
    if strategy.type == "binpack":
        return _least(fitting, lambda host: host.cpu_free if field.lower() == "cpu" else host.memory_free)
    return fitting


def _bucket(host: Host, field: str) -> str | None:
    if field.lower() in ("instanceid", "host", ""):
        return host.arn
    return host.attribute(field.removeprefix("attribute:"))


def _least(hosts: list[Host], measure: Callable[[Host], int]) -> list[Host]:
    best = min(measure(host) for host in hosts)
    return [host for host in hosts if measure(host) == best]
