"""ContainerInstance: a Docker host with its resources (ECS API_ContainerInstance)."""

from datetime import datetime
from typing import Literal

from ecsctl.model.cluster import Attachment
from ecsctl.model.common import Attribute, Tag
from ecsctl.model.record import Record

AgentUpdateStatus = Literal["PENDING", "STAGING", "STAGED", "UPDATING", "UPDATED", "FAILED"]
InstanceHealthCheckState = Literal["OK", "IMPAIRED", "INSUFFICIENT_DATA", "INITIALIZING"]
InstanceHealthCheckType = Literal["CONTAINER_RUNTIME", "ACCELERATED_COMPUTE", "DAEMON", "AGENT_CONNECTIVITY"]
GpuSharingMode = Literal["IDLE", "NVIDIA_MPS", "DEDICATED"]


class VersionInfo(Record):
    """ECS API_VersionInfo."""

    agent_version: str | None = None
    agent_hash: str | None = None
    docker_version: str | None = None


class Resource(Record):
    """ECS API_Resource."""

    name: str | None = None
    type: str | None = None
    double_value: float | None = None
    long_value: int | None = None
    integer_value: int | None = None
    string_set_value: list[str] | None = None


class InstanceHealthCheckResult(Record):
    """ECS API_InstanceHealthCheckResult."""

    type: InstanceHealthCheckType | None = None
    status: InstanceHealthCheckState | None = None
    status_reason: str | None = None
    last_updated: datetime | None = None
    last_status_change: datetime | None = None


class ContainerInstanceHealthStatus(Record):
    """ECS API_ContainerInstanceHealthStatus."""

    overall_status: InstanceHealthCheckState | None = None
    details: list[InstanceHealthCheckResult] | None = None


class GpuDevice(Record):
    """ECS API_GpuDevice."""

    gpu_id: str | None = None
    sharing_mode: GpuSharingMode | None = None
    total_memory_in_mi_b: int | None = None
    remaining_memory_in_mi_b: int | None = None
    container_count: int | None = None


class ContainerInstance(Record):
    """ECS API_ContainerInstance."""

    container_instance_arn: str | None = None
    ec2_instance_id: str | None = None
    capacity_provider_name: str | None = None
    version: int | None = None
    version_info: VersionInfo | None = None
    remaining_resources: list[Resource] | None = None
    registered_resources: list[Resource] | None = None
    status: str | None = None
    status_reason: str | None = None
    agent_connected: bool | None = None
    running_tasks_count: int | None = None
    pending_tasks_count: int | None = None
    agent_update_status: AgentUpdateStatus | None = None
    attributes: list[Attribute] | None = None
    registered_at: datetime | None = None
    attachments: list[Attachment] | None = None
    tags: list[Tag] | None = None
    health_status: ContainerInstanceHealthStatus | None = None
    gpu_devices: list[GpuDevice] | None = None


def attribute_of(instance: ContainerInstance, name: str) -> str | None:
    """The value of an attribute; None where it has none."""
    return next((found.value for found in instance.attributes or [] if found.name == name), None)


def amount(found: list[Resource] | None, name: str) -> int:
    """The whole number a resource list gives for CPU or MEMORY."""
    return next((resource.integer_value or 0 for resource in found or [] if resource.name == name), 0)


def gpu_ids(found: list[Resource] | None) -> list[str]:
    """The ids that a resource list gives for GPU."""
    return next((resource.string_set_value or [] for resource in found or [] if resource.name == "GPU"), [])


def reserved_ports(found: list[Resource] | None) -> set[tuple[int, str]]:
    """The ports, with their protocols, that a resource list gives as taken."""
    kinds = {"PORTS": "tcp", "PORTS_UDP": "udp"}
    return {
        (int(port), kinds[resource.name])
        for resource in found or []
        if resource.name in kinds
        for port in resource.string_set_value or []
    }
