"""A server over a simulated world."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecsctl.model.api.services import CreateServiceRequest
from ecsctl.operations.services import create_service
from tests.controller.world import World, world_in
from tests.server.running import Running, client, serving


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_in(tmp_path, hosts=2) as made:
        yield made


@pytest.fixture
def server(world: World, tmp_path: Path) -> Iterator[Running]:
    with serving(world.process(), tmp_path / "s") as running:
        yield running


@pytest.fixture
def ecs(server: Running) -> Iterator[Any]:
    """boto3's client, unmodified."""
    with client(server.path) as made:
        yield made


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Running]]:
    """A world in which there is something to name, and a server, for many tests of a module."""
    folder = tmp_path_factory.mktemp("there")
    with world_in(folder, hosts=2) as world:
        create_service(world.process(), CreateServiceRequest("web", task_definition=world.define({}), desired_count=1))
        with serving(world.process(), folder / "s") as server:
            yield world, server
