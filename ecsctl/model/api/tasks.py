"""Requests and responses of the task actions."""

from typing import Literal

import msgspec

from ecsctl.model.cluster import CapacityProviderStrategyItem
from ecsctl.model.common import Failure, Tag
from ecsctl.model.record import Record
from ecsctl.model.task import LaunchType, Task, TaskOverride
from ecsctl.model.task_launch import (
    NetworkConfiguration,
    PlacementConstraint,
    PlacementStrategy,
    PropagateTags,
    TaskVolumeConfiguration,
)

TaskField = Literal["TAGS"]
DesiredStatus = Literal["RUNNING", "PENDING", "STOPPED"]


class RunTaskRequest(Record):
    """What RunTask takes (ECS API_RunTask). Of ours: `priority` is cost, availability, balanced, or a number between 0
    and 1, in place of placement strategies; tasks of a lower `preemption_priority` (0 to 1000, 0 when it is left out)
    make room where there is none; with the same `seed`, chance decides the same."""

    task_definition: str
    capacity_provider_strategy: list[CapacityProviderStrategyItem] | None = None
    cluster: str | None = None
    count: int | None = None
    enable_ecs_managed_tags: bool | None = msgspec.field(default=None, name="enableECSManagedTags")
    enable_execute_command: bool | None = None
    group: str | None = None
    launch_type: LaunchType | None = None
    network_configuration: NetworkConfiguration | None = None
    overrides: TaskOverride | None = None
    placement_constraints: list[PlacementConstraint] | None = None
    placement_strategy: list[PlacementStrategy] | None = None
    platform_version: str | None = None
    propagate_tags: PropagateTags | None = None
    reference_id: str | None = None
    started_by: str | None = None
    tags: list[Tag] | None = None
    client_token: str | None = None
    volume_configurations: list[TaskVolumeConfiguration] | None = None
    priority: str | None = None
    preemption_priority: int | None = None
    seed: int | None = None


class RunTaskResponse(Record):
    """What RunTask answers (ECS API_RunTask)."""

    tasks: list[Task] | None = None
    failures: list[Failure] | None = None


class StartTaskRequest(Record):
    """What StartTask takes (ECS API_StartTask)."""

    container_instances: list[str]
    task_definition: str
    cluster: str | None = None
    enable_ecs_managed_tags: bool | None = msgspec.field(default=None, name="enableECSManagedTags")
    enable_execute_command: bool | None = None
    group: str | None = None
    network_configuration: NetworkConfiguration | None = None
    overrides: TaskOverride | None = None
    propagate_tags: PropagateTags | None = None
    reference_id: str | None = None
    started_by: str | None = None
    tags: list[Tag] | None = None
    volume_configurations: list[TaskVolumeConfiguration] | None = None


class StartTaskResponse(Record):
    """What StartTask answers (ECS API_StartTask)."""

    tasks: list[Task] | None = None
    failures: list[Failure] | None = None


class StopTaskRequest(Record):
    """What StopTask takes (ECS API_StopTask)."""

    task: str
    cluster: str | None = None
    reason: str | None = None


class StopTaskResponse(Record):
    """What StopTask answers (ECS API_StopTask)."""

    task: Task | None = None


class DescribeTasksRequest(Record):
    """What DescribeTasks takes (ECS API_DescribeTasks)."""

    tasks: list[str]
    cluster: str | None = None
    include: list[TaskField] | None = None


class DescribeTasksResponse(Record):
    """What DescribeTasks answers (ECS API_DescribeTasks)."""

    tasks: list[Task] | None = None
    failures: list[Failure] | None = None


class ListTasksRequest(Record):
    """What ListTasks takes (ECS API_ListTasks)."""

    cluster: str | None = None
    container_instance: str | None = None
    family: str | None = None
    next_token: str | None = None
    max_results: int | None = None
    started_by: str | None = None
    service_name: str | None = None
    desired_status: DesiredStatus | None = None
    launch_type: LaunchType | None = None
    daemon_name: str | None = None


class ListTasksResponse(Record):
    """What ListTasks answers (ECS API_ListTasks)."""

    task_arns: list[str] | None = None
    next_token: str | None = None
