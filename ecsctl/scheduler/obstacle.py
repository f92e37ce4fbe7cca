"""Why a task could not be placed, in the words of "Amazon ECS service event messages" (ECS developer guide). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ecsctl.model.arn import last_part
from ecsctl.placement.fleet import DISTINCT, MEMBER_OF, OTHER_PROVIDER, Rejection

_NOWHERE = "was unable to place a task because no container instance met all of its requirements"
_RANK = {
    OTHER_PROVIDER: -1,
    "INACTIVE": 0,
    "AGENT": 1,
    "ATTRIBUTE": 2,
    MEMBER_OF: 3,
    DISTINCT: 4,
    "RESOURCE:TASKS": 5,
    "RESOURCE:GPU": 6,
    "RESOURCE:PORTS": 6,
    "RESOURCE:CPU": 7,
    "RESOURCE:MEMORY": 7,
}
"""How close to taking the task a host with this reason is."""
_LACKING = {
    "RESOURCE:MEMORY": "has insufficient memory available",
    "RESOURCE:CPU": "has insufficient CPU units available",
    "RESOURCE:GPU": "has insufficient GPU available",
    "RESOURCE:PORTS": "is already using a port required by your task",
    "ATTRIBUTE": "is missing an attribute required by your task",
    "AGENT": "encountered error AGENT",
    "INACTIVE": "is not ACTIVE",
    "RESOURCE:TASKS": "has as many tasks as it takes",
    MEMBER_OF: "does not meet a placement constraint",
    DISTINCT: "has a task of the group already",
}


def cannot_place(rejections: Sequence[Rejection]) -> str:
    """ECS's words, and by how much the best host is short."""
    if not rejections:
        return f"{_NOWHERE}. No Container Instances were found in your cluster."
    if all(rejection.reason == OTHER_PROVIDER for rejection in rejections):
        return f"{_NOWHERE}. No Container Instances were found in your capacity provider."
    closest = max(rejections, key=lambda r: (_RANK.get(r.reason, 0), -r.short, r.arn))
    lacking = _LACKING.get(closest.reason, f"is not suitable ({closest.reason})")
    where = f"The closest matching (container-instance {last_part(closest.arn)})"
    return f"{_NOWHERE}. {where} {lacking}: {closest.detail}."


def obstacle_kind(obstacle: str) -> str:
    """What two tellings of one obstacle have in common: what is free on which host changes with every other task."""
    return re.sub(r"\(container-instance \w+\)|[0-9]+", "…", obstacle)
