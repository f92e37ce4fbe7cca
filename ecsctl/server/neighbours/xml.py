"""XML as AWS's query protocols have it: plain data in, elements out. What is absent has no element."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

Naming = Callable[[str, str], str]
"""What the element of a member is called, given the member that the structure is in, and its own name."""

_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def members(data: Mapping[str, Any], naming: Naming, item: str, inside: str = "") -> str:
    """The elements of a structure's members; those of lists are called `item`."""
    return "".join(_member(name, value, naming, item, inside) for name, value in data.items())


def element(name: str, content: str, namespace: str = "") -> str:
    """One element; the content is XML already."""
    attribute = f' xmlns="{text(namespace)}"' if namespace else ""
    return f"<{name}{attribute}>{content}</{name}>"


def text(value: str) -> str:
    """What a text is in XML, which some characters have no place in."""
    return escape(_NO_XML.sub("\N{REPLACEMENT CHARACTER}", value), {'"': "&quot;"})


def _member(name: str, value: Any, naming: Naming, item: str, inside: str) -> str:
    if isinstance(value, list):
        content = "".join(_items(name, value, naming, item))
    else:
        content = _content(name, value, naming, item)
    return element(naming(inside, name), content)


def _items(name: str, values: list[Any], naming: Naming, item: str) -> Iterator[str]:
    for value in values:
        yield element(item, _content(name, value, naming, item))


def _content(name: str, value: Any, naming: Naming, item: str) -> str:
    if isinstance(value, dict):
        return members(value, naming, item, name)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return text(str(value))
