"""Durations as people write them: `90`, `90s`, `5m`, `2h`, `7d`, `1h30m`."""

from __future__ import annotations

import re

from ecsctl.cli.problems import UsageError
from ecsctl.model.errors import InputError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_PART = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)([smhdw])"  # compiled at the first use: most commands read no duration


def parse_duration(text: str) -> float:
    """Seconds. A number without a unit is seconds. Raises InputError for anything else."""
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        return float(text)
    if not re.fullmatch(f"(?:{_PART})+", text):
        raise InputError(f"{text!r} is not a duration: write 90, 90s, 5m, 2h or 7d")
    return sum(float(number) * _SECONDS[unit] for number, unit in re.findall(_PART, text))


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
