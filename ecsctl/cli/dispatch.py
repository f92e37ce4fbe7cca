"""From the words of the command line to the one command that is meant; only its module is imported."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from ecsctl.cli import global_flags
from ecsctl.cli.argv import refuse_unknown, wants_help
from ecsctl.cli.commands import COMMANDS, SECTIONS, Entry, action_of
from ecsctl.cli.problems import UsageError
from ecsctl.model.errors import EcsctlError
from ecsctl.model.near import near

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation

ABOUT = """Containers the Amazon ECS way, on Docker hosts you already have.

What `aws ecs …` does, `ecsctl …` does with the same words. Begin with
`ecsctl run-task --task-definition FILE --wait --logs`, then `ecsctl ps`."""


class Command(Protocol):
    """What a `target` of the table makes of its entry."""

    def execute(self, invocation: Invocation, words: Sequence[str]) -> int:
        """Do what the words behind the command's name say; the exit code."""
        ...


def dispatch(invocation: Invocation, words: Sequence[str]) -> int:
    """Find the command and execute it; the exit code."""
    found, rest = global_flags.before_command(words)
    invocation.options |= found
    if wants_help(rest[:1]):
        return _help()
    if not rest:
        raise UsageError("the following arguments are required: command; see `ecsctl --help`")
    name = rest[0]
    if name.startswith("-"):
        refuse_unknown([name], global_flags.KNOWN)
    entry = COMMANDS.get(name)
    if entry is None:
        invocation.entry = Entry(name, "")
        raise _unknown(name)
    invocation.entry = entry
    return load(entry).execute(invocation, rest[1:])


def load(entry: Entry) -> Command:
    """The command of an entry, its module imported now."""
    module, _, name = (entry.target or "ecsctl.cli.action:Action").partition(":")
    command: Command = getattr(import_module(module), name)(entry)
    return command


def _unknown(name: str) -> EcsctlError:
    from ecsctl.operations.actions import NOT_YET, refusal  # whoever types a command's name right has no need of it

    if name == name.lower() and action_of(name) in NOT_YET:
        return refusal(action_of(name))
    meant = near(name, COMMANDS, n=3)
    hint = f"; did you mean {' or '.join(meant)}?" if meant else "; see `ecsctl --help`"
    return UsageError(f"unknown command {name!r}{hint}")


def _help() -> int:
    from ecsctl.cli.help import flag_rows, print_page

    sections = [(title, [(entry.name, entry.help) for entry in entries]) for title, entries in SECTIONS.items()]
    options = [*flag_rows(global_flags.FLAGS), ("--version", "Print the version.")]
    print_page("ecsctl [OPTIONS] COMMAND …", ABOUT, [*sections, ("Options of every command", options)])
    return 0
