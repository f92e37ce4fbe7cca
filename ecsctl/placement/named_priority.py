"""How a priority is said: by a name, or a number. Pure."""

from __future__ import annotations

from ecsctl.model.errors import InputError

NAMED = {"cost": 0.0, "balanced": 0.5, "availability": 1.0}


def parse_priority(text: str) -> float:
    """The weight of availability, 0 to 1, of a name or a number; InputError."""
    if text in NAMED:
        return NAMED[text]
    try:
        weight = float(text)
    except ValueError:
        weight = -1.0
    if not 0 <= weight <= 1:
        raise InputError(f"{text!r} is none of {', '.join(NAMED)}, nor a number from 0 (cost) to 1 (availability)")
    return weight
