"""Placement: which container instance takes a task, or why none does. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ecsctl.placement.fleet import Fleet, Rejection, Requirements
from ecsctl.placement.host import Host
from ecsctl.placement.search import Search


class Placement(NamedTuple):
    """The host chosen, as it was before, or None and every host's reason."""

    host: Host | None
    rejections: tuple[Rejection, ...] = ()


def place(fleet: Fleet, asked: Requirements, count: int, draw: Callable[[int], int]) -> list[Placement]:
    """Place up to `count` tasks one after the other. After one for which there is no host, none is tried: it is no
    smaller. `draw(n)` is in 0..n-1."""
    search = Search(fleet, asked, draw)
    placements: list[Placement] = []
    for _ in range(count):
        number = search.take()
        if number is None:
            placements.append(Placement(None, tuple(fleet.rejections(asked))))
            break
        placements.append(Placement(fleet.hosts[number]))
    return placements
