"""How a service's deployment is getting on, as far as somebody who waits for it wants to know. Pure."""

from __future__ import annotations

from ecsctl.model.arn import last_part
from ecsctl.model.deployment_configuration import DeploymentCircuitBreaker
from ecsctl.model.service import Deployment, Service
from ecsctl.scheduler.deployments import breaker_of
from ecsctl.scheduler.rollout import threshold


def primary_of(service: Service) -> Deployment:
    return next(found for found in service.deployments or [] if found.status == "PRIMARY")


def why_failed(service: Service) -> str:
    """Why its deployment has failed; empty when it has not.

    Without a circuit breaker, as many failures in a row as would trip one are its failure.
    """
    primary = primary_of(service)
    if primary.rollout_state == "FAILED":
        return str(primary.rollout_state_reason)
    if primary.rollout_state == "COMPLETED" or breaker_of(service) is not None:
        return ""
    limit = threshold(DeploymentCircuitBreaker(enable=True, rollback=False), max(1, service.desired_count or 0))
    failed = primary.failed_tasks or 0
    return f"{failed} tasks of {last_part(str(primary.task_definition))} failed in a row" if failed >= limit else ""
