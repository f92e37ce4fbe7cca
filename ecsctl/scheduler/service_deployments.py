"""How a service deployment gets on: what became of rolling out one service revision, and rolling it back. Pure.

Source: ECS developer guide, "View service history using Amazon ECS service deployments", ECS API_ServiceDeployment.
"""

from __future__ import annotations

from datetime import datetime

from ecsctl.model.record import evolve
from ecsctl.model.service_deployment import (
    Rollback,
    ServiceDeployment,
    ServiceDeploymentCircuitBreaker,
    ServiceDeploymentRollbackMonitorsStatus,
)
from ecsctl.model.stored import DeploymentRecord, ServiceRecord
from ecsctl.scheduler.deployments import breaker_of, revision_of
from ecsctl.scheduler.rollout import threshold

GOING_ON = ("PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS")
"""The statuses that are not final."""
SUPERSEDED = "A newer deployment of the service has taken its place."
DELETED = "The service was deleted."


def follow(rollout: ServiceDeployment, record: ServiceRecord, now: datetime) -> ServiceDeployment:
    """The service deployment as it is once its service has come as far as `record`."""
    if rollout.status not in GOING_ON:
        return rollout
    primary = record.primary
    if record.service.status != "ACTIVE":
        return _over(rollout, "STOPPED", DELETED, now)
    target = next((d for d in record.deployments if revision_of(record.service, d.id) == _target(rollout)), None)
    rollout = _counted(rollout, record, target)
    if rollout.rollback is not None:
        if primary.rollout_state == "COMPLETED":
            return _over(rollout, "ROLLBACK_SUCCESSFUL", rollout.rollback.reason or "", now)
        if primary.rollout_state == "FAILED":
            return _over(rollout, "ROLLBACK_FAILED", primary.rollout_state_reason, now)
        return rollout
    if revision_of(record.service, primary.id) != _target(rollout):
        told_by = target if target and target.rollout_state == "FAILED" else primary
        why = told_by.rollout_state_reason
        back = Rollback(reason=why, started_at=now, service_revision_arn=revision_of(record.service, primary.id))
        going_back = evolve(rollout, status="ROLLBACK_IN_PROGRESS", status_reason=why, rollback=back, updated_at=now)
        return follow(going_back, record, now)  # where the old tasks are all there, it has been rolled back already
    if primary.rollout_state == "COMPLETED":
        return _over(rollout, "SUCCESSFUL", "", now)
    if primary.rollout_state == "FAILED":
        return _over(rollout, "STOPPED", primary.rollout_state_reason, now)
    return rollout


def stopped(rollout: ServiceDeployment, why: str, now: datetime) -> ServiceDeployment:
    """The service deployment when it is not to go on."""
    return _over(rollout, "STOPPED", why, now) if rollout.status in GOING_ON else rollout


def _target(rollout: ServiceDeployment) -> str | None:
    return rollout.target_service_revision.arn if rollout.target_service_revision else None


def _over(rollout: ServiceDeployment, status: str, why: str, now: datetime) -> ServiceDeployment:
    breaker = rollout.deployment_circuit_breaker
    if breaker is not None and breaker.status == "MONITORING":
        breaker = evolve(breaker, status="MONITORING_COMPLETE")
    return evolve(
        rollout,
        status=status,
        status_reason=why or None,
        finished_at=now,
        stopped_at=now if status == "STOPPED" else None,
        updated_at=now,
        deployment_circuit_breaker=breaker,
    )


def _counted(rollout: ServiceDeployment, record: ServiceRecord, target: DeploymentRecord | None) -> ServiceDeployment:
    if target is None:
        return rollout
    breaker = breaker_of(record.service)
    status: ServiceDeploymentRollbackMonitorsStatus = "MONITORING"
    if breaker is None:
        status = "DISABLED"
    elif target.rollout_state == "FAILED":
        status = "TRIGGERED"
    shape = ServiceDeploymentCircuitBreaker(
        status=status,
        failure_count=target.failures,
        threshold=threshold(breaker, max(1, record.service.desired_count or 0)) if breaker else None,
    )
    return evolve(
        rollout,
        deployment_circuit_breaker=shape,
        lifecycle_stage=target.stage,
        lifecycle_hook_details=target.hooks or None,
    )
