"""A container instance as placement sees it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from ecsctl.model.cluster import FARGATE_PROVIDERS
from ecsctl.placement.port_ranges import Port

ZONE = "ecs.availability-zone"
ARCHITECTURE = "ecs.cpu-architecture"
OS = "ecs.os-type"
OS_FAMILY = "ecs.os-family"
INSTANCE_TYPE = "ecs.instance-type"
SUBNET = "ecs.subnet-id"
TASK_LIMIT = "ecsctl.task-limit"
"""An attribute of ours: how many tasks a container instance takes at most."""
PRICE = "ecsctl.hourly-price"
"""An attribute of ours: what a container instance costs an hour. All of a fleet are in the same currency."""
SWARM = "ecsctl.swarm"
"""An attribute of ours: the id of the swarm that its host was put into, for networks of several hosts."""
UNLIMITED = 1 << 30
# Compiled when they are used: most hosts have neither.
_PRICE = r"[0-9]+(\.[0-9]*)?|\.[0-9]+"
_COUNT = r"[0-9]+"


class Host(Struct, frozen=True):
    """A container instance. `groups` counts its tasks by their group, but for those that are to stop, which are
    `stopping` and hold what they have until they are STOPPED; `gpus` are the ids of those that no
    task has."""

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
    stopping: int = 0
    running_tasks: int = 0
    registered_at: datetime | None = None
    agent_version: str | None = None
    provider: str | None = None
    gpus: tuple[str, ...] = ()
    gpus_total: int = 0

    def attribute(self, name: str) -> str | None:
        return self.attributes.get(name)

    @property
    def zone(self) -> str | None:
        return self.attributes.get(ZONE)

    @property
    def price(self) -> float | None:
        """What it costs an hour; None where that is not said."""
        text = self.attributes.get(PRICE) or ""
        return float(text) if text and re.fullmatch(_PRICE, text) else None

    def serves(self, provider: str | None) -> bool:
        """Whether it takes tasks of a capacity provider, or of none: any host takes those of Fargate's."""
        return provider is None or provider in FARGATE_PROVIDERS or provider == self.provider

    @property
    def tasks(self) -> int:
        return sum(self.groups.values()) + self.stopping

    @property
    def slots(self) -> int:
        """How many more tasks it takes by its limit, if it has one."""
        limit = self.attributes.get(TASK_LIMIT) or ""
        return int(limit) - self.tasks if limit and re.fullmatch(_COUNT, limit) else UNLIMITED


def prices(hosts: Sequence[Host]) -> list[float]:
    """What each counts as an hour: one that does not say it is not free, but as dear as the dearest that does. All 0
    where none says it."""
    said = [host.price for host in hosts]
    dearest = max((price for price in said if price is not None), default=0.0)
    return [dearest if price is None else price for price in said]


def figure_problem(name: str | None, value: str | None) -> str | None:
    """Why placement cannot count with the value of an attribute, or a tag, of that name; None where it can, or need
    not."""
    if name == PRICE and not re.fullmatch(_PRICE, value or ""):
        return f"{value!r} is no price of an hour: write a number of 0 or more, like 0.17"
    if name == TASK_LIMIT and not re.fullmatch(_COUNT, value or ""):
        return f"{value!r} is no number of tasks: write a whole number of 0 or more, like 20"
    return None
