"""The networks of a task's containers: that they are there, and by which names others find the containers in them.

A network is the host's own, a bridge; where the host was put into a swarm (`ecsctl host join-swarm`), it is one of all
hosts of the swarm, an overlay, which only a manager can make.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence

from ecsctl.engine.port import Engine
from ecsctl.model import identity
from ecsctl.model.container_instance import attribute_of
from ecsctl.model.errors import Conflict, EngineError, EngineRefused, EngineTimeout, EngineUnreachable
from ecsctl.model.stored import InstanceRecord, TaskRecord
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.placement.host import SWARM
from ecsctl.scheduler.discovery import is_joined, names_of
from ecsctl.scheduler.namespaces import network_of
from ecsctl.scheduler.plan import Action
from ecsctl.store.store import Store
from ecsctl.store.tables import INSTANCES


class TaskNetworks:
    """Those of the tasks on one host (an ARN). `connect` gives the engine behind an address; `is_private`: whether a
    subnet has no way out."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        host: str,
        connect: Callable[[str], Engine],
        is_private: Callable[[str], bool],
    ) -> None:
        self._store = store
        self._engine = engine
        self._host = host
        self._connect = connect
        self._is_private = is_private

    def join(self, container_id: str, record: TaskRecord, definition: TaskDefinition, name: str) -> None:
        """Put a container of a task, which has not started, into all networks beside its own."""
        if record.discovery and is_joined(record, definition, name):
            network = self._namespace(record.discovery.namespace)
            self._engine.connect_network(network, container_id, names_of(record, name))

    def carry_out(self, action: Action, record: TaskRecord) -> None:
        """Make what networks the container is to be in, or change its names."""
        if action.op == "network":
            if action.container == identity.PAUSE and (subnet := network_of(record)):
                self._make(subnet, {identity.SUBNET: subnet}, internal=self._is_private(subnet))
            if record.discovery:
                namespace = record.discovery.namespace
                self._make(self._namespace(namespace), {identity.NAMESPACE: namespace}, internal=True)
        elif record.discovery:
            network = self._namespace(record.discovery.namespace)
            names = names_of(record, action.container) if action.op == "name" else ()
            self._engine.disconnect_network(network, action.target)
            self._engine.connect_network(network, action.target, names)

    def _namespace(self, namespace: str) -> str:
        return identity.namespace_network(namespace, self._store.install)

    def _make(self, name: str, labels: dict[str, str], *, internal: bool = False) -> None:
        manager = self._manager()
        if manager is None:
            self._engine.create_network(name, labels, internal=internal)
            return
        try:
            manager.create_overlay(name, labels, internal=internal)
        except Conflict as error:
            raise Conflict(error.status, f'{error.message}: see "Moving over" in docs/networks.md') from None
        except (EngineUnreachable, EngineTimeout) as error:  # it is not this host that does not answer
            raise EngineRefused(503, str(error)) from None

    def _manager(self) -> Engine | None:
        """What makes the networks of the host's swarm; None where the host is in none. EngineRefused says why none of
        its managers does."""
        with self._store.read() as view:
            own = view.get(INSTANCES, self._host)
            swarm = attribute_of(own.instance, SWARM) if own else None
            if own is None or swarm is None:
                return None
            hosts = view.find(INSTANCES, status=("ACTIVE", "DRAINING"))
        member = self._engine.swarm()
        if member.is_manager:
            return self._engine
        if not member.managers:
            return None  # it has left
        others = [one for one in hosts if one.arn != own.arn and attribute_of(one.instance, SWARM) == swarm]
        return self._first(sorted(others, key=lambda one: one.failed_contacts), member.managers)

    def _first(self, hosts: Sequence[InstanceRecord], managers: Container[str]) -> Engine:
        silent = []
        for host in hosts:
            engine = self._connect(host.address)
            try:
                found = engine.swarm()
            except EngineError as error:
                silent.append(f"{host.name}: {error}")
                continue
            if found.is_manager and found.node in managers:
                return engine
        raise EngineRefused(503, f"no manager of the host's swarm answers ({'; '.join(silent) or 'none is known'})")
