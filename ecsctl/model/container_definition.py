"""ContainerDefinition and everything inside it, field for field as ECS publishes it."""

from typing import Literal

from ecsctl.model.common import KeyValuePair
from ecsctl.model.record import Record

TransportProtocol = Literal["tcp", "udp"]
ApplicationProtocol = Literal["http", "http2", "grpc"]
EnvironmentFileType = Literal["s3"]
DeviceCgroupPermission = Literal["read", "write", "mknod"]
ContainerCondition = Literal["START", "COMPLETE", "SUCCESS", "HEALTHY"]
VersionConsistency = Literal["enabled", "disabled"]
UlimitName = Literal[
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
]
LogDriver = Literal["json-file", "syslog", "journald", "gelf", "fluentd", "awslogs", "splunk", "awsfirelens", "local"]
"""ECS's, and `local`, which engines have besides."""
ResourceType = Literal["GPU", "InferenceAccelerator", "NeuronDevice"]
FirelensConfigurationType = Literal["fluentd", "fluentbit"]


class RepositoryCredentials(Record):
    """ECS API_RepositoryCredentials."""

    credentials_parameter: str


class PortMapping(Record):
    """ECS API_PortMapping."""

    container_port: int | None = None
    host_port: int | None = None
    protocol: TransportProtocol | None = None
    name: str | None = None
    app_protocol: ApplicationProtocol | None = None
    container_port_range: str | None = None


class ContainerRestartPolicy(Record):
    """ECS API_ContainerRestartPolicy."""

    enabled: bool
    ignored_exit_codes: list[int] | None = None
    restart_attempt_period: int | None = None


class EnvironmentFile(Record):
    """ECS API_EnvironmentFile."""

    value: str
    type: EnvironmentFileType


class MountPoint(Record):
    """ECS API_MountPoint."""

    source_volume: str | None = None
    container_path: str | None = None
    read_only: bool | None = None


class VolumeFrom(Record):
    """ECS API_VolumeFrom."""

    source_container: str | None = None
    read_only: bool | None = None


class KernelCapabilities(Record):
    """ECS API_KernelCapabilities."""

    add: list[str] | None = None
    drop: list[str] | None = None


class Device(Record):
    """ECS API_Device."""

    host_path: str
    container_path: str | None = None
    permissions: list[DeviceCgroupPermission] | None = None


class Tmpfs(Record):
    """ECS API_Tmpfs."""

    container_path: str
    size: int
    mount_options: list[str] | None = None


class LinuxParameters(Record):
    """ECS API_LinuxParameters."""

    capabilities: KernelCapabilities | None = None
    devices: list[Device] | None = None
    init_process_enabled: bool | None = None
    shared_memory_size: int | None = None
    tmpfs: list[Tmpfs] | None = None
    max_swap: int | None = None
    swappiness: int | None = None


class Secret(Record):
    """ECS API_Secret."""

    name: str
    value_from: str


class ContainerDependency(Record):
    """ECS API_ContainerDependency."""

    container_name: str
    condition: ContainerCondition


class HostEntry(Record):
    """ECS API_HostEntry."""

    hostname: str
    ip_address: str


class Ulimit(Record):
    """ECS API_Ulimit."""

    name: UlimitName
    soft_limit: int
    hard_limit: int


class LogConfiguration(Record):
    """ECS API_LogConfiguration."""

    log_driver: LogDriver
    options: dict[str, str] | None = None
    secret_options: list[Secret] | None = None


class HealthCheck(Record):
    """ECS API_HealthCheck."""

    command: list[str]
    interval: int | None = None
    timeout: int | None = None
    retries: int | None = None
    start_period: int | None = None


class SystemControl(Record):
    """ECS API_SystemControl."""

    namespace: str | None = None
    value: str | None = None


class NvidiaMpsAllocation(Record):
    """ECS API_NvidiaMpsAllocation."""

    memory: int
    max_compute_percent: int | None = None


class SharingStrategy(Record):
    """ECS API_SharingStrategy."""

    nvidia_mps: NvidiaMpsAllocation | None = None


class ResourceRequirement(Record):
    """ECS API_ResourceRequirement."""

    type: ResourceType
    value: str | None = None
    sharing_strategy: SharingStrategy | None = None


class FirelensConfiguration(Record):
    """ECS API_FirelensConfiguration."""

    type: FirelensConfigurationType
    options: dict[str, str] | None = None


class ContainerDefinition(Record):
    """ECS API_ContainerDefinition."""

    name: str | None = None
    image: str | None = None
    repository_credentials: RepositoryCredentials | None = None
    cpu: int | None = None
    memory: int | None = None
    memory_reservation: int | None = None
    links: list[str] | None = None
    port_mappings: list[PortMapping] | None = None
    essential: bool | None = None
    restart_policy: ContainerRestartPolicy | None = None
    entry_point: list[str] | None = None
    command: list[str] | None = None
    environment: list[KeyValuePair] | None = None
    environment_files: list[EnvironmentFile] | None = None
    mount_points: list[MountPoint] | None = None
    volumes_from: list[VolumeFrom] | None = None
    linux_parameters: LinuxParameters | None = None
    secrets: list[Secret] | None = None
    depends_on: list[ContainerDependency] | None = None
    start_timeout: int | None = None
    stop_timeout: int | None = None
    version_consistency: VersionConsistency | None = None
    hostname: str | None = None
    user: str | None = None
    working_directory: str | None = None
    disable_networking: bool | None = None
    privileged: bool | None = None
    readonly_root_filesystem: bool | None = None
    dns_servers: list[str] | None = None
    dns_search_domains: list[str] | None = None
    extra_hosts: list[HostEntry] | None = None
    docker_security_options: list[str] | None = None
    interactive: bool | None = None
    pseudo_terminal: bool | None = None
    docker_labels: dict[str, str] | None = None
    ulimits: list[Ulimit] | None = None
    log_configuration: LogConfiguration | None = None
    health_check: HealthCheck | None = None
    system_controls: list[SystemControl] | None = None
    resource_requirements: list[ResourceRequirement] | None = None
    firelens_configuration: FirelensConfiguration | None = None
    credential_specs: list[str] | None = None

    @property
    def has_health_check(self) -> bool:
        """Whether there is one: `NONE` says that the image's own is not used either."""
        return self.health_check is not None and self.health_check.command[:1] != ["NONE"]
