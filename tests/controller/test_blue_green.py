"""Blue/green deployments over simulated hosts: beside the old tasks, all at once, with a time to think it over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ecsctl.engine.simulated_container import Program, StartError
from ecsctl.model.api.service_deployments import (
    DescribeServiceDeploymentsRequest,
    ListServiceDeploymentsRequest,
    StopServiceDeploymentRequest,
)
from ecsctl.model.api.services import CreateServiceRequest, DescribeServicesRequest, UpdateServiceRequest
from ecsctl.model.deployment_configuration import DeploymentCircuitBreaker, DeploymentConfiguration
from ecsctl.model.service_deployment import ServiceDeployment
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.service_deployments import (
    describe_service_deployments,
    list_service_deployments,
    stop_service_deployment,
)
from ecsctl.operations.services import create_service, describe_services, update_service
from tests.controller.world import World, world_in

SOUND = {"image": "sound", "healthCheck": {"command": ["CMD", "true"]}}
BREAKER = DeploymentCircuitBreaker(enable=True, rollback=True)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    programs = {
        "sound": Program(health=((2.0, "healthy"),)),
        "broken": Program(start_error=StartError(400, "no such file", 127)),
    }
    with world_in(tmp_path, hosts=3, **programs) as made:
        yield made


def serve(world: World, desired: int = 4, bake: int = 5, **more: Any) -> None:
    configuration = DeploymentConfiguration(strategy="BLUE_GREEN", bake_time_in_minutes=bake, **more)
    create_service(
        world.process(),
        CreateServiceRequest(
            "web", task_definition=world.define(SOUND), desired_count=desired, deployment_configuration=configuration
        ),
    )
    goes_on(world, 30)
    assert colours(world) == {"app:1": desired}


def release(world: World, container: dict[str, Any] = SOUND) -> None:
    update_service(world.process(), UpdateServiceRequest("web", task_definition=world.define(container)))


def goes_on(world: World, seconds: float, each: Callable[[], None] = lambda: None) -> None:
    end = world.clock.seconds + seconds
    while world.clock.seconds < end:
        reconcile(world.process(), timeout=1000)
        world.check_safety()
        each()
        world.clock.seconds += 5


def colours(world: World) -> dict[str, int]:
    found: dict[str, int] = {}
    for task in world.tasks():
        if task.task.last_status == "RUNNING" and task.task.desired_status == "RUNNING":
            name = str(task.task.task_definition_arn).rpartition("/")[2]
            found[name] = found.get(name, 0) + 1
    return found


def rollout(world: World) -> ServiceDeployment:
    """The newest service deployment."""
    briefs = list_service_deployments(world.process(), ListServiceDeploymentsRequest("web")).service_deployments or []
    request = DescribeServiceDeploymentsRequest([str(briefs[0].service_deployment_arn)])
    return (describe_service_deployments(world.process(), request).service_deployments or [])[0]


def test_the_old_tasks_go_when_the_new_ones_have_been_healthy_for_the_bake_time(world: World) -> None:
    serve(world)
    release(world)
    reconcile(world.process())
    assert colours(world) == {"app:1": 4, "app:2": 4}
    assert rollout(world).lifecycle_stage == "SCALE_UP"
    goes_on(world, 280)
    assert colours(world) == {"app:1": 4, "app:2": 4}
    assert (rollout(world).status, rollout(world).lifecycle_stage) == ("IN_PROGRESS", "BAKE_TIME")
    goes_on(world, 60)
    assert colours(world) == {"app:2": 4}
    assert (rollout(world).status, rollout(world).lifecycle_stage) == ("SUCCESSFUL", "CLEAN_UP")
    (service,) = describe_services(world.process(), DescribeServicesRequest(["web"])).services or []
    assert [deployment.rollout_state for deployment in service.deployments or []] == ["COMPLETED"]
    world.check_quiet()


def test_without_a_bake_time_they_go_at_once(world: World) -> None:
    serve(world, bake=0)
    release(world)
    goes_on(world, 20)
    assert colours(world) == {"app:2": 4}


def test_the_old_tasks_are_kept_up_meanwhile(world: World) -> None:
    serve(world)
    release(world)
    goes_on(world, 60)
    blue = next(t for t in world.tasks() if str(t.task.task_definition_arn).endswith("app:1"))
    for engine in world.engines.values():
        for found in engine.containers():
            if found.id == blue.containers[0].engine_id:
                engine.end(found.id, 1)
    goes_on(world, 10)
    assert colours(world) == {"app:1": 4, "app:2": 4}


def test_new_tasks_that_fall_ill_begin_the_bake_time_anew(world: World) -> None:
    serve(world)
    release(world)
    goes_on(world, 240)
    green = next(t for t in world.tasks() if not t.is_stopped and str(t.task.task_definition_arn).endswith("app:2"))
    for engine in world.engines.values():
        for found in engine.containers():
            if found.id == green.containers[0].engine_id:
                engine.set_health(found.id, "unhealthy")
    goes_on(world, 120)
    assert colours(world) == {"app:1": 4, "app:2": 4}
    goes_on(world, 240)
    assert colours(world) == {"app:2": 4}


def test_stopped_while_it_bakes_it_goes_back_and_nothing_old_was_touched(world: World) -> None:
    serve(world)
    before = {task.arn for task in world.tasks()}
    release(world)
    goes_on(world, 60)
    arn = str(rollout(world).service_deployment_arn)
    stop_service_deployment(world.process(), StopServiceDeploymentRequest(arn))
    goes_on(world, 30)
    assert colours(world) == {"app:1": 4}
    assert before == {task.arn for task in world.tasks() if not task.is_stopped}
    assert rollout(world).status == "ROLLBACK_SUCCESSFUL"


def test_a_release_that_does_not_start_is_rolled_back(world: World) -> None:
    serve(world, deployment_circuit_breaker=BREAKER)
    before = {task.arn for task in world.tasks()}
    release(world, {"image": "broken"})

    def served() -> None:
        assert colours(world)["app:1"] == 4

    goes_on(world, 200, each=served)
    assert before == {task.arn for task in world.tasks() if not task.is_stopped}
    assert rollout(world).status == "ROLLBACK_SUCCESSFUL"


def test_scaled_while_it_bakes_both_follow(world: World) -> None:
    serve(world)
    release(world)
    goes_on(world, 30)
    update_service(world.process(), UpdateServiceRequest("web", desired_count=2))
    goes_on(world, 10)
    assert colours(world) == {"app:1": 2, "app:2": 2}
    update_service(world.process(), UpdateServiceRequest("web", desired_count=5))
    goes_on(world, 20)
    assert colours(world) == {"app:1": 5, "app:2": 5}
