"""`iam create-user`, `iam put-user-policy` and so on: the commands of `aws iam` that decide who may do what here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ecsctl.cli.action import Action
from ecsctl.cli.commands import IAM, Entry
from ecsctl.cli.group import chosen

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation


class OfIam(Action):
    """One of them."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry)
        self.usage = f"ecsctl iam {entry.name}"
        self.reference = f"https://docs.aws.amazon.com/IAM/latest/APIReference/API_{entry.action}.html"


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
