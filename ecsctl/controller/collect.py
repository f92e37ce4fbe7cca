"""Collecting: containers of tasks that are over, and tasks whose time in history is up."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from ecsctl.controller.limits import Retention
from ecsctl.controller.look import Sight
from ecsctl.model import identity
from ecsctl.model.arn import last_part, task_beside
from ecsctl.model.errors import Conflict, EngineRefused, NotFound, StateError
from ecsctl.model.record import evolve
from ecsctl.model.stored import TaskRecord
from ecsctl.store.store import Store, Transaction, View, add_event
from ecsctl.store.tables import (
    EVENTS,
    IDEMPOTENT_CALLS,
    INSTANCES,
    SERVICES,
    TAGS,
    TASK_DEFINITIONS,
    TASKS,
    timestamp,
)

if TYPE_CHECKING:
    from ecsctl.engine.port import Engine
    from ecsctl.model.observed import Observed


class Collection:
    """What was, or in a dry run would be, collected on one host, and what was left alone."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.left_alone: list[str] = []


def collect(
    store: Store,
    engine: Engine,
    sight: Sight,
    unfinished: Container[str],
    instance: str,
    retention: Retention,
    now: datetime,
    *,
    dry_run: bool,
) -> Collection:
    """Stop what runs for a STOPPED task, and remove its containers and volumes when they are old enough.

    `unfinished`: the ids of the tasks that are not STOPPED, as read in this pass.
    """
    result = Collection()
    result.left_alone += sight.foreign
    if sight.foreign and not dry_run:
        _note_foreign(store, instance, sight.foreign, now)
    present: set[str] = set()
    for task_id, containers in sorted(sight.tasks.items()):
        if task_id in unfinished:
            present.add(task_id)
            continue
        record = _task(store, instance, task_id)
        if record is None:
            for found in containers:
                result.left_alone.append(
                    f"container {found.name} belongs to a task this state does not know: see ecsctl recover --merge"
                )
        elif record.is_stopped and record.seq <= sight.sequence:
            old = _is_old(record, retention, now)
            keep = partial(_keep_log, store, engine, record)
            gone = [_collect_container(engine, found, result, keep, old=old, dry_run=dry_run) for found in containers]
            if all(gone):
                continue
        present.add(task_id)
    if not dry_run:
        _finish(store, engine, present, instance, retention, now)
        if result.lines:
            from ecsctl.store.log_store import LogStore

            LogStore(store.logs_path).forget_before(now - retention.logs)
    return result


def _note_foreign(store: Store, instance: str, foreign: Sequence[str], now: datetime) -> None:
    """Write down, once each, what has our labels on a host and is not ours."""

    def news(view: View) -> list[str]:
        told = {event.message for event in view.find(EVENTS, resource=instance)}
        return [what for what in dict.fromkeys(foreign) if what not in told]

    with store.read() as view:
        if not news(view):
            return
    with store.write() as tx:
        if (host := tx.get(INSTANCES, instance)) is not None:
            for what in news(tx):
                add_event(tx, now, host.cluster_arn, instance, "ForeignLabel", what)


def _is_old(record: TaskRecord, retention: Retention, now: datetime) -> bool:
    return now - (record.task.stopped_at or now) >= retention.containers


def _collect_container(
    engine: Engine, found: Observed, result: Collection, keep: Callable[[Observed], None], *, old: bool, dry_run: bool
) -> bool:
    """Whether it is gone now."""
    if found.is_up:
        result.lines.append(f"stop container {found.name}: its task is STOPPED")
        if not dry_run:
            from ecsctl.scheduler.container_spec import DEFAULT_STOP_TIMEOUT

            engine.stop(found.id, DEFAULT_STOP_TIMEOUT)
    elif old or found.state == "created":
        why = "its task ended long ago" if old else "it never ran, and its task is STOPPED"
        if not dry_run:
            try:
                keep(found)
            except NotFound:
                return True  # somebody else has removed it
            except StateError as error:
                result.left_alone.append(f"container {found.name} has to stay: {error}")
                return False
            except EngineRefused as error:
                result.left_alone.append(f"container {found.name} has to stay, its log cannot be read: {error}")
                return False
            engine.remove(found.id)
        result.lines.append(f"remove container {found.name}: {why}")
        return not dry_run
    return False


def _keep_log(store: Store, engine: Engine, record: TaskRecord, found: Observed) -> None:
    """Its task has kept it when it stopped, unless its process was killed just then."""
    with store.read() as view:
        definition = view.get(TASK_DEFINITIONS, str(record.task.task_definition_arn))
    if definition is not None and found.state != "created":
        from ecsctl.controller.keep_logs import keep_log

        keep_log(store, engine, record, definition, found.labels.get(identity.CONTAINER, ""), found.id)


def _task(store: Store, instance: str, task_id: str) -> TaskRecord | None:
    with store.read() as view:
        return view.get(TASKS, task_beside(instance, task_id))


def _finish(
    store: Store, engine: Engine, present: set[str], instance: str, retention: Retention, now: datetime
) -> None:
    """Remove the volumes of old tasks that have no container left, and note that nothing is left of them."""
    with store.read() as view:
        until = ("stopped_at", now - retention.containers)
        stopped = view.find(TASKS, instance=instance, last_status="STOPPED", collected=0, until=until)
    for record in stopped:
        if last_part(record.arn) in present:
            continue
        from ecsctl.scheduler.volumes import task_volumes

        with store.read() as view:
            definition = view.get(TASK_DEFINITIONS, str(record.task.task_definition_arn))
        for volume in task_volumes(record, definition) if definition else ():
            with suppress(Conflict):  # somebody else's container uses it
                engine.remove_volume(volume)
        with store.write() as tx:
            current = tx.get(TASKS, record.arn)
            if current is not None:
                tx.put(TASKS, evolve(current, collected=True))


def forget(store: Store, sights: dict[str, Sight], retention: Retention, now: datetime, *, dry_run: bool) -> list[str]:
    """Drop what is older than the history's length: stopped tasks of which no container is left, services that are
    INACTIVE, events, tokens.

    `sights` are this pass's looks, by container instance ARN: of a host that was not seen nothing is forgotten.
    """
    before = now - retention.history
    with store.read() as view:
        over = [
            record
            for record in view.find(
                TASKS, last_status="STOPPED", order="stopped_at", limit=1000, until=("stopped_at", before)
            )
            if _is_gone(record, sights)
        ]
        ended = [
            record
            for record in view.find(SERVICES, status="INACTIVE")
            if record.inactive_at and record.inactive_at < before
        ]
        stale = view.older(EVENTS, "at", before) + view.older(IDEMPOTENT_CALLS, "expires_at", now)
    lines = [f"forget task {last_part(record.arn)}: STOPPED {_day(record.task.stopped_at)}" for record in over]
    lines += [f"forget service {last_part(record.arn)}: INACTIVE {_day(record.inactive_at)}" for record in ended]
    if (over or ended or stale) and not dry_run:
        with store.write() as tx:
            _forget(tx, over)
            for service in ended:
                _forget_service(tx, service.arn)
            tx.forget_before(EVENTS, "at", before)
            tx.forget_before(IDEMPOTENT_CALLS, "expires_at", now)
    return lines


def _forget(tx: Transaction, over: list[TaskRecord]) -> None:
    for record in over:
        tx.delete(TAGS, arn=record.arn)
        tx.delete(TASKS, arn=record.arn)
    for definition in {str(record.task.task_definition_arn) for record in over}:
        if not is_used(tx, definition):
            tx.delete(TASK_DEFINITIONS, arn=definition, status="DELETE_IN_PROGRESS")


def _forget_service(tx: Transaction, arn: str) -> None:
    """Drop a service and its past, unless there is one of that name again."""
    if tx.delete(SERVICES, arn=arn, status="INACTIVE"):
        from ecsctl.store.deployment_tables import SERVICE_DEPLOYMENTS, SERVICE_REVISIONS  # few services are deleted

        tx.delete(TAGS, arn=arn)
        tx.delete(SERVICE_DEPLOYMENTS, service=arn)
        tx.delete(SERVICE_REVISIONS, service=arn)


def is_used(view: View, task_definition: str) -> bool:
    """Whether there are tasks of this task definition (by ARN), or a service that starts some."""
    services = view.find(SERVICES, status=("ACTIVE", "DRAINING"))
    deployed = {starter.task_definition_arn for service in services for starter in service.starters}
    return task_definition in deployed or view.count(TASKS, task_definition=task_definition) > 0


def _is_gone(record: TaskRecord, sights: dict[str, Sight]) -> bool:
    sight = sights.get(str(record.task.container_instance_arn))
    return sight is not None and last_part(record.arn) not in sight.tasks


def _day(moment: datetime | None) -> str:
    return timestamp(moment)[:10] if moment else ""
