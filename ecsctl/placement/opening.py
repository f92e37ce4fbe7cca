"""Which hosts to open so that tasks alike cost least, when it is known how many come. Pure.

To cover a number of tasks by hosts that each take some and have a price is a knapsack problem. It is solved exactly, by
dynamic programming, for the last EXACT tasks; the hosts of those before are taken by their price per task, which costs
at most one host more than the least.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from ecsctl.model.record import evolve

EXACT = 128
IMPOSSIBLE = 1 << 120


class Offer(Struct, frozen=True):
    """Hosts alike that could be opened, by number, the first of them first: what one costs, and how many of the tasks
    it takes, at least one."""

    price: int
    tasks: int
    numbers: Sequence[int]


class Cover:
    """What 0 to `most` tasks cost at least."""

    def __init__(self, offers: Iterable[Offer], most: int) -> None:
        self._hosts = _useful(offers, most)
        self._rows = [[0] + [IMPOSSIBLE] * most]
        for price, size, _ in self._hosts:
            before = self._rows[-1]
            rest = [0] * size + before
            self._rows.append([min(left, price + right) for left, right in zip(before, rest, strict=False)])

    @property
    def prices(self) -> list[int]:
        """By the number of tasks; IMPOSSIBLE or more where there are not enough hosts."""
        return self._rows[-1]

    def hosts(self, tasks: int) -> set[int]:
        """The numbers of the hosts for so many."""
        found = set()
        for (_, size, number), before, after in zip(
            reversed(self._hosts), self._rows[-2::-1], self._rows[:0:-1], strict=True
        ):
            if before[tasks] != after[tasks]:
                found.add(number)
                tasks = max(0, tasks - size)
        return found


def opened(offers: Iterable[Offer], tasks: int) -> set[int]:
    """The numbers of the hosts to open for so many tasks; all of them where they are not enough."""
    found, left = set[int](), list[Offer]()
    offers = sorted(offers, key=lambda offer: offer.price / offer.tasks)
    if sum(offer.tasks * len(offer.numbers) for offer in offers) <= tasks:
        return {number for offer in offers for number in offer.numbers}
    for offer in offers:
        many = min(len(offer.numbers), max(0, -(-(tasks - EXACT) // offer.tasks)))
        found.update(offer.numbers[:many])
        tasks -= many * offer.tasks
        left.append(evolve(offer, numbers=offer.numbers[many:]))
    return found | Cover(left, tasks).hosts(tasks) if tasks > 0 else found


def _useful(offers: Iterable[Offer], most: int) -> list[tuple[int, int, int]]:
    """Price, tasks and number of hosts: of those that take as many no more than could be needed, the cheapest."""
    sizes: dict[int, list[Offer]] = {}
    for offer in offers:
        sizes.setdefault(min(offer.tasks, most), []).append(offer)
    found = []
    for size, alike in sorted(sizes.items()):
        missing = -(-most // size) if size else 0
        for offer in sorted(alike, key=lambda offer: offer.price):
            numbers = offer.numbers[:missing]
            found += [(offer.price, size, number) for number in numbers]
            missing -= len(numbers)
    return found
