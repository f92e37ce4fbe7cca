"""The task set actions: what something else than the service scheduler deploys of a service.

Source: ECS developer guide, "Deploy Amazon ECS services using a third-party controller".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ecsctl.controller.providers import fargate_platform, launch_types, strategy_of
from ecsctl.controller.wishes import startable
from ecsctl.model.api.task_sets import (
    CreateTaskSetRequest,
    CreateTaskSetResponse,
    DeleteTaskSetRequest,
    DeleteTaskSetResponse,
    DescribeTaskSetsRequest,
    DescribeTaskSetsResponse,
    UpdateServicePrimaryTaskSetRequest,
    UpdateServicePrimaryTaskSetResponse,
    UpdateTaskSetRequest,
    UpdateTaskSetResponse,
)
from ecsctl.model.cluster import Cluster
from ecsctl.model.common import Failure
from ecsctl.model.errors import ApiError, invalid_parameter
from ecsctl.model.record import evolve
from ecsctl.model.service import Scale, TaskSet
from ecsctl.model.stored import ServiceRecord, TaskRecord, TaskSetRecord
from ecsctl.operations.context import Context
from ecsctl.operations.discovery_rules import check_registries
from ecsctl.operations.idempotency import answered_before, remember
from ecsctl.operations.lookup import check_tags, find_cluster, put_tags, tags_of, the_service
from ecsctl.operations.service_rules import check_served
from ecsctl.scheduler.task_sets import computed_count, task_set_arn
from ecsctl.store.store import Transaction, View, add_event
from ecsctl.store.tables import SERVICES, TASKS

MOST = 5
"""Task sets of a service."""
OF_TASK_SETS = ("capacity_provider_strategy", "network_configuration", "service_registries", "task_definition")
"""What cannot be asked of a service that has task sets: it shows what the PRIMARY one has."""


def create_task_set(ctx: Context, request: CreateTaskSetRequest) -> CreateTaskSetResponse:
    """Add a task set to a service (ECS API_CreateTaskSet). Without a scale it has no tasks yet."""
    check_served(request)
    check_tags(request.tags)
    scale = _scale(request.scale) if request.scale else 0.0
    with ctx.store.write() as tx:
        cluster, record = _external(tx, ctx, request.cluster, request.service)

        def lasts(arn: str) -> bool:
            owner = tx.get(SERVICES, arn.rsplit("/", 2)[0].replace(":task-set/", ":service/", 1))
            return owner is not None and _found(owner, arn) is not None

        made = answered_before(tx, ctx.now(), cluster, "CreateTaskSet", request, lasts=lasts, longest=36)
        if made:
            return CreateTaskSetResponse(task_set=_shape(tx, record, _find(record, made[0])))
        if len(record.task_sets) >= MOST:
            raise invalid_parameter(
                f"{MOST} deployments exist on the service. Unable to create new TaskSet since this exceeds the maximum "
                "limit: delete one first (delete-task-set)."
            )
        strategy = strategy_of(cluster, request.launch_type, request.capacity_provider_strategy)
        launch_type = None if strategy else request.launch_type or record.service.launch_type or "EC2"
        kinds, network = launch_types(launch_type, strategy), request.network_configuration
        platform = fargate_platform(kinds, request.platform_version)
        definition = startable(tx, ctx.scope, request.task_definition, kinds, network, ctx.controller.file_systems)
        check_registries(request.service_registries or [], definition)
        now = ctx.now()
        task_set = TaskSetRecord(
            id=ctx.new_starter_id(),
            task_definition_arn=str(definition.task_definition_arn),
            created_at=now,
            updated_at=now,
            network=network,
            registries=request.service_registries or [],
            image_map=ctx.image_map,
            platform_version=platform,
            scale=scale,
            external_id=request.external_id,
            launch_type=launch_type,
            capacity_provider_strategy=list(strategy),
            stability_at=now,
        )
        record = evolve(record, task_sets=[task_set, *record.task_sets])
        arn = task_set_arn(record, task_set.id)
        put_tags(tx, arn, request.tags)
        remember(tx, ctx.now(), cluster, "CreateTaskSet", request, [arn])
        what = f"{task_set.id} of {definition.family}:{definition.revision}, scale {scale:g}%"
        _put(tx, ctx, record, "TaskSetCreated", what)
        answer = _shape(tx, record, task_set)
    ctx.hand_over([record.arn])
    return CreateTaskSetResponse(task_set=evolve(answer, tags=request.tags or []))


def update_task_set(ctx: Context, request: UpdateTaskSetRequest) -> UpdateTaskSetResponse:
    """Change the scale of a task set (ECS API_UpdateTaskSet)."""
    scale = _scale(request.scale)

    def scaled(record: ServiceRecord, task_set: TaskSetRecord) -> _Change:
        _check_stays(task_set)
        changed = evolve(task_set, scale=scale, updated_at=ctx.now())
        if computed_count(record, changed) != computed_count(record, task_set):
            changed = evolve(changed, stability="STABILIZING", stability_at=ctx.now())
        return _Change(_with(record, changed), "TaskSetUpdated", f"{task_set.id} to scale {scale:g}%")

    return UpdateTaskSetResponse(task_set=_change(ctx, request.cluster, request.service, request.task_set, scaled))


def update_service_primary_task_set(
    ctx: Context, request: UpdateServicePrimaryTaskSetRequest
) -> UpdateServicePrimaryTaskSetResponse:
    """Say which task set serves production (ECS API_UpdateServicePrimaryTaskSet): the service is described with what
    is the task set's, and where there is not room for all, its tasks come first."""

    def promoted(record: ServiceRecord, task_set: TaskSetRecord) -> _Change:
        _check_stays(task_set)
        before = [
            evolve(one, status="ACTIVE", updated_at=ctx.now()) if one.status == "PRIMARY" else one
            for one in record.task_sets
        ]
        service = evolve(
            record.service,
            task_definition=task_set.task_definition_arn,
            network_configuration=task_set.network,
            launch_type=task_set.launch_type,
            capacity_provider_strategy=task_set.capacity_provider_strategy or None,
            platform_version=task_set.platform_version,
            service_registries=task_set.registries,
        )
        primary = evolve(task_set, status="PRIMARY", updated_at=ctx.now())
        record = _with(evolve(record, service=service, task_sets=before), primary)
        return _Change(record, "TaskSetUpdated", f"{task_set.id} is PRIMARY")

    return UpdateServicePrimaryTaskSetResponse(
        task_set=_change(ctx, request.cluster, request.service, request.primary_task_set, promoted)
    )


def delete_task_set(ctx: Context, request: DeleteTaskSetRequest) -> DeleteTaskSetResponse:
    """Stop the tasks of a task set; when they have stopped, it is gone (ECS API_DeleteTaskSet)."""

    def drained(record: ServiceRecord, task_set: TaskSetRecord) -> _Change | None:
        if task_set.status == "DRAINING":
            return None
        if computed_count(record, task_set) and not request.force:
            raise invalid_parameter(
                "The task set cannot be deleted while it is scaled above 0: update it to a scale of 0 first, or use "
                "--force."
            )
        service = record.service
        if task_set.status == "PRIMARY":
            service = evolve(service, task_definition=None, service_registries=[])
        changed = evolve(task_set, status="DRAINING", stability="STABILIZING", updated_at=ctx.now())
        return _Change(_with(evolve(record, service=service), changed), "TaskSetDeleted", task_set.id)

    return DeleteTaskSetResponse(task_set=_change(ctx, request.cluster, request.service, request.task_set, drained))


def describe_task_sets(ctx: Context, request: DescribeTaskSetsRequest) -> DescribeTaskSetsResponse:
    """The task sets of a service as they are now, by default all (ECS API_DescribeTaskSets)."""
    with ctx.store.read() as view:
        _, record = _external(view, ctx, request.cluster, request.service)
        names = [task_set.id for task_set in record.task_sets] if request.task_sets is None else request.task_sets
        found = {name: _found(record, name) for name in names}
        missing = [Failure(arn=name, reason="MISSING") for name, one in found.items() if one is None]
        tagged = "TAGS" in (request.include or [])
        shapes = [
            evolve(_shape(view, record, one), tags=tags_of(view, task_set_arn(record, one.id)) if tagged else None)
            for one in found.values()
            if one is not None
        ]
    return DescribeTaskSetsResponse(task_sets=shapes, failures=missing)


def task_set_shapes(record: ServiceRecord, tasks: Sequence[TaskRecord]) -> list[TaskSet]:
    """A service's task sets as ECS shows them; `tasks` are the service's that are not STOPPED."""
    return [_shape_with(record, task_set, tasks) for task_set in record.task_sets]


class _Change(NamedTuple):
    """The service as it is to be, and what the journal says of it."""

    record: ServiceRecord
    kind: str
    what: str


def _change(
    ctx: Context,
    cluster_name: str,
    service: str,
    name: str,
    make: Callable[[ServiceRecord, TaskSetRecord], _Change | None],
) -> TaskSet:
    """Do to a task set what `make` says, and bring the service on."""
    with ctx.store.write() as tx:
        _, record = _external(tx, ctx, cluster_name, service)
        change = make(record, _find(record, name))
        if change is not None:
            record = change.record
            _put(tx, ctx, record, change.kind, change.what)
        answer = _shape(tx, record, _find(record, name))
    ctx.hand_over([record.arn])
    return answer


def _put(tx: Transaction, ctx: Context, record: ServiceRecord, kind: str, what: str) -> None:
    tx.put(SERVICES, evolve(record, steady=False, seq=tx.seq))
    add_event(tx, ctx.now(), str(record.service.cluster_arn), record.arn, kind, f"task set {what}")


def _external(view: View, ctx: Context, cluster_name: str, name: str) -> tuple[Cluster, ServiceRecord]:
    cluster = find_cluster(view, ctx, cluster_name)
    record = the_service(view, cluster, name)
    if not record.is_external:
        raise invalid_parameter(
            "Amazon ECS only supports task set management on services configured to use external deployment "
            f"controllers: create {record.service.service_name} with --deployment-controller type=EXTERNAL."
        )
    if record.service.status != "ACTIVE":
        raise ApiError("ServiceNotActiveException", "Service was not ACTIVE.")
    return cluster, record


def _found(record: ServiceRecord, name: str) -> TaskSetRecord | None:
    """By id or ARN."""
    return next((one for one in record.task_sets if name in (one.id, task_set_arn(record, one.id))), None)


def _find(record: ServiceRecord, name: str) -> TaskSetRecord:
    found = _found(record, name)
    if found is None:
        raise ApiError("TaskSetNotFoundException", f"The specified task set was not found: {name}")
    return found


def _check_stays(task_set: TaskSetRecord) -> None:
    if task_set.status == "DRAINING":
        raise invalid_parameter(f"The task set {task_set.id} is being deleted.")


def _with(record: ServiceRecord, changed: TaskSetRecord) -> ServiceRecord:
    return evolve(record, task_sets=[changed if one.id == changed.id else one for one in record.task_sets])


def _scale(scale: Scale) -> float:
    if scale.value is None or not 0 <= scale.value <= 100:
        raise invalid_parameter(f"scale.value: {scale.value} is not a percentage between 0 and 100.")
    return scale.value


def _shape(view: View, record: ServiceRecord, task_set: TaskSetRecord) -> TaskSet:
    tasks = view.find(TASKS, service=record.arn, tallied=0)
    return _shape_with(record, task_set, [task for task in tasks if not task.is_stopped])


def _shape_with(record: ServiceRecord, task_set: TaskSetRecord, tasks: Sequence[TaskRecord]) -> TaskSet:
    mine = [task for task in tasks if task.task.started_by == task_set.id]
    return TaskSet(
        id=task_set.id,
        task_set_arn=task_set_arn(record, task_set.id),
        service_arn=record.arn,
        cluster_arn=record.service.cluster_arn,
        external_id=task_set.external_id,
        status=task_set.status,
        task_definition=task_set.task_definition_arn,
        computed_desired_count=computed_count(record, task_set),
        pending_count=sum(task.is_pending for task in mine),
        running_count=sum(task.is_running for task in mine),
        created_at=task_set.created_at,
        updated_at=task_set.updated_at,
        network_configuration=task_set.network,
        platform_version=task_set.platform_version,
        launch_type=task_set.launch_type,
        capacity_provider_strategy=task_set.capacity_provider_strategy,
        load_balancers=[],
        service_registries=task_set.registries,
        scale=Scale(value=task_set.scale, unit="PERCENT"),
        stability_status=task_set.stability,
        stability_status_at=task_set.stability_at,
    )
