"""What tasks of a service are reached by: load balancers, registries, Service Connect (ECS API reference)."""

from typing import Literal

from ecsctl.model.container_definition import LogConfiguration
from ecsctl.model.record import Record

ServiceConnectAccessLoggingFormat = Literal["TEXT", "JSON"]
ServiceConnectIncludeQueryParameters = Literal["ENABLED", "DISABLED"]
ServiceConnectContainerLogLevel = Literal["debug", "info"]


class AdvancedConfiguration(Record):
    """ECS API_AdvancedConfiguration."""

    alternate_target_group_arn: str | None = None
    production_listener_rule: str | None = None
    test_listener_rule: str | None = None
    role_arn: str | None = None


class LoadBalancer(Record):
    """ECS API_LoadBalancer."""

    target_group_arn: str | None = None
    load_balancer_name: str | None = None
    container_name: str | None = None
    container_port: int | None = None
    advanced_configuration: AdvancedConfiguration | None = None


class ServiceRegistry(Record):
    """ECS API_ServiceRegistry."""

    registry_arn: str | None = None
    port: int | None = None
    container_name: str | None = None
    container_port: int | None = None


class ServiceConnectTestTrafficHeaderMatchRules(Record):
    """ECS API_ServiceConnectTestTrafficHeaderMatchRules."""

    exact: str


class ServiceConnectTestTrafficHeaderRules(Record):
    """ECS API_ServiceConnectTestTrafficHeaderRules."""

    name: str
    value: ServiceConnectTestTrafficHeaderMatchRules | None = None


class ServiceConnectTestTrafficRules(Record):
    """ECS API_ServiceConnectTestTrafficRules."""

    header: ServiceConnectTestTrafficHeaderRules


class ServiceConnectClientAlias(Record):
    """ECS API_ServiceConnectClientAlias."""

    port: int
    dns_name: str | None = None
    test_traffic_rules: ServiceConnectTestTrafficRules | None = None


class TimeoutConfiguration(Record):
    """ECS API_TimeoutConfiguration."""

    idle_timeout_seconds: int | None = None
    per_request_timeout_seconds: int | None = None


class ServiceConnectTlsCertificateAuthority(Record):
    """ECS API_ServiceConnectTlsCertificateAuthority."""

    aws_pca_authority_arn: str | None = None


class ServiceConnectTlsConfiguration(Record):
    """ECS API_ServiceConnectTlsConfiguration."""

    issuer_certificate_authority: ServiceConnectTlsCertificateAuthority
    kms_key: str | None = None
    role_arn: str | None = None


class ServiceConnectService(Record):
    """ECS API_ServiceConnectService."""

    port_name: str
    discovery_name: str | None = None
    client_aliases: list[ServiceConnectClientAlias] | None = None
    ingress_port_override: int | None = None
    timeout: TimeoutConfiguration | None = None
    tls: ServiceConnectTlsConfiguration | None = None


class ServiceConnectAccessLogConfiguration(Record):
    """ECS API_ServiceConnectAccessLogConfiguration."""

    format: ServiceConnectAccessLoggingFormat
    include_query_parameters: ServiceConnectIncludeQueryParameters | None = None


class ServiceConnectContainerConfiguration(Record):
    """ECS API_ServiceConnectContainerConfiguration."""

    log_level: ServiceConnectContainerLogLevel | None = None


class ServiceConnectConfiguration(Record):
    """ECS API_ServiceConnectConfiguration."""

    enabled: bool
    namespace: str | None = None
    services: list[ServiceConnectService] | None = None
    log_configuration: LogConfiguration | None = None
    access_log_configuration: ServiceConnectAccessLogConfiguration | None = None
    container_configurations: list[ServiceConnectContainerConfiguration] | None = None


class ServiceConnectServiceResource(Record):
    """ECS API_ServiceConnectServiceResource."""

    discovery_name: str | None = None
    discovery_arn: str | None = None


class VpcLatticeAdvancedConfiguration(Record):
    """ECS API_VpcLatticeAdvancedConfiguration."""

    alternate_target_group_arn: str | None = None
    production_listener_rule: str | None = None
    test_listener_rule: str | None = None


class VpcLatticeConfiguration(Record):
    """ECS API_VpcLatticeConfiguration."""

    role_arn: str
    target_group_arn: str
    port_name: str
    advanced_configuration: VpcLatticeAdvancedConfiguration | None = None
