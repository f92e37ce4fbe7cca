"""Which hosts are lost, and what becomes of their tasks. Pure.

ECS replaces nothing while an agent is merely disconnected, and everything when an instance is terminated. Here nobody
tells that a host is gone, so silence has to do: a minute of it, in several attempts, while others answer.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from ecsctl.model.record import evolve
from ecsctl.model.stored import InstanceRecord, TaskRecord
from ecsctl.scheduler.observe import copy_of

GRACE = timedelta(seconds=60)
"""How long a host has to be silent."""
ATTEMPTS = 3
"""How often it has to have been asked in that time."""


def note_contact(instance: InstanceRecord, *, answered: bool, now: datetime) -> InstanceRecord:
    """The container instance after it was asked something."""
    shape = evolve(instance.instance, agent_connected=answered)
    if answered:
        return evolve(instance, instance=shape, silent_since=None, failed_contacts=0)
    since = instance.silent_since or now
    if _is_long(instance, now):
        return evolve(instance, instance=shape)  # lost already: no need to count on
    return evolve(instance, instance=shape, silent_since=since, failed_contacts=instance.failed_contacts + 1)


def lost(instances: Sequence[InstanceRecord], answering: Collection[str], now: datetime) -> list[InstanceRecord]:
    """The hosts that are lost. `answering`: ARNs; while there are none, our own network is broken, and nothing is."""
    if not answering:
        return []
    return [i for i in instances if i.arn not in answering and _is_long(i, now)]


def _is_long(instance: InstanceRecord, now: datetime) -> bool:
    since = instance.silent_since
    return since is not None and now - since >= GRACE and instance.failed_contacts >= ATTEMPTS


def lose(record: TaskRecord, why: str, now: datetime) -> TaskRecord:
    """The record of a task that went with its host. Its containers are stopped should they be seen again."""
    record = copy_of(record)
    task = record.task
    if task.desired_status != "STOPPED":
        task.desired_status, task.stop_code, task.stopped_reason = "STOPPED", "InfrastructureHealth", why
        task.stopping_at = now
    task.last_status, task.stopped_at = "STOPPED", now
    task.execution_stopped_at = task.execution_stopped_at or now
    task.version = (task.version or 0) + 1
    task.containers = [
        evolve(shape, last_status="STOPPED", reason=shape.reason or why) for shape in task.containers or []
    ]
    record.claim = None
    for state in record.containers:
        state.intent = None  # whatever comes of it is seen, and taken away, when the host is back
    return record
