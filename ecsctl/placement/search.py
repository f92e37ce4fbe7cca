"""The search for hosts: for one task after the other the best, by a chain of strategies. Pure.

A chain decides like tie-breakers do: the second strategy among those that the first likes best, and so on. To spread
over an attribute and then over another is to spread over the second within each value of the first.

The hosts that fit are parted by the first attribute that is spread over, each part by the second, and so on; the hosts
of a smallest part are a heap, by what the chain says of a host itself, and so are the parts of a part, by how many
tasks they have and the best that is in them. A task costs the way down along the tops, and log(hosts) to put each
where it belongs now: the hosts are gone through once, when the search begins.

Source: ECS developer guide, "Use strategies to define Amazon ECS task placement".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heapreplace

from ecsctl.model.task_launch import PlacementStrategy
from ecsctl.placement.fleet import Fleet, Requirements
from ecsctl.placement.host import ZONE
from ecsctl.placement.priority import Weighing

_BITS = 28
"""Of one figure in a key: MiB, CPU units, tasks."""


class _Part:
    """Hosts with the same values of the first attributes. Without parts of its own it has them as keys in its heap,
    else keys of parts with their number."""

    __slots__ = ("count", "hosts", "inner", "level", "parts", "turn")

    def __init__(self, level: int, count: int = 0) -> None:
        self.level = level  # of how many attributes it has a value
        self.count = count  # its tasks of the group, also on hosts where no other fits
        self.turn = 0  # among equals
        self.hosts: list[int] = []
        self.parts: list[_Part] = []
        self.inner: list[tuple[tuple[int, ...], int]] = []


class Search:
    """Where the next tasks of one kind go. Holds as long as nothing else takes from the fleet.

    `draw(n)` is in 0..n-1: it decides among equals, once, and where the strategy is `random` each time. `tasks`: how
    many will be asked for; by a priority they are weighed together.
    """

    def __init__(self, fleet: Fleet, asked: Requirements, draw: Callable[[int], int], tasks: int = 1) -> None:
        self._fleet = fleet
        self._asked = asked
        self._draw = draw
        self._size = max(1, len(fleet))
        self._offset = draw(self._size)
        self._tie_bits = self._size.bit_length()
        self._members = fleet.groups.setdefault(asked.group, {})
        self._per_host = [0] * self._size
        for number, count in self._members.items():
            self._per_host[number] = count
        self._attributes: list[str] = []
        self._places: list[int] = []
        self._columns: list[list[int]] = []
        self._early: list[tuple[int, list[int]]] = []
        self._weighing: Weighing | None = None
        fitting = fleet.fitting(asked)
        if asked.availability is None:
            self._chain(asked.strategies)
        else:
            self._weighing = Weighing(fleet, asked, self._per_host, fitting, tasks, self._offset)
            self._attributes.append(ZONE)
        self._is_ordered = bool(self._columns) or self._weighing is not None
        """Whether it matters which of the hosts of a part it is."""
        self._root = self._parted(fitting)

    def take(self) -> int | None:
        """The number of the host for the next task, which it now has; None when no host can take it."""
        return self._take(self._root) if self._root.inner or self._root.hosts else None

    def _take(self, part: _Part) -> int:
        if part.parts:
            index = part.inner[0][1]
            best = part.parts[index]
            number = self._take(best)
            if best.inner or best.hosts:
                heapreplace(part.inner, (self._key(best), index))
            else:
                heappop(part.inner)
        else:
            number = self._take_host(part)
        part.count += 1
        return number

    def _take_host(self, part: _Part) -> int:
        hosts = part.hosts
        if self._is_ordered:
            number = self._number(hosts[0])
        else:
            at = self._draw(len(hosts))
            hosts[at], hosts[-1] = hosts[-1], hosts[at]
            number = hosts[-1]
        self._fleet.take(number, self._asked.demand, self._asked.group)
        self._per_host[number] += 1
        fits = self._fleet.fits(number, self._asked)
        if not self._is_ordered:
            if not fits:
                hosts.pop()
        elif fits:
            heapreplace(hosts, self._host_key(number))
        else:
            heappop(hosts)
        return number

    def _chain(self, strategies: Iterable[PlacementStrategy]) -> None:
        """Note the attributes to spread over and what orders hosts, each with its place in the chain."""
        columns = []
        for place, strategy in enumerate(strategies):
            field = strategy.field or ""
            if strategy.type == "random":
                break  # it leaves nothing to those after it
            if strategy.type == "spread" and field.startswith("attribute:"):
                self._attributes.append(field.removeprefix("attribute:"))
                self._places.append(place)
            elif strategy.type == "spread":
                columns.append((place, self._per_host))
            else:
                columns.append((place, self._fleet.cpu if field.lower() == "cpu" else self._fleet.memory))
        self._columns = [column for _, column in columns]
        self._early = [(place, column) for place, column in columns if self._places and place < self._places[-1]]

    def _parted(self, fitting: list[int]) -> _Part:
        """All that fit, in parts."""
        root = _Part(0)
        if not self._attributes:
            self._close(root, fitting)
            return root
        values = list(zip(*map(self._fleet.values, self._attributes), strict=True))
        leaves: dict[tuple[str | None, ...], list[int]] = {}
        for number in fitting:
            leaves.setdefault(values[number], []).append(number)
        counts: dict[tuple[str | None, ...], int] = {}
        for number, count in self._members.items():
            for level in range(len(self._attributes)):
                value = values[number][: level + 1]
                counts[value] = counts.get(value, 0) + count
        parts: dict[tuple[str | None, ...], _Part] = {(): root}
        for value in sorted(leaves, key=lambda value: [(v is None, v or "") for v in value]):
            for level in range(1, len(value) + 1):
                if value[:level] not in parts:
                    parts[value[:level]] = part = _Part(level, counts.get(value[:level], 0))
                    parts[value[: level - 1]].parts.append(part)
        for value in sorted(parts, key=len, reverse=True):
            self._close(parts[value], leaves.get(value, []))
        return root

    def _close(self, part: _Part, hosts: list[int]) -> None:
        """Put in order what is in a part: its hosts, or its own parts, in which all is in order."""
        if part.parts:
            first = self._draw(len(part.parts))
            for index, inner in enumerate(part.parts):
                inner.turn = (index - first) % len(part.parts)
            part.inner = [(self._key(inner), index) for index, inner in enumerate(part.parts)]
            heapify(part.inner)
        elif self._is_ordered:
            part.hosts = [self._host_key(number) for number in hosts]
            heapify(part.hosts)
        else:
            part.hosts = hosts

    def _host_key(self, number: int) -> int:
        """What the chain says of a host, the first thing in front, then its turn among equals."""
        key = 0
        if self._weighing:
            key = self._weighing.host(number)
        for column in self._columns:
            key = key << _BITS | column[number]
        return key << self._tie_bits | (number - self._offset) % self._size

    def _number(self, host_key: int) -> int:
        return ((host_key & (1 << self._tie_bits) - 1) + self._offset) % self._size

    def _key(self, part: _Part) -> tuple[int, ...]:
        """What the chain says of the best host of a part, as far as it tells it from the parts beside it."""
        if self._weighing:
            best = part.hosts[0]
            number = self._number(best) if self._weighing.quotas else 0
            return (self._weighing.zone(part.count, best >> self._tie_bits, number), part.turn)
        if part.parts:
            key = list(part.inner[0][0])
        elif self._columns:
            best = part.hosts[0]
            key = [0] * self._places[-1] + [0, best]
            if self._early:
                number = self._number(best)
                for place, column in self._early:
                    key[place] = column[number]
        else:
            key = [0] * self._places[-1] + [0, 0]
        key[self._places[part.level - 1]] = part.count
        if not self._columns:
            key[-1] = part.turn
        return tuple(key)
