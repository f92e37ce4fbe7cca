"""Hearing: what an engine tells by itself is acted on before it can be looked at.

An engine tells of a container's end at once, and keeps whoever inspects it waiting until it has cleaned up behind it.
"""

from __future__ import annotations

from ecsctl.controller.clock import Clock
from ecsctl.controller.drive import lines_of
from ecsctl.model.record import evolve
from ecsctl.scheduler.decide import hear_of_end
from ecsctl.store.store import Store, add_event
from ecsctl.store.tables import TASK_DEFINITIONS, TASKS


def hear(store: Store, clock: Clock, arn: str, container_id: str) -> list[str]:
    """A container of a task has ended: if that is the task's end, it is to stop; what was noted, line by line."""
    now = clock.now()
    with store.write() as tx:
        record = tx.get(TASKS, arn)
        definition = tx.get(TASK_DEFINITIONS, str(record.task.task_definition_arn)) if record else None
        if record is None or definition is None:
            return []
        step = hear_of_end(record, definition, container_id, now)
        if not step.happenings:
            return []
        tx.put(TASKS, evolve(step.record, seq=tx.seq))
        for kind, message in step.happenings:
            add_event(tx, now, str(record.task.cluster_arn), arn, kind, message)
    return lines_of(step, definition)
