"""By which names tasks find each other: Service Connect and service registries, by the engine's own DNS. Pure.

Each namespace has a network without a way out, which its tasks are in besides their own; the engine of a container
answers it with the addresses of all that have a name there, in turn. There is no proxy between them.

Source: ECS API_ServiceConnectConfiguration, API_ServiceConnectService, API_ServiceRegistry, and ECS developer guide,
"Amazon ECS Service Connect components" and "Use service discovery to connect Amazon ECS services with DNS names".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from ecsctl.model.arn import last_part
from ecsctl.model.container_definition import ContainerDefinition, PortMapping
from ecsctl.model.identity import PAUSE
from ecsctl.model.service_network import ServiceConnectConfiguration, ServiceConnectService, ServiceRegistry
from ecsctl.model.stored import Discovery, TaskRecord
from ecsctl.model.task_definition import TaskDefinition


class Registered(Struct, frozen=True):
    """What an ARN of Cloud Map, or a name, says of a service that tasks are registered with. `namespace`: empty where
    it is not said."""

    name: str
    namespace: str


def registered(registry: ServiceRegistry) -> Registered:
    """`web.shop` is the service `web` of the namespace `shop`; of an ARN, the name is what is behind `service/`."""
    name, _, namespace = last_part(registry.registry_arn or "").partition(".")
    return Registered(name, namespace)


def namespace_name(given: str) -> str:
    """The name of a namespace, which may be given by its ARN."""
    return last_part(given) if given.startswith("arn:") else given


def is_connected(connect: ServiceConnectConfiguration | None) -> bool:
    return connect is not None and connect.enabled


def has_names(definition: TaskDefinition) -> bool:
    """Whether its containers have addresses of their own, which names can lead to."""
    return definition.network_mode in (None, "bridge", "awsvpc")


def discovery_of(
    definition: TaskDefinition,
    connect: ServiceConnectConfiguration | None,
    registries: Sequence[ServiceRegistry],
    default: str,
    cluster: str,
) -> Discovery | None:
    """By which names new tasks are found; None where they are in no namespace. `default`: that of their cluster, empty
    where it has none; then what is registered is in one that is called as the cluster."""
    if not has_names(definition) or (connect is not None and not connect.enabled and not registries):
        return None
    namespace = namespace_of(connect, registries, default or (cluster if registries else ""))
    if not namespace:
        return None
    names: dict[str, list[str]] = {}
    for container, name in _named(definition, connect, registries, namespace):
        of_container = names.setdefault(container, [])
        if name not in of_container:
            of_container.append(name)
    return Discovery(namespace=namespace, names=names)


def namespace_of(
    connect: ServiceConnectConfiguration | None, registries: Sequence[ServiceRegistry], default: str
) -> str:
    """The one that is said, or else the default."""
    said = [connect.namespace or ""] if connect is not None and connect.enabled else []
    said += [registered(registry).namespace for registry in registries]
    return namespace_name(next(filter(None, said), default))


def discovery_name(service: ServiceConnectService) -> str:
    return service.discovery_name or service.port_name


def client_names(service: ServiceConnectService, namespace: str) -> list[str]:
    """Those by which others in the namespace find a service."""
    name = discovery_name(service)
    return [name, f"{name}.{namespace}", *(alias.dns_name for alias in service.client_aliases or () if alias.dns_name)]


def port_of(definition: TaskDefinition, name: str) -> tuple[ContainerDefinition, PortMapping] | None:
    """The port mapping of that name, and whose it is."""
    for container in definition.container_definitions or []:
        for mapping in container.port_mappings or []:
            if mapping.name == name:
                return container, mapping
    return None


def registered_container(definition: TaskDefinition, registry: ServiceRegistry) -> str | None:
    """The container that a registry names, or the only one there is; None where that is not said."""
    names = [str(container.name) for container in definition.container_definitions or []]
    return registry.container_name or (names[0] if len(names) == 1 else None)


def _named(
    definition: TaskDefinition,
    connect: ServiceConnectConfiguration | None,
    registries: Sequence[ServiceRegistry],
    namespace: str,
) -> Iterator[tuple[str, str]]:
    is_shared = definition.network_mode == "awsvpc"
    for service in (connect.services if connect is not None and connect.enabled else None) or ():
        found = port_of(definition, service.port_name)
        if found is not None:
            container = PAUSE if is_shared else str(found[0].name)
            yield from ((container, one) for one in client_names(service, namespace))
    for registry in registries:
        of = PAUSE if is_shared else registered_container(definition, registry)
        if of is not None:
            name = registered(registry).name
            yield from ((of, one) for one in (name, f"{name}.{namespace}"))


def is_joined(record: TaskRecord, definition: TaskDefinition, container: str) -> bool:
    """Whether a container of a task is in the network of the task's namespace."""
    if record.discovery is None:
        return False
    if container == PAUSE or definition.network_mode == "awsvpc":
        return container == PAUSE and definition.network_mode == "awsvpc"
    found = (one for one in definition.container_definitions or [] if one.name == container)
    return not any(one.disable_networking for one in found)


def names_of(record: TaskRecord, container: str) -> list[str]:
    """Those by which others in its namespace find it."""
    return record.discovery.names.get(container, []) if record.discovery else []
