"""What a request asks of new tasks, checked."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ecsctl.controller.new_tasks import Wish
from ecsctl.model.api.tasks import PlacementConstraint, PlacementStrategy, PropagateTags
from ecsctl.model.cluster import Cluster
from ecsctl.model.common import Tag
from ecsctl.model.errors import client_exception, invalid_parameter
from ecsctl.model.task import LaunchType, TaskOverride
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.operations.context import Context
from ecsctl.operations.lookup import check_tags, find_task_definition, tags_of
from ecsctl.scheduler.field_support import refusals
from ecsctl.store.store import View

_STARTED_BY = re.compile(r"[A-Za-z0-9/_-]{0,128}")


def wish(
    view: View,
    ctx: Context,
    cluster: Cluster,
    *,
    task_definition: str,
    overrides: TaskOverride | None,
    group: str | None,
    launch_type: LaunchType | None,
    started_by: str | None,
    tags: list[Tag] | None,
    propagate: PropagateTags | None,
    managed_tags: bool | None,
) -> Wish:
    """Check what was asked; ClientException and InvalidParameterException say what cannot be."""
    definition = startable(view, ctx, task_definition, launch_type, overrides)
    names = {container.name for container in definition.container_definitions or []}
    for override in (overrides.container_overrides if overrides else None) or []:
        if override.name not in names:
            if override.name is None:
                raise invalid_parameter("containerOverrides: each needs the name of a container.")
            raise invalid_parameter(
                f"Override for container named {override.name} is not a container in the TaskDefinition."
            )
    if not _STARTED_BY.fullmatch(started_by or ""):
        raise invalid_parameter("startedBy: use up to 128 letters, digits, hyphens, slashes and underscores.")
    if group is not None and (group.startswith("service:") or not group or len(group) > 255 or not group.isprintable()):
        raise invalid_parameter(f"group {group!r}: use 1 to 255 characters, not beginning with service:")
    check_tags(tags)
    if propagate == "SERVICE":
        raise invalid_parameter("propagateTags: SERVICE is for the tasks of a service.")
    inherited = tags_of(view, definition.task_definition_arn) if propagate == "TASK_DEFINITION" else []
    managed = [Tag(key="aws:ecs:clusterName", value=cluster.cluster_name)] if managed_tags else []
    merged = {tag.key: tag for tag in (*managed, *inherited, *(tags or []))}
    return Wish(
        definition,
        overrides,
        group or f"family:{definition.family}",
        launch_type or "EC2",
        started_by,
        list(merged.values()),
    )


def startable(
    view: View, ctx: Context, name: str, launch_type: LaunchType | None, overrides: TaskOverride | None = None
) -> TaskDefinition:
    """The task definition of that name, if tasks of it can be started."""
    definition = find_task_definition(view, ctx, name)
    check_startable(definition, launch_type, overrides)
    return definition


def check_startable(
    definition: TaskDefinition, launch_type: LaunchType | None, overrides: TaskOverride | None = None
) -> None:
    """ClientException and InvalidParameterException say why no tasks of it can be started."""
    if definition.status != "ACTIVE":
        raise client_exception(f"TaskDefinition {definition.family}:{definition.revision} is inactive.")
    if launch_type == "FARGATE" and launch_type not in (definition.compatibilities or []):
        raise invalid_parameter(f"Task definition does not support launch_type {launch_type}.")
    if refused := refusals(definition, overrides):
        said = "; ".join(f"{verdict.path} ({verdict.note})" for verdict in refused)
        raise client_exception(
            f"{definition.family}:{definition.revision} uses what this release does not honour: {said}"
        )


def check_placement(strategies: Sequence[PlacementStrategy], constraints: Sequence[PlacementConstraint]) -> None:
    """What this release places by; the rest is refused by name."""
    for constraint in constraints:
        if constraint.type == "memberOf":
            raise invalid_parameter("placementConstraints: memberOf is not honoured by this release.")
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
