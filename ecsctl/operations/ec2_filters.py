"""The filters of EC2's Describe actions (EC2 API_Filter): of each name one of its values has to match."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TypeVar

from ecsctl.model.api.regions import Filter
from ecsctl.model.errors import ApiError

T = TypeVar("T")
Fact = Callable[[T], str | Sequence[str] | None]


def filtered(items: Sequence[T], filters: Sequence[Filter] | None, facts: Mapping[str, Fact[T]]) -> list[T]:
    """Those that all filters match; `facts` tells by a filter's name what a thing is. Nothing here has tags of EC2.

    InvalidParameterValue for a name that is not known.
    """
    kept = list(items)
    for one in filters or []:
        if one.name.startswith("tag:") or one.name == "tag-key":
            return []
        if one.name not in facts:
            known = ", ".join(facts)
            raise ApiError("InvalidParameterValue", f"The filter '{one.name}' is invalid; there are: {known}.")
        kept = [item for item in kept if _matches(facts[one.name](item), one.values)]
    return kept


def _matches(fact: str | Sequence[str] | None, values: Sequence[str]) -> bool:
    found = [fact] if isinstance(fact, str) else fact or []
    return any(fnmatchcase(what, value) for what in found for value in values)
