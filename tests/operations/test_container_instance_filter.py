"""ListContainerInstances by a query: each subject as the state has it, what is refused, and paging.

Source: ECS API_ListContainerInstances, `filter`; ECS developer guide, "Create expressions to define container instances
for Amazon ECS tasks".
"""

from __future__ import annotations

from typing import Any

import pytest

from ecsctl.operations.reconcile import reconcile
from tests.controller.world import World
from tests.operations.conftest import refused
from tests.operations.test_operations import registered


@pytest.fixture
def first(call: Any) -> str:
    """The instance in zone0. There is one in zone1 too."""
    arns = call("ListContainerInstances")["containerInstanceArns"]
    for host in call("DescribeContainerInstances", containerInstances=arns)["containerInstances"]:
        if {"name": "ecs.availability-zone", "value": "zone0"} in host["attributes"]:
            return str(host["containerInstanceArn"])
    raise AssertionError(arns)


def listed(call: Any, text: str, **more: Any) -> list[str]:
    found: list[str] = call("ListContainerInstances", filter=text, **more)["containerInstanceArns"]
    return found


def test_by_what_is_said_of_the_host(call: Any, world: World, first: str) -> None:
    every = call("ListContainerInstances")["containerInstanceArns"]
    (host,) = call("DescribeContainerInstances", containerInstances=[first])["containerInstances"]
    call("PutAttributes", attributes=[{"name": "stack", "value": "prod", "targetId": first}])
    for text in (
        "attribute:ecs.availability-zone == zone0",
        "attribute:stack exists",
        "attribute:stack == prod and agentConnected == true",
        f"ec2InstanceId in ['{host['ec2InstanceId']}'] and attribute:ecs.os-type == linux",
        f"attribute:ecs.availability-zone =~ .*0 and agentVersion == {host['versionInfo']['agentVersion']}",
        "not(attribute:ecs.availability-zone == zone1)",
    ):
        assert listed(call, text) == [first], text
    day = f"{world.clock.now():%Y-%m-%d}"
    assert listed(call, f"registeredAt == {day}") == every
    assert listed(call, f"registeredAt < {day}") == []
    assert listed(call, "attribute:stack != prod") == [], "only those are asked for that have it"
    assert len(listed(call, "")) == 2


def test_by_the_tasks_on_the_host(call: Any, first: str) -> None:
    (other,) = set(call("ListContainerInstances")["containerInstanceArns"]) - {first}
    registered(call)
    call("StartTask", taskDefinition="app", containerInstances=[first], group="databases")
    call("StartTask", taskDefinition="app", containerInstances=[first])
    (task,) = call("StartTask", taskDefinition="app", containerInstances=[other], group="web")["tasks"]
    assert listed(call, "task:group == databases") == [first]
    assert listed(call, "task:group == family:app") == [first]
    assert listed(call, "not(task:group in [databases, cache])") == [other]
    assert listed(call, "runningTasksCount == 2") == [first]
    assert listed(call, "runningTasksCount < 2 and task:group == web") == [other]
    call("StopTask", task=task["taskArn"])
    assert listed(call, "task:group exists") == [first], "what is STOPPED is on no host"
    assert listed(call, "runningTasksCount == 0") == [other]


def test_a_host_that_does_not_answer_is_found_by_that(call: Any, world: World, first: str) -> None:
    registered(call)
    call("StartTask", taskDefinition="app", containerInstances=[first])
    world.engines["host0"].reachable = False
    reconcile(world.process())
    assert listed(call, "agentConnected == false") == [first]
    assert first not in listed(call, "agentConnected != false")


def test_with_a_status_and_page_by_page(call: Any, first: str) -> None:
    zones = "attribute:ecs.availability-zone in [zone0, zone1]"
    both = listed(call, zones)
    assert len(both) == 2
    page = call("ListContainerInstances", filter=zones, maxResults=1)
    assert page["containerInstanceArns"] == both[:1]
    assert listed(call, zones, maxResults=1, nextToken=page["nextToken"]) == both[1:]
    one = call("ListContainerInstances", filter="attribute:ecs.availability-zone == zone0", maxResults=1)
    assert one == {"containerInstanceArns": [first]}, "a page is one of what matches"
    call("UpdateContainerInstancesState", containerInstances=[first], status="DRAINING")
    assert listed(call, zones, status="DRAINING") == [first]
    assert listed(call, zones) == both


def test_what_is_no_query_is_refused_with_its_place(call: Any) -> None:
    said = refused(call, "InvalidParameterException", "ListContainerInstances", filter="attribute:rack  prod")
    assert said == 'filter: expected an operator after attribute:rack, at character 17: "attribute:rack  prod"'
