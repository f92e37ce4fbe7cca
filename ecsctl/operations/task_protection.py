"""Scale-in protection: a service's task that is not to be stopped by scaling in or by a deployment for a while."""

from __future__ import annotations

from datetime import datetime, timedelta

from ecsctl.model.api.task_protection import (
    GetTaskProtectionRequest,
    GetTaskProtectionResponse,
    UpdateTaskProtectionRequest,
    UpdateTaskProtectionResponse,
)
from ecsctl.model.arn import last_part
from ecsctl.model.cluster import Cluster
from ecsctl.model.common import Failure
from ecsctl.model.errors import invalid_parameter
from ecsctl.model.record import evolve
from ecsctl.model.stored import TaskRecord
from ecsctl.model.task_protection import ProtectedTask
from ecsctl.operations.context import Context
from ecsctl.operations.lookup import find_cluster, find_task
from ecsctl.store.store import View, add_event
from ecsctl.store.tables import SERVICES, TASKS

DEFAULT_MINUTES, LONGEST_MINUTES = 120, 2880
MOST_UPDATED, MOST_SHOWN = 10, 100


def update_task_protection(ctx: Context, request: UpdateTaskProtectionRequest) -> UpdateTaskProtectionResponse:
    """Protect up to ten tasks of services, or end that (ECS API_UpdateTaskProtection).

    Protection ends by itself after `expiresInMinutes`, by default two hours; each call sets the time anew.
    """
    minutes = request.expires_in_minutes
    if not 1 <= len(request.tasks) <= MOST_UPDATED:
        raise invalid_parameter(f"tasks: between 1 and {MOST_UPDATED} can be updated in one call.")
    if minutes is not None and not 1 <= minutes <= LONGEST_MINUTES:
        raise invalid_parameter(f"expiresInMinutes: {minutes} is not between 1 and {LONGEST_MINUTES}.")
    until = ctx.now() + timedelta(minutes=minutes or DEFAULT_MINUTES) if request.protection_enabled else None
    updated, failures = [], []
    with ctx.store.write() as tx:
        cluster = find_cluster(tx, ctx, request.cluster)
        for name in request.tasks:
            record = find_task(tx, cluster, name)
            failure = _missing(cluster, name, record)
            if record is not None and failure is None and until is not None:
                failure = _blocked(tx, record, ctx.now())
            if record is None or failure is not None:
                failures.append(failure or Failure(arn=name, reason="MISSING"))
                continue
            tx.put(TASKS, evolve(record, protected_until=until, seq=tx.seq))
            what = f"from scale-in until {until:%Y-%m-%dT%H:%M:%SZ}" if until else "no longer"
            add_event(tx, ctx.now(), str(cluster.cluster_arn), record.arn, "TaskProtected", what)
            updated.append(_shape(record, until))
    return UpdateTaskProtectionResponse(protected_tasks=updated, failures=failures)


def get_task_protection(ctx: Context, request: GetTaskProtectionRequest) -> GetTaskProtectionResponse:
    """Whether tasks are protected, and until when (ECS API_GetTaskProtection). Without tasks: every one of services."""
    shown, failures = [], []
    with ctx.store.read() as view:
        cluster = find_cluster(view, ctx, request.cluster)
        names = request.tasks or [t.arn for t in view.unfinished(cluster=cluster.cluster_arn) if t.service]
        if len(request.tasks or ()) > MOST_SHOWN:
            raise invalid_parameter(f"tasks: at most {MOST_SHOWN} can be asked for in one call.")
        for name in names:
            record = find_task(view, cluster, name)
            failure = _missing(cluster, name, record)
            if record is None or failure is not None:
                failures.append(failure or Failure(arn=name, reason="MISSING"))
                continue
            shown.append(_shape(record, record.protected_until if record.is_protected(ctx.now()) else None))
    return GetTaskProtectionResponse(protected_tasks=shown, failures=failures)


def _shape(record: TaskRecord, until: datetime | None) -> ProtectedTask:
    return ProtectedTask(task_arn=record.arn, protection_enabled=until is not None, expiration_date=until)


def _missing(cluster: Cluster, name: str, record: TaskRecord | None) -> Failure | None:
    arn = f"{str(cluster.cluster_arn).replace(':cluster/', ':task/')}/{last_part(name)}"
    if record is None or record.is_stopped:
        return Failure(arn=arn, reason="MISSING")
    if record.service is None or record.task.desired_status == "STOPPED":
        why = "The task is not of a service." if record.service is None else "The task is stopping."
        return Failure(arn=record.arn, reason="TASK_NOT_VALID", detail=why)
    return None


def _blocked(view: View, record: TaskRecord, now: datetime) -> Failure | None:
    """As many as the service wants are protected already: one more would keep it from its desired count."""
    service = view.get(SERVICES, str(record.service))
    others = [
        task
        for task in view.find(TASKS, service=record.service, tallied=0)
        if not task.is_stopped and task.arn != record.arn and task.is_protected(now)
    ]
    if service is None or service.steady or len(others) < (service.service.desired_count or 0):
        return None
    return Failure(
        arn=record.arn,
        reason="DEPLOYMENT_BLOCKED",
        detail="As many tasks as the service wants are protected, and it is not steady.",
    )
