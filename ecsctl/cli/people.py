"""Tables for people, drawn by rich: fitted to a terminal, one line per row into a pipe."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

from ecsctl.cli.problems import printable

_WIDE = 100_000
"""Columns of a pipe: nothing is wrapped there."""

STYLES = {
    "RUNNING": "green",
    "HEALTHY": "green",
    "honoured": "green",
    "mapped": "yellow",
    "refused": "bold red",
    "STOPPED": "dim",
    "UNHEALTHY": "red",
    "PENDING": "yellow",
    "PROVISIONING": "yellow",
}
"""Words that have a colour on a terminal."""


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns with a head, on stdout. Colours on a terminal only, and not with NO_COLOR."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = sys.stdout.isatty()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold" if terminal else "")
    for title in head:
        table.add_column(title, overflow="fold", no_wrap=not terminal)
    for row in rows:
        table.add_row(*(Text(printable(cell), style=STYLES.get(cell, "") if terminal else "") for cell in row))
    width = shutil.get_terminal_size().columns if terminal else _WIDE
    console = Console(
        file=sys.stdout, width=width, no_color=bool(os.environ.get("NO_COLOR")), highlight=False, emoji=False
    )
    with console.capture() as drawn:
        console.print(table)
    sys.stdout.writelines(line.rstrip() + "\n" for line in drawn.get().splitlines())
