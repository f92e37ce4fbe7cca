"""The part of a capacity provider that is an Auto Scaling group (ECS API_AutoScalingGroupProvider)."""

from typing import Literal

from ecsctl.model.record import Record

ManagedScalingStatus = Literal["ENABLED", "DISABLED"]
ManagedTerminationProtection = Literal["ENABLED", "DISABLED"]
ManagedDraining = Literal["ENABLED", "DISABLED"]


class ManagedScaling(Record):
    """ECS API_ManagedScaling."""

    status: ManagedScalingStatus | None = None
    target_capacity: int | None = None
    minimum_scaling_step_size: int | None = None
    maximum_scaling_step_size: int | None = None
    instance_warmup_period: int | None = None


class AutoScalingGroupProvider(Record):
    """ECS API_AutoScalingGroupProvider."""

    auto_scaling_group_arn: str
    managed_scaling: ManagedScaling | None = None
    managed_termination_protection: ManagedTerminationProtection | None = None
    managed_draining: ManagedDraining | None = None
