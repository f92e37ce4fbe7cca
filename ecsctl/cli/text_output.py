"""`--output text`, by the AWS CLI's rules.

One line per structure: the values of its scalars in the order of their sorted keys, separated by tabs. The
lines of a nested structure begin with its key in capitals. In a list all structures show the same keys, an
absent one as nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def text_lines(data: Any, name: str | None = None, keys: list[str] | None = None) -> Iterator[str]:
    """The lines of `data`. `name` is the key it stands under, `keys` the scalar keys of its siblings."""
    if isinstance(data, dict):
        yield from _structure(data, name, keys)
    elif isinstance(data, list):
        yield from _list(data, name)
    else:
        yield _word(data)


def _structure(data: dict[str, Any], name: str | None, keys: list[str] | None) -> Iterator[str]:
    shown = keys if keys is not None else sorted(key for key in data if not isinstance(data[key], (dict, list)))
    words = [_word(data.get(key, "")) for key in shown]
    if words:
        yield "\t".join(words if name is None else [name.upper(), *words])
    for key in sorted(data.keys() - set(shown)):
        yield from text_lines(data[key], key)


def _list(data: list[Any], name: str | None) -> Iterator[str]:
    if any(isinstance(item, dict) for item in data):
        structures = [item for item in data if isinstance(item, dict)]
        keys = sorted(
            {key for item in structures for key, value in item.items() if not isinstance(value, (dict, list))}
        )
        for item in data:
            yield from text_lines(item, name, keys)
        return
    scalars = [_word(item) for item in data if not isinstance(item, list)]
    if scalars and name is not None:
        yield from (f"{name.upper()}\t{word}" for word in scalars)
    elif scalars:
        yield "\t".join(scalars)
    for item in data:
        if isinstance(item, list):
            yield from text_lines(item, name)


def _word(value: Any) -> str:
    return str(value)
