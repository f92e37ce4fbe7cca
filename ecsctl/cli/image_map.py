"""`--image-map FROM=TO`: what takes the place of images, on machines without a registry."""

from __future__ import annotations

from collections.abc import Iterable

from ecsctl.cli.problems import UsageError

HELP = "An image in place of another that the definition names: names, or patterns with *."


def image_map(words: Iterable[str] | None) -> dict[str, str]:
    """The table that the words make; UsageError."""
    table: dict[str, str] = {}
    for word in words or ():
        image, equals, other = word.partition("=")
        if not (image and equals and other):
            raise UsageError(f"argument --image-map: {word!r}: write FROM=TO, nginx=busybox:stable for one")
        table[image] = other
    return table
