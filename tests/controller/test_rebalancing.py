"""Availability Zone rebalancing, over simulated hosts: each is a zone.

Source: ECS developer guide, "Balancing an Amazon ECS service across Availability Zones".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecsctl.engine.simulated_container import Program
from ecsctl.engine.simulated_faults import Fault
from ecsctl.model.api.capacity_providers import CreateCapacityProviderRequest, PutClusterCapacityProvidersRequest
from ecsctl.model.api.services import CreateServiceRequest, DescribeServicesRequest, UpdateServiceRequest
from ecsctl.model.api.task_protection import UpdateTaskProtectionRequest
from ecsctl.model.api.tasks import StartTaskRequest, StopTaskRequest
from ecsctl.model.cluster import CapacityProviderStrategyItem
from ecsctl.model.container_instance import amount
from ecsctl.model.record import evolve
from ecsctl.model.service import Service
from ecsctl.operations.capacity_providers import create_capacity_provider, put_cluster_capacity_providers
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.services import create_service, describe_services, update_service
from ecsctl.operations.task_protection import update_task_protection
from ecsctl.operations.tasks import start_task, stop_task
from ecsctl.store.tables import INSTANCES
from tests.controller.world import World, world_in


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_in(tmp_path, hosts=3, sound=Program(health=((2.0, "healthy"),))) as made:
        yield made


CHECKED = {"image": "sound", "healthCheck": {"command": ["CMD", "true"]}}


def crowded(world: World, desired: int = 6, **more: Any) -> None:
    """A service that came up while host2 drained: its zone is open now, and has none of its tasks."""
    set_status(world, 2, "DRAINING")
    definition = world.define({**CHECKED, **more.pop("container", {})})
    create_service(
        world.process(), CreateServiceRequest("web", task_definition=definition, desired_count=desired, **more)
    )
    while not steady(world):
        step(world)
    set_status(world, 2, "ACTIVE")


def set_status(world: World, number: int, status: str) -> None:
    with world.store.write() as tx:
        record = next(r for r in tx.find(INSTANCES) if r.name == f"host{number}")
        tx.put(INSTANCES, evolve(record, instance=evolve(record.instance, status=status), seq=tx.seq))


def step(world: World) -> None:
    world.clock.seconds += 3
    reconcile(world.process())


def update(world: World, **changes: Any) -> None:
    update_service(world.process(), UpdateServiceRequest("web", **changes))


def shown(world: World) -> Service:
    (service,) = describe_services(world.process(), DescribeServicesRequest(["web"])).services or []
    return service


def said(world: World) -> list[str]:
    return [str(event.message).partition("(service web) ")[2] for event in reversed(shown(world).events or [])]


def steady(world: World) -> bool:
    return bool(said(world)) and said(world)[-1] == "has reached a steady state."


def zones(world: World) -> list[int]:
    there = Counter(t.task.availability_zone for t in world.tasks() if t.is_wanted and not t.is_stopped)
    return [there[f"zone{n}"] for n in range(3)]


def test_tasks_move_one_at_a_time_to_the_empty_zone(world: World) -> None:
    crowded(world)
    seen = []
    for _ in range(12):
        step(world)
        seen.append(tuple(zones(world)))
        running = [task for task in world.tasks() if task.is_running and task.is_wanted]
        assert len([t for t in running if t.task.health_status == "HEALTHY"]) >= 6
        assert len([t for t in world.tasks() if not t.is_stopped]) <= 7
    assert seen[0] == (3, 3, 1)
    assert seen[-1] == (2, 2, 2)
    told = said(world)
    assert (
        "is not AZ balanced with 3 tasks in zone0, 3 tasks in zone1, 0 tasks in zone2. AZ Rebalancing in progress."
        in told
    )
    assert told[-2:] == [
        "is AZ balanced with 2 tasks in zone0, 2 tasks in zone1, 2 tasks in zone2.",
        "has reached a steady state.",
    ]
    world.check_quiet()


def test_one_task_more_in_a_zone_is_balanced(world: World) -> None:
    crowded(world, desired=2)
    step(world)
    assert zones(world) == [1, 1, 0]
    world.check_quiet()


@pytest.mark.parametrize(
    "more",
    [
        {"availability_zone_rebalancing": "DISABLED"},
        {"priority": "balanced"},
    ],
)
def test_a_service_that_is_not_rebalanced_stays(world: World, more: dict[str, Any]) -> None:
    crowded(world, **more)
    for _ in range(4):
        step(world)
    assert zones(world)[2] == 0
    update(world, priority="availability", availability_zone_rebalancing="ENABLED")
    for _ in range(12):
        step(world)
    assert zones(world) == [2, 2, 2]


def test_without_room_it_is_told_once_and_left(world: World) -> None:
    with world.store.read() as view:
        host = next(r for r in view.find(INSTANCES) if r.name == "host2")
    memory = amount(host.instance.registered_resources, "MEMORY") - 8
    big = StartTaskRequest(["host2"], world.define({"memory": memory}, family="big"))
    (filler,) = start_task(world.process(), big).tasks or []
    crowded(world)
    for _ in range(5):
        step(world)
    assert zones(world)[:2] == [3, 3]
    told = [text for text in said(world) if "is not AZ balanced" in text]
    (once,) = set(told)
    assert "0 tasks in zone2, and was unable to place a task" in once
    assert "insufficient memory" in once
    world.check_quiet()
    stop_task(world.process(), StopTaskRequest(str(filler.task_arn)))
    for _ in range(20):
        step(world)
    assert zones(world) == [2, 2, 2]


def test_protected_tasks_are_not_moved(world: World) -> None:
    crowded(world)
    tasks = [task.arn for task in world.tasks() if task.is_wanted]
    update_task_protection(world.process(), UpdateTaskProtectionRequest("default", tasks, True, 60))
    for _ in range(4):
        step(world)
    assert zones(world) == [3, 3, 0]
    world.check_quiet()
    world.clock.seconds += 3600
    for _ in range(12):
        step(world)
    assert zones(world) == [2, 2, 2]


def test_a_deployment_ends_it(world: World) -> None:
    crowded(world)
    step(world)
    assert zones(world) == [3, 3, 1]
    update(world, task_definition=world.define({**CHECKED, "cpu": 1}))
    step(world)
    assert "AZ Rebalancing stopped with 3 tasks in zone0, 3 tasks in zone1, 1 tasks in zone2." in said(world)
    for _ in range(20):
        step(world)
    assert zones(world) == [2, 2, 2]
    world.check_quiet()


def test_a_new_desired_count_ends_it(world: World) -> None:
    crowded(world)
    step(world)
    update(world, desired_count=3)
    for _ in range(8):
        step(world)
    assert zones(world) == [1, 1, 1]
    world.check_quiet()


def test_a_move_that_fails_is_tried_again_further_and_further_apart(world: World) -> None:
    crowded(world)
    world.engines["host2"].faults = [Fault("refused", ("create",), times=None)]
    for _ in range(60):
        step(world)
        assert zones(world)[:2] == [3, 3]
    tried = len([task for task in world.tasks() if task.is_stopped])
    assert 3 <= tried <= 8
    assert not any("is AZ balanced" in text for text in said(world))
    world.engines["host2"].faults = []
    for _ in range(120):
        step(world)
        world.clock.seconds += 30
    assert zones(world) == [2, 2, 2]


def test_zones_of_other_capacity_providers_are_no_reason_to_move(world: World) -> None:
    for name in ("fast", "slow"):
        create_capacity_provider(world.process(), CreateCapacityProviderRequest(name))
    with world.store.write() as tx:
        for record in tx.find(INSTANCES):
            provider = "slow" if record.name == "host2" else "fast"
            tx.put(INSTANCES, evolve(record, instance=evolve(record.instance, capacity_provider_name=provider)))
    strategy = [CapacityProviderStrategyItem("fast", weight=2), CapacityProviderStrategyItem("slow", weight=1)]
    both = PutClusterCapacityProvidersRequest("default", ["fast", "slow"], strategy[:1])
    put_cluster_capacity_providers(world.process(), both)
    crowded(world)
    for _ in range(4):
        step(world)
    assert zones(world) == [3, 3, 0]
    world.check_quiet()
    update(world, capacity_provider_strategy=strategy)
    for _ in range(20):
        step(world)
    assert zones(world) == [2, 2, 2]
    world.check_quiet()
