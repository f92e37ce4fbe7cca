"""Requests and responses of the actions on service deployments and service revisions."""

from datetime import datetime
from typing import Literal

from ecsctl.model.common import Failure
from ecsctl.model.deployment_configuration import DeploymentLifecycleHookAction
from ecsctl.model.record import Record
from ecsctl.model.service_deployment import (
    ServiceDeployment,
    ServiceDeploymentBrief,
    ServiceDeploymentStatus,
    ServiceRevision,
)

StopServiceDeploymentStopType = Literal["ABORT", "ROLLBACK"]


class CreatedAt(Record):
    """ECS API_CreatedAt."""

    before: datetime | None = None
    after: datetime | None = None


class ListServiceDeploymentsRequest(Record):
    """ECS API_ListServiceDeployments."""

    service: str
    cluster: str | None = None
    status: list[ServiceDeploymentStatus] | None = None
    created_at: CreatedAt | None = None
    next_token: str | None = None
    max_results: int | None = None


class ListServiceDeploymentsResponse(Record):
    """ECS API_ListServiceDeployments."""

    service_deployments: list[ServiceDeploymentBrief] | None = None
    next_token: str | None = None


class DescribeServiceDeploymentsRequest(Record):
    """ECS API_DescribeServiceDeployments."""

    service_deployment_arns: list[str]


class DescribeServiceDeploymentsResponse(Record):
    """ECS API_DescribeServiceDeployments."""

    service_deployments: list[ServiceDeployment] | None = None
    failures: list[Failure] | None = None


class DescribeServiceRevisionsRequest(Record):
    """ECS API_DescribeServiceRevisions."""

    service_revision_arns: list[str]


class DescribeServiceRevisionsResponse(Record):
    """ECS API_DescribeServiceRevisions."""

    service_revisions: list[ServiceRevision] | None = None
    failures: list[Failure] | None = None


class StopServiceDeploymentRequest(Record):
    """ECS API_StopServiceDeployment."""

    service_deployment_arn: str
    stop_type: StopServiceDeploymentStopType | None = None


class StopServiceDeploymentResponse(Record):
    """ECS API_StopServiceDeployment."""

    service_deployment_arn: str | None = None


class ContinueServiceDeploymentRequest(Record):
    """ECS API_ContinueServiceDeployment."""

    service_deployment_arn: str
    hook_id: str
    action: DeploymentLifecycleHookAction | None = None


class ContinueServiceDeploymentResponse(Record):
    """ECS API_ContinueServiceDeployment."""

    service_deployment_arn: str | None = None
