"""Scale-in protection (ECS API_ProtectedTask)."""

from datetime import datetime

from ecsctl.model.record import Record


class ProtectedTask(Record):
    """ECS API_ProtectedTask."""

    task_arn: str | None = None
    protection_enabled: bool | None = None
    expiration_date: datetime | None = None
