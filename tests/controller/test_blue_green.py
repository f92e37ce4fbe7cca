"""Blue/green deployments over simulated hosts: beside the old tasks, all at once, with a time to think it over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ecsctl.engine.simulated_container import Program, StartError
from ecsctl.model.api.service_deployments import (
    ContinueServiceDeploymentRequest,
    DescribeServiceDeploymentsRequest,
    ListServiceDeploymentsRequest,
    StopServiceDeploymentRequest,
)
from ecsctl.model.api.services import CreateServiceRequest, DescribeServicesRequest, UpdateServiceRequest
from ecsctl.model.deployment_configuration import (
    DeploymentCircuitBreaker,
    DeploymentConfiguration,
    DeploymentLifecycleHook,
    DeploymentLifecycleHookTimeoutConfiguration,
)
from ecsctl.model.errors import ApiError
from ecsctl.model.service_deployment import ServiceDeployment
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.service_deployments import (
    continue_service_deployment,
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


def hook(*stages: Any, minutes: int | None = None, action: Any = None) -> DeploymentLifecycleHook:
    timeout = DeploymentLifecycleHookTimeoutConfiguration(timeout_in_minutes=minutes, action=action)
    return DeploymentLifecycleHook(target_type="PAUSE", lifecycle_stages=list(stages), timeout_configuration=timeout)


def hooks(world: World) -> dict[str | None, str | None]:
    return {one.hook_id: one.status for one in rollout(world).lifecycle_hook_details or []}


def answer(world: World, hook_id: str, action: Any = None) -> None:
    arn = str(rollout(world).service_deployment_arn)
    continue_service_deployment(world.process(), ContinueServiceDeploymentRequest(arn, hook_id, action))


def test_a_hook_holds_a_deployment_until_somebody_says_that_it_may_go_on(world: World) -> None:
    serve(world, bake=1, lifecycle_hooks=[hook("PRE_SCALE_UP"), hook("POST_SCALE_UP", "PRE_PRODUCTION_TRAFFIC_SHIFT")])
    release(world)
    goes_on(world, 60)
    assert colours(world) == {"app:1": 4}
    assert rollout(world).lifecycle_stage == "PRE_SCALE_UP"
    assert hooks(world) == {"1-PRE_SCALE_UP": "AWAITING_ACTION"}
    before = world.clock.seconds
    reconcile(world.process(), services=["web"], timeout=1000)
    assert world.clock.seconds == before, "there is nothing to wait for but somebody's word"
    (service,) = describe_services(world.process(), DescribeServicesRequest(["web"])).services or []
    (told,) = (e.message for e in service.events or [] if "is paused" in str(e.message))
    assert "is paused at PRE_SCALE_UP until 2025-12-30T" in str(told)
    assert "continue-service-deployment --hook-id 1-PRE_SCALE_UP" in str(told)

    answer(world, "1-PRE_SCALE_UP")
    goes_on(world, 120)
    assert colours(world) == {"app:1": 4, "app:2": 4}
    assert rollout(world).lifecycle_stage == "POST_SCALE_UP"
    answer(world, "2-POST_SCALE_UP", "CONTINUE")
    goes_on(world, 10)
    assert rollout(world).lifecycle_stage == "POST_TEST_TRAFFIC_SHIFT"
    with pytest.raises(ApiError, match="no lifecycle hook 2-POST_SCALE_UP holds"):
        answer(world, "2-POST_SCALE_UP")
    answer(world, "2-PRE_PRODUCTION_TRAFFIC_SHIFT")
    goes_on(world, 30)
    assert rollout(world).lifecycle_stage == "BAKE_TIME"
    goes_on(world, 60)
    assert colours(world) == {"app:2": 4}
    assert rollout(world).status == "SUCCESSFUL"
    assert set(hooks(world).values()) == {"SUCCEEDED"}
    world.check_quiet()
    with pytest.raises(ApiError, match="SUCCESSFUL and cannot be continued"):
        answer(world, "1-PRE_SCALE_UP")


def test_somebody_may_say_that_it_is_to_go_back(world: World) -> None:
    serve(world, lifecycle_hooks=[hook("POST_SCALE_UP")])
    before = {task.arn for task in world.tasks()}
    release(world)
    goes_on(world, 60)
    answer(world, "1-POST_SCALE_UP", "ROLLBACK")
    goes_on(world, 30)
    assert before == {task.arn for task in world.tasks() if not task.is_stopped}
    assert rollout(world).status == "ROLLBACK_SUCCESSFUL"
    assert "Lifecycle hook answered by user" in str(rollout(world).status_reason)


@pytest.mark.parametrize(
    ("action", "status", "left"),
    [(None, "ROLLBACK_SUCCESSFUL", "app:1"), ("CONTINUE", "SUCCESSFUL", "app:2")],
)
def test_a_hook_that_nobody_answers_times_out(world: World, action: Any, status: str, left: str) -> None:
    serve(world, bake=0, lifecycle_hooks=[hook("POST_SCALE_UP", minutes=3, action=action)])
    release(world)
    goes_on(world, 120)
    assert colours(world) == {"app:1": 4, "app:2": 4}
    goes_on(world, 120)
    assert colours(world) == {left: 4}
    assert rollout(world).status == status
    if action:
        assert hooks(world) == {"1-POST_SCALE_UP": "TIMED_OUT"}


def test_both_colours_are_kept_up_while_it_is_paused(world: World) -> None:
    serve(world, lifecycle_hooks=[hook("POST_SCALE_UP")])
    release(world)
    goes_on(world, 60)
    for engine in world.engines.values():
        for found in engine.containers():
            engine.end(found.id, 1)
            break
    goes_on(world, 60)
    assert colours(world) == {"app:1": 4, "app:2": 4}
    assert hooks(world) == {"1-POST_SCALE_UP": "AWAITING_ACTION"}
