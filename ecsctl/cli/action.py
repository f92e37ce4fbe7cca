"""An ECS action as a command: options from its request record, the operation, its answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ecsctl.cli import global_flags, paging
from ecsctl.cli.argv import Flag, Parsed, wants_help
from ecsctl.cli.commands import Entry
from ecsctl.cli.flags import INPUT_FLAGS, build, flags_of
from ecsctl.cli.problems import UsageError
from ecsctl.model.record import Record, to_wire
from ecsctl.operations.actions import operation_of, shape_of

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation
    from ecsctl.operations.context import Context

_REFERENCE = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_{}.html"


class Action:
    """The command of one ECS action. What an action has beyond AWS is in a subclass: `additions`, `words`, `run`."""

    additions: tuple[Flag, ...] = ()
    words = 0
    """How many words besides options it takes."""
    words_help: tuple[str, str] | None = None
    reference = ""
    """The page that says what the options mean, where it is not that of the action."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.usage = f"ecsctl {entry.name}"

    @cached_property
    def request_type(self) -> type[Record]:
        return self._shape("Request")

    @cached_property
    def response_type(self) -> type[Record]:
        return self._shape("Response")

    def _shape(self, suffix: str) -> type[Record]:
        return shape_of(self.entry.action, suffix)

    @cached_property
    def own_flags(self) -> list[Flag]:
        """All options but the global ones."""
        pages = paging.FLAGS if paging.is_paged(self.entry.action, self.request_type) else ()
        return [*flags_of(self.request_type), *self.additions, *pages, *INPUT_FLAGS]

    def operation(self) -> Callable[[Context, Any], Record]:
        return operation_of(self.entry.action)

    def execute(self, invocation: Invocation, words: Sequence[str]) -> int:
        """Do what the words say; the exit code."""
        if wants_help(words):
            return self.print_help()
        parsed, found = global_flags.read(words, self.own_flags, self.words)
        invocation.options |= found
        if which := parsed.values.get("generate_cli_skeleton"):
            return self._skeleton(invocation, which)
        return self.run(invocation, parsed)

    def run(self, invocation: Invocation, parsed: Parsed) -> int:
        """Do it; the exit code."""
        request = build(self.request_type, parsed.values, self.own_flags)
        with invocation.open() as context:
            operation = self.operation()
            if not self._gathers_pages(invocation, parsed):
                answers = [to_wire(operation(context, request))]
            else:
                # In text each page is printed, and what --query says is said of each.
                gather = paging.pages if invocation.config.output == "text" else paging.every_page
                found = gather(lambda page: operation(context, page), request, self.response_type, parsed.values)
                answers = [found] if isinstance(found, dict) else list(found)
        for answer in answers:
            invocation.show(answer, self.entry.action)
        return 0

    def _gathers_pages(self, invocation: Invocation, parsed: Parsed) -> bool:
        is_paged = paging.is_paged(self.entry.action, self.request_type)
        return is_paged and not paging.by_hand(parsed.values, no_paginate="no_paginate" in invocation.options)

    def _skeleton(self, invocation: Invocation, which: str) -> int:
        from ecsctl.cli.output import show
        from ecsctl.cli.skeleton import skeleton

        if which == "output":
            invocation.show(skeleton(self.response_type, named=True), self.entry.action)
        elif which in ("input", "yaml-input"):
            show(skeleton(self.request_type), "yaml" if which == "yaml-input" else "json")
        else:
            raise UsageError(f"argument --generate-cli-skeleton: {which!r} is none of input, output, yaml-input")
        return 0

    def print_help(self) -> int:
        from ecsctl.cli.help import flag_rows, print_page

        words = [self.words_help] if self.words_help else []
        needed = [f"{flag.name} {flag.metavar}".strip() for flag in self.own_flags if flag.required]
        sections = (
            ("Arguments", words),
            (f"Options of {self.entry.action}", flag_rows([flag for flag in self.own_flags if not flag.own])),
            ("Options that AWS does not have", flag_rows([flag for flag in self.own_flags if flag.own])),
            ("Options of every command", flag_rows(global_flags.FLAGS)),
        )
        usage = " ".join([self.usage, *(word for word, _ in words), *needed, "[OPTIONS]"])
        reference = self.reference or _REFERENCE.format(self.entry.action)
        print_page(usage, self.entry.help, sections, f"What they mean: {reference}")
        return 0
