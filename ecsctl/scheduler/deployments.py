"""The deployments of a service, as its record has them: what can be gone back to, and other names for them. Pure."""

from __future__ import annotations

from datetime import datetime

from ecsctl.model.deployment_configuration import DeploymentCircuitBreaker
from ecsctl.model.record import evolve
from ecsctl.model.service import Service
from ecsctl.model.stored import DeploymentRecord, ServiceRecord


def copied(record: ServiceRecord) -> ServiceRecord:
    """A service record that can be changed in place."""
    return evolve(
        record,
        service=evolve(record.service),
        deployments=[evolve(deployment) for deployment in record.deployments],
        task_sets=[evolve(task_set) for task_set in record.task_sets],
    )


def last_good(record: ServiceRecord) -> DeploymentRecord | None:
    """The deployment that can be rolled back to: the newest that was COMPLETED, other than the PRIMARY."""
    return next((d for d in record.deployments if d.completed and d.id != record.primary.id), None)


def superseded(deployment: DeploymentRecord, desired: int) -> DeploymentRecord:
    """A deployment, PRIMARY or ACTIVE, of a service of so many tasks when it gets a newer one."""
    if deployment.status == "ACTIVE":
        return deployment
    failures = 0 if deployment.completed else deployment.failures
    return evolve(deployment, status="ACTIVE", keeps=desired, failures=failures)


def roll_back(record: ServiceRecord, back: DeploymentRecord, why: str, now: datetime) -> None:
    """Make `back` the PRIMARY deployment again, in place."""
    record.primary.status = "ACTIVE"
    back.status, back.rollout_state, back.rollout_state_reason = "PRIMARY", "IN_PROGRESS", why
    back.completed, back.updated_at = False, now
    back.failures = back.start_failures = 0
    back.next_attempt_at, back.obstacle = None, ""
    record.service.task_definition = back.task_definition_arn
    record.service.network_configuration = back.network
    record.service.service_connect_configuration = back.connect
    record.service.service_registries = back.registries


def revision_of(service: Service, deployment: str) -> str:
    """The ARN of the service revision that a deployment (by id) rolls out; both have the same number."""
    return revision_arn(str(service.service_arn), deployment)


def revision_arn(service: str, deployment: str) -> str:
    """The same, of a service by its ARN."""
    return f"{service}/{deployment.rpartition('/')[2]}".replace(":service/", ":service-revision/", 1)


def deployment_of(revision: str) -> str:
    """The id of the deployment that rolls out a service revision (by ARN)."""
    return f"ecs-svc/{revision.rpartition('/')[2]}"


def breaker_of(service: Service) -> DeploymentCircuitBreaker | None:
    """The circuit breaker, if the service has one that is enabled."""
    configuration = service.deployment_configuration
    breaker = configuration.deployment_circuit_breaker if configuration else None
    return breaker if breaker is not None and breaker.enable else None
