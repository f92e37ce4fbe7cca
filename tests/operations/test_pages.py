"""Lists in pages: who changes what they go through misses nothing, and sees nothing twice."""

from __future__ import annotations

import binascii
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ecsctl.operations.reconcile import reconcile
from tests.controller.world import World
from tests.operations.conftest import refused

INSTANCE = {"targetType": "container-instance"}
_Prepare = Callable[[Any, World], Callable[[Any], object]]


def register(call: Any, family: str = "app") -> str:
    container = {"name": "main", "image": "up", "memory": 16}
    answer = call("RegisterTaskDefinition", family=family, containerDefinitions=[container])
    return str(answer["taskDefinition"]["taskDefinitionArn"])


def run(call: Any, count: int) -> list[str]:
    """ARNs of tasks in the order in which they were made; those of one call are of one moment."""
    return [task["taskArn"] for task in call("RunTask", taskDefinition="app", count=count)["tasks"]]


def pages(call: Any, action: str, **request: Any) -> Iterator[list[Any]]:
    """One page after the other, each asked for when it is wanted, as boto3's paginators do."""
    token: dict[str, str] = {}
    while True:
        answer = call(action, **request, **token)
        yield next(value for value in answer.values() if isinstance(value, list))
        if "nextToken" not in answer:
            return
        token = {"nextToken": answer["nextToken"]}


def gone_through(call: Any, remove: Callable[[Any], object], action: str, **request: Any) -> list[Any]:
    """All that is seen by who removes each page's entries before the next is asked for."""
    found = []
    for page in pages(call, action, **request):
        found += page
        for entry in page:
            remove(entry)
    return found


@pytest.mark.parametrize(
    "more", [{}, {"sort": "DESC"}, {"familyPrefix": "app"}, {"familyPrefix": "app", "sort": "DESC"}]
)
def test_who_deregisters_what_they_page_through_sees_every_revision(more: dict[str, Any], call: Any) -> None:
    made = [register(call) for _ in range(11)]

    def deregister(arn: str) -> None:
        call("DeregisterTaskDefinition", taskDefinition=arn)

    found = gone_through(call, deregister, "ListTaskDefinitions", maxResults=2, **more)
    assert found == (made[::-1] if "sort" in more else made)
    assert call("ListTaskDefinitions")["taskDefinitionArns"] == []


def test_the_revisions_of_several_families_are_in_pages_by_both(call: Any) -> None:
    made = [register(call, family) for family in ("B", "a", "a", "a-b", "b", "b", "b")]
    register(call, "a")
    both = [*made[:3], made[2][:-1] + "3", *made[3:]]
    assert [arn for page in pages(call, "ListTaskDefinitions", maxResults=3) for arn in page] == both
    falling = [arn for page in pages(call, "ListTaskDefinitions", maxResults=3, sort="DESC") for arn in page]
    assert falling == both[::-1]
    families = [name for page in pages(call, "ListTaskDefinitionFamilies", maxResults=2) for name in page]
    assert families == ["B", "a", "a-b", "b"]


@pytest.mark.parametrize("more", [{}, {"family": "app"}, {"startedBy": "me"}])
def test_who_stops_what_they_page_through_sees_every_task(more: dict[str, Any], call: Any, world: World) -> None:
    register(call)
    made = []
    for count in (3, 4):
        made += [t["taskArn"] for t in call("RunTask", taskDefinition="app", count=count, startedBy="me")["tasks"]]
        world.clock.seconds += 1
    found = gone_through(call, lambda arn: call("StopTask", task=arn), "ListTasks", maxResults=2, **more)
    assert found == made
    assert call("ListTasks")["taskArns"] == []


@pytest.mark.parametrize("gone", [0, 1], ids=["one before the last shown", "the last shown"])
def test_a_task_that_stops_between_two_pages_hides_no_other(gone: int, call: Any) -> None:
    register(call)
    made = run(call, 5)
    found = pages(call, "ListTasks", maxResults=2)
    assert next(found) == made[:2]
    call("StopTask", task=made[gone])
    assert next(found) == made[2:4]
    assert next(found) == made[4:]


def test_what_comes_in_between_two_pages_shows_nothing_twice(call: Any) -> None:
    for name in ("b", "d"):
        call("CreateCluster", clusterName=name)
    found = pages(call, "ListClusters", maxResults=1)
    assert next(found)[0].endswith("cluster/b")
    call("CreateCluster", clusterName="a")
    call("CreateCluster", clusterName="c")
    assert [arn.rpartition("/")[2] for page in found for arn in page] == ["c", "d", "default"]


def test_the_deployments_of_a_service_are_in_pages_while_there_are_new_ones(call: Any, world: World) -> None:
    register(call)
    call("CreateService", serviceName="web", taskDefinition="app", desiredCount=0)
    for _ in range(3):
        world.clock.seconds += 1
        call("UpdateService", service="web", forceNewDeployment=True)
    every = [one["serviceDeploymentArn"] for one in call("ListServiceDeployments", service="web")["serviceDeployments"]]
    found = pages(call, "ListServiceDeployments", service="web", maxResults=2)
    seen = next(found)
    world.clock.seconds += 1
    call("UpdateService", service="web", forceNewDeployment=True)
    assert [one["serviceDeploymentArn"] for one in [*seen, *next(found)]] == every


def _clusters(call: Any, _: World) -> Callable[[Any], object]:
    for number in range(4):
        call("CreateCluster", clusterName=f"c{number}")
    return lambda arn: arn.endswith("/default") or call("DeleteCluster", cluster=arn)


def _services(call: Any, world: World) -> Callable[[Any], object]:
    register(call)
    more = {"taskDefinition": "app", "desiredCount": 0, "serviceRegistries": [{"registryArn": "api"}]}
    for number in range(5):
        call("CreateService", serviceName=f"s{number}", **more)

    def delete(arn: str) -> None:
        call("DeleteService", service=arn)
        reconcile(world.process())

    return delete


def _families(call: Any, _: World) -> Callable[[Any], object]:
    for number in range(5):
        register(call, f"f{number}")
    return lambda family: call("DeregisterTaskDefinition", taskDefinition=f"{family}:1")


def _instances(call: Any, _: World) -> Callable[[Any], object]:
    return lambda arn: call("DeregisterContainerInstance", containerInstance=arn, force=True)


def _attributes(call: Any, _: World) -> Callable[[Any], object]:
    for arn in call("ListContainerInstances")["containerInstanceArns"]:
        for name in ("b", "a"):
            call("PutAttributes", attributes=[{"name": name, "value": "x", "targetId": arn}])
    return lambda one: call("DeleteAttributes", attributes=[one])


def _providers(call: Any, _: World) -> Callable[[Any], object]:
    for name in ("b", "a", "E"):
        call("CreateCapacityProvider", name=name, autoScalingGroupProvider={"autoScalingGroupArn": name})

    def delete(one: Any) -> None:
        if not one["name"].startswith("FARGATE"):
            call("DeleteCapacityProvider", capacityProvider=one["name"])

    return delete


def _settings(call: Any, _: World) -> Callable[[Any], object]:
    for name in ("containerInsights", "awsvpcTrunking", "taskLongArnFormat"):
        call("PutAccountSetting", name=name, value="enabled")
    return lambda one: call("DeleteAccountSetting", name=one["name"])


@pytest.mark.parametrize(
    ("action", "prepare", "request_", "count"),
    [
        ("ListClusters", _clusters, {}, 5),
        ("ListServices", _services, {}, 5),
        ("ListServicesByNamespace", _services, {"namespace": "default"}, 5),
        ("ListTaskDefinitionFamilies", _families, {"status": "ACTIVE"}, 5),
        ("ListContainerInstances", _instances, {}, 2),
        ("ListAttributes", _attributes, {**INSTANCE, "attributeValue": "x", "attributeName": "a"}, 2),
        ("DescribeCapacityProviders", _providers, {}, 5),
        ("DescribeCapacityProviders", _providers, {"capacityProviders": ["b", "FARGATE", "E", "a"]}, 4),
        ("ListAccountSettings", _settings, {}, 3),
    ],
)
def test_who_removes_what_they_page_through_sees_all(
    action: str, prepare: _Prepare, request_: dict[str, Any], count: int, call: Any, world: World
) -> None:
    remove = prepare(call, world)
    every = next(pages(call, action, **request_))
    assert len(every) == count
    assert gone_through(call, remove, action, maxResults=1, **request_) == every


def test_a_list_is_as_long_in_pages_as_at_once(call: Any, world: World) -> None:
    _attributes(call, world)
    (every,) = pages(call, "ListAttributes", **INSTANCE)
    assert [one for page in pages(call, "ListAttributes", **INSTANCE, maxResults=1) for one in page] == every


def token(text: str) -> str:
    return binascii.b2a_base64(text.encode(), newline=False).decode()


@pytest.mark.parametrize(
    "given",
    [
        *("", "1", "-1", "x", "²", "WyJhIl0", "WyJhIl0= ", "\udc80"),
        *map(token, ("", "1", "{}", "[]", "[1]", '["a"]', '["a", 1]', '["a",1.5]', '["a",true]', '["a",1,1]')),
        *map(token, ('["a\\u0000",1]', '["\\ud800",1]', '["a",9223372036854775808]', '["a",-9223372036854775809]')),
    ],
)
def test_a_token_that_was_not_given_is_refused(given: str, call: Any) -> None:
    said = refused(call, "InvalidParameterException", "ListTasks", nextToken=given)
    assert said == "Invalid token in parameter nextToken."
