"""Which tasks of a service go first when it has to have fewer. Pure.

What does not serve goes before what does. Whatever is spread over, the zones stay level first of all, as ECS says. Then
the order in which tasks were placed is gone back: of the values of an attribute, or the instances, that are spread
over, it is the one that has most (ECS says: any in the zone); binpack takes from the emptiest host, so that hosts
become free; of a capacity provider goes what is beyond its share. Among equals it is the newest.

Source: ECS developer guide, "Amazon ECS services", on the service scheduler, and "Use strategies to define Amazon ECS
task placement", on scale-in.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone

from msgspec import Struct

from ecsctl.model.cluster import CapacityProviderStrategyItem
from ecsctl.model.stored import TaskRecord
from ecsctl.model.task_launch import PlacementStrategy
from ecsctl.placement.host import ZONE, Host
from ecsctl.placement.providers import sequence

_Key = tuple[int, ...]

_BY_ZONE = PlacementStrategy(type="spread", field=f"attribute:{ZONE}")
_LONG_AGO = datetime(1970, 1, 1, tzinfo=timezone.utc)


class _Order(Struct, frozen=True, order=True):
    """What the order goes by. `place`: of each task (by ARN) among equals."""

    serves: Callable[[TaskRecord], bool]
    hosts: Mapping[str, Host]
    place: Mapping[str, int]

    def sorted(self, tasks: Iterable[TaskRecord], keys: Mapping[str, _Key]) -> list[TaskRecord]:
        return sorted(tasks, key=lambda task: (self.serves(task), keys[task.arn], self.place[task.arn]))

    def keys(self, tasks: Sequence[TaskRecord], chain: Sequence[PlacementStrategy]) -> dict[str, _Key]:
        """Of each task (by ARN) what the chain says: the smaller goes first."""
        if not chain or chain[0].type == "random":
            return dict.fromkeys((task.arn for task in tasks), ())
        strategy, rest = chain[0], chain[1:]
        if strategy.type == "binpack":
            later = self.keys(tasks, rest)
            return {task.arn: (-self._free(strategy, task), *later[task.arn]) for task in tasks}
        groups: dict[str | None, list[TaskRecord]] = {}
        for task in tasks:
            groups.setdefault(self._value(strategy, task), []).append(task)
        found: dict[str, _Key] = {}
        for group in groups.values():
            later = self.keys(group, rest)
            for gone, task in enumerate(self.sorted(group, later)):
                found[task.arn] = (gone - len(group), *later[task.arn])  # how many are there when its turn comes
        return found

    def _value(self, strategy: PlacementStrategy, task: TaskRecord) -> str | None:
        field = strategy.field or ""
        if not field.startswith("attribute:"):
            return task.task.container_instance_arn
        name = field.removeprefix("attribute:")
        host = self.hosts.get(str(task.task.container_instance_arn))
        return task.task.availability_zone if name == ZONE else host.attribute(name) if host else None

    def _free(self, strategy: PlacementStrategy, task: TaskRecord) -> int:
        host = self.hosts.get(str(task.task.container_instance_arn))
        if host is None:
            return 0
        return host.cpu_free if (strategy.field or "").lower() == "cpu" else host.memory_free


def stopping_order(
    tasks: Iterable[TaskRecord],
    serves: Callable[[TaskRecord], bool],
    hosts: Mapping[str, Host],
    chain: Sequence[PlacementStrategy],
    providers: Sequence[CapacityProviderStrategyItem] = (),
) -> list[TaskRecord]:
    """All of the tasks, the first to go in front. `hosts` by ARN; a task may be on one that is not among them."""
    newest = sorted(tasks, key=lambda task: (task.task.created_at or _LONG_AGO, task.arn), reverse=True)
    order = _Order(serves, hosts, {task.arn: number for number, task in enumerate(newest)})
    spreads = any(strategy.type == "spread" for strategy in chain)
    found = order.sorted(newest, order.keys(newest, (_BY_ZONE, *chain) if spreads else chain))
    return _by_share(found, serves, providers) if providers else found


def _by_share(
    tasks: list[TaskRecord],
    serves: Callable[[TaskRecord], bool],
    providers: Sequence[CapacityProviderStrategyItem],
) -> list[TaskRecord]:
    """So that of those that serve each provider keeps its share, however many go."""
    ordered = [task for task in tasks if not serves(task)]
    queues: dict[str | None, deque[TaskRecord]] = {}
    for task in tasks[len(ordered) :]:
        queues.setdefault(task.task.capacity_provider_name, deque()).append(task)
    wanted = sequence(providers, {}, sum(map(len, queues.values())))
    share = Counter[str | None](wanted)
    for name, queue in queues.items():
        ordered += [queue.popleft() for _ in range(len(queue) - share[name])]
    for name in reversed(wanted):
        if queues.get(name):
            ordered.append(queues[name].popleft())
    return ordered
