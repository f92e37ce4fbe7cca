"""The actions that are for the ECS agent. Here there is none: a host's Docker API tells how its tasks are.

What is submitted is a hint and no more: the task is looked at, and what its engine says counts.
"""

from __future__ import annotations

from ecsctl.controller.limits import Limits
from ecsctl.model.api.agent import (
    SubmitContainerStateChangeRequest,
    SubmitContainerStateChangeResponse,
    SubmitTaskStateChangeRequest,
    SubmitTaskStateChangeResponse,
    UpdateContainerAgentRequest,
    UpdateContainerAgentResponse,
)
from ecsctl.model.errors import ApiError, invalid_parameter
from ecsctl.operations.context import Context
from ecsctl.operations.lookup import find_cluster, find_instance, the_task

_ACKNOWLEDGED = "ACK"


def submit_task_state_change(ctx: Context, request: SubmitTaskStateChangeRequest) -> SubmitTaskStateChangeResponse:
    """Look at a task (ECS API_SubmitTaskStateChange)."""
    _look(ctx, request.cluster, request.task)
    return SubmitTaskStateChangeResponse(acknowledgment=_ACKNOWLEDGED)


def submit_container_state_change(
    ctx: Context, request: SubmitContainerStateChangeRequest
) -> SubmitContainerStateChangeResponse:
    """Look at a task of which a container is named (ECS API_SubmitContainerStateChange)."""
    _look(ctx, request.cluster, request.task, request.container_name)
    return SubmitContainerStateChangeResponse(acknowledgment=_ACKNOWLEDGED)


def _look(ctx: Context, cluster: str | None, task: str | None, container: str | None = None) -> None:
    with ctx.store.read() as view:
        record = the_task(view, find_cluster(view, ctx, cluster), task or "")
    if container is not None and container not in [state.name for state in record.own_containers]:
        raise invalid_parameter(f"The task has no container {container[:80]!r}.")
    if not record.is_stopped:
        ctx.finish([record.arn], Limits(wait=False))


def update_container_agent(ctx: Context, request: UpdateContainerAgentRequest) -> UpdateContainerAgentResponse:
    """Always NoUpdateAvailableException: there is nothing on the hosts to be updated (ECS API_UpdateContainerAgent)."""
    with ctx.store.read() as view:
        record = find_instance(view, find_cluster(view, ctx, request.cluster), request.container_instance)
    if record is None or record.instance.status == "INACTIVE":
        raise invalid_parameter(f"The referenced container instance was not found: {request.container_instance[:80]}")
    raise ApiError("NoUpdateAvailableException", "There is no update available for this container agent.")
