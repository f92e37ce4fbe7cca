"""Which tasks make room for one that finds none, and on which host. Pure.

A task takes room from tasks of a lower rank only. Those of FARGATE_SPOT have the lowest, as ECS takes their capacity
back when it is needed; the others have the rank that was asked for them, and without being asked for all have the
same (ECS developer guide, "Amazon ECS clusters for Fargate capacity providers").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from ecsctl.placement.demand import Demand
from ecsctl.placement.fleet import Fleet, Requirements

SPOT = "FARGATE_SPOT"
SPOT_RANK = -1


class Occupant(Struct, frozen=True):
    """A task that may be asked to go: its ARN, the host's, what it has there, its rank, and when it came (any number
    that grows with time)."""

    arn: str
    host: str
    demand: Demand
    group: str
    rank: int
    since: float


class Eviction(Struct, frozen=True):
    """The number of the host where room is made, and who goes."""

    host: int
    victims: tuple[Occupant, ...]


def rank_of(provider: str | None, asked: int | None) -> int:
    """The rank of the tasks of a capacity provider, or of none, for which `asked` was asked."""
    return SPOT_RANK if provider == SPOT else asked or 0


class Occupancy:
    """The tasks on the hosts of a fleet that might have to go; `find` is asked for them when that is in question."""

    def __init__(self, find: Callable[[], Iterable[Occupant]]) -> None:
        self._find = find
        self._occupants: list[Occupant] | None = None

    def make_room(self, fleet: Fleet, asked: Requirements) -> Eviction | None:
        """As make_room; the victims are not asked a second time."""
        if self._occupants is None:
            self._occupants = list(self._find())
        found = make_room(fleet, asked, self._occupants)
        if found:
            self._occupants = [one for one in self._occupants if one not in found.victims]
        return found


def make_room(fleet: Fleet, asked: Requirements, occupants: Iterable[Occupant]) -> Eviction | None:
    """The least harm by which one such task fits on a host; the victims are taken off the fleet.

    The least harm: the lowest rank that has to go, then the fewest tasks, then the least memory. Of equal tasks the
    younger go.
    """
    rank = rank_of(asked.provider, asked.rank)
    numbers = {host.arn: number for number, host in enumerate(fleet.hosts)}
    there: dict[int, list[Occupant]] = {}
    for one in occupants:
        if one.rank < rank and one.group != asked.group and one.host in numbers:
            there.setdefault(numbers[one.host], []).append(one)
    best: tuple[tuple[int, int, int, int], Eviction] | None = None
    for number, candidates in sorted(there.items()):
        victims = _on_host(fleet, asked, number, candidates)
        if victims:
            harm = (max(v.rank for v in victims), len(victims), sum(v.demand.memory for v in victims), number)
            if best is None or harm < best[0]:
                best = harm, Eviction(number, victims)
    if best is None:
        return None
    for victim in best[1].victims:
        fleet.release(best[1].host, victim.demand, victim.group)
    return best[1]


def _on_host(
    fleet: Fleet, asked: Requirements, number: int, candidates: Sequence[Occupant]
) -> tuple[Occupant, ...] | None:
    """Who has to go from one host so that the task fits there: added by rank until it does, and then each that turns
    out to be needless is left alone, the highest rank first."""
    order = sorted(candidates, key=lambda one: (one.rank, -one.since, one.arn))
    going: list[Occupant] = []
    for one in order:
        going.append(one)
        fleet.release(number, one.demand, one.group)
        if fleet.rejection(number, asked) is None:
            break
    fits = fleet.rejection(number, asked) is None
    if fits:
        for one in list(reversed(going)):
            fleet.take(number, one.demand, one.group)
            if fleet.rejection(number, asked) is None:
                going.remove(one)
            else:
                fleet.release(number, one.demand, one.group)
    for one in going:
        fleet.take(number, one.demand, one.group)
    return tuple(going) if fits and going else None
