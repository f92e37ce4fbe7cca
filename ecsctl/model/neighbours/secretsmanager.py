"""Secrets Manager: the secrets of the state."""

from datetime import datetime
from typing import Literal

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


class Filter(PascalRecord):
    """API_Filter."""

    key: Literal["all", "description", "name", "owning-service", "primary-region", "tag-key", "tag-value"]
    values: list[str]


class ListSecretsRequest(PascalRecord):
    """What ListSecrets takes."""

    filters: list[Filter] | None = None
    include_planned_deletion: bool | None = None
    max_results: int | None = None
    next_token: str | None = None
    sort_by: Literal["created-date", "last-accessed-date", "last-changed-date", "name"] | None = None
    sort_order: Literal["asc", "desc"] | None = None


class SecretListEntry(PascalRecord):
    """API_SecretListEntry. There are no tags."""

    arn: str = field(name="ARN")
    name: str
    created_date: datetime
    last_changed_date: datetime
    secret_versions_to_stages: dict[str, list[str]]


class ListSecretsResponse(PascalRecord):
    """What ListSecrets answers."""

    secret_list: list[SecretListEntry]
    next_token: str | None = None
