"""A server over a simulated world."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

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
