"""New tasks: what is free where, and the rows that say what was placed where."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from ecsctl.model import identity
from ecsctl.model.arn import last_part
from ecsctl.model.common import Attribute, Tag
from ecsctl.model.container_instance import amount
from ecsctl.model.stored import ContainerState, InstanceRecord, PortReservation, TagSet, TaskRecord
from ecsctl.model.task import Container, ContainerOverride, LaunchType, Task, TaskOverride
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.placement.demand import Demand
from ecsctl.placement.host import ARCHITECTURE, ZONE, Host
from ecsctl.store.store import Transaction, View, add_event
from ecsctl.store.tables import INSTANCES, PORTS, TAGS, TASKS


class Wish(NamedTuple):
    """What RunTask, StartTask or a service asks of each copy of a task. `service`: the ARN of the service."""

    definition: TaskDefinition
    overrides: TaskOverride | None
    group: str
    launch_type: LaunchType
    started_by: str | None
    tags: list[Tag]
    service: str | None = None


def hosts_of(view: View, cluster: str) -> list[Host]:
    """The container instances of a cluster (an ARN) as placement sees them."""
    used = view.used(cluster)
    groups = view.groups(cluster)
    return [
        _host(view, record, used.get(record.arn, (0, 0, 0, 0)), groups.get(record.arn, {}))
        for record in view.find(INSTANCES, cluster=cluster, status=("ACTIVE", "DRAINING"))
    ]


def _host(view: View, record: InstanceRecord, used: tuple[int, int, int, int], groups: dict[str, int]) -> Host:
    instance = record.instance
    registered = instance.registered_resources
    cpu, memory = amount(registered, "CPU"), amount(registered, "MEMORY")
    return Host(
        arn=record.arn,
        cpu_total=cpu,
        memory_total=memory,
        cpu_free=cpu - used[0],
        memory_free=memory - used[1],
        ports=frozenset((port.port, port.protocol) for port in view.find(PORTS, instance=record.arn)),
        attributes={a.name: a.value for a in instance.attributes or []},
        groups=groups,
        active=instance.status == "ACTIVE",
        connected=instance.agent_connected is not False,
        name=record.name,
        running_tasks=used[2],
        registered_at=instance.registered_at,
        agent_version=instance.version_info.agent_version if instance.version_info else None,
    )


def put_task(
    tx: Transaction, cluster: str, wish: Wish, demand: Demand, host: Host, now: datetime, new_id: Callable[[], str]
) -> TaskRecord:
    """Write one new task of a cluster (an ARN), placed on a host, with the ports it holds."""
    task_id = new_id()
    arn = cluster.replace(":cluster/", ":task/") + f"/{task_id}"
    definition = wish.definition
    changed = {o.name: o for o in (wish.overrides.container_overrides if wish.overrides else None) or []}
    containers = [
        Container(
            container_arn=cluster.replace(":cluster/", ":container/") + f"/{task_id}/{new_id()}",
            task_arn=arn,
            name=container.name,
            image=container.image,
            last_status="PENDING",
            network_bindings=[],
            network_interfaces=[],
            health_status="UNKNOWN",
            cpu=str(_changed(changed.get(container.name), "cpu", container.cpu) or 0),
            memory=_text(_changed(changed.get(container.name), "memory", container.memory)),
            memory_reservation=_text(
                _changed(changed.get(container.name), "memory_reservation", container.memory_reservation)
            ),
        )
        for container in definition.container_definitions or []
    ]
    record = TaskRecord(
        task=_task(cluster, wish, demand, host, arn, containers, now),
        containers=[
            ContainerState(
                name=str(c.name),
                engine_name=identity.container_name(
                    str(definition.family), definition.revision or 0, str(c.name), task_id
                ),
            )
            for c in containers
        ],
        cpu=demand.cpu,
        memory=demand.memory,
        seq=tx.seq,
        service=wish.service,
    )
    tx.put(TASKS, record)
    if wish.tags:
        tx.put(TAGS, TagSet(arn=arn, tags=wish.tags))
    for port, protocol in sorted(demand.ports):
        tx.put(PORTS, PortReservation(instance_arn=host.arn, port=port, protocol=protocol, task_arn=arn))
    add_event(tx, now, cluster, arn, "TaskPlaced", f"on {last_part(host.arn)}")
    return record


def _task(
    cluster: str, wish: Wish, demand: Demand, host: Host, arn: str, containers: list[Container], now: datetime
) -> Task:
    given = {o.name: o for o in (wish.overrides.container_overrides if wish.overrides else None) or []}
    overrides = TaskOverride(
        container_overrides=[given.get(c.name) or ContainerOverride(name=c.name) for c in containers],
        inference_accelerator_overrides=[],
    )
    if wish.overrides:
        for field in ("cpu", "memory", "execution_role_arn", "task_role_arn", "ephemeral_storage"):
            setattr(overrides, field, getattr(wish.overrides, field))
    return Task(
        attachments=[],
        attributes=[Attribute(name=ARCHITECTURE, value=host.attribute(ARCHITECTURE))],
        availability_zone=host.attribute(ZONE),
        cluster_arn=cluster,
        connectivity="CONNECTED",
        connectivity_at=now,
        container_instance_arn=host.arn,
        containers=containers,
        cpu=str(demand.cpu),
        created_at=now,
        desired_status="RUNNING",
        enable_execute_command=False,
        group=wish.group,
        health_status="UNKNOWN",
        last_status="PROVISIONING",
        launch_type=wish.launch_type,
        memory=str(demand.memory),
        overrides=overrides,
        started_by=wish.started_by,
        tags=[],
        task_arn=arn,
        task_definition_arn=wish.definition.task_definition_arn,
        version=1,
    )


def _changed(override: ContainerOverride | None, field: str, value: int | None) -> int | None:
    given: int | None = getattr(override, field) if override else None
    return value if given is None else given


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)
