"""One change of a plan: what it is about, what differs, and the ECS requests that make it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from ecsctl.model.record import Record
from ecsctl.operations.apply.difference import Difference
from ecsctl.operations.context import Context
from ecsctl.store.store import View

Action = Literal["create", "update", "delete", "unchanged"]

SIGNS: dict[Action, str] = {"create": "+", "update": "~", "delete": "-"}


class Ground(NamedTuple):
    """What a plan is made on: one snapshot, and the set whose resources are its own; None where resources have the
    tags that they say, their sets' among them."""

    view: View
    ctx: Context
    set_name: str | None


class Change(NamedTuple):
    """`requests` are carried out in their order. `arn` is the resource's, as it is or as it will be."""

    action: Action
    kind: str
    name: str
    arn: str
    differences: tuple[Difference, ...] = ()
    requests: tuple[Record, ...] = ()

    @classmethod
    def of(cls, kind: str, name: str, arn: str, found: Sequence[Difference], requests: Sequence[Record]) -> Change:
        """The change of what exists; without differences it is unchanged."""
        return cls("update" if found else "unchanged", kind, name, arn, tuple(found), tuple(requests))

    @property
    def lines(self) -> list[str]:
        """As a diff shows it: `~ service default/web`, and a line per field."""
        return [f"{SIGNS[self.action]} {self.kind} {self.name}", *(f"    {found}" for found in self.differences)]

    def to_wire(self) -> dict[str, Any]:
        return {
            "action": self.action,
            "kind": self.kind,
            "name": self.name,
            "arn": self.arn,
            "differences": [found._asdict() for found in self.differences],
        }
