"""Durations as people write them: `90`, `90s`, `5m`, `2h`, `7d`, `1h30m`."""

from __future__ import annotations

from ecsctl.cli.problems import UsageError
from ecsctl.model.errors import InputError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def parse_duration(text: str) -> float:
    """Seconds. A number without a unit is seconds. Raises InputError for anything else."""
    if _is_number(text):
        return float(text)
    seconds, number = 0.0, ""
    for character in text:
        if character in _SECONDS and _is_number(number):
            seconds, number = seconds + float(number) * _SECONDS[character], ""
        else:
            number += character
    if number or not text:
        raise InputError(f"{text!r} is not a duration: write 90, 90s, 5m, 2h or 7d")
    return seconds


def _is_number(text: str) -> bool:
    """Digits, and after a point more of them; at most nine each. (A quiet pass has no time to compile expressions.)"""
    whole, point, fraction = text.partition(".")
    return all(
        part.isascii() and part.isdigit() and len(part) <= 9 for part in ([whole, fraction] if point else [whole])
    )


def duration_of(option: str, text: str, examples: str = "90, 50s, 5m or 2h") -> float:
    """Seconds that an option was given. Raises UsageError, which names the option, for what is no duration."""
    if not is_duration(text):
        raise UsageError(f"argument {option}: {text!r} is not a duration: write {examples}")
    return parse_duration(text)


def is_duration(text: str) -> bool:
    try:
        parse_duration(text)
    except InputError:
        return False
    return True


def short_duration(seconds: float) -> str:
    """The largest unit that fits, for people: `42s`, `5m`, `3h`, `12d`."""
    whole = max(0, int(seconds))
    for unit, limit in (("s", 120), ("m", 7200), ("h", 172800)):
        if whole < limit:
            return f"{whole // _SECONDS[unit]}{unit}"
    return f"{whole // _SECONDS['d']}d"
