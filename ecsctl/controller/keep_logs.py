"""Keeping the logs of the driver awslogs: they outlive their containers, as on ECS."""

from __future__ import annotations

from ecsctl.engine.port import Engine
from ecsctl.model import identity
from ecsctl.model.arn import last_part
from ecsctl.model.stored import TaskRecord
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.scheduler.container_spec import effective, log_place
from ecsctl.store.store import Store


def keep_log(
    store: Store, engine: Engine, record: TaskRecord, definition: TaskDefinition, name: str, container_id: str
) -> None:
    """Keep what a container that has ended has printed, unless that was done before or its driver is another.

    NotFound when it is gone, EngineRefused when its engine has no log of it, StateError when there is no room.
    """
    if name == identity.PAUSE:
        return
    place = log_place(effective(record, definition, name), last_part(record.arn), container_id)
    if place is None:
        return
    from ecsctl.store.log_store import LogStore  # most containers have no such log

    logs = LogStore(store.logs_path)
    if not logs.has(place):
        logs.keep(place, engine.logs(container_id))
