"""Making tasks: what a request asks for, where each copy goes, and the rows that say so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ecsctl.model import identity
from ecsctl.model.api.tasks import PlacementConstraint, PlacementStrategy, PropagateTags
from ecsctl.model.arn import last_part
from ecsctl.model.cluster import Cluster
from ecsctl.model.common import Attribute, Tag
from ecsctl.model.errors import client_exception, invalid_parameter
from ecsctl.model.stored import ContainerState, InstanceRecord, PortReservation, TaskRecord
from ecsctl.model.task import Container, ContainerOverride, LaunchType, Task, TaskOverride
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.operations.context import Context
from ecsctl.operations.hosts import amount
from ecsctl.operations.lookup import check_tags, find_task_definition, put_tags, tags_of
from ecsctl.placement.place import ARCHITECTURE, ZONE, Demand, Host
from ecsctl.scheduler.field_support import refusals
from ecsctl.store.store import Transaction, View, add_event
from ecsctl.store.tables import INSTANCES, PORTS, TASKS

_STARTED_BY = re.compile(r"[A-Za-z0-9/_-]{0,128}")


class Wish(NamedTuple):
    """What RunTask and StartTask ask of each copy of a task."""

    definition: TaskDefinition
    overrides: TaskOverride | None
    group: str
    launch_type: LaunchType
    started_by: str | None
    tags: list[Tag]


def wish(
    view: View,
    ctx: Context,
    cluster: Cluster,
    *,
    task_definition: str,
    overrides: TaskOverride | None,
    group: str | None,
    launch_type: LaunchType | None,
    started_by: str | None,
    tags: list[Tag] | None,
    propagate: PropagateTags | None,
    managed_tags: bool | None,
) -> Wish:
    """Check what was asked; ClientException and InvalidParameterException say what cannot be."""
    definition = find_task_definition(view, ctx, task_definition)
    if definition.status != "ACTIVE":
        raise client_exception(f"TaskDefinition {definition.family}:{definition.revision} is inactive.")
    names = {container.name for container in definition.container_definitions or []}
    for override in (overrides.container_overrides if overrides else None) or []:
        if override.name not in names:
            raise invalid_parameter(
                f"Override for container named {override.name} is not a container in the TaskDefinition."
            )
    if refused := refusals(definition, overrides):
        said = "; ".join(f"{verdict.path} ({verdict.note})" for verdict in refused)
        raise client_exception(
            f"{definition.family}:{definition.revision} uses what this release does not honour: {said}"
        )
    if not _STARTED_BY.fullmatch(started_by or ""):
        raise invalid_parameter("startedBy: use up to 128 letters, digits, hyphens, slashes and underscores.")
    if group is not None and (group.startswith("service:") or not group or len(group) > 255 or not group.isprintable()):
        raise invalid_parameter(f"group {group!r}: use 1 to 255 characters, not beginning with service:")
    check_tags(tags)
    if propagate == "SERVICE":
        raise invalid_parameter("propagateTags: SERVICE is for the tasks of a service.")
    inherited = tags_of(view, definition.task_definition_arn) if propagate == "TASK_DEFINITION" else []
    managed = [Tag(key="aws:ecs:clusterName", value=cluster.cluster_name)] if managed_tags else []
    merged = {tag.key: tag for tag in (*managed, *inherited, *(tags or []))}
    return Wish(
        definition,
        overrides,
        group or f"family:{definition.family}",
        launch_type or "EC2",
        started_by,
        list(merged.values()),
    )


def check_placement(strategies: Sequence[PlacementStrategy], constraints: Sequence[PlacementConstraint]) -> None:
    """What this release places by; the rest is refused by name."""
    for constraint in constraints:
        if constraint.type == "memberOf":
            raise invalid_parameter("placementConstraints: memberOf is not honoured by this release.")
    if len(strategies) > 5 or len(constraints) > 10:
        raise invalid_parameter("At most 5 placement strategies and 10 constraints can be given.")
    for strategy in strategies:
        field = strategy.field or ""
        if strategy.type == "binpack" and field.lower() not in ("cpu", "memory"):
            raise invalid_parameter(f"placementStrategy: binpack is by cpu or memory, not by {field!r}.")
        known = field.lower() in ("instanceid", "host") or (field.startswith("attribute:") and len(field) > 10)
        if strategy.type == "spread" and not known:
            raise invalid_parameter(
                f"placementStrategy: spread is by instanceId, host or attribute:NAME, not by {field!r}."
            )


def hosts_of(view: View, cluster: Cluster, group: str) -> list[Host]:
    """The cluster's container instances as placement sees them."""
    used = view.used(str(cluster.cluster_arn))
    members: dict[str, int] = {}
    for record in view.unfinished(cluster=cluster.cluster_arn):
        if record.task.group == group:
            arn = str(record.task.container_instance_arn)
            members[arn] = members.get(arn, 0) + 1
    return [
        _host(view, record, used.get(record.arn, (0, 0, 0, 0)), members.get(record.arn, 0))
        for record in view.find(INSTANCES, cluster=cluster.cluster_arn, status=("ACTIVE", "DRAINING"))
    ]


def _host(view: View, record: InstanceRecord, used: tuple[int, int, int, int], members: int) -> Host:
    registered = record.instance.registered_resources
    cpu, memory = amount(registered, "CPU"), amount(registered, "MEMORY")
    return Host(
        arn=record.arn,
        cpu_total=cpu,
        memory_total=memory,
        cpu_free=cpu - used[0],
        memory_free=memory - used[1],
        ports=frozenset((port.port, port.protocol) for port in view.find(PORTS, instance=record.arn)),
        attributes=tuple((a.name, a.value) for a in record.instance.attributes or []),
        active=record.instance.status == "ACTIVE",
        connected=record.instance.agent_connected is not False,
        group_tasks=members,
    )


def put_task(tx: Transaction, ctx: Context, cluster: Cluster, wish: Wish, demand: Demand, host: Host) -> TaskRecord:
    """Write one new task, placed on a host, with the ports it holds."""
    task_id = ctx.new_id()
    name = str(cluster.cluster_name)
    arn = str(cluster.cluster_arn).replace(":cluster/", ":task/") + f"/{task_id}"
    definition = wish.definition
    changed = {o.name: o for o in (wish.overrides.container_overrides if wish.overrides else None) or []}
    containers = [
        Container(
            container_arn=ctx.scope.container(name, task_id, ctx.new_id()),
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
        task=_task(ctx, cluster, wish, demand, host, arn, containers),
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
    )
    tx.put(TASKS, record)
    put_tags(tx, arn, wish.tags)
    for port, protocol in sorted(demand.ports):
        tx.put(PORTS, PortReservation(instance_arn=host.arn, port=port, protocol=protocol, task_arn=arn))
    add_event(tx, ctx.now(), str(cluster.cluster_arn), arn, "TaskPlaced", f"on {last_part(host.arn)}")
    return record


def _task(
    ctx: Context, cluster: Cluster, wish: Wish, demand: Demand, host: Host, arn: str, containers: list[Container]
) -> Task:
    given = {o.name: o for o in (wish.overrides.container_overrides if wish.overrides else None) or []}
    overrides = TaskOverride(
        container_overrides=[given.get(c.name) or ContainerOverride(name=c.name) for c in containers],
        inference_accelerator_overrides=[],
    )
    if wish.overrides:
        for field in ("cpu", "memory", "execution_role_arn", "task_role_arn", "ephemeral_storage"):
            setattr(overrides, field, getattr(wish.overrides, field))
    now = ctx.now()
    return Task(
        attachments=[],
        attributes=[Attribute(name=ARCHITECTURE, value=host.attribute(ARCHITECTURE))],
        availability_zone=host.attribute(ZONE),
        cluster_arn=cluster.cluster_arn,
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
