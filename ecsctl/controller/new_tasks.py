"""New tasks: the rows that say what was placed where, and the end of those that made room for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from ecsctl.controller.hosts import free_gpus
from ecsctl.model import identity
from ecsctl.model.account_settings import root_of, setting_key
from ecsctl.model.arn import Scope, last_part, parse_arn
from ecsctl.model.cluster import FARGATE_PROVIDERS, CapacityProviderStrategyItem
from ecsctl.model.common import Attribute, Tag
from ecsctl.model.overrides import containers_of
from ecsctl.model.record import evolve
from ecsctl.model.service_network import ServiceConnectConfiguration, ServiceRegistry
from ecsctl.model.stored import ContainerState, Discovery, PlacementRules, PortReservation, TagSet, TaskRecord
from ecsctl.model.task import Container, ContainerOverride, LaunchType, Task, TaskOverride
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.model.task_launch import AwsVpcConfiguration, TaskVolumeConfiguration
from ecsctl.placement.demand import Demand, gpus_of
from ecsctl.placement.host import ARCHITECTURE, SUBNET, ZONE, Host
from ecsctl.placement.port_ranges import free_rows, ports_at
from ecsctl.placement.preemption import SPOT_RANK, Occupant, rank_of
from ecsctl.scheduler.decide import request_stop
from ecsctl.scheduler.discovery import discovery_of, namespace_name
from ecsctl.scheduler.namespaces import needs_pause
from ecsctl.store.account_tables import ACCOUNT_SETTINGS
from ecsctl.store.store import Transaction, View, add_event
from ecsctl.store.tables import CLUSTERS, INSTANCES, PORTS, TAGS, TASKS

FARGATE_PLATFORM = "1.4.0"
"""The platform version that LATEST is (ECS developer guide, "Fargate platform versions for Amazon ECS")."""


class Wish(NamedTuple):
    """What RunTask, StartTask or a service asks of each copy of a task. `service`: the ARN of the service.

    `strategy`: among which capacity providers the copies are divided; `provider`: which of them one is for. `network`:
    what is asked of the task's network interface, where it has one of its own. `rank`: what was asked of it as a
    preemption priority. `executable`: commands may be executed in its containers. `volume`: what is asked of the one
    that is configured at launch. `image_map`: what takes the place of its images. `rules`: what was asked of where it
    goes. `connect` and `registries`: what a service asks of the names by which it is found.
    """

    definition: TaskDefinition
    overrides: TaskOverride | None
    group: str
    launch_type: LaunchType
    started_by: str | None
    tags: list[Tag]
    service: str | None = None
    strategy: tuple[CapacityProviderStrategyItem, ...] = ()
    provider: str | None = None
    network: AwsVpcConfiguration | None = None
    rank: int | None = None
    executable: bool = False
    rules: PlacementRules | None = None
    volume: TaskVolumeConfiguration | None = None
    image_map: Mapping[str, str] = {}
    connect: ServiceConnectConfiguration | None = None
    registries: tuple[ServiceRegistry, ...] = ()

    def of(self, provider: str | None) -> Wish:
        """For one of its capacity providers, or for none."""
        return self if provider is None else self._replace(provider=provider, launch_type=launch_type_of(provider))


def launch_type_of(provider: str) -> LaunchType:
    """What the tasks of a capacity provider say of how they were launched."""
    return "FARGATE" if provider in FARGATE_PROVIDERS else "EC2"


def put_task(
    tx: Transaction,
    cluster: str,
    wish: Wish,
    demand: Demand,
    host: Host,
    now: datetime,
    new_id: Callable[[], str],
    victims: Sequence[Occupant] = (),
    port_rows: Sequence[int] = (),
) -> TaskRecord:
    """Write one new task of a cluster (an ARN), placed on a host, with the ports it holds. The `victims` are to stop
    before it begins. `port_rows`: those that it has already."""
    task_id = new_id()
    arn = cluster.replace(":cluster/", ":task/") + f"/{task_id}"
    definition = wish.definition
    waits_for = [victim.arn for victim in victims]
    free = iter(free_gpus(tx, found, waits_for) if demand.gpus and (found := tx.get(INSTANCES, host.arn)) else ())
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
            cpu=str(container.cpu or 0),
            memory=_text(container.memory),
            memory_reservation=_text(container.memory_reservation),
            gpu_ids=list(islice(free, gpus_of(container))) or None,
        )
        for container in containers_of(definition, wish.overrides)
    ]
    names = [identity.PAUSE] if needs_pause(definition) else []
    names += [str(container.name) for container in containers]
    family, revision = str(definition.family), definition.revision or 0
    record = TaskRecord(
        task=_task(cluster, wish, demand, host, arn, containers, now),
        containers=[
            ContainerState(name=name, engine_name=identity.container_name(family, revision, name, task_id))
            for name in names
        ],
        cpu=demand.cpu,
        memory=demand.memory,
        seq=tx.seq,
        service=wish.service,
        network=wish.network and _in_one_subnet(wish.network, host),
        rank=rank_of(wish.provider, wish.rank),
        waits_for=waits_for,
        rules=wish.rules,
        volume=wish.volume,
        image_map=dict(wish.image_map),
        discovery=_discovery(tx, cluster, wish),
        log_mode=_log_mode(tx, cluster),
    )
    ports = set(demand.ports)
    if demand.ranges:
        taken = {(port.port, port.protocol) for port in tx.find(PORTS, instance=host.arn)} | host.ports
        record.port_rows = list(port_rows) or free_rows(taken | ports, demand.ranges) or []
        ports |= ports_at(demand.ranges, record.port_rows)
    for victim in waits_for:
        interrupt(tx, victim, record, now)
    tx.put(TASKS, record)
    if wish.tags:
        tx.put(TAGS, TagSet(arn=arn, tags=wish.tags))
    for port, protocol in sorted(ports):
        tx.put(PORTS, PortReservation(instance_arn=host.arn, port=port, protocol=protocol, task_arn=arn))
    add_event(tx, now, cluster, arn, "TaskPlaced", f"on {last_part(host.arn)}")
    return record


def _log_mode(view: View, cluster: str) -> str:
    """What the account of a cluster has set of how logs are handed on; empty where it is left to the engine."""
    where = parse_arn(cluster)
    scope = Scope(where.region, where.account).key
    found = view.get(ACCOUNT_SETTINGS, setting_key(scope, root_of(where.account), "defaultLogDriverMode"))
    return found.value if found else ""


def _discovery(view: View, cluster: str, wish: Wish) -> Discovery | None:
    """By which names it is found; None where it is in no namespace."""
    found = view.get(CLUSTERS, cluster)
    defaults = found.service_connect_defaults if found else None
    default = namespace_name((defaults.namespace if defaults else None) or "")
    return discovery_of(wish.definition, wish.connect, wish.registries, default, last_part(cluster))


def _in_one_subnet(asked: AwsVpcConfiguration, host: Host) -> AwsVpcConfiguration:
    """With the subnet that the task is to be in: the host's, if it is one of those asked for, else the first."""
    own = host.attribute(SUBNET)
    return evolve(asked, subnets=[own if own in asked.subnets else asked.subnets[0]])


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
        capacity_provider_name=wish.provider,
        cluster_arn=cluster,
        connectivity="CONNECTED",
        connectivity_at=now,
        container_instance_arn=host.arn,
        containers=containers,
        cpu=str(demand.cpu),
        created_at=now,
        desired_status="RUNNING",
        enable_execute_command=wish.executable,
        group=wish.group,
        health_status="UNKNOWN",
        last_status="PROVISIONING",
        ephemeral_storage=overrides.ephemeral_storage or wish.definition.ephemeral_storage,
        launch_type=wish.launch_type,
        memory=str(demand.memory),
        overrides=overrides,
        platform_version=FARGATE_PLATFORM if wish.launch_type == "FARGATE" else None,
        platform_family="Linux" if wish.launch_type == "FARGATE" else None,
        started_by=wish.started_by,
        tags=[],
        task_arn=arn,
        task_definition_arn=wish.definition.task_definition_arn,
        version=1,
    )


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)


def interrupt(tx: Transaction, victim: str, new: TaskRecord, now: datetime) -> None:
    """Write that a task (by ARN) is to stop, because a new one needs its room."""
    record = tx.get(TASKS, victim)
    if record is None:
        return
    if record.rank == SPOT_RANK:
        code, reason = "SpotInterruption", "Your Spot Task was interrupted."
        stopped = request_stop(record, "SpotInterruption", reason, now)
    else:
        code = "ServiceSchedulerInitiated"
        reason = f"Preempted by a task of {new.task.group}: its preemption priority {new.rank} is above {record.rank}."
        stopped = request_stop(record, "ServiceSchedulerInitiated", reason, now)
    tx.put(TASKS, evolve(stopped, seq=tx.seq))
    add_event(tx, now, str(record.task.cluster_arn), record.arn, "TaskToStop", f"{code}: {reason}")
