"""Service, its deployments and task sets (ECS API_Service)."""

from datetime import datetime
from typing import Literal

import msgspec

from ecsctl.model.cluster import CapacityProviderStrategyItem
from ecsctl.model.common import Tag
from ecsctl.model.deployment_configuration import DeploymentConfiguration, DeploymentController
from ecsctl.model.loss import LossPolicy
from ecsctl.model.record import Record
from ecsctl.model.service_network import (
    LoadBalancer,
    ServiceConnectConfiguration,
    ServiceConnectServiceResource,
    ServiceRegistry,
    VpcLatticeConfiguration,
)
from ecsctl.model.task import LaunchType
from ecsctl.model.task_launch import (
    EBSTagSpecification,
    NetworkConfiguration,
    PlacementConstraint,
    PlacementStrategy,
    PropagateTags,
    TaskFilesystemType,
)

ScaleUnit = Literal["PERCENT"]
StabilityStatus = Literal["STEADY_STATE", "STABILIZING"]
DeploymentRolloutState = Literal["COMPLETED", "FAILED", "IN_PROGRESS"]
SchedulingStrategy = Literal["REPLICA", "DAEMON"]
AvailabilityZoneRebalancing = Literal["ENABLED", "DISABLED"]
ResourceManagementType = Literal["CUSTOMER", "ECS"]


class Scale(Record):
    """ECS API_Scale."""

    value: float | None = None
    unit: ScaleUnit | None = None


class DeploymentEphemeralStorage(Record):
    """ECS API_DeploymentEphemeralStorage."""

    kms_key_id: str | None = None


class TaskSet(Record):
    """ECS API_TaskSet."""

    id: str | None = None
    task_set_arn: str | None = None
    service_arn: str | None = None
    cluster_arn: str | None = None
    started_by: str | None = None
    external_id: str | None = None
    status: str | None = None
    task_definition: str | None = None
    computed_desired_count: int | None = None
    pending_count: int | None = None
    running_count: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    launch_type: LaunchType | None = None
    capacity_provider_strategy: list[CapacityProviderStrategyItem] | None = None
    platform_version: str | None = None
    platform_family: str | None = None
    network_configuration: NetworkConfiguration | None = None
    load_balancers: list[LoadBalancer] | None = None
    service_registries: list[ServiceRegistry] | None = None
    scale: Scale | None = None
    stability_status: StabilityStatus | None = None
    stability_status_at: datetime | None = None
    tags: list[Tag] | None = None
    fargate_ephemeral_storage: DeploymentEphemeralStorage | None = None


class ServiceManagedEBSVolumeConfiguration(Record):
    """ECS API_ServiceManagedEBSVolumeConfiguration."""

    role_arn: str
    encrypted: bool | None = None
    kms_key_id: str | None = None
    volume_type: str | None = None
    size_in_gi_b: int | None = None
    snapshot_id: str | None = None
    volume_initialization_rate: int | None = None
    iops: int | None = None
    throughput: int | None = None
    tag_specifications: list[EBSTagSpecification] | None = None
    filesystem_type: TaskFilesystemType | None = None


class ServiceVolumeConfiguration(Record):
    """ECS API_ServiceVolumeConfiguration."""

    name: str
    managed_ebs_volume: ServiceManagedEBSVolumeConfiguration | None = msgspec.field(
        default=None, name="managedEBSVolume"
    )


class Deployment(Record):
    """ECS API_Deployment, and of our own: `next_attempt_at`, before which no task is started after failed attempts."""

    id: str | None = None
    status: str | None = None
    task_definition: str | None = None
    desired_count: int | None = None
    pending_count: int | None = None
    running_count: int | None = None
    failed_tasks: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    capacity_provider_strategy: list[CapacityProviderStrategyItem] | None = None
    launch_type: LaunchType | None = None
    platform_version: str | None = None
    platform_family: str | None = None
    network_configuration: NetworkConfiguration | None = None
    rollout_state: DeploymentRolloutState | None = None
    rollout_state_reason: str | None = None
    service_connect_configuration: ServiceConnectConfiguration | None = None
    service_connect_resources: list[ServiceConnectServiceResource] | None = None
    volume_configurations: list[ServiceVolumeConfiguration] | None = None
    fargate_ephemeral_storage: DeploymentEphemeralStorage | None = None
    vpc_lattice_configurations: list[VpcLatticeConfiguration] | None = None
    next_attempt_at: datetime | None = None


class ServiceEvent(Record):
    """ECS API_ServiceEvent."""

    id: str | None = None
    created_at: datetime | None = None
    message: str | None = None


class ServiceCurrentRevisionSummary(Record):
    """ECS API_ServiceCurrentRevisionSummary."""

    arn: str | None = None
    requested_task_count: int | None = None
    running_task_count: int | None = None
    pending_task_count: int | None = None


class Service(Record):
    """ECS API_Service; `priority` and `preemption_priority` are ours, as in RunTask, and `loss_policy`; and so is where
    the `service_connect_configuration` stands that ECS shows of deployments."""

    service_arn: str | None = None
    service_name: str | None = None
    cluster_arn: str | None = None
    load_balancers: list[LoadBalancer] | None = None
    service_registries: list[ServiceRegistry] | None = None
    status: str | None = None
    desired_count: int | None = None
    running_count: int | None = None
    pending_count: int | None = None
    launch_type: LaunchType | None = None
    capacity_provider_strategy: list[CapacityProviderStrategyItem] | None = None
    platform_version: str | None = None
    platform_family: str | None = None
    task_definition: str | None = None
    deployment_configuration: DeploymentConfiguration | None = None
    task_sets: list[TaskSet] | None = None
    deployments: list[Deployment] | None = None
    role_arn: str | None = None
    events: list[ServiceEvent] | None = None
    created_at: datetime | None = None
    current_service_deployment: str | None = None
    current_service_revisions: list[ServiceCurrentRevisionSummary] | None = None
    placement_constraints: list[PlacementConstraint] | None = None
    placement_strategy: list[PlacementStrategy] | None = None
    network_configuration: NetworkConfiguration | None = None
    health_check_grace_period_seconds: int | None = None
    scheduling_strategy: SchedulingStrategy | None = None
    deployment_controller: DeploymentController | None = None
    tags: list[Tag] | None = None
    created_by: str | None = None
    enable_ecs_managed_tags: bool | None = msgspec.field(default=None, name="enableECSManagedTags")
    propagate_tags: PropagateTags | None = None
    enable_execute_command: bool | None = None
    availability_zone_rebalancing: AvailabilityZoneRebalancing | None = None
    resource_management_type: ResourceManagementType | None = None
    priority: str | None = None
    preemption_priority: int | None = None
    loss_policy: LossPolicy | None = None
    service_connect_configuration: ServiceConnectConfiguration | None = None


def is_external(service: Service) -> bool:
    """Whether something else than the service scheduler deploys it, by task sets."""
    return service.deployment_controller is not None and service.deployment_controller.type == "EXTERNAL"
