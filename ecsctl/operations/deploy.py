"""Rolling a release out to a service, and back when it fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from ecsctl.controller.wishes import find_task_definition
from ecsctl.model.api.service_deployments import StopServiceDeploymentRequest
from ecsctl.model.api.services import UpdateServiceRequest
from ecsctl.model.api.task_definitions import RegisterTaskDefinitionRequest
from ecsctl.model.errors import ApiError, InputError, invalid_parameter
from ecsctl.model.record import evolve
from ecsctl.model.service import Service
from ecsctl.model.service_deployment import ServiceRevision
from ecsctl.model.stored import ServiceRecord
from ecsctl.model.task import Task
from ecsctl.model.task_launch import NetworkConfiguration
from ecsctl.operations.apply.mark import unmarked_tags
from ecsctl.operations.context import Context
from ecsctl.operations.deployment_state import primary_of, why_failed
from ecsctl.operations.discovery_rules import connect_asked
from ecsctl.operations.lookup import find_cluster, the_service
from ecsctl.operations.registered_definition import request_of
from ecsctl.operations.service_deployments import stop_service_deployment
from ecsctl.operations.services import service_shapes, update_service
from ecsctl.operations.task_definitions import register_if_changed
from ecsctl.operations.waiting import is_stable, watch_services
from ecsctl.scheduler.deployments import last_good, revision_of
from ecsctl.scheduler.discovery import is_connected
from ecsctl.store.deployment_tables import SERVICE_DEPLOYMENTS, SERVICE_REVISIONS
from ecsctl.store.store import View
from ecsctl.store.tables import SERVICES, TASKS

Outcome = Literal["IN_PROGRESS", "COMPLETED", "FAILED", "ROLLED_BACK", "REPLACED"]
"""What became of a deployment. ROLLED_BACK by the circuit breaker; REPLACED by another release."""


class Release(NamedTuple):
    """A deployment that is being rolled out: of which service (ARN), what (ARN of the task definition), the service
    revision to go back to if there is one, and the ids of the deployments before it."""

    service: str
    cluster: str
    deployment: str
    definition: str
    previous: ServiceRevision | None
    before: frozenset[str]


def active_service(ctx: Context, cluster: str | None, name: str) -> Service:
    """The service of that name; ServiceNotFoundException, ServiceNotActiveException."""
    with ctx.store.read() as view:
        record = the_service(view, find_cluster(view, ctx, cluster), name)
    if record.service.status != "ACTIVE":
        raise ApiError("ServiceNotActiveException", f"Service {name} is being deleted.")
    if record.is_external:
        raise invalid_parameter(
            f"Service {name} has the EXTERNAL deployment controller: deploy it by create-task-set and "
            "update-service-primary-task-set."
        )
    return service_shapes(ctx, [record.arn])[0]


def revision_with(ctx: Context, definition: RegisterTaskDefinitionRequest | str, images: Mapping[str, str]) -> str:
    """The ARN of a revision that says what `definition` says, with other images (by container name).

    `definition` is a request, or family, family:revision or ARN. A new revision is registered only where the family's
    newest says something else. InputError for a container that there is not.
    """
    if isinstance(definition, RegisterTaskDefinitionRequest):
        return str(register_if_changed(ctx, _with_images(definition, images)).task_definition_arn)
    with ctx.store.read() as view:
        found = find_task_definition(view, ctx.scope, definition)
        known = request_of(found, unmarked_tags(view, found.task_definition_arn))
    wanted = _with_images(known, images)
    return str((found if wanted == known else register_if_changed(ctx, wanted)).task_definition_arn)


def _with_images(request: RegisterTaskDefinitionRequest, images: Mapping[str, str]) -> RegisterTaskDefinitionRequest:
    names = [str(container.name) for container in request.container_definitions]
    for name in images:
        if name not in names:
            raise InputError(f"--image {name}=…: {request.family} has no such container; it has {', '.join(names)}")
    containers = [
        evolve(container, image=images.get(str(container.name), container.image))
        for container in request.container_definitions
    ]
    return evolve(request, container_definitions=containers)


def begin(ctx: Context, service: Service, definition_arn: str, *, force: bool = False) -> Release | None:
    """Have a service roll a revision out; None when it has done so before.

    A deployment of that revision that is under way is taken as it is. InvalidParameterException for one that failed.
    """
    record = _record(ctx, service)
    primary = record.primary
    if force or record.service.task_definition != definition_arn:
        request = UpdateServiceRequest(
            service=record.arn, cluster=service.cluster_arn, task_definition=definition_arn, force_new_deployment=force
        )
        return _release(ctx, record, _updated(ctx, request), definition_arn)
    if primary.rollout_state == "COMPLETED":
        return None
    if primary.rollout_state == "FAILED":
        raise invalid_parameter(
            f"{record.definition} is what the service has, and its deployment failed: deploy something else, "
            "or try it again with --force-new-deployment."
        )
    ctx.hand_over([record.arn])
    return _release(ctx, record, primary.id, definition_arn)


def _record(ctx: Context, service: Service) -> ServiceRecord:
    with ctx.store.read() as view:
        record = view.get(SERVICES, str(service.service_arn))
    if record is None:
        raise ApiError("ServiceNotFoundException", f"Service not found: {service.service_name}")
    return record


def _updated(ctx: Context, request: UpdateServiceRequest) -> str:
    """The id of the deployment that a service has when it is updated."""
    changed = update_service(ctx, request).service
    return str(primary_of(changed).id) if changed else ""


def _release(ctx: Context, record: ServiceRecord, deployment: str, definition_arn: str) -> Release:
    """That of a deployment (by id); `record` is the service from before it, or the one that has it."""
    good = next((found for found in record.deployments if found.completed), record.primary)
    with ctx.store.read() as view:
        released = view.get(SERVICE_REVISIONS, revision_of(record.service, deployment))
        previous = view.get(SERVICE_REVISIONS, revision_of(record.service, good.id))
    if released and previous and _tasks_of(released) == _tasks_of(previous):
        previous = None
    before = frozenset(found.id for found in record.deployments if found.id != deployment)
    return Release(record.arn, str(record.service.cluster_arn), deployment, definition_arn, previous, before)


def go_back(ctx: Context, service: Service) -> Release:
    """Have a service roll out again what it had before: a deployment that is under way is rolled back, else the newest
    service revision that succeeded with other tasks is deployed anew. InvalidParameterException when there is none."""
    record = _record(ctx, service)
    back = last_good(record)
    if back is not None and record.primary.rollout_state == "IN_PROGRESS":
        stop_service_deployment(ctx, StopServiceDeploymentRequest(str(service.current_service_deployment)))
        return Release(record.arn, str(service.cluster_arn), back.id, back.task_definition_arn, None, frozenset())
    with ctx.store.read() as view:
        before = _succeeded_before(view, record)
    if before is None:
        raise invalid_parameter(f"Service {service.service_name} has nothing to go back to.")
    return _release(ctx, record, _deployed_again(ctx, record, before), str(before.task_definition))


def _succeeded_before(view: View, record: ServiceRecord) -> ServiceRevision | None:
    """What was deployed last with success, other than what is there."""
    present = view.get(SERVICE_REVISIONS, revision_of(record.service, record.primary.id))
    for one in view.find(SERVICE_DEPLOYMENTS, service=record.arn, order="-created_at"):
        revision = one.target_service_revision and view.get(SERVICE_REVISIONS, str(one.target_service_revision.arn))
        if one.status == "SUCCESSFUL" and revision and present and _tasks_of(revision) != _tasks_of(present):
            return revision
    return None


def _tasks_of(revision: ServiceRevision) -> tuple[object, ...]:
    """What its tasks are like, and a rollback restores."""
    network, connect = revision.network_configuration, revision.service_connect_configuration
    return (
        revision.task_definition,
        network.awsvpc_configuration if network else None,
        connect if is_connected(connect) else None,
        revision.service_registries,
        revision.volume_configurations,
    )


def _deployed_again(ctx: Context, record: ServiceRecord, revision: ServiceRevision) -> str:
    """The id of the deployment that rolls an earlier revision of a service out anew: what a circuit breaker's rollback
    restores."""
    connect = connect_asked(record.service.service_connect_configuration, revision.service_connect_configuration)
    request = UpdateServiceRequest(
        service=record.arn,
        cluster=record.service.cluster_arn,
        task_definition=revision.task_definition,
        network_configuration=revision.network_configuration or NetworkConfiguration(),
        service_connect_configuration=connect,
        service_registries=revision.service_registries or [],
        volume_configurations=revision.volume_configurations or [],
    )
    return _updated(ctx, request)


def outcome_of(release: Release, service: Service) -> Outcome:
    """What has become of it. Pure."""
    primary = primary_of(service)
    if primary.id in release.before:
        return "ROLLED_BACK"
    if primary.id != release.deployment:
        return "REPLACED"
    return "FAILED" if why_failed(service) else primary.rollout_state or "IN_PROGRESS"


def follow(ctx: Context, release: Release, show: Callable[[Service], None], timeout: float) -> Outcome:
    """Bring it on until it is over, or for `timeout` seconds; `show` sees the service at each look."""

    def is_over(services: list[Service]) -> bool:
        show(services[0])
        return outcome_of(release, services[0]) != "IN_PROGRESS"

    watch_services(ctx, [release.service], is_over, timeout)
    return outcome_of(release, service_shapes(ctx, [release.service])[0])


def roll_back(ctx: Context, service: Service, previous: ServiceRevision) -> None:
    """Have a service roll out again what it had before a release that failed."""
    _deployed_again(ctx, _record(ctx, service), previous)


def settle_back(ctx: Context, release: Release, show: Callable[[Service], None], timeout: float) -> bool:
    """Wait until the service is stable again; whether it is."""

    def is_over(services: list[Service]) -> bool:
        show(services[0])
        return is_stable(services[0])

    watch_services(ctx, [release.service], is_over, timeout)
    return is_stable(service_shapes(ctx, [release.service])[0])


def last_failure(ctx: Context, release: Release) -> Task | None:
    """The deployment's task that ended last by itself."""
    with ctx.store.read() as view:
        ended = view.find(TASKS, started_by=release.deployment, last_status="STOPPED", order="-stopped_at")
    by_itself = (r.task for r in ended if not (r.task.stopped_reason or "").startswith("Scaling activity"))
    return next(by_itself, None)
