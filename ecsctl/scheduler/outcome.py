"""How a stopped task ended, as an exit code and a sentence. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ecsctl.model.arn import last_part
from ecsctl.model.container_definition import ContainerDefinition
from ecsctl.model.task import Container, Task

FAILED, KILLED, TERMINATED = 1, 137, 143
"""1 where no container has a code; 128 + SIGKILL, 128 + SIGTERM: what containers show that were stopped because
another one had ended."""
_OUT_OF_MEMORY = "OutOfMemory"


class Outcome(NamedTuple):
    """`problem` is empty when the task succeeded."""

    code: int
    problem: str = ""


def outcome_of(task: Task, definitions: Sequence[ContainerDefinition]) -> Outcome:
    """The essential container's exit code, and why the task failed if it did."""
    name = last_part(str(task.task_arn))
    ended = _essential(task, definitions)
    if ended is None or task.stop_code == "TaskFailedToStart":
        reasons = [container.reason for container in task.containers or [] if container.reason]
        why = task.stopped_reason or next(iter(reasons), "it did not start")
        return Outcome(FAILED, f"task {name} did not start: {why}")
    code = ended.exit_code or 0
    if (ended.reason or "").startswith(_OUT_OF_MEMORY):
        return Outcome(KILLED, f"task {name}: container {ended.name} ran out of memory: {ended.reason}")
    if code == 0 and task.stop_code in (None, "EssentialContainerExited"):
        return Outcome(0)
    why = task.stopped_reason or ended.reason or "it stopped"
    return Outcome(code or FAILED, f"task {name}: container {ended.name} exited with {code}: {why}")


def _essential(task: Task, definitions: Sequence[ContainerDefinition]) -> Container | None:
    """The essential container whose end was the task's: one that ended by itself before one that was stopped."""
    names = [definition.name for definition in definitions if definition.essential is not False]
    ended = [
        container
        for name in names
        for container in task.containers or []
        if container.name == name and container.exit_code is not None
    ]
    by_itself = [
        container
        for container in ended
        if container.exit_code not in (KILLED, TERMINATED) or (container.reason or "").startswith(_OUT_OF_MEMORY)
    ]
    failed = [container for container in by_itself if container.exit_code]
    return next(iter(failed or by_itself or ended), None)
