"""Placement: which container instance takes a task, or why none does. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ecsctl.model.cluster import CapacityProviderStrategyItem
from ecsctl.model.record import evolve
from ecsctl.placement.fleet import Fleet, Rejection, Requirements
from ecsctl.placement.host import Host
from ecsctl.placement.preemption import Occupancy, Occupant
from ecsctl.placement.providers import shares
from ecsctl.placement.search import Search


class Placement(NamedTuple):
    """The host chosen, as it was before, and the capacity provider it is for; or None and every host's reason.
    `victims`: who has to go from the host first."""

    host: Host | None
    provider: str | None
    rejections: tuple[Rejection, ...] = ()
    victims: tuple[Occupant, ...] = ()


def place(
    fleet: Fleet,
    asked: Requirements,
    count: int,
    draw: Callable[[int], int],
    strategy: Sequence[CapacityProviderStrategyItem] = (),
    occupancy: Occupancy | None = None,
) -> list[Placement]:
    """Place up to `count` tasks one after the other, each provider of the strategy its share. After one for which a
    provider has no host, none is tried there: it is no smaller. `draw(n)` is in 0..n-1."""
    placements: list[Placement] = []
    for provider, number in shares(strategy, {}, count).items():
        mine = evolve(asked, provider=provider)
        placements += place_alike(fleet, mine, number, draw, occupancy)
    return placements


def place_alike(
    fleet: Fleet, asked: Requirements, count: int, draw: Callable[[int], int], occupancy: Occupancy | None
) -> list[Placement]:
    """Place up to `count` tasks of one capacity provider, or of none; the last placement says what is in the way of
    more."""
    placements: list[Placement] = []
    search = Search(fleet, asked, draw, count)
    while len(placements) < count:
        host = search.take()
        if host is not None:
            placements.append(Placement(fleet.hosts[host], asked.provider))
            continue
        eviction = occupancy.make_room(fleet, asked) if occupancy else None
        if eviction is None:
            placements.append(Placement(None, asked.provider, tuple(fleet.rejections(asked))))
            break
        fleet.take(eviction.host, asked.demand, asked.group)
        placements.append(Placement(fleet.hosts[eviction.host], asked.provider, (), eviction.victims))
        search = Search(fleet, asked, draw, count - len(placements))  # it may have made more room than was needed
    return placements
