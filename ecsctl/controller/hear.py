"""Hearing: what an engine tells by itself is acted on before it can be looked at.

An engine tells of a container's end at once, and keeps whoever inspects it waiting until it has cleaned up behind it.
"""

from __future__ import annotations

from datetime import datetime

from ecsctl.controller.clock import Clock
from ecsctl.controller.drive import lines_of
from ecsctl.model.record import evolve
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.scheduler.decide import hear_of_end
from ecsctl.scheduler.plan import Step
from ecsctl.store.store import Store, View, add_event
from ecsctl.store.tables import TASK_DEFINITIONS, TASKS


def hear(store: Store, clock: Clock, arn: str, container_id: str) -> list[str]:
    """A container of a task has ended: if that is the task's end, it is to stop; what was noted, line by line."""
    now = clock.now()
    with store.read() as view:
        found = _step(view, arn, container_id, now)
    if found is None:  # most that end were to
        return []
    with store.write() as tx:
        found = _step(tx, arn, container_id, now)
        if found is None:
            return []
        step, definition = found
        tx.put(TASKS, evolve(step.record, seq=tx.seq))
        for kind, message in step.happenings:
            add_event(tx, now, str(step.record.task.cluster_arn), arn, kind, message)
    return lines_of(step, definition)


def _step(view: View, arn: str, container_id: str, now: datetime) -> tuple[Step, TaskDefinition] | None:
    """What it means for the task; None where that is nothing."""
    record = view.get(TASKS, arn)
    definition = view.get(TASK_DEFINITIONS, str(record.task.task_definition_arn)) if record else None
    if record is None or definition is None:
        return None
    step = hear_of_end(record, definition, container_id, now)
    return (step, definition) if step.happenings else None
