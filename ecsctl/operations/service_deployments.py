"""The actions on service deployments and service revisions: what was rolled out, when, and how it went."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from ecsctl.controller.progress import note_progress
from ecsctl.controller.services import with_event
from ecsctl.model.api.service_deployments import (
    ContinueServiceDeploymentRequest,
    ContinueServiceDeploymentResponse,
    DescribeServiceDeploymentsRequest,
    DescribeServiceDeploymentsResponse,
    DescribeServiceRevisionsRequest,
    DescribeServiceRevisionsResponse,
    ListServiceDeploymentsRequest,
    ListServiceDeploymentsResponse,
    StopServiceDeploymentRequest,
    StopServiceDeploymentResponse,
)
from ecsctl.model.common import Failure
from ecsctl.model.errors import ApiError, client_exception, invalid_parameter
from ecsctl.model.record import Record, evolve
from ecsctl.model.service import Service
from ecsctl.model.service_deployment import (
    ContainerImage,
    ServiceDeployment,
    ServiceDeploymentBrief,
    ServiceRevision,
    ServiceRevisionSummary,
)
from ecsctl.model.stored import DeploymentRecord, ServiceRecord, TaskRecord
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.operations.context import Context
from ecsctl.operations.lookup import find_cluster, the_service
from ecsctl.operations.pages import Text, page, window
from ecsctl.scheduler.deployments import copied, deployment_of, last_good, revision_of, roll_back
from ecsctl.scheduler.lifecycle import answered, awaited
from ecsctl.scheduler.service_deployments import GOING_ON, SUPERSEDED, stopped
from ecsctl.scheduler.service_work import Message
from ecsctl.store.deployment_tables import SERVICE_DEPLOYMENTS, SERVICE_REVISIONS
from ecsctl.store.store import Place, Transaction, View
from ecsctl.store.tables import SERVICES, TASK_DEFINITIONS, TASKS, timestamp

R = TypeVar("R", bound=Record)

MOST_DESCRIBED = 20
HISTORY = timedelta(days=90)
"""How long service deployments that are over are remembered."""


def begin_deployment(tx: Transaction, ctx: Context, record: ServiceRecord, before: Sequence[DeploymentRecord]) -> None:
    """Record the service revision that the PRIMARY deployment rolls out, and the service deployment that does it.

    `before` are the deployments whose tasks it replaces. One that was still going on has been superseded.
    """
    service, primary = record.service, record.primary
    _forget_old(tx, record, ctx.now() - HISTORY)
    for other in tx.find(SERVICE_DEPLOYMENTS, service=record.arn, finished_at=None):
        tx.put(SERVICE_DEPLOYMENTS, stopped(other, SUPERSEDED, ctx.now()))
    put_revision(tx, service, primary)
    digits = ctx.new_id()
    shape = ServiceDeployment(
        service_deployment_arn=f"{record.arn}/{digits[:21]}".replace(":service/", ":service-deployment/", 1),
        service_arn=record.arn,
        cluster_arn=service.cluster_arn,
        created_at=primary.created_at,
        started_at=primary.created_at,
        updated_at=primary.created_at,
        source_service_revisions=[ServiceRevisionSummary(arn=revision_of(service, other.id)) for other in before],
        target_service_revision=ServiceRevisionSummary(arn=revision_of(service, primary.id)),
        status="IN_PROGRESS",
        deployment_configuration=service.deployment_configuration,
    )
    tx.put(SERVICE_DEPLOYMENTS, shape)


def put_revision(tx: Transaction, service: Service, deployment: DeploymentRecord) -> None:
    """Record the service revision that a deployment rolls out."""
    definition = tx.get(TASK_DEFINITIONS, deployment.task_definition_arn)
    revision = ServiceRevision(
        service_revision_arn=revision_of(service, deployment.id),
        service_arn=service.service_arn,
        cluster_arn=service.cluster_arn,
        task_definition=deployment.task_definition_arn,
        launch_type=service.launch_type,
        capacity_provider_strategy=service.capacity_provider_strategy,
        network_configuration=deployment.network,
        service_registries=deployment.registries or None,
        service_connect_configuration=deployment.connect,
        volume_configurations=deployment.volumes,
        platform_version=service.platform_version,
        container_images=_images(definition),
        guard_duty_enabled=False,
        created_at=deployment.created_at,
    )
    tx.put(SERVICE_REVISIONS, revision)


def _forget_old(tx: Transaction, record: ServiceRecord, before: datetime) -> None:
    named = {revision_of(record.service, deployment.id) for deployment in record.deployments}
    for one in tx.find(SERVICE_DEPLOYMENTS, service=record.arn):
        if one.finished_at is not None and one.finished_at < before:
            tx.delete(SERVICE_DEPLOYMENTS, arn=one.service_deployment_arn)
        else:
            named |= {str(r.arn) for r in (one.target_service_revision, *(one.source_service_revisions or ())) if r}
    for revision in tx.find(SERVICE_REVISIONS, service=record.arn):
        if revision.service_revision_arn not in named:
            tx.delete(SERVICE_REVISIONS, arn=revision.service_revision_arn)


def _images(definition: TaskDefinition | None) -> list[ContainerImage]:
    containers = (definition.container_definitions if definition else None) or []
    return [ContainerImage(container_name=c.name, image=c.image) for c in containers]


def list_service_deployments(ctx: Context, request: ListServiceDeploymentsRequest) -> ListServiceDeploymentsResponse:
    """A service's deployments, the newest first (ECS API_ListServiceDeployments)."""
    with ctx.store.read() as view:
        cluster = find_cluster(view, ctx, request.cluster)
        record = the_service(view, cluster, request.service)
        found = view.find(SERVICE_DEPLOYMENTS, service=record.arn)
    created = request.created_at
    briefs = [
        _brief(one)
        for one in found
        if (not request.status or one.status in request.status)
        and (created is None or _is_between(one.created_at, created.after, created.before))
    ]
    part = window(request.next_token, request.max_results, kind=tuple[Text, Text])
    chosen, token = page(briefs, _place, part, falling=True)
    return ListServiceDeploymentsResponse(service_deployments=chosen, next_token=token)


def _place(one: ServiceDeploymentBrief) -> Place:
    return timestamp(one.created_at) if one.created_at else "", one.service_deployment_arn or ""


def _is_between(moment: datetime | None, after: datetime | None, before: datetime | None) -> bool:
    return moment is not None and (after is None or moment >= after) and (before is None or moment <= before)


def _brief(one: ServiceDeployment) -> ServiceDeploymentBrief:
    return ServiceDeploymentBrief(
        service_deployment_arn=one.service_deployment_arn,
        service_arn=one.service_arn,
        cluster_arn=one.cluster_arn,
        started_at=one.started_at,
        created_at=one.created_at,
        finished_at=one.finished_at,
        target_service_revision_arn=one.target_service_revision.arn if one.target_service_revision else None,
        status=one.status,
        status_reason=one.status_reason,
    )


def describe_service_deployments(
    ctx: Context, request: DescribeServiceDeploymentsRequest
) -> DescribeServiceDeploymentsResponse:
    """Service deployments, with counts of tasks as they are now (ECS API_DescribeServiceDeployments)."""
    with ctx.store.read() as view:
        found, failures = _each(
            request.service_deployment_arns,
            "serviceDeploymentArns",
            lambda arn: view.get(SERVICE_DEPLOYMENTS, arn) if ctx.scope.has(arn) else None,
        )
        shapes = [_shape(view, one) for one in found]
    return DescribeServiceDeploymentsResponse(service_deployments=shapes, failures=failures)


def describe_service_revisions(
    ctx: Context, request: DescribeServiceRevisionsRequest
) -> DescribeServiceRevisionsResponse:
    """Service revisions (ECS API_DescribeServiceRevisions)."""
    with ctx.store.read() as view:
        found, failures = _each(
            request.service_revision_arns,
            "serviceRevisionArns",
            lambda arn: view.get(SERVICE_REVISIONS, arn) if ctx.scope.has(arn) else None,
        )
    return DescribeServiceRevisionsResponse(service_revisions=found, failures=failures)


def _each(arns: Sequence[str], what: str, get: Callable[[str], R | None]) -> tuple[list[R], list[Failure]]:
    if not 1 <= len(arns) <= MOST_DESCRIBED:
        raise invalid_parameter(f"{what}: between 1 and {MOST_DESCRIBED} can be described in one call.")
    found = {arn: get(arn) for arn in arns}
    missing = [Failure(arn=arn, reason="MISSING") for arn, one in found.items() if one is None]
    return [one for one in found.values() if one is not None], missing


def _shape(view: View, one: ServiceDeployment) -> ServiceDeployment:
    record = view.get(SERVICES, str(one.service_arn))
    tasks = view.find(TASKS, service=one.service_arn, tallied=0) if record else []
    sources = [_summary(source, tasks, None) for source in one.source_service_revisions or []]
    wanted = record.service.desired_count if record else None
    target = _summary(one.target_service_revision or ServiceRevisionSummary(), tasks, wanted)
    return evolve(one, source_service_revisions=sources, target_service_revision=target)


def _summary(
    revision: ServiceRevisionSummary, tasks: Sequence[TaskRecord], wanted: int | None
) -> ServiceRevisionSummary:
    deployment = deployment_of(str(revision.arn))
    mine = [task for task in tasks if task.task.started_by == deployment and not task.is_stopped]
    running = sum(task.is_running for task in mine)
    pending = sum(task.is_pending for task in mine)
    requested = wanted if wanted is not None else running + pending
    return evolve(revision, requested_task_count=requested, running_task_count=running, pending_task_count=pending)


def stop_service_deployment(ctx: Context, request: StopServiceDeploymentRequest) -> StopServiceDeploymentResponse:
    """End a deployment that goes on (ECS API_StopServiceDeployment): by default it is rolled back to the last that
    was completed; ABORT leaves its tasks as they are and starts no more."""

    def stop(record: ServiceRecord) -> str:
        if request.stop_type != "ABORT":
            return _go_back(record, "Deployment stopped by user", ctx.now())
        record.primary.rollout_state, record.primary.updated_at = "FAILED", ctx.now()
        record.primary.rollout_state_reason = "Deployment stopped by user."
        return f"(deployment {record.primary.id}) deployment stopped by user."

    _change(ctx, request.service_deployment_arn, "stopped", stop)
    return StopServiceDeploymentResponse(service_deployment_arn=request.service_deployment_arn)


def continue_service_deployment(
    ctx: Context, request: ContinueServiceDeploymentRequest
) -> ContinueServiceDeploymentResponse:
    """Let a deployment go on that a lifecycle hook holds, or roll it back (ECS API_ContinueServiceDeployment)."""

    def answer(record: ServiceRecord) -> str:
        primary = record.primary
        if request.hook_id not in [hook.hook_id for hook in awaited(primary)]:
            raise invalid_parameter(f"hookId: no lifecycle hook {request.hook_id} holds this service deployment.")
        answered(primary, request.hook_id, go_on=request.action != "ROLLBACK")
        if request.action == "ROLLBACK":
            return _go_back(record, "Lifecycle hook answered by user", ctx.now())
        return f"(deployment {primary.id}) continues after lifecycle hook {request.hook_id}."

    try:
        _change(ctx, request.service_deployment_arn, "continued", answer)
    except ApiError as error:
        if error.code == "ConflictException":  # which this action does not have
            raise client_exception(error.message) from None
        raise
    return ContinueServiceDeploymentResponse(service_deployment_arn=request.service_deployment_arn)


def _change(ctx: Context, arn: str, done: str, make: Callable[[ServiceRecord], str]) -> None:
    """Change the service of a deployment that goes on, in place, as `make` does, which answers what to tell."""
    with ctx.store.write() as tx:
        one = tx.get(SERVICE_DEPLOYMENTS, arn) if ctx.scope.has(arn) else None
        record = tx.get(SERVICES, str(one.service_arn)) if one else None
        if one is None or record is None:
            raise ApiError("ServiceDeploymentNotFoundException", f"Service deployment not found: {arn}")
        if one.status not in GOING_ON or one.rollback is not None:
            raise ApiError("ConflictException", f"The service deployment is {one.status} and cannot be {done}.")
        record = copied(record)
        message = make(record)
        record = with_event(tx, record, Message(message), ctx.now(), ctx.controller.chance)
        record = evolve(record, steady=False, seq=tx.seq)
        tx.put(SERVICES, record)
        note_progress(tx, record, ctx.now())
    ctx.hand_over([record.arn])


def _go_back(record: ServiceRecord, why: str, now: datetime) -> str:
    """Roll the newest deployment back, in place; what to tell."""
    back, deployment = last_good(record), record.primary.id
    if back is None:
        raise ApiError(
            "ConflictException",
            "There is no completed deployment to roll back to: stop it where it is by --stop-type ABORT, "
            "or deploy another task definition.",
        )
    roll_back(record, back, f"{why}: rolling back to deploymentId {back.id}.", now)
    return f"(deployment {deployment}) rolling back to deployment {back.id}: {why[0].lower()}{why[1:]}."
