"""`kill -9` after every write and every change on an engine in a service's life: whoever comes next finishes it, within
the limits, and nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ecsctl.engine.simulated_container import Program, StartError
from ecsctl.model.api.service_deployments import (
    ContinueServiceDeploymentRequest,
    DescribeServiceDeploymentsRequest,
    StopServiceDeploymentRequest,
)
from ecsctl.model.api.services import (
    CreateServiceRequest,
    DeleteServiceRequest,
    DescribeServicesRequest,
    UpdateServiceRequest,
)
from ecsctl.model.api.task_sets import (
    CreateTaskSetRequest,
    DeleteTaskSetRequest,
    UpdateServicePrimaryTaskSetRequest,
    UpdateTaskSetRequest,
)
from ecsctl.model.deployment_configuration import (
    DeploymentCircuitBreaker,
    DeploymentConfiguration,
    DeploymentController,
    DeploymentLifecycleHook,
)
from ecsctl.model.record import evolve
from ecsctl.model.service import Scale, Service
from ecsctl.operations.context import Context
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.service_deployments import (
    continue_service_deployment,
    describe_service_deployments,
    stop_service_deployment,
)
from ecsctl.operations.services import create_service, delete_service, describe_services, update_service
from ecsctl.operations.task_sets import (
    create_task_set,
    delete_task_set,
    update_service_primary_task_set,
    update_task_set,
)
from ecsctl.store.tables import INSTANCES, TASKS, UNFINISHED
from tests.controller.world import Life, World, world_in

IMAGES = {
    "sound": Program(health=((2.0, "healthy"),)),
    "broken": Program(start_error=StartError(400, "no such file", 127)),
}
SOUND = {"image": "sound", "healthCheck": {"command": ["CMD", "true"]}}
ROLLING = DeploymentConfiguration(
    minimum_healthy_percent=100,
    maximum_percent=150,
    deployment_circuit_breaker=DeploymentCircuitBreaker(enable=True, rollback=True),
)
BLUE_GREEN = DeploymentConfiguration(strategy="BLUE_GREEN", bake_time_in_minutes=0)
GUARDED = evolve(BLUE_GREEN, deployment_circuit_breaker=ROLLING.deployment_circuit_breaker)
PAUSED = DeploymentConfiguration(
    strategy="BLUE_GREEN",
    bake_time_in_minutes=0,
    lifecycle_hooks=[DeploymentLifecycleHook(target_type="PAUSE", lifecycle_stages=["POST_SCALE_UP"])],
)
EXTERNAL = {"cluster": "default", "service": "web"}


class Case(NamedTuple):
    """What is there before, what a process does until it is killed, and how many tasks are healthy all the while, and
    there at the most."""

    prepare: Callable[[World], None]
    work: Callable[[World, Context], object]
    least: int
    most: int


def serve(world: World, configuration: DeploymentConfiguration = ROLLING, desired: int | None = 2, **more: Any) -> None:
    create_service(
        world.process(),
        CreateServiceRequest(
            "web",
            task_definition=world.define(SOUND),
            desired_count=desired,
            deployment_configuration=configuration,
            **more,
        ),
    )
    go_on(world, world.process())


def go_on(world: World, process: Context, passes: int = 4) -> None:
    for _ in range(passes):
        reconcile(process, timeout=1000)
        world.clock.seconds += 3


def shown(world: World) -> Service | None:
    services = describe_services(world.process(), DescribeServicesRequest(["web"])).services
    return services[0] if services else None


def rollout(world: World) -> str:
    service = shown(world)
    return str(service.current_service_deployment) if service else ""


def created(world: World, ctx: Context) -> None:
    request = CreateServiceRequest(
        "web", task_definition="app", desired_count=2, deployment_configuration=ROLLING, client_token="once"
    )
    create_service(ctx, request)
    go_on(world, ctx)


def added(world: World, ctx: Context) -> None:
    add_task_set(ctx, "app:2", client_token="once")
    go_on(world, ctx, 3)


def released(container: dict[str, Any]) -> Callable[[World, Context], object]:
    def work(world: World, ctx: Context) -> None:
        update_service(ctx, UpdateServiceRequest("web", task_definition=world.define(container)))
        go_on(world, ctx, 8)

    return work


def scaled(*counts: int) -> Callable[[World, Context], object]:
    def work(world: World, ctx: Context) -> None:
        for desired in counts:
            update_service(ctx, UpdateServiceRequest("web", desired_count=desired))
            go_on(world, ctx, 2)

    return work


def deleted(world: World, ctx: Context) -> None:
    delete_service(ctx, DeleteServiceRequest("web", force=True))
    go_on(world, ctx, 2)


def stopped(world: World, ctx: Context) -> None:
    stop_service_deployment(ctx, StopServiceDeploymentRequest(rollout(world)))
    go_on(world, ctx)


def continued(action: Any) -> Callable[[World, Context], object]:
    def work(world: World, ctx: Context) -> None:
        continue_service_deployment(ctx, ContinueServiceDeploymentRequest(rollout(world), "1-POST_SCALE_UP", action))
        go_on(world, ctx)

    return work


def defined(world: World) -> None:
    world.define(SOUND)


def half_way(configuration: DeploymentConfiguration) -> Callable[[World], None]:
    """A release is on its way: its first tasks are there."""

    def prepare(world: World) -> None:
        serve(world, configuration)
        update_service(world.process(), UpdateServiceRequest("web", task_definition=world.define(SOUND)))
        reconcile(world.process())

    return prepare


def crowded(world: World) -> None:
    """All its tasks are in one of two zones."""
    with world.store.write() as tx:
        other = tx.find(INSTANCES)[1]
        tx.put(INSTANCES, evolve(other, instance=evolve(other.instance, status="DRAINING"), seq=tx.seq))
    serve(world)
    with world.store.write() as tx:
        tx.put(INSTANCES, evolve(other, seq=tx.seq))


def paused(world: World) -> None:
    half_way(PAUSED)(world)
    go_on(world, world.process(), 2)


def task_sets(world: World) -> None:
    create_service(
        world.process(),
        CreateServiceRequest("web", desired_count=2, deployment_controller=DeploymentController(type="EXTERNAL")),
    )
    world.define(SOUND)
    blue = add_task_set(world.process(), "app:1")
    update_service_primary_task_set(
        world.process(), UpdateServicePrimaryTaskSetRequest(primary_task_set=blue, **EXTERNAL)
    )
    go_on(world, world.process())
    world.define(SOUND)


def add_task_set(ctx: Context, definition: str, scale: float = 100.0, **more: Any) -> str:
    request = CreateTaskSetRequest("web", "default", definition, scale=Scale(value=scale, unit="PERCENT"), **more)
    made = create_task_set(ctx, request).task_set
    assert made is not None
    return str(made.id)


def moved(world: World, ctx: Context) -> None:
    """An external deployment, as its controller would do it."""
    blue = next(str(one.id) for one in (shown(world) or Service()).task_sets or [])
    green = add_task_set(ctx, "app:2", 50.0)
    go_on(world, ctx, 2)
    update_task_set(ctx, UpdateTaskSetRequest(task_set=green, scale=Scale(value=100.0), **EXTERNAL))
    go_on(world, ctx, 3)
    update_service_primary_task_set(ctx, UpdateServicePrimaryTaskSetRequest(primary_task_set=green, **EXTERNAL))
    delete_task_set(ctx, DeleteTaskSetRequest(task_set=blue, force=True, **EXTERNAL))
    go_on(world, ctx, 2)


CASES = {
    "created": Case(defined, created, 0, 3),
    "released": Case(serve, released(SOUND), 2, 3),
    "rolled back": Case(serve, released({"image": "broken"}), 2, 3),
    "released anew": Case(half_way(ROLLING), released(SOUND), 2, 3),
    "stopped": Case(half_way(ROLLING), stopped, 2, 3),
    "scaled": Case(serve, scaled(4, 1), 1, 4),
    "rebalanced": Case(crowded, lambda world, ctx: go_on(world, ctx, 6), 2, 3),
    "scaled half-way": Case(half_way(ROLLING), scaled(1), 1, 3),
    "deleted": Case(serve, deleted, 0, 2),
    "deleted half-way": Case(half_way(ROLLING), deleted, 0, 3),
    "blue/green": Case(lambda world: serve(world, BLUE_GREEN), released(SOUND), 2, 4),
    "blue/green rolled back": Case(half_way(BLUE_GREEN), stopped, 2, 4),
    "blue/green failed": Case(lambda world: serve(world, GUARDED), released({"image": "broken"}), 2, 4),
    "paused": Case(lambda world: serve(world, PAUSED), released(SOUND), 2, 4),
    "continued": Case(paused, continued("CONTINUE"), 2, 4),
    "turned back": Case(paused, continued("ROLLBACK"), 2, 4),
    "daemon": Case(
        lambda world: serve(
            world, DeploymentConfiguration(minimum_healthy_percent=50), None, scheduling_strategy="DAEMON"
        ),
        released(SOUND),
        1,
        2,
    ),
    "task sets": Case(task_sets, moved, 2, 4),
}


def limits_of(world: World, case: Case) -> Callable[[], None]:
    """Checks them: at each call of an engine, before and after it, since a moment between two passes is one of many."""

    def check() -> None:
        up = [found for found in world.containers() if found.is_up]
        assert sum(found.health == "healthy" for found in up) >= case.least
        assert len(up) <= case.most
        with world.store.read() as view:
            assert view.count(TASKS, last_status=UNFINISHED) <= case.most

    return check


def changes_of(folder: Path, case: Case) -> list[int]:
    with world_in(folder, hosts=2, **IMAGES) as world:
        case.prepare(world)
        life = Life()
        case.work(world, world.process(life))
        return life.changes


def mend(world: World, check: Callable[[], None]) -> None:
    for _ in range(10):
        world.check_safety()
        check()
        reconcile(world.process(Life(meanwhile=check)), timeout=1000)
        world.clock.seconds += 3
    check_end(world)


@pytest.mark.parametrize("name", CASES)
def test_a_kill_at_any_step_of_a_services_life_is_mended(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    (tmp_path / "count").mkdir()
    changes = changes_of(tmp_path / "count", case)
    assert len(changes) > 5
    for step in (0, *changes):
        (tmp_path / str(step)).mkdir()
        with world_in(tmp_path / str(step), hosts=2, **IMAGES) as world:
            case.prepare(world)
            check = limits_of(world, case)
            world.dies(step, lambda ctx: case.work(world, ctx), check)
            mend(world, check)


@pytest.mark.parametrize("name", ["released", "blue/green", "task sets"])
def test_a_kill_of_those_that_mend_a_service_is_mended_too(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    (tmp_path / "count").mkdir()
    for first in changes_of(tmp_path / "count", case)[1::8]:
        for each in (7, 16):
            folder = tmp_path / f"{first}-{each}"
            folder.mkdir()
            with world_in(folder, hosts=2, **IMAGES) as world:
                case.prepare(world)
                check = limits_of(world, case)
                world.dies(first, lambda ctx: case.work(world, ctx), check)
                for _ in range(4):
                    world.dies(each, lambda ctx: reconcile(ctx, timeout=1000), check)
                    world.clock.seconds += 3
                mend(world, check)


@pytest.mark.parametrize(
    "case", [Case(defined, created, 0, 3), Case(task_sets, added, 2, 4)], ids=["service", "task set"]
)
def test_what_was_asked_for_again_after_a_kill_is_made_once(tmp_path: Path, case: Case) -> None:
    (tmp_path / "count").mkdir()
    for step in (0, *changes_of(tmp_path / "count", case)):
        (tmp_path / str(step)).mkdir()
        with world_in(tmp_path / str(step), hosts=2, **IMAGES) as world:
            case.prepare(world)
            check = limits_of(world, case)
            world.dies(step, lambda ctx: case.work(world, ctx), check)
            case.work(world, world.process(Life(meanwhile=check)))
            mend(world, check)
            service = shown(world)
            assert service is not None
            sets = [str(one.task_definition).rpartition("/")[2] for one in service.task_sets or []]
            assert sets in ([], ["app:2", "app:1"])
            assert service.running_count == (4 if sets else 2)


def check_end(world: World) -> None:
    """Each service has what its record says was asked, and no more."""
    world.check_quiet()
    service = shown(world)
    live = [task for task in world.tasks() if not task.is_stopped]
    up = [found for found in world.containers() if found.is_up]
    assert len(up) == len(live)
    if service is None or service.status == "INACTIVE":
        assert live == []
        return
    assert service.status == "ACTIVE"
    if service.task_sets is not None:
        assert {one.stability_status for one in service.task_sets} == {"STEADY_STATE"}
        assert len(live) == sum(one.computed_desired_count or 0 for one in service.task_sets)
        return
    held = any(hook.status == "AWAITING_ACTION" for hook in hooks(world))
    assert len(live) == (service.desired_count or 0) * (2 if held else 1)
    if not held:
        assert {task.task.task_definition_arn for task in live} == {service.task_definition}
        assert [deployment.rollout_state for deployment in service.deployments or []] == ["COMPLETED"]


def hooks(world: World) -> list[Any]:
    request = DescribeServiceDeploymentsRequest([rollout(world)])
    (one,) = describe_service_deployments(world.process(), request).service_deployments or []
    return one.lifecycle_hook_details or []
