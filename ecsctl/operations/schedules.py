"""Schedules: made, shown and deleted here; reconcile runs them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from ecsctl.controller.schedules import wish_of
from ecsctl.model.cluster import Cluster
from ecsctl.model.common import Tag
from ecsctl.model.errors import InputError, invalid_parameter
from ecsctl.model.record import evolve
from ecsctl.model.schedule import LastRun, Schedule, ScheduleTaskRequest, UnscheduleTaskRequest
from ecsctl.model.schedule_record import ScheduleRecord, ScheduleRun
from ecsctl.model.stored import TaskRecord
from ecsctl.operations.context import Context
from ecsctl.operations.hosts import ensure_default_instance
from ecsctl.operations.lookup import find_cluster, no_schedule, put_tags, schedule_arn
from ecsctl.operations.task_rules import check_placement, check_task
from ecsctl.operations.tasks import refresh
from ecsctl.scheduler.expressions import parse_expression, parse_timezone
from ecsctl.scheduler.outcome import outcome_of
from ecsctl.scheduler.schedules import GRACE, timing_of
from ecsctl.store.schedule_table import SCHEDULES
from ecsctl.store.store import View, add_event
from ecsctl.store.tables import TASK_DEFINITIONS, TASKS

_NAME = re.compile(r"[0-9a-zA-Z_.-]{1,64}")


_OF_A_RUN = {"started_by": "startedBy", "client_token": "clientToken", "reference_id": "referenceId"}
"""What is RunTask's, and every run's own."""


class Scheduled(NamedTuple):
    """A schedule as it is now; whether it took the place of one, and whether the next reconcile starts a run of it,
    or none ever will."""

    schedule: Schedule
    replaced: bool
    comes: Literal["now", "later", "never"]


class Schedules(NamedTuple):
    """The schedules of a cluster, by name; whether every host that their tasks are on answered."""

    schedules: list[Schedule]
    complete: bool


def schedule_task(ctx: Context, request: ScheduleTaskRequest, tags: Sequence[Tag] = ()) -> Scheduled:
    """Make a schedule, or put it in place of the one of its name.

    What was due stays due as long as the expression, its time zone and the state stay; else it begins anew. A new one
    gets `tags` of its own; those of the request are for its tasks. Raises InputError for an expression or a name that
    is none, ApiError for a task that could not be run.
    """
    with ctx.store.read() as view:
        new = schedule_asked(find_cluster(view, ctx, request.cluster), request, ctx.now())
        wish_of(view, new)
    check_comes(new)
    asked = new.request
    ensure_default_instance(ctx, request.cluster)
    with ctx.store.write() as tx:
        find_cluster(tx, ctx, request.cluster)  # it may be gone by now
        old = tx.get(SCHEDULES, new.arn)
        record = new if old is None else _replaced(old, new)
        tx.put(SCHEDULES, record)
        if old is None:
            put_tags(tx, record.arn, list(tags))
        what = "ScheduleCreated" if old is None else "ScheduleReplaced"
        said = f"{asked.schedule_expression} {asked.schedule_expression_timezone}: {asked.task_definition}"
        add_event(tx, ctx.now(), record.cluster_arn, record.arn, what, said)
        shown = _shape(tx, record)
    return Scheduled(shown, old is not None, _comes(record, ctx.now()))


def _comes(record: ScheduleRecord, now: datetime) -> Literal["now", "later", "never"]:
    due = record.next_run_at
    if due is None:
        return "never"
    if not record.is_due(now):
        return "later"
    gone = record.request.missed == "skip" and now - due > GRACE
    return "never" if gone and timing_of(record).following(due) is None else "now"


def schedule_asked(cluster: Cluster, request: ScheduleTaskRequest, now: datetime) -> ScheduleRecord:
    """The schedule that is asked for with every default filled in, due for the first time.

    Raises InputError and ApiError for what is wrong with it without looking at its task definition.
    """
    _check(request)
    request = evolve(
        request,
        cluster=cluster.cluster_name,
        schedule_expression=request.schedule_expression.strip(),
        schedule_expression_timezone=request.schedule_expression_timezone or "UTC",
        schedule_state=request.schedule_state or "ENABLED",
        missed=request.missed or "run-once",
        overlap=request.overlap or "forbid",
        count=request.count or 1,
    )
    arn = schedule_arn(cluster, request.name)
    record = ScheduleRecord(arn=arn, cluster_arn=str(cluster.cluster_arn), request=request, created_at=now)
    return evolve(record, next_run_at=timing_of(record).first(now))


def check_comes(new: ScheduleRecord) -> None:
    """InputError for a new schedule that nothing will ever run of."""
    if new.next_run_at is None:
        expression = new.request.schedule_expression
        raise InputError(f"scheduleExpression: {expression}: there is no such time from now on")


def _check(request: ScheduleTaskRequest) -> None:
    if not _NAME.fullmatch(request.name):
        shown = request.name if len(request.name) <= 64 else request.name[:64] + "…"
        raise InputError(f"name: {shown!r}: use 1 to 64 letters, digits, hyphens, underscores and dots")
    for field, name in _OF_A_RUN.items():
        if getattr(request, field):
            raise InputError(f"{name}: each run of a schedule has its own: leave it out")
    try:
        zone = parse_timezone(request.schedule_expression_timezone or "UTC")
    except InputError as error:
        raise InputError(f"scheduleExpressionTimezone: {error}") from None
    try:
        parse_expression(request.schedule_expression, zone)
    except InputError as error:
        raise InputError(f"scheduleExpression: {error}") from None
    if request.count is not None and not 1 <= request.count <= 10:
        raise invalid_parameter("count: between 1 and 10 tasks can be run in one call.")
    check_task(request)
    check_placement(request)


def _replaced(old: ScheduleRecord, new: ScheduleRecord) -> ScheduleRecord:
    timing = ("schedule_expression", "schedule_expression_timezone")
    same = all(getattr(old.request, field) == getattr(new.request, field) for field in timing)
    enabled = old.request.schedule_state == new.request.schedule_state == "ENABLED"
    kept = evolve(new, created_at=old.created_at, last_run=old.last_run)
    if same and (enabled or old.next_run_at is None):  # what is over does not begin again
        return evolve(kept, next_run_at=old.next_run_at, obstacle=old.obstacle)
    return kept


def scheduled_tasks(ctx: Context, cluster: str | None = None) -> Schedules:
    """A cluster's schedules, with how their last runs went; looked at now."""
    with ctx.store.read() as view:
        arn = find_cluster(view, ctx, cluster).cluster_arn
        tasks = [task for record in view.find(SCHEDULES, cluster=arn) for task in _tasks(view, record.last_run)]
    complete = not refresh(ctx, [task.arn for task in tasks if not task.is_stopped]).unreachable
    with ctx.store.read() as view:
        return Schedules([_shape(view, record) for record in view.find(SCHEDULES, cluster=arn)], complete)


def unschedule_task(ctx: Context, request: UnscheduleTaskRequest) -> None:
    """Delete a schedule. Its tasks go on. Raises InputError when there is none of that name."""
    with ctx.store.write() as tx:
        arn = schedule_arn(find_cluster(tx, ctx, request.cluster), request.name)
        record = tx.get(SCHEDULES, arn)
        if record is None:
            raise no_schedule(request.name)
        tx.delete(SCHEDULES, arn=arn)
        put_tags(tx, arn, None)
        add_event(tx, ctx.now(), record.cluster_arn, arn, "ScheduleDeleted", "its tasks go on")


def _shape(view: View, record: ScheduleRecord) -> Schedule:
    return Schedule(
        **msgspec.structs.asdict(record.request),
        schedule_arn=record.arn,
        cluster_arn=record.cluster_arn,
        created_at=record.created_at,
        next_run_at=record.next_run_at if record.request.schedule_state == "ENABLED" else None,
        obstacle=record.obstacle or None,
        last_run=_last_run(view, record.last_run),
    )


def _last_run(view: View, run: ScheduleRun | None) -> LastRun | None:
    """How it went: of what was started, how its tasks ended."""
    if run is None:
        return None
    shown = LastRun(run.due_at, run.decided_at, "UNKNOWN", run.reason or None, run.tasks or None)
    if run.outcome != "STARTED":
        return evolve(shown, outcome=run.outcome)
    tasks = _tasks(view, run)
    if len(tasks) < len(run.tasks):
        return evolve(shown, reason="its tasks are older than the history")
    if not all(task.is_stopped for task in tasks):
        return evolve(shown, outcome="RUNNING")
    problems = [problem for task in tasks if (problem := _problem(view, task))]
    return evolve(shown, outcome="FAILED" if problems else "SUCCEEDED", reason="; ".join(problems) or shown.reason)


def _problem(view: View, task: TaskRecord) -> str:
    definition = view.get(TASK_DEFINITIONS, str(task.task.task_definition_arn))
    return outcome_of(task.task, (definition.container_definitions if definition else None) or []).problem


def _tasks(view: View, run: ScheduleRun | None) -> list[TaskRecord]:
    return [task for arn in (run.tasks if run else ()) if (task := view.get(TASKS, arn))]
