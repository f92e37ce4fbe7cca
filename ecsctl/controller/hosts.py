"""The container instances of a cluster, as placement sees them."""

from __future__ import annotations

from collections.abc import Collection

from ecsctl.model.container_instance import amount, gpu_ids, reserved_ports
from ecsctl.model.record import evolve
from ecsctl.model.stored import InstanceRecord
from ecsctl.placement.host import PRICE, Host
from ecsctl.placement.port_ranges import Port
from ecsctl.store.store import Use, View
from ecsctl.store.tables import INSTANCES, PORTS, TAGS


def hosts_of(view: View, cluster: str) -> list[Host]:
    """The container instances of a cluster (an ARN) as placement sees them."""
    used = view.used(cluster)
    groups = view.groups(cluster)
    ports: dict[str, set[Port]] = {}
    for held in view.find(PORTS):
        ports.setdefault(held.instance_arn, set()).add((held.port, held.protocol))
    hosts = [
        host_of(view, record, used.get(record.arn, Use()), groups.get(record.arn, {}), ports.get(record.arn, set()))
        for record in view.find(INSTANCES, cluster=cluster, status=("ACTIVE", "DRAINING"))
    ]
    prices = {name: _price(view, cluster, name) for name in {host.provider for host in hosts} if name}
    return [
        evolve(host, attributes={PRICE: price, **host.attributes})
        if host.provider and (price := prices[host.provider])
        else host
        for host in hosts
    ]


class KnownHosts:
    """The hosts of clusters as placement sees them, looked up again when the state has changed: a pass asks for them
    once for every service."""

    def __init__(self) -> None:
        self._found: dict[str, list[Host]] = {}
        self._version: tuple[int, int] | None = None

    def of(self, view: View, cluster: str) -> list[Host]:
        """Those of a cluster (an ARN). Not for a transaction that may not be committed."""
        if (version := view.version) != self._version:
            self._found, self._version = {}, version
        if cluster not in self._found:
            self._found[cluster] = hosts_of(view, cluster)
        return self._found[cluster]


def _price(view: View, cluster: str, provider: str) -> str | None:
    """What the hosts of a capacity provider cost an hour, by its tag, where they do not say it themselves."""
    found = view.get(TAGS, cluster.rpartition(":cluster/")[0] + f":capacity-provider/{provider}")
    return next((tag.value for tag in found.tags if tag.key == PRICE), None) if found else None


def host_of(view: View, record: InstanceRecord, used: Use, groups: dict[str, int], ports: set[Port]) -> Host:
    instance = record.instance
    registered = instance.registered_resources
    cpu, memory = amount(registered, "CPU"), amount(registered, "MEMORY")
    return Host(
        arn=record.arn,
        cpu_total=cpu,
        memory_total=memory,
        cpu_free=cpu - used.cpu,
        memory_free=memory - used.memory,
        ports=frozenset(ports).union(reserved_ports(registered)),
        attributes={a.name: a.value for a in instance.attributes or []},
        groups=groups,
        active=instance.status == "ACTIVE",
        connected=instance.agent_connected is not False,
        name=record.name,
        stopping=used.stopping,
        running_tasks=used.running,
        registered_at=instance.registered_at,
        agent_version=instance.version_info.agent_version if instance.version_info else None,
        provider=instance.capacity_provider_name,
        gpus=free_gpus(view, record),
        gpus_total=len(gpu_ids(registered)),
    )


def free_gpus(view: View, record: InstanceRecord, going: Collection[str] = ()) -> tuple[str, ...]:
    """The ids of the GPUs of a container instance that no task has, but for those that are `going` (ARNs)."""
    ids = gpu_ids(record.instance.registered_resources)
    if not ids:
        return ()
    tasks = [task for task in view.unfinished(instance=record.arn) if task.arn not in going]
    taken = {gpu for task in tasks for c in task.task.containers or [] for gpu in c.gpu_ids or []}
    return tuple(gpu for gpu in ids if gpu not in taken)
