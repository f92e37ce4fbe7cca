"""What differs between two ECS shapes, field by field, without what should not be read over a shoulder. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

HIDDEN = "(hidden)"

_SECRET_NAME = re.compile(r"passw|passphrase|secret|token|(?:api|access|private)[._-]?key", re.IGNORECASE)
_SECRET_TEXT = re.compile(
    r"://[^/\s:@]+:[^/\s@]+@|(?:passw\w*|passphrase|secret|token|(?:api|access|private)[._-]?key)[\w-]*(?:\s*=|:?\s)\s*\S",
    re.IGNORECASE,
)
_ENVIRONMENT = re.compile(r"(?:^|\.)environment\[")
_REFERENCES = ("valueFrom",)
"""Fields that name a secret and hold none."""
_BARE = re.compile(r"[\w./:@+-]+")


class Difference(NamedTuple):
    """`field` is a path like `containerDefinitions[web].image`; None is absence. A secret value is HIDDEN."""

    field: str
    old: Any
    new: Any

    def __str__(self) -> str:
        if self.old is None:
            return f"{self.field}: {_text(self.new)}"
        return f"{self.field}: {_text(self.old)} -> {'none' if self.new is None else _text(self.new)}"


def differences(old: Any, new: Any, path: str = "") -> list[Difference]:
    """Between plain data with wire names. Members of a list that have a name are compared by it, in any order."""
    if old == new:
        return []
    pairs = _pairs(old, new, path)
    if pairs is None:
        return [Difference(path, _shown(old, path), _shown(new, path))]
    return [found for inner, before, after in pairs for found in differences(before, after, inner)]


def _pairs(old: Any, new: Any, path: str) -> Iterator[tuple[str, Any, Any]] | None:
    """Path, old and new value of each member; None for what has no members to compare."""
    given = [value for value in (old, new) if value is not None]
    if not any(given):
        return None  # empty and absent are not the same to ECS
    if all(isinstance(value, dict) for value in given):
        before, after = old or {}, new or {}
        return ((f"{path}.{k}" if path else k, before.get(k), after.get(k)) for k in {**after, **before})
    if not all(isinstance(value, list) and all(isinstance(item, dict) for item in value) for value in given):
        return None
    before, after = _members(old or [], given), _members(new or [], given)
    return ((f"{path}[{k}]", before.get(k), after.get(k)) for k in {**after, **before})


def _members(items: list[dict[str, Any]], lists: list[list[dict[str, Any]]]) -> dict[Any, Any]:
    """The items by name if all in `lists` have one of their own, else by position."""
    for key in ("name", "key"):
        if all(len({item.get(key) for item in each} - {None}) == len(each) for each in lists):
            return {item[key]: _without(item, key) for item in items}
    return dict(enumerate(items))


def _without(item: dict[str, Any], key: str) -> Any:
    rest = {name: value for name, value in item.items() if name != key}
    return rest["value"] if set(rest) == {"value"} else rest


def _shown(value: Any, path: str) -> Any:
    if value is None:
        return None
    name = re.split(r"[.\[]", path)[-1].rstrip("]")
    if _ENVIRONMENT.search(path) or (_SECRET_NAME.search(name) and name not in _REFERENCES):
        return HIDDEN
    if isinstance(value, str):
        return HIDDEN if _SECRET_TEXT.search(value) else value
    if isinstance(value, list):
        return [HIDDEN if _is_secret(value, index) else item for index, item in enumerate(value)]
    return HIDDEN if isinstance(value, dict) and value else value


def _is_secret(words: list[Any], index: int) -> bool:
    """Whether a word of a command line holds a secret, or follows an option that takes one."""
    if _SECRET_TEXT.search(str(words[index])):
        return True
    before = str(words[index - 1]) if index else ""
    return before.startswith("-") and "=" not in before and bool(_SECRET_NAME.search(before))


def _text(value: Any) -> str:
    if isinstance(value, str) and (value == HIDDEN or _BARE.fullmatch(value)):
        return value
    return json.dumps(value, ensure_ascii=False)
