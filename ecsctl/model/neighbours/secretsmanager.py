"""Secrets Manager: the secrets of the state."""

from datetime import datetime

from msgspec import field

from ecsctl.model.neighbours.pascal import PascalRecord


class GetSecretValueRequest(PascalRecord):
    """What GetSecretValue takes."""

    secret_id: str
    version_id: str | None = None
    version_stage: str | None = None


class GetSecretValueResponse(PascalRecord):
    """What GetSecretValue answers."""

    arn: str = field(name="ARN")
    name: str
    version_id: str
    secret_string: str
    version_stages: list[str]
    created_date: datetime
