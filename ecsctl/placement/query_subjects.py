"""What cluster queries can ask about a container instance: the subjects, their values, how those compare. Pure.

Source: ECS developer guide, "Create expressions to define container instances for Amazon ECS tasks", which has the
operators that go with each subject but `attribute` and `task:group`: those take all that say something of a text, and
attributes can be compared by their size too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

ATTRIBUTE = "attribute:"
OPERATORS = {
    "==": "==",
    "equals": "==",
    "!=": "!=",
    "not_equals": "!=",
    ">": ">",
    "greater_than": ">",
    ">=": ">=",
    "greater_than_equal": ">=",
    "<": "<",
    "less_than": "<",
    "<=": "<=",
    "less_than_equal": "<=",
    "exists": "exists",
    "!exists": "not_exists",
    "not_exists": "not_exists",
    "in": "in",
    "!in": "not_in",
    "not_in": "not_in",
    "=~": "=~",
    "matches": "=~",
    "!~": "!~",
    "not_matches": "!~",
}
"""Every spelling, and the one that is written."""
ORDERS: dict[str, Callable[[int], bool]] = {
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
}
EXISTENCE = ("exists", "not_exists")
LISTS = ("in", "not_in")
PATTERNS = ("=~", "!~")
_IN_ORDER = ("==", "!=", *ORDERS)
_AS_TEXT = ("==", "!=", *LISTS, *PATTERNS)


class Subject(NamedTuple):
    """A container instance as queries see it. `groups` are those of the tasks on it that are not STOPPED."""

    attributes: Mapping[str, str | None] = {}
    groups: Collection[str] = ()
    running_tasks: int = 0
    registered_at: datetime | None = None
    agent_connected: bool = True
    agent_version: str | None = None
    instance_id: str | None = None


class Moments(NamedTuple):
    """The time that an argument of registeredAt stands for: a second, or a day. Without the end."""

    start: datetime
    end: datetime


class Kind(NamedTuple):
    """One kind of subject: its operators, its values of an instance, how an argument is read and they are compared.

    `read` raises ValueError with what was expected. `compare` is negative, 0 or positive as the value is smaller than
    the argument, equal or larger, and None where neither can be said.
    """

    operators: tuple[str, ...]
    values: Callable[[Subject, str], Collection[Any]]
    read: Callable[[str], Any]
    compare: Callable[[Any, Any], int | None]
    is_static: bool
    nothing: str = "none"
    prefix: str = ""


def shown(value: Any) -> str:
    """A value in words."""
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, tuple):
        return ".".join(map(str, value))
    return str(value) or "''"


def _attribute(subject: Subject, name: str) -> Collection[str]:
    # One that was given no value has an empty one: it exists, and is not prod.
    return (subject.attributes[name] or "",) if name in subject.attributes else ()


def _version(subject: Subject, _: str) -> Collection[tuple[int, ...]]:
    found = _leading_numbers(subject.agent_version or "")
    return (found,) if found else ()


def _leading_numbers(text: str) -> tuple[int, ...]:
    """The numbers that a version begins with."""
    numbers: list[int] = []
    for part in text.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if digits:
            numbers.append(int(digits))
        if digits != part or not digits:
            break
    return tuple(numbers)


def _read_version(text: str) -> tuple[int, ...]:
    parts = text.split(".")
    if not all(part.isascii() and part.isdecimal() for part in parts):
        raise ValueError("a version such as 1.14.5")
    return tuple(map(int, parts))


def _compare_versions(value: tuple[int, ...], wanted: tuple[int, ...]) -> int:
    longest = max(len(value), len(wanted))
    left, right = (version + (0,) * (longest - len(version)) for version in (value, wanted))
    return (left > right) - (left < right)


def _read_connected(text: str) -> str:
    if text.lower() not in ("true", "false"):
        raise ValueError("true or false")
    return text.lower()


def _read_count(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise ValueError("a whole number")
    return int(text)


def _read_moments(text: str) -> Moments:
    """A day, or a second; without a time zone in UTC."""
    import re

    shape = r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(?:\.\d{1,9})?(Z|[+-]\d\d:\d\d)?)?"
    found = re.fullmatch(shape, text, re.ASCII)
    try:
        if found is None:
            raise ValueError  # noqa: TRY301 one sentence for all that is wrong
        day, second, zone = found.groups()
        zone = "+00:00" if zone in (None, "Z") else zone
        start = datetime.fromisoformat(f"{day}T{second or '00:00:00'}{zone}").astimezone(timezone.utc)
        return Moments(start, start + (timedelta(seconds=1) if second else timedelta(days=1)))
    except (ValueError, OverflowError):
        raise ValueError("a date such as 2018-06-18 or 2018-06-18T22:28:28Z") from None


def _compare_moments(value: datetime, wanted: Moments) -> int:
    return -1 if value < wanted.start else int(value >= wanted.end)


def _compare_numbers(value: int, wanted: int) -> int:
    return (value > wanted) - (value < wanted)


def compare_text(value: str, wanted: str) -> int | None:
    """As numbers where a number is asked for, and nothing else compares with that; else by their characters."""
    number, of_value = _number(wanted), _number(value)
    if number is None:
        return (value > wanted) - (value < wanted)
    return None if of_value is None else (of_value > number) - (of_value < number)


def _number(text: str) -> int | float | None:
    whole, point, part = text.removeprefix("-").partition(".")
    if not text.isascii() or not whole.isdecimal() or (point and not part.isdecimal()):
        return None
    return float(text) if point else int(text)


KINDS: dict[str, Kind] = {
    "agentConnected": Kind(
        _AS_TEXT, lambda subject, _: (str(subject.agent_connected).lower(),), _read_connected, compare_text, False
    ),
    "agentVersion": Kind(_IN_ORDER, _version, _read_version, _compare_versions, True),
    ATTRIBUTE: Kind(
        (*_IN_ORDER, *LISTS, *PATTERNS, *EXISTENCE), _attribute, str, compare_text, True, nothing="no such attribute"
    ),
    "ec2InstanceId": Kind(
        _AS_TEXT,
        lambda subject, _: (subject.instance_id,) if subject.instance_id is not None else (),
        str,
        compare_text,
        True,
    ),
    "registeredAt": Kind(
        _IN_ORDER,
        lambda subject, _: (subject.registered_at,) if subject.registered_at is not None else (),
        _read_moments,
        _compare_moments,
        True,
    ),
    "runningTasksCount": Kind(
        _IN_ORDER, lambda subject, _: (subject.running_tasks,), _read_count, _compare_numbers, False
    ),
    "task:group": Kind(
        (*_AS_TEXT, *EXISTENCE), lambda subject, _: subject.groups, str, compare_text, False, "no task", "tasks of "
    ),
}
"""The subjects; attributes by what stands before their names."""
