"""Chance: new ids and draws, as an argument, so that a test can make them the same each time."""

from __future__ import annotations

import os
from collections.abc import Callable

from msgspec import Struct


def _new_id() -> str:
    return os.urandom(16).hex()


def _draw(n: int) -> int:
    from secrets import randbelow  # is slow to load, and seldom needed

    return randbelow(n)


class Chance(Struct, frozen=True):
    """`new_id` makes 32 hex digits; `draw(n)` a number in 0..n-1."""

    new_id: Callable[[], str] = _new_id
    draw: Callable[[int], int] = _draw
