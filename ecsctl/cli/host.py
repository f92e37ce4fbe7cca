"""`host`, with its commands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ecsctl.cli.commands import HOST, Entry
from ecsctl.cli.group import chosen
from ecsctl.cli.host_fence import fence
from ecsctl.cli.own import Own

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
        return Own(entry._replace(name=f"host {entry.name}"), _FUNCTIONS[entry.name]).execute(invocation, rest)


_FUNCTIONS: dict[str, Callable[..., int]] = {"fence": fence}
