"""Task, its containers and overrides (ECS API_Task)."""

from datetime import datetime
from typing import Literal

import msgspec

from ecsctl.model.cluster import Attachment
from ecsctl.model.common import Attribute, KeyValuePair, Tag
from ecsctl.model.container_definition import (
    EnvironmentFile,
    ResourceRequirement,
    SharingStrategy,
    TransportProtocol,
)
from ecsctl.model.record import Record
from ecsctl.model.task_definition import EphemeralStorage, InferenceAccelerator, IsolationMode

Connectivity = Literal["CONNECTED", "DISCONNECTED"]
HealthStatus = Literal["HEALTHY", "UNHEALTHY", "UNKNOWN"]
ManagedAgentName = Literal["ExecuteCommandAgent"]
LaunchType = Literal["EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"]
TaskStopCode = Literal[
    "TaskFailedToStart",
    "EssentialContainerExited",
    "UserInitiated",
    "ServiceSchedulerInitiated",
    "SpotInterruption",
    "TerminationNotice",
    "InfrastructureHealth",
]
AttestationPolicyStatus = Literal["CONFIGURED"]


class NetworkBinding(Record):
    """ECS API_NetworkBinding."""

    bind_ip: str | None = msgspec.field(default=None, name="bindIP")
    container_port: int | None = None
    host_port: int | None = None
    protocol: TransportProtocol | None = None
    container_port_range: str | None = None
    host_port_range: str | None = None


class NetworkInterface(Record):
    """ECS API_NetworkInterface."""

    attachment_id: str | None = None
    private_ipv4_address: str | None = None
    ipv6_address: str | None = None


class ManagedAgent(Record):
    """ECS API_ManagedAgent."""

    last_started_at: datetime | None = None
    name: ManagedAgentName | None = None
    reason: str | None = None
    last_status: str | None = None


class Container(Record):
    """ECS API_Container."""

    container_arn: str | None = None
    task_arn: str | None = None
    name: str | None = None
    image: str | None = None
    image_digest: str | None = None
    runtime_id: str | None = None
    last_status: str | None = None
    exit_code: int | None = None
    reason: str | None = None
    network_bindings: list[NetworkBinding] | None = None
    network_interfaces: list[NetworkInterface] | None = None
    health_status: HealthStatus | None = None
    managed_agents: list[ManagedAgent] | None = None
    cpu: str | None = None
    memory: str | None = None
    memory_reservation: str | None = None
    gpu_ids: list[str] | None = None
    neuron_device_ids: list[str] | None = None
    gpu_sharing_strategy: SharingStrategy | None = None


class ContainerOverride(Record):
    """ECS API_ContainerOverride."""

    name: str | None = None
    command: list[str] | None = None
    environment: list[KeyValuePair] | None = None
    environment_files: list[EnvironmentFile] | None = None
    cpu: int | None = None
    memory: int | None = None
    memory_reservation: int | None = None
    resource_requirements: list[ResourceRequirement] | None = None


class InferenceAcceleratorOverride(Record):
    """ECS API_InferenceAcceleratorOverride."""

    device_name: str | None = None
    device_type: str | None = None


class TaskOverride(Record):
    """ECS API_TaskOverride."""

    container_overrides: list[ContainerOverride] | None = None
    cpu: str | None = None
    inference_accelerator_overrides: list[InferenceAcceleratorOverride] | None = None
    execution_role_arn: str | None = None
    memory: str | None = None
    task_role_arn: str | None = None
    ephemeral_storage: EphemeralStorage | None = None


class TaskEphemeralStorage(Record):
    """ECS API_TaskEphemeralStorage."""

    size_in_gib: int | None = msgspec.field(default=None, name="sizeInGiB")
    kms_key_id: str | None = None


class TrustedExecutionSummary(Record):
    """ECS API_TrustedExecutionSummary."""

    isolation_mode: IsolationMode
    attestation_policy_status: AttestationPolicyStatus | None = None


class Task(Record):
    """ECS API_Task."""

    attachments: list[Attachment] | None = None
    attributes: list[Attribute] | None = None
    availability_zone: str | None = None
    capacity_provider_name: str | None = None
    cluster_arn: str | None = None
    connectivity: Connectivity | None = None
    connectivity_at: datetime | None = None
    container_instance_arn: str | None = None
    containers: list[Container] | None = None
    cpu: str | None = None
    created_at: datetime | None = None
    desired_status: str | None = None
    enable_execute_command: bool | None = None
    execution_stopped_at: datetime | None = None
    group: str | None = None
    health_status: HealthStatus | None = None
    inference_accelerators: list[InferenceAccelerator] | None = None
    last_status: str | None = None
    launch_type: LaunchType | None = None
    memory: str | None = None
    overrides: TaskOverride | None = None
    platform_version: str | None = None
    platform_family: str | None = None
    pull_started_at: datetime | None = None
    pull_stopped_at: datetime | None = None
    started_at: datetime | None = None
    started_by: str | None = None
    stop_code: TaskStopCode | None = None
    stopped_at: datetime | None = None
    stopped_reason: str | None = None
    stopping_at: datetime | None = None
    tags: list[Tag] | None = None
    task_arn: str | None = None
    task_definition_arn: str | None = None
    version: int | None = None
    ephemeral_storage: EphemeralStorage | None = None
    fargate_ephemeral_storage: TaskEphemeralStorage | None = None
    trusted_execution_summary: TrustedExecutionSummary | None = None
