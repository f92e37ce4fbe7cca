"""How few hosts of one size a workload needs that is known beforehand. Pure.

Host by host: of the tasks that still fit the one is taken that asks for most of what the host has left, in both
resources, weighed by how much of each is still to be placed; those of which a host takes only one come first. What was
put on a host is put on the next ones too, as often as there are tasks for it, so that the work grows with the kinds of
tasks and not with their number.

Source: Panigrahy, Talwar, Uyeda, Wieder, "Heuristics for Vector Bin Packing" (2011), the dot product heuristic.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

from ecsctl.placement.demand import Demand
from ecsctl.placement.host import UNLIMITED


class Kind(NamedTuple):
    """So many tasks that take the same. `is_single`: no two of them go to one host."""

    demand: Demand
    tasks: int
    is_single: bool = False


class Size(NamedTuple):
    """What each host has: CPU units, MiB, GPUs, and how many tasks it takes at most."""

    cpu: int
    memory: int
    gpus: int = 0
    tasks: int = UNLIMITED


class Pattern(NamedTuple):
    """`hosts` hosts that each have `tasks[n]` tasks of kind n."""

    tasks: dict[int, int]
    hosts: int


def pack(size: Size, kinds: Sequence[Kind]) -> list[Pattern]:
    """Hosts of a size that take all the tasks. Raises ValueError where a task is larger."""
    left = [kind.tasks for kind in kinds]
    for kind in kinds:
        if kind.tasks and not _fits(kind.demand, size):
            raise ValueError(
                f"a task of {kind.demand.cpu} CPU units and {kind.demand.memory} MiB is larger than a host"
            )
    patterns: list[Pattern] = []
    while any(left):
        tasks = _fill(size, kinds, left)
        times = min(left[number] // count for number, count in tasks.items())
        for number, count in tasks.items():
            left[number] -= count * times
        patterns.append(Pattern(tasks, times))
    return patterns


def hosts_needed(size: Size, kinds: Sequence[Kind]) -> int:
    """How many hosts `pack` takes."""
    return sum(pattern.hosts for pattern in pack(size, kinds))


def lower_bound(size: Size, kinds: Sequence[Kind]) -> int:
    """Fewer hosts than that cannot take the tasks, however they are packed."""
    columns = [
        (size.cpu, [(kind.demand.cpu, kind.tasks) for kind in kinds]),
        (size.memory, [(kind.demand.memory, kind.tasks) for kind in kinds]),
        (size.gpus, [(kind.demand.gpus, kind.tasks) for kind in kinds]),
        (size.tasks, [(1, kind.tasks) for kind in kinds]),
    ]
    apart = max((kind.tasks for kind in kinds if kind.is_single), default=0)
    for whole, parts in columns:
        if whole:
            # Of those that take more than half of a resource no two go together.
            large = sum(tasks for part, tasks in parts if part * 2 > whole)
            apart = max(apart, ceil(sum(part * tasks for part, tasks in parts) / whole), large)
    return apart


def _fill(size: Size, kinds: Sequence[Kind], left: list[int]) -> dict[int, int]:
    """What goes to one empty host."""
    free, cpu, memory = size, size.cpu or 1, size.memory or 1
    weight_cpu = sum(kind.demand.cpu * n for kind, n in zip(kinds, left, strict=True)) / cpu / cpu
    weight_memory = sum(kind.demand.memory * n for kind, n in zip(kinds, left, strict=True)) / memory / memory
    ports: frozenset[tuple[int, str]] = frozenset()
    tasks: dict[int, int] = {}
    candidates = [number for number, count in enumerate(left) if count]
    while candidates:
        candidates = [
            number
            for number in candidates
            if tasks.get(number, 0) < (1 if kinds[number].is_single else left[number])
            and _fits(kinds[number].demand, free)
            and not kinds[number].demand.ports & ports
        ]
        if not candidates:
            break
        value_cpu, value_memory = weight_cpu * free.cpu / cpu, weight_memory * free.memory / memory
        best = max(
            candidates,
            key=lambda number: (
                kinds[number].is_single or bool(kinds[number].demand.ports),
                kinds[number].demand.gpus,
                kinds[number].demand.cpu * value_cpu + kinds[number].demand.memory * value_memory,
                -number,
            ),
        )
        demand = kinds[best].demand
        free = Size(free.cpu - demand.cpu, free.memory - demand.memory, free.gpus - demand.gpus, free.tasks - 1)
        ports |= demand.ports
        tasks[best] = tasks.get(best, 0) + 1
    return tasks


def _fits(demand: Demand, free: Size) -> bool:
    return demand.cpu <= free.cpu and demand.memory <= free.memory and demand.gpus <= free.gpus and free.tasks > 0
