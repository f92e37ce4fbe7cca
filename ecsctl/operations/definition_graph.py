"""How the containers of a definition refer to one another: dependsOn, links, volumesFrom.

No reference may dangle, and none may lead back to where it began.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ecsctl.model.container_definition import ContainerDefinition
from ecsctl.operations.container_rules import Problem, shown

_LINK = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,254}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,254})?", re.ASCII)
Edges = dict[str, list[str]]


def graph_problems(containers: list[ContainerDefinition], network_mode: str) -> Iterator[Problem]:
    """Everything wrong with the references between `containers`; paths begin with containerDefinitions."""
    by_name = {container.name or "": container for container in containers}
    for index, container in enumerate(containers):
        for field, sentence in (
            *_dependencies(container, by_name),
            *_links(container, by_name, network_mode),
            *_volumes_from(container, by_name),
        ):
            yield f"containerDefinitions[{index}].{field}", sentence
    if cycle := find_cycle({name: [d.container_name for d in c.depends_on or []] for name, c in by_name.items()}):
        yield "containerDefinitions", f"Container dependencies should not have a cycle: {_arrows(cycle)}."
    if cycle := find_cycle({name: [link_target(link) for link in c.links or []] for name, c in by_name.items()}):
        yield "containerDefinitions", f"Container links should not have a cycle: {_arrows(cycle)}."
    if cycle := find_cycle(_edges(by_name, lambda c: [v.source_container or "" for v in c.volumes_from or []])):
        yield "containerDefinitions", f"Container volumesFrom should not have a cycle: {_arrows(cycle)}."
    # The engine wants the source of a link or of volumes to exist first, so these order the start as dependsOn does.
    if cycle := find_cycle(_edges(by_name, _all_sources)):
        yield (
            "containerDefinitions",
            f"dependsOn, links and volumesFrom together should not have a cycle: {_arrows(cycle)}.",
        )


def find_cycle(edges: Edges) -> list[str] | None:
    """The first cycle found, its first name repeated at the end; None when there is none. Not recursive."""
    if not any(edges.values()):
        return None
    done: set[str] = set()
    for start in edges:
        path: list[str] = []
        stack = [(start, 0)]
        while stack:
            name, depth = stack.pop()
            for left in path[depth:]:
                done.add(left)
            del path[depth:]
            if name in path:
                return [*path[path.index(name) :], name]
            if name in done or name not in edges:
                continue
            path.append(name)
            stack.extend((target, len(path)) for target in reversed(edges[name]))
        done.update(path)
    return None


def link_target(link: str) -> str:
    """The container that `name:alias` names."""
    return link.partition(":")[0]


def _edges(by_name: dict[str, ContainerDefinition], sources: Callable[[ContainerDefinition], list[str]]) -> Edges:
    return {name: sources(container) for name, container in by_name.items()}


def _all_sources(container: ContainerDefinition) -> list[str]:
    return [
        *(dependency.container_name for dependency in container.depends_on or []),
        *(link_target(link) for link in container.links or []),
        *(volume.source_container or "" for volume in container.volumes_from or []),
    ]


def _arrows(cycle: list[str]) -> str:
    return " → ".join(cycle)


def _dependencies(container: ContainerDefinition, by_name: dict[str, ContainerDefinition]) -> Iterator[Problem]:
    for index, dependency in enumerate(container.depends_on or []):
        place = f"dependsOn[{index}]"
        target = by_name.get(dependency.container_name)
        if dependency.container_name == container.name:
            yield f"{place}.containerName", f"container '{container.name}' cannot depend on itself."
        elif target is None:
            yield (
                f"{place}.containerName",
                f"Cannot depend on container {shown(dependency.container_name)} because it does not exist.",
            )
        elif dependency.condition in ("SUCCESS", "COMPLETE") and target.essential is not False:
            yield (
                f"{place}.condition",
                "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container: "
                f"set essential to false on '{target.name}'.",
            )
        elif dependency.condition == "HEALTHY" and not target.has_health_check:
            yield (
                f"{place}.condition",
                f"A dependency container with HEALTHY condition needs a health check: give '{target.name}' one.",
            )


def _links(container: ContainerDefinition, by_name: dict[str, ContainerDefinition], mode: str) -> Iterator[Problem]:
    if container.links and mode != "bridge":
        yield "links", f"Links are not supported when networkMode={mode}."
        return
    for index, link in enumerate(container.links or []):
        if not _LINK.fullmatch(link):
            yield f"links[{index}]", f"{shown(link)} is not a link: write a container's name, or name:alias."
        elif link_target(link) not in by_name:
            yield f"links[{index}]", f"Cannot link to container '{link_target(link)}' because it does not exist."


def _volumes_from(container: ContainerDefinition, by_name: dict[str, ContainerDefinition]) -> Iterator[Problem]:
    for index, volume in enumerate(container.volumes_from or []):
        if volume.source_container not in by_name:
            shown_name = shown(volume.source_container or "")
            yield (
                f"volumesFrom[{index}].sourceContainer",
                f"Cannot take volumes from container {shown_name} because it does not exist.",
            )
