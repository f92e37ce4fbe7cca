"""Daemons over simulated hosts: one on each, the first there and the last to go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecsctl.model.api.services import CreateServiceRequest
from ecsctl.model.api.task_protection import UpdateTaskProtectionRequest
from ecsctl.model.api.tasks import RunTaskRequest, StopTaskRequest
from ecsctl.model.deployment_configuration import DeploymentConfiguration
from ecsctl.model.task_launch import PlacementConstraint
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.services import create_service
from ecsctl.operations.task_protection import update_task_protection
from ecsctl.operations.tasks import run_task, stop_task
from tests.controller.test_services import (
    CHECKED,
    IMAGES,
    create,
    drain,
    goes_on,
    live,
    running_of,
    said,
    shown,
    update,
    zones_of,
)
from tests.controller.world import World, world_in


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_in(tmp_path, hosts=3, **IMAGES) as made:
        yield made


def test_daemons_one_on_each_host(world: World) -> None:
    create(world, world.define({}), desired=None, scheduling_strategy="DAEMON")
    reconcile(world.process())
    assert sorted(str(task.task.availability_zone) for task in live(world)) == ["zone0", "zone1", "zone2"]
    assert shown(world).desired_count == 3
    drain(world, 1)
    goes_on(world, 60)
    assert shown(world).desired_count == 2
    assert len(live(world)) == 2
    update(world, task_definition=world.define({}))

    def one_each() -> None:
        hosts = [t.task.container_instance_arn for t in world.tasks() if not t.is_stopped]
        assert len(hosts) == len(set(hosts))

    goes_on(world, 60, each=one_each)
    assert running_of(world) == ["app:2", "app:2"]
    world.check_quiet()


def test_a_daemon_that_leaves_a_draining_host_spares_none_elsewhere(world: World) -> None:
    drain(world, 2)
    half = DeploymentConfiguration(minimum_healthy_percent=50)
    sound = {"image": "sound", **CHECKED}
    create(world, world.define(sound), desired=None, scheduling_strategy="DAEMON", deployment_configuration=half)
    goes_on(world, 20)
    update(world, task_definition=world.define(sound))
    drain(world, 1)

    def stays() -> None:
        assert [t.task.health_status for t in live(world) if t.task.availability_zone == "zone0"] == ["HEALTHY"]

    goes_on(world, 20, each=stays)
    assert zones_of(world) == {"zone0"}


def test_daemons_that_are_lost_while_a_release_breaks_are_replaced_by_their_like(world: World) -> None:
    given = DeploymentConfiguration(minimum_healthy_percent=67, maximum_percent=100)
    strategy: dict[str, Any] = {"scheduling_strategy": "DAEMON", "deployment_configuration": given}
    create(world, world.define({"image": "sound", **CHECKED}), desired=None, **strategy)
    goes_on(world, 60)
    update(world, task_definition=world.define({"image": "broken"}))
    goes_on(world, 100, step=10)
    for engine in world.engines.values():
        for found in engine.containers():
            engine.remove(found.id)
    goes_on(world, 200, step=10)
    assert running_of(world).count("app:1") == 3, "67 % of three hosts, rounded up"


def test_daemons_whose_release_fits_nowhere_stay_and_come_back(world: World) -> None:
    create(world, world.define({}), desired=None, scheduling_strategy="DAEMON")
    goes_on(world, 60)
    update(world, task_definition=world.define({"memory": 1 << 20}))
    goes_on(world, 60)
    for engine in world.engines.values():
        for found in engine.containers():
            engine.remove(found.id)
    goes_on(world, 60)
    assert running_of(world) == ["app:1"] * 3
    assert "insufficient memory" in " ".join(said(world))


@pytest.mark.parametrize("low", [67, 99])
def test_daemons_that_may_not_be_replaced_say_so(world: World, low: int) -> None:
    given = DeploymentConfiguration(minimum_healthy_percent=low, maximum_percent=100)
    create(world, world.define({}), desired=None, scheduling_strategy="DAEMON", deployment_configuration=given)
    goes_on(world, 60)
    update(world, task_definition=world.define({"cpu": 1}))
    goes_on(world, 60)
    told = [message for message in said(world) if "Update the minimumHealthyPercent" in message]
    assert len(told) == 1


def test_a_daemon_that_is_protected_outlives_a_deployment(world: World) -> None:
    create(world, world.define({}), desired=None, scheduling_strategy="DAEMON")
    goes_on(world, 60)
    kept, *_ = live(world)
    update_task_protection(world.process(), UpdateTaskProtectionRequest("default", [kept.arn], True))
    update(world, task_definition=world.define({}))
    goes_on(world, 120)
    assert running_of(world) == ["app:1", "app:2", "app:2"]
    assert kept.arn in {task.arn for task in live(world)}
    update_task_protection(world.process(), UpdateTaskProtectionRequest("default", [kept.arn], False))
    goes_on(world, 120)
    assert running_of(world) == ["app:2"] * 3


def test_hosts_that_a_constraint_leaves_out_are_no_obstacle(world: World) -> None:
    only = [PlacementConstraint(type="memberOf", expression="attribute:ecs.availability-zone == zone1")]
    create(world, world.define({}), desired=None, scheduling_strategy="DAEMON", placement_constraints=only)
    goes_on(world, 60)
    assert zones_of(world) == {"zone1"}
    assert not [message for message in said(world) if "unable to place" in message]


def test_a_daemon_is_the_first_on_a_host_and_the_last_to_leave_it(world: World) -> None:
    """ECS developer guide, "Amazon ECS services": "first to launch on the instance … the last task to stop"."""
    half = world.define({"memory": 5000})
    given = DeploymentConfiguration(minimum_healthy_percent=0)
    other = CreateServiceRequest("a", task_definition=half, desired_count=3, deployment_configuration=given)
    create_service(world.process(), other)
    goes_on(world, 20)
    create(world, half, desired=None, scheduling_strategy="DAEMON")
    goes_on(world, 20)
    assert {task.task.group for task in live(world)} == {"service:a"}, "there is no room beside the others"
    drained = drain(world, 0)
    goes_on(world, 20)
    drain(world, 0, "ACTIVE")
    goes_on(world, 20)
    there = [task for task in live(world) if task.task.container_instance_arn == drained]
    assert {task.task.group for task in there} == {"service:web"}, "the other service comes after it"


def test_a_daemon_outlasts_the_other_tasks_of_a_host_that_drains(world: World) -> None:
    create(world, world.define({}), desired=None, scheduling_strategy="DAEMON")
    goes_on(world, 60)
    run_task(world.process(), RunTaskRequest(world.define({}, family="lone"), count=9))
    goes_on(world, 10)
    drained = drain(world, 0)
    goes_on(world, 10)

    def here() -> set[str]:
        return {str(task.task.group) for task in live(world) if task.task.container_instance_arn == drained}

    assert here() == {"service:web", "family:lone"}
    for task in live(world):
        if task.task.group == "family:lone":
            stop_task(world.process(), StopTaskRequest(task.arn))
    goes_on(world, 10)
    assert here() == set()
