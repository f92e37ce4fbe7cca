"""What the store remembers of schedules."""

from datetime import datetime
from typing import Literal

import msgspec

from ecsctl.model.record import Record
from ecsctl.model.schedule import ScheduleTaskRequest


class ScheduleRun(Record):
    """What became of a run of a schedule, due at `due_at`, when it was decided about. `tasks` are ARNs."""

    due_at: datetime
    decided_at: datetime
    outcome: Literal["STARTED", "NOT_STARTED", "SKIPPED", "MISSED"]
    reason: str = ""
    tasks: list[str] = msgspec.field(default_factory=list)


def started_by(schedule: str) -> str:
    """What the tasks of a schedule of that name say of who started them. Names may have dots, which startedBy has not;
    it may have slashes, which names have not."""
    return "schedule/" + schedule.replace(".", "/")


class ScheduleRecord(Record):
    """A schedule: what was asked, with every default filled in, when it is due, and what became of its last run.

    `next_run_at` is None when no run is left. `obstacle`: what was last told of why a run that is due is not started.
    """

    arn: str
    cluster_arn: str
    request: ScheduleTaskRequest
    created_at: datetime
    next_run_at: datetime | None = None
    obstacle: str = ""
    last_run: ScheduleRun | None = None

    @property
    def name(self) -> str:
        return self.request.name

    @property
    def started_by(self) -> str:
        """What its tasks say of who started them."""
        return started_by(self.name)

    def is_due(self, now: datetime) -> bool:
        return self.request.schedule_state != "DISABLED" and self.next_run_at is not None and self.next_run_at <= now
