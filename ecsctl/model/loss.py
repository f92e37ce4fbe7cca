"""What becomes of tasks whose host is lost: how that is said, and how long is waited first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

if TYPE_CHECKING:
    from ecsctl.model.task_definition import TaskDefinition

LossPolicy = Literal["replace", "ecs", "never-double-run"]
"""The more careful ones last. `replace`: others take the place of tasks on a host that is lost. `ecs`: not before it is
deregistered by force. `never-double-run`: not before it answers, or a person has confirmed that it is down; and never,
in no deployment either, are there more than are desired."""
POLICIES: tuple[LossPolicy, ...] = get_args(LossPolicy)

LABEL = "ecsctl.loss-policy"
"""The Docker label by which a container of a task definition says what holds for its tasks, whatever runs them."""
GRACE = "ecsctl.loss-grace"
"""An attribute of a container instance, or a tag of a cluster: seconds of silence after which the host is lost."""
CONTACTS = "ecsctl.loss-contacts"
"""The same: how often it has to have been asked in that time."""


class Grace(NamedTuple):
    """How long a host has to be silent before it is lost, and how often it has to have been asked in that time."""

    silence: timedelta = timedelta(seconds=60)
    contacts: int = 3

    def with_stated(self, stated: Mapping[str, str | None]) -> Grace:
        """With what attributes or tags say instead."""
        silence, contacts = stated.get(GRACE) or "", stated.get(CONTACTS) or ""
        return Grace(
            timedelta(seconds=int(silence)) if _is_whole(silence) else self.silence,
            int(contacts) if _is_whole(contacts) else self.contacts,
        )


def grace_problem(name: str | None, value: str | None) -> str | None:
    """Why the value of an attribute, or a tag, of that name says nothing about the grace; None where it does, or need
    not."""
    if name == GRACE and not _is_whole(value or ""):
        return f"{value!r} is no time in seconds: write a whole number, like 90"
    if name == CONTACTS and not _is_whole(value or ""):
        return f"{value!r} is no number of contacts: write a whole number, like 3"
    return None


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 6


def policy_of(stated: LossPolicy | None, definitions: Iterable[TaskDefinition]) -> LossPolicy:
    """What holds for tasks: of what their service states, and what their definitions do, the most careful."""
    labels = [c.docker_labels or {} for d in definitions for c in d.container_definitions or []]
    words = {stated, *(one.get(LABEL) for one in labels)}
    return next((policy for policy in reversed(POLICIES) if policy in words), POLICIES[0])
