"""`iam create-user`, `iam put-user-policy` and so on: the commands of `aws iam` that decide who may do what here; and
`assume-role`, of `aws sts`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ecsctl.cli import paging
from ecsctl.cli.action import Action
from ecsctl.cli.argv import Parsed
from ecsctl.cli.commands import IAM, Entry
from ecsctl.cli.flags import build
from ecsctl.cli.group import chosen
from ecsctl.model.record import Record, to_wire

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation


class _Page(Record):
    """What is asked for where a list has no pages."""

    next_token: str | None = None
    max_results: int | None = None


class OfIam(Action):
    """One of them."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry)
        self.usage = f"ecsctl iam {entry.name}"
        self.reference = f"https://docs.aws.amazon.com/IAM/latest/APIReference/API_{entry.action}.html"
        self._has_pages = entry.name.startswith("list-") or entry.name in ("get-group", "simulate-principal-policy")
        self.additions = paging.FLAGS if self._has_pages else ()

    def run(self, invocation: Invocation, parsed: Parsed) -> int:
        """The whole list is one page, which is cut where that is asked for."""
        request = build(self.request_type, parsed.values, self.own_flags)
        with invocation.open() as context:
            response = self.operation()(context, request)
        answer = to_wire(response)
        if self._has_pages:
            answer |= paging.every_page(lambda _: response, _Page(), self.response_type, parsed.values)
        invocation.show(answer, self.entry.action)
        return 0


class OfSts(Action):
    """An action whose options the reference of STS explains."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry)
        self.reference = f"https://docs.aws.amazon.com/STS/latest/APIReference/API_{entry.action}.html"


class Iam:
    """`ecsctl iam`, with its commands."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    def execute(self, invocation: Invocation, words: Sequence[str]) -> int:
        found = chosen(self._entry, IAM, "command", invocation, words)
        if found is None:
            return 0
        invocation.entry, rest = found
        return OfIam(invocation.entry).execute(invocation, rest)
