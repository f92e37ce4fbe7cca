"""The hosts of a region, whatever their clusters: finding them by name, listing them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from msgspec import Struct

from ecsctl.controller.hosts import hosts_of
from ecsctl.model.arn import last_part
from ecsctl.model.errors import EngineError, InputError
from ecsctl.model.host import HostRow
from ecsctl.model.stored import InstanceRecord
from ecsctl.operations.context import Context
from ecsctl.operations.hosts import ensure_default_instance
from ecsctl.operations.lookup import find_cluster
from ecsctl.placement.host import Host
from ecsctl.store.store import View
from ecsctl.store.tables import CLUSTERS, INSTANCES


class Hosts(Struct, frozen=True):
    """The rows, and of hosts that did not answer, by name, why."""

    rows: list[HostRow]
    silent: dict[str, str]


def list_hosts(ctx: Context, cluster: str | None = None) -> Hosts:
    """The hosts of the region, or of a cluster; each is asked whether it answers."""
    with suppress(EngineError):  # then there is none; run-task says why
        ensure_default_instance(ctx, cluster)
    with ctx.store.read() as view:
        asked = hosts_of_region(view, ctx, cluster)
    silent = ctx.controller.probe(asked)
    with ctx.store.read() as view:
        records = hosts_of_region(view, ctx, cluster)
        hosts = {host.arn: host for arn in {r.cluster_arn for r in records} for host in hosts_of(view, arn)}
        rows = [_row(record, hosts[record.arn]) for record in records]
    return Hosts(rows, {record.name: silent[record.arn] for record in asked if record.arn in silent})


def hosts_of_region(view: View, ctx: Context, cluster: str | None) -> list[InstanceRecord]:
    """The container instances in use of a cluster, or of all of the region; by cluster and name."""
    if cluster is not None:
        clusters = [find_cluster(view, ctx, cluster)]
    else:
        clusters = view.find(CLUSTERS, scope=ctx.scope.key, status="ACTIVE", order="name")
    return [
        record
        for found in clusters
        for record in sorted(
            view.find(INSTANCES, cluster=found.cluster_arn, status=("ACTIVE", "DRAINING")),
            key=lambda record: (record.name, record.arn),
        )
    ]


def named(hosts: Sequence[InstanceRecord], name: str) -> list[InstanceRecord]:
    """Those that are called so, or have this id, ARN or address."""
    return [host for host in hosts if name in (host.name, host.arn, last_part(host.arn), host.address)]


def the_host(view: View, ctx: Context, cluster: str | None, name: str) -> InstanceRecord:
    """The one host of the region, or of a cluster, that is called so. InputError when there is none, or several."""
    found = named(hosts_of_region(view, ctx, cluster), name)
    if not found:
        raise InputError(f"there is no host {name!r} in {ctx.scope.region}: see `ecsctl host ls`")
    if len(found) > 1:
        ids = ", ".join(f"{last_part(host.arn)} in {last_part(host.cluster_arn)}" for host in found)
        raise InputError(f"several hosts are called {name!r}: say which by --cluster or by its id ({ids})")
    return found[0]


def _row(record: InstanceRecord, host: Host) -> HostRow:
    instance = record.instance
    version = instance.version_info.docker_version if instance.version_info else None
    return HostRow(
        host=record.name,
        cluster=last_part(record.cluster_arn),
        container_instance_arn=record.arn,
        address=record.address,
        status=str(instance.status),
        agent_connected=instance.agent_connected is not False,
        cpu=host.cpu_total,
        cpu_reserved=host.cpu_total - host.cpu_free,
        memory=host.memory_total,
        memory_reserved=host.memory_total - host.memory_free,
        tasks=host.tasks,
        zone=host.zone,
        engine_version=version.removeprefix("DockerVersion: ") if version else None,
    )
