"""Patterns of policies: text with wildcards and variables, and whether it is what a text is. Pure.

Source: IAM user guide, "IAM JSON policy elements: Resource" and "IAM policy elements: Variables and tags".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from functools import lru_cache

from msgspec import Struct

Context = Mapping[str, tuple[str, ...]]
"""What is known of a request: the values of each key. Names of keys are in small letters."""

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_KEY = re.compile(r"[A-Za-z0-9-]+:[^\s,'*?$]+")
_WITH_DEFAULT = re.compile(r"([^,]+?)\s*,\s*'([^']*)'")


class Wild(Enum):
    """`*`: any characters, or none; `?`: any one."""

    MANY = "*"
    ONE = "?"


class Variable(Struct, frozen=True):
    """`${aws:username}`, or `${aws:PrincipalTag/team, 'none'}`."""

    key: str
    default: str | None = None


class NoValue(Exception):
    """A variable has none in this request: the statement does not match."""


Item = str | Wild | Variable
"""A character that stands for itself, a wildcard, or a variable."""
Pattern = tuple[Item, ...]
_Known = Sequence["str | Wild"]
"""A pattern whose variables have their values."""


def parse(text: str, *, wildcards: bool, variables: bool) -> Pattern:
    """The pattern that a text is. Where there are no wildcards or no variables, what looks like one is text. ValueError
    for a variable that is none."""
    if not variables:
        return tuple(_plain(text, wildcards))
    items: list[Item] = []
    end = 0
    for match in _VARIABLE.finditer(text):
        items += [*_plain(_without_opening(text[end : match.start()]), wildcards), _variable(match[1])]
        end = match.end()
    return (*items, *_plain(_without_opening(text[end:]), wildcards))


def is_all(pattern: Pattern) -> bool:
    """Whether it is `*`."""
    return bool(pattern) and all(item is Wild.MANY for item in pattern)


@lru_cache(maxsize=4096)
def segments(pattern: Pattern) -> tuple[Pattern, ...]:
    """The pattern of an ARN in its parts: at most six, as a resource may have colons. Those of a variable's name are
    none."""
    parts: list[list[Item]] = [[]]
    for item in pattern:
        if item == ":" and len(parts) < 6:
            parts.append([])
        else:
            parts[-1].append(item)
    return tuple(map(tuple, parts))


def matches(pattern: Pattern, text: str, context: Context) -> bool:
    """Whether the pattern is that text. NoValue."""
    pieces = _pieces(pattern)
    return _fits(_known(pattern, context), text) if pieces is None else _is_of(pieces, text)


def matches_ignoring_case(pattern: Pattern, text: str, context: Context) -> bool:
    """The same, whatever the case of letters. NoValue."""
    known = [item.lower() if isinstance(item, str) else item for item in _known(pattern, context)]
    return _fits([letter for item in known for letter in (item if isinstance(item, str) else [item])], text.lower())


def matches_arn(pattern: Pattern, arn: str, context: Context) -> bool:
    """Whether the pattern is that ARN, part by part: a wildcard does not reach into the next one. NoValue."""
    if is_all(pattern):
        return True
    asked, given = segments(pattern), arn.split(":", 5)
    for part in asked:  # all of them: a variable without value is one wherever it is
        if _pieces(part) is None:
            _known(part, context)
    return len(asked) == len(given) == 6 and all(
        matches(part, name, context) for part, name in zip(asked, given, strict=True)
    )


@lru_cache(maxsize=4096)
def _pieces(pattern: Pattern) -> tuple[str, ...] | None:
    """What stands between the `*` of a pattern that has neither `?` nor variables; None of others."""
    pieces = [""]
    for item in pattern:
        if isinstance(item, str):
            pieces[-1] += item
        elif item is Wild.MANY:
            pieces.append("")
        else:
            return None
    return tuple(pieces)


def _is_of(pieces: tuple[str, ...], text: str) -> bool:
    """Whether a text is these pieces, with anything between them."""
    if len(pieces) == 1:
        return text == pieces[0]
    first, *middle, last = pieces
    if not (text.startswith(first) and text.endswith(last) and len(text) >= len(first) + len(last)):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in middle:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def _plain(text: str, wildcards: bool) -> list[Item]:
    wild = {wild.value: wild for wild in Wild} if wildcards else {}
    return [wild.get(letter, letter) for letter in text]


def _without_opening(text: str) -> str:
    if "${" in text:
        raise ValueError("${ without a closing }")
    return text


def _variable(inside: str) -> Item:
    if inside in ("*", "?", "$"):
        return inside  # how these are written where they stand for themselves
    match = _WITH_DEFAULT.fullmatch(inside.strip())
    key, default = (match[1], match[2]) if match else (inside, None)
    if not _KEY.fullmatch(key):
        raise ValueError(f"${{{inside}}} is no variable: write ${{aws:username}} or ${{aws:PrincipalTag/team, 'none'}}")
    return Variable(key.lower(), default)


def _known(pattern: Pattern, context: Context) -> list[str | Wild]:
    """What a value has in it stands for itself: a tag with a `*` is no wildcard."""
    known: list[str | Wild] = []
    for item in pattern:
        if isinstance(item, Variable):
            values = context.get(item.key, ())
            if len(values) > 1 or (not values and item.default is None):
                raise NoValue(item.key)
            known += values[0] if values else str(item.default)
        else:
            known.append(item)
    return known


def _fits(pattern: _Known, text: str) -> bool:
    """Goes back to the last `*` only, so that no pattern takes long."""
    at = place = mark = 0
    star = -1
    while place < len(text):
        if at < len(pattern) and pattern[at] is Wild.MANY:
            star, mark = at, place
            at += 1
        elif at < len(pattern) and (pattern[at] is Wild.ONE or pattern[at] == text[place]):
            at += 1
            place += 1
        elif star >= 0:
            at = star + 1
            mark += 1
            place = mark
        else:
            return False
    return all(item is Wild.MANY for item in pattern[at:])
