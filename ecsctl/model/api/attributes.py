"""Requests and responses of the attribute actions."""

from ecsctl.model.common import Attribute, TargetType
from ecsctl.model.record import Record


class PutAttributesRequest(Record):
    """What PutAttributes takes (ECS API_PutAttributes)."""

    attributes: list[Attribute]
    cluster: str | None = None


class PutAttributesResponse(Record):
    """What PutAttributes answers (ECS API_PutAttributes)."""

    attributes: list[Attribute] | None = None


class DeleteAttributesRequest(Record):
    """What DeleteAttributes takes (ECS API_DeleteAttributes)."""

    attributes: list[Attribute]
    cluster: str | None = None


class DeleteAttributesResponse(Record):
    """What DeleteAttributes answers (ECS API_DeleteAttributes)."""

    attributes: list[Attribute] | None = None


class ListAttributesRequest(Record):
    """What ListAttributes takes (ECS API_ListAttributes)."""

    target_type: TargetType
    cluster: str | None = None
    attribute_name: str | None = None
    attribute_value: str | None = None
    next_token: str | None = None
    max_results: int | None = None


class ListAttributesResponse(Record):
    """What ListAttributes answers (ECS API_ListAttributes)."""

    attributes: list[Attribute] | None = None
    next_token: str | None = None
