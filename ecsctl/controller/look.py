"""Looking: what a host's engine says of our containers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from ecsctl.model import identity
from ecsctl.model.arn import instance_beside, last_part
from ecsctl.model.errors import NotFound
from ecsctl.model.identity import Signature
from ecsctl.model.stored import ContainerState, Endpoint, InstanceRecord, TaskRecord
from ecsctl.scheduler.observe import is_as_known
from ecsctl.store.store import Store
from ecsctl.store.tables import INSTANCES, TASKS

if TYPE_CHECKING:
    from ecsctl.engine.port import Engine
    from ecsctl.model.observed import Observed


class Sight(Struct, frozen=True):
    """One look at a host.

    `sequence` is the store's when the look began: it proves nothing about what was changed later.
    `tasks` maps task id to what was seen of its containers: of one there may be two, when a call came late.
    `foreign`: what is told of containers that have our labels and are not ours, which are never touched.
    `endpoint`: the id of what answers the host's tasks, empty where there is none, None where that was not looked for.
    """

    sequence: int
    tasks: dict[str, list[Observed]]
    foreign: tuple[str, ...] = ()
    endpoint: str | None = None


class Home:
    """What the state says of one host and the containers that are at home there; asked about what is out of place."""

    def __init__(self, store: Store, instance: InstanceRecord) -> None:
        self._store = store
        self._instance = instance

    def is_of(self, found: Observed) -> bool:
        """Whether a container was made on this host, by its labels, if they say. It may have been registered by another
        id then; an id that is not known is of no other host, but newer than the state."""
        task, label = _task_of(found), found.labels.get(identity.INSTANCE)
        instance = instance_beside(task, label) if task and label else self._instance.arn
        if instance == self._instance.arn:
            return True
        with self._store.read() as view:
            other = view.get(INSTANCES, instance)
        return other is None or other.is_on(self._instance.engine_id, self._instance.address)

    def knows(self, found: Observed) -> bool:
        """Whether it is the container of its task by the engine's id, whatever somebody has called it since."""
        with self._store.read() as view:
            record = view.get(TASKS, _task_of(found))
        return record is not None and any(state.engine_id == found.id for state in record.containers)


def recognise(
    listed: Sequence[Observed], signature: Signature, sequence: int, known: Sequence[TaskRecord], home: Home
) -> Sight:
    """What an engine listed, by task. What is `known` by the engine's own id needs no signature."""
    ids = {state.engine_id for record in known for state in record.containers}
    tasks: dict[str, list[Observed]] = {}
    foreign = []
    endpoint = ""
    for found in listed:
        if found.labels[identity.INSTALL] == identity.SHARED:
            if found.name == identity.ENDPOINT_NAME and found.is_up:
                endpoint = found.id
        elif found.id not in ids and (why := _why_foreign(found, signature, home)):
            foreign.append(f"container {found.name} carries {why}")
        else:
            tasks.setdefault(found.labels[identity.TASK], []).append(found)
    return Sight(sequence, tasks, tuple(foreign), endpoint)


def _why_foreign(found: Observed, signature: Signature, home: Home) -> str:
    """What it has of ours, and why it is not ours all the same; empty where it is."""
    if not identity.is_signed(found.labels, signature.key):
        return "our labels but not our signature"
    if not home.is_of(found):
        return "the labels of a container on another host"
    if not identity.has_its_name(found) and not home.knows(found):
        return f"the labels of {identity.name_in(found.labels)}: it is a copy"
    return ""


def _task_of(found: Observed) -> str:
    return found.labels.get(f"{identity.AGENT}task-arn", "")


def look_at(record: TaskRecord, engine: Engine, signature: Signature, sequence: int) -> Sight:
    """Each container of one task, inspected: a listing made when an engine tells of an event may not show it yet."""
    found = []
    for state in record.containers:
        try:
            one = engine.inspect(state.engine_id or state.engine_name)
        except NotFound:
            continue
        if one.id == state.engine_id or identity.is_genuine(one, signature.key):
            found.append(one)
    return Sight(sequence, {last_part(record.arn): found})


def of_task(sight: Sight, record: TaskRecord, engine: Engine) -> dict[str, Observed]:
    """What was seen of one task, by container. A listing has no exit codes: what ended since is inspected."""
    seen = {}
    for state in record.containers:
        found = _the_one(state, sight.tasks.get(last_part(record.arn), []))
        if found is None:
            continue
        try:
            has_ended_since = found.has_ended and state.stage not in ("exited", "fenced")
            is_listed = found.finished_at is None
            seen[state.name] = engine.inspect(found.id) if has_ended_since and is_listed else found
        except NotFound:
            continue
    return seen


def is_settled(sight: Sight, record: TaskRecord, now: datetime) -> bool:
    """Whether a task runs as it should and was seen exactly as it is known, and the endpoint knows it: deciding about
    it would change nothing."""
    task = record.task
    if task.last_status != "RUNNING" or task.desired_status != "RUNNING" or record.claim is not None:
        return False
    if record.endpoint and record.endpoint.offered and not knows(record.endpoint, sight.endpoint, now):
        return False
    candidates = sight.tasks.get(last_part(record.arn), [])
    return all(is_as_known(state, _the_one(state, candidates)) for state in record.containers)


def knows(endpoint: Endpoint, run: str | None, now: datetime) -> bool:
    """Whether what answers a task was told of its last change, and the credentials that it has do not end soon."""
    is_current = endpoint.digest and run in (None, endpoint.run)
    return bool(is_current) and (endpoint.renew_at is None or endpoint.renew_at > now)


def _the_one(state: ContainerState, candidates: list[Observed]) -> Observed | None:
    """The container that the record knows by id; while it knows none, the one that has its name."""
    for found in candidates:
        if found.id == state.engine_id or (state.engine_id is None and found.name == state.engine_name):
            return found
    return None


def closely(record: TaskRecord, engine: Engine, names: Collection[str]) -> dict[str, Observed]:
    """These containers of the task, each inspected."""
    seen = {}
    for state in record.containers:
        if state.name not in names or state.engine_id is None:
            continue
        try:
            seen[state.name] = engine.inspect(state.engine_id)
        except NotFound:
            continue
    return seen
