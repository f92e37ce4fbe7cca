"""The six fields of EventBridge's cron expressions, checked, and as the cron library has them. Pure.

Source: EventBridge user guide, "Cron expressions reference". Days of the week are 1 to 7 from Sunday there, 0 to 6 in
the library; the last Friday is `6L` there, `L5` in the library.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ecsctl.model.errors import InputError

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_ITEM = r"(?:(?P<all>\*)|(?P<from>[0-9A-Z]+)(?:-(?P<to>[0-9A-Z]+))?)(?:/(?P<step>[0-9]+))?"


class Field(NamedTuple):
    """One field: its values, the names of them from the lowest on, and its wildcards."""

    name: str
    low: int
    high: int
    wildcards: str
    names: tuple[str, ...] = ()
    less: int = 0
    """How much less the library's values are."""


MINUTES = Field("minutes", 0, 59, ", - * /")
HOURS = Field("hours", 0, 23, ", - * /")
DAY_OF_MONTH = Field("day-of-month", 1, 31, ", - * ? / L W")
MONTH = Field("month", 1, 12, ", - * /", _MONTHS)
DAY_OF_WEEK = Field("day-of-week", 1, 7, ", - * ? L #", _DAYS, less=1)
YEAR = Field("year", 1970, 2199, ", - * /")
FIELDS = (MINUTES, HOURS, DAY_OF_MONTH, MONTH, DAY_OF_WEEK, YEAR)


class Part(NamedTuple):
    """A value, a range or all values, with a step."""

    first: int
    last: int
    step: int


def cron_fields(body: str) -> tuple[str, frozenset[int]]:
    """What stands in the brackets of `cron(…)` as the library's five fields, and the years. Raises InputError."""
    words = body.upper().split()
    if len(words) != len(FIELDS):
        names = " ".join(field.name for field in FIELDS)
        raise InputError(f"{len(words)} fields where six are needed: {names}, e.g. cron(0 12 * * ? *)")
    minutes, hours, day, month, weekday, year = words
    if (day == "?") == (weekday == "?"):
        how = "both are" if day == "?" else "neither is"
        raise InputError(f"one of day-of-month and day-of-week has to be ?, and {how}, e.g. cron(0 12 * * ? *)")
    fields = (
        _plain(MINUTES, minutes),
        _plain(HOURS, hours),
        _day_of_month(day),
        _plain(MONTH, month),
        _day_of_week(weekday),
    )
    return " ".join(fields), _years(year)


def _day_of_month(text: str) -> str:
    if text == "?":
        return "*"
    if text == "LW":
        return "31W"  # the library takes the weekday nearest to the month's last day
    if found := re.fullmatch(r"([0-9]+)W", text):
        return f"{_value(DAY_OF_MONTH, found[1])}W"
    if "W" in text:
        raise InputError(f"day-of-month: {text!r}: W goes with one day, alone in its field, e.g. 15W")
    return ",".join("L" if item == "L" else _item(DAY_OF_MONTH, item) for item in text.split(","))


def _day_of_week(text: str) -> str:
    if text == "?":
        return "*"
    if text == "L":
        return str(DAY_OF_WEEK.high - DAY_OF_WEEK.less)
    if found := re.fullmatch(r"([0-9A-Z]+?)L", text):
        return f"L{_value(DAY_OF_WEEK, found[1]) - DAY_OF_WEEK.less}"
    if found := re.fullmatch(r"([0-9A-Z]+)#([1-5])", text):
        return f"{_value(DAY_OF_WEEK, found[1]) - DAY_OF_WEEK.less}#{found[2]}"
    if "#" in text:
        raise InputError(
            f"day-of-week: {text!r}: # goes with one day and 1 to 5, alone in its field, e.g. 3#2, the second Tuesday"
        )
    if "/" in text:
        raise InputError(f"day-of-week: {text!r}: there is no / here, only {DAY_OF_WEEK.wildcards}")
    return _plain(DAY_OF_WEEK, text)


def _plain(field: Field, text: str) -> str:
    return ",".join(_item(field, item) for item in text.split(","))


def _item(field: Field, text: str) -> str:
    if text == "*":
        return text
    part = _part(field, text)
    first, last = part.first - field.less, part.last - field.less
    return (str(first) if first == last else f"{first}-{last}") + (f"/{part.step}" if part.step > 1 else "")


def _years(text: str) -> frozenset[int]:
    found: set[int] = set()
    for item in text.split(","):
        part = _part(YEAR, item)
        if part.last < part.first:
            raise InputError(f"year: {item!r} runs backwards")
        found.update(range(part.first, part.last + 1, part.step))
    return frozenset(found)


def _part(field: Field, text: str) -> Part:
    """One of the items between commas; a value with a step runs to the end of the field."""
    found = re.fullmatch(_ITEM, text)
    if found is None:
        shown = f"{text!r} is not understood" if text else "there is nothing between two commas"
        values = f"{field.low}-{field.high}" + (f" or {field.names[0]}-{field.names[-1]}" if field.names else "")
        raise InputError(f"{field.name}: {shown}: it takes {values} and {field.wildcards}")
    step = int(found["step"] or 1)
    if not 1 <= step <= field.high:
        raise InputError(f"{field.name}: {text!r}: the step has to be between 1 and {field.high}")
    if found["all"]:
        return Part(field.low, field.high, step)
    first = _value(field, found["from"])
    if found["to"]:
        return Part(first, _value(field, found["to"]), step)
    return Part(first, field.high if found["step"] else first, step)


def _value(field: Field, text: str) -> int:
    if text in field.names:
        return field.low + field.names.index(text)
    if not text.isdigit():
        known = f"; the names are {', '.join(field.names)}" if field.names else ""
        raise InputError(f"{field.name}: {text!r} is not a number{known}")
    if not field.low <= int(text) <= field.high:
        raise InputError(f"{field.name}: {text} is not between {field.low} and {field.high}")
    return int(text)
