"""Capacity provider (ECS API_CapacityProvider)."""

from typing import Literal

from ecsctl.model.auto_scaling import AutoScalingGroupProvider
from ecsctl.model.common import Tag
from ecsctl.model.managed_instances import ManagedInstancesProvider
from ecsctl.model.record import Record

CapacityProviderStatus = Literal["PROVISIONING", "ACTIVE", "DEPROVISIONING", "INACTIVE"]
CapacityProviderUpdateStatus = Literal[
    "CREATE_IN_PROGRESS",
    "CREATE_COMPLETE",
    "CREATE_FAILED",
    "DELETE_IN_PROGRESS",
    "DELETE_COMPLETE",
    "DELETE_FAILED",
    "UPDATE_IN_PROGRESS",
    "UPDATE_COMPLETE",
    "UPDATE_FAILED",
]
CapacityProviderType = Literal["EC2_AUTOSCALING", "MANAGED_INSTANCES", "FARGATE", "FARGATE_SPOT"]


class CapacityProvider(Record):
    """ECS API_CapacityProvider."""

    capacity_provider_arn: str | None = None
    name: str | None = None
    cluster: str | None = None
    status: CapacityProviderStatus | None = None
    auto_scaling_group_provider: AutoScalingGroupProvider | None = None
    managed_instances_provider: ManagedInstancesProvider | None = None
    update_status: CapacityProviderUpdateStatus | None = None
    update_status_reason: str | None = None
    tags: list[Tag] | None = None
    type: CapacityProviderType | None = None
