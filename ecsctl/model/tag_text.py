"""What the keys and values of tags may consist of (ECS API_Tag)."""

from __future__ import annotations

from unicodedata import category


def may_be_in_tag(text: str) -> bool:
    r"""Whether it matches `[\p{L}\p{Z}\p{N}_.:/=+\-@]*` (botocore, ecs: TagKey, TagValue)."""
    return all(c.isalnum() or c in " _.:/=+-@" or category(c)[0] in "LZN" for c in text)
