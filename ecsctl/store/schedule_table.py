"""The table of schedules: apart, as most states have none."""

from __future__ import annotations

from ecsctl.model.schedule_record import ScheduleRecord
from ecsctl.store.tables import Table

SCHEDULES = Table("schedule", ScheduleRecord, ("arn", "cluster"), lambda s: (s.arn, s.cluster_arn))
