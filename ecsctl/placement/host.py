"""A container instance as placement sees it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from ecsctl.model.cluster import FARGATE_PROVIDERS
from ecsctl.placement.port_ranges import Port

ZONE = "ecs.availability-zone"
ARCHITECTURE = "ecs.cpu-architecture"
OS = "ecs.os-type"
SUBNET = "ecs.subnet-id"
TASK_LIMIT = "ecsctl.task-limit"
"""An attribute of ours: how many tasks a container instance takes at most."""
PRICE = "ecsctl.hourly-price"
"""An attribute of ours: what a container instance costs an hour. All of a fleet are in the same currency."""
UNLIMITED = 1 << 30


class Host(NamedTuple):
    """A container instance. `groups` counts its tasks that are not STOPPED by their group; `gpus` are the ids of those
    that no task has."""

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
    provider: str | None = None
    gpus: tuple[str, ...] = ()

    def attribute(self, name: str) -> str | None:
        return self.attributes.get(name)

    @property
    def zone(self) -> str | None:
        return self.attributes.get(ZONE)

    @property
    def price(self) -> float:
        """What it costs an hour; nothing where that is not said, or is no number."""
        text = self.attributes.get(PRICE) or ""
        return float(text) if text.isascii() and text.replace(".", "", 1).isdigit() else 0.0

    def serves(self, provider: str | None) -> bool:
        """Whether it takes tasks of a capacity provider, or of none: any host takes those of Fargate's."""
        return provider is None or provider in FARGATE_PROVIDERS or provider == self.provider

    @property
    def tasks(self) -> int:
        return sum(self.groups.values())

    @property
    def slots(self) -> int:
        """How many more tasks it takes by its limit, if it has one. What is no number limits nothing."""
        limit = self.attributes.get(TASK_LIMIT) or ""
        return int(limit) - self.tasks if limit.isascii() and limit.isdigit() else UNLIMITED
