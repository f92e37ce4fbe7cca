"""Placement: which container instance takes a task, or why none does. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ecsctl.model.cluster import CapacityProviderStrategyItem
from ecsctl.placement.fleet import Fleet, Rejection, Requirements
from ecsctl.placement.host import Host
from ecsctl.placement.providers import shares
from ecsctl.placement.search import Search


class Placement(NamedTuple):
    """The host chosen, as it was before, and the capacity provider it is for; or None and every host's reason."""

    host: Host | None
    provider: str | None
    rejections: tuple[Rejection, ...] = ()


def place(
    fleet: Fleet,
    asked: Requirements,
    count: int,
    draw: Callable[[int], int],
    strategy: Sequence[CapacityProviderStrategyItem] = (),
) -> list[Placement]:
    """Place up to `count` tasks one after the other, each provider of the strategy its share. After one for which a
    provider has no host, none is tried there: it is no smaller. `draw(n)` is in 0..n-1."""
    placements: list[Placement] = []
    for provider, number in shares(strategy, {}, count).items():
        mine = asked._replace(provider=provider)
        search = Search(fleet, mine, draw)
        for _ in range(number):
            host = search.take()
            if host is None:
                placements.append(Placement(None, provider, tuple(fleet.rejections(mine))))
                break
            placements.append(Placement(fleet.hosts[host], provider))
    return placements
