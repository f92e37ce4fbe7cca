"""ExecuteCommand: a command in a container of a task, at a keyboard here or at the other end of a wire.

Source: ECS API_ExecuteCommand; ECS developer guide, "Monitor Amazon ECS containers with ECS Exec".
"""

from __future__ import annotations

import shlex
from typing import NamedTuple

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


class Target(NamedTuple):
    """What a command is executed in: the container of a task that was there when it was looked for, and no other."""

    cluster: str
    task: str
    status: str
    container: str
    container_arn: str | None
    engine_id: str
    address: str
    command: list[str]


def execute_command(ctx: Context, request: ExecuteCommandRequest, *, tty: bool, stdin: bool) -> ExecSession:
    """Start the command. InvalidParameterException where the task does not allow it, TargetNotConnectedException where
    its container does not run, and what the engine says of a command that is none."""
    return start(ctx, target_of(ctx, request), tty=tty, stdin=stdin)


def target_of(ctx: Context, request: ExecuteCommandRequest) -> Target:
    """Where it is to be executed, as far as the state knows; errors as execute_command()."""
    try:
        command = shlex.split(request.command)
    except ValueError as error:
        raise invalid_parameter(f"command: {error}.") from None
    if not command:
        raise invalid_parameter("command: expected a command, such as /bin/sh.")
    with ctx.store.read() as view:
        cluster = find_cluster(view, ctx, request.cluster)
        record = the_task(view, cluster, request.task)
        instance = view.get(INSTANCES, str(record.task.container_instance_arn))
    name = _container(record, request.container)
    if not record.task.enable_execute_command:
        raise invalid_parameter(NOT_ENABLED)
    state = next(state for state in record.own_containers if state.name == name)
    status = str(record.task.last_status)
    if record.is_stopped or state.engine_id is None or instance is None:
        raise _not_connected(name, status)
    shown = next((c for c in record.task.containers or [] if c.name == name), None)
    arn = shown.container_arn if shown else None
    return Target(
        str(record.task.cluster_arn), record.arn, status, name, arn, state.engine_id, instance.address, command
    )


def start(ctx: Context, target: Target, *, tty: bool, stdin: bool) -> ExecSession:
    """Start the command there; errors as execute_command()."""
    try:
        return ctx.controller.engine(target.address).execute(target.engine_id, target.command, tty=tty, stdin=stdin)
    except (NotFound, Conflict):
        raise _not_connected(target.container, target.status) from None


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
