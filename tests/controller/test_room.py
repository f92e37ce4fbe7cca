"""Tasks that stop to make room for others, over a simulated host with room for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecsctl.model.api.capacity_providers import PutClusterCapacityProvidersRequest
from ecsctl.model.api.services import CreateServiceRequest, DescribeServicesRequest
from ecsctl.model.api.task_protection import UpdateTaskProtectionRequest
from ecsctl.model.api.tasks import RunTaskRequest, RunTaskResponse
from ecsctl.model.cluster import CapacityProviderStrategyItem
from ecsctl.model.errors import ApiError
from ecsctl.model.stored import TaskRecord
from ecsctl.model.task_launch import AwsVpcConfiguration, NetworkConfiguration
from ecsctl.operations.capacity_providers import put_cluster_capacity_providers
from ecsctl.operations.explain import plan_tasks
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.services import create_service, describe_services
from ecsctl.operations.task_protection import update_task_protection
from ecsctl.operations.tasks import run_task
from tests.controller.world import World, world_in

MOST = {"memory": 6000}
SUBNET = NetworkConfiguration(awsvpc_configuration=AwsVpcConfiguration(subnets=["subnet-1"]))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_in(tmp_path) as made:
        yield made


def run(world: World, definition: str, **more: Any) -> RunTaskResponse:
    answer = run_task(world.process(), RunTaskRequest(definition, **more))
    settle(world)
    return answer


def settle(world: World) -> None:
    for _ in range(4):
        reconcile(world.process())
        world.check_safety()
        world.clock.sleep(31)


def serve(world: World, name: str, definition: str, **more: Any) -> None:
    create_service(world.process(), CreateServiceRequest(name, task_definition=definition, desired_count=1, **more))
    settle(world)


def of(world: World, family: str) -> list[TaskRecord]:
    return [task for task in world.tasks() if f"/{family}:" in str(task.task.task_definition_arn)]


def state(world: World, family: str) -> list[tuple[str | None, str | None]]:
    return [(task.task.last_status, task.task.stop_code) for task in of(world, family)]


def test_an_urgent_task_takes_the_room_of_another_once_that_has_stopped(world: World) -> None:
    plain, urgent = world.define(MOST, family="plain"), world.define(MOST, family="urgent")
    run(world, plain)
    assert [failure.reason for failure in run(world, urgent).failures or []] == ["RESOURCE:MEMORY"]
    plan = plan_tasks(world.process(), RunTaskRequest(urgent, preemption_priority=1))
    assert [task.instead_of for task in plan.tasks] == [[of(world, "plain")[0].arn]]
    assert state(world, "plain") == [("RUNNING", None)]
    answer = run(world, urgent, preemption_priority=1)
    assert answer.failures == []
    assert state(world, "urgent") == [("RUNNING", None)]
    (gone,) = of(world, "plain")
    assert (gone.task.last_status, gone.task.stop_code) == ("STOPPED", "ServiceSchedulerInitiated")
    assert gone.task.stopped_reason == ("Preempted by a task of family:urgent: its preemption priority 1 is above 0.")
    (new,) = of(world, "urgent")
    assert gone.task.stopped_at
    assert new.task.pull_started_at is None or new.task.pull_started_at >= gone.task.stopped_at
    world.check_quiet()


def test_a_service_does_not_take_its_room_back(world: World) -> None:
    serve(world, "web", world.define(MOST, family="plain"))
    run(world, world.define(MOST, family="urgent"), preemption_priority=5)
    assert state(world, "urgent") == [("RUNNING", None)]
    assert state(world, "plain") == [("STOPPED", "ServiceSchedulerInitiated")]
    (service,) = describe_services(world.process(), DescribeServicesRequest(["web"])).services or []
    assert (service.running_count, service.desired_count) == (0, 1)
    assert [d.failed_tasks for d in service.deployments or []] == [0]
    assert "unable to place a task" in str((service.events or [])[0].message)
    world.check_quiet()


def test_an_urgent_service_takes_room_and_gives_back_what_it_leaves(world: World) -> None:
    serve(world, "web", world.define({"memory": 3000}, family="plain"))
    run(world, world.define({"memory": 3000}, family="plain"))
    serve(world, "urgent", world.define(MOST, family="urgent"), preemption_priority=2)
    assert state(world, "urgent") == [("RUNNING", None)]
    assert {code for _, code in state(world, "plain")} == {"ServiceSchedulerInitiated"}


@pytest.mark.parametrize("what", ["protected", "daemon", "equal"])
def test_who_does_not_have_to_go(world: World, what: str) -> None:
    definition = world.define(MOST, family="plain")
    daemon: dict[str, Any] = {"scheduling_strategy": "DAEMON"} if what == "daemon" else {"desired_count": 1}
    rank = 7 if what == "equal" else None
    web = CreateServiceRequest("web", task_definition=definition, preemption_priority=rank, **daemon)
    create_service(world.process(), web)
    settle(world)
    if what == "protected":
        tasks = [task.arn for task in world.tasks()]
        update_task_protection(
            world.process(), UpdateTaskProtectionRequest("default", protection_enabled=True, tasks=tasks)
        )
    answer = run(world, world.define(MOST, family="urgent"), preemption_priority=7)
    assert [failure.reason for failure in answer.failures or []] == ["RESOURCE:MEMORY"]
    assert state(world, "plain") == [("RUNNING", None)]


def test_spot_tasks_make_way_for_any_other_as_on_ecs(world: World) -> None:
    context = world.process()
    providers = PutClusterCapacityProvidersRequest("default", ["FARGATE", "FARGATE_SPOT"], [])
    put_cluster_capacity_providers(context, providers)
    sizes = {"cpu": "1024", "memory": "6144", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"]}
    spot, other = world.define({}, family="spot", **sizes), world.define({}, family="other", **sizes)
    strategy = [CapacityProviderStrategyItem("FARGATE_SPOT", weight=1)]
    more = {"network_configuration": SUBNET, "capacity_provider_strategy": strategy}
    run(world, spot, **more)
    assert state(world, "spot") == [("RUNNING", None)]
    assert (run(world, other, **more).failures or [])[0].reason == "RESOURCE:MEMORY"
    run(world, other, launch_type="FARGATE", network_configuration=SUBNET)
    assert state(world, "spot") == [("STOPPED", "SpotInterruption")]
    assert of(world, "spot")[0].task.stopped_reason == "Your Spot Task was interrupted."
    assert state(world, "other") == [("RUNNING", None)]
    world.check_quiet()


def test_all_or_nothing_stops_nobody_for_nothing(world: World) -> None:
    run(world, world.define(MOST, family="plain"))
    urgent = RunTaskRequest(world.define(MOST, family="urgent"), count=2, preemption_priority=1)
    answer = run_task(world.process(), urgent, all_or_nothing=True)
    assert answer.tasks == []
    assert state(world, "plain") == [("RUNNING", None)]


@pytest.mark.parametrize("rank", [-1, 1001])
def test_a_preemption_priority_that_is_none(world: World, rank: int) -> None:
    with pytest.raises(ApiError, match=f"preemptionPriority: {rank} is not between 0 and 1000"):
        run(world, world.define({}), preemption_priority=rank)
