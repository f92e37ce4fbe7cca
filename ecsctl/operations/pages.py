"""Pages of a list. A token names the last entry that was shown, by what its list is sorted by: whatever comes or goes
meanwhile, that entry too, who asks for the next page misses no other and sees none twice."""

from __future__ import annotations

import binascii
from collections.abc import Callable, Iterable
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec
from msgspec import Meta

from ecsctl.model.errors import invalid_parameter
from ecsctl.store.store import Place, View
from ecsctl.store.tables import Table

T = TypeVar("T")

MOST_RESULTS = 100
"""How much a page of a list has, unless less is asked for (ECS API reference: maxResults)."""
# A token may come from anybody: what is in one is nothing that a database chokes on.
Text = Annotated[str, Meta(pattern=r"\A[^\0]*\Z")]
Number = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]


class Part(NamedTuple):
    """What of a list a page has: what comes behind a place, or its beginning, and how much at most."""

    after: Place | None
    size: int


def window(
    next_token: str | None, max_results: int | None, most: int = MOST_RESULTS, kind: type[Place] = tuple[Text]
) -> Part:
    """The part that a request asks for, of a list whose places are of that kind; a name, unless another is given."""
    after = None if next_token is None else place_named(next_token, kind)
    if next_token is not None and after is None:
        raise invalid_parameter("Invalid token in parameter nextToken.")
    if max_results is not None and not 1 <= max_results <= most:
        raise invalid_parameter(f"maxResults must be between 1 and {most}.")
    return Part(after, max_results or most)


def page(
    items: Iterable[T], place_of: Callable[[T], Place], part: Part, *, falling: bool = False
) -> tuple[list[T], str | None]:
    """One page of a list, which is sorted by the places in it, and the token of the next."""
    after = part.after
    behind = [
        item for item in items if after is None or (place_of(item) < after if falling else place_of(item) > after)
    ]
    behind.sort(key=place_of, reverse=falling)
    found = behind[: part.size]
    return found, token_of(place_of(found[-1])) if len(behind) > part.size else None


def keys_page(
    view: View, table: Table[Any], *order: str, part: Part, falling: bool = False, **filters: Any
) -> tuple[list[str], str | None]:
    """The same of the keys of a table, by these columns; a place has a number more than there are columns."""
    behind = view.page(table, *order, after=part.after, limit=part.size + 1, falling=falling, **filters)
    found = behind[: part.size]
    return [key for key, _ in found], token_of(found[-1][1]) if len(behind) > part.size else None


def itself(name: str) -> Place:
    """The place of a name, or an ARN."""
    return (name,)


def token_of(place: Place) -> str:
    """What names a place to clients, to whom it says nothing."""
    return binascii.b2a_base64(msgspec.json.encode(place), newline=False).decode()


def place_named(token: str, kind: type[Place]) -> Place | None:
    """The place that a token names; None for what is no token of a list whose places are of that kind."""
    try:
        place = msgspec.json.decode(binascii.a2b_base64(token), type=kind)
    except ValueError:
        return None
    return place if token_of(place) == token else None
