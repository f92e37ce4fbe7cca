"""ExecuteCommand."""

from __future__ import annotations

from ecsctl.model.record import Record


class ExecuteCommandRequest(Record):
    """What ExecuteCommand takes (ECS API_ExecuteCommand)."""

    command: str
    interactive: bool
    task: str
    cluster: str | None = None
    container: str | None = None


class Session(Record):
    """Where a client finds the terminal (ECS API_Session)."""

    session_id: str | None = None
    stream_url: str | None = None
    token_value: str | None = None


class ExecuteCommandResponse(Record):
    """What ExecuteCommand answers (ECS API_ExecuteCommand)."""

    cluster_arn: str | None = None
    container_arn: str | None = None
    container_name: str | None = None
    interactive: bool | None = None
    session: Session | None = None
    task_arn: str | None = None
