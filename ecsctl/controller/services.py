"""Services: decide what each needs, and write it down in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from ecsctl.controller.chance import Chance
from ecsctl.controller.hosts import KnownHosts, hosts_of
from ecsctl.controller.room import occupancy_of
from ecsctl.model.arn import last_part
from ecsctl.model.common import Tag
from ecsctl.model.record import evolve
from ecsctl.model.service import ServiceEvent
from ecsctl.model.stored import ServiceRecord, TaskRecord, TaskSetRecord
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.placement.host import Host
from ecsctl.placement.preemption import Occupant
from ecsctl.scheduler.lifecycle import awaited
from ecsctl.scheduler.service_work import Launch, Message, ServiceStep, Surroundings
from ecsctl.scheduler.services import decide_service
from ecsctl.scheduler.task_sets import task_set_arn
from ecsctl.store.store import Store, Transaction, View, add_event
from ecsctl.store.tables import SERVICES, TAGS, TASK_DEFINITIONS, TASKS

MOST_EVENTS = 100
"""What DescribeServices shows of a service's events."""


class Advance(Struct, frozen=True):
    """What became of one decision: the new tasks, those that are to stop, and it all in words."""

    begun: tuple[str, ...] = ()
    stopping: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    changed: bool = False


def advance(
    store: Store,
    arn: str,
    now: datetime,
    chance: Chance,
    settle: timedelta,
    known: KnownHosts,
    planned: Mapping[str, TaskRecord] | None = None,
) -> Advance:
    """Decide about a service once, and record it. A quiet service costs no write.

    With `planned`, tasks (by ARN) as they are going to be, nothing is recorded.
    """
    with store.read() as view:
        record = view.get(SERVICES, arn)
        if record is None or record.service.status == "INACTIVE":
            return Advance()
        hosts = known.of(view, str(record.service.cluster_arn))
        step = _decide(view, record, hosts, now, chance, settle, planned or {})
    if not _changes(record, step):
        return Advance()
    if planned is not None:
        return Advance(lines=tuple(_planned(record, step)), changed=True)
    with store.write() as tx:
        record = tx.get(SERVICES, arn)
        if record is None:
            return Advance()
        hosts = hosts_of(tx, str(record.service.cluster_arn))
        step = _decide(tx, record, hosts, now, chance, settle, {})
        return _apply(tx, record, step, now, chance)


def _decide(
    view: View,
    record: ServiceRecord,
    hosts: Sequence[Host],
    now: datetime,
    chance: Chance,
    settle: timedelta,
    planned: Mapping[str, TaskRecord],
) -> ServiceStep:
    service = record.service
    tasks = [
        planned.get(task.arn, task) for task in view.find(TASKS, service=record.arn, tallied=0, order="created_at")
    ]
    named = {starter.task_definition_arn for starter in record.starters} | {
        str(t.task.task_definition_arn) for t in tasks
    }
    definitions = {arn: found for arn in named if (found := view.get(TASK_DEFINITIONS, arn))}
    occupancy = occupancy_of(view, str(service.cluster_arn), now)
    daemons = frozenset(f"service:{name}" for name in _daemons(view, record))
    around = Surroundings(definitions, hosts, now, chance.draw, settle, occupancy, daemons)
    return decide_service(record, tasks, around)


def _daemons(view: View, record: ServiceRecord) -> list[str | None]:
    if not record.is_daemon:
        return []
    found = view.find(SERVICES, cluster=record.service.cluster_arn, status=("ACTIVE", "DRAINING"))
    return [other.service.service_name for other in found if other.is_daemon]


def _changes(record: ServiceRecord, step: ServiceStep) -> bool:
    return bool(step.launches or step.stops or step.marked or step.messages) or step.record != record


def _apply(tx: Transaction, before: ServiceRecord, step: ServiceStep, now: datetime, chance: Chance) -> Advance:
    record, messages = step.record, list(step.messages)
    begun = {_put(tx, record, launch, now, chance): launch.starter.id for launch in step.launches}
    marked = {task.arn: task for task in step.marked}
    for stop in step.stops:
        from ecsctl.scheduler.decide import request_stop  # a quiet pass stops nothing

        task = marked.pop(stop.task.arn, stop.task)
        marked[task.arn] = request_stop(task, stop.code, stop.reason, now)
        add_event(tx, now, str(task.task.cluster_arn), task.arn, "TaskToStop", f"{stop.code}: {stop.reason}")
    for task in marked.values():
        tx.put(TASKS, evolve(task, seq=tx.seq))
    stopping = {stop.task.arn: stop.task.task.started_by for stop in step.stops}
    messages += _told(record, "started", "tasks", begun) + _told(record, "stopped", "running tasks", stopping)
    for message in messages:
        record = with_event(tx, record, message, now, chance)
    for gone in {task_set.id for task_set in before.task_sets} - {task_set.id for task_set in record.task_sets}:
        tx.delete(TAGS, arn=task_set_arn(record, gone))
    if record != before:
        from ecsctl.controller.progress import note_progress  # nothing is rolled out in a quiet pass

        tx.put(SERVICES, evolve(record, seq=tx.seq))
        note_progress(tx, record, now)
    name = record.service.service_name
    going = (victim.arn for launch in step.launches for victim in launch.victims)
    return Advance(
        tuple(begun), (*stopping, *going), tuple(f"{m.subject(name)} {m.text}" for m in messages), changed=True
    )


def _put(tx: Transaction, record: ServiceRecord, launch: Launch, now: datetime, chance: Chance) -> str:
    # A quiet pass launches nothing, and these take longer to load than it takes.
    from ecsctl.controller.launch_volumes import volume_asked
    from ecsctl.controller.new_tasks import Wish, put_task

    service = record.service
    wish = Wish(
        launch.definition,
        None,
        f"service:{service.service_name}",
        (launch.starter if isinstance(launch.starter, TaskSetRecord) else service).launch_type or "EC2",
        launch.starter.id,
        _tags(tx, record, launch.definition),
        record.arn,
        network=launch.starter.network.awsvpc_configuration if launch.starter.network else None,
        rank=service.preemption_priority,
        executable=bool(service.enable_execute_command),
        volume=volume_asked(launch.definition, launch.starter.volumes),
        image_map=launch.starter.image_map,
        connect=launch.starter.connect,
        registries=tuple(launch.starter.registries),
    )
    wish, cluster = wish.of(launch.provider), str(service.cluster_arn)
    return put_task(tx, cluster, wish, launch.demand, launch.host, now, chance.new_id, launch.victims).arn


def _tags(view: View, record: ServiceRecord, definition: TaskDefinition) -> list[Tag]:
    """Those of the service or the definition, as asked; and ECS's own."""
    service = record.service
    source = {"SERVICE": record.arn, "TASK_DEFINITION": definition.task_definition_arn}.get(
        service.propagate_tags or "NONE"
    )
    found = view.get(TAGS, source) if source else None
    managed = {
        "aws:ecs:clusterName": last_part(str(service.cluster_arn)),
        "aws:ecs:serviceName": str(service.service_name),
    }
    own = [Tag(key=key, value=value) for key, value in managed.items()] if service.enable_ecs_managed_tags else []
    return own + (found.tags if found else [])


def _told(record: ServiceRecord, verb: str, what: str, tasks: Mapping[str, str | None]) -> list[Message]:
    """How many tasks have started or stopped: of the service, or of each of its task sets.

    `tasks`: ARN to what started it.
    """
    messages = []
    for task_set in dict.fromkeys(tasks.values()) if record.is_external else [None]:
        arns = [arn for arn, starter in tasks.items() if task_set in (None, starter)]
        named = " ".join(f"(task {last_part(arn)})" for arn in arns)
        if arns:
            messages.append(Message(f"has {verb} {len(arns)} {what}: {named}.", task_set))
    return messages


def with_event(
    tx: Transaction, record: ServiceRecord, message: Message, now: datetime, chance: Chance
) -> ServiceRecord:
    """The service with one more event; it is in the journal too."""
    service = record.service
    text = f"({message.subject(service.service_name)}) {message.text}"
    add_event(tx, now, str(service.cluster_arn), record.arn, "ServiceEvent", text)
    digits = chance.new_id()
    event = ServiceEvent(
        id=f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}", created_at=now, message=text
    )
    return evolve(record, events=[event, *record.events][:MOST_EVENTS])


def _planned(record: ServiceRecord, step: ServiceStep) -> list[str]:
    name = record.service.service_name
    service, starter = f"service {name}", "task set" if record.is_external else "deployment"
    return [
        *(
            f"{service}: start a task of {last_part(launch.starter.task_definition_arn)} "
            f"on {last_part(launch.host.arn)} for {starter} {launch.starter.id}{_instead(launch.victims)}"
            for launch in step.launches
        ),
        *(f"{service}: stop task {last_part(stop.task.arn)}: {stop.reason}" for stop in step.stops),
        *(f"{message.subject(name)} {message.text}" for message in step.messages),
    ]


def _instead(victims: Iterable[Occupant]) -> str:
    names = ", ".join(f"task {last_part(victim.arn)}" for victim in victims)
    return f" in place of {names}" if names else ""


def needs_more(record: ServiceRecord | None) -> bool:
    """Whether there is something to wait for: a service on its way to what was asked, which nobody holds."""
    if record is None or record.service.status == "INACTIVE" or record.steady:
        return False
    return record.is_external or (record.primary.rollout_state != "FAILED" and not awaited(record.primary))


def unfinished_of(view: View, arns: Iterable[str]) -> list[TaskRecord]:
    """The tasks of these services that are not STOPPED."""
    return [task for arn in arns for task in view.find(TASKS, service=arn, tallied=0) if not task.is_stopped]
