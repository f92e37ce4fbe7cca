"""What containers print: of a task, of all tasks of a service, of a log group; merged by time.

What the engines still have comes from there, the rest from the logs that are kept beside the state.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import count
from queue import Empty, Queue
from threading import Thread
from typing import NamedTuple

from ecsctl.controller.limits import Limits
from ecsctl.engine.log_frames import Seen
from ecsctl.engine.port import Engine, LogChunk
from ecsctl.model.arn import last_part
from ecsctl.model.errors import (
    EcsctlError,
    EngineError,
    EngineTimeout,
    EngineUnreachable,
    InputError,
    NotFound,
    invalid_parameter,
)
from ecsctl.model.near import near
from ecsctl.model.observed import LogPlace
from ecsctl.model.stored import InstanceRecord, TaskRecord
from ecsctl.operations.context import Context
from ecsctl.operations.lookup import find_cluster, find_service, find_task
from ecsctl.operations.tasks import refresh
from ecsctl.scheduler.container_spec import effective, log_place
from ecsctl.store.log_store import LogStore
from ecsctl.store.store import View
from ecsctl.store.tables import INSTANCES, SERVICES, TASK_DEFINITIONS, TASKS, timestamp

Named = tuple[str, LogChunk]
TICK = 0.2
"""Seconds between looks at a task whose output is followed."""
LOOK = 1.0
"""Seconds between looks for new containers of a service or a log group."""


class Wanted(NamedTuple):
    """Which of the lines: of one container, from a moment on, the last of each container, those that pass a filter."""

    container: str | None = None
    since: datetime | None = None
    tail: int | None = None
    passes: Callable[[str], bool] | None = None


class Source(NamedTuple):
    """The output of one container: what it is called, whose engine has it under which id (none: it is only kept),
    where it is kept, why there may be none, when it was made, and whether its task has stopped."""

    name: str
    address: str | None = None
    engine_id: str | None = None
    place: LogPlace | None = None
    reason: str | None = None
    made_at: datetime | None = None
    has_ended: bool = True

    @property
    def id(self) -> str:
        return self.engine_id or (self.place.container if self.place else self.name)


Problem = tuple[Source, EngineError]
"""Why a host gave no more of a container's output."""


class Subject(NamedTuple):
    """Whose output is read: that of a task's containers, by name, or what `sources` tells, which changes."""

    sources: Callable[[View], list[Source]]
    task: TaskRecord | None = None
    names: Sequence[str] = ()


class Reading(NamedTuple):
    """A name and a line at a time; the names, where they are known beforehand; and, when the lines are at their end,
    why hosts gave no more of them."""

    lines: Iterator[Named]
    names: Sequence[str]
    problems: Sequence[Problem]

    @property
    def silent(self) -> bool:
        """Whether a host did not answer."""
        return any(isinstance(problem, (EngineUnreachable, EngineTimeout)) for _, problem in self.problems)


def read_logs(ctx: Context, target: str, cluster: str | None, wanted: Wanted, *, follow: bool) -> Reading:
    """What is there, merged by time. With `follow` as it comes: of a task until it has stopped, else without end.

    `target`: a task (an id, the beginning of one, an ARN), a service, or the group of an awslogs configuration. Raises
    InputError where there is none of that name.
    """
    with ctx.store.read() as view:
        subject = _subject(ctx, view, target, cluster, wanted.container)
    problems: list[Problem] = []
    if subject.task:
        lines = _of_task(ctx, subject.task, wanted, problems, follow=follow)
    elif follow:
        lines = _follow_many(ctx, subject, wanted, problems)
    else:
        with ctx.store.read() as view:
            sources = subject.sources(view)
        lines = _so_far(ctx, sources, wanted, problems)
    passes = wanted.passes
    if passes is not None:
        lines = (line for line in lines if passes(line[1].line.decode("utf-8", "replace")))
    return Reading(lines, subject.names, problems)


def task_logs(ctx: Context, arn: str) -> Iterator[Named]:
    """Everything that a task prints, as it comes, until it has stopped; which this brings it to."""
    with ctx.store.read() as view:
        record = view.get(TASKS, arn)
    if record is None:
        raise invalid_parameter("The referenced task was not found.")
    return _of_task(ctx, record, Wanted(), [], follow=True)


def _subject(ctx: Context, view: View, target: str, cluster: str | None, container: str | None) -> Subject:
    found = find_cluster(view, ctx, cluster)
    task, service = find_task(view, found, target), find_service(view, found, target)
    if task and service:
        raise InputError(f"{target!r} is a service, and the beginning of a task's id: give more of it, or an ARN")
    if task:
        names = [state.name for state in task.own_containers]
        if container is not None and container not in names:
            raise invalid_parameter(f"The task has no container {container!r}; it has {', '.join(names)}.")
        return Subject(lambda _: [], task, [container] if container else names)
    if service:
        return Subject(partial(_of_service, service=service.arn, container=container))
    by_group = partial(of_group, store=LogStore(ctx.store.logs_path), group=target, container=container)
    if by_group(view):
        return Subject(by_group)
    groups = {source.place.group for record in view.find(TASKS) for source in _sources(view, record) if source.place}
    services = [str(one.service.service_name) for one in view.find(SERVICES, cluster=found.cluster_arn)]
    meant = near(target, [*services, *groups])
    hint = f"; did you mean {meant[0]}?" if meant else ": see `ecsctl ps`"
    raise InputError(f"there is no task (by 4 digits of its id or more), service or log group {target!r}{hint}")


# A task


def _of_task(
    ctx: Context, record: TaskRecord, wanted: Wanted, problems: list[Problem], *, follow: bool
) -> Iterator[Named]:
    names = [state.name for state in record.own_containers if wanted.container in (None, state.name)]
    if not record.is_stopped:
        refresh(ctx, [record.arn])
    if follow and not record.is_stopped:
        return _follow(ctx, record.arn, names, wanted)
    with ctx.store.read() as view:
        known = view.get(TASKS, record.arn) or record
        sources = [source for source in _sources(view, known) if source.name in names]
    for source in sources:
        if source.engine_id is None:
            ctx.warn(f"container {source.name}: it has no output: {source.reason or 'it was not made yet'}")
    return _so_far(ctx, sources, wanted, problems)


def _follow(ctx: Context, arn: str, names: Sequence[str], wanted: Wanted) -> Iterator[Named]:
    """A thread per container reads; this one hands over, and brings the task further in between."""
    queue: Queue[Named | EcsctlError | str] = Queue()
    open_names = set(names)
    reading: set[str] = set()
    since = timestamp(wanted.since) if wanted.since else None
    while True:
        record, engine = _read(ctx, arn)
        for state in record.own_containers:
            begun = state.stage not in ("none", "created") or record.is_stopped
            if state.name in open_names - reading and begun:
                reading.add(state.name)
                if state.engine_id is None:
                    open_names.discard(state.name)
                    continue
                arguments = (queue, engine, state.name, state.engine_id, since, wanted.tail)
                Thread(target=_read_all, args=arguments, daemon=True).start()
        yield from _drain(queue, open_names)
        if not open_names:
            return
        if not record.is_stopped:
            ctx.controller.converge([arn], Limits(until=ctx.controller.clock.since_boot() + TICK, wait=False))


def _drain(queue: Queue[Named | EcsctlError | str], open_names: set[str]) -> Iterator[Named]:
    """What the readers read, for a tick; a container's name says that its output has ended."""
    while open_names:
        try:
            item = queue.get(timeout=TICK)
        except Empty:
            return
        if isinstance(item, str):
            open_names.discard(item)
        elif isinstance(item, EcsctlError):
            raise item
        else:
            yield item


def _read_all(
    queue: Queue[Named | EcsctlError | str],
    engine: Engine,
    name: str,
    engine_id: str,
    since: str | None,
    tail: int | None,
) -> None:
    try:
        for chunk in engine.logs(engine_id, follow=True, since=since, tail=tail):
            queue.put((name, chunk))
    except NotFound:
        pass  # removed while it was read: that is its end
    except EcsctlError as error:
        queue.put(error)
    queue.put(name)


def _read(ctx: Context, arn: str) -> tuple[TaskRecord, Engine]:
    with ctx.store.read() as view:
        record = view.get(TASKS, arn)
        instance = view.get(INSTANCES, str(record.task.container_instance_arn)) if record else None
    if record is None or instance is None:
        raise invalid_parameter("The referenced task was not found.")
    return record, ctx.controller.engine(instance.address)


# Many containers


def _follow_many(ctx: Context, subject: Subject, wanted: Wanted, problems: list[Problem]) -> Iterator[Named]:
    """What there is, merged; then what comes, also of containers that come."""
    with ctx.store.read() as view:
        sources = subject.sources(view)
    seen = {source.id: Seen() for source in sources}
    for source, chunk in merged(ctx, sources, wanted, problems):
        seen[source.id].add(chunk)
        yield source.name, chunk
    queue: Queue[Named | str] = Queue()
    reading: set[str] = set()
    known = set(seen)
    while True:
        for source in sources:
            if source.id not in reading and source.engine_id and source.address:
                reading.add(source.id)
                # Of one that was read already, and had nothing, no more than was asked for.
                tail = wanted.tail if source.id in known else None
                arguments = (ctx, source, seen.setdefault(source.id, Seen()), wanted.since, tail, queue)
                Thread(target=_read_on, args=arguments, daemon=True).start()
        end = ctx.controller.clock.since_boot() + LOOK
        while (left := end - ctx.controller.clock.since_boot()) > 0:
            try:
                item = queue.get(timeout=left)
            except Empty:
                break
            if isinstance(item, str):
                reading.discard(item)  # its host did not answer: tried again
            else:
                yield item
        with ctx.store.read() as view:
            sources = subject.sources(view)


def _read_on(
    ctx: Context, source: Source, seen: Seen, since: datetime | None, tail: int | None, queue: Queue[Named | str]
) -> None:
    """What a container prints behind what was seen of it."""
    begin = seen.first or (timestamp(since) if since else None)
    try:
        engine = ctx.controller.engine(str(source.address))
        lines = engine.logs(str(source.engine_id), follow=True, since=begin, tail=None if seen.first else tail)
        for chunk in seen.unseen(lines):
            seen.add(chunk)
            queue.put((source.name, chunk))
    except NotFound:
        pass
    except EcsctlError as error:
        ctx.warn(f"{source.name}: {error}")
        queue.put(source.id)


def _so_far(ctx: Context, sources: Sequence[Source], wanted: Wanted, problems: list[Problem]) -> Iterator[Named]:
    return ((source.name, chunk) for source, chunk in merged(ctx, sources, wanted, problems))


def merged(
    ctx: Context, sources: Sequence[Source], wanted: Wanted, problems: list[Problem]
) -> Iterator[tuple[Source, LogChunk]]:
    """Lines of several, by time. A log that is only kept is opened when its time has come: there may be thousands."""
    store = LogStore(ctx.store.logs_path)
    first = {source.id: store.first_time(source.place) for source in sources if source.place and not source.engine_id}
    late = deque(sorted((source for source in sources if source.id in first), key=lambda source: first[source.id]))
    heap: list[tuple[str, int, LogChunk, Source, Iterator[LogChunk]]] = []
    numbers = count()

    def push(source: Source, chunks: Iterator[LogChunk]) -> None:
        chunk = next(chunks, None)
        if chunk is not None:
            heapq.heappush(heap, (chunk.timestamp, next(numbers), chunk, source, chunks))

    for source in sources:
        if source.engine_id:
            push(source, _chunks(ctx, source, wanted, problems))
    while heap or late:
        while late and (not heap or first[late[0].id] <= heap[0][0]):
            source = late.popleft()
            push(source, _chunks(ctx, source, wanted, problems))
        if heap:
            _, _, chunk, source, chunks = heapq.heappop(heap)
            yield source, chunk
            push(source, chunks)


def _chunks(ctx: Context, source: Source, wanted: Wanted, problems: list[Problem]) -> Iterator[LogChunk]:
    """From the engine; where it has nothing any more, or does not answer, what is kept."""
    since = timestamp(wanted.since) if wanted.since else None
    failure: EngineError | None = None
    begun = False
    if source.address and source.engine_id:
        try:
            for chunk in ctx.controller.engine(source.address).logs(source.engine_id, since=since, tail=wanted.tail):
                begun = True
                yield chunk
        except NotFound:
            pass
        except EngineError as error:
            failure = error
        else:
            return
    store = LogStore(ctx.store.logs_path)
    if begun or source.place is None or not store.has(source.place):
        what = "its output ends here" if begun else "it has no output"
        ctx.warn(f"container {source.name}: {what}: {failure or 'it was removed from its host'}")
        if failure:
            problems.append((source, failure))
        return
    chunks: Iterator[LogChunk] = (one for one in store.read(source.place) if since is None or one.timestamp >= since)
    yield from chunks if wanted.tail is None else deque(chunks, wanted.tail)


# Whose containers


def _sources(view: View, record: TaskRecord, before: str = "") -> list[Source]:
    """Of a task's containers, `before` in front of their names."""
    instance: InstanceRecord | None = view.get(INSTANCES, str(record.task.container_instance_arn))
    definition = view.get(TASK_DEFINITIONS, str(record.task.task_definition_arn))
    return [
        Source(
            before + state.name,
            instance.address if instance else None,
            state.engine_id,
            log_place(effective(record, definition, state.name), last_part(record.arn), state.engine_id or "")
            if definition
            else None,
            state.reason,
            state.created_at,
            record.is_stopped,
        )
        for state in record.own_containers
    ]


def _begun(view: View, record: TaskRecord, container: str | None) -> list[Source]:
    """Those of a task of many that may have said something."""
    prefix = f"{last_part(record.arn)[:8]}/"
    return [
        source
        for source in _sources(view, record, prefix)
        if source.engine_id and (source.place or not record.collected)  # else nothing is left of it
        if container in (None, source.name.removeprefix(prefix))
    ]


def _of_service(view: View, service: str, container: str | None) -> list[Source]:
    tasks = view.find(TASKS, order="created_at", service=service)
    return [source for record in tasks for source in _begun(view, record, container)]


def groups_known(view: View) -> dict[str, datetime]:
    """The log groups of tasks, and since when there is something in them."""
    found: dict[str, datetime] = {}
    for record in view.find(TASKS, order="created_at"):
        for source in _begun(view, record, None):
            if source.place and source.place.group and source.made_at:
                found.setdefault(source.place.group, source.made_at)
    return found


def of_group(view: View, store: LogStore, group: str, container: str | None = None) -> list[Source]:
    """All that logs to a log group, or did so."""
    known = [
        source
        for record in view.find(TASKS, order="created_at")
        for source in _begun(view, record, container)
        if source.place and source.place.group == group
    ]
    places = {source.place for source in known}
    kept = [place for place in store.streams(group) if place not in places]
    return [*(Source(place.stream, place=place) for place in kept if container in (None, *_parts(place))), *known]


def _parts(place: LogPlace) -> list[str]:
    return place.stream.split("/")[-2:-1]
