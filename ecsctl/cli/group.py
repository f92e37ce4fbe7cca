"""A command that is a group of others, as `wait tasks-running`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ecsctl.cli import global_flags
from ecsctl.cli.argv import wants_help
from ecsctl.cli.commands import Entry
from ecsctl.cli.problems import UsageError
from ecsctl.model.near import near

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation

_MOST_NAMED = 10
"""Of how many members each is named to who asked for none of them."""


def chosen(
    group: Entry, members: Sequence[Entry], kind: str, invocation: Invocation, words: Sequence[str]
) -> tuple[Entry, list[str]] | None:
    """Which of the members the words name, and the words behind it; None when they ask for help, which is given.

    `kind` is what the members are called, e.g. `waiter`. Raises UsageError for a name that none of them has.
    """
    found, rest = global_flags.before_command(words)
    invocation.options |= found
    if wants_help(rest[:1]):
        from ecsctl.cli.help import print_page

        rows = [(member.name, member.help) for member in members]
        usage = f"ecsctl {group.name} {kind.upper()} [OPTIONS]"
        print_page(usage, group.help, [(f"{kind.capitalize()}s", rows)])
        return None
    member = next((member for member in members if member.name == rest[0]), None) if rest else None
    if member is None:
        given = repr(rest[0]) if rest else "nothing"
        *names, last = (member.name for member in members)
        if len(members) > _MOST_NAMED:
            meant = near(rest[0], [*names, last]) if rest else []
            hint = f"did you mean {meant[0]}?" if meant else f"see `ecsctl {group.name} --help`"
            raise UsageError(f"{group.name}: expected a {kind}, got {given}; {hint}")
        raise UsageError(f"{group.name}: expected {', '.join(names)} or {last}, got {given}")
    return member, rest[1:]
