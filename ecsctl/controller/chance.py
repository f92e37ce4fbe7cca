"""Chance: new ids and draws, as an argument, so that a test can make them the same each time."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial
from typing import NamedTuple


class Chance(NamedTuple):
    """`new_id` makes 32 hex digits; `draw(n)` a number in 0..n-1."""

    new_id: Callable[[], str] = partial(secrets.token_hex, 16)
    draw: Callable[[int], int] = secrets.randbelow
