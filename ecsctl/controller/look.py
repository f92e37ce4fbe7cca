"""Looking: what a host's engine says of our containers."""

from __future__ import annotations

from typing import NamedTuple

from ecsctl.engine.port import Engine, Observed
from ecsctl.model import identity
from ecsctl.model.arn import last_part
from ecsctl.model.errors import NotFound
from ecsctl.model.stored import TaskRecord
from ecsctl.scheduler.container_spec import Signature


class Sight(NamedTuple):
    """One look at a host.

    `sequence` is the store's when the look began: it proves nothing about what was changed later.
    `tasks` maps task id to container name to what was seen. `forged`: names of containers with our labels
    and a wrong MAC, which are never touched.
    """

    sequence: int
    tasks: dict[str, dict[str, Observed]]
    forged: tuple[str, ...] = ()


def look(engine: Engine, signature: Signature, sequence: int) -> Sight:
    """One listing."""
    tasks: dict[str, dict[str, Observed]] = {}
    forged = []
    for found in engine.list(signature.install):
        if not identity.is_genuine(found.labels, signature.key):
            forged.append(found.name)
            continue
        task, container = found.labels[identity.TASK], found.labels[identity.CONTAINER]
        tasks.setdefault(task, {})[container] = found
    return Sight(sequence, tasks, tuple(forged))


def of_task(sight: Sight, record: TaskRecord, engine: Engine) -> dict[str, Observed]:
    """What was seen of one task. A listing has no exit codes: what ended since the record is inspected."""
    seen = dict(sight.tasks.get(last_part(record.arn), {}))
    for state in record.containers:
        found = seen.get(state.name)
        if found is None or not found.has_ended or state.stage in ("exited", "fenced"):
            continue
        try:
            seen[state.name] = engine.inspect(found.id)
        except NotFound:
            del seen[state.name]
    return seen


def closely(record: TaskRecord, engine: Engine) -> dict[str, Observed]:
    """The task's containers, each inspected."""
    seen = {}
    for state in record.containers:
        if state.engine_id is None or state.stage in ("none", "fenced"):
            continue
        try:
            seen[state.name] = engine.inspect(state.engine_id)
        except NotFound:
            continue
    return seen
