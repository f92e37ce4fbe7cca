"""Images on hosts: which has which, and sending one to hosts without any registry."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ecsctl.controller.send_image import ImageSender, Sent, Tell
from ecsctl.controller.together import together
from ecsctl.model.errors import EngineError, InputError
from ecsctl.model.record import Record
from ecsctl.model.stored import InstanceRecord
from ecsctl.operations.context import Context
from ecsctl.operations.hosts import ensure_default_instance
from ecsctl.operations.lookup import find_cluster, find_instance
from ecsctl.store.tables import IMAGES, INSTANCES

AT_ONCE = 16


class HostImage(Record):
    """An image on a host. `size` is in bytes; `in_use`: a container uses it; `came_by`: ecsctl's `pull` or `push`."""

    host: str
    container_instance_arn: str
    image_id: str
    tags: list[str]
    size: int
    in_use: bool
    came_by: str | None = None


def push_image(
    ctx: Context, image: str, *, cluster: str | None, hosts: Sequence[str] | None, source: str, tell: Tell
) -> list[Sent]:
    """Send an image from the engine at an address to container instances: those named, or all that are ACTIVE."""
    chosen = hosts_named(ctx, cluster, hosts)
    engine = ctx.controller.engine(source)
    found = engine.image(image)
    if found is None:
        raise InputError(f"{source} has no image {image}: see `docker images`")
    name = image if not found.id.startswith(image) and "@" not in image else next(iter(found.tags), "")
    if not name:
        raise InputError(f"{image} has no name that a task definition could use: give it one by `docker tag`")
    sender = ImageSender(ctx.store, ctx.controller.clock, engine, name, found, tell)
    return sender.send([(host, ctx.controller.engine(host.address)) for host in chosen])


def list_images(
    ctx: Context, *, cluster: str | None, hosts: Sequence[str] | None, name: str | None
) -> tuple[list[HostImage], dict[str, str]]:
    """The images on hosts, those with a part of a name if one is given; and of silent hosts, by name, why."""
    silent: dict[str, str] = {}

    def ask(host: InstanceRecord) -> list[HostImage]:
        engine = ctx.controller.engine(host.address)
        with ctx.store.read() as view:
            known = {one.image_id: one for one in view.find(IMAGES, instance=host.arn)}
        try:
            images, used = engine.list_images(), engine.used_images()
        except EngineError as error:
            silent[host.name] = str(error)
            return []
        return [
            HostImage(
                host=host.name,
                container_instance_arn=host.arn,
                image_id=image.id,
                tags=[*image.tags],
                size=image.size,
                in_use=image.id in used,
                came_by=("push" if ours.pushed else "pull") if (ours := known.get(image.id)) else None,
            )
            for image in sorted(images, key=lambda one: (one.tags, one.digests, one.id))
            if not name or any(name in tag for tag in image.tags)
        ]

    rows = together([partial(ask, host) for host in hosts_named(ctx, cluster, hosts)], AT_ONCE)
    return [row for some in rows for row in some or ()], silent


def hosts_named(ctx: Context, cluster: str | None, names: Sequence[str] | None) -> list[InstanceRecord]:
    """Container instances of a cluster by name, id or ARN, each once; all that are in use where none is named.
    InputError."""
    ensure_default_instance(ctx, cluster)
    with ctx.store.read() as view:
        found = find_cluster(view, ctx, cluster)
        if names is None:
            every = view.find(INSTANCES, cluster=found.cluster_arn, status=("ACTIVE", "DRAINING"))
            return sorted(every, key=lambda host: (host.name, host.arn))
        chosen = {name: find_instance(view, found, name) for name in names}
    for name, host in chosen.items():
        if host is None:
            raise InputError(f"there is no container instance {name} in the cluster {found.cluster_name}")
    return list({host.arn: host for host in chosen.values() if host is not None}.values())
