"""Requests and responses of scale-in protection."""

from ecsctl.model.common import Failure
from ecsctl.model.record import Record
from ecsctl.model.task_protection import ProtectedTask


class UpdateTaskProtectionRequest(Record):
    """ECS API_UpdateTaskProtection."""

    cluster: str
    tasks: list[str]
    protection_enabled: bool
    expires_in_minutes: int | None = None


class UpdateTaskProtectionResponse(Record):
    """ECS API_UpdateTaskProtection."""

    protected_tasks: list[ProtectedTask] | None = None
    failures: list[Failure] | None = None


class GetTaskProtectionRequest(Record):
    """ECS API_GetTaskProtection."""

    cluster: str
    tasks: list[str] | None = None


class GetTaskProtectionResponse(Record):
    """ECS API_GetTaskProtection."""

    protected_tasks: list[ProtectedTask] | None = None
    failures: list[Failure] | None = None
