"""What a task takes of the container instance it goes to. Pure."""

from __future__ import annotations

from msgspec import Struct

from ecsctl.model.container_definition import ContainerDefinition
from ecsctl.model.overrides import containers_of
from ecsctl.model.sizes import task_cpu_units, task_memory_mib
from ecsctl.model.task import TaskOverride
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.placement.port_ranges import Port, PortRange, ranges_of


class Demand(Struct, frozen=True):
    """What one task takes: cpu units, memory in MiB, host ports, GPUs; and what it is built for, as attributes say.
    `ranges`: ports in a row, whichever they are."""

    cpu: int
    memory: int
    ports: frozenset[Port] = frozenset()
    architecture: str | None = None
    os: str | None = None
    gpus: int = 0
    ranges: tuple[PortRange, ...] = ()


def demand_of(definition: TaskDefinition, overrides: TaskOverride | None) -> Demand:
    """What a task of this definition takes: its own size if it states one, else the sum of its containers'.

    A container with a soft limit (memoryReservation) takes that; its hard limit (memory) is what it may grow to.
    """
    containers = containers_of(definition, overrides)
    cpu = sum(container.cpu or 0 for container in containers)
    memory = sum(container.memory_reservation or container.memory or 0 for container in containers)
    ports = frozenset(port for container in containers for port in _host_ports(definition, container))
    if text := (overrides and overrides.cpu) or definition.cpu:
        cpu = task_cpu_units(text)
    if text := (overrides and overrides.memory) or definition.memory:
        memory = task_memory_mib(text)
    platform = definition.runtime_platform
    architecture = platform.cpu_architecture.lower() if platform and platform.cpu_architecture else None
    family = platform.operating_system_family if platform else None
    os = family.partition("_")[0].lower() if family else None
    gpus = sum(map(gpus_of, containers))
    return Demand(cpu, memory, ports, architecture, os, gpus, tuple(ranges_of(definition)))


def gpus_of(container: ContainerDefinition) -> int:
    """How many GPUs a container has for itself (ECS API_ResourceRequirement)."""
    return sum(int(one.value or 0) for one in container.resource_requirements or [] if one.type == "GPU")


def _host_ports(definition: TaskDefinition, container: ContainerDefinition) -> set[Port]:
    """The fixed host ports; in host mode every container port is one."""
    found: set[Port] = set()
    for mapping in container.port_mappings or []:
        port = mapping.container_port if definition.network_mode == "host" else mapping.host_port
        if port and definition.network_mode in (None, "bridge", "host"):
            found.add((port, mapping.protocol or "tcp"))
    return found
