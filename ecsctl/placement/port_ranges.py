"""Ports in a row: which ranges a task definition maps, and which ports of a host serve them. Pure.

Source: ECS API_PortMapping (containerPortRange): the host's ports are found by the agent, as many and in a row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from msgspec import Struct

from ecsctl.model.container_definition import ContainerDefinition, PortMapping
from ecsctl.model.task_definition import TaskDefinition

Port = tuple[int, str]
HOST_PORTS = range(61000, 65536)
"""Above those that engines and kernels give away themselves (ip_local_port_range)."""


class PortRange(Struct, frozen=True):
    """How many ports in a row, and of which protocol."""

    length: int
    protocol: str

    def at(self, first: int) -> set[Port]:
        """The ports of a host from the first on."""
        return {(port, self.protocol) for port in range(first, first + self.length)}


def ports_of(mapping: PortMapping) -> range:
    """The container's ports that are mapped: of a range all, in order."""
    if mapping.container_port_range is None:
        return range(mapping.container_port or 0, (mapping.container_port or 0) + 1)
    first, _, last = mapping.container_port_range.partition("-")
    return range(int(first), int(last) + 1)


def ranges_of(definition: TaskDefinition) -> list[PortRange]:
    """Those that ports of the host have to be found for, in the order of the definition."""
    return [
        PortRange(len(ports_of(mapping)), mapping.protocol or "tcp")
        for container in definition.container_definitions or []
        for mapping in mappings_of(definition, container)
    ]


def firsts_of(
    definition: TaskDefinition, container: ContainerDefinition, found: Sequence[int]
) -> Iterator[tuple[PortMapping, int]]:
    """The ranges of one container, each with the first port of the host. `found` are those of all ranges."""
    before = 0
    for other in definition.container_definitions or []:
        mappings = mappings_of(definition, other)
        if other.name == container.name:
            yield from zip(mappings, found[before : before + len(mappings)], strict=True)
        before += len(mappings)


def mappings_of(definition: TaskDefinition, container: ContainerDefinition) -> list[PortMapping]:
    """The port mappings of a container that are ranges and have ports of the host."""
    if (definition.network_mode or "bridge") != "bridge" or container.disable_networking:
        return []
    return [mapping for mapping in container.port_mappings or [] if mapping.container_port_range is not None]


def ports_at(ranges: Sequence[PortRange], firsts: Sequence[int]) -> set[Port]:
    """The ports of a host that ranges take, each from its first on."""
    return {port for one, first in zip(ranges, firsts, strict=True) for port in one.at(first)}


def free_rows(taken: Collection[Port], wanted: Sequence[PortRange]) -> list[int] | None:
    """The first of as many free ports in a row for each range, the lowest there are; None where there are not."""
    held = set(taken)
    found = []
    for one in wanted:
        starts = range(HOST_PORTS.start, HOST_PORTS.stop - one.length + 1)
        first = next((start for start in starts if held.isdisjoint(one.at(start))), None)
        if first is None:
            return None
        held |= one.at(first)
        found.append(first)
    return found
