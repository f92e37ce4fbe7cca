"""What is reserved of hosts and by containers, and what they actually use.

Placement goes by what is reserved alone, as in ECS; what is used shows where a reservation is too large, or too small.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from ecsctl.controller.hosts import hosts_of
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

AT_ONCE = 64
"""Containers that engines are asked about at the same time; each takes a second or two."""
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
    names = {host.arn: host.name for host in hosts}
    failed = {arn for arn in silent if arn in names}
    used: dict[str, Usage] = {}

    def look(host: str, container: str) -> None:
        if host in failed:
            return
        try:
            if usage := ctx.controller.engine(addresses[host]).usage(container):
                used[container] = usage
        except NotFound:
            pass  # it is gone meanwhile
        except EngineError as error:
            failed.add(host)
            ctx.warn(f"container instance {names.get(host, host)}: {error}")

    running = [
        (str(task.task.container_instance_arn), state.engine_id)
        for task in tasks
        for state in task.containers
        if state.stage == "started" and state.engine_id
    ]
    together([partial(look, *one) for one in running], AT_ONCE)
    on_hosts: dict[str, list[Usage]] = {host.arn: [] for host in hosts if host.arn not in failed}
    for host, container in running:
        if host in on_hosts and container in used:
            on_hosts[host].append(used[container])
    return Stats(
        [_host(host, on_hosts.get(host.arn)) for host in hosts],
        [row for task in tasks for row in _containers(task, names, used)],
        not failed,
    )


def _containers(task: TaskRecord, hosts: dict[str, str], used: dict[str, Usage]) -> list[ContainerStats]:
    shapes = {container.name: container for container in task.task.containers or []}
    return [
        ContainerStats(
            task_id=last_part(task.arn),
            definition=parse_arn(str(task.task.task_definition_arn)).path[-1],
            container=state.name,
            host=hosts.get(str(task.task.container_instance_arn), "?"),
            task_cpu=task.cpu,
            task_memory=task.memory,
            cpu_used=round(UNITS * one.cpus, 1),
            memory_used=round(one.memory / MIB, 1),
            cpu_reserved=_number(shape.cpu),
            memory_reserved=_number(shape.memory_reservation) or _number(shape.memory),
            memory_limit=_number(shape.memory),
        )
        for state in task.own_containers
        if (one := used.get(state.engine_id or "")) and (shape := shapes.get(state.name))
    ]


def _number(text: str | None) -> int | None:
    return int(text) or None if text else None


def _host(host: Host, used: list[Usage] | None) -> HostStats:
    return HostStats(
        container_instance_arn=host.arn,
        name=host.name,
        running_tasks=host.running_tasks,
        cpu=host.cpu_total,
        cpu_reserved=host.cpu_total - host.cpu_free,
        memory=host.memory_total,
        memory_reserved=host.memory_total - host.memory_free,
        cpu_used=None if used is None else round(UNITS * sum(one.cpus for one in used), 1),
        memory_used=None if used is None else round(sum(one.memory for one in used) / MIB, 1),
    )
