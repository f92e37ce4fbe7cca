"""Requests and responses of the service actions."""

from typing import Literal

import msgspec

from ecsctl.model.cluster import CapacityProviderStrategyItem
from ecsctl.model.common import Failure, Tag
from ecsctl.model.deployment_configuration import DeploymentConfiguration, DeploymentController
from ecsctl.model.gateway_connector import GatewayConnector
from ecsctl.model.loss import LossPolicy
from ecsctl.model.record import Record
from ecsctl.model.service import (
    AvailabilityZoneRebalancing,
    ResourceManagementType,
    SchedulingStrategy,
    Service,
    ServiceVolumeConfiguration,
)
from ecsctl.model.service_deployment import MonitoringConfiguration
from ecsctl.model.service_network import (
    LoadBalancer,
    ServiceConnectConfiguration,
    ServiceRegistry,
    VpcLatticeConfiguration,
)
from ecsctl.model.task import LaunchType
from ecsctl.model.task_launch import NetworkConfiguration, PlacementConstraint, PlacementStrategy, PropagateTags

ServiceField = Literal["TAGS"]


class CreateServiceRequest(Record):
    """ECS API_CreateService; `priority` and `preemption_priority` are ours, as in RunTask, and `loss_policy`."""

    service_name: str
    cluster: str | None = None
    task_definition: str | None = None
    availability_zone_rebalancing: AvailabilityZoneRebalancing | None = None
    load_balancers: list[LoadBalancer] | None = None
    service_registries: list[ServiceRegistry] | None = None
    desired_count: int | None = None
    client_token: str | None = None
    launch_type: LaunchType | None = None
    capacity_provider_strategy: list[CapacityProviderStrategyItem] | None = None
    platform_version: str | None = None
    role: str | None = None
    deployment_configuration: DeploymentConfiguration | None = None
    placement_constraints: list[PlacementConstraint] | None = None
    placement_strategy: list[PlacementStrategy] | None = None
    network_configuration: NetworkConfiguration | None = None
    health_check_grace_period_seconds: int | None = None
    scheduling_strategy: SchedulingStrategy | None = None
    deployment_controller: DeploymentController | None = None
    tags: list[Tag] | None = None
    enable_ecs_managed_tags: bool | None = msgspec.field(default=None, name="enableECSManagedTags")
    propagate_tags: PropagateTags | None = None
    enable_execute_command: bool | None = None
    service_connect_configuration: ServiceConnectConfiguration | None = None
    volume_configurations: list[ServiceVolumeConfiguration] | None = None
    vpc_lattice_configurations: list[VpcLatticeConfiguration] | None = None
    gateway_connectors: list[GatewayConnector] | None = None
    monitoring: MonitoringConfiguration | None = None
    priority: str | None = None
    preemption_priority: int | None = None
    loss_policy: LossPolicy | None = None


class CreateServiceResponse(Record):
    """ECS API_CreateService."""

    service: Service | None = None


class UpdateServiceRequest(Record):
    """ECS API_UpdateService; `priority` and `preemption_priority` are ours, as in RunTask, and `loss_policy`."""

    service: str
    cluster: str | None = None
    desired_count: int | None = None
    task_definition: str | None = None
    capacity_provider_strategy: list[CapacityProviderStrategyItem] | None = None
    deployment_configuration: DeploymentConfiguration | None = None
    availability_zone_rebalancing: AvailabilityZoneRebalancing | None = None
    network_configuration: NetworkConfiguration | None = None
    placement_constraints: list[PlacementConstraint] | None = None
    placement_strategy: list[PlacementStrategy] | None = None
    platform_version: str | None = None
    force_new_deployment: bool | None = None
    health_check_grace_period_seconds: int | None = None
    deployment_controller: DeploymentController | None = None
    enable_execute_command: bool | None = None
    enable_ecs_managed_tags: bool | None = msgspec.field(default=None, name="enableECSManagedTags")
    load_balancers: list[LoadBalancer] | None = None
    propagate_tags: PropagateTags | None = None
    service_registries: list[ServiceRegistry] | None = None
    service_connect_configuration: ServiceConnectConfiguration | None = None
    volume_configurations: list[ServiceVolumeConfiguration] | None = None
    vpc_lattice_configurations: list[VpcLatticeConfiguration] | None = None
    gateway_connectors: list[GatewayConnector] | None = None
    monitoring: MonitoringConfiguration | None = None
    priority: str | None = None
    preemption_priority: int | None = None
    loss_policy: LossPolicy | None = None


class UpdateServiceResponse(Record):
    """ECS API_UpdateService."""

    service: Service | None = None


class DeleteServiceRequest(Record):
    """ECS API_DeleteService."""

    service: str
    cluster: str | None = None
    force: bool | None = None


class DeleteServiceResponse(Record):
    """ECS API_DeleteService."""

    service: Service | None = None


class DescribeServicesRequest(Record):
    """ECS API_DescribeServices."""

    services: list[str]
    cluster: str | None = None
    include: list[ServiceField] | None = None


class DescribeServicesResponse(Record):
    """ECS API_DescribeServices."""

    services: list[Service] | None = None
    failures: list[Failure] | None = None


class ListServicesRequest(Record):
    """ECS API_ListServices."""

    cluster: str | None = None
    next_token: str | None = None
    max_results: int | None = None
    launch_type: LaunchType | None = None
    scheduling_strategy: SchedulingStrategy | None = None
    resource_management_type: ResourceManagementType | None = None


class ListServicesResponse(Record):
    """ECS API_ListServices."""

    service_arns: list[str] | None = None
    next_token: str | None = None
