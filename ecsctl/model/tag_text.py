"""What the keys and values of tags may consist of (ECS API_Tag)."""

from __future__ import annotations

_SIGNS = " _.:/=+-@"


def may_be_in_tag(text: str) -> bool:
    r"""Whether it matches `[\p{L}\p{Z}\p{N}_.:/=+\-@]*` (botocore, ecs: TagKey, TagValue)."""
    others = [c for c in text if not c.isalnum() and c not in _SIGNS]
    if not others or text.isascii():
        return not others
    from unicodedata import category  # most tags need none of its tables

    return all(category(c)[0] in "LZN" for c in others)
