"""TaskDefinition: volumes, placement, platform and the containers (ECS API reference)."""

from datetime import datetime
from typing import Literal

import msgspec

from ecsctl.model.common import Attribute, KeyValuePair
from ecsctl.model.container_definition import ContainerDefinition
from ecsctl.model.record import Record

NetworkMode = Literal["bridge", "host", "awsvpc", "none"]
Scope = Literal["task", "shared"]
EFSTransitEncryption = Literal["ENABLED", "DISABLED"]
EFSAuthorizationConfigIAM = Literal["ENABLED", "DISABLED"]
TaskDefinitionStatus = Literal["ACTIVE", "INACTIVE", "DELETE_IN_PROGRESS"]
TaskDefinitionPlacementConstraintType = Literal["memberOf"]
Compatibility = Literal["EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"]
CPUArchitecture = Literal["X86_64", "ARM64"]
OSFamily = Literal[
    "WINDOWS_SERVER_2019_FULL",
    "WINDOWS_SERVER_2019_CORE",
    "WINDOWS_SERVER_2016_FULL",
    "WINDOWS_SERVER_2004_CORE",
    "WINDOWS_SERVER_2022_CORE",
    "WINDOWS_SERVER_2022_FULL",
    "WINDOWS_SERVER_2025_CORE",
    "WINDOWS_SERVER_2025_FULL",
    "WINDOWS_SERVER_20H2_CORE",
    "LINUX",
]
PidMode = Literal["host", "task"]
IpcMode = Literal["host", "task", "none"]
ProxyConfigurationType = Literal["APPMESH"]
IsolationMode = Literal["SHARED", "ISOLATED_SANDBOX", "CONFIDENTIAL_SANDBOX"]


class HostVolumeProperties(Record):
    """ECS API_HostVolumeProperties."""

    source_path: str | None = None


class DockerVolumeConfiguration(Record):
    """ECS API_DockerVolumeConfiguration."""

    scope: Scope | None = None
    autoprovision: bool | None = None
    driver: str | None = None
    driver_opts: dict[str, str] | None = None
    labels: dict[str, str] | None = None


class EFSAuthorizationConfig(Record):
    """ECS API_EFSAuthorizationConfig."""

    access_point_id: str | None = None
    iam: EFSAuthorizationConfigIAM | None = None


class EFSVolumeConfiguration(Record):
    """ECS API_EFSVolumeConfiguration."""

    file_system_id: str
    root_directory: str | None = None
    transit_encryption: EFSTransitEncryption | None = None
    transit_encryption_port: int | None = None
    authorization_config: EFSAuthorizationConfig | None = None


class S3FilesVolumeConfiguration(Record):
    """ECS API_S3FilesVolumeConfiguration."""

    file_system_arn: str
    root_directory: str | None = None
    transit_encryption_port: int | None = None
    access_point_arn: str | None = None


class FSxWindowsFileServerAuthorizationConfig(Record):
    """ECS API_FSxWindowsFileServerAuthorizationConfig."""

    credentials_parameter: str
    domain: str


class FSxWindowsFileServerVolumeConfiguration(Record):
    """ECS API_FSxWindowsFileServerVolumeConfiguration."""

    file_system_id: str
    root_directory: str
    authorization_config: FSxWindowsFileServerAuthorizationConfig


class Volume(Record):
    """ECS API_Volume."""

    name: str | None = None
    host: HostVolumeProperties | None = None
    docker_volume_configuration: DockerVolumeConfiguration | None = None
    efs_volume_configuration: EFSVolumeConfiguration | None = None
    s3files_volume_configuration: S3FilesVolumeConfiguration | None = None
    fsx_windows_file_server_volume_configuration: FSxWindowsFileServerVolumeConfiguration | None = None
    configured_at_launch: bool | None = None


class TaskDefinitionPlacementConstraint(Record):
    """ECS API_TaskDefinitionPlacementConstraint."""

    type: TaskDefinitionPlacementConstraintType | None = None
    expression: str | None = None


class RuntimePlatform(Record):
    """ECS API_RuntimePlatform."""

    cpu_architecture: CPUArchitecture | None = None
    operating_system_family: OSFamily | None = None


class InferenceAccelerator(Record):
    """ECS API_InferenceAccelerator."""

    device_name: str
    device_type: str


class ProxyConfiguration(Record):
    """ECS API_ProxyConfiguration."""

    container_name: str
    type: ProxyConfigurationType | None = None
    properties: list[KeyValuePair] | None = None


class EphemeralStorage(Record):
    """ECS API_EphemeralStorage."""

    size_in_gib: int = msgspec.field(name="sizeInGiB")


class TrustedExecutionConfiguration(Record):
    """ECS API_TrustedExecutionConfiguration."""

    isolation_mode: IsolationMode
    attestation_policy: str | None = None


class TaskDefinition(Record):
    """ECS API_TaskDefinition."""

    task_definition_arn: str | None = None
    container_definitions: list[ContainerDefinition] | None = None
    family: str | None = None
    task_role_arn: str | None = None
    execution_role_arn: str | None = None
    network_mode: NetworkMode | None = None
    revision: int | None = None
    volumes: list[Volume] | None = None
    status: TaskDefinitionStatus | None = None
    requires_attributes: list[Attribute] | None = None
    placement_constraints: list[TaskDefinitionPlacementConstraint] | None = None
    compatibilities: list[Compatibility] | None = None
    runtime_platform: RuntimePlatform | None = None
    requires_compatibilities: list[Compatibility] | None = None
    cpu: str | None = None
    memory: str | None = None
    inference_accelerators: list[InferenceAccelerator] | None = None
    pid_mode: PidMode | None = None
    ipc_mode: IpcMode | None = None
    proxy_configuration: ProxyConfiguration | None = None
    registered_at: datetime | None = None
    deregistered_at: datetime | None = None
    delete_requested_at: datetime | None = None
    registered_by: str | None = None
    ephemeral_storage: EphemeralStorage | None = None
    enable_fault_injection: bool | None = None
    trusted_execution_configuration: TrustedExecutionConfiguration | None = None
