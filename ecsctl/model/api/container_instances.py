"""Requests and responses of the container instance actions."""

from typing import Literal

from ecsctl.model.common import Attribute, Failure, Tag
from ecsctl.model.container_instance import ContainerInstance, Resource, VersionInfo
from ecsctl.model.record import Record

PlatformDeviceType = Literal["GPU", "NEURON_DEVICE"]
ContainerInstanceField = Literal["TAGS", "CONTAINER_INSTANCE_HEALTH"]
ContainerInstanceStatus = Literal["ACTIVE", "DRAINING", "REGISTERING", "DEREGISTERING", "REGISTRATION_FAILED"]


class PlatformDevice(Record):
    """ECS API_PlatformDevice."""

    id: str
    type: PlatformDeviceType


class RegisterContainerInstanceRequest(Record):
    """What RegisterContainerInstance takes (ECS API_RegisterContainerInstance)."""

    cluster: str | None = None
    instance_identity_document: str | None = None
    instance_identity_document_signature: str | None = None
    total_resources: list[Resource] | None = None
    version_info: VersionInfo | None = None
    container_instance_arn: str | None = None
    attributes: list[Attribute] | None = None
    platform_devices: list[PlatformDevice] | None = None
    tags: list[Tag] | None = None


class RegisterContainerInstanceResponse(Record):
    """What RegisterContainerInstance answers (ECS API_RegisterContainerInstance)."""

    container_instance: ContainerInstance | None = None


class DescribeContainerInstancesRequest(Record):
    """What DescribeContainerInstances takes (ECS API_DescribeContainerInstances)."""

    container_instances: list[str]
    cluster: str | None = None
    include: list[ContainerInstanceField] | None = None


class DescribeContainerInstancesResponse(Record):
    """What DescribeContainerInstances answers (ECS API_DescribeContainerInstances)."""

    container_instances: list[ContainerInstance] | None = None
    failures: list[Failure] | None = None


class ListContainerInstancesRequest(Record):
    """What ListContainerInstances takes (ECS API_ListContainerInstances)."""

    cluster: str | None = None
    filter: str | None = None
    next_token: str | None = None
    max_results: int | None = None
    status: ContainerInstanceStatus | None = None


class ListContainerInstancesResponse(Record):
    """What ListContainerInstances answers (ECS API_ListContainerInstances)."""

    container_instance_arns: list[str] | None = None
    next_token: str | None = None


class DeregisterContainerInstanceRequest(Record):
    """What DeregisterContainerInstance takes (ECS API_DeregisterContainerInstance)."""

    container_instance: str
    cluster: str | None = None
    force: bool | None = None


class DeregisterContainerInstanceResponse(Record):
    """What DeregisterContainerInstance answers (ECS API_DeregisterContainerInstance)."""

    container_instance: ContainerInstance | None = None


class UpdateContainerInstancesStateRequest(Record):
    """What UpdateContainerInstancesState takes (ECS API_UpdateContainerInstancesState)."""

    container_instances: list[str]
    status: ContainerInstanceStatus
    cluster: str | None = None


class UpdateContainerInstancesStateResponse(Record):
    """What UpdateContainerInstancesState answers (ECS API_UpdateContainerInstancesState)."""

    container_instances: list[ContainerInstance] | None = None
    failures: list[Failure] | None = None
