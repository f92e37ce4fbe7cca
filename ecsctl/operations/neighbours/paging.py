"""What pages are asked for, of all neighbours alike."""

from __future__ import annotations

from ecsctl.model.errors import InputError
from ecsctl.operations.pages import Part, Text, place_named
from ecsctl.store.store import Place


def window(token: str | None, size: int | None, most: int, kind: type[Place] = tuple[Text]) -> Part:
    """The part that a request asks for, of a list whose places are of that kind. InputError for what was no token, or a
    size beyond `most`."""
    after = None if token is None else place_named(token, kind)
    if token is not None and after is None:
        raise InputError("The token of the next page is not one that was given.")
    if size is not None and not 1 <= size <= most:
        raise InputError(f"The size of a page is between 1 and {most}, not {size}.")
    return Part(after, size or most)
