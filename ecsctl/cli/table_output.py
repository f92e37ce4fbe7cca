"""`--output table`, as the AWS CLI draws it: a titled section per structure, nested ones framed by `|`."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ecsctl.cli.problems import printable

_COLUMNS = 80
"""How wide a table may be where there is no terminal, before what fits beside each other is set below each other."""


class _Section(NamedTuple):
    title: str
    depth: int
    head: list[str]
    rows: list[list[str]]


def table_lines(data: Any, title: str) -> Iterator[str]:
    """The lines of the table; none for an empty answer."""
    sections = list(_sections(data, title, 0))
    if not sections:
        return
    width = max(_width(section) for section in sections)
    if width > (shutil.get_terminal_size().columns if sys.stdout.isatty() else _COLUMNS):
        sections = [_upright(section) for section in sections]
        width = max(_width(section) for section in sections)
    yield "-" * width
    for section in sections:
        frame = "|" * section.depth
        for line in _draw(section, width - 2 * section.depth):
            yield frame + line + frame


def _sections(data: Any, title: str, depth: int) -> Iterator[_Section]:
    if isinstance(data, dict):
        if data:
            yield from _structure(data, title, depth)
    elif isinstance(data, list):
        if any(isinstance(item, dict) for item in data):
            yield from _structures([item for item in data if isinstance(item, dict)], title, depth)
        elif data:
            rows = [item if isinstance(item, list) else [item] for item in data]
            columns = max(len(row) for row in rows)
            yield _Section(title, depth, [], [[_cell(v) for v in row] + [""] * (columns - len(row)) for row in rows])
    elif data is not None and data != "":
        yield _Section(title, depth, [], [[_cell(data)]])


def _structure(data: dict[str, Any], title: str, depth: int) -> Iterator[_Section]:
    keys = sorted(key for key in data if not isinstance(data[key], (dict, list)))
    values = [_cell(data[key]) for key in keys]
    if len(keys) == 1:
        yield _Section(title, depth, [], [[keys[0], values[0]]])
    else:
        yield _Section(title, depth, keys, [values] if keys else [])
    for key in sorted(data.keys() - set(keys)):
        yield from _sections(data[key], key, depth + 1)


def _structures(items: list[dict[str, Any]], title: str, depth: int) -> Iterator[_Section]:
    head = sorted({key for item in items for key, value in item.items() if not isinstance(value, (dict, list))})
    nested = sorted({key for item in items for key, value in item.items() if isinstance(value, (dict, list))})
    rows = [[_cell(item.get(key, "")) if key in head else "" for key in head] for item in items]
    if not nested:
        yield _Section(title, depth, head, rows)
        return
    for item, row in zip(items, rows, strict=True):
        yield _Section(title, depth, head, [row] if head else [])
        for key in nested:
            if isinstance(item.get(key), (dict, list)):
                yield from _sections(item[key], key, depth + 1)


def _upright(section: _Section) -> _Section:
    """A section of one row with its head beside it, for where there is too little room."""
    if len(section.rows) != 1 or not section.head:
        return section
    return section._replace(head=[], rows=[list(pair) for pair in zip(section.head, section.rows[0], strict=True)])


def _draw(section: _Section, width: int) -> Iterator[str]:
    columns = _column_widths(section)
    if section.title:
        yield _centered(section.title, width, "|")
    if not columns:
        yield "+" + "-" * (width - 2) + "+"
        return
    widths = _scaled(columns, width)
    line = "+" + "-" * (widths[0] - 2) + "+" + "".join("-" * (column - 1) + "+" for column in widths[1:])
    if section.head:
        yield line
        yield _row(section.head, widths, _centered)
    yield line
    for row in section.rows:
        yield _row(row, widths, _left)
    yield line


def _row(cells: list[str], widths: list[int], cell: Callable[[str, int, str], str]) -> str:
    return "".join(
        cell(text, width, "" if n else "|") for n, (text, width) in enumerate(zip(cells, widths, strict=True))
    )


def _column_widths(section: _Section) -> list[int]:
    rows = [section.head, *section.rows] if section.head else section.rows
    return [max(_length(cell) for cell in column) + 4 for column in zip(*rows, strict=True)]


def _width(section: _Section) -> int:
    return max(sum(_column_widths(section)), _length(section.title)) + 2 + 2 * section.depth


def _scaled(widths: list[int], total: int) -> list[int]:
    """The columns widened in proportion until they fill `total`; what rounding lost or won is put right."""
    scaled = [round(width * total / sum(widths)) for width in widths]
    over = sum(scaled) - total
    order = range(len(scaled)) if over > 0 else range(len(scaled) - 1, -1, -1)
    for turn in range(abs(over)):
        scaled[order[turn % len(scaled)]] -= 1 if over > 0 else -1
    return scaled


def _centered(text: str, width: int, left: str) -> str:
    begun = left + " " * (width // 2 - _length(text) // 2 - 1) + text
    return begun + " " * (width - 1 - _length(begun)) + "|"


def _left(text: str, width: int, left: str) -> str:
    begun = left + "  " * (_length(text) + len(left) + 3 <= width) + text
    return begun + " " * (width - 1 - _length(begun)) + "|"


def _cell(value: Any) -> str:
    return printable(str(value))


def _length(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
