"""Service deployments and service revisions (ECS API_ServiceDeployment, API_ServiceRevision)."""

from datetime import datetime
from typing import Literal

from ecsctl.model.cluster import CapacityProviderStrategyItem
from ecsctl.model.deployment_configuration import DeploymentConfiguration
from ecsctl.model.deployment_lifecycle import DeploymentLifecycleHookDetail, ServiceDeploymentLifecycleStage
from ecsctl.model.gateway_connector import AccessType, GatewayConnector
from ecsctl.model.record import Record
from ecsctl.model.service import DeploymentEphemeralStorage, ServiceVolumeConfiguration
from ecsctl.model.service_network import (
    LoadBalancer,
    ServiceConnectConfiguration,
    ServiceRegistry,
    VpcLatticeConfiguration,
)
from ecsctl.model.task import LaunchType
from ecsctl.model.task_launch import NetworkConfiguration

ServiceDeploymentStatus = Literal[
    "PENDING",
    "SUCCESSFUL",
    "STOPPED",
    "STOP_REQUESTED",
    "IN_PROGRESS",
    "ROLLBACK_REQUESTED",
    "ROLLBACK_IN_PROGRESS",
    "ROLLBACK_SUCCESSFUL",
    "ROLLBACK_FAILED",
]
ServiceDeploymentRollbackMonitorsStatus = Literal["TRIGGERED", "MONITORING", "MONITORING_COMPLETE", "DISABLED"]
ManagedResourceStatus = Literal["PROVISIONING", "ACTIVE", "DEPROVISIONING", "DELETED", "FAILED"]
GatewayRouteStatus = Literal[
    "ACTIVE",
    "CREATE_IN_PROGRESS",
    "CREATE_FAILED",
    "UPDATE_IN_PROGRESS",
    "UPDATE_FAILED",
    "DELETE_IN_PROGRESS",
    "DELETE_FAILED",
]


class ServiceRevisionSummary(Record):
    """ECS API_ServiceRevisionSummary."""

    arn: str | None = None
    requested_task_count: int | None = None
    running_task_count: int | None = None
    pending_task_count: int | None = None
    requested_test_traffic_weight: float | None = None
    requested_production_traffic_weight: float | None = None


class Rollback(Record):
    """ECS API_Rollback."""

    reason: str | None = None
    started_at: datetime | None = None
    service_revision_arn: str | None = None


class ServiceDeploymentCircuitBreaker(Record):
    """ECS API_ServiceDeploymentCircuitBreaker."""

    status: ServiceDeploymentRollbackMonitorsStatus | None = None
    failure_count: int | None = None
    threshold: int | None = None


class ServiceDeploymentAlarms(Record):
    """ECS API_ServiceDeploymentAlarms."""

    status: ServiceDeploymentRollbackMonitorsStatus | None = None
    alarm_names: list[str] | None = None
    triggered_alarm_names: list[str] | None = None


class ServiceDeployment(Record):
    """ECS API_ServiceDeployment."""

    service_deployment_arn: str | None = None
    service_arn: str | None = None
    cluster_arn: str | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    stopped_at: datetime | None = None
    updated_at: datetime | None = None
    source_service_revisions: list[ServiceRevisionSummary] | None = None
    target_service_revision: ServiceRevisionSummary | None = None
    status: ServiceDeploymentStatus | None = None
    status_reason: str | None = None
    lifecycle_stage: ServiceDeploymentLifecycleStage | None = None
    lifecycle_hook_details: list[DeploymentLifecycleHookDetail] | None = None
    deployment_configuration: DeploymentConfiguration | None = None
    rollback: Rollback | None = None
    deployment_circuit_breaker: ServiceDeploymentCircuitBreaker | None = None
    alarms: ServiceDeploymentAlarms | None = None


class ServiceDeploymentBrief(Record):
    """ECS API_ServiceDeploymentBrief."""

    service_deployment_arn: str | None = None
    service_arn: str | None = None
    cluster_arn: str | None = None
    started_at: datetime | None = None
    created_at: datetime | None = None
    finished_at: datetime | None = None
    target_service_revision_arn: str | None = None
    status: ServiceDeploymentStatus | None = None
    status_reason: str | None = None


class ContainerImage(Record):
    """ECS API_ContainerImage."""

    container_name: str | None = None
    image_digest: str | None = None
    image: str | None = None


class ServiceRevisionLoadBalancer(Record):
    """ECS API_ServiceRevisionLoadBalancer."""

    target_group_arn: str | None = None
    production_listener_rule: str | None = None


class ServiceRevisionVpcLatticeConfiguration(Record):
    """ECS API_ServiceRevisionVpcLatticeConfiguration."""

    target_group_arn: str | None = None
    production_listener_rule: str | None = None


class ResolvedConfiguration(Record):
    """ECS API_ResolvedConfiguration."""

    load_balancers: list[ServiceRevisionLoadBalancer] | None = None
    vpc_lattice_configurations: list[ServiceRevisionVpcLatticeConfiguration] | None = None


class ManagedLoadBalancer(Record):
    """ECS API_ManagedLoadBalancer."""

    status: ManagedResourceStatus
    updated_at: datetime
    scheme: str
    arn: str | None = None
    status_reason: str | None = None
    subnet_ids: list[str] | None = None
    security_group_ids: list[str] | None = None


class ManagedSecurityGroup(Record):
    """ECS API_ManagedSecurityGroup."""

    status: ManagedResourceStatus
    updated_at: datetime
    arn: str | None = None
    status_reason: str | None = None


class ManagedCertificate(Record):
    """ECS API_ManagedCertificate."""

    status: ManagedResourceStatus
    updated_at: datetime
    domain_name: str
    arn: str | None = None
    status_reason: str | None = None


class ManagedListener(Record):
    """ECS API_ManagedListener."""

    status: ManagedResourceStatus
    updated_at: datetime
    arn: str | None = None
    status_reason: str | None = None


class ManagedListenerRule(Record):
    """ECS API_ManagedListenerRule."""

    status: ManagedResourceStatus
    updated_at: datetime
    arn: str | None = None
    status_reason: str | None = None


class ManagedTargetGroup(Record):
    """ECS API_ManagedTargetGroup."""

    status: ManagedResourceStatus
    updated_at: datetime
    health_check_path: str
    health_check_port: int
    port: int
    arn: str | None = None
    status_reason: str | None = None


class ManagedIngressPath(Record):
    """ECS API_ManagedIngressPath."""

    access_type: AccessType
    endpoint: str
    load_balancer: ManagedLoadBalancer | None = None
    load_balancer_security_groups: list[ManagedSecurityGroup] | None = None
    certificate: ManagedCertificate | None = None
    listener: ManagedListener | None = None
    rule: ManagedListenerRule | None = None
    target_groups: list[ManagedTargetGroup] | None = None


class ManagedScalableTarget(Record):
    """ECS API_ManagedScalableTarget."""

    status: ManagedResourceStatus
    updated_at: datetime
    min_capacity: int
    max_capacity: int
    arn: str | None = None
    status_reason: str | None = None


class ManagedApplicationAutoScalingPolicy(Record):
    """ECS API_ManagedApplicationAutoScalingPolicy."""

    status: ManagedResourceStatus
    updated_at: datetime
    policy_type: str
    target_value: float
    metric: str
    arn: str | None = None
    status_reason: str | None = None


class ManagedAutoScaling(Record):
    """ECS API_ManagedAutoScaling."""

    scalable_target: ManagedScalableTarget | None = None
    application_auto_scaling_policies: list[ManagedApplicationAutoScalingPolicy] | None = None


class ManagedMetricAlarm(Record):
    """ECS API_ManagedMetricAlarm."""

    status: ManagedResourceStatus
    updated_at: datetime
    arn: str | None = None
    status_reason: str | None = None


class ManagedLogGroup(Record):
    """ECS API_ManagedLogGroup."""

    status: ManagedResourceStatus
    updated_at: datetime
    log_group_name: str
    arn: str | None = None
    status_reason: str | None = None


class GatewayConnectionAlbResources(Record):
    """ECS API_GatewayConnectionAlbResources."""

    acm_certificate_arn: str | None = None
    load_balancer_arn: str | None = None
    load_balancer_security_group_arns: list[str] | None = None
    listener_arn: str | None = None
    listener_rule_arn: str | None = None
    test_listener_rule_arn: str | None = None
    target_group_arn: str | None = None
    alternate_target_group_arn: str | None = None


class GatewayConnectionResources(Record):
    """ECS API_GatewayConnectionResources."""

    host_shared_alb: list[GatewayConnectionAlbResources] | None = None


class GatewayConnection(Record):
    """ECS API_GatewayConnection."""

    gateway_arn: str | None = None
    gateway_route_arn: str | None = None
    port_name: str | None = None
    service_url: str | None = None
    access_type: AccessType | None = None
    status: GatewayRouteStatus | None = None
    resources: GatewayConnectionResources | None = None


class ECSManagedResources(Record):
    """ECS API_ECSManagedResources."""

    ingress_paths: list[ManagedIngressPath] | None = None
    auto_scaling: ManagedAutoScaling | None = None
    metric_alarms: list[ManagedMetricAlarm] | None = None
    service_security_groups: list[ManagedSecurityGroup] | None = None
    log_groups: list[ManagedLogGroup] | None = None
    gateway_connections: list[GatewayConnection] | None = None


class RuntimePlatformOverride(Record):
    """ECS API_RuntimePlatformOverride."""

    cpu_architecture: str | None = None


class ServiceRevisionOverrides(Record):
    """ECS API_ServiceRevisionOverrides."""

    runtime_platform: RuntimePlatformOverride | None = None


class MetricConfiguration(Record):
    """ECS API_MetricConfiguration."""

    metric_names: list[str]
    resolution_seconds: int


class MonitoringConfiguration(Record):
    """ECS API_MonitoringConfiguration."""

    metric_configurations: list[MetricConfiguration] | None = None


class ServiceRevision(Record):
    """ECS API_ServiceRevision."""

    service_revision_arn: str | None = None
    service_arn: str | None = None
    cluster_arn: str | None = None
    task_definition: str | None = None
    capacity_provider_strategy: list[CapacityProviderStrategyItem] | None = None
    launch_type: LaunchType | None = None
    platform_version: str | None = None
    platform_family: str | None = None
    load_balancers: list[LoadBalancer] | None = None
    service_registries: list[ServiceRegistry] | None = None
    network_configuration: NetworkConfiguration | None = None
    container_images: list[ContainerImage] | None = None
    guard_duty_enabled: bool | None = None
    service_connect_configuration: ServiceConnectConfiguration | None = None
    volume_configurations: list[ServiceVolumeConfiguration] | None = None
    fargate_ephemeral_storage: DeploymentEphemeralStorage | None = None
    created_at: datetime | None = None
    vpc_lattice_configurations: list[VpcLatticeConfiguration] | None = None
    resolved_configuration: ResolvedConfiguration | None = None
    ecs_managed_resources: ECSManagedResources | None = None
    overrides: ServiceRevisionOverrides | None = None
    gateway_connectors: list[GatewayConnector] | None = None
    monitoring: MonitoringConfiguration | None = None
