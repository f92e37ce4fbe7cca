"""Writing down what was found on hosts: all of it in one transaction, or none."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import chain

from ecsctl.controller.hosts import host_of
from ecsctl.controller.images import agree
from ecsctl.controller.new_tasks import Wish, put_task
from ecsctl.model import identity
from ecsctl.model.account_records import CapacityProviderRecord
from ecsctl.model.api.clusters import CreateClusterRequest
from ecsctl.model.arn import Scope, last_part, parse_arn
from ecsctl.model.cluster import FARGATE_PROVIDERS
from ecsctl.model.container_definition import ContainerDefinition
from ecsctl.model.record import Record, evolve
from ecsctl.model.stored import InstanceRecord, TaskRecord
from ecsctl.model.task import TaskStopCode
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.operations.clusters import put_cluster
from ecsctl.operations.context import Context
from ecsctl.operations.families import note_given
from ecsctl.operations.hosts import HostOptions, first_instance_flag, instance_record
from ecsctl.operations.recover.found import FoundTask, filled, tasks_of, time_of
from ecsctl.operations.recover.services import HELD, adopt_services
from ecsctl.operations.recover.survey import Survey
from ecsctl.placement.demand import demand_of
from ecsctl.scheduler.container_spec import digest_of
from ecsctl.scheduler.decide import decide, request_stop
from ecsctl.scheduler.firelens import uses_router
from ecsctl.scheduler.images import resolved
from ecsctl.scheduler.labels import bare
from ecsctl.scheduler.observe import fold_seen
from ecsctl.store.account_tables import CAPACITY_PROVIDERS
from ecsctl.store.store import Transaction, Use, add_event
from ecsctl.store.tables import CLUSTERS, INSTANCES, PORTS, TASK_DEFINITIONS, TASKS, scope_of

AHEAD = 10**6
"""How far the sequence of a rebuilt state is ahead of all that is on labels: no number is given twice."""


class Recovered(Record):
    """What was, or in a dry run would be, written down. `lines`: each thing; `notes`: what could not be told."""

    lines: list[str]
    notes: list[str]
    tasks: int
    services: int
    held: int


class _DryRun(Exception):
    pass


def adopt(ctx: Context, found: Survey, install: str, *, trust: bool, dry_run: bool = False) -> Recovered:
    """Write down the tasks of an install that the state does not know, and what belongs to them.

    What it knows stays as it is. With `trust` labels count that nobody signed.
    """
    result = Recovered([], [], 0, 0, 0)
    with suppress(_DryRun), ctx.store.write() as tx:
        _Adoption(tx, ctx, result).tasks(found, install, trust=trust)
        if dry_run:
            raise _DryRun  # which undoes it
    return result


def confirm(ctx: Context) -> int:
    """Somebody has looked at what was recovered: scale-in and deployments may stop its tasks again. How many tasks."""
    with ctx.store.write() as tx:
        held = [task for task in tx.unfinished() if task.protected_until == HELD]
        for task in held:
            tx.put(TASKS, evolve(task, protected_until=None, seq=tx.seq))
    return len(held)


class _Adoption:
    """One in the making."""

    def __init__(self, tx: Transaction, ctx: Context, result: Recovered) -> None:
        self._tx = tx
        self._ctx = ctx
        self._now = ctx.now()
        self.result = result

    def tasks(self, found: Survey, install: str, *, trust: bool) -> None:
        new: list[FoundTask] = []
        for host in found.hosts:
            unsigned = [one for one in host.unsigned if one.seen.labels[identity.INSTALL] == install]
            signed = [one for one in host.signed if one.seen.labels[identity.INSTALL] == install]
            for other in unsigned if not trust else []:
                self._note(f"container {other.seen.name} carries our labels but not our signature: left alone")
            tasks, unread = tasks_of(host, [*signed, *unsigned] if trust else signed)
            for one in unread:
                self._note(f"container {one.name} is left alone: {one.why}")
            if not tasks and not self._tx.count(INSTANCES, engine_id=host.info.id):
                self._note(
                    f"host {host.info.name} at {host.address} has no container of this state; if it was one of its "
                    "container instances, register it again"
                )
            new += [task for task in tasks if self._tx.get(TASKS, task.arn) is None]
        new = self._in_place(new)
        if not new:
            return
        self._raise_sequence(new)
        new = self._without_twins(new)
        for arn in sorted({task.cluster for task in new}):
            self._cluster(arn)
        self._providers(new)
        self._instances(new)
        new = self._definitions(new)
        new, services = adopt_services(self._tx, self._ctx, new, self._note)
        for line in services:
            self.result.lines.append(line)
        self.result.services = len(services)
        for task in sorted(new, key=lambda task: not task.is_over):  # whose ports others may have got since
            self._task(task)

    def _note(self, text: str) -> None:
        self.result.notes.append(text)

    def _raise_sequence(self, new: Sequence[FoundTask]) -> None:
        newest = max(task.seq for task in new)
        if newest > self._tx.sequence or not self._tx.count(TASKS):
            self._tx.set_meta("seq", str(newest + AHEAD))

    def _in_place(self, new: Sequence[FoundTask]) -> list[FoundTask]:
        """Without the tasks of container instances that the state knows to be other hosts than these tasks are on."""
        found = []
        for task in new:
            known = self._tx.get(INSTANCES, task.instance)
            if known is None or known.is_on(task.host.info.id, task.host.address):
                found.append(task)
            else:
                name, here = last_part(task.arn), task.host.info.name
                self._note(f"task {name} on host {here} is left alone: it was made for {known.name}")
        return found

    def _without_twins(self, new: Sequence[FoundTask]) -> list[FoundTask]:
        """Without the tasks of container instances that are on two hosts at once: one of these was cloned."""
        places: dict[str, set[str]] = {}
        for task in new:
            places.setdefault(task.instance, set()).add(task.host.info.id)
        twins = {arn for arn, engines in places.items() if len(engines) > 1}
        for arn in sorted(twins):
            self._note(f"containers of {arn} are on several hosts, left alone: name the right one with --host")
        return [task for task in new if task.instance not in twins]

    def _of(self, arn: str) -> Context:
        """The surroundings, for resources of the region and account of an ARN."""
        parsed = parse_arn(arn)
        return evolve(self._ctx, scope=Scope(parsed.region, parsed.account))

    def _cluster(self, arn: str) -> None:
        known = self._tx.get(CLUSTERS, arn)
        if known is None:
            put_cluster(self._tx, self._of(arn), last_part(arn), CreateClusterRequest())
            self.result.lines.append(f"cluster {last_part(arn)}")
        elif known.status != "ACTIVE":
            self._tx.put(CLUSTERS, evolve(known, status="ACTIVE"))

    def _providers(self, new: Sequence[FoundTask]) -> None:
        for cluster in sorted({task.cluster for task in new}):
            here = [task for task in new if task.cluster == cluster]
            strategies = chain.from_iterable(
                (task.about.service and task.about.service.capacity_provider_strategy) or () for task in here
            )
            names = {item.capacity_provider for item in strategies}
            names |= {task.about.provider for task in here if task.about.provider}
            record = self._tx.get(CLUSTERS, cluster)
            for name in sorted(names - set(FARGATE_PROVIDERS)):
                arn = self._of(cluster).scope.capacity_provider(name)
                if self._tx.get(CAPACITY_PROVIDERS, arn) is None:
                    self._tx.put(CAPACITY_PROVIDERS, CapacityProviderRecord(arn=arn, name=name))
                    self.result.lines.append(f"capacity provider {name}")
            if record is not None and names - set(record.capacity_providers or []):
                providers = [*(record.capacity_providers or []), *sorted(names - set(record.capacity_providers or []))]
                self._tx.put(CLUSTERS, evolve(record, capacity_providers=providers))

    def _instances(self, new: Sequence[FoundTask]) -> None:
        """The container instances that the tasks are on. Of several on one engine the newest is in use."""
        for task in reversed(new):
            if self._tx.get(INSTANCES, task.instance) is not None:
                continue
            host = task.host
            here = [other for other in new if other.instance == task.instance]
            provided = (other.about.provider for other in here)
            provider = next((name for name in provided if name not in (None, *FARGATE_PROVIDERS)), None)
            gpus = {gpu for other in here for ids in other.about.gpus.values() for gpu in ids}
            options = HostOptions(
                host.address, availability_zone=task.about.zone, provider=provider, gpus=tuple(sorted(gpus))
            )
            record = instance_record(self._ctx, task.cluster, last_part(task.instance), options, host.info, [])
            if self._tx.count(INSTANCES, engine_id=host.info.id, status=("ACTIVE", "DRAINING")):
                record = evolve(record, instance=evolve(record.instance, status="INACTIVE"))
            self._tx.put(INSTANCES, evolve(record, seq=self._tx.seq))
            self._tx.set_meta(first_instance_flag(task.cluster), "known")
            self.result.lines.append(f"host {record.name} at {host.address}, {task.about.zone or 'zone not told'}")

    def _definitions(self, new: Sequence[FoundTask]) -> list[FoundTask]:
        """The task definitions; the tasks without those of which the state knows another one of the same name."""
        groups: dict[str, list[FoundTask]] = {}
        for task in new:
            groups.setdefault(str(task.definition.task_definition_arn), []).append(task)
        for arn, tasks in sorted(groups.items()):
            known = self._tx.get(TASK_DEFINITIONS, arn)
            if known is None:
                definition = filled(tasks)
                self._tx.put(TASK_DEFINITIONS, evolve(definition, status=definition.status or "ACTIVE"))
                self._family(definition)
                self.result.lines.append(f"task definition {last_part(arn)}{_doubt(definition)}")
            elif _said(bare(known)) != _said(tasks[-1].definition):
                self._note(f"{len(tasks)} tasks of {last_part(arn)} are left alone: the state has another of that name")
                groups[arn] = []
        return [task for task in new if task in groups[str(task.definition.task_definition_arn)]]

    def _family(self, definition: TaskDefinition) -> None:
        scope = scope_of(definition.task_definition_arn)
        note_given(self._tx, scope, str(definition.family), definition.revision or 0)

    def _task(self, task: FoundTask) -> None:
        definition = self._tx.get(TASK_DEFINITIONS, str(task.definition.task_definition_arn))
        instance = self._tx.get(INSTANCES, task.instance)
        if definition is None or instance is None:  # both were written just now
            raise AssertionError(task.arn)
        record = self._as_seen(task, definition, self._put(task, definition, instance))
        name = f"{definition.family}:{definition.revision}"
        if not task.is_told:
            self._note(f"the labels of task {last_part(task.arn)} ({name}) do not tell its group, overrides or service")
        for container, one in task.containers.items():
            digest = one.seen.labels.get(identity.SPEC)
            if task.is_told and digest != digest_of(record, definition, container) and not task.is_over:
                self._note(
                    f"container {container} of task {last_part(task.arn)} was not made from {name} as it was rebuilt: "
                    "see describe-task-definition"
                )
        self._tx.put(TASKS, evolve(record, seq=self._tx.seq))
        if record.is_stopped:
            self._tx.delete(PORTS, task=record.arn)
        add_event(self._tx, self._now, task.cluster, task.arn, "TaskRecovered", "from the labels of its containers")
        self.result.tasks += 1
        self.result.held += record.protected_until == HELD
        state = record.task.last_status if not record.is_stopped else "STOPPED, over when the state was lost"
        group = f" of {record.task.group}" if record.service else ""
        self.result.lines.append(f"task {last_part(task.arn)} ({name}){group} on {instance.name}: {state}")

    def _put(self, task: FoundTask, definition: TaskDefinition, instance: InstanceRecord) -> TaskRecord:
        about = task.about
        wish = Wish(
            definition,
            about.overrides,
            about.group or f"family:{definition.family}",
            about.launch_type,
            about.started_by,
            [],
            str(about.service.service_arn) if about.service else None,
            provider=about.provider,
            network=about.network,
            rank=about.rank,
            executable=about.executable,
            rules=about.rules,
            volume=about.volume,
            image_map=about.image_map,
        )
        ids = iter(
            [last_part(task.arn), *(about.containers.get(str(c.name)) or self._ctx.new_id() for c in _own(definition))]
        )
        demand = demand_of(definition, about.overrides)
        host = host_of(self._tx, instance, Use(), {}, set())
        created = about.created_at or self._now
        record = put_task(
            self._tx, task.cluster, wish, demand, host, created, lambda: next(ids), port_rows=about.port_rows
        )
        record.endpoint, record.discovery = about.endpoint, about.discovery
        for container in record.task.containers or []:
            container.gpu_ids = about.gpus.get(str(container.name))
        return record

    def _as_seen(self, task: FoundTask, definition: TaskDefinition, record: TaskRecord) -> TaskRecord:
        """The record with what the engine says of its containers."""
        for state in record.containers:
            one = task.containers.get(state.name)
            if one is not None:
                state.started_at, state.exited_at = time_of(one.seen.started_at), time_of(one.seen.finished_at)
                if state.name != identity.PAUSE:
                    state.image, state.pulled = one.settings.image, True
        if task.is_over:
            ran = any(one.seen.has_ended for one in task.containers.values())
            code: TaskStopCode = "EssentialContainerExited" if ran else "TaskFailedToStart"
            why = "Essential container in task exited" if ran else "It had not begun to run when the state was lost"
            record = request_stop(record, code, why, self._now)
        record = fold_seen(record, {name: one.seen for name, one in task.containers.items()}, self._now, asked=())
        for state in record.containers:
            one = task.containers.get(state.name)
            if one is not None:
                state.created_at = time_of(one.settings.created_at)
                if state.name != identity.PAUSE and state.stage != "fenced":
                    state.image_digest = resolved(state, one.image)
        agree(self._tx, record, definition)  # or the next task of its service may find another image
        step = decide(record, definition, self._now)
        if not step.actions:
            record = step.record
        if record.task.started_at is not None:
            began = [state.started_at for state in record.own_containers if state.started_at]
            record.task.started_at = max(began, default=record.task.started_at)
        if record.is_stopped or task.is_over:
            return evolve(record, tallied=True)
        if record.service is None:
            return record
        is_well = record.is_running and record.task.health_status != "UNHEALTHY"
        return evolve(record, settled=is_well, protected_until=HELD)


def _own(definition: TaskDefinition) -> list[ContainerDefinition]:
    return definition.container_definitions or []


def _said(definition: TaskDefinition) -> TaskDefinition:
    """What a revision says, without what became of it since."""
    return evolve(
        definition, status=None, deregistered_at=None, delete_requested_at=None, registered_at=None, registered_by=None
    )


def _doubt(definition: TaskDefinition) -> str:
    """Of which values of the environment, and of which log options, nothing tells."""
    lost = [
        f"{container.name}.{pair.name}"
        for container in _own(definition)
        for pair in container.environment or []
        if pair.value is None
    ]
    said = f", without the values of {', '.join(lost)}" if lost else ""
    routed = [str(container.name) for container in _own(definition) if uses_router(container)]
    return said + (f", without the log options of {', '.join(routed)}" if routed else "")
