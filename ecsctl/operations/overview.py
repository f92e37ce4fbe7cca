"""What runs where, for people."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from ecsctl.model.arn import last_part, parse_arn
from ecsctl.model.record import Record
from ecsctl.model.task import NetworkBinding
from ecsctl.operations.context import Context
from ecsctl.operations.lookup import find_cluster
from ecsctl.operations.tasks import refresh
from ecsctl.store.tables import INSTANCES, TASKS


class Overview(NamedTuple):
    """The rows, and whether every host they are about answered."""

    rows: list[PsRow]
    complete: bool


class PsRow(Record):
    """One container of one task. `address`: that of the task's network interface, where it has one of its own."""

    task_id: str
    definition: str
    container: str
    image: str
    status: str
    task_status: str
    health: str
    ports: list[str]
    host: str
    address: str | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    exit_code: int | None = None
    reason: str | None = None


def overview(ctx: Context, cluster: str | None = None, include_stopped: bool = False) -> Overview:
    """The containers of a cluster's tasks, oldest task first; looked at now."""
    with ctx.store.read() as view:
        found = find_cluster(view, ctx, cluster)
        unfinished = [record.arn for record in view.unfinished(cluster=found.cluster_arn)]
    complete = not refresh(ctx, unfinished).unreachable
    with ctx.store.read() as view:
        hosts = {record.arn: record.name for record in view.find(INSTANCES)}
        if include_stopped:
            records = view.find(TASKS, cluster=found.cluster_arn, order="created_at")
        else:
            records = view.unfinished(cluster=found.cluster_arn)
    rows = [
        PsRow(
            task_id=last_part(record.arn),
            definition=parse_arn(str(record.task.task_definition_arn)).path[-1],
            container=str(container.name),
            image=str(container.image),
            status=str(container.last_status),
            task_status=str(record.task.last_status),
            health=str(container.health_status),
            ports=[_binding(binding) for binding in container.network_bindings or []]
            if container.last_status == "RUNNING"
            else [],
            address=next((i.private_ipv4_address for i in container.network_interfaces or []), None)
            if container.last_status == "RUNNING"
            else None,
            host=hosts.get(str(record.task.container_instance_arn), "?"),
            created_at=record.task.created_at,
            started_at=record.task.started_at,
            stopped_at=record.task.stopped_at,
            exit_code=container.exit_code,
            reason=container.reason or (record.task.stopped_reason if record.is_stopped else None),
        )
        for record in records
        for container in record.task.containers or []
    ]
    return Overview(rows, complete)


def _binding(binding: NetworkBinding) -> str:
    host, inside = binding.host_port_range or binding.host_port, binding.container_port_range or binding.container_port
    return f"{binding.bind_ip}:{host}->{inside}/{binding.protocol}"
