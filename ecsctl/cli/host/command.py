"""`host` with its commands: each is the function `command` of the module of its name, with `_` for `-`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from ecsctl.cli.commands import HOST, Entry
from ecsctl.cli.group import chosen
from ecsctl.cli.own import Own
from ecsctl.model.record import evolve

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation


class Host:
    """`ecsctl host`, with its commands."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    def execute(self, invocation: Invocation, words: Sequence[str]) -> int:
        found = chosen(self._entry, HOST, "command", invocation, words)
        if found is None:
            return 0
        entry, rest = found
        function: Callable[..., int] = import_module(f"ecsctl.cli.host.{entry.name.replace('-', '_')}").command
        return Own(evolve(entry, name=f"host {entry.name}"), function).execute(invocation, rest)
