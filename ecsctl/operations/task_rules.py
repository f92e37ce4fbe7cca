"""Checks of what RunTask, StartTask and others ask of new tasks."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ecsctl.model.api.services import CreateServiceRequest, UpdateServiceRequest
from ecsctl.model.api.tasks import RunTaskRequest, StartTaskRequest
from ecsctl.model.errors import InputError, invalid_parameter
from ecsctl.model.task_launch import PlacementConstraint, PlacementStrategy
from ecsctl.operations.lookup import check_tags
from ecsctl.placement.named_priority import parse_priority

_LONGEST_STARTED_BY = 128
_OVERRIDES = 8192
"""The most characters of overrides as JSON (ECS API_RunTask)."""
MOST_PREEMPTION = 1000


def check_task(request: RunTaskRequest | StartTaskRequest) -> None:
    """What can be said without the task definition; InvalidParameterException."""
    # The reference allows letters, digits, hyphens, slashes and underscores; ECS takes more, and tools rely on it.
    starter = request.started_by or ""
    if len(starter) > _LONGEST_STARTED_BY or not starter.isprintable():
        raise invalid_parameter(f"startedBy: use up to {_LONGEST_STARTED_BY} printable characters.")
    if request.overrides and len(msgspec.json.encode(request.overrides)) > _OVERRIDES:
        raise invalid_parameter(f"Container Overrides length must be at most {_OVERRIDES}")
    group = request.group
    if group is not None and (group.startswith("service:") or not group or len(group) > 255 or not group.isprintable()):
        raise invalid_parameter(f"group {group!r}: use 1 to 255 characters, not beginning with service:")
    check_tags(request.tags)
    if request.propagate_tags == "SERVICE":
        raise invalid_parameter("propagateTags: SERVICE is for the tasks of a service.")


def expression_problem(expression: str | None) -> str | None:
    """What is wrong with the expression of a `memberOf`, and where; None when it can be read."""
    if not expression:
        return "is required with memberOf"
    from ecsctl.placement.query import QueryError, parse  # most tasks have none

    try:
        parse(expression)
    except QueryError as error:
        return str(error)
    return None


def check_placement(request: RunTaskRequest | CreateServiceRequest | UpdateServiceRequest) -> None:
    """What a request says of where its tasks go; InvalidParameterException."""
    rank = request.preemption_priority
    if rank is not None and not 0 <= rank <= MOST_PREEMPTION:
        raise invalid_parameter(f"preemptionPriority: {rank} is not between 0 and {MOST_PREEMPTION}.")
    check_rules(request.placement_strategy or [], request.placement_constraints or [], request.priority)


def check_rules(
    strategies: Sequence[PlacementStrategy], constraints: Sequence[PlacementConstraint], priority: str | None
) -> None:
    """At most 5 strategies and 10 constraints, of the kinds that there are, and their expressions; or a priority."""
    if priority is not None:
        if strategies:
            raise invalid_parameter("priority: placementStrategy says already where tasks go; give one of them.")
        try:
            parse_priority(priority)
        except InputError as error:
            raise invalid_parameter(f"priority: {error}") from None
    for index, constraint in enumerate(constraints):
        path = f"placementConstraints[{index}].expression"
        if constraint.type != "memberOf" and constraint.expression:
            raise invalid_parameter(f"{path}: only memberOf has one.")
        if constraint.type == "memberOf" and (wrong := expression_problem(constraint.expression)):
            raise invalid_parameter(f"{path}: {wrong}")
    if len(strategies) > 5 or len(constraints) > 10:
        raise invalid_parameter("At most 5 placement strategies and 10 constraints can be given.")
    for strategy in strategies:
        field = strategy.field or ""
        if strategy.type == "binpack" and field.lower() not in ("cpu", "memory"):
            raise invalid_parameter(f"placementStrategy: binpack is by cpu or memory, not by {field!r}.")
        known = field.lower() in ("instanceid", "host") or (field.startswith("attribute:") and len(field) > 10)
        if strategy.type == "spread" and not known:
            raise invalid_parameter(
                f"placementStrategy: spread is by instanceId, host or attribute:NAME, not by {field!r}."
            )
