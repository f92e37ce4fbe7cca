"""What placement is to mind more, cost or availability. Pure.

Each host is weighed by two figures, and the lighter is taken:

- cost: what it costs an hour, if it has no task yet; a host that is in use costs nothing more. In parts of the dearest
  host's price, which is also that of a host that has none; where no host has a price, each costs the same.
- imbalance: how many tasks of the group are in its zone; and a trace for each that is on the host itself.

With availability 1 the zones are level, and in them the hosts; with 0 as little as possible is opened; between them a
host is opened for the zones' sake as long as that weighs more than what it costs. Among equals it is the cheaper; if it
has to be opened, one in a zone with fewer tasks; then the fuller, by both CPU and memory, which leaves large pieces.

When several tasks come at once, what is least is the sum: which hosts to open for all of them is decided beforehand
(`ecsctl.placement.opening`), for up to EXACT tasks together with how many each zone gets, and then each task goes to
the lightest of those hosts.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from ecsctl.placement.host import ZONE
from ecsctl.placement.opening import EXACT, IMPOSSIBLE, Cover, Offer, opened

if TYPE_CHECKING:
    from ecsctl.placement.fleet import Fleet, Requirements

_ONE = 1 << 24
"""What the dearest host costs, and a task of imbalance, at full weight."""
_TRACE = 1 << 12
_MOST_TRACES = _ONE // _TRACE - 1
_BITS = 26
_LEVEL = 1 << 20
"""Less than any weight, more than a thousand hosts: of ways that weigh the same the more level."""
_SPARE = 1 << 64 + 3 * _BITS
"""More than the weight of any other: of a host that is not to be opened, of a zone that has its tasks."""


class Weighing:
    """The weights of hosts while `tasks` tasks of a group are placed. `counts`: those that there are, by number of a
    host; `fitting`: the hosts that can take one now; of hosts alike those are opened that come first from `turn` on."""

    def __init__(
        self, fleet: Fleet, asked: Requirements, counts: list[int], fitting: Sequence[int], tasks: int, turn: int = 0
    ) -> None:
        self._fleet = fleet
        self._counts = counts
        self._cpu, self._memory, self._added = fleet.cpu, fleet.memory, fleet.added
        availability = asked.availability or 0.0
        self._availability, self._cost = round(availability * 1000), round((1 - availability) * 1000)
        self._per_task = self._availability * _ONE << 3 * _BITS
        self._per_trace = self._availability * _TRACE << 3 * _BITS
        dearest = max(fleet.prices, default=0.0)
        self._prices = [
            0 if is_used or added else round(price / dearest * _ONE) if dearest else _ONE
            for is_used, added, price in zip(fleet.were_used, fleet.added, fleet.prices, strict=True)
        ]
        """What it costs to open a host, by number; 0 if it is in use."""
        cpu = max((host.cpu_total for host in fleet.hosts), default=0) or 1
        memory = max((host.memory_total for host in fleet.hosts), default=0) or 1
        self._per_cpu, self._per_memory = _ONE / 2 / cpu, _ONE / 2 / memory
        self.quotas: list[int] | None = None
        """How many tasks of the group the zone of a host is to have, by number of the host."""
        spare = self._plan(asked, fitting, tasks, turn) if tasks > 1 and self._cost else set()
        self._opening = [(self._cost << _BITS | 1) * price << 2 * _BITS for price in self._prices]
        """The same as it is in the key of a host."""
        for number in spare:
            self._opening[number] += _SPARE

    def host(self, number: int) -> int:
        """The key of a host among those of its zone: the lighter the smaller."""
        key = int(self._cpu[number] * self._per_cpu + self._memory[number] * self._per_memory)
        if key < 0:
            key = 0
        if count := self._counts[number]:
            key += (count if count < _MOST_TRACES else _MOST_TRACES) * self._per_trace
        return key if self._added[number] else key + self._opening[number]

    def zone(self, tasks: int, best: int, number: int) -> int:
        """The key of a zone with so many tasks of the group, by the key of the best host in it, and its number."""
        key = best + tasks * self._per_task
        if best >> 2 * _BITS & (1 << _BITS) - 1:
            key += tasks << _BITS
        if self.quotas and tasks >= self.quotas[number]:
            return key | _SPARE
        return key - _SPARE if self._per_task and best >= _SPARE else key

    def verdict(self, tasks: int, number: int) -> int:
        """The key of a host among all, in a zone with so many tasks of the group."""
        return self.zone(tasks, self.host(number), number) | self.is_spare(number) * _SPARE

    def is_spare(self, number: int) -> bool:
        """Whether others are to be opened for the tasks that come, and not this host."""
        return self._opening[number] >= _SPARE and not self._added[number]

    def _plan(self, asked: Requirements, fitting: Sequence[int], tasks: int, turn: int) -> set[int]:
        """Decide how many of up to EXACT tasks each zone gets; the hosts that are not to be opened."""
        values, prices = self._fleet.values(ZONE), self._prices
        zones = {value: _Zone() for value in dict.fromkeys([values[number] for number in fitting])}
        first = bisect_left(fitting, turn)
        fitting = [*fitting[first:], *fitting[:first]]
        for number, room in zip(fitting, self._fleet.rooms(fitting, asked), strict=True):
            zone = zones[values[number]]
            if price := prices[number]:
                zone.alike[price, room].append(number)
            else:
                zone.room += room
        for number, count in enumerate(self._counts):
            if count and values[number] in zones:
                zones[values[number]].tasks += count
        if not self._availability:
            planned = opened(
                _levelled(zones.values(), tasks), max(0, tasks - sum(zone.room for zone in zones.values()))
            )
        elif tasks <= EXACT:
            shares = self._shared(zones, tasks)
            planned = set[int]().union(*(hosts for hosts, _ in shares.values()))
            self.quotas = [zones[value].tasks + shares[value][1] if value in zones else 0 for value in values]
        else:
            share = -(-tasks // max(1, len(zones)))
            planned = set[int]().union(
                *(opened(zone.offers(tasks), max(0, share - zone.room)) for zone in zones.values())
            )
        return {number for number in fitting if prices[number] and number not in planned}

    def _shared(self, zones: dict[str | None, _Zone], tasks: int) -> dict[str | None, tuple[set[int], int]]:
        """Of each zone the hosts to open and how many of the tasks it gets, so that the weight of all is least."""
        covers = {name: Cover(zone.offers(tasks), tasks) for name, zone in zones.items()}
        least = [0] + [IMPOSSIBLE] * tasks
        steps: list[list[int]] = []
        for name, zone in zones.items():
            prices = covers[name].prices
            weights = [0]
            for share in range(tasks):  # `imbalance`: of the tasks before, each weighs on those that come later
                imbalance = zone.tasks * (share + 1) + share * (share + 1) // 2
                weight = (self._availability * _ONE << 2 * _BITS) + _LEVEL
                weights.append(self._cost * prices[max(0, share + 1 - zone.room)] + weight * imbalance)
            sums = [min((least[total - n] + weights[n], n) for n in range(total + 1)) for total in range(tasks + 1)]
            least = [weight for weight, _ in sums]
            steps.append([share for _, share in sums])
        left = max(total for total in range(tasks + 1) if least[total] < IMPOSSIBLE)
        found = {}
        for name, best in zip(reversed(zones), reversed(steps), strict=True):
            share = best[left]
            found[name] = covers[name].hosts(max(0, share - zones[name].room)), share
            left -= share
        return found


class _Zone:
    """What there is in a zone: room on hosts that are in use, the hosts that could be opened by price and room, tasks
    of the group."""

    def __init__(self) -> None:
        self.room = 0
        self.alike: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        self.tasks = 0

    def offers(self, tasks: int) -> list[Offer]:
        return [_offer(price, room, numbers, tasks) for (price, room), numbers in self.alike.items()]


def _offer(price: int, room: int, numbers: Sequence[int], tasks: int) -> Offer:
    """Among ways that cost the same that with fewer hosts is preferred."""
    return Offer(price << 2 * _BITS | 1, min(room, tasks), numbers)


def _levelled(zones: Iterable[_Zone], tasks: int) -> list[Offer]:
    """The hosts of all zones, those alike by turns, beginning in the zone that has fewest tasks."""
    emptiest = sorted(zones, key=lambda zone: zone.tasks)
    kinds = dict.fromkeys(kind for zone in emptiest for kind in zone.alike)
    rows = {kind: zip_longest(*(zone.alike[kind] for zone in emptiest if kind in zone.alike)) for kind in kinds}
    return [_offer(*kind, [n for row in found for n in row if n is not None], tasks) for kind, found in rows.items()]
