"""The container instances of a cluster while tasks are placed on them: what is free, who fits, and why others do not.

Columns instead of objects: a question about ten thousand hosts is one pass over a list of numbers. Pure.

Source: ECS developer guide, "How Amazon ECS places tasks on container instances"; reasons as in "API failure reasons".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from ecsctl.model.record import evolve
from ecsctl.model.task_definition import TaskDefinitionPlacementConstraint
from ecsctl.model.task_launch import PlacementConstraint, PlacementStrategy
from ecsctl.placement.demand import Demand
from ecsctl.placement.host import ARCHITECTURE, OS, TASK_LIMIT, UNLIMITED, Host, prices
from ecsctl.placement.named_priority import parse_priority
from ecsctl.placement.port_ranges import free_rows, ports_at

if TYPE_CHECKING:
    from ecsctl.placement.query import Query, Subject

DISTINCT = "distinctInstance placement constraint unsatisfied."
MEMBER_OF = "MemberOf placement constraint unsatisfied."
OTHER_PROVIDER = "CAPACITY PROVIDER"
"""A reason of ours: the container instance is not of the capacity provider."""


class Requirements(Struct, frozen=True):
    """What tasks of one kind ask of where they go. `group` is what they count as when they are spread, `provider` the
    capacity provider whose hosts they go to. `availability` (0 to 1) is what they mind instead of strategies. `rank`:
    tasks of a lower one make room for them."""

    demand: Demand
    group: str
    strategies: tuple[PlacementStrategy, ...] = ()
    is_distinct: bool = False
    queries: tuple[Query, ...] = ()
    provider: str | None = None
    availability: float | None = None
    rank: int = 0


class Rejection(Struct, frozen=True):
    """Why a host does not take a task: ECS's reason, and the figures. `short`: by how much of what it is to have."""

    arn: str
    reason: str
    detail: str
    short: float = 0.0


def requirements(
    demand: Demand,
    group: str,
    strategies: Iterable[PlacementStrategy] = (),
    constraints: Iterable[PlacementConstraint | TaskDefinitionPlacementConstraint] = (),
    priority: str | None = None,
    rank: int | None = None,
) -> Requirements:
    """Raises QueryError for the expression of a `memberOf` that is none. A `priority` stands for all strategies."""
    constraints = list(constraints)
    expressions = [c.expression or "" for c in constraints if c.type == "memberOf"]
    is_distinct = any(c.type == "distinctInstance" for c in constraints)
    found = Requirements(demand, group, tuple(strategies), is_distinct, rank=rank or 0)
    if priority is not None:
        found = evolve(found, strategies=(), availability=parse_priority(priority))
    if expressions:
        from ecsctl.placement.query import parse  # most tasks have none

        found = evolve(found, queries=tuple(map(parse, expressions)))
    return found


class Fleet:
    """Hosts by number, in the order of their ARNs: in which order they were given changes nothing."""

    def __init__(self, hosts: Iterable[Host]) -> None:
        self.hosts = sorted(hosts, key=lambda host: host.arn)
        self.cpu = [host.cpu_free for host in self.hosts]
        self.memory = [host.memory_free for host in self.hosts]
        self.ports = [host.ports for host in self.hosts]
        self.slots = [host.slots for host in self.hosts]
        self.gpus = [len(host.gpus) for host in self.hosts]
        self.added = [0] * len(self.hosts)
        self.groups: dict[str, dict[int, int]] = {}
        """Group → number of a host → how many tasks of the group it has; none where it has none."""
        for number, host in enumerate(self.hosts):
            for group, count in host.groups.items():
                self.groups.setdefault(group, {})[number] = count
        self._values: dict[str, list[str | None]] = {}
        self._is_limited = any(slots < UNLIMITED for slots in self.slots)
        self._suitable: dict[tuple[str | None, str | None, str | None, tuple[str, ...]], list[int]] = {}

    def __len__(self) -> int:
        return len(self.hosts)

    def take(self, number: int, demand: Demand, group: str) -> None:
        """One more task on a host."""
        self.cpu[number] -= demand.cpu
        self.memory[number] -= demand.memory
        self.gpus[number] -= demand.gpus
        self.slots[number] -= 1
        self.added[number] += 1
        if demand.ports:
            self.ports[number] |= demand.ports
        if demand.ranges and (firsts := free_rows(self.ports[number], demand.ranges)):
            self.ports[number] |= ports_at(demand.ranges, firsts)
        members = self.groups.setdefault(group, {})
        members[number] = members.get(number, 0) + 1

    def release(self, number: int, demand: Demand, group: str) -> None:
        """One task less on a host."""
        self.cpu[number] += demand.cpu
        self.memory[number] += demand.memory
        self.gpus[number] += demand.gpus
        self.slots[number] += 1
        self.added[number] -= 1
        self.ports[number] -= demand.ports
        members = self.groups[group]
        members[number] -= 1
        if not members[number]:
            del members[number]

    def fitting(self, asked: Requirements) -> list[int]:
        """The numbers of the hosts that can take one such task now, ascending."""
        demand = asked.demand
        cpu, memory, free_cpu, free_memory = demand.cpu, demand.memory, self.cpu, self.memory
        found = [n for n in self._suited(asked) if free_memory[n] >= memory and free_cpu[n] >= cpu]
        if demand.ports:
            found = [n for n in found if not demand.ports & self.ports[n]]
        if demand.ranges:
            found = [n for n in found if self._rows(n, demand)]
        if demand.gpus:
            found = [n for n in found if self.gpus[n] >= demand.gpus]
        if self._is_limited:
            found = [n for n in found if self.slots[n] > 0]
        if asked.is_distinct and (members := self.groups.get(asked.group)):
            found = [n for n in found if n not in members]
        for query in asked.queries:
            if not query.is_static:
                found = [n for n in found if query.matches(self._subject(n))]
        return found

    def fits(self, number: int, asked: Requirements) -> bool:
        """Whether a host, of those that fitted, can take one more."""
        demand = asked.demand
        return (
            not asked.is_distinct
            and self.memory[number] >= demand.memory
            and self.cpu[number] >= demand.cpu
            and not demand.ports
            and not demand.ranges
            and self.gpus[number] >= demand.gpus
            and self.slots[number] > 0
            and all(query.is_static or query.matches(self._subject(number)) for query in asked.queries)
        )

    def rooms(self, numbers: Sequence[int], asked: Requirements) -> list[int]:
        """How many such tasks each of these hosts, which can take one, can take; but for constraints that depend on the
        tasks that are there."""
        demand = asked.demand
        rooms = [1 if asked.is_distinct or demand.ports or demand.ranges else UNLIMITED] * len(numbers)
        for free, taken in (
            (self.cpu, demand.cpu),
            (self.memory, demand.memory),
            (self.gpus, demand.gpus),
            (self.slots, int(self._is_limited)),
        ):
            if taken:
                rooms = [
                    room if room < (most := free[number] // taken) else most
                    for number, room in zip(numbers, rooms, strict=True)
                ]
        return rooms

    def rejections(self, asked: Requirements) -> list[Rejection]:
        """Of each host that cannot take such a task, why."""
        return [found for number in range(len(self.hosts)) if (found := self.rejection(number, asked))]

    def rejection(self, number: int, asked: Requirements) -> Rejection | None:
        """The first reason why a host cannot take such a task; None when it can."""
        return self._unsuited(number, asked) or self._full(number, asked) or self._breach(number, asked)

    def _unsuited(self, number: int, asked: Requirements) -> Rejection | None:
        """By what does not change while tasks are placed."""
        host, demand = self.hosts[number], asked.demand
        if not host.serves(asked.provider):
            detail = f"is not of the capacity provider {asked.provider}"
            return Rejection(host.arn, OTHER_PROVIDER, detail)
        if not host.active:
            return Rejection(host.arn, "INACTIVE", "the container instance is not ACTIVE")
        if not host.connected:
            return Rejection(host.arn, "AGENT", "the host did not answer when it was last asked")
        for wanted, name in ((demand.architecture, ARCHITECTURE), (demand.os, OS)):
            if not _is_suited(wanted, host.attribute(name)):
                return Rejection(host.arn, "ATTRIBUTE", f"needs {wanted}, the host is {host.attribute(name)}")
        return self._not_member(number, [query for query in asked.queries if query.is_static])

    def _full(self, number: int, asked: Requirements) -> Rejection | None:
        """By what is free."""
        host, demand = self.hosts[number], asked.demand
        cpu, memory = self.cpu[number], self.memory[number]
        if demand.memory > memory:
            detail = f"needs {demand.memory} MiB, {memory} of {host.memory_total} are free"
            return Rejection(host.arn, "RESOURCE:MEMORY", detail, 1 - memory / demand.memory)
        if demand.cpu > cpu:
            detail = f"needs {demand.cpu} CPU units, {cpu} of {host.cpu_total} are free"
            return Rejection(host.arn, "RESOURCE:CPU", detail, 1 - cpu / demand.cpu)
        if demand.gpus > self.gpus[number]:
            detail = f"needs {demand.gpus} GPUs, {self.gpus[number]} are free"
            return Rejection(host.arn, "RESOURCE:GPU", detail, 1 - self.gpus[number] / demand.gpus)
        if taken := sorted(demand.ports & self.ports[number]):
            ports = ", ".join(f"{port}/{kind}" for port, kind in taken)
            return Rejection(host.arn, "RESOURCE:PORTS", f"taken: {ports}")
        if demand.ranges and not self._rows(number, demand):
            ports = ", ".join(f"{one.length}/{one.protocol}" for one in demand.ranges)
            return Rejection(host.arn, "RESOURCE:PORTS", f"not so many in a row are free: {ports}")
        if self.slots[number] <= 0:
            return Rejection(host.arn, "RESOURCE:TASKS", f"takes {host.attribute(TASK_LIMIT)} tasks ({TASK_LIMIT})")
        return None

    def _rows(self, number: int, demand: Demand) -> list[int] | None:
        return free_rows(self.ports[number] | demand.ports, demand.ranges)

    def _breach(self, number: int, asked: Requirements) -> Rejection | None:
        """By a constraint that depends on the tasks that are there."""
        if asked.is_distinct and number in self.groups.get(asked.group, {}):
            return Rejection(self.hosts[number].arn, DISTINCT, "has a task of the group")
        return self._not_member(number, [query for query in asked.queries if not query.is_static])

    def _not_member(self, number: int, queries: Iterable[Query]) -> Rejection | None:
        for query in queries:
            if reason := query.reason(self._subject(number)):
                return Rejection(self.hosts[number].arn, MEMBER_OF, reason)
        return None

    def zones(self, asked: Requirements) -> set[str]:
        """The zones of the hosts that could take such a task if they were empty."""
        cpu, memory = asked.demand.cpu, asked.demand.memory
        suited = (self.hosts[number] for number in self._suited(asked))
        return {host.zone for host in suited if host.zone and host.cpu_total >= cpu and host.memory_total >= memory}

    def values(self, attribute: str) -> Sequence[str | None]:
        """The value of an attribute, by host."""
        if attribute not in self._values:
            self._values[attribute] = [host.attributes.get(attribute) for host in self.hosts]
        return self._values[attribute]

    @cached_property
    def prices(self) -> list[float]:
        """What each host counts as an hour."""
        return prices(self.hosts)

    @cached_property
    def were_used(self) -> list[bool]:
        """Whether each host had a task already before any was placed here."""
        return [host.tasks > 0 for host in self.hosts]

    def _suited(self, asked: Requirements) -> list[int]:
        """The hosts that are right by what does not change while tasks are placed."""
        queries = [query for query in asked.queries if query.is_static]
        key = (asked.provider, asked.demand.architecture, asked.demand.os, tuple(map(str, queries)))
        if key not in self._suitable:
            self._suitable[key] = [
                number
                for number, host in enumerate(self.hosts)
                if host.active
                and host.connected
                and host.serves(asked.provider)
                and _is_suited(asked.demand.architecture, host.attributes.get(ARCHITECTURE))
                and _is_suited(asked.demand.os, host.attributes.get(OS))
                and all(query.matches(self._subject(number)) for query in queries)
            ]
        return self._suitable[key]

    def _subject(self, number: int) -> Subject:
        """A host as queries see it. Its new tasks are not RUNNING yet, but they count as if they were."""
        from ecsctl.placement.query import Subject

        host = self.hosts[number]
        return Subject(
            attributes=host.attributes,
            groups=[group for group, members in self.groups.items() if number in members],
            running_tasks=host.running_tasks + self.added[number],
            registered_at=host.registered_at,
            agent_connected=host.connected,
            agent_version=host.agent_version,
            instance_id=host.name,
        )


def _is_suited(wanted: str | None, value: str | None) -> bool:
    """Whether a host of that kind will do: one that does not say what it is does."""
    return wanted is None or value is None or wanted == value.lower()
