"""Availability Zone rebalancing: whether a service may have it, what is out of balance, and how to say it. Pure.

Source: ECS developer guide, "Balancing an Amazon ECS service across Availability Zones" and "Track Amazon ECS
Availability Zone rebalancing".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ecsctl.model.service import Service, is_external
from ecsctl.placement.host import ZONE
from ecsctl.placement.named_priority import parse_priority
from ecsctl.scheduler.rollout import limits

STARTED = "is not AZ balanced with {}. AZ Rebalancing in progress."
BALANCED = "is AZ balanced with {}."
STOPPED = "AZ Rebalancing stopped with {}."
NO_ROOM = "is not AZ balanced with {}, and {}"


def obstacle_to_rebalancing(service: Service) -> str | None:
    """Why a service cannot be rebalanced over zones; None when it can."""
    if service.scheduling_strategy == "DAEMON":
        return "the DAEMON scheduling strategy"
    if is_external(service):
        return "the EXTERNAL deployment controller"
    if limits(100, service.deployment_configuration, "REPLICA")[1] <= 100:
        return "a maximumPercent of 100"
    if service.loss_policy == "never-double-run":
        return "the loss policy never-double-run"
    if any(f"attribute:{ZONE}" in (constraint.expression or "") for constraint in service.placement_constraints or []):
        return f"a placement constraint on attribute:{ZONE}"
    first = next(iter(service.placement_strategy or []), None)
    if first is not None and (first.type, first.field) != ("spread", f"attribute:{ZONE}"):
        return f"a first placement strategy other than spread by attribute:{ZONE}"
    if service.priority is not None and parse_priority(service.priority) < 1:
        return f"the priority {service.priority}"
    return None


def moves(counts: Mapping[str, int], movable: Mapping[str, int]) -> Iterator[str]:
    """The zones that a task could be moved to so that the tasks are more level, the emptiest first.

    `counts`: tasks by zone, also of zones that have none; `movable`: how many of them may be stopped.
    """
    fullest = max((count for zone, count in counts.items() if movable.get(zone)), default=0)
    for zone in sorted(counts, key=lambda zone: (counts[zone], zone)):
        if fullest - counts[zone] >= 2:
            yield zone


def in_words(counts: Mapping[str, int]) -> str:
    """So many tasks in each zone."""
    return ", ".join(f"{counts[zone]} tasks in {zone}" for zone in sorted(counts))
