"""The containers of a task with what was asked for it in place of its task definition (ECS API_TaskOverride)."""

from __future__ import annotations

from typing import Any

import msgspec

from ecsctl.model.common import KeyValuePair
from ecsctl.model.container_definition import ContainerDefinition
from ecsctl.model.task import ContainerOverride, TaskOverride
from ecsctl.model.task_definition import TaskDefinition

_FIELDS = ("command", "environment_files", "cpu", "memory", "memory_reservation", "resource_requirements")


def containers_of(definition: TaskDefinition, overrides: TaskOverride | None) -> list[ContainerDefinition]:
    """The containers, each with its overrides in it."""
    changed = {o.name: o for o in (overrides.container_overrides if overrides else None) or []}
    return [
        _overridden(container, changed[container.name]) if container.name in changed else container
        for container in definition.container_definitions or []
    ]


def _overridden(container: ContainerDefinition, override: ContainerOverride) -> ContainerDefinition:
    changes: dict[str, Any] = {field: value for field in _FIELDS if (value := getattr(override, field)) is not None}
    if override.environment:
        merged = {entry.name: entry.value for entry in (*(container.environment or []), *override.environment)}
        changes["environment"] = [KeyValuePair(name=name, value=value) for name, value in merged.items()]
    return msgspec.structs.replace(container, **changes)
