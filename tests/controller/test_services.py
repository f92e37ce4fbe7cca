"""Services over simulated hosts: they get what was asked, within the limits, and keep it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import pytest

from ecsctl.controller.limits import Limits
from ecsctl.engine.simulated_container import Program, StartError
from ecsctl.model.api.service_deployments import StopServiceDeploymentRequest
from ecsctl.model.api.services import (
    CreateServiceRequest,
    DeleteServiceRequest,
    DescribeServicesRequest,
    UpdateServiceRequest,
)
from ecsctl.model.api.task_protection import UpdateTaskProtectionRequest
from ecsctl.model.api.tasks import RunTaskRequest, StopTaskRequest
from ecsctl.model.deployment_configuration import (
    DeploymentCircuitBreaker,
    DeploymentConfiguration,
    DeploymentEarlySuccessCriteria,
)
from ecsctl.model.record import evolve
from ecsctl.model.service import Service
from ecsctl.model.stored import TaskRecord
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.service_deployments import stop_service_deployment
from ecsctl.operations.services import create_service, delete_service, describe_services, update_service
from ecsctl.operations.task_protection import update_task_protection
from ecsctl.operations.tasks import run_task, stop_task
from ecsctl.store.deployment_tables import SERVICE_DEPLOYMENTS, SERVICE_REVISIONS
from ecsctl.store.tables import INSTANCES, SERVICES
from tests.controller.world import World, world_in

IMAGES = {
    "crashes": Program(exits_after=1.0, exit_code=3),
    "broken": Program(start_error=StartError(400, "no such file", 127)),
    "sound": Program(health=((2.0, "healthy"),)),
    "slow": Program(health=((1e9, "healthy"),)),
    "sickly": Program(health=((2.0, "unhealthy"),)),
}
BREAKER = DeploymentConfiguration(deployment_circuit_breaker=DeploymentCircuitBreaker(enable=True, rollback=True))
CHECKED = {"healthCheck": {"command": ["CMD", "true"]}}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_in(tmp_path, hosts=3, **IMAGES) as made:
        yield made


def create(world: World, definition: str, desired: int | None = 3, **more: Any) -> None:
    create_service(
        world.process(),
        CreateServiceRequest("web", task_definition=definition, desired_count=desired, **more),
    )


def update(world: World, **changes: Any) -> None:
    update_service(world.process(), UpdateServiceRequest("web", **changes))


def shown(world: World) -> Service:
    (service,) = describe_services(world.process(), DescribeServicesRequest(["web"])).services or []
    return service


def said(world: World) -> list[str]:
    return [str(event.message) for event in shown(world).events or []]


def live(world: World) -> list[TaskRecord]:
    return [t for t in world.tasks() if not t.is_stopped and t.task.desired_status != "STOPPED"]


def running_of(world: World) -> list[str]:
    return sorted(str(t.task.task_definition_arn).rpartition("/")[2] for t in live(world))


def goes_on(world: World, seconds: float, step: float = 5.0, each: Callable[[], None] = lambda: None) -> None:
    """A reconcile every few seconds."""
    end = world.clock.seconds + seconds
    while world.clock.seconds < end:
        reconcile(world.process(), timeout=1000)
        world.check_safety()
        each()
        world.clock.seconds += step


def test_a_service_gets_its_tasks_spread_over_the_zones(world: World) -> None:
    create(world, world.define({}), desired=6)
    reconcile(world.process())
    assert (shown(world).deployments or [])[0].rollout_state == "IN_PROGRESS"
    goes_on(world, 50)
    service = shown(world)
    assert (service.running_count, service.pending_count) == (6, 0)
    zones = [str(task.task.availability_zone) for task in live(world)]
    assert sorted(zones) == ["zone0", "zone0", "zone1", "zone1", "zone2", "zone2"]
    (deployment,) = service.deployments or []
    assert (deployment.status, deployment.rollout_state) == ("PRIMARY", "COMPLETED")
    assert {task.task.started_by for task in live(world)} == {deployment.id}
    assert {task.task.group for task in live(world)} == {"service:web"}
    assert any("has started 6 tasks: (task " in message for message in said(world))
    assert said(world)[0] == "(service web) has reached a steady state."


def test_what_crashes_soon_after_its_start_does_not_complete_a_deployment(world: World) -> None:
    create(world, world.define({"image": "crashes"}), desired=1, deployment_configuration=BREAKER)
    goes_on(world, 60, step=0.5)
    assert (shown(world).deployments or [])[0].rollout_state == "FAILED"


def test_a_second_pass_does_nothing(world: World) -> None:
    create(world, world.define({}))
    goes_on(world, 60)
    world.check_quiet()


def test_scaled_to_nothing_and_back(world: World) -> None:
    create(world, world.define({}), desired=0)
    reconcile(world.process())
    assert (shown(world).deployments or [])[0].rollout_state == "COMPLETED"
    for desired in (20, 3, 0, 3):
        update(world, desired_count=desired)
        reconcile(world.process())
        assert shown(world).running_count == desired
        assert len([found for found in world.containers() if found.is_up]) == desired
        assert len(shown(world).deployments or []) == 1
    stopped = [task for task in world.tasks() if task.is_stopped]
    assert {task.task.stop_code for task in stopped} == {"ServiceSchedulerInitiated"}
    assert all("Scaling activity initiated by (deployment ecs-svc/" in str(t.task.stopped_reason) for t in stopped)


def test_scaling_in_keeps_the_spread(world: World) -> None:
    create(world, world.define({}), desired=9)
    reconcile(world.process())
    update(world, desired_count=3)
    reconcile(world.process())
    assert sorted(str(task.task.availability_zone) for task in live(world)) == ["zone0", "zone1", "zone2"]


def test_what_died_or_was_removed_is_replaced_by_a_new_task(world: World) -> None:
    create(world, world.define({}))
    goes_on(world, 60)
    before = {task.arn for task in live(world)}
    first, second, _ = world.containers()
    for engine in world.engines.values():
        for found in engine.containers():
            if found.id == first.id:
                engine.remove(found.id)
            elif found.id == second.id:
                engine.end(found.id, 9)
    reconcile(world.process())
    assert len(live(world)) == 3
    assert len(before & {task.arn for task in live(world)}) == 1


def test_a_deployment_never_goes_below_the_minimum_nor_above_the_maximum(world: World) -> None:
    create(world, world.define({"image": "sound", **CHECKED}), desired=4)
    goes_on(world, 20)
    seen: list[tuple[int, int]] = []

    def note() -> None:
        unfinished = [task for task in world.tasks() if not task.is_stopped]
        healthy = [t for t in live(world) if t.task.health_status == "HEALTHY"]
        seen.append((len(healthy), len(unfinished)))

    update(world, task_definition=world.define({"image": "sound", **CHECKED}))
    goes_on(world, 60, each=note)
    assert running_of(world) == ["app:2"] * 4
    assert min(healthy for healthy, _ in seen) >= 4
    assert max(there for _, there in seen) == 8
    assert len(shown(world).deployments or []) == 1


def test_with_a_maximum_of_100_room_is_made_first(world: World) -> None:
    configuration = DeploymentConfiguration(maximum_percent=100, minimum_healthy_percent=50)
    create(world, world.define({"image": "sound", **CHECKED}), desired=4, deployment_configuration=configuration)
    goes_on(world, 20)

    def within() -> None:
        assert len([task for task in world.tasks() if not task.is_stopped]) <= 4
        assert len([t for t in live(world) if t.task.health_status == "HEALTHY"]) >= 2

    update(world, task_definition=world.define({"image": "sound", **CHECKED}))
    goes_on(world, 60, each=within)
    assert running_of(world) == ["app:2"] * 4


def test_percentages_that_leave_no_room_are_told(world: World) -> None:
    configuration = DeploymentConfiguration(maximum_percent=150, minimum_healthy_percent=100)
    create(world, world.define({}), desired=1, deployment_configuration=configuration)
    goes_on(world, 60)
    update(world, task_definition=world.define({}))
    goes_on(world, 60)
    assert running_of(world) == ["app:1"]
    told = [message for message in said(world) if "was unable to stop or start tasks during a deployment" in message]
    assert len(told) == 1
    assert "minimumHealthyPercent or maximumPercent" in told[0]


def test_without_a_health_check_a_task_counts_after_forty_seconds(world: World) -> None:
    create(world, world.define({}), desired=1)
    goes_on(world, 60)
    update(world, task_definition=world.define({}))
    goes_on(world, 35)
    assert running_of(world) == ["app:1", "app:2"]
    goes_on(world, 20)
    assert running_of(world) == ["app:2"]


def test_a_check_that_is_none_is_no_check(world: World) -> None:
    create(world, world.define({"healthCheck": {"command": ["NONE"]}}), desired=1)
    goes_on(world, 60)
    assert [d.rollout_state for d in shown(world).deployments or []] == ["COMPLETED"]
    both = ({"image": "sound", **CHECKED}, {"name": "side", "healthCheck": {"command": ["NONE"]}})
    update(world, task_definition=world.define(*both))
    goes_on(world, 60)
    assert running_of(world) == ["app:2"]
    assert [task.task.health_status for task in live(world)] == ["HEALTHY"]


def test_a_rolling_deployment_is_completed_after_its_bake_time_and_can_go_back_until_then(world: World) -> None:
    configuration = DeploymentConfiguration(bake_time_in_minutes=5)
    create(world, world.define({}), desired=2, deployment_configuration=configuration)
    goes_on(world, 60)
    assert [d.rollout_state for d in shown(world).deployments or []] == ["COMPLETED"]  # it replaces nothing
    update(world, task_definition=world.define({}))
    goes_on(world, 300)
    assert running_of(world) == ["app:2"] * 2
    assert (shown(world).deployments or [])[0].rollout_state == "IN_PROGRESS"
    arn = str(shown(world).current_service_deployment)
    stop_service_deployment(world.process(), StopServiceDeploymentRequest(arn))
    goes_on(world, 60)
    assert running_of(world) == ["app:1"] * 2
    update(world, task_definition=world.define({}))
    goes_on(world, 420)
    assert running_of(world) == ["app:3"] * 2
    assert [d.rollout_state for d in shown(world).deployments or []] == ["COMPLETED"]


@pytest.mark.parametrize(("cleanup", "state"), [("BLOCKING", "IN_PROGRESS"), ("DEFERRED", "COMPLETED")])
def test_a_deployment_may_succeed_before_all_of_its_tasks_are_healthy(world: World, cleanup: Any, state: str) -> None:
    early = DeploymentEarlySuccessCriteria(enable=True, healthy_percent=50, source_service_revision_cleanup=cleanup)
    configuration = DeploymentConfiguration(minimum_healthy_percent=50, early_success_criteria=early)
    create(world, world.define({"image": "sound", **CHECKED}), desired=4, deployment_configuration=configuration)
    goes_on(world, 20)
    kept = live(world)[0].arn
    update_task_protection(world.process(), UpdateTaskProtectionRequest("default", [kept], True))
    update(world, task_definition=world.define({"image": "slow", **CHECKED}))
    goes_on(world, 60)
    assert running_of(world).count("app:1") >= 2
    assert (shown(world).deployments or [])[0].rollout_state == "IN_PROGRESS"
    for task in [task for task in live(world) if str(task.task.task_definition_arn).endswith("app:2")][:2]:
        for engine in world.engines.values():
            if task.containers[0].engine_id in [found.id for found in engine.containers()]:
                engine.set_health(str(task.containers[0].engine_id), "healthy")
    goes_on(world, 20)
    assert running_of(world) == ["app:1"] + ["app:2"] * 4
    assert (shown(world).deployments or [])[0].rollout_state == state
    update_task_protection(world.process(), UpdateTaskProtectionRequest("default", [kept], False))
    goes_on(world, 20)
    assert running_of(world) == ["app:2"] * 4
    assert [d.rollout_state for d in shown(world).deployments or []] == ["COMPLETED"]


@pytest.mark.parametrize("image", ["crashes", "broken", "nowhere/such:image"])
def test_a_release_that_fails_is_rolled_back(world: World, image: str) -> None:
    create(world, world.define({}), desired=3, deployment_configuration=BREAKER)
    goes_on(world, 60)

    def serving() -> None:
        assert len([t for t in live(world) if str(t.task.task_definition_arn).endswith("app:1")]) == 3

    update(world, task_definition=world.define({"image": image}))
    goes_on(world, 120, step=1.0, each=serving)
    service = shown(world)
    assert str(service.task_definition).endswith("app:1")
    assert [d.rollout_state for d in service.deployments or []] == ["COMPLETED"]
    assert running_of(world) == ["app:1"] * 3
    assert any("deployment failed: tasks failed to start." in message for message in said(world))
    assert any("rolling back to deployment ecs-svc/" in message for message in said(world))


def test_a_rollback_finds_its_way_when_nothing_of_the_old_release_is_left(world: World) -> None:
    configuration = evolve(BREAKER, minimum_healthy_percent=0, maximum_percent=100)
    create(world, world.define({}), desired=1, deployment_configuration=configuration)
    goes_on(world, 60)
    update(world, task_definition=world.define({"image": "broken"}))
    goes_on(world, 120, step=1.0)
    assert running_of(world) == ["app:1"]
    assert [d.rollout_state for d in shown(world).deployments or []] == ["COMPLETED"]


def test_health_checks_that_fail_trip_the_breaker_too(world: World) -> None:
    create(world, world.define({"image": "sound", **CHECKED}), desired=2, deployment_configuration=BREAKER)
    goes_on(world, 20)
    update(world, task_definition=world.define({"image": "sickly", **CHECKED}))
    goes_on(world, 120)
    assert str(shown(world).task_definition).endswith("app:1")
    assert running_of(world) == ["app:1"] * 2
    assert any("failed container health checks." in message for message in said(world))


def test_without_something_to_go_back_to_a_failed_deployment_stalls(world: World) -> None:
    create(world, world.define({"image": "broken"}), desired=2, deployment_configuration=BREAKER)
    goes_on(world, 60)
    tries = len(world.tasks())
    assert (shown(world).deployments or [])[0].rollout_state == "FAILED"
    goes_on(world, 600, step=60)
    assert len(world.tasks()) == tries


def test_attempts_that_fail_grow_further_apart_and_a_repair_goes_at_once(world: World) -> None:
    create(world, world.define({"image": "broken"}), desired=1)
    counts = []
    for _ in range(6):
        goes_on(world, 300, step=10)
        counts.append(len(world.tasks()))
    made = sorted(task.task.created_at for task in world.tasks() if task.task.created_at)
    apart = [(later - earlier).total_seconds() for earlier, later in pairwise(made)][3:]
    assert counts[0] >= 4
    assert apart == sorted(apart)
    assert apart[-1] > 300
    told = [message for message in said(world) if "is unable to consistently start tasks successfully" in message]
    assert len(told) == len(set(told)) == len(made) - 2, "each attempt that is put off is told, with its time"
    (deployment,) = shown(world).deployments or []
    assert deployment.next_attempt_at is not None
    assert f"{deployment.next_attempt_at:%Y-%m-%dT%H:%M:%SZ}" in told[0]
    assert 0 < deployment.next_attempt_at.timestamp() - world.clock.seconds <= 27 * 60
    update(world, task_definition=world.define({}))
    reconcile(world.process())
    assert "app:2" in running_of(world)
    assert (shown(world).deployments or [])[0].next_attempt_at is None


def test_an_unhealthy_task_is_replaced_before_it_is_stopped(world: World) -> None:
    create(world, world.define({"image": "sound", **CHECKED}), desired=1)
    goes_on(world, 20)
    (sick,) = live(world)
    for engine in world.engines.values():
        for found in engine.containers():
            engine.set_health(found.id, "unhealthy")

    def served() -> None:
        assert live(world)

    goes_on(world, 30, step=1.0, each=served)
    (new,) = live(world)
    assert new.arn != sick.arn
    stopped = next(task for task in world.tasks() if task.arn == sick.arn)
    assert stopped.task.stopped_reason == "Task failed container health checks"


def of(world: World, definition: str) -> list[TaskRecord]:
    """The tasks that are to stay of a task definition."""
    return [task for task in live(world) if str(task.task.task_definition_arn).endswith(definition)]


def sicken(world: World, tasks: list[TaskRecord]) -> None:
    ill = {task.containers[0].engine_id for task in tasks}
    for engine in world.engines.values():
        for found in engine.containers():
            if found.id in ill:
                engine.set_health(found.id, "unhealthy")


def kill(world: World, tasks: list[TaskRecord]) -> None:
    dead = {task.containers[0].engine_id for task in tasks}
    for engine in world.engines.values():
        for found in engine.containers():
            if found.id in dead:
                engine.end(found.id, 9)


def limited(low: int, high: int) -> DeploymentConfiguration:
    return DeploymentConfiguration(minimum_healthy_percent=low, maximum_percent=high)


def test_unhealthy_tasks_make_room_for_each_other_one_at_a_time(world: World) -> None:
    sound = world.define({"image": "sound", **CHECKED})
    create(world, sound, desired=4, deployment_configuration=limited(50, 100))
    goes_on(world, 20)
    before = [task.arn for task in live(world)]
    sicken(world, live(world))
    goes_on(world, 60, step=1.0)
    assert [message.partition(":")[0] for message in said(world) if "has stopped" in message] == [
        "(service web) has stopped 1 running tasks"
    ] * 4
    assert [task.task.health_status for task in live(world)] == ["HEALTHY"] * 4
    assert not {task.arn for task in live(world)} & set(before)


@pytest.mark.parametrize(("low", "high"), [(100, 200), (100, 150), (50, 100)])
def test_what_falls_ill_during_a_deployment_is_replaced_by_its_own_revision(world: World, low: int, high: int) -> None:
    sound = world.define({"image": "sound", **CHECKED})
    create(world, sound, desired=4, deployment_configuration=limited(low, high))
    goes_on(world, 20)
    update(world, task_definition=world.define({"image": "slow", **CHECKED}))
    goes_on(world, 20)
    old = of(world, "app:1")
    sicken(world, old)
    told = len(said(world))
    goes_on(world, 60, step=1.0)
    stops = [message for message in said(world)[:-told] if "has stopped" in message]
    assert all("has stopped 1 running tasks: " in message for message in stops)
    assert [task.task.health_status for task in of(world, "app:1")] == ["HEALTHY"] * (4 * low // 100)


@pytest.mark.parametrize("killed", [1, 2, 4])
def test_what_ends_during_a_deployment_is_replaced_by_its_own_revision(world: World, killed: int) -> None:
    sound = world.define({"image": "sound", **CHECKED})
    create(world, sound, desired=4, deployment_configuration=limited(100, 150))
    goes_on(world, 20)
    update(world, task_definition=world.define({"image": "slow", **CHECKED}))
    goes_on(world, 20)
    assert running_of(world) == ["app:1"] * 4 + ["app:2"] * 2
    kill(world, of(world, "app:1")[:killed])
    goes_on(world, 20)
    assert running_of(world) == ["app:1"] * 4 + ["app:2"] * 2
    assert [task.task.health_status for task in of(world, "app:1")] == ["HEALTHY"] * 4


def test_a_revision_that_had_no_tasks_gets_none_when_the_next_is_scaled_out(world: World) -> None:
    create(world, world.define({"image": "sound", **CHECKED}), desired=0)
    reconcile(world.process())
    update(world, desired_count=4, task_definition=world.define({"image": "sound", **CHECKED}))
    goes_on(world, 30)
    assert [str(task.task.task_definition_arn).rpartition("/")[2] for task in world.tasks()] == ["app:2"] * 4


@pytest.mark.parametrize("is_hindered", [False, True])
@pytest.mark.parametrize("seconds_well", [0, 10])
def test_a_cure_gets_its_turn_while_the_revision_before_it_falls_ill_again_and_again(
    world: World, seconds_well: int, is_hindered: bool
) -> None:
    sound = world.define({"image": "sound", **CHECKED})
    create(world, sound, desired=4, deployment_configuration=limited(50, 100))
    goes_on(world, 20)

    def fall_ill() -> None:
        now = world.clock.now().timestamp()
        sicken(
            world,
            [
                t
                for t in of(world, "app:1")
                if now - (t.task.created_at or world.clock.now()).timestamp() >= seconds_well
            ],
        )

    goes_on(world, 60, each=fall_ill)
    update(world, task_definition=world.define({"image": "sound", **CHECKED}))
    if is_hindered:  # a start of it fails, too
        with world.store.write() as tx:
            (record,) = tx.find(SERVICES)
            record.primary.failures = 1
            tx.put(SERVICES, record)
    goes_on(world, 600, each=fall_ill)
    assert running_of(world) == ["app:2"] * 4
    assert [d.rollout_state for d in shown(world).deployments or []] == ["COMPLETED"]


def test_what_found_no_host_when_it_ended_comes_back_when_there_is_one(world: World) -> None:
    create(world, world.define({"image": "sound", **CHECKED}), desired=2)
    goes_on(world, 20)
    update(world, task_definition=world.define({"image": "slow", **CHECKED}))
    goes_on(world, 20)
    hosts = [drain(world, number) for number in range(3)]
    kill(world, of(world, "app:1"))
    goes_on(world, 20)
    assert not of(world, "app:1")
    for number in range(len(hosts)):
        drain(world, number, "ACTIVE")
    goes_on(world, 60)
    assert [task.task.health_status for task in of(world, "app:1")] == ["HEALTHY"] * 2


@pytest.mark.parametrize(("low", "high"), [(100, 150), (100, 125), (50, 100)])
def test_what_is_scaled_out_during_a_deployment_is_the_new_revision(world: World, low: int, high: int) -> None:
    sound = world.define({"image": "sound", **CHECKED})
    create(world, sound, desired=2, deployment_configuration=limited(low, high))
    goes_on(world, 20)
    update(world, desired_count=8, task_definition=world.define({"image": "sound", **CHECKED}))
    goes_on(world, 60)
    assert running_of(world) == ["app:2"] * 8
    assert len([t for t in world.tasks() if str(t.task.task_definition_arn).endswith("app:1")]) == 2


def test_what_cannot_stop_on_a_silent_host_keeps_no_ill_task_from_its_replacement(world: World) -> None:
    more = {"deployment_configuration": limited(50, 100), "loss_policy": "never-double-run"}
    create(world, world.define({"image": "sound", **CHECKED}), desired=6, **more)
    goes_on(world, 20)
    world.engines["host1"].reachable = False
    there = [task for task in live(world) if task.task.availability_zone == "zone1"]
    stop_task(world.process(), StopTaskRequest(there[0].arn))
    sicken(world, [task for task in live(world) if task not in there])
    goes_on(world, 600, step=20)
    assert [task.task.health_status for task in live(world)] == ["HEALTHY"] * 5


def test_what_ends_after_an_early_success_is_replaced_by_the_new_revision(world: World) -> None:
    early = DeploymentEarlySuccessCriteria(enable=True, healthy_percent=100, source_service_revision_cleanup="DEFERRED")
    configuration = evolve(limited(100, 125), early_success_criteria=early)
    create(world, world.define({"image": "sound", **CHECKED}), desired=4, deployment_configuration=configuration)
    goes_on(world, 20)
    kept = live(world)[0].arn
    update_task_protection(world.process(), UpdateTaskProtectionRequest("default", [kept], True))
    update(world, task_definition=world.define({"image": "sound", **CHECKED}))
    goes_on(world, 60)
    assert running_of(world) == ["app:1"] + ["app:2"] * 4
    kill(world, of(world, "app:2")[:3])
    goes_on(world, 20)
    assert running_of(world) == ["app:1"] + ["app:2"] * 4
    assert len([t for t in world.tasks() if str(t.task.task_definition_arn).endswith("app:1")]) == 4


def test_failed_starts_do_not_trip_the_breaker_while_others_of_the_deployment_run(world: World) -> None:
    world.engines["host0"].disk_full = True
    create(world, world.define({}), desired=8, deployment_configuration=BREAKER)
    goes_on(world, 120)
    (deployment,) = shown(world).deployments or []
    assert deployment.rollout_state == "IN_PROGRESS"
    assert deployment.running_count
    world.engines["host0"].disk_full = False
    goes_on(world, 3600, step=60)
    assert [d.rollout_state for d in shown(world).deployments or []] == ["COMPLETED"]


def test_a_service_that_fits_nowhere_says_by_how_much(world: World) -> None:
    create(world, world.define({"memory": 900_000}), desired=1)
    goes_on(world, 30)
    told = [message for message in said(world) if "was unable to place a task" in message]
    assert len(told) == 1
    assert "has insufficient memory available: needs 900000 MiB, " in told[0]


def drain(world: World, number: int, status: Literal["ACTIVE", "DRAINING"] = "DRAINING") -> str:
    """The ARN of the host."""
    with world.store.write() as tx:
        record = tx.find(INSTANCES)[number]
        tx.put(INSTANCES, evolve(record, instance=evolve(record.instance, status=status), seq=tx.seq))
    return record.arn


def test_a_draining_host_is_left_within_the_limits(world: World) -> None:
    create(world, world.define({"image": "sound", **CHECKED}), desired=3)
    goes_on(world, 20)
    drain(world, 0)
    with world.store.read() as view:
        left = view.find(INSTANCES)[0].arn

    def enough() -> None:
        assert len([t for t in live(world) if t.task.health_status == "HEALTHY"]) >= 3

    goes_on(world, 30, step=1.0, each=enough)
    assert left not in {str(task.task.container_instance_arn) for task in live(world)}
    assert len(live(world)) == 3


def test_a_task_that_waits_on_a_draining_host_is_moved_at_once(world: World) -> None:
    create(world, world.define({"image": "remote"}), desired=3)
    process = world.process()
    process.controller.converge_services([str(shown(world).service_arn)], Limits(pull=False, wait=False))
    assert {task.task.last_status for task in live(world)} == {"PENDING"}
    drain(world, 0)
    process.controller.converge_services([str(shown(world).service_arn)], Limits(pull=False, wait=False))
    assert {task.task.availability_zone for task in live(world)} == {"zone1", "zone2"}
    assert len(live(world)) == 3


def zones_of(world: World) -> set[str]:
    return {str(task.task.availability_zone) for task in live(world)}


def test_the_tasks_of_a_lost_host_are_replaced_and_stopped_when_it_is_back(world: World) -> None:
    create(world, world.define({"image": "sound", **CHECKED}), desired=3, availability_zone_rebalancing="DISABLED")
    goes_on(world, 20)
    host = world.engines["host0"]
    host.reachable = False
    goes_on(world, 55, step=20)
    assert zones_of(world) == {"zone0", "zone1", "zone2"}
    goes_on(world, 30, step=20)
    assert zones_of(world) == {"zone1", "zone2"}
    assert len(live(world)) == 3
    (lost,) = [task for task in world.tasks() if task.is_stopped]
    assert lost.task.stop_code == "InfrastructureHealth"
    assert "Host host0 is lost: it has not answered since 2025-12-29T" in str(lost.task.stopped_reason)
    assert lost.task.containers
    assert {container.last_status for container in lost.task.containers} == {"STOPPED"}
    host.reachable = True
    assert [found.is_up for found in host.containers()] == [True]
    reconcile(world.process())
    assert [found.is_up for found in host.containers()] == [False]
    goes_on(world, 20)
    world.check_quiet()
    assert len(live(world)) == 3


def test_a_short_silence_changes_nothing(world: World) -> None:
    create(world, world.define({}), desired=3)
    goes_on(world, 60)
    before = {task.arn for task in live(world)}
    for _ in range(3):
        world.engines["host0"].reachable = False
        goes_on(world, 50, step=10)
        world.engines["host0"].reachable = True
        goes_on(world, 20, step=10)
    assert {task.arn for task in live(world)} == before


def test_when_no_host_answers_nothing_is_replaced(world: World) -> None:
    create(world, world.define({}), desired=3)
    goes_on(world, 60)
    before = {task.arn for task in live(world)}
    for engine in world.engines.values():
        engine.reachable = False
    goes_on(world, 600, step=20)
    assert {task.arn for task in live(world)} == before
    for engine in world.engines.values():
        engine.reachable = True
    goes_on(world, 60)
    assert {task.arn for task in live(world)} == before


def test_a_lone_task_on_a_lost_host_is_left_alone(world: World) -> None:
    lone = run_task(world.process(), RunTaskRequest(world.define({}))).tasks or []
    instance = str(lone[0].container_instance_arn)
    with world.store.read() as view:
        host = next(i.name for i in view.find(INSTANCES) if i.arn == instance)
    world.engines[host].reachable = False
    for _ in range(10):
        reconcile(world.process())
        world.clock.seconds += 20
    (task,) = world.tasks()
    assert task.task.last_status == "RUNNING"


def test_scaling_in_during_a_deployment_keeps_the_minimum(world: World) -> None:
    sound = {"image": "sound", **CHECKED}
    create(world, world.define(sound), desired=4)
    goes_on(world, 20)
    update(world, task_definition=world.define(sound))
    reconcile(world.process())
    world.clock.seconds += 3
    update(world, desired_count=2)

    def enough() -> None:
        assert len([t for t in live(world) if t.task.health_status == "HEALTHY"]) >= 2

    goes_on(world, 30, step=1.0, each=enough)
    assert running_of(world) == ["app:2", "app:2"]


def test_a_deleted_service_stops_its_tasks_and_is_inactive(world: World) -> None:
    create(world, world.define({}))
    goes_on(world, 60)
    delete_service(world.process(), DeleteServiceRequest("web", force=True))
    assert shown(world).status == "DRAINING"
    reconcile(world.process())
    assert shown(world).status == "INACTIVE"
    assert live(world) == []
    create(world, world.define({}), desired=1)
    reconcile(world.process())
    assert shown(world).running_count == 1


def test_an_inactive_service_is_forgotten_when_its_time_is_up(world: World) -> None:
    for name in ("web", "other"):
        asked = CreateServiceRequest(name, task_definition=world.define({}), desired_count=1)
        create_service(world.process(), asked)
    reconcile(world.process())
    delete_service(world.process(), DeleteServiceRequest("web", force=True))
    reconcile(world.process())
    world.clock.seconds += 6 * 86400
    reconcile(world.process())
    assert shown(world).status == "INACTIVE"
    world.clock.seconds += 2 * 86400
    assert any("forget service web: INACTIVE" in line for line in reconcile(world.process()).lines)
    with world.store.read() as view:
        assert [record.service.service_name for record in view.find(SERVICES)] == ["other"]
        assert len(view.find(SERVICE_REVISIONS)) == len(view.find(SERVICE_DEPLOYMENTS)) == 1
