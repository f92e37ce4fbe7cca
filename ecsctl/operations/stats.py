"""What is reserved of hosts and by containers, and what they actually use.

Placement goes by what is reserved alone, as in ECS; what is used shows where a reservation is too large, or too small.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from ecsctl.controller.controller import HOSTS_AT_ONCE
from ecsctl.controller.new_tasks import hosts_of
from ecsctl.controller.together import together
from ecsctl.engine.port import Usage
from ecsctl.model.arn import last_part, parse_arn
from ecsctl.model.errors import EngineError, NotFound
from ecsctl.model.record import Record
from ecsctl.model.stored import TaskRecord
from ecsctl.operations.context import Context
from ecsctl.operations.lookup import find_cluster
from ecsctl.operations.tasks import refresh
from ecsctl.placement.host import Host
from ecsctl.store.tables import INSTANCES

INTERVAL = 1.0
"""Seconds between the two looks at a container by which its CPU use is told."""
UNITS = 1024
"""CPU units of one CPU."""
MIB = 1 << 20


class HostStats(Record):
    """A container instance: CPU in units, memory in MiB. What is used is what ecsctl's containers use."""

    container_instance_arn: str
    name: str
    running_tasks: int
    cpu: int
    cpu_reserved: int
    memory: int
    memory_reserved: int
    cpu_used: float | None = None
    memory_used: float | None = None


class ContainerStats(Record):
    """A running container: CPU in units, memory in MiB. A reservation that is missing is shared with the rest of its
    task, whose own is `task_cpu` and `task_memory`."""

    task_id: str
    definition: str
    container: str
    host: str
    task_cpu: int
    task_memory: int
    cpu_used: float
    memory_used: float
    cpu_reserved: int | None = None
    memory_reserved: int | None = None
    memory_limit: int | None = None


class Stats(NamedTuple):
    """Hosts and containers, and whether every host answered."""

    hosts: list[HostStats]
    containers: list[ContainerStats]
    complete: bool


class _Used(NamedTuple):
    cpu: float
    memory: float


def stats(ctx: Context, cluster: str | None = None) -> Stats:
    """What the running tasks of a cluster have reserved and use: CPU as the mean of a second."""
    with ctx.store.read() as view:
        found = find_cluster(view, ctx, cluster)
        unfinished = [record.arn for record in view.unfinished(cluster=found.cluster_arn)]
    silent = refresh(ctx, unfinished).unreachable
    with ctx.store.read() as view:
        hosts = hosts_of(view, str(found.cluster_arn))
        addresses = {record.arn: record.address for record in view.find(INSTANCES)}
        tasks = view.unfinished(cluster=found.cluster_arn)
    asked = [host for host in hosts if host.arn not in silent]
    running = {host.arn: [task for task in tasks if task.task.container_instance_arn == host.arn] for host in asked}
    looks = together([partial(_look, ctx, addresses[arn], of) for arn, of in running.items()], HOSTS_AT_ONCE)
    used: dict[str, dict[str, _Used]] = {}
    for host, look in zip(asked, looks, strict=True):
        if isinstance(look, EngineError):
            ctx.warn(f"container instance {host.name} does not answer: {look}")
        elif look is not None:
            used[host.arn] = look
    rows = [
        row for host in asked for task in running[host.arn] for row in _containers(task, host, used.get(host.arn, {}))
    ]
    return Stats([_host(host, used.get(host.arn)) for host in hosts], rows, len(used) == len(hosts))


def _look(ctx: Context, address: str, tasks: Sequence[TaskRecord]) -> dict[str, _Used] | EngineError:
    """What the running containers of a host use, by the engine's id."""
    ids = [state.engine_id for task in tasks for state in task.containers if state.stage == "started"]
    clock = ctx.controller.clock
    try:
        began = clock.since_boot()
        first = _usage(ctx, address, ids)
        if first:
            clock.sleep(max(0.0, began + INTERVAL - clock.since_boot()))
        second = _usage(ctx, address, list(first))
    except EngineError as error:
        return error
    return {
        name: _Used(UNITS * max(0.0, now.cpu - before.cpu) / (now.at - before.at), now.memory / MIB)
        for name, now in second.items()
        if now.at > (before := first[name]).at
    }


def _usage(ctx: Context, address: str, ids: Sequence[str | None]) -> dict[str, Usage]:
    engine = ctx.controller.engine(address)
    found: dict[str, Usage] = {}
    for name in filter(None, ids):
        try:
            usage = engine.usage(name)
        except NotFound:
            continue
        if usage is not None:
            found[name] = usage
    return found


def _containers(task: TaskRecord, host: Host, used: dict[str, _Used]) -> list[ContainerStats]:
    shapes = {container.name: container for container in task.task.containers or []}
    return [
        ContainerStats(
            task_id=last_part(task.arn),
            definition=parse_arn(str(task.task.task_definition_arn)).path[-1],
            container=state.name,
            host=host.name,
            task_cpu=task.cpu,
            task_memory=task.memory,
            cpu_used=round(one.cpu, 1),
            memory_used=round(one.memory, 1),
            cpu_reserved=_number(shape.cpu),
            memory_reserved=_number(shape.memory_reservation) or _number(shape.memory),
            memory_limit=_number(shape.memory),
        )
        for state in task.own_containers
        if (one := used.get(state.engine_id or "")) and (shape := shapes.get(state.name))
    ]


def _number(text: str | None) -> int | None:
    return int(text) or None if text else None


def _host(host: Host, used: dict[str, _Used] | None) -> HostStats:
    return HostStats(
        container_instance_arn=host.arn,
        name=host.name,
        running_tasks=host.running_tasks,
        cpu=host.cpu_total,
        cpu_reserved=host.cpu_total - host.cpu_free,
        memory=host.memory_total,
        memory_reserved=host.memory_total - host.memory_free,
        cpu_used=None if used is None else round(sum(one.cpu for one in used.values()), 1),
        memory_used=None if used is None else round(sum(one.memory for one in used.values()), 1),
    )
