"""Help pages, made from the same options and the same table that the commands are read with."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence

from ecsctl.cli import global_flags
from ecsctl.cli.argv import Flag

Row = tuple[str, str]
_COLUMN = 36
"""The widest first column; what is longer has a line of its own."""


def print_page(usage: str, about: str, sections: Sequence[tuple[str, Sequence[Row]]], last: str = "") -> None:
    """Write a page to stdout; a section without rows is left out."""
    width = max(60, min(shutil.get_terminal_size().columns, 100))
    parts = [textwrap.fill(f"Usage: {usage}", width, subsequent_indent=" " * 9, break_on_hyphens=False)]
    parts += [
        textwrap.fill(text, width, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
        for text in about.split("\n\n")
    ]
    parts += ["\n".join([f"{title}:", *_rows(rows, width)]) for title, rows in sections if rows]
    sys.stdout.write("\n\n".join([*parts, last] if last else parts) + "\n")


def print_flags(name: str, about: str, flags: Sequence[Flag]) -> None:
    """Write the page of a command that has flags and nothing else."""
    sections = [("Options", flag_rows(flags)), ("Options of every command", flag_rows(global_flags.FLAGS))]
    print_page(f"ecsctl {name} [OPTIONS]", about, sections)


def _rows(rows: Sequence[Row], width: int) -> list[str]:
    column = min(_COLUMN, max(len(first) for first, _ in rows)) + 2
    lines = []
    for first, second in rows:
        wrapped = textwrap.wrap(second, width - column - 2, break_on_hyphens=False) or [""]
        if len(first) + 2 > column:
            lines.append(f"  {first}")
            first = ""  # noqa: PLW2901 the text begins on the next line
        lines.append(f"  {first:<{column}}{wrapped[0]}".rstrip())
        lines += [" " * (column + 2) + line for line in wrapped[1:]]
    return [line for line in lines if line.strip()]


def flag_rows(flags: Sequence[Flag]) -> list[Row]:
    """Options as rows; a switch and its opposite are one."""
    negatives = {flag.key: flag.name for flag in flags if flag.const is False}
    rows = []
    for flag in flags:
        if flag.const is False:
            continue
        name = f"{flag.name} / {negatives[flag.key]}" if flag.key in negatives else flag.name
        text = " ".join(filter(None, (flag.help, "[required]" if flag.required else "")))
        rows.append((f"{name} {flag.metavar}".strip(), text))
    return rows
