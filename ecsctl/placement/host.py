"""A container instance as placement sees it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from ecsctl.placement.demand import Port

ZONE = "ecs.availability-zone"
ARCHITECTURE = "ecs.cpu-architecture"
OS = "ecs.os-type"
TASK_LIMIT = "ecsctl.task-limit"
"""An attribute of ours: how many tasks a container instance takes at most."""
UNLIMITED = 1 << 30


class Host(NamedTuple):
    """A container instance. `groups` counts its tasks that are not STOPPED by their group."""

    arn: str
    cpu_total: int
    memory_total: int
    cpu_free: int
    memory_free: int
    ports: frozenset[Port] = frozenset()
    attributes: Mapping[str, str | None] = {}
    groups: Mapping[str, int] = {}
    active: bool = True
    connected: bool = True
    name: str = ""
    running_tasks: int = 0
    registered_at: datetime | None = None
    agent_version: str | None = None

    def attribute(self, name: str) -> str | None:
        return self.attributes.get(name)

    @property
    def tasks(self) -> int:
        return sum(self.groups.values())

    @property
    def slots(self) -> int:
        """How many more tasks it takes by its limit, if it has one. What is no number limits nothing."""
        limit = self.attributes.get(TASK_LIMIT) or ""
        return int(limit) - self.tasks if limit.isascii() and limit.isdigit() else UNLIMITED
