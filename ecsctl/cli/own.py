"""A command that AWS does not have: a Typer function that takes the global options too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand

from ecsctl.cli import global_flags
from ecsctl.cli.argv import wants_help
from ecsctl.cli.commands import Entry
from ecsctl.cli.help import flag_rows

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation


class Own:
    """The function as a command: its `typer.Context` has the invocation as `obj`; it returns the exit code."""

    def __init__(self, entry: Entry, function: Callable[..., int]) -> None:
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(entry.name, cls=_Command)(function)
        self._name = f"ecsctl {entry.name}"
        self._command: Any = typer.main.get_command(app)

    def execute(self, invocation: Invocation, words: Sequence[str]) -> int:
        found, rest = global_flags.anywhere(words)
        invocation.options |= found
        if wants_help(rest):
            rest = ["--help"]
        with self._command.make_context(self._name, self._spread(rest), obj=invocation) as context:
            code: int = self._command.invoke(context)
        return code

    def _spread(self, words: list[str]) -> list[str]:
        """`--task a b` as Typer wants it: `--task a --task b`."""
        lists = {name for option in self._command.params if getattr(option, "multiple", False) for name in option.opts}
        spread: list[str] = []
        current = ""
        for word in words:
            if word.startswith("-"):
                current = word if word in lists else ""
            elif current and spread[-1] != current:
                spread.append(current)
            spread.append(word)
        return spread


class _Command(TyperCommand):
    def format_options(self, ctx: Any, formatter: Any) -> None:
        super().format_options(ctx, formatter)
        with formatter.section("Options of every command"):
            formatter.write_dl(flag_rows(global_flags.FLAGS))
