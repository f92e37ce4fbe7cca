"""Why things are where they are, and where they would go: `run-task --dry-run` and `explain`. Nothing is started."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from ecsctl.controller.hosts import hosts_of
from ecsctl.controller.room import occupancy_of
from ecsctl.controller.wishes import asked_by, asked_of
from ecsctl.model.api.task_definitions import RegisterTaskDefinitionRequest
from ecsctl.model.api.tasks import RunTaskRequest
from ecsctl.model.arn import last_part
from ecsctl.model.cluster import CapacityProviderStrategyItem, Cluster
from ecsctl.model.errors import InputError
from ecsctl.model.explanation import Explanation, Happening, HostVerdict, PlacementPlan, PlacementScore, PlannedTask
from ecsctl.model.image import replaced
from ecsctl.model.near import near
from ecsctl.model.record import evolve
from ecsctl.model.stored import DeploymentRecord, ServiceRecord, Starter, TaskRecord
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.operations.context import Context
from ecsctl.operations.hosts import ensure_default_instance
from ecsctl.operations.journal import journal
from ecsctl.operations.lookup import find_cluster, find_service, find_task
from ecsctl.operations.task_definitions import as_registered
from ecsctl.operations.task_rules import check_placement, check_task
from ecsctl.operations.tasks import check_count, failures_of, hosts_with, place_tasks, probe, refresh, wish_in
from ecsctl.placement.explain import Verdict, explain
from ecsctl.placement.fleet import Fleet, Requirements
from ecsctl.placement.place import Placement, place
from ecsctl.placement.providers import shares
from ecsctl.scheduler.outcome import outcome_of
from ecsctl.scheduler.rollout import FREE_STARTS, limits
from ecsctl.scheduler.service_work import asked_of_service
from ecsctl.store.store import View
from ecsctl.store.tables import INSTANCES, SERVICES, TASK_DEFINITIONS, TASKS

EVENTS = 8
"""How many of its last events a service is explained with."""


def plan_tasks(
    ctx: Context, request: RunTaskRequest, new: RegisterTaskDefinitionRequest | None = None
) -> PlacementPlan:
    """Where RunTask would put the copies now. No task is made, and the client token is not used up.

    `new`: a task definition that would be registered for it. Refuses what RunTask refuses.
    """
    count = check_count(request)
    check_task(request)
    check_placement(request)
    with ctx.store.read() as view:
        definition = as_registered(view, ctx, new) if new else None
        wish_in(view, ctx, find_cluster(view, ctx, request.cluster), request, definition)
    ensure_default_instance(ctx, request.cluster)
    held = probe(ctx, request, count, definition).held
    with ctx.store.read() as view:
        cluster = find_cluster(view, ctx, request.cluster)
        wish = wish_in(view, ctx, cluster, request, definition)
        placements = place_tasks(view, ctx, cluster, wish, request, count, held)
        fleet = Fleet(hosts_with(view, cluster, held))
        plan = _plan(ctx, wish.definition, fleet, asked_of(wish), placements, count)
        return evolve(plan, image_map=_images(ctx, wish.definition) or None)


def _images(ctx: Context, definition: TaskDefinition) -> dict[str, str]:
    """What takes the place of which images of a task definition."""
    tables = (ctx.image_map, ctx.controller.images.image_map)
    images = [str(container.image) for container in definition.container_definitions or []]
    return {image: other for image in images if (other := replaced(image, tables)) != image}


def explain_resource(ctx: Context, name: str, cluster: str | None = None) -> Explanation:
    """Why a task or a service (by id, name or ARN) is as it is, and where one more task of it would go.

    Raises InputError where there is none of that name, or a task and a service.
    """
    with ctx.store.read() as view:
        found = find_cluster(view, ctx, cluster)
        task, service = find_task(view, found, name), find_service(view, found, name)
        if task and service:
            raise InputError(f"{name!r} is a service, and the beginning of a task's id: give more of it, or an ARN")
        unknown = _unknown(view, found, name)
        watched = [task] if task else view.unfinished(cluster=found.cluster_arn, service=service.arn if service else "")
    refresh(ctx, [record.arn for record in watched if not record.is_stopped])
    with ctx.store.read() as view:
        if task:
            return _of_task(view, ctx, found, view.get(TASKS, task.arn) or task)
        if service:
            return _of_service(view, ctx, found, view.get(SERVICES, service.arn) or service)
    raise InputError(unknown)


def _unknown(view: View, cluster: Cluster, name: str) -> str:
    names = [str(s.service.service_name) for s in view.find(SERVICES, cluster=cluster.cluster_arn)]
    meant = near(name, names)
    hint = f"; did you mean {meant[0]}?" if meant else ": see `ecsctl ps` and `ecsctl list-services`"
    return f"there is no task and no service {name!r} in the cluster {cluster.cluster_name}{hint}"


# Plans


def _plan(
    ctx: Context,
    definition: TaskDefinition,
    fleet: Fleet,
    asked: Requirements,
    placements: Sequence[Placement],
    count: int,
) -> PlacementPlan:
    """`fleet` is as it is before the first of them."""
    first = placements[0].provider if placements else None
    return PlacementPlan(
        task_definition=f"{definition.family}:{definition.revision}",
        group=asked.group,
        count=count,
        tasks=[
            PlannedTask(
                container_instance_arn=placement.host.arn,
                name=placement.host.name,
                availability_zone=placement.host.zone,
                capacity_provider=placement.provider,
                instead_of=[victim.arn for victim in placement.victims] or None,
            )
            for placement in placements
            if placement.host
        ],
        failures=[failure for placement in placements for failure in failures_of(ctx, placement)],
        hosts=[_verdict(verdict) for verdict in explain(fleet, evolve(asked, provider=first), count)],
    )


def _verdict(verdict: Verdict) -> HostVerdict:
    host, rejection = verdict.host, verdict.rejection
    return HostVerdict(
        container_instance_arn=host.arn,
        name=host.name,
        availability_zone=host.zone,
        fits=rejection is None,
        rank=verdict.rank,
        scores=[PlacementScore(strategy=score.strategy, text=score.text) for score in verdict.scores],
        reason=rejection.reason if rejection else None,
        detail=rejection.detail if rejection else None,
        advice=verdict.advice or None,
    )


def _next(
    view: View,
    ctx: Context,
    cluster: Cluster,
    definition: TaskDefinition | None,
    asked: Requirements | None,
    strategy: Sequence[CapacityProviderStrategyItem] = (),
) -> PlacementPlan | None:
    """Where one more task would go."""
    if definition is None or asked is None:
        return None
    arn = str(cluster.cluster_arn)
    hosts = hosts_of(view, arn)
    placements = place(Fleet(hosts), asked, 1, ctx.draw, strategy, occupancy_of(view, arn, ctx.now()))
    return _plan(ctx, definition, Fleet(hosts), asked, placements, 1)


# Tasks


def _of_task(view: View, ctx: Context, cluster: Cluster, record: TaskRecord) -> Explanation:
    task = record.task
    definition = view.get(TASK_DEFINITIONS, str(task.task_definition_arn))
    instance = view.get(INSTANCES, str(task.container_instance_arn))
    where = f"{instance.name} ({task.availability_zone})" if instance else "a host that is gone"
    what = f"{task.group}, {definition.family}:{definition.revision}" if definition else str(task.group)
    summary = f"task {last_part(record.arn)} ({what}) is {task.last_status} on {where}"
    if record.is_stopped and definition:
        problem = outcome_of(task, definition.container_definitions or []).problem
        summary = f"{summary}: {problem}" if problem else f"{summary}: it succeeded"
    elif not record.is_wanted:
        summary += f", and is to stop: {task.stopped_reason or task.stop_code}"
    service = view.get(SERVICES, record.service) if record.service else None
    asked = None
    if definition and service:
        asked = asked_of_service(service.service, definition)
    elif definition:
        is_fargate = task.launch_type == "FARGATE"
        asked = asked_by(definition, task.overrides, str(task.group), record.rules, record.rank, is_fargate=is_fargate)
    name = task.capacity_provider_name
    provider = [CapacityProviderStrategyItem(name)] if name else []
    (entries,) = journal(ctx, str(cluster.cluster_arn), task=record.arn)
    return Explanation(
        resource_arn=record.arn,
        summary=summary,
        facts=[
            *_task_facts(record, ctx.now()),
            *_placed(asked),
            *_host_facts(instance is not None and instance.instance.status, where),
        ],
        happened=[Happening(entry.at, f"{entry.kind}: {entry.message}".removesuffix(": ")) for entry in entries],
        next=_next(view, ctx, cluster, definition, asked, provider),
    )


def _task_facts(record: TaskRecord, now: datetime) -> Iterator[str]:
    task = record.task
    yield f"it takes {record.cpu} CPU units and {record.memory} MiB there"
    if task.started_by:
        yield f"started by {task.started_by}"
    if task.capacity_provider_name:
        yield f"of the capacity provider {task.capacity_provider_name}"
    if record.is_protected(now):
        yield f"protected from scale-in until {record.protected_until:%Y-%m-%dT%H:%M:%SZ}"
    for container in task.containers or []:
        code = "" if container.exit_code is None else f" with exit code {container.exit_code}"
        why = f": {container.reason}" if container.reason else ""
        health = "" if container.health_status in (None, "UNKNOWN") else f", {container.health_status}"
        yield f"container {container.name} is {container.last_status}{health}{code}{why}"


def _placed(asked: Requirements | None) -> Iterator[str]:
    """By what a task was placed, as far as anything was asked."""
    if asked is None:
        return
    if asked.availability is not None:
        yield f"placed by priority: cost {1 - asked.availability:g}, availability {asked.availability:g}"
    elif asked.strategies:
        yield "placed by " + ", then ".join(f"{one.type} {one.field or ''}".rstrip() for one in asked.strategies)
    for query in asked.queries:
        yield f"only where {query}"
    if asked.is_distinct:
        yield "only where there is no other task of the group (distinctInstance)"


def _host_facts(status: str | bool | None, where: str) -> Iterator[str]:
    if status == "DRAINING":
        yield f"{where} is DRAINING: tasks of services leave it, others end by themselves"


# Services


def _of_service(view: View, ctx: Context, cluster: Cluster, record: ServiceRecord) -> Explanation:
    service = record.service
    tasks = [task for task in view.find(TASKS, service=record.arn, tallied=0) if not task.is_stopped]
    running, pending = sum(t.is_running for t in tasks), sum(t.is_pending for t in tasks)
    state = "is steady" if record.steady else f"is {service.status}"
    counts = f"{service.desired_count} desired, {running} running, {pending} pending"
    primary = None if record.is_external else record.primary
    definition = view.get(TASK_DEFINITIONS, primary.task_definition_arn) if primary else None
    asked = asked_of_service(service, definition) if definition else None
    if asked and service.scheduling_strategy == "DAEMON":
        asked = evolve(asked, is_distinct=True)  # one on each
    events = [Happening(event.created_at or ctx.now(), str(event.message)) for event in record.events[:EVENTS]]
    strategy: Sequence[CapacityProviderStrategyItem] = ()
    if service.capacity_provider_strategy:
        there: dict[str | None, int] = {}
        for task in tasks:
            there[task.task.capacity_provider_name] = there.get(task.task.capacity_provider_name, 0) + 1
        following = next(iter(shares(service.capacity_provider_strategy, there, 1)))
        strategy = [CapacityProviderStrategyItem(str(following))]
    return Explanation(
        resource_arn=record.arn,
        summary=f"service {service.service_name} {state}: {counts}",
        facts=list(_service_facts(record, tasks, ctx.now())),
        happened=events[::-1],
        next=_next(view, ctx, cluster, definition, asked, strategy),
    )


def _service_facts(record: ServiceRecord, tasks: Sequence[TaskRecord], now: datetime) -> Iterator[str]:
    service = record.service
    kind = "task set" if record.is_external else "deployment"
    for starter in record.starters:
        mine = [task for task in tasks if task.task.started_by == starter.id]
        is_primary = isinstance(starter, DeploymentRecord) and starter.status == "PRIMARY"
        wanted = max(len(mine), service.desired_count or 0 if is_primary else 0)
        state = f", {starter.rollout_state}" if isinstance(starter, DeploymentRecord) else ""
        yield (
            f"{kind} {starter.id} of {last_part(starter.task_definition_arn)}{state}: "
            f"{sum(task.is_running for task in mine)} of {wanted} tasks run, {starter.failures} failed in a row"
        )
        yield from _starter_facts(starter, now)
    scheduling = service.scheduling_strategy or "REPLICA"
    lower, upper = limits(service.desired_count or 0, service.deployment_configuration, scheduling)
    if scheduling == "DAEMON":
        yield "one task on each ACTIVE container instance that can take it"
    else:
        yield f"during a deployment at least {lower} tasks stay healthy, and at most {upper} are there"
    if protected := sum(task.is_protected(now) for task in tasks):
        yield f"{protected} of its tasks are protected from scale-in"


def _starter_facts(starter: Starter, now: datetime) -> Iterator[str]:
    if starter.obstacle:
        yield f"in its way: {starter.obstacle}"
    if starter.next_attempt_at and starter.next_attempt_at > now:
        many = f" after {starter.start_failures} failed starts" if starter.start_failures >= FREE_STARTS else ""
        yield f"the next task is started at {starter.next_attempt_at:%Y-%m-%dT%H:%M:%SZ}{many}"
