"""The output of a task's containers, merged by time."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from datetime import datetime
from queue import Empty, Queue
from threading import Thread

from ecsctl.controller.limits import Limits
from ecsctl.engine.port import Engine, LogChunk
from ecsctl.model.errors import EcsctlError, NotFound, invalid_parameter
from ecsctl.model.stored import TaskRecord
from ecsctl.operations.context import Context
from ecsctl.operations.lookup import find_cluster, the_task
from ecsctl.operations.tasks import refresh
from ecsctl.store.tables import INSTANCES, TASKS, timestamp

Named = tuple[str, LogChunk]
TICK = 0.2
"""Seconds between looks at a task whose output is followed."""


def task_logs(
    ctx: Context,
    task: str,
    cluster: str | None = None,
    container: str | None = None,
    follow: bool = False,
    since: datetime | None = None,
    tail: int | None = None,
) -> Iterator[Named]:
    """Container name and chunk, by time. With `follow` as it comes, until every container has ended.

    `task` is an ARN, an id or the beginning of one; `tail` the number of last lines per container.
    """
    with ctx.store.read() as view:
        record = the_task(view, find_cluster(view, ctx, cluster), task)
    names = [state.name for state in record.own_containers]
    if container is not None:
        if container not in names:
            raise invalid_parameter(f"The task has no container {container!r}; it has {', '.join(names)}.")
        names = [container]
    if not record.is_stopped:
        refresh(ctx, [record.arn])
    start = timestamp(since) if since else None
    if follow:
        return _follow(ctx, record.arn, names, start, tail)
    return _so_far(ctx, record.arn, names, start, tail)


def _so_far(ctx: Context, arn: str, names: Sequence[str], since: str | None, tail: int | None) -> Iterator[Named]:
    record, engine = _read(ctx, arn)
    streams = []
    for state in record.own_containers:
        if state.name not in names:
            continue
        if state.engine_id is None:
            ctx.warn(f"container {state.name} has no output: {state.reason or 'it was not made yet'}")
            continue
        streams.append(_named(ctx, engine, state.name, state.engine_id, since, tail))
    return iter(heapq.merge(*streams, key=lambda item: item[1].timestamp))


def _named(
    ctx: Context, engine: Engine, name: str, engine_id: str, since: str | None, tail: int | None
) -> Iterator[Named]:
    try:
        for chunk in engine.logs(engine_id, since=since, tail=tail):
            yield name, chunk
    except NotFound:
        ctx.warn(f"container {name} has no output: it was removed from its host")


def _follow(ctx: Context, arn: str, names: Sequence[str], since: str | None, tail: int | None) -> Iterator[Named]:
    """A thread per container reads; this one hands over, and brings the task further in between."""
    queue: Queue[Named | EcsctlError | str] = Queue()
    open_names = set(names)
    reading: set[str] = set()
    while True:
        record, engine = _read(ctx, arn)
        for state in record.own_containers:
            begun = state.stage not in ("none", "created") or record.is_stopped
            if state.name in open_names - reading and begun:
                reading.add(state.name)
                if state.engine_id is None:
                    open_names.discard(state.name)
                    continue
                arguments = (queue, engine, state.name, state.engine_id, since, tail)
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
