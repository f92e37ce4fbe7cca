"""What `schedule-task` takes, and a schedule as it is shown. The words are those of EventBridge Scheduler's
CreateSchedule where it has such; what is to run is said as to RunTask."""

from datetime import datetime
from typing import Literal

from ecsctl.model.api.tasks import RunTaskRequest
from ecsctl.model.record import Record

ScheduleState = Literal["ENABLED", "DISABLED"]
MissedPolicy = Literal["run-once", "skip"]
OverlapPolicy = Literal["forbid", "allow"]


class ScheduleTaskRequest(RunTaskRequest, kw_only=True):
    """A schedule: its name, when it runs, and what.

    `missed`: what becomes of runs that nobody was there for, `overlap`: of one whose predecessor still runs.
    """

    name: str
    schedule_expression: str
    schedule_expression_timezone: str | None = None
    schedule_state: ScheduleState | None = None
    missed: MissedPolicy | None = None
    overlap: OverlapPolicy | None = None


class UnscheduleTaskRequest(Record):
    """Which schedule is to be deleted; of the cluster `default` when none is named."""

    name: str
    cluster: str | None = None


class LastRun(Record):
    """How the last run of a schedule went. `due_at` was its time, `decided_at` when it was started or was not."""

    due_at: datetime
    decided_at: datetime
    outcome: Literal["RUNNING", "SUCCEEDED", "FAILED", "NOT_STARTED", "SKIPPED", "MISSED", "UNKNOWN"]
    reason: str | None = None
    task_arns: list[str] | None = None


class Schedule(ScheduleTaskRequest, kw_only=True):
    """A schedule as it is now. `obstacle` is why a run that is due is not started yet."""

    schedule_arn: str
    cluster_arn: str
    created_at: datetime
    next_run_at: datetime | None = None
    obstacle: str | None = None
    last_run: LastRun | None = None
