"""Contact with hosts: which answer, and what becomes of the services' tasks on those that are lost."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from ecsctl.controller.clock import Clock
from ecsctl.model.arn import last_part
from ecsctl.model.record import evolve
from ecsctl.model.stored import InstanceRecord, TaskRecord
from ecsctl.scheduler.contact import lose, lost, note_contact
from ecsctl.store.store import Store, Transaction, add_event
from ecsctl.store.tables import INSTANCES, PORTS, TASKS


def note(store: Store, clock: Clock, arn: str, trouble: str | None) -> None:
    """Keep up to date whether a host answers; `trouble` is why it does not. What changes nothing is not written."""
    now = clock.now()
    with store.read() as view:
        record = view.get(INSTANCES, arn)
    if record is None or store.read_only or note_contact(record, answered=trouble is None, now=now) == record:
        return
    with store.write() as tx:
        record = tx.get(INSTANCES, arn)
        if record is None:
            return
        changed = note_contact(record, answered=trouble is None, now=now)
        tx.put(INSTANCES, evolve(changed, seq=tx.seq))
        if changed.instance.agent_connected != record.instance.agent_connected:
            kind = "AgentDisconnected" if trouble else "AgentConnected"
            add_event(tx, now, record.cluster_arn, arn, kind, trouble or "")


class Losses(Struct, frozen=True):
    """What was done about lost hosts, line by line; in a dry run also the tasks (by ARN) as they would be."""

    lines: list[str]
    planned: Mapping[str, TaskRecord]


def give_up(
    store: Store, clock: Clock, hosts: Sequence[str], answering: Collection[str], *, dry_run: bool = False
) -> Losses:
    """Call the services' tasks on lost hosts STOPPED, so that others take their place.

    Tasks of no service stay as they are: nothing would take their place.
    """
    now = clock.now()
    with store.read() as view:
        gone = lost([i for arn in hosts if (i := view.get(INSTANCES, arn))], answering, now)
        tasks = {i.arn: [task for task in view.unfinished(instance=i.arn) if task.service] for i in gone}
        affected = [i for i in gone if tasks[i.arn]]
    if dry_run or not affected:
        return Losses(
            [f"host {i.name}: give up its tasks: {_why(i)}" for i in affected],
            {task.arn: lose(task, _why(i), now) for i in affected for task in tasks[i.arn]},
        )
    lines = []
    with store.write() as tx:
        for arn in [i.arn for i in affected]:
            instance = tx.get(INSTANCES, arn)
            if instance is not None and lost([instance], answering, now):
                lines += _lose_tasks(tx, clock, instance)
    return Losses(lines, {})


def _lose_tasks(tx: Transaction, clock: Clock, instance: InstanceRecord) -> list[str]:
    now, why, lines = clock.now(), _why(instance), []
    for task in tx.unfinished(instance=instance.arn):
        if not task.service:
            continue
        tx.put(TASKS, evolve(lose(task, why, now), seq=tx.seq))
        tx.delete(PORTS, task=task.arn)
        add_event(tx, now, instance.cluster_arn, task.arn, "TaskStopped", why)
        lines.append(f"task {last_part(task.arn)[:12]} is STOPPED: {why}")
    return lines


def _why(instance: InstanceRecord) -> str:
    since = f"{instance.silent_since:%Y-%m-%dT%H:%M:%SZ}" if instance.silent_since else "long ago"
    return f"Host {instance.name} is lost: it has not answered since {since}"
