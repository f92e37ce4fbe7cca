"""What every operation is given: the store, the scope of its ARNs, the clock, and the controller."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from msgspec import Struct

from ecsctl.controller.controller import Controller
from ecsctl.controller.limits import Limits
from ecsctl.controller.passes import Pass
from ecsctl.model.arn import Scope
from ecsctl.model.key_store import KeyStore
from ecsctl.model.record import evolve
from ecsctl.store.store import Store

HERE = 2.0
"""Seconds that a command spends on bringing tasks further before it leaves the rest to the background."""


class Context(Struct, frozen=True):
    """The surroundings of an operation.

    `hand_over` lets another process finish tasks and services (by ARN) that this one leaves unfinished. `warn` tells
    the person at the keyboard.
    """

    store: Store
    scope: Scope
    controller: Controller
    hand_over: Callable[[list[str]], object]
    warn: Callable[[str], None]
    reserved_memory: int = 256
    """MiB that a container instance keeps back for the host itself."""
    key_store: KeyStore | None = None
    """Where new keys of the secrets go, and the older ones with them; None: to where those are, the first to a file."""
    is_fresh: Callable[[], bool] = lambda: False
    """Whether what is recorded of tasks is as new as a look at their hosts would make it."""
    image_map: dict[str, str] = {}
    """What takes the place of images of the tasks and deployments that are made here, before what is configured."""
    asked_by: str = ""
    """The ARN of who asks; empty: the root of the account, whose the state is."""
    asked_with: Mapping[str, str] = {}
    """What the connection says, for the conditions of policies, e.g. aws:SourceIp."""

    def now(self) -> datetime:
        return self.controller.clock.now()

    def new_id(self) -> str:
        return self.controller.chance.new_id()

    def new_starter_id(self) -> str:
        """The id of a deployment or a task set, as ECS has them."""
        return f"ecs-svc/{int(self.new_id(), 16) % 10**19:019d}"

    def draw(self, n: int) -> int:
        return self.controller.chance.draw(n)

    @property
    def caller(self) -> str:
        """The ARN of who asks."""
        return self.asked_by or f"arn:aws:iam::{self.scope.account}:root"

    def for_a_moment(self, arns: list[str], limits: Limits) -> Pass:
        """Bring tasks further, and answer soon."""
        until = self.controller.clock.since_boot() + HERE
        return self.controller.converge(arns, evolve(limits, until=until))

    def finish(self, arns: list[str], limits: Limits) -> Pass:
        """Bring tasks further for a moment, and leave what is unfinished then to the background."""
        result = self.for_a_moment(arns, limits)
        if result.unfinished:
            self.hand_over(result.unfinished)
        return result
