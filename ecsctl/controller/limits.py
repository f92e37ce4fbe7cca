"""How far a pass goes, how often it looks again, and how long what is over is kept."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

POLL = (0.05, 0.5)
"""Seconds between looks while a dependency has to end or become healthy: the first, and the most."""


class Limits(Struct, frozen=True):
    """How far to go now. `until` is in seconds since boot; `pull` and `wait`: may images be fetched, dependencies
    be waited for, here and now."""

    until: float | None = None
    pull: bool = True
    wait: bool = True


class Retention(Struct, frozen=True):
    """How long to keep what is over: stopped containers (the ECS agent: 3 hours), tasks in the history, and the logs
    that have outlived their containers."""

    containers: timedelta = timedelta(hours=3)
    history: timedelta = timedelta(days=7)
    logs: timedelta = timedelta(days=30)
