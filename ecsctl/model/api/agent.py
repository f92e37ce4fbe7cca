"""Requests and responses of the actions that are for the ECS agent."""

from datetime import datetime
from typing import Literal

from ecsctl.model.container_instance import ContainerInstance
from ecsctl.model.record import Record
from ecsctl.model.task import NetworkBinding


class AttachmentStateChange(Record):
    """ECS API_AttachmentStateChange."""

    attachment_arn: str
    status: str


class ContainerStateChange(Record):
    """ECS API_ContainerStateChange."""

    container_name: str | None = None
    image_digest: str | None = None
    runtime_id: str | None = None
    exit_code: int | None = None
    network_bindings: list[NetworkBinding] | None = None
    reason: str | None = None
    status: str | None = None


class ManagedAgentStateChange(Record):
    """ECS API_ManagedAgentStateChange."""

    container_name: str
    managed_agent_name: Literal["ExecuteCommandAgent"]
    status: str
    reason: str | None = None


class SubmitTaskStateChangeRequest(Record):
    """What SubmitTaskStateChange takes (ECS API_SubmitTaskStateChange)."""

    cluster: str | None = None
    task: str | None = None
    status: str | None = None
    reason: str | None = None
    containers: list[ContainerStateChange] | None = None
    attachments: list[AttachmentStateChange] | None = None
    managed_agents: list[ManagedAgentStateChange] | None = None
    pull_started_at: datetime | None = None
    pull_stopped_at: datetime | None = None
    execution_stopped_at: datetime | None = None


class SubmitTaskStateChangeResponse(Record):
    """What SubmitTaskStateChange answers (ECS API_SubmitTaskStateChange)."""

    acknowledgment: str | None = None


class SubmitContainerStateChangeRequest(Record):
    """What SubmitContainerStateChange takes (ECS API_SubmitContainerStateChange)."""

    cluster: str | None = None
    task: str | None = None
    container_name: str | None = None
    runtime_id: str | None = None
    status: str | None = None
    exit_code: int | None = None
    reason: str | None = None
    network_bindings: list[NetworkBinding] | None = None


class SubmitContainerStateChangeResponse(Record):
    """What SubmitContainerStateChange answers (ECS API_SubmitContainerStateChange)."""

    acknowledgment: str | None = None


class UpdateContainerAgentRequest(Record):
    """What UpdateContainerAgent takes (ECS API_UpdateContainerAgent)."""

    container_instance: str
    cluster: str | None = None


class UpdateContainerAgentResponse(Record):
    """What UpdateContainerAgent answers (ECS API_UpdateContainerAgent)."""

    container_instance: ContainerInstance | None = None
