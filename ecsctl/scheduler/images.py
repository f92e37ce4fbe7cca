"""What image a container of a task gets, and which images are no longer needed. Pure.

Source: ECS developer guide, "Container image pull behavior", "Container image resolution" and "Automatic Amazon ECS
task and image cleanup".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ecsctl.model.container_definition import ContainerDefinition
from ecsctl.model.identity import PAUSE
from ecsctl.model.image import ImagePolicy, digest_of, parse_image, pinned, replaced
from ecsctl.model.observed import ObservedImage
from ecsctl.model.record import evolve
from ecsctl.model.stored import ContainerState, ImageRecord, Intent, Pull, TaskRecord
from ecsctl.model.task_definition import TaskDefinition

if TYPE_CHECKING:
    from ecsctl.model.api.task_definitions import RegisterTaskDefinitionRequest
    from ecsctl.scheduler.field_support import Verdict


def settled(
    record: TaskRecord,
    definition: TaskDefinition,
    policy: ImagePolicy,
    known: Collection[ImageRecord],
    digests: Mapping[str, str],
) -> TaskRecord:
    """The record with the image of each container that has none yet, and whether it is to be pulled first.

    `known`: what came to its container instance before; `digests`: what its deployment has resolved, by container.
    """
    pulled = {name for one in known if not one.pushed for name in one.names}
    pushed = {parse_image(name) for one in known if one.pushed for name in one.names}
    containers = {container.name: container for container in definition.container_definitions or []}

    def settle(state: ContainerState) -> ContainerState:
        image = replaced(str(containers[state.name].image), (record.image_map, policy.image_map))
        if parse_image(image) in pushed:  # no registry has to know it
            return evolve(state, image=image)
        if state.name in digests:
            image = pinned(image, digests[state.name])
        return evolve(state, image=image, pull=_pull(policy, was_pulled=image in pulled))

    return evolve(record, containers=[settle(state) if is_open(state) else state for state in record.containers])


def is_open(state: ContainerState) -> bool:
    """Whether it is not settled yet which image the container gets."""
    return state.image is None and state.stage == "none" and state.name != PAUSE


def _pull(policy: ImagePolicy, *, was_pulled: bool) -> Pull:
    if policy.behavior == "prefer-cached" or (policy.behavior == "once" and was_pulled):
        return "missing"
    return "try" if policy.behavior == "default" else "must"


def with_images(
    verdicts: Sequence[Verdict], request: RegisterTaskDefinitionRequest, tables: Sequence[Mapping[str, str]]
) -> list[Verdict]:
    """Verdicts on a task definition that say what takes the place of its images."""
    others = {
        f"containerDefinitions[{i}].image": other
        for i, container in enumerate(request.container_definitions or [])
        if container.image and (other := replaced(container.image, tables)) != container.image
    }
    return [
        verdict._replace(verdict="mapped", note=f"to {others[verdict.path]}") if verdict.path in others else verdict
        for verdict in verdicts
    ]


def resolved(state: ContainerState, found: ObservedImage | None) -> str:
    """The digest of a container's image, of which this is what its engine says; empty where it has none."""
    return (digest_of(str(state.image), found.digests) if found else None) or ""


def is_consistent(container: ContainerDefinition) -> bool:
    """Whether all tasks of a deployment get the same image for it (ECS: versionConsistency)."""
    return container.version_consistency != "disabled" and "@" not in str(container.image)


def consistent(record: TaskRecord, digests: Mapping[str, str], now: datetime) -> TaskRecord:
    """The record with what is to be made anew from the image that its deployment has resolved: two tasks that began at
    the same time may have found different ones. What has started goes on."""

    def correct(state: ContainerState) -> ContainerState:
        wanted = digests.get(state.name)
        if not wanted or not state.image_digest or state.stage != "created" or state.image_digest == wanted:
            return state
        return evolve(
            state,
            image=pinned(str(state.image), wanted),
            pulled=False,
            pull_failed=None,
            intent=Intent(op="remove", at=now, tries=0),
        )

    if record.task.desired_status == "STOPPED":
        return record
    return evolve(record, containers=[correct(state) for state in record.containers])


def is_another(state: ContainerState) -> bool:
    """Whether a container was created from another image than it is to have."""
    _, at, digest = str(state.image).partition("@")
    return bool(at and state.image_digest and state.image_digest != digest)


def no_longer_needed(
    known: Collection[ImageRecord],
    there: Collection[ObservedImage],
    used: Collection[str],
    needed: Collection[str],
    last_used: Mapping[str, datetime],
    most: int,
) -> list[tuple[ImageRecord, list[str]]]:
    """Of the images that came to a host by us, those to be removed now, each with the names or the id to do it by: the
    least recently used first.

    `used`: the ids of images that containers of whomever use; `needed`: names that tasks to come will ask for;
    `last_used`: when, by name. What somebody has given a name of his own is no longer ours alone.
    """
    found = {image.id: image for image in there}
    wanted = {*map(parse_image, needed)}
    result = []
    for record in known:
        image = found.get(record.image_id)
        if image is None or image.id in used:
            continue
        tags = {*map(parse_image, image.tags)}
        is_others_too = bool(tags - {*map(parse_image, record.names)})
        if not is_others_too and not (tags | {*map(parse_image, image.digests)}) & wanted:
            result.append((record, [*image.tags] or [image.id]))
    result.sort(key=lambda one: max([one[0].came_at, *(last_used[n] for n in one[0].names if n in last_used)]))
    return result[:most]
