"""The task actions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from ecsctl.controller.hosts import hosts_of
from ecsctl.controller.limits import Limits
from ecsctl.controller.new_tasks import Wish, put_task
from ecsctl.controller.passes import Pass
from ecsctl.controller.room import occupancy_of
from ecsctl.controller.wishes import asked_of, wish
from ecsctl.model.api.tasks import (
    DescribeTasksRequest,
    DescribeTasksResponse,
    ListTasksRequest,
    ListTasksResponse,
    RunTaskRequest,
    RunTaskResponse,
    StartTaskRequest,
    StartTaskResponse,
    StopTaskRequest,
    StopTaskResponse,
)
from ecsctl.model.arn import last_part
from ecsctl.model.cluster import Cluster
from ecsctl.model.common import Failure
from ecsctl.model.errors import ApiError, EngineUnreachable, invalid_parameter
from ecsctl.model.record import evolve
from ecsctl.model.stored import TaskRecord
from ecsctl.model.task import Task
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.operations.context import Context
from ecsctl.operations.hosts import ensure_default_instance
from ecsctl.operations.idempotency import answered_before, remember
from ecsctl.operations.lookup import (
    find_cluster,
    find_instance,
    find_service,
    find_task,
    tags_of,
    the_task,
)
from ecsctl.operations.pages import Number, Text, keys_page, window
from ecsctl.operations.task_rules import check_placement, check_task
from ecsctl.placement.demand import demand_of
from ecsctl.placement.fleet import OTHER_PROVIDER, Fleet, Rejection
from ecsctl.placement.host import Host
from ecsctl.placement.place import Placement, place
from ecsctl.placement.port_ranges import Port
from ecsctl.placement.preemption import Occupant
from ecsctl.scheduler.decide import request_stop
from ecsctl.store.store import Transaction, View, add_event
from ecsctl.store.tables import INSTANCES, TASKS, UNFINISHED

_TOKEN_OF_STOPPED = timedelta(hours=1)
"""How long a client token lives on after its tasks (ECS developer guide, "Ensuring idempotency")."""
Held = dict[str, frozenset[Port]]
"""By the ARN of a host, the ports that containers hold there."""
AT_ONCE = Limits(pull=False, wait=False)
"""What a command does itself before it answers: all but fetching images and waiting for dependencies."""


def run_task(
    ctx: Context, request: RunTaskRequest, *, stay: bool = False, all_or_nothing: bool = False
) -> RunTaskResponse:
    """Place and start copies of a task (ECS API_RunTask): as many as there is room for, or `all_or_nothing`.

    Answers when they are recorded and on their way; the rest is left to the background, or with `stay` to the
    caller, who will bring them further.
    """
    count = check_count(request)
    check_task(request)
    check_placement(request)
    with ctx.store.read() as view:
        wish_in(view, ctx, find_cluster(view, ctx, request.cluster), request)  # what is wrong is said before all else
    ensure_default_instance(ctx, request.cluster)
    probed = probe(ctx, request, count)
    with ctx.store.write() as tx:
        is_as_probed = tx.version == probed.version
        cluster = find_cluster(tx, ctx, request.cluster)

        def lasts(arn: str) -> bool:
            return _is_answer(tx.get(TASKS, arn), ctx.now())

        if again := answered_before(tx, ctx.now(), cluster, "RunTask", request, lasts=lasts):
            return RunTaskResponse(tasks=[r.task for arn in again if (r := tx.get(TASKS, arn))], failures=[])
        asked = wish_in(tx, ctx, cluster, request)
        placements = (
            probed.placements if is_as_probed else place_tasks(tx, ctx, cluster, asked, request, count, probed.held)
        )
        chosen = [placement for placement in placements if placement.host]
        if all_or_nothing and len(chosen) < count:
            chosen = []
        records = [_put(tx, ctx, cluster, asked.of(one.provider), one.host, one.victims) for one in chosen if one.host]
        going = [victim.arn for placement in chosen for victim in placement.victims]
        failures = [failure for placement in placements for failure in failures_of(ctx, placement)]
        if not records and probed.silent and all(failure.reason == "AGENT" for failure in failures):
            raise EngineUnreachable("; ".join(sorted(set(probed.silent.values()))))
        if records or not all_or_nothing:  # what did not come about can be asked for again
            remember(tx, ctx.now(), cluster, "RunTask", request, [record.arn for record in records])
    tasks = _go(ctx, [record.arn for record in records], stay=stay, going=going)
    return RunTaskResponse(tasks=tasks, failures=failures)


def _is_answer(record: TaskRecord | None, now: datetime) -> bool:
    """Whether it is what a client token still stands for."""
    if record is None:
        return False
    return record.task.stopped_at is None or now < record.task.stopped_at + _TOKEN_OF_STOPPED


def check_count(request: RunTaskRequest) -> int:
    """How many copies are asked for; InvalidParameterException."""
    count = 1 if request.count is None else request.count
    if not 1 <= count <= 10:
        raise invalid_parameter("count: between 1 and 10 tasks can be run in one call.")
    return count


def start_task(ctx: Context, request: StartTaskRequest, *, stay: bool = False) -> StartTaskResponse:
    """Start a task on each of the named container instances (ECS API_StartTask)."""
    if not 1 <= len(request.container_instances) <= 10:
        raise invalid_parameter("containerInstances: between 1 and 10 can be named.")
    check_task(request)
    ensure_default_instance(ctx, request.cluster)
    failures: list[Failure] = []
    records: list[TaskRecord] = []
    with ctx.store.read() as view:
        cluster = find_cluster(view, ctx, request.cluster)
        known = [find_instance(view, cluster, name) for name in request.container_instances]
    ctx.controller.probe([record for record in known if record])
    with ctx.store.write() as tx:
        asked = wish_in(tx, ctx, cluster, request)
        for name in request.container_instances:
            found = find_instance(tx, cluster, name)
            if found is None:
                failures.append(Failure(arn=name, reason="MISSING"))
                continue
            host = next((h for h in hosts_of(tx, str(cluster.cluster_arn)) if h.arn == found.arn), None)
            if host is None:
                failures.append(Failure(arn=found.arn, reason="INACTIVE"))
            # A DRAINING host takes what StartTask puts there, as in ECS: the caller chose it.
            elif rejection := Fleet([evolve(host, active=True)]).rejection(0, asked_of(asked)):
                failures.append(_failure(rejection))
            else:
                records.append(_put(tx, ctx, cluster, asked, host))
    return StartTaskResponse(tasks=_go(ctx, [r.arn for r in records], stay=stay), failures=failures)


def stop_task(ctx: Context, request: StopTaskRequest) -> StopTaskResponse:
    """Stop a task: SIGTERM now, SIGKILL after its stopTimeout (ECS API_StopTask). Answers without waiting for that."""
    with ctx.store.write() as tx:
        cluster = find_cluster(tx, ctx, request.cluster)
        record = the_task(tx, cluster, request.task)
        if record.task.desired_status != "STOPPED":
            reason = request.reason or "Task stopped by user"
            record = request_stop(record, "UserInitiated", reason, ctx.now())
            tx.put(TASKS, evolve(record, seq=tx.seq))
            add_event(tx, ctx.now(), str(cluster.cluster_arn), record.arn, "TaskToStop", f"UserInitiated: {reason}")
    if not record.is_stopped:
        ctx.finish([record.arn], AT_ONCE)
    return StopTaskResponse(task=shapes(ctx, [record.arn])[0])


def describe_tasks(ctx: Context, request: DescribeTasksRequest) -> DescribeTasksResponse:
    """Tasks as they are now (ECS API_DescribeTasks)."""
    if not request.tasks:
        raise invalid_parameter("Tasks cannot be empty.")
    if len(request.tasks) > 100:
        raise invalid_parameter("Tasks can not have more than 100 elements.")
    failures: list[Failure] = []
    arns: list[str] = []
    with ctx.store.read() as view:
        cluster = find_cluster(view, ctx, request.cluster)
        for name in request.tasks:
            record = find_task(view, cluster, name)
            if record is None:
                arn = (
                    name if name.startswith("arn:") else f"{cluster.cluster_arn}/{name}".replace(":cluster/", ":task/")
                )
                failures.append(Failure(arn=arn, reason="MISSING"))
            else:
                arns.append(record.arn)
    if not ctx.is_fresh():
        refresh(ctx, arns)
    include = "TAGS" in (request.include or [])
    return DescribeTasksResponse(tasks=shapes(ctx, arns, tags=include), failures=failures)


def list_tasks(ctx: Context, request: ListTasksRequest) -> ListTasksResponse:
    """The ARNs of a cluster's tasks; those that are to run unless STOPPED is asked for (ECS API_ListTasks)."""
    part = window(request.next_token, request.max_results, kind=tuple[Text, Number])
    with ctx.store.read() as view:
        cluster = find_cluster(view, ctx, request.cluster)
    if not ctx.is_fresh():
        with ctx.store.read() as view:
            unfinished = view.keys(TASKS, "created_at", cluster=cluster.cluster_arn, last_status=UNFINISHED)
        refresh(ctx, unfinished)
    with ctx.store.read() as view:
        filters = _filters(view, cluster, request)
        arns, token = keys_page(view, TASKS, "created_at", part=part, **filters) if filters else ([], None)
    return ListTasksResponse(task_arns=arns, next_token=token)


def _filters(view: View, cluster: Cluster, request: ListTasksRequest) -> dict[str, Any]:
    """What the columns of those tasks have that are asked for; empty where there can be none."""
    if request.daemon_name is not None:
        return {}
    asked = {"family": request.family, "started_by": request.started_by, "launch_type": request.launch_type}
    filters = {column: value for column, value in asked.items() if value is not None}
    if request.container_instance:
        instance = find_instance(view, cluster, request.container_instance)
        if instance is None:
            raise invalid_parameter("The referenced container instance was not found.")
        filters["instance"] = instance.arn
    if request.service_name is not None:
        service = find_service(view, cluster, request.service_name)
        if service is None:
            raise ApiError("ServiceNotFoundException", f"Service not found: {request.service_name}")
        filters["service"] = service.arn
    return {"cluster": str(cluster.cluster_arn), "desired_status": request.desired_status or "RUNNING", **filters}


def refresh(ctx: Context, arns: list[str]) -> Pass:
    """Look at the hosts of tasks before they are shown. A host that does not answer changes nothing but a warning."""
    result = Pass() if ctx.store.read_only else ctx.for_a_moment(arns, AT_ONCE)
    for arn, why in sorted(result.unreachable.items()):
        ctx.warn(f"container instance {last_part(arn)} does not answer, its tasks are shown as last seen: {why}")
    return result


def shapes(ctx: Context, arns: Sequence[str], *, tags: bool = True) -> list[Task]:
    """Tasks as ECS shows them."""
    with ctx.store.read() as view:
        records = [record for arn in arns if (record := view.get(TASKS, arn))]
        instances = {arn: found for arn in set(map(_on, records)) if (found := view.get(INSTANCES, arn))}
        return [
            evolve(
                record.task,
                tags=tags_of(view, record.arn) if tags else [],
                connectivity="DISCONNECTED"
                if (i := instances.get(_on(record))) and i.instance.agent_connected is False
                else "CONNECTED",
            )
            for record in records
        ]


def _go(ctx: Context, arns: list[str], *, stay: bool, going: Sequence[str] = ()) -> list[Task]:
    """Begin with new tasks, and with the end of those that are `going`."""
    if going:
        ctx.warn(f"{len(going)} {'task' if len(going) == 1 else 'tasks'} stopped to make room: {_short(going)}")
    result = ctx.controller.begin([*going, *arns], AT_ONCE)
    for why in sorted(set(result.unreachable.values())):
        ctx.warn(f"{why} (the task is recorded; `ecsctl reconcile` goes on with it)")
    if left := [arn for arn in result.unfinished if arn in going or not stay]:
        ctx.hand_over(left)
    return shapes(ctx, arns)


def _short(arns: Sequence[str]) -> str:
    return ", ".join(last_part(arn)[:12] for arn in arns)


def wish_in(
    view: View,
    ctx: Context,
    cluster: Cluster,
    request: RunTaskRequest | StartTaskRequest,
    definition: TaskDefinition | None = None,
) -> Wish:
    """What a request asks of each task, in this state; of a `definition` that is not registered if there is one."""
    asked = wish(view, ctx.scope, str(cluster.cluster_arn), request, definition, ctx.controller.file_systems)
    return asked._replace(image_map=ctx.image_map)


class Probed(NamedTuple):
    """Where the copies of a task go by the state of a version, on hosts that answer; ARN → why of those that do not,
    and the ports that are held on the others, where that matters."""

    version: tuple[int, int]
    placements: list[Placement]
    silent: dict[str, str]
    held: Held


def probe(ctx: Context, request: RunTaskRequest, count: int, definition: TaskDefinition | None = None) -> Probed:
    """Ask the hosts the copies would go to whether they answer, until those chosen do; and if ports of theirs are
    wanted, whether a container has them that is none of ours."""
    silent: dict[str, str] = {}
    held: Held = {}
    while True:
        with ctx.store.read() as view:
            cluster = find_cluster(view, ctx, request.cluster)
            asked = wish_in(view, ctx, cluster, request, definition)
            placements = place_tasks(view, ctx, cluster, asked, request, count, held)
            disconnected = [r.arn for p in placements for r in p.rejections if r.reason == "AGENT"]
            chosen = {p.host.arn for p in placements if p.host} or set(disconnected)
            records = [r for arn in sorted(chosen - set(silent)) if (r := view.get(INSTANCES, arn))]
            probed = Probed(view.version, placements, silent, held)
        found = ctx.controller.probe(records) if records else {}
        silent |= found
        demand = asked_of(asked).demand
        wants = bool(demand.ports or demand.ranges)
        fresh = [r for r in records if r.arn not in found and r.arn not in held] if wants else []
        held |= ctx.controller.published(fresh)
        if not found and not any(held[one.arn] if demand.ranges else held[one.arn] & demand.ports for one in fresh):
            return probed


def hosts_with(view: View, cluster: Cluster, held: Held) -> list[Host]:
    """The hosts of a cluster, with ports that are held there by others too."""
    hosts = hosts_of(view, str(cluster.cluster_arn))
    return [evolve(host, ports=host.ports | held[host.arn]) if host.arn in held else host for host in hosts]


def place_tasks(
    view: View, ctx: Context, cluster: Cluster, asked: Wish, request: RunTaskRequest, count: int, held: Held
) -> list[Placement]:
    """Where the copies go now; InvalidParameterException where there is no container instance at all."""
    fleet = Fleet(hosts_with(view, cluster, held))
    if not len(fleet):
        raise invalid_parameter("No Container Instances were found in your cluster.")
    draw: Callable[[int], int] = ctx.draw
    if request.seed is not None:
        from random import Random  # hardly anybody gives one

        draw = Random(request.seed).randrange  # noqa: S311 it is to be the same again
    return place(
        fleet, asked_of(asked), count, draw, asked.strategy, occupancy_of(view, str(cluster.cluster_arn), ctx.now())
    )


def _put(
    tx: Transaction, ctx: Context, cluster: Cluster, asked: Wish, host: Host, victims: Sequence[Occupant] = ()
) -> TaskRecord:
    demand = demand_of(asked.definition, asked.overrides)
    return put_task(tx, str(cluster.cluster_arn), asked, demand, host, ctx.now(), ctx.new_id, victims)


def failures_of(ctx: Context, placement: Placement) -> list[Failure]:
    """What ECS says of a task that has no host: nothing of those that are of another capacity provider."""
    if placement.host:
        return []
    mine = [_failure(rejection) for rejection in placement.rejections if rejection.reason != OTHER_PROVIDER]
    name = placement.provider or ""
    nobody = "no container instance is registered for it (register-container-instance --capacity-provider)"
    return mine or [Failure(arn=ctx.scope.capacity_provider(name), reason="EMPTY CAPACITY PROVIDER", detail=nobody)]


def _failure(rejection: Rejection) -> Failure:
    return Failure(arn=rejection.arn, reason=rejection.reason, detail=rejection.detail)


def _on(record: TaskRecord) -> str:
    return str(record.task.container_instance_arn)
