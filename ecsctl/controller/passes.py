"""What became of a pass."""

from __future__ import annotations

from ecsctl.model.stored import TaskRecord


class Pass:
    """One pass over some tasks: what was done and why, per line; what could not be reached or was refused; what is
    left to do. `planned`: in a dry run, the tasks (by ARN) as they would be. `endpoints`: the ids of those that answer
    tasks of services, by the ARN of the host."""

    def __init__(self, lines: list[str] | None = None, left_alone: list[str] | None = None) -> None:
        self.lines = lines or []
        self.changed = bool(lines)
        self.unreachable: dict[str, str] = {}
        self.errors: list[str] = []
        self.unfinished: list[str] = []
        self.left_alone = left_alone or []
        self.planned: dict[str, TaskRecord] = {}
        self.endpoints: dict[str, str] = {}

    def add(self, other: Pass) -> None:
        self.lines += other.lines
        self.changed = self.changed or other.changed
        self.unreachable |= other.unreachable
        self.errors += other.errors
        self.unfinished += other.unfinished
        self.left_alone += other.left_alone
        self.planned |= other.planned
        self.endpoints |= other.endpoints
