"""Making a Docker host a container instance, and the one that exists without being asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import ecsctl
from ecsctl.engine.port import EngineInfo
from ecsctl.model.arn import last_part, parse_arn
from ecsctl.model.common import Attribute, Tag
from ecsctl.model.container_instance import ContainerInstance, Resource, VersionInfo
from ecsctl.model.errors import ApiError, invalid_parameter
from ecsctl.model.record import Record, evolve
from ecsctl.model.stored import InstanceRecord
from ecsctl.operations.attributes import check_attributes
from ecsctl.operations.context import Context
from ecsctl.operations.lookup import find_cluster, put_tags
from ecsctl.operations.provider_lookup import find_provider
from ecsctl.placement.host import ARCHITECTURE, INSTANCE_TYPE, OS, OS_FAMILY, ZONE
from ecsctl.store.store import add_event
from ecsctl.store.tables import INSTANCES

MIB = 1024 * 1024
GIB = 1024 * MIB
RESERVED_PORTS = (22, 2375, 2376, 51678, 51679, 51680)
"""Those of SSH, the engine and the agent, which no task gets (ECS agent: ECS_RESERVED_PORTS)."""
_GPU = re.compile(r"[A-Za-z0-9-]{1,64}")
_ARCHITECTURES = {"amd64": "x86_64", "x86_64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}


class HostOptions(NamedTuple):
    """A host to register: the address of its engine, and what is said of it rather than found out.

    `cpu` in CPU units, `memory` in MiB; by default what the engine reports, memory less the stated reserve. `provider`:
    the capacity provider it is of. `gpus`: the ids of its GPUs, as its container runtime knows them.
    """

    address: str
    name: str | None = None
    availability_zone: str | None = None
    cpu: int | None = None
    memory: int | None = None
    provider: str | None = None
    gpus: tuple[str, ...] = ()


class AlreadyRegistered(ApiError):
    """An engine is a container instance already: `record`."""

    def __init__(self, record: InstanceRecord, message: str) -> None:
        super().__init__("InvalidParameterException", message)
        self.record = record


class HostDocument(Record):
    """A container instance in an export: its id, how to reach it, and what was said of it."""

    cluster: str
    container_instance: str
    name: str
    address: str
    engine_id: str
    status: Literal["ACTIVE", "DRAINING"]
    registered_resources: list[Resource]
    attributes: list[Attribute]
    capacity_provider: str | None = None
    tags: list[Tag] | None = None


def host_document(record: InstanceRecord, tags: list[Tag] | None = None) -> HostDocument:
    """What an export says of a container instance that is in use."""
    return HostDocument(
        cluster=last_part(record.cluster_arn),
        container_instance=last_part(record.arn),
        name=record.name,
        address=record.address,
        engine_id=record.engine_id,
        status="DRAINING" if record.instance.status == "DRAINING" else "ACTIVE",
        registered_resources=record.instance.registered_resources or [],
        attributes=record.instance.attributes or [],
        capacity_provider=record.instance.capacity_provider_name,
        tags=tags,
    )


def put_host(ctx: Context, document: HostDocument) -> None:
    """Make a container instance what an export says. The host is not asked; without tags they stay."""
    arn = ctx.scope.container_instance(document.cluster, document.container_instance)
    with ctx.store.write() as tx:
        known = tx.get(INSTANCES, arn)
        instance = known.instance if known else ContainerInstance(container_instance_arn=arn, version=1)
        instance = evolve(
            instance,
            ec2_instance_id=document.name,
            capacity_provider_name=document.capacity_provider,
            registered_resources=document.registered_resources,
            status=document.status,
            agent_connected=instance.agent_connected is not False,
            attributes=document.attributes,
            registered_at=instance.registered_at or ctx.now(),
        )
        cluster = ctx.scope.cluster(document.cluster)
        record = known or InstanceRecord(instance=instance, cluster_arn=cluster, name="", address="", engine_id="")
        record = evolve(
            record,
            instance=instance,
            name=document.name,
            address=document.address,
            engine_id=document.engine_id,
            seq=tx.seq,
        )
        tx.put(INSTANCES, record)
        tx.set_meta(first_instance_flag(cluster), "known")
        if document.tags is not None:
            put_tags(tx, arn, document.tags)
        add_event(tx, ctx.now(), cluster, arn, "ContainerInstanceImported", record.address)


def register_host(
    ctx: Context,
    cluster: str | None,
    host: HostOptions,
    attributes: list[Attribute] | None = None,
    tags: list[Tag] | None = None,
) -> InstanceRecord:
    """Ask the engine what it is, and write it down as an ACTIVE container instance of the cluster."""
    check_attributes(attributes)
    check_gpus(host.gpus)
    with ctx.store.read() as view:
        found_cluster = find_cluster(view, ctx, cluster)
        if host.provider is not None:
            find_provider(view, ctx, host.provider)
    info = ctx.controller.engine(host.address).info()
    return put_new_host(ctx, str(found_cluster.cluster_arn), host, info, attributes, tags)


def check_gpus(gpus: Sequence[str]) -> None:
    """InvalidParameterException for what are no ids of different GPUs."""
    if len(set(gpus)) < len(gpus) or not all(map(_GPU.fullmatch, gpus)):
        raise invalid_parameter(f"gpus: {','.join(gpus)!r} are not different ids, like 0,1 or GPU-UUID,…")


def put_new_host(
    ctx: Context,
    cluster_arn: str,
    host: HostOptions,
    info: EngineInfo,
    attributes: list[Attribute] | None = None,
    tags: list[Tag] | None = None,
) -> InstanceRecord:
    """Write a host down by what its engine said of itself. AlreadyRegistered when it is one of whatever cluster."""
    with ctx.store.write() as tx:
        for other in tx.find(INSTANCES, engine_id=info.id, status=("ACTIVE", "DRAINING")):
            raise AlreadyRegistered(other, _known(other, host, info))
        record = instance_record(ctx, cluster_arn, ctx.new_id(), host, info, attributes or [])
        record.seq = tx.seq
        tx.put(INSTANCES, record)
        put_tags(tx, record.arn, tags)
        tx.set_meta(first_instance_flag(cluster_arn), "known")
        add_event(tx, ctx.now(), cluster_arn, record.arn, "ContainerInstanceRegistered", record.address)
    return record


def _known(other: InstanceRecord, host: HostOptions, info: EngineInfo) -> str:
    message = (
        f"This engine is registered already, as {other.name} at {other.address} ({other.arn}): "
        "deregister that first, or leave it as it is."
    )
    if other.address == host.address or other.name in (info.name, host.name):
        return message
    return (
        f"{message} If {info.name} is another machine, one of the two is a clone of the other: remove "
        "/etc/docker/key.json and engine-id under Docker's data directory there, and restart dockerd."
    )


def ensure_default_instance(ctx: Context, cluster: str | None) -> None:
    """The engine of the current Docker context as the first container instance of `default`, unless it is one of
    another cluster, or region, already.

    Done once: an instance that was deregistered does not come back by itself. Raises EngineError when the
    engine does not answer.
    """
    with ctx.store.read() as view:
        found = find_cluster(view, ctx, cluster)
        arn = str(found.cluster_arn)
        if found.cluster_name != "default" or view.meta(first_instance_flag(arn)) or ctx.store.read_only:
            return
    from ecsctl.engine.contexts import current_address

    address = current_address()
    if ctx.store.is_shared and address.startswith("unix://"):
        return  # other machines that use the state have another engine there
    try:
        register_host(ctx, cluster, HostOptions(address))
    except AlreadyRegistered:
        with ctx.store.write() as tx:
            tx.set_meta(first_instance_flag(arn), "known")


def first_instance_flag(cluster_arn: str) -> str:
    """What a state notes once a cluster has, or had, a container instance."""
    return f"first-instance:{cluster_arn}"


def instance_record(
    ctx: Context, cluster_arn: str, instance_id: str, host: HostOptions, info: EngineInfo, attributes: list[Attribute]
) -> InstanceRecord:
    """The ACTIVE container instance that a host becomes; InvalidParameterException where it is too small.

    Its attributes are those of every container instance on ECS, as far as they can be found out. Without a type that
    somebody gave it, a host of 4 CPUs and 16 GiB is of the type `docker.4x16`.
    """
    cpu = host.cpu or info.cpus * 1024
    memory = host.memory or info.memory // MIB - ctx.reserved_memory
    if host.memory and memory < 6:
        raise invalid_parameter(f"memory: {memory} MiB are too little for a task: give 6 or more.")
    if memory < 6:
        raise invalid_parameter(
            f"The host has {info.memory // MIB} MiB of memory, of which {ctx.reserved_memory} are reserved: "
            "too little for a task; give --memory, or set reserved_memory in the config file."
        )
    region = parse_arn(cluster_arn).region
    known = {
        ZONE: host.availability_zone or f"{region}a",
        INSTANCE_TYPE: f"docker.{info.cpus}x{round(info.memory / GIB)}",
        OS: info.os,
        OS_FAMILY: info.os.upper(),
        ARCHITECTURE: _ARCHITECTURES.get(info.architecture, info.architecture),
    }
    known |= {attribute.name: attribute.value for attribute in attributes if attribute.value is not None}
    name = host.name or info.name
    return InstanceRecord(
        instance=ContainerInstance(
            container_instance_arn=cluster_arn.replace(":cluster/", ":container-instance/") + f"/{instance_id}",
            ec2_instance_id=name,
            capacity_provider_name=host.provider,
            version=1,
            version_info=VersionInfo(agent_version=ecsctl.__version__, docker_version=f"DockerVersion: {info.version}"),
            registered_resources=resources(cpu, memory, list(RESERVED_PORTS), [], host.gpus or None),
            status="ACTIVE",
            agent_connected=True,
            attributes=[Attribute(name=key, value=value) for key, value in known.items()],
            registered_at=ctx.now(),
        ),
        cluster_arn=cluster_arn,
        name=name,
        address=host.address,
        engine_id=info.id,
    )


def resources(
    cpu: int, memory: int, tcp: list[int], udp: list[int], gpus: Sequence[str] | None = None
) -> list[Resource]:
    """Resources as ECS lists them: CPU units, memory in MiB, taken ports; GPUs where there are any."""
    found = [
        _number("CPU", cpu),
        _number("MEMORY", memory),
        _set("PORTS", map(str, tcp)),
        _set("PORTS_UDP", map(str, udp)),
    ]
    return found if gpus is None else [*found, _set("GPU", gpus)]


def _number(name: str, value: int) -> Resource:
    return Resource(name=name, type="INTEGER", double_value=0.0, long_value=0, integer_value=value)


def _set(name: str, values: Iterable[str]) -> Resource:
    return Resource(
        name=name,
        type="STRINGSET",
        double_value=0.0,
        long_value=0,
        integer_value=0,
        string_set_value=list(values),
    )
