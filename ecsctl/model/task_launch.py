"""What is asked of new tasks, a service's or not: where they go, their network, their volume (ECS API_RunTask)."""

from typing import Literal

import msgspec

from ecsctl.model.common import Tag
from ecsctl.model.record import Record

AssignPublicIp = Literal["ENABLED", "DISABLED"]
PlacementConstraintType = Literal["distinctInstance", "memberOf"]
PlacementStrategyType = Literal["random", "spread", "binpack"]
PropagateTags = Literal["TASK_DEFINITION", "SERVICE", "NONE"]
EBSResourceType = Literal["volume"]
TaskFilesystemType = Literal["ext3", "ext4", "xfs", "ntfs"]


class AwsVpcConfiguration(Record):
    """ECS API_AwsVpcConfiguration."""

    subnets: list[str]
    security_groups: list[str] | None = None
    assign_public_ip: AssignPublicIp | None = None


class NetworkConfiguration(Record):
    """ECS API_NetworkConfiguration."""

    awsvpc_configuration: AwsVpcConfiguration | None = None


class PlacementConstraint(Record):
    """ECS API_PlacementConstraint."""

    type: PlacementConstraintType | None = None
    expression: str | None = None


class PlacementStrategy(Record):
    """ECS API_PlacementStrategy."""

    type: PlacementStrategyType | None = None
    field: str | None = None


class EBSTagSpecification(Record):
    """ECS API_EBSTagSpecification."""

    resource_type: EBSResourceType
    tags: list[Tag] | None = None
    propagate_tags: PropagateTags | None = None


class TaskManagedEBSVolumeTerminationPolicy(Record):
    """ECS API_TaskManagedEBSVolumeTerminationPolicy."""

    delete_on_termination: bool


class TaskManagedEBSVolumeConfiguration(Record):
    """ECS API_TaskManagedEBSVolumeConfiguration."""

    role_arn: str
    encrypted: bool | None = None
    kms_key_id: str | None = None
    volume_type: str | None = None
    size_in_gib: int | None = msgspec.field(default=None, name="sizeInGiB")
    snapshot_id: str | None = None
    volume_initialization_rate: int | None = None
    iops: int | None = None
    throughput: int | None = None
    tag_specifications: list[EBSTagSpecification] | None = None
    termination_policy: TaskManagedEBSVolumeTerminationPolicy | None = None
    filesystem_type: TaskFilesystemType | None = None


class TaskVolumeConfiguration(Record):
    """ECS API_TaskVolumeConfiguration."""

    name: str
    managed_ebs_volume: TaskManagedEBSVolumeConfiguration | None = msgspec.field(default=None, name="managedEBSVolume")
