"""Requests and responses of the task definition actions."""

from typing import Literal

from ecsctl.model.common import Failure, Tag
from ecsctl.model.container_definition import ContainerDefinition
from ecsctl.model.record import Record
from ecsctl.model.task_definition import (
    Compatibility,
    EphemeralStorage,
    InferenceAccelerator,
    IpcMode,
    NetworkMode,
    PidMode,
    ProxyConfiguration,
    RuntimePlatform,
    TaskDefinition,
    TaskDefinitionPlacementConstraint,
    TaskDefinitionStatus,
    TrustedExecutionConfiguration,
    Volume,
)

TaskDefinitionField = Literal["TAGS"]
SortOrder = Literal["ASC", "DESC"]
TaskDefinitionFamilyStatus = Literal["ACTIVE", "INACTIVE", "ALL"]


class RegisterTaskDefinitionRequest(Record):
    """What RegisterTaskDefinition takes (ECS API_RegisterTaskDefinition)."""

    family: str
    container_definitions: list[ContainerDefinition]
    task_role_arn: str | None = None
    execution_role_arn: str | None = None
    network_mode: NetworkMode | None = None
    volumes: list[Volume] | None = None
    placement_constraints: list[TaskDefinitionPlacementConstraint] | None = None
    requires_compatibilities: list[Compatibility] | None = None
    cpu: str | None = None
    memory: str | None = None
    tags: list[Tag] | None = None
    pid_mode: PidMode | None = None
    ipc_mode: IpcMode | None = None
    proxy_configuration: ProxyConfiguration | None = None
    inference_accelerators: list[InferenceAccelerator] | None = None
    ephemeral_storage: EphemeralStorage | None = None
    runtime_platform: RuntimePlatform | None = None
    enable_fault_injection: bool | None = None
    trusted_execution_configuration: TrustedExecutionConfiguration | None = None


class RegisterTaskDefinitionResponse(Record):
    """What RegisterTaskDefinition answers (ECS API_RegisterTaskDefinition)."""

    task_definition: TaskDefinition | None = None
    tags: list[Tag] | None = None


class DescribeTaskDefinitionRequest(Record):
    """What DescribeTaskDefinition takes (ECS API_DescribeTaskDefinition)."""

    task_definition: str
    include: list[TaskDefinitionField] | None = None


class DescribeTaskDefinitionResponse(Record):
    """What DescribeTaskDefinition answers (ECS API_DescribeTaskDefinition)."""

    task_definition: TaskDefinition | None = None
    tags: list[Tag] | None = None


class ListTaskDefinitionsRequest(Record):
    """What ListTaskDefinitions takes (ECS API_ListTaskDefinitions)."""

    family_prefix: str | None = None
    status: TaskDefinitionStatus | None = None
    sort: SortOrder | None = None
    next_token: str | None = None
    max_results: int | None = None


class ListTaskDefinitionsResponse(Record):
    """What ListTaskDefinitions answers (ECS API_ListTaskDefinitions)."""

    task_definition_arns: list[str] | None = None
    next_token: str | None = None


class ListTaskDefinitionFamiliesRequest(Record):
    """What ListTaskDefinitionFamilies takes (ECS API_ListTaskDefinitionFamilies)."""

    family_prefix: str | None = None
    status: TaskDefinitionFamilyStatus | None = None
    next_token: str | None = None
    max_results: int | None = None


class ListTaskDefinitionFamiliesResponse(Record):
    """What ListTaskDefinitionFamilies answers (ECS API_ListTaskDefinitionFamilies)."""

    families: list[str] | None = None
    next_token: str | None = None


class DeregisterTaskDefinitionRequest(Record):
    """What DeregisterTaskDefinition takes (ECS API_DeregisterTaskDefinition)."""

    task_definition: str


class DeregisterTaskDefinitionResponse(Record):
    """What DeregisterTaskDefinition answers (ECS API_DeregisterTaskDefinition)."""

    task_definition: TaskDefinition | None = None


class DeleteTaskDefinitionsRequest(Record):
    """What DeleteTaskDefinitions takes (ECS API_DeleteTaskDefinitions)."""

    task_definitions: list[str]


class DeleteTaskDefinitionsResponse(Record):
    """What DeleteTaskDefinitions answers (ECS API_DeleteTaskDefinitions)."""

    task_definitions: list[TaskDefinition] | None = None
    failures: list[Failure] | None = None
