"""Requests and responses of the task set actions."""

from typing import Literal

from ecsctl.model.cluster import CapacityProviderStrategyItem
from ecsctl.model.common import Failure, Tag
from ecsctl.model.record import Record
from ecsctl.model.service import Scale, TaskSet
from ecsctl.model.service_network import LoadBalancer, ServiceRegistry
from ecsctl.model.task import LaunchType
from ecsctl.model.task_launch import NetworkConfiguration

TaskSetField = Literal["TAGS"]


class CreateTaskSetRequest(Record):
    """ECS API_CreateTaskSet."""

    service: str
    cluster: str
    task_definition: str
    external_id: str | None = None
    network_configuration: NetworkConfiguration | None = None
    load_balancers: list[LoadBalancer] | None = None
    service_registries: list[ServiceRegistry] | None = None
    launch_type: LaunchType | None = None
    capacity_provider_strategy: list[CapacityProviderStrategyItem] | None = None
    platform_version: str | None = None
    scale: Scale | None = None
    client_token: str | None = None
    tags: list[Tag] | None = None


class CreateTaskSetResponse(Record):
    """ECS API_CreateTaskSet."""

    task_set: TaskSet | None = None


class UpdateTaskSetRequest(Record):
    """ECS API_UpdateTaskSet."""

    cluster: str
    service: str
    task_set: str
    scale: Scale


class UpdateTaskSetResponse(Record):
    """ECS API_UpdateTaskSet."""

    task_set: TaskSet | None = None


class DeleteTaskSetRequest(Record):
    """ECS API_DeleteTaskSet."""

    cluster: str
    service: str
    task_set: str
    force: bool | None = None


class DeleteTaskSetResponse(Record):
    """ECS API_DeleteTaskSet."""

    task_set: TaskSet | None = None


class DescribeTaskSetsRequest(Record):
    """ECS API_DescribeTaskSets."""

    cluster: str
    service: str
    task_sets: list[str] | None = None
    include: list[TaskSetField] | None = None


class DescribeTaskSetsResponse(Record):
    """ECS API_DescribeTaskSets."""

    task_sets: list[TaskSet] | None = None
    failures: list[Failure] | None = None


class UpdateServicePrimaryTaskSetRequest(Record):
    """ECS API_UpdateServicePrimaryTaskSet."""

    cluster: str
    service: str
    primary_task_set: str


class UpdateServicePrimaryTaskSetResponse(Record):
    """ECS API_UpdateServicePrimaryTaskSet."""

    task_set: TaskSet | None = None
