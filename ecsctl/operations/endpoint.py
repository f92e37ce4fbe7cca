"""What a container asks on its host that only the state, or the engine, can answer: task protection and statistics.

Source: ECS developer guide, "Amazon ECS task scale-in protection endpoint" and "Amazon ECS task metadata endpoint
version 4" (`/stats`, `/task/stats`).
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from ecsctl.controller.endpoint_container import put
from ecsctl.model.api.task_protection import GetTaskProtectionRequest, UpdateTaskProtectionRequest
from ecsctl.model.errors import ApiError, EngineError, NotFound
from ecsctl.model.stored import TaskRecord
from ecsctl.operations.context import Context
from ecsctl.operations.task_protection import get_task_protection, update_task_protection
from ecsctl.scheduler.metadata import error_document, lines_of, metadata_id, time_text
from ecsctl.store.tables import INSTANCES

if TYPE_CHECKING:
    from ecsctl.controller.requests import Request
    from ecsctl.engine.port import Engine

Answer = tuple[int, dict[str, Any]]
"""An HTTP status and a document."""


class _Protect(msgspec.Struct, rename="pascal"):
    """What is asked of a task's protection."""

    protection_enabled: bool
    expires_in_minutes: int | None = None


def answer(ctx: Context, host: str, request: Request) -> list[str]:
    """Answer one request on a host (by ARN), unless it is of another state's task; what was done, line by line."""
    with ctx.store.read() as view:
        tasks = view.unfinished(instance=host)
    found = _asker(request, tasks, ctx.store.key)
    if found is None:
        return []
    record, container = found
    if request.what == "protection":
        status, document = _protection(ctx, record, request)
    else:
        status, document = _statistics(ctx, host, record, None if request.what == "task/stats" else container)
    put(engine_of(ctx, host), request.run, {f"a/{request.number}": f"{status}\n{lines_of(document)}"})
    if request.method != "PUT":
        return []
    return [f"task {record.arn.rpartition('/')[2][:12]}: container {container} asked for protection: {status}"]


def _asker(request: Request, tasks: Iterable[TaskRecord], key: bytes) -> tuple[TaskRecord, str] | None:
    """Whose container asks, and its name; None when it is none of these tasks'."""
    for record in tasks:
        for state in record.own_containers:
            if record.endpoint and record.endpoint.offered and metadata_id(record, state.name, key) == request.id:
                return record, state.name
    return None


def engine_of(ctx: Context, host: str) -> Engine:
    """The engine of a host (by ARN). NotFound when there is no such host any more."""
    with ctx.store.read() as view:
        instance = view.get(INSTANCES, host)
    if instance is None:
        raise NotFound(404, f"there is no container instance {host}")
    return ctx.controller.engine(instance.address)


def _protection(ctx: Context, record: TaskRecord, request: Request) -> Answer:
    cluster = str(record.task.cluster_arn)
    try:
        if request.method == "PUT":
            asked = msgspec.json.decode(request.body, type=_Protect)
            change = UpdateTaskProtectionRequest(
                cluster, [record.arn], asked.protection_enabled, asked.expires_in_minutes
            )
            changed = update_task_protection(ctx, change)
            protected, failures = changed.protected_tasks, changed.failures
        else:
            shown = get_task_protection(ctx, GetTaskProtectionRequest(cluster, [record.arn]))
            protected, failures = shown.protected_tasks, shown.failures
    except msgspec.DecodeError as error:
        return 400, error_document(record.arn, "InvalidParameterException", f"Field validation: {error}")
    except ApiError as error:
        return 400, {"requestID": ctx.new_id(), **error_document(record.arn, error.code, error.message)}
    if failures:
        failure = failures[0]
        return 200, {"failure": {"Arn": failure.arn, "Detail": failure.detail, "Reason": failure.reason}}
    task = (protected or [])[0]
    until = task.expiration_date
    return 200, {
        "protection": {
            "ExpirationDate": time_text(until.replace(microsecond=0)) if until else None,
            "ProtectionEnabled": task.protection_enabled,
            "TaskArn": task.task_arn,
        }
    }


def _statistics(ctx: Context, host: str, record: TaskRecord, container: str | None) -> Answer:
    """Of one container, or of each of the task by the engine's id: what the engine says."""
    found: dict[str, Any] = {}
    engine = engine_of(ctx, host)
    for state in record.containers:
        if state.engine_id and state.stage == "started" and container in (None, state.name):
            with suppress(EngineError):
                found[state.engine_id] = engine.statistics(state.engine_id)
    if container is None:
        return 200, found
    if not found:
        return 404, {"error": "there are no statistics of this container"}
    return 200, next(iter(found.values()))
