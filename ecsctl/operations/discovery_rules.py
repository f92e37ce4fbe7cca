"""What may be asked of Service Connect and of service registries: ECS's rules, and what takes a proxy, refused by name.

The engine's DNS tells addresses and nothing else, and nothing stands between a client and the containers that it finds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from ecsctl.model.api.services import CreateServiceRequest, UpdateServiceRequest
from ecsctl.model.cluster import Cluster
from ecsctl.model.errors import client_exception, invalid_parameter
from ecsctl.model.record import evolve
from ecsctl.model.service import Service
from ecsctl.model.service_network import ServiceConnectConfiguration, ServiceConnectService, ServiceRegistry
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.placement.port_ranges import ports_of
from ecsctl.scheduler.discovery import (
    client_names,
    discovery_name,
    discovery_of,
    has_names,
    is_connected,
    namespace_of,
    port_of,
    registered,
    registered_container,
)
from ecsctl.store.store import View
from ecsctl.store.tables import SERVICES

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,62})?"
_NAME = re.compile(_LABEL)
_DNS_NAME = re.compile(rf"(?=.{{1,127}}$){_LABEL}(\.{_LABEL})*")
_REGISTRY = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})?")
_NAMESPACE = re.compile(r'[^<>"/\s]{1,1024}')
_CONNECT = "serviceConnectConfiguration"
_NO_PROXY = "is not honoured: there is no proxy between the tasks, they find each other by the engine's DNS"


def default_namespace(cluster: Cluster) -> str:
    """That of a cluster's services which name none; empty where there is none."""
    defaults = cluster.service_connect_defaults
    return (defaults.namespace if defaults else None) or ""


def check_namespace(given: str, where: str) -> None:
    """InvalidParameterException for what is neither a name nor an ARN."""
    if not given.startswith("arn:") and not _NAMESPACE.fullmatch(given):
        raise invalid_parameter(f'{where}: {given[:80]!r} cannot be a namespace: no spaces and none of <>"/.')


def check_discovery(view: View, cluster: Cluster, service: Service, definition: TaskDefinition) -> None:
    """What a service asks of its names, with the task definition that it runs. ClientException for what is not
    honoured, InvalidParameterException for what cannot be."""
    connect, registries = service.service_connect_configuration, service.service_registries or []
    if is_connected(connect) and connect is not None:
        _check_connect(view, cluster, service, connect, definition)
    check_registries(registries, definition)
    namespaces = {namespace_of(connect, [], "")} if is_connected(connect) else set()
    namespaces |= {found for registry in registries if (found := registered(registry).namespace)}
    if len(namespaces) > 1:
        listed = ", ".join(sorted(namespaces))
        raise client_exception(f"serviceRegistries: a task is in one namespace, and here it is {listed}.")
    made = discovery_of(definition, connect, registries, default_namespace(cluster), str(cluster.cluster_name))
    names = Counter(name for of_container in (made.names.values() if made else ()) for name in of_container)
    if twice := [name for name, count in names.items() if count > 1]:
        raise client_exception(f"{_CONNECT}: {twice[0]} for several containers {_NO_PROXY}; name each differently.")


def check_registries(registries: Sequence[ServiceRegistry], definition: TaskDefinition) -> None:
    """The service registries of a service or a task set."""
    if len(registries) > 1:
        raise invalid_parameter("serviceRegistries: one at most.")
    for registry in registries:
        path = "serviceRegistries[0]"
        said = registered(registry)
        given = registry.registry_arn or ""
        is_of_another_kind = given.startswith("arn:") and ":service/" not in given
        if is_of_another_kind or not _REGISTRY.fullmatch(said.name):
            raise invalid_parameter(
                f"{path}.registryArn: {registry.registry_arn!r} names no service: write the ARN of a service of Cloud "
                "Map, or its name, like web or web.shop for one of the namespace shop."
            )
        if said.namespace:
            check_namespace(said.namespace, f"{path}.registryArn")
        if registry.port is not None and registry.container_port is not None:
            raise invalid_parameter(
                f"{path}: Specify a value for either 'port' or the 'containerName' and 'containerPort' combination, "
                "but not both."
            )
        _check_network(definition, path)
        containers = {container.name: container for container in definition.container_definitions or []}
        if registry.container_name is not None and registry.container_name not in containers:
            raise invalid_parameter(f"{path}.containerName: there is no container {registry.container_name}.")
        name = registered_container(definition, registry)
        if name is None and definition.network_mode != "awsvpc":
            raise invalid_parameter(
                f"{path}.containerName: is needed where a task has several containers, each with its own address."
            )
        of = [containers[name]] if name else list(containers.values())
        ports = {port for c in of for mapping in c.port_mappings or [] for port in ports_of(mapping)}
        for field, port in (("containerPort", registry.container_port), ("port", registry.port)):
            if port is not None and port not in ports:
                raise invalid_parameter(f"{path}.{field}: {port} is no port of the task definition.")


def _check_connect(
    view: View, cluster: Cluster, service: Service, connect: ServiceConnectConfiguration, definition: TaskDefinition
) -> None:
    for field, given in (
        ("accessLogConfiguration", connect.access_log_configuration),
        ("containerConfigurations", connect.container_configurations),
    ):
        if given:
            raise client_exception(f"{_CONNECT}.{field} {_NO_PROXY}; leave it out.")
    namespace = namespace_of(connect, [], default_namespace(cluster))
    if not namespace:
        raise invalid_parameter(
            f"{_CONNECT}.namespace: is needed, as the cluster {cluster.cluster_name} has no default: name one, or "
            "update-cluster --service-connect-defaults namespace=NAME."
        )
    if connect.namespace:
        check_namespace(connect.namespace, f"{_CONNECT}.namespace")
    _check_network(definition, _CONNECT)
    discovered: set[str] = set()
    for index, one in enumerate(connect.services or []):
        _check_service(one, f"{_CONNECT}.services[{index}]", definition)
        if discovery_name(one) in discovered:
            raise invalid_parameter(f"{_CONNECT}.services[{index}]: {discovery_name(one)} is named twice.")
        discovered.add(discovery_name(one))
    names = _client_names(connect, namespace)
    for other, taken in _taken(view, service, namespace):
        if both := names & taken:
            raise invalid_parameter(
                f"{_CONNECT}.services: {min(both)} is the service {other}'s in the namespace {namespace} already."
            )


def _check_service(one: ServiceConnectService, path: str, definition: TaskDefinition) -> None:
    found = port_of(definition, one.port_name)
    if found is None:
        raise invalid_parameter(
            f"{path}.portName: {definition.family}:{definition.revision} has no port mapping of the name "
            f"{one.port_name!r}."
        )
    if not _NAME.fullmatch(discovery_name(one)):
        raise invalid_parameter(
            f"{path}.discoveryName: {discovery_name(one)!r} is not a name: up to 63 of a-z, 0-9, _ and -, not "
            "starting with -."
        )
    for field, given in (
        ("ingressPortOverride", one.ingress_port_override),
        ("timeout", one.timeout),
        ("tls", one.tls),
    ):
        if given is not None:
            raise client_exception(f"{path}.{field} {_NO_PROXY}; leave it out.")
    if len(one.client_aliases or ()) > 1:
        raise invalid_parameter(f"{path}.clientAliases: one at most.")
    for alias in one.client_aliases or ():
        where = f"{path}.clientAliases[0]"
        if alias.dns_name is not None and not _DNS_NAME.fullmatch(alias.dns_name):
            raise invalid_parameter(
                f"{where}.dnsName: {alias.dns_name[:80]!r} is not a name of a host, of a-z, 0-9, _, - and dots."
            )
        if alias.test_traffic_rules is not None:
            raise client_exception(f"{where}.testTrafficRules {_NO_PROXY}; leave it out.")
        if alias.port != found[1].container_port:
            raise client_exception(
                f"{where}.port: {alias.port} is not where the container listens, {found[1].container_port}, and "
                f"another {_NO_PROXY}: say {found[1].container_port}."
            )


def _check_network(definition: TaskDefinition, path: str) -> None:
    if not has_names(definition):
        raise client_exception(
            f"{path}: containers of the networkMode {definition.network_mode} have no address of their own that a name "
            "could lead to: use bridge or awsvpc."
        )


def _taken(view: View, service: Service, namespace: str) -> Iterator[tuple[str, set[str]]]:
    """The names that other services have in a namespace."""
    for record in view.find(SERVICES, status=("ACTIVE", "DRAINING")):
        connect = record.service.service_connect_configuration
        if record.arn == service.service_arn or connect is None or not connect.enabled:
            continue
        if namespace_of(connect, [], "") == namespace:
            yield str(record.service.service_name), _client_names(connect, namespace)


def _client_names(connect: ServiceConnectConfiguration, namespace: str) -> set[str]:
    return {name for one in connect.services or [] for name in client_names(one, namespace)}


def with_namespace(cluster: Cluster, connect: ServiceConnectConfiguration | None) -> ServiceConnectConfiguration | None:
    """With the namespace that ECS fills in."""
    if connect is None or not connect.enabled or connect.namespace:
        return connect
    return evolve(connect, namespace=default_namespace(cluster) or None)


def connect_asked(
    present: ServiceConnectConfiguration | None, wanted: ServiceConnectConfiguration | None
) -> ServiceConnectConfiguration | None:
    """What update-service is asked for: the wanted one; where none is, one that switches off what there is."""
    return wanted or (ServiceConnectConfiguration(enabled=False) if present else None)


def check_not_external(request: CreateServiceRequest | UpdateServiceRequest) -> None:
    """ClientException for what ECS does not do of a service that something else deploys."""
    if is_connected(request.service_connect_configuration):
        raise client_exception(f"{_CONNECT}: is not supported with the EXTERNAL deployment controller.")
    if request.service_registries:
        raise invalid_parameter(
            "serviceRegistries: with the EXTERNAL deployment controller, task sets have it: create-task-set."
        )
