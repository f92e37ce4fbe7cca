"""What services do about tasks that are lost, or do not come up, over simulated hosts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecsctl.engine.simulated_container import Program
from ecsctl.engine.simulated_faults import Pullable
from ecsctl.engine.simulated_images import image_reference
from ecsctl.model.api.tasks import RunTaskRequest
from ecsctl.model.deployment_configuration import DeploymentConfiguration
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.tasks import run_task
from tests.controller.test_services import (
    CHECKED,
    IMAGES,
    create,
    goes_on,
    running_of,
    said,
    shown,
    update,
)
from tests.controller.world import World, world_in


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_in(tmp_path, hosts=3, **IMAGES) as made:
        yield made


def test_tasks_that_were_started_together_are_one_attempt(world: World) -> None:
    create(world, world.define({"image": "flaky"}), desired=12)
    goes_on(world, 1, step=1)
    for engine in world.engines.values():  # the registry has got over it
        engine.registry[image_reference("flaky")] = Pullable(Program())
    begun = world.clock.seconds
    goes_on(world, 120, step=5)
    assert shown(world).running_count == 12, f"{shown(world).running_count} after {world.clock.seconds - begun} s"


RELEASES: dict[str, dict[str, Any]] = {
    "fits nowhere": {"memory": 1 << 20},
    "breaks": {"image": "broken"},
    "crashes": {"image": "crashes"},
    "is unhealthy": {"image": "sickly", **CHECKED},
}


@pytest.mark.parametrize("percents", [(100, 200), (50, 100), (50, 150)])
@pytest.mark.parametrize("release", RELEASES)
def test_what_is_lost_while_a_release_does_not_get_on_is_replaced_by_its_like(
    world: World, release: str, percents: tuple[int, int]
) -> None:
    low, high = percents
    given = DeploymentConfiguration(minimum_healthy_percent=low, maximum_percent=high)
    create(world, world.define({"image": "sound", **CHECKED}), desired=4, deployment_configuration=given)
    goes_on(world, 60)
    update(world, task_definition=world.define(RELEASES[release]))
    goes_on(world, 100, step=10)
    for engine in world.engines.values():
        for found in engine.containers():
            if found.is_up:
                engine.remove(found.id)
    goes_on(world, 300, step=10)
    old = [name for name in running_of(world) if name == "app:1"]
    assert len(old) >= 4 * low // 100, running_of(world)


def test_what_is_in_the_way_is_told_once_though_the_figures_change(world: World) -> None:
    create(world, world.define({"memory": 7000}), desired=9)
    goes_on(world, 10)
    before = said(world)
    for _ in range(4):
        run_task(world.process(), RunTaskRequest(world.define({"memory": 16}, family="lone"), count=2))
        goes_on(world, 10)
    assert said(world) == before


def test_a_dry_run_tells_of_the_tasks_that_would_replace_others(world: World) -> None:
    create(world, world.define({}), desired=1)
    goes_on(world, 60)
    for engine in world.engines.values():
        for found in engine.containers():
            engine.end(found.id, 1)
    lines = reconcile(world.process(), timeout=1000, dry_run=True).lines
    assert any("start a task of app:1" in line for line in lines), lines
    assert len(world.tasks()) == 1, "nothing was done"
