"""Where services put their tasks, over simulated hosts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecsctl.model.api.attributes import DeleteAttributesRequest, PutAttributesRequest
from ecsctl.model.api.services import CreateServiceRequest, DescribeServicesRequest, UpdateServiceRequest
from ecsctl.model.common import Attribute
from ecsctl.model.service import Service
from ecsctl.model.task_launch import PlacementConstraint, PlacementStrategy
from ecsctl.operations.attributes import delete_attributes, put_attributes
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.services import create_service, describe_services, update_service
from ecsctl.store.tables import INSTANCES
from tests.controller.world import World, world_in

WITH_RACK = PlacementConstraint(type="memberOf", expression="attribute:rack in [r1, r2]")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_in(tmp_path, hosts=3) as made:
        yield made


def create(world: World, **more: Any) -> None:
    create_service(world.process(), CreateServiceRequest("web", task_definition=world.define({}), **more))


def shown(world: World) -> Service:
    (service,) = describe_services(world.process(), DescribeServicesRequest(["web"])).services or []
    return service


def hosts(world: World) -> list[str]:
    with world.store.read() as view:
        return [record.arn for record in view.find(INSTANCES)]


def rack(world: World, number: int, value: str | None) -> None:
    attribute = Attribute(name="rack", value=value, target_id=hosts(world)[number])
    if value is None:
        delete_attributes(world.process(), DeleteAttributesRequest([attribute]))
    else:
        put_attributes(world.process(), PutAttributesRequest([attribute]))


def where(world: World) -> list[str]:
    return sorted(str(task.task.container_instance_arn) for task in world.tasks() if not task.is_stopped)


def test_a_service_stays_where_its_constraint_says_and_tells_why_it_cannot_start(world: World) -> None:
    create(world, desired_count=2, placement_constraints=[WITH_RACK])
    reconcile(world.process())
    assert where(world) == []
    (event,) = [event.message or "" for event in shown(world).events or []]
    assert "does not meet a placement constraint: needs attribute:rack in [r1, r2], has" in event
    rack(world, 1, "r2")
    reconcile(world.process())
    assert where(world) == [hosts(world)[1]] * 2


def test_distinct_instances_of_a_service(world: World) -> None:
    create(world, desired_count=5, placement_constraints=[PlacementConstraint(type="distinctInstance")])
    reconcile(world.process())
    assert where(world) == sorted(hosts(world))
    assert any("has a task of the group already" in str(event.message) for event in shown(world).events or [])


def test_a_daemon_is_where_its_constraint_is_met_and_goes_when_it_no_longer_is(world: World) -> None:
    for number in (0, 2):
        rack(world, number, f"r{number or 1}")
    create(world, scheduling_strategy="DAEMON", placement_constraints=[WITH_RACK])
    reconcile(world.process())
    first, second, third = hosts(world)
    assert where(world) == sorted([first, third])
    rack(world, 0, None)
    rack(world, 1, "r1")
    world.clock.seconds += 60
    reconcile(world.process())
    assert where(world) == sorted([second, third])
    assert shown(world).desired_count == 2
    world.clock.seconds += 60
    reconcile(world.process())
    world.check_quiet()


def update(world: World, **more: Any) -> None:
    update_service(world.process(), UpdateServiceRequest("web", **more))
    for _ in range(12):
        reconcile(world.process())
        world.clock.sleep(31)


def test_a_service_minds_cost_or_availability(world: World) -> None:
    create(world, desired_count=3, priority="cost")
    reconcile(world.process())
    assert len(set(where(world))) == 1
    update(world, desired_count=0)
    update(world, desired_count=3, priority="availability")
    assert where(world) == sorted(hosts(world))
    assert shown(world).priority == "availability"
    update(world, placement_strategy=[PlacementStrategy(type="binpack", field="memory")])
    assert (shown(world).priority, len(shown(world).placement_strategy or [])) == (None, 1)
    update(world, priority="0.5")
    assert (shown(world).priority, shown(world).placement_strategy) == ("0.5", [])
