"""ExecuteCommand, as far as the people at a keyboard see it: a command in a container of a task.

Source: ECS API_ExecuteCommand; ECS developer guide, "Monitor Amazon ECS containers with ECS Exec".
"""

from __future__ import annotations

import shlex

from ecsctl.engine.port import ExecSession
from ecsctl.model.api.exec import ExecuteCommandRequest
from ecsctl.model.errors import ApiError, Conflict, NotFound, invalid_parameter
from ecsctl.model.stored import TaskRecord
from ecsctl.operations.context import Context
from ecsctl.operations.lookup import find_cluster, the_task
from ecsctl.store.tables import INSTANCES

NOT_ENABLED = (
    "The execute command failed because execute command was not enabled when the task was run or the execute command "
    "agent isn't running. Wait and try again or run a new task with execute command enabled and try again."
)


def execute_command(ctx: Context, request: ExecuteCommandRequest, *, tty: bool, stdin: bool) -> ExecSession:
    """Start the command. InvalidParameterException where the task does not allow it, TargetNotConnectedException where
    its container does not run, and what the engine says of a command that is none."""
    try:
        command = shlex.split(request.command)
    except ValueError as error:
        raise invalid_parameter(f"command: {error}.") from None
    if not command:
        raise invalid_parameter("command: expected a command, such as /bin/sh.")
    with ctx.store.read() as view:
        record = the_task(view, find_cluster(view, ctx, request.cluster), request.task)
        instance = view.get(INSTANCES, str(record.task.container_instance_arn))
    name = _container(record, request.container)
    if not record.task.enable_execute_command:
        raise invalid_parameter(NOT_ENABLED)
    state = next(state for state in record.own_containers if state.name == name)
    if record.is_stopped or state.engine_id is None or instance is None:
        raise _not_connected(name, str(record.task.last_status))
    try:
        return ctx.controller.engine(instance.address).execute(state.engine_id, command, tty=tty, stdin=stdin)
    except (NotFound, Conflict):
        raise _not_connected(name, str(record.task.last_status)) from None


def _container(record: TaskRecord, asked: str | None) -> str:
    names = [state.name for state in record.own_containers]
    if asked is None:
        if len(names) > 1:
            raise invalid_parameter(f"container: the task has several, say which one: {', '.join(names)}.")
        return names[0]
    if asked not in names:
        raise invalid_parameter(f"container: the task has no {asked!r}; it has {', '.join(names)}.")
    return asked


def _not_connected(container: str, status: str) -> ApiError:
    return ApiError(
        "TargetNotConnectedException",
        f"The execute command failed: container {container} does not run; its task is {status}.",
    )
