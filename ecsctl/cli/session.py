"""The surroundings of the operations, built in this one place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from ecsctl.cli.config import Config
from ecsctl.cli.problems import say

if TYPE_CHECKING:
    from ecsctl.engine.port import Engine
    from ecsctl.operations.context import Context
    from ecsctl.store.store import Origin


@contextmanager
def open_context(
    config: Config, image_map: Mapping[str, str] = MappingProxyType({}), origin: Origin | None = None
) -> Iterator[Context]:
    """An open store, and what else an operation needs. All is closed at the end.

    `image_map`: what was asked, of the tasks and deployments that are made now, to take the place of their images.
    `origin`: a new store continues an install.
    """
    from ecsctl.controller.clock import Clock
    from ecsctl.controller.controller import Controller
    from ecsctl.controller.limits import Retention
    from ecsctl.controller.sources import Sources
    from ecsctl.model.arn import Scope
    from ecsctl.model.file_system import Storage
    from ecsctl.model.image import ImagePolicy
    from ecsctl.model.loss import Grace
    from ecsctl.operations.context import Context
    from ecsctl.operations.default_cluster import ensure_default_cluster
    from ecsctl.store.store import Store

    store = Store.open(config.state, origin)
    try:
        retention = Retention(
            *(timedelta(seconds=s) for s in (config.stopped_container_retention, config.history, config.log_retention))
        )
        settle = timedelta(seconds=config.healthy_after)
        storage = Storage(config.file_systems, config.ephemeral_storage == "limited")
        image = config.endpoint_image if config.metadata_endpoint else None
        sources = Sources(
            config.secrets,
            config.buckets,
            storage,
            config.roles,
            image,
            config.subnets,
            config.registry,
            config.registry_login,
        )
        images = ImagePolicy(
            config.image_pull_behavior,
            config.image_map,
            config.image_cleanup,
            timedelta(seconds=config.image_minimum_cleanup_age),
            timedelta(seconds=config.image_cleanup_interval),
            config.images_deleted_per_cycle,
        )
        grace = Grace(timedelta(seconds=config.loss_grace), config.loss_contacts)
        controller = Controller(
            store, connect_late, Clock(), retention, settle=settle, sources=sources, images=images, grace=grace
        )
        context = Context(
            store=store,
            scope=Scope(config.region, config.account),
            controller=controller,
            hand_over=partial(_go_on, config),
            warn=_warn,
            reserved_memory=config.reserved_memory,
            key_store=config.key_store,
            image_map=dict(image_map),
        )
        try:
            ensure_default_cluster(context)
            yield context
        finally:
            controller.close()
    finally:
        store.close()


def connect_late(address: str) -> Engine:
    from ecsctl.engine.connect import connect  # the docker SDK takes longer to import than all the rest

    return connect(address)


def _go_on(config: Config, arns: list[str]) -> list[int]:
    from ecsctl.cli.background import go_on_with  # mostly nothing is left for it

    return go_on_with(config, arns)


def _warn(text: str) -> None:
    say(f"ecsctl: {text}")
