"""Contact with hosts: which answer, and what becomes of the tasks on those that are lost."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from ecsctl.controller.chance import Chance
from ecsctl.controller.clock import Clock
from ecsctl.model.arn import last_part
from ecsctl.model.loss import POLICIES, Grace, LossPolicy, policy_of
from ecsctl.model.record import evolve
from ecsctl.model.stored import InstanceRecord, TaskRecord
from ecsctl.scheduler.contact import (
    lose,
    lost,
    may_be_replaced,
    note_contact,
    obstacles,
    what_is_waited_for,
)
from ecsctl.store.store import Store, Transaction, View, add_event
from ecsctl.store.tables import INSTANCES, PORTS, SERVICES, TAGS, TASK_DEFINITIONS, TASKS


def note(store: Store, clock: Clock, instance: InstanceRecord, trouble: str | None, default: Grace) -> None:
    """Keep up to date whether a host answers; `trouble` is why it does not. What changes nothing is not written; and
    where it answers, as it did when `instance` was read, nothing is read either."""
    now, arn = clock.now(), instance.arn
    if trouble is None and note_contact(instance, answered=True, grace=default, now=now) == instance:
        return

    def noted(view: View) -> tuple[InstanceRecord, InstanceRecord] | None:
        record = view.get(INSTANCES, arn)
        if record is None:
            return None
        grace = default if trouble is None else grace_of(view, record, default)
        return record, note_contact(record, answered=trouble is None, grace=grace, now=now)

    with store.read() as view:
        pair = noted(view)
    if pair is None or store.read_only or pair[0] == pair[1]:
        return
    with store.write() as tx:
        pair = noted(tx)
        if pair is None:
            return
        record, changed = pair
        tx.put(INSTANCES, evolve(changed, seq=tx.seq))
        if changed.instance.agent_connected != record.instance.agent_connected:
            kind = "AgentDisconnected" if trouble else "AgentConnected"
            add_event(tx, now, record.cluster_arn, arn, kind, trouble or "")


def grace_of(view: View, instance: InstanceRecord, default: Grace) -> Grace:
    """How long a host may be silent: by its attributes, else by its cluster's tags, else by the configuration."""
    tags = view.get(TAGS, instance.cluster_arn)
    of_cluster = {str(tag.key): tag.value for tag in tags.tags} if tags else {}
    of_host = {attribute.name: attribute.value for attribute in instance.instance.attributes or []}
    return default.with_stated(of_cluster).with_stated(of_host)


class Losses(Struct, frozen=True):
    """What was done about lost hosts, line by line; in a dry run also the tasks (by ARN) as they would be."""

    lines: list[str]
    planned: Mapping[str, TaskRecord]


class Loss(Struct, frozen=True):
    """One lost host: the tasks that are given up now, or `obstacle`, why they are not; and those that are not at all,
    by what holds for them."""

    instance: InstanceRecord
    tasks: list[TaskRecord]
    obstacle: str
    kept: dict[LossPolicy, list[TaskRecord]]

    @property
    def told(self) -> str:
        """What is to be told of the tasks that stay as they are; empty where there are none."""
        said = [f"{_so_many(self.tasks)} not replaced: {self.obstacle}"] if self.obstacle and self.tasks else []
        for policy, tasks in self.kept.items():
            said.append(f"{_so_many(tasks)} kept ({policy}) and wait {what_is_waited_for(self.instance, policy)}")
        return "; ".join(said)

    @property
    def is_news(self) -> bool:
        return bool(self.tasks and not self.obstacle) or self.told != self.instance.held


def give_up(
    store: Store,
    clock: Clock,
    chance: Chance,
    hosts: Sequence[str],
    answering: Collection[str],
    grace: Grace,
    *,
    dry_run: bool = False,
) -> Losses:
    """Call the tasks on lost hosts STOPPED, as far as their loss policies allow, so that others take their place; and
    tell once what is waited for where others do not.

    `hosts` and `answering` are ARNs. While nobody answers, our own network is broken, and nothing is lost.
    """
    now = clock.now()
    news = _news(store, hosts, answering, grace, now)
    if dry_run or not news:
        gone = [loss for loss in news if loss.tasks and not loss.obstacle]
        return Losses(
            [f"host {loss.instance.name}: give up its tasks: {why(loss.instance)}" for loss in gone],
            {task.arn: lose(task, why(loss.instance), now) for loss in gone for task in loss.tasks},
        )
    lines = []
    with store.write() as tx:
        for loss in _losses(tx, hosts, answering, grace, now):
            if loss.is_news:
                lines += _record(tx, loss, now, chance)
    return Losses(lines, {})


def has_losses(store: Store, clock: Clock, hosts: Sequence[str], answering: Collection[str], grace: Grace) -> bool:
    """Whether give_up would do, or tell, anything."""
    return bool(_news(store, hosts, answering, grace, clock.now()))


def _news(store: Store, hosts: Sequence[str], answering: Collection[str], grace: Grace, now: datetime) -> list[Loss]:
    if set(hosts) <= set(answering):
        return []
    with store.read() as view:
        return [loss for loss in _losses(view, hosts, answering, grace, now) if loss.is_news]


def _losses(view: View, hosts: Sequence[str], answering: Collection[str], grace: Grace, now: datetime) -> list[Loss]:
    instances = [record for arn in hosts if (record := view.get(INSTANCES, arn))]
    gone = lost(instances, answering, lambda i: grace_of(view, i, grace), now)
    found = []
    for cluster in dict.fromkeys(i.cluster_arn for i in gone):
        mine = [_divided(view, i) for i in gone if i.cluster_arn == cluster]
        affected = [loss for loss in mine if loss.tasks]
        fleet = [i for i in instances if i.cluster_arn == cluster]
        whys = obstacles([loss.instance for loss in affected], fleet, answering, now)
        found += [evolve(loss, obstacle=obstacle) for loss, obstacle in zip(affected, whys, strict=True)]
        found += [loss for loss in mine if not loss.tasks]
    return found


def _divided(view: View, instance: InstanceRecord) -> Loss:
    """The tasks of a lost host, those that others may replace and those that are kept."""
    tasks: list[TaskRecord] = []
    kept: dict[LossPolicy, list[TaskRecord]] = {}
    for task in view.unfinished(instance=instance.arn):
        policy = policy_on(view, task)
        if may_be_replaced(task, policy, instance):
            tasks.append(task)
        else:
            kept.setdefault("ecs" if policy == "replace" else policy, []).append(task)
    return Loss(instance, tasks, "", {policy: kept[policy] for policy in POLICIES if policy in kept})


def policy_on(view: View, task: TaskRecord) -> LossPolicy:
    """What holds for a task: by its service, and by its definition."""
    service = view.get(SERVICES, task.service) if task.service else None
    definition = view.get(TASK_DEFINITIONS, str(task.task.task_definition_arn))
    return policy_of(service.service.loss_policy if service else None, [definition] if definition else [])


def _record(tx: Transaction, loss: Loss, now: datetime, chance: Chance) -> list[str]:
    """Write down what is to become of the tasks of a lost host, and tell it; line by line."""
    instance, lines = loss.instance, []
    gone = [] if loss.obstacle else loss.tasks
    if gone:
        lines += end_tasks(tx, gone, why(instance), now)
        instance = evolve(instance, given_up_at=now)
        add_event(
            tx, now, instance.cluster_arn, instance.arn, "HostLost", f"{why(instance)}; {_so_many(gone)} given up"
        )
    tx.put(INSTANCES, evolve(instance, held=loss.told, seq=tx.seq))
    if loss.told and loss.told != loss.instance.held:
        _note_loss(tx, instance, loss.told, now)
        lines.append(f"host {instance.name}: {loss.told}")
        _tell_services(tx, loss, now, chance)
    return lines


def _note_loss(tx: Transaction, instance: InstanceRecord, what: str, now: datetime) -> None:
    add_event(tx, now, instance.cluster_arn, instance.arn, "HostLost", f"{why(instance)}; {what}")


def end_tasks(tx: Transaction, tasks: Iterable[TaskRecord], reason: str, now: datetime) -> list[str]:
    """Call tasks STOPPED that went with their host; line by line."""
    lines = []
    for task in tasks:
        tx.put(TASKS, evolve(lose(task, reason, now), seq=tx.seq))
        tx.delete(PORTS, task=task.arn)
        add_event(tx, now, str(task.task.cluster_arn), task.arn, "TaskStopped", reason)
        lines.append(f"task {last_part(task.arn)[:12]} is STOPPED: {reason}")
    return lines


def _tell_services(tx: Transaction, loss: Loss, now: datetime, chance: Chance) -> None:
    """An event of each service that has tasks which are not replaced."""
    from ecsctl.controller.services import with_event  # a quiet pass tells nothing
    from ecsctl.scheduler.service_work import Message

    waiting = [*(loss.tasks if loss.obstacle else ()), *(task for tasks in loss.kept.values() for task in tasks)]
    for arn in dict.fromkeys(task.service for task in waiting if task.service):
        record = tx.get(SERVICES, arn)
        if record is None:
            continue
        mine = {task.arn for task in waiting if task.service == arn}
        of_service = evolve(
            loss,
            tasks=[task for task in loss.tasks if task.arn in mine],
            kept={p: own for p, tasks in loss.kept.items() if (own := [task for task in tasks if task.arn in mine])},
        )
        named = " ".join(f"(task {last_part(task)})" for task in sorted(mine))
        text = f"has tasks on the lost host {loss.instance.name}: {named}: {of_service.told}."
        tx.put(SERVICES, evolve(with_event(tx, record, Message(text), now, chance), seq=tx.seq))


def _so_many(tasks: Sequence[TaskRecord]) -> str:
    return "1 task is" if len(tasks) == 1 else f"{len(tasks)} tasks are"


def why(instance: InstanceRecord) -> str:
    since = f"{instance.silent_since:%Y-%m-%dT%H:%M:%SZ}" if instance.silent_since else "long ago"
    return f"Host {instance.name} is lost: it has not answered since {since}"
