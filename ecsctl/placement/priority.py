"""What placement is to mind more, cost or availability. Pure.

Each host is weighed by two figures, and the lighter is taken:

- cost: what it costs an hour, if it has no task yet; a host that is in use costs nothing more. In parts of the dearest
  host's price, which is also that of a host that has none; where no host has a price, each costs the same.
- imbalance: how many tasks of the group are in its zone; and a trace for each that is on the host itself.

With availability 1 the zones are level, and in them the hosts; with 0 as little as possible is opened; between them a
host is opened for the zones' sake as long as that weighs more than what it costs. Among equals it is the cheaper; if it
has to be opened, one in a zone with fewer tasks; then the fuller, by both CPU and memory, which leaves large pieces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecsctl.model.errors import InputError
from ecsctl.placement.host import prices

if TYPE_CHECKING:
    from ecsctl.placement.fleet import Fleet

NAMED = {"cost": 0.0, "balanced": 0.5, "availability": 1.0}
_ONE = 1 << 24
"""What the dearest host costs, and a task of imbalance, at full weight."""
_TRACE = 1 << 12
_BITS = 26


def parse_priority(text: str) -> float:
    """The weight of availability, 0 to 1, of a name or a number; InputError."""
    if text in NAMED:
        return NAMED[text]
    try:
        weight = float(text)
    except ValueError:
        weight = -1.0
    if not 0 <= weight <= 1:
        raise InputError(f"{text!r} is none of {', '.join(NAMED)}, nor a number from 0 (cost) to 1 (availability)")
    return weight


class Weighing:
    """The weights of hosts while tasks of a group are placed. `counts`: the tasks of the group by number of a host."""

    def __init__(self, fleet: Fleet, availability: float, counts: list[int]) -> None:
        self._fleet = fleet
        self._counts = counts
        self._availability, self._cost = round(availability * 1000), round((1 - availability) * 1000)
        self._used = [host.tasks > 0 for host in fleet.hosts]
        counted = prices(fleet.hosts)
        dearest = max(counted, default=0.0)
        self._prices = [round(price / dearest * _ONE) if dearest else _ONE for price in counted]
        cpu = max((host.cpu_total for host in fleet.hosts), default=0) or 1
        memory = max((host.memory_total for host in fleet.hosts), default=0) or 1
        self._per_cpu, self._per_memory = _ONE / 2 / cpu, _ONE / 2 / memory

    def host(self, number: int) -> int:
        """The key of a host among those of its zone: the lighter the smaller."""
        fleet = self._fleet
        price = 0 if fleet.added[number] or self._used[number] else self._prices[number]
        trace = min(self._counts[number], _ONE // _TRACE - 1) * _TRACE
        weight = self._cost * price + self._availability * trace
        free = int(max(0, fleet.cpu[number]) * self._per_cpu + max(0, fleet.memory[number]) * self._per_memory)
        return ((weight << _BITS | price) << 2 * _BITS) | free

    def zone(self, tasks: int, best: int) -> int:
        """The key of a zone with so many tasks of the group, by the key of the best host in it."""
        opens = (best >> 2 * _BITS) & ((1 << _BITS) - 1) > 0
        return best + (self._availability * _ONE * tasks << 3 * _BITS) + (tasks * opens << _BITS)
