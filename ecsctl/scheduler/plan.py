"""What deciding yields: actions for an engine, what to write, and why."""

from __future__ import annotations

from typing import Literal, NamedTuple

from ecsctl.model.stored import Operation, TaskRecord


class Action(NamedTuple):
    """One call to one engine. `target` is an engine's container id, or a name for create, pull, network and fencing.

    `timeout` is the seconds a stop grants before SIGKILL.
    """

    op: Operation
    container: str
    target: str
    cause: str
    timeout: int = 0
    new_name: str = ""

    def __str__(self) -> str:
        what = {
            "network": f"create network {self.target} for",
            "endpoint": "offer the endpoint to",
            "name": "let others find",
            "unname": "let others no longer find",
        }.get(self.op, self.op)
        return f"{what} container {self.container}: {self.cause}"


Result = Literal[
    "ok", "gone", "no_image", "no_network", "no_secret", "no_volume", "foreign", "refused", "unknown", "unsent"
]


class Outcome(NamedTuple):
    """What a call answered.

    ok: done (`value`: of create the id, of endpoint what is offered). gone: there is no such container.
    no_image: create found no image.
    no_network: create or start found that its network is not there.
    no_secret: create, pull, start or endpoint needs a value that cannot be had, `value` says why.
    no_volume: create needs a volume that cannot be had, `value` says why.
    foreign: the name is held by a container that is not ours. refused: the engine's words are in `value`,
    `status` its HTTP status. unknown: no answer, so nothing is known. unsent: the engine was not reached.
    """

    op: Operation
    container: str
    result: Result
    value: str = ""
    status: int = 0


class Happening(NamedTuple):
    """Something for the journal."""

    kind: str
    message: str

    def __str__(self) -> str:
        if self.kind == "TaskToStop":
            return f"is to stop: {self.message}"
        why = f": {self.message}" if self.message and self.kind == "TaskStopped" else ""
        return f"is {self.kind.removeprefix('Task').upper()}{why}"


class Step(NamedTuple):
    """What to do about one task now.

    `record` is its new state, intents of the actions included. `waiting`: nothing to do until a container
    changes by itself (a dependency has to end or become healthy).
    """

    record: TaskRecord
    actions: tuple[Action, ...] = ()
    happenings: tuple[Happening, ...] = ()
    waiting: bool = False
