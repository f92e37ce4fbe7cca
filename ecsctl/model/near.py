"""The word that was meant."""

from __future__ import annotations

from collections.abc import Iterable


def near(word: str, known: Iterable[str], n: int = 1, cutoff: float = 0.6) -> list[str]:
    """At most `n` of the known words that are like the given one, the likest first."""
    from difflib import get_close_matches  # only needed when something is wrong already

    return get_close_matches(word, list(known), n=n, cutoff=cutoff)
