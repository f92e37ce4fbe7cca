"""Pages of a list, for all neighbours alike."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from ecsctl.model.errors import InputError

T = TypeVar("T")


def paged(items: Sequence[T], token: str | None, size: int | None, most: int) -> tuple[list[T], str | None]:
    """One page of a list, and the token of the next. InputError for what was no token, or a size beyond `most`."""
    if token is not None and not re.fullmatch(r"[0-9]{1,18}", token):
        raise InputError("The token of the next page is not one that was given.")
    if size is not None and not 1 <= size <= most:
        raise InputError(f"The size of a page is between 1 and {most}, not {size}.")
    start = int(token or 0)
    end = start + (size or most)
    return list(items[start:end]), str(end) if end < len(items) else None
