"""The part of a capacity provider that is Amazon ECS Managed Instances (ECS API_ManagedInstancesProvider)."""

from typing import Literal

import msgspec

from ecsctl.model.record import Record

ManagedInstancesMonitoringOptions = Literal["BASIC", "DETAILED"]
CapacityOptionType = Literal["ON_DEMAND", "SPOT", "RESERVED"]
CpuManufacturer = Literal["intel", "amd", "amazon-web-services"]
InstanceGeneration = Literal["current", "previous"]
BareMetal = Literal["included", "required", "excluded"]
BurstablePerformance = Literal["included", "required", "excluded"]
LocalStorage = Literal["included", "required", "excluded"]
LocalStorageType = Literal["hdd", "ssd"]
AcceleratorType = Literal["gpu", "fpga", "inference"]
AcceleratorManufacturer = Literal["amazon-web-services", "amd", "nvidia", "xilinx", "habana"]
AcceleratorName = Literal[
    "a100",
    "inferentia",
    "k520",
    "k80",
    "m60",
    "radeon-pro-v520",
    "t4",
    "vu9p",
    "v100",
    "a10g",
    "h100",
    "t4g",
    "l40s",
    "l4",
]
CapacityReservationPreference = Literal["RESERVATIONS_ONLY", "RESERVATIONS_FIRST", "RESERVATIONS_EXCLUDED"]
PropagateMITags = Literal["CAPACITY_PROVIDER", "NONE"]
AutoRepairActionsStatus = Literal["ENABLED", "DISABLED"]


class ManagedInstancesNetworkConfiguration(Record):
    """ECS API_ManagedInstancesNetworkConfiguration."""

    subnets: list[str] | None = None
    security_groups: list[str] | None = None


class ManagedInstancesStorageConfiguration(Record):
    """ECS API_ManagedInstancesStorageConfiguration."""

    storage_size_gib: int | None = msgspec.field(default=None, name="storageSizeGiB")


class ManagedInstancesLocalStorageConfiguration(Record):
    """ECS API_ManagedInstancesLocalStorageConfiguration."""

    use_local_storage: bool | None = None


class VCpuCountRangeRequest(Record):
    """ECS API_VCpuCountRangeRequest."""

    min: int
    max: int | None = None


class MemoryMiBRequest(Record):
    """ECS API_MemoryMiBRequest."""

    min: int
    max: int | None = None


class MemoryGiBPerVCpuRequest(Record):
    """ECS API_MemoryGiBPerVCpuRequest."""

    min: float | None = None
    max: float | None = None


class NetworkInterfaceCountRequest(Record):
    """ECS API_NetworkInterfaceCountRequest."""

    min: int | None = None
    max: int | None = None


class TotalLocalStorageGBRequest(Record):
    """ECS API_TotalLocalStorageGBRequest."""

    min: float | None = None
    max: float | None = None


class BaselineEbsBandwidthMbpsRequest(Record):
    """ECS API_BaselineEbsBandwidthMbpsRequest."""

    min: int | None = None
    max: int | None = None


class AcceleratorCountRequest(Record):
    """ECS API_AcceleratorCountRequest."""

    min: int | None = None
    max: int | None = None


class AcceleratorTotalMemoryMiBRequest(Record):
    """ECS API_AcceleratorTotalMemoryMiBRequest."""

    min: int | None = None
    max: int | None = None


class NetworkBandwidthGbpsRequest(Record):
    """ECS API_NetworkBandwidthGbpsRequest."""

    min: float | None = None
    max: float | None = None


class InstanceRequirementsRequest(Record):
    """ECS API_InstanceRequirementsRequest."""

    v_cpu_count: VCpuCountRangeRequest
    memory_mib: MemoryMiBRequest = msgspec.field(name="memoryMiB")
    cpu_manufacturers: list[CpuManufacturer] | None = None
    memory_gib_per_vcpu: MemoryGiBPerVCpuRequest | None = msgspec.field(default=None, name="memoryGiBPerVCpu")
    excluded_instance_types: list[str] | None = None
    instance_generations: list[InstanceGeneration] | None = None
    spot_max_price_percentage_over_lowest_price: int | None = None
    on_demand_max_price_percentage_over_lowest_price: int | None = None
    bare_metal: BareMetal | None = None
    burstable_performance: BurstablePerformance | None = None
    require_hibernate_support: bool | None = None
    network_interface_count: NetworkInterfaceCountRequest | None = None
    local_storage: LocalStorage | None = None
    local_storage_types: list[LocalStorageType] | None = None
    total_local_storage_gb: TotalLocalStorageGBRequest | None = msgspec.field(default=None, name="totalLocalStorageGB")
    baseline_ebs_bandwidth_mbps: BaselineEbsBandwidthMbpsRequest | None = None
    accelerator_types: list[AcceleratorType] | None = None
    accelerator_count: AcceleratorCountRequest | None = None
    accelerator_manufacturers: list[AcceleratorManufacturer] | None = None
    accelerator_names: list[AcceleratorName] | None = None
    accelerator_total_memory_mib: AcceleratorTotalMemoryMiBRequest | None = msgspec.field(
        default=None, name="acceleratorTotalMemoryMiB"
    )
    network_bandwidth_gbps: NetworkBandwidthGbpsRequest | None = None
    allowed_instance_types: list[str] | None = None
    max_spot_price_as_percentage_of_optimal_on_demand_price: int | None = None


class CapacityReservationRequest(Record):
    """ECS API_CapacityReservationRequest."""

    reservation_group_arn: str | None = None
    reservation_preference: CapacityReservationPreference | None = None


class InstanceLaunchTemplate(Record):
    """ECS API_InstanceLaunchTemplate."""

    ec2_instance_profile_arn: str
    network_configuration: ManagedInstancesNetworkConfiguration
    storage_configuration: ManagedInstancesStorageConfiguration | None = None
    local_storage_configuration: ManagedInstancesLocalStorageConfiguration | None = None
    monitoring: ManagedInstancesMonitoringOptions | None = None
    capacity_option_type: CapacityOptionType | None = None
    instance_metadata_tags_propagation: bool | None = None
    instance_requirements: InstanceRequirementsRequest | None = None
    fips_enabled: bool | None = None
    capacity_reservations: CapacityReservationRequest | None = None
    nitro_enclaves_enabled: bool | None = None


class InfrastructureOptimization(Record):
    """ECS API_InfrastructureOptimization."""

    scale_in_after: int | None = None


class AutoRepairConfiguration(Record):
    """ECS API_AutoRepairConfiguration."""

    actions_status: AutoRepairActionsStatus | None = None


class ManagedInstancesProvider(Record):
    """ECS API_ManagedInstancesProvider."""

    infrastructure_role_arn: str | None = None
    instance_launch_template: InstanceLaunchTemplate | None = None
    propagate_tags: PropagateMITags | None = None
    infrastructure_optimization: InfrastructureOptimization | None = None
    auto_repair_configuration: AutoRepairConfiguration | None = None
