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


class Kind(NamedTuple):
    """So many tasks that take the same. `is_single`: no two of them go to one host."""

    demand: Demand
    tasks: int
    is_single: bool = False


class Pattern(NamedTuple):
    """`hosts` hosts that each have `tasks[n]` tasks of kind n."""

    tasks: dict[int, int]
    hosts: int


def pack(cpu: int, memory: int, kinds: Sequence[Kind]) -> list[Pattern]:
    """Hosts of so many CPU units and MiB that take all the tasks. Raises ValueError where a task is larger."""
    left = [kind.tasks for kind in kinds]
    for kind in kinds:
        if kind.tasks and not _fits(kind.demand, cpu, memory):
            raise ValueError(
                f"a task of {kind.demand.cpu} CPU units and {kind.demand.memory} MiB is larger than a host"
            )
    patterns: list[Pattern] = []
    while any(left):
        tasks = _fill(cpu, memory, kinds, left)
        times = min(left[number] // count for number, count in tasks.items())
        for number, count in tasks.items():
            left[number] -= count * times
        patterns.append(Pattern(tasks, times))
    return patterns


def hosts_needed(cpu: int, memory: int, kinds: Sequence[Kind]) -> int:
    """How many hosts `pack` takes."""
    return sum(pattern.hosts for pattern in pack(cpu, memory, kinds))


def lower_bound(cpu: int, memory: int, kinds: Sequence[Kind]) -> int:
    """Fewer hosts than that cannot take the tasks, however they are packed."""
    total_cpu = sum(kind.demand.cpu * kind.tasks for kind in kinds)
    total_memory = sum(kind.demand.memory * kind.tasks for kind in kinds)
    apart = max((kind.tasks for kind in kinds if kind.is_single), default=0)
    # Of those that take more than half of a resource no two go together.
    large_cpu = sum(kind.tasks for kind in kinds if kind.demand.cpu * 2 > cpu)
    large_memory = sum(kind.tasks for kind in kinds if kind.demand.memory * 2 > memory)
    return max(ceil(total_cpu / cpu), ceil(total_memory / memory), apart, large_cpu, large_memory)


def _fill(cpu: int, memory: int, kinds: Sequence[Kind], left: list[int]) -> dict[int, int]:
    """What goes to one empty host."""
    free_cpu, free_memory = cpu, memory
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
            and _fits(kinds[number].demand, free_cpu, free_memory)
            and not kinds[number].demand.ports & ports
        ]
        if not candidates:
            break
        value_cpu, value_memory = weight_cpu * free_cpu / cpu, weight_memory * free_memory / memory
        best = max(
            candidates,
            key=lambda number: (
                kinds[number].is_single or bool(kinds[number].demand.ports),
                kinds[number].demand.cpu * value_cpu + kinds[number].demand.memory * value_memory,
                -number,
            ),
        )
        demand = kinds[best].demand
        free_cpu, free_memory, ports = free_cpu - demand.cpu, free_memory - demand.memory, ports | demand.ports
        tasks[best] = tasks.get(best, 0) + 1
    return tasks


def _fits(demand: Demand, cpu: int, memory: int) -> bool:
    return demand.cpu <= cpu and demand.memory <= memory
