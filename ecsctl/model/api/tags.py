"""Requests and responses of the tag actions."""

from ecsctl.model.common import Tag
from ecsctl.model.record import Record


class TagResourceRequest(Record):
    """What TagResource takes (ECS API_TagResource)."""

    resource_arn: str
    tags: list[Tag]


class TagResourceResponse(Record):
    """What TagResource answers (ECS API_TagResource)."""


class UntagResourceRequest(Record):
    """What UntagResource takes (ECS API_UntagResource)."""

    resource_arn: str
    tag_keys: list[str]


class UntagResourceResponse(Record):
    """What UntagResource answers (ECS API_UntagResource)."""


class ListTagsForResourceRequest(Record):
    """What ListTagsForResource takes (ECS API_ListTagsForResource)."""

    resource_arn: str


class ListTagsForResourceResponse(Record):
    """What ListTagsForResource answers (ECS API_ListTagsForResource)."""

    tags: list[Tag] | None = None
