"""Requests and responses of the capacity provider actions."""

from typing import Literal

from ecsctl.model.auto_scaling import (
    AutoScalingGroupProvider,
    ManagedDraining,
    ManagedScaling,
    ManagedTerminationProtection,
)
from ecsctl.model.capacity_provider import CapacityProvider
from ecsctl.model.cluster import CapacityProviderStrategyItem, Cluster
from ecsctl.model.common import Failure, Tag
from ecsctl.model.managed_instances import (
    AutoRepairConfiguration,
    CapacityReservationRequest,
    InfrastructureOptimization,
    InstanceLaunchTemplate,
    InstanceRequirementsRequest,
    ManagedInstancesLocalStorageConfiguration,
    ManagedInstancesMonitoringOptions,
    ManagedInstancesNetworkConfiguration,
    ManagedInstancesStorageConfiguration,
    PropagateMITags,
)
from ecsctl.model.record import Record

CapacityProviderField = Literal["TAGS"]


class CreateManagedInstancesProviderConfiguration(Record):
    """ECS API_CreateManagedInstancesProviderConfiguration."""

    infrastructure_role_arn: str
    instance_launch_template: InstanceLaunchTemplate
    propagate_tags: PropagateMITags | None = None
    infrastructure_optimization: InfrastructureOptimization | None = None
    auto_repair_configuration: AutoRepairConfiguration | None = None


class CreateCapacityProviderRequest(Record):
    """ECS API_CreateCapacityProvider."""

    name: str
    cluster: str | None = None
    auto_scaling_group_provider: AutoScalingGroupProvider | None = None
    managed_instances_provider: CreateManagedInstancesProviderConfiguration | None = None
    tags: list[Tag] | None = None


class CreateCapacityProviderResponse(Record):
    """ECS API_CreateCapacityProvider."""

    capacity_provider: CapacityProvider | None = None


class DescribeCapacityProvidersRequest(Record):
    """ECS API_DescribeCapacityProviders."""

    capacity_providers: list[str] | None = None
    cluster: str | None = None
    include: list[CapacityProviderField] | None = None
    max_results: int | None = None
    next_token: str | None = None


class DescribeCapacityProvidersResponse(Record):
    """ECS API_DescribeCapacityProviders."""

    capacity_providers: list[CapacityProvider] | None = None
    failures: list[Failure] | None = None
    next_token: str | None = None


class AutoScalingGroupProviderUpdate(Record):
    """ECS API_AutoScalingGroupProviderUpdate."""

    managed_scaling: ManagedScaling | None = None
    managed_termination_protection: ManagedTerminationProtection | None = None
    managed_draining: ManagedDraining | None = None


class InstanceLaunchTemplateUpdate(Record):
    """ECS API_InstanceLaunchTemplateUpdate."""

    ec2_instance_profile_arn: str | None = None
    network_configuration: ManagedInstancesNetworkConfiguration | None = None
    storage_configuration: ManagedInstancesStorageConfiguration | None = None
    instance_metadata_tags_propagation: bool | None = None
    local_storage_configuration: ManagedInstancesLocalStorageConfiguration | None = None
    monitoring: ManagedInstancesMonitoringOptions | None = None
    instance_requirements: InstanceRequirementsRequest | None = None
    capacity_reservations: CapacityReservationRequest | None = None


class UpdateManagedInstancesProviderConfiguration(Record):
    """ECS API_UpdateManagedInstancesProviderConfiguration."""

    infrastructure_role_arn: str
    instance_launch_template: InstanceLaunchTemplateUpdate
    propagate_tags: PropagateMITags | None = None
    infrastructure_optimization: InfrastructureOptimization | None = None
    auto_repair_configuration: AutoRepairConfiguration | None = None


class UpdateCapacityProviderRequest(Record):
    """ECS API_UpdateCapacityProvider."""

    name: str
    cluster: str | None = None
    auto_scaling_group_provider: AutoScalingGroupProviderUpdate | None = None
    managed_instances_provider: UpdateManagedInstancesProviderConfiguration | None = None


class UpdateCapacityProviderResponse(Record):
    """ECS API_UpdateCapacityProvider."""

    capacity_provider: CapacityProvider | None = None


class DeleteCapacityProviderRequest(Record):
    """ECS API_DeleteCapacityProvider."""

    capacity_provider: str
    cluster: str | None = None


class DeleteCapacityProviderResponse(Record):
    """ECS API_DeleteCapacityProvider."""

    capacity_provider: CapacityProvider | None = None


class PutClusterCapacityProvidersRequest(Record):
    """ECS API_PutClusterCapacityProviders."""

    cluster: str
    capacity_providers: list[str]
    default_capacity_provider_strategy: list[CapacityProviderStrategyItem]


class PutClusterCapacityProvidersResponse(Record):
    """ECS API_PutClusterCapacityProviders."""

    cluster: Cluster | None = None
