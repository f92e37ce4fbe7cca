"""Carrying a plan out: each request is an operation of its own, so what is interrupted the next apply finishes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ecsctl.model.api.capacity_providers import CreateCapacityProviderRequest, PutClusterCapacityProvidersRequest
from ecsctl.model.api.clusters import CreateClusterRequest, DeleteClusterRequest, UpdateClusterRequest
from ecsctl.model.api.services import CreateServiceRequest, DeleteServiceRequest, UpdateServiceRequest
from ecsctl.model.api.tags import TagResourceRequest, UntagResourceRequest
from ecsctl.model.api.task_definitions import DeregisterTaskDefinitionRequest, RegisterTaskDefinitionRequest
from ecsctl.model.errors import client_exception
from ecsctl.model.record import Record, evolve
from ecsctl.model.schedule import ScheduleTaskRequest, UnscheduleTaskRequest
from ecsctl.operations.apply.plan import Plan
from ecsctl.operations.apply.schedules import NewSchedule, create_schedule
from ecsctl.operations.capacity_providers import create_capacity_provider, put_cluster_capacity_providers
from ecsctl.operations.clusters import create_cluster, delete_cluster, update_cluster
from ecsctl.operations.context import Context
from ecsctl.operations.hosts import HostDocument, put_host
from ecsctl.operations.schedules import schedule_task, unschedule_task
from ecsctl.operations.services import create_service, delete_service, update_service
from ecsctl.operations.tags import tag_resource, untag_resource
from ecsctl.operations.task_definitions import (
    Revision,
    deregister_task_definition,
    register_if_changed,
    register_revision,
)
from ecsctl.operations.waiting import wait_services
from ecsctl.store.tables import SERVICES

LONGEST_DRAIN = 150.0
"""Seconds that a cluster's services are given to stop: the longest stopTimeout of ECS, and some."""

_DONE = {"create": "created", "update": "updated", "delete": "deleted"}


def carry_out(ctx: Context, plan: Plan, tell: Callable[[str], None]) -> None:
    """Make the changes of a plan, telling each when it is made. The tasks of services are left to the background.

    Raises the ApiError of the first operation that refuses; what was made before stays.
    """
    services: list[str] = []
    once = evolve(ctx, hand_over=services.extend)  # one process in the background, not one per service
    try:
        for change in plan.pending:
            for request in change.requests:
                _perform(once, request, change.arn)
            tell(f"{change.kind} {change.name}: {_DONE[change.action]}")
    finally:
        if services:
            ctx.hand_over(list(dict.fromkeys(services)))


def _perform(ctx: Context, request: Record, arn: str) -> None:
    match request:
        case Revision():
            register_revision(ctx, request)
        case RegisterTaskDefinitionRequest():
            registered = register_if_changed(ctx, request)
            if registered.task_definition_arn != arn:
                raise client_exception(f"{request.family} has a new revision since the plan was made: apply again.")
        case DeleteClusterRequest():
            _wait_until_drained(ctx, request.cluster)
            delete_cluster(ctx, request)
        case _:
            _OPERATIONS[type(request)](ctx, request)


_OPERATIONS: dict[type[Record], Callable[[Context, Any], object]] = {
    CreateClusterRequest: create_cluster,
    UpdateClusterRequest: update_cluster,
    CreateCapacityProviderRequest: create_capacity_provider,
    PutClusterCapacityProvidersRequest: put_cluster_capacity_providers,
    HostDocument: put_host,
    DeregisterTaskDefinitionRequest: deregister_task_definition,
    CreateServiceRequest: create_service,
    UpdateServiceRequest: update_service,
    DeleteServiceRequest: delete_service,
    NewSchedule: create_schedule,
    ScheduleTaskRequest: schedule_task,
    UnscheduleTaskRequest: unschedule_task,
    TagResourceRequest: tag_resource,
    UntagResourceRequest: untag_resource,
}


def _wait_until_drained(ctx: Context, cluster_arn: str) -> None:
    with ctx.store.read() as view:
        draining = [record.arn for record in view.find(SERVICES, cluster=cluster_arn, status="DRAINING")]
    wait_services(ctx, draining, lambda service: service.status == "INACTIVE", LONGEST_DRAIN)
