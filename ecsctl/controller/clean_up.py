"""Cleaning up: images that came to a host by us, and that nobody needs any more, as the ECS agent does it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from ecsctl.controller.wishes import find_task_definition
from ecsctl.engine.port import Engine
from ecsctl.model.arn import Scope, parse_arn
from ecsctl.model.errors import ApiError, Conflict
from ecsctl.model.image import ImagePolicy, pinned, replaced
from ecsctl.model.record import evolve
from ecsctl.model.stored import ImageRecord
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.scheduler.images import no_longer_needed
from ecsctl.store.deployment_tables import SERVICE_REVISIONS
from ecsctl.store.schedule_table import SCHEDULES
from ecsctl.store.store import Store, View
from ecsctl.store.tables import IMAGES, SERVICES, TASK_DEFINITIONS, TASKS


def clean_up(
    store: Store, engine: Engine, instance: str, policy: ImagePolicy, now: datetime, *, dry_run: bool
) -> list[str]:
    """Remove images from a container instance (an ARN), at most every interval; what was removed, and why.

    Nothing is asked of the engine before there is one that is old enough.
    """
    with store.read() as view:
        old = [one for one in view.find(IMAGES, instance=instance) if one.ours and _is_due(one, policy, now)]
        if not old:
            return []
        needed = set(_needed(view, policy))
        tasks = view.find(TASKS, instance=instance)
    last_used: dict[str, datetime] = {}
    for task in tasks:
        for state in task.own_containers:
            image = str(state.image)
            if not task.is_stopped:
                needed.add(image)
            elif task.task.stopped_at:
                last_used[image] = max(task.task.stopped_at, last_used.get(image, task.task.stopped_at))
    images = engine.list_images()
    chosen = no_longer_needed(old, images, engine.used_images(), needed, last_used, policy.per_cycle)
    lines = [f"remove image {', '.join(names)}: nothing needs it, here since {_day(one)}" for one, names in chosen]
    if dry_run:
        return lines
    gone = {one.key for one, names in chosen if _remove(engine, names)}
    gone |= {one.key for one in old if one.image_id not in {image.id for image in images}}
    with store.write() as tx:
        for one in old:
            if one.key in gone:
                tx.delete(IMAGES, key=one.key)
            elif current := tx.get(IMAGES, one.key):
                tx.put(IMAGES, evolve(current, looked_at=now))
    return lines


def _is_due(one: ImageRecord, policy: ImagePolicy, now: datetime) -> bool:
    is_old = now - one.came_at >= policy.minimum_age
    return is_old and (one.looked_at is None or now - one.looked_at >= policy.interval)


def _remove(engine: Engine, names: list[str]) -> bool:
    """Whether it is gone: an image that came into use meanwhile stays."""
    try:
        for name in names:
            engine.remove_image(name)
    except Conflict:
        return False
    return True


def _needed(view: View, policy: ImagePolicy) -> Iterator[str]:
    """The images that services and schedules will start tasks from."""
    for service in view.find(SERVICES, status=("ACTIVE", "DRAINING")):
        for starter in service.starters:
            if definition := view.get(TASK_DEFINITIONS, starter.task_definition_arn):
                yield from _images(definition, (starter.image_map, policy.image_map))
        for revision in view.find(SERVICE_REVISIONS, service=service.arn):
            for image in revision.container_images or []:
                if image.image_digest:
                    yield pinned(replaced(str(image.image), (policy.image_map,)), image.image_digest)
    for schedule in view.find(SCHEDULES):
        arn = parse_arn(schedule.arn)
        try:
            found = find_task_definition(view, Scope(arn.region, arn.account), schedule.request.task_definition)
        except ApiError:
            continue  # its runs will fail
        yield from _images(found, (policy.image_map,))


def _images(definition: TaskDefinition, tables: Sequence[Mapping[str, str]]) -> Iterator[str]:
    for container in definition.container_definitions or []:
        yield replaced(str(container.image), tables)


def _day(one: ImageRecord) -> str:
    return f"{one.came_at:%Y-%m-%d}"
