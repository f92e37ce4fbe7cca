"""Which hosts are lost, and what becomes of their tasks. Pure.

ECS replaces nothing while an agent is merely disconnected, and everything when an instance is terminated. Here nobody
tells that a host is gone, so silence has to do: a minute of it, in several attempts, while others answer. The limits
of what is replaced at once are those of Kubernetes (node lifecycle controller).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

from ecsctl.model.arn import last_part
from ecsctl.model.loss import Grace, LossPolicy
from ecsctl.model.record import evolve
from ecsctl.model.stored import InstanceRecord, TaskRecord
from ecsctl.scheduler.observe import copy_of

PACE = timedelta(seconds=10)
"""In this time the tasks of one host of a cluster are replaced, and no more."""
MOST_SILENT = 0.55
"""The share of a cluster's hosts from which on silence is rather the network's fault than theirs."""

NOBODY_ANSWERS = "no host of the cluster answers, so it is rather the network here that fails"
MOST_ARE_SILENT = "{} of the cluster's {} hosts do not answer, so it is rather a network that fails"
ONE_AT_A_TIME = "those of another host come first, one host every 10 seconds"


def note_contact(instance: InstanceRecord, *, answered: bool, grace: Grace, now: datetime) -> InstanceRecord:
    """The container instance after it was asked something."""
    shape = evolve(instance.instance, agent_connected=answered)
    if answered:
        return evolve(instance, instance=shape, silent_since=None, failed_contacts=0, held="")
    if _is_long(instance, grace, now):
        return evolve(instance, instance=shape)  # lost already: no need to count on
    since = min(instance.silent_since or now, now)  # the clock may have been put back
    return evolve(instance, instance=shape, silent_since=since, failed_contacts=instance.failed_contacts + 1)


def lost(
    instances: Sequence[InstanceRecord],
    answering: Collection[str],
    grace: Callable[[InstanceRecord], Grace],
    now: datetime,
) -> list[InstanceRecord]:
    """The hosts that are lost, the longest silent first. `answering`: ARNs."""
    found = [i for i in instances if i.arn not in answering and _is_long(i, grace(i), now)]
    return sorted(found, key=lambda i: (i.silent_since or now, i.arn))


def _is_long(instance: InstanceRecord, grace: Grace, now: datetime) -> bool:
    since = instance.silent_since
    return since is not None and now - since >= grace.silence and instance.failed_contacts >= grace.contacts


def obstacles(
    gone: Sequence[InstanceRecord], fleet: Sequence[InstanceRecord], answering: Collection[str], now: datetime
) -> list[str]:
    """Of each of the lost hosts `gone`, which have tasks to replace, why these are not replaced now; empty if they are.

    `fleet`: all hosts of their cluster. A host that somebody has deregistered by force is as good as terminated.
    """
    used = [i for i in fleet if i.instance.status != "INACTIVE"]
    silent = [i for i in used if i.arn not in answering]
    is_taken = any(i.given_up_at and timedelta() <= now - i.given_up_at < PACE for i in fleet)
    found = []
    for instance in gone:
        why = ""
        if instance.instance.status == "INACTIVE":
            pass
        elif len(silent) == len(used):
            why = NOBODY_ANSWERS
        elif len(silent) >= MOST_SILENT * len(used):
            why = MOST_ARE_SILENT.format(len(silent), len(used))
        elif is_taken:
            why = ONE_AT_A_TIME
        else:
            is_taken = True
        found.append(why)
    return found


def may_be_replaced(record: TaskRecord, policy: LossPolicy, instance: InstanceRecord) -> bool:
    """Whether a task is given up when its host is lost. One of no service is not: nothing would take its place."""
    if policy == "never-double-run":
        return False
    return instance.instance.status == "INACTIVE" or (policy == "replace" and record.service is not None)


def what_is_waited_for(instance: InstanceRecord, policy: LossPolicy) -> str:
    """What has to happen before tasks on a lost host, which are not given up, are."""
    name = last_part(instance.arn) if instance.instance.status == "INACTIVE" else instance.name
    if policy == "never-double-run":
        return f"for it to answer, or for a person who knows it is down: ecsctl host fence {name} --confirmed-down"
    away = f"ecsctl deregister-container-instance --container-instance {name} --force"
    return f"for it to answer, or to be taken away: {away}"


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
