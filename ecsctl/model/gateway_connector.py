"""Gateway connectors of services (ECS API_GatewayConnector)."""

from typing import Literal

from ecsctl.model.record import Record

GatewayConnectorHealthCheckProtocol = Literal["HTTP", "HTTPS"]
AccessType = Literal["PUBLIC", "PRIVATE"]


class GatewayConnectorHealthCheckMatcher(Record):
    """ECS API_GatewayConnectorHealthCheckMatcher."""

    http_code: str | None = None
    grpc_code: str | None = None


class GatewayConnectorHealthCheck(Record):
    """ECS API_GatewayConnectorHealthCheck."""

    health_check_protocol: GatewayConnectorHealthCheckProtocol | None = None
    health_check_port: int | None = None
    health_check_path: str | None = None
    health_check_timeout_seconds: int | None = None
    health_check_interval_seconds: int | None = None
    healthy_threshold_count: int | None = None
    unhealthy_threshold_count: int | None = None
    matcher: GatewayConnectorHealthCheckMatcher | None = None


class GatewayConnectorFilters(Record):
    """ECS API_GatewayConnectorFilters."""

    access_types: list[AccessType] | None = None


class GatewayConnectorDeregistrationDelay(Record):
    """ECS API_GatewayConnectorDeregistrationDelay."""

    timeout_seconds: int | None = None


class GatewayConnector(Record):
    """ECS API_GatewayConnector."""

    port_name: str
    health_check: GatewayConnectorHealthCheck | None = None
    filters: GatewayConnectorFilters | None = None
    deregistration_delay: GatewayConnectorDeregistrationDelay | None = None
