"""Images as the store remembers them: what came to which host, and what a deployment has resolved."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from ecsctl.controller.clock import Clock
from ecsctl.engine.port import Engine
from ecsctl.model.errors import EngineRefused
from ecsctl.model.identity import PAUSE_IMAGE
from ecsctl.model.image import ImagePolicy
from ecsctl.model.record import evolve
from ecsctl.model.service_deployment import ServiceRevision
from ecsctl.model.stored import ImageRecord, TaskRecord
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.scheduler.deployments import revision_arn
from ecsctl.scheduler.images import consistent, is_another, is_consistent, is_open, resolved, settled
from ecsctl.store.deployment_tables import SERVICE_REVISIONS
from ecsctl.store.store import Store, Transaction, View
from ecsctl.store.tables import IMAGES


def settle(view: View, record: TaskRecord, definition: TaskDefinition, policy: ImagePolicy) -> TaskRecord:
    """The record with the image of each container."""
    if not any(is_open(state) for state in record.containers):
        return record
    known = view.find(IMAGES, instance=record.task.container_instance_arn)
    return settled(record, definition, policy, known, _digests(_revision(view, record)))


def resolve(store: Store, engine: Engine, record: TaskRecord, now: datetime) -> TaskRecord:
    """The record with the digests of the images that its containers were created from, and with what is to be made
    anew because its deployment has another."""
    new = {}
    for state in record.containers:
        if state.image is not None and state.image_digest is None and state.stage in ("created", "started"):
            with suppress(EngineRefused):  # asked again at the next step
                new[state.name] = resolved(state, engine.image(state.image))
    if not new:
        return record
    containers = [evolve(s, image_digest=new[s.name]) if s.name in new else s for s in record.containers]
    record = evolve(record, containers=containers)
    if record.service is None:
        return record
    with store.read() as view:
        return consistent(record, _digests(_revision(view, record)), now)


def agree(tx: Transaction, record: TaskRecord, definition: TaskDefinition) -> bool:
    """Write down what the first task of a deployment has resolved. False when another task was first, with another
    image than one that this task has created a container from."""
    containers = {container.name: container for container in definition.container_definitions or []}
    states = [s for s in record.own_containers if s.image_digest and is_consistent(containers[s.name])]
    found = {state.name: state.image_digest for state in states}
    revision = _revision(tx, record) if states and record.is_wanted else None
    if revision is None:
        return True
    known = _digests(revision)
    open_ones = [s.name for s in states if s.stage == "created" and not is_another(s)]
    if any(known.get(name, found[name]) != found[name] for name in open_ones):
        return False
    if found.keys() - known.keys():
        images = [
            evolve(image, image_digest=image.image_digest or found.get(str(image.container_name)))
            for image in revision.container_images or []
        ]
        tx.put(SERVICE_REVISIONS, evolve(revision, container_images=images))
    return True


def _revision(view: View, record: TaskRecord) -> ServiceRevision | None:
    """What the deployment that a task is of rolls out."""
    if record.service is None:
        return None
    return view.get(SERVICE_REVISIONS, revision_arn(record.service, str(record.task.started_by)))


def _digests(revision: ServiceRevision | None) -> dict[str, str]:
    images = (revision.container_images if revision else None) or []
    return {str(image.container_name): image.image_digest for image in images if image.image_digest}


def pull(store: Store, engine: Engine, clock: Clock, instance: str, image: str, fetch: Callable[[], object]) -> None:
    """Fetch an image for a container instance (an ARN), and remember that."""
    if image == PAUSE_IMAGE:
        fetch()
        return
    there = {one.id for one in engine.list_images()}
    fetch()
    found = engine.image(image)
    if found is not None:
        remember(store, clock, instance, found.id, image, ours=found.id not in there)


def remember(
    store: Store, clock: Clock, instance: str, image_id: str, name: str, *, ours: bool, pushed: bool = False
) -> None:
    """Write down that an image has come to a container instance (an ARN) under a name."""
    new = ImageRecord(instance_arn=instance, image_id=image_id, names=[], came_at=clock.now(), ours=ours, pushed=pushed)
    with store.write() as tx:
        for other in tx.find(IMAGES, instance=instance):
            if name in other.names and other.image_id != image_id:  # its name has gone on to another
                tx.put(IMAGES, evolve(other, names=[one for one in other.names if one != name]))
        known = tx.get(IMAGES, new.key) or new
        names = known.names if name in known.names else [*known.names, name]
        tx.put(IMAGES, evolve(known, names=names, came_at=new.came_at, ours=known.ours or ours, pushed=pushed))
