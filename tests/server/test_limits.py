"""The bounds of ECS's model and of the API reference's pages: what is beyond one is refused and changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.controller.world import World
from tests.server.running import Running, state_of

ARN = "arn:aws:ecs:us-east-1:000000000000"
INVALID = "InvalidParameterException"
NAMED = {"attributes": [{"name": f"a{n}", "targetId": "host0"} for n in range(11)]}
DISTINCT = {"type": "distinctInstance"}


def tagged(*tags: dict[str, Any]) -> dict[str, Any]:
    return {"resourceArn": f"{ARN}:cluster/default", "tags": list(tags)}


def task(**more: Any) -> dict[str, Any]:
    return {"taskDefinition": "app", **more}


def provider(**scaling: Any) -> dict[str, Any]:
    return {"name": "p", "autoScalingGroupProvider": {"autoScalingGroupArn": "a", "managedScaling": scaling}}


def service(**more: Any) -> dict[str, Any]:
    return {"serviceName": "other", "taskDefinition": "app", "desiredCount": 1, **more}


BEYOND: tuple[tuple[str, dict[str, Any], str], ...] = (
    *((f"List{what}", {"maxResults": n}, "between 1 and 100") for n in (0, 101) for what in ("Clusters", "Tasks")),
    ("ListServices", {"maxResults": 101}, "between 1 and 100"),
    ("ListServicesByNamespace", {"namespace": "a", "maxResults": 101}, "between 1 and 100"),
    ("ListServiceDeployments", {"service": "web", "maxResults": 101}, "between 1 and 100"),
    ("ListTaskDefinitions", {"maxResults": 101}, "between 1 and 100"),
    ("ListTaskDefinitionFamilies", {"maxResults": 101}, "between 1 and 100"),
    ("ListContainerInstances", {"maxResults": 101}, "between 1 and 100"),
    ("ListAttributes", {"targetType": "container-instance", "maxResults": 101}, "between 1 and 100"),
    ("ListAccountSettings", {"maxResults": 11}, "between 1 and 10"),
    ("DescribeCapacityProviders", {"maxResults": 11}, "between 1 and 10"),
    ("ListClusters", {"nextToken": ""}, "nextToken"),
    ("ListServices", {"nextToken": "bad"}, "nextToken"),
    ("DescribeCapacityProviders", {"nextToken": "-1"}, "nextToken"),
    ("DescribeClusters", {"clusters": ["a"] * 101}, "at most 100"),
    ("DescribeCapacityProviders", {"capacityProviders": ["a"] * 101}, "at most 100"),
    ("DescribeContainerInstances", {"containerInstances": ["a"] * 101}, "between 1 and 100"),
    ("DescribeContainerInstances", {"containerInstances": []}, "between 1 and 100"),
    ("DescribeTasks", {"tasks": ["a"] * 101}, "more than 100"),
    ("DescribeTasks", {"tasks": []}, "empty"),
    ("DescribeServices", {"services": ["a"] * 11}, "between 1 and 10"),
    ("DescribeServices", {"services": []}, "between 1 and 10"),
    ("DescribeServiceDeployments", {"serviceDeploymentArns": ["a"] * 21}, "between 1 and 20"),
    ("DescribeServiceRevisions", {"serviceRevisionArns": ["a"] * 21}, "between 1 and 20"),
    ("GetTaskProtection", {"cluster": "default", "tasks": ["a"] * 101}, "at most 100"),
    (
        "UpdateTaskProtection",
        {"cluster": "default", "tasks": ["a"] * 11, "protectionEnabled": True},
        "between 1 and 10",
    ),
    ("UpdateContainerInstancesState", {"containerInstances": ["a"] * 11, "status": "ACTIVE"}, "between 1 and 10"),
    ("UpdateContainerInstancesState", {"containerInstances": [], "status": "ACTIVE"}, "between 1 and 10"),
    ("UpdateContainerInstancesState", {"containerInstances": ["host0"], "status": "REGISTERING"}, "ACTIVE or DRAINING"),
    ("PutAttributes", NAMED, "At most 10"),
    ("DeleteAttributes", NAMED, "At most 10"),
    ("PutAttributes", {"attributes": [{"name": "a" * 129, "targetId": "host0"}]}, "1 to 128"),
    ("PutAttributes", {"attributes": [{"name": "a", "value": "v" * 129, "targetId": "host0"}]}, "longer than 128"),
    ("ListAttributes", {"targetType": "container-instance", "attributeValue": "v"}, "name of the attribute"),
    ("StartTask", {"taskDefinition": "app", "containerInstances": ["a"] * 11}, "between 1 and 10"),
    ("StartTask", {"taskDefinition": "app", "containerInstances": ["host0"], "startedBy": "a" * 129}, "up to 128"),
    ("RunTask", task(count=11), "between 1 and 10"),
    ("RunTask", task(count=0), "between 1 and 10"),
    ("RunTask", task(startedBy="a" * 129), "up to 128"),
    ("RunTask", task(startedBy="a\n"), "printable"),
    ("RunTask", task(clientToken="a" * 65), "up to 64"),
    ("RunTask", task(clientToken="a b"), "printable ASCII"),
    ("RunTask", task(overrides={"containerOverrides": [{"name": "main", "command": ["a" * 8192]}]}), "at most 8192"),
    ("RunTask", task(overrides={"ephemeralStorage": {"sizeInGiB": 20}}), "21 to 200"),
    ("RunTask", task(placementConstraints=[DISTINCT] * 11), "10 constraints"),
    ("RunTask", task(placementConstraints=[{"type": "memberOf", "expression": "a" * 2001}]), "2000 characters"),
    ("RunTask", task(placementStrategy=[{"type": "random"}] * 6), "5 placement strategies"),
    ("RunTask", task(group="service:x"), "not beginning with service:"),
    ("RunTask", task(cluster="a" * 256), "1 to 255"),
    ("TagResource", tagged(*({"key": f"k{n}", "value": ""} for n in range(51))), "more than 50"),
    ("TagResource", tagged({"key": ""}), "1 to 128"),
    ("TagResource", tagged({"key": "a" * 129}), "1 to 128"),
    ("TagResource", tagged({"key": "a", "value": "a" * 257}), "more than 256"),
    ("TagResource", tagged({"key": "AWS:a"}), "reserved"),
    ("TagResource", tagged({"key": "a|b"}), "letters, digits, spaces"),
    ("TagResource", tagged({"key": "a", "value": "<b>"}), "letters, digits, spaces"),
    ("TagResource", tagged({"key": "a"}, {"key": "a"}), "Duplicate"),
    ("CreateCluster", {"clusterName": "a" * 256}, "1 to 255"),
    ("CreateCluster", {"clusterName": "a", "settings": [{"name": "containerInsights", "value": "on"}]}, "not 'on'"),
    (
        "UpdateClusterSettings",
        {"cluster": "default", "settings": [{"name": "containerInsights"}]},
        "containerInsights is disabled or enabled or enhanced",
    ),
    ("CreateCapacityProvider", provider(targetCapacity=101), "between 1 and 100"),
    ("CreateCapacityProvider", provider(minimumScalingStepSize=0), "between 1 and 10000"),
    ("CreateCapacityProvider", provider(instanceWarmupPeriod=10001), "between 0 and 10000"),
    ("CreateService", service(serviceName="a" * 256), "1 to 255"),
    ("CreateService", service(desiredCount=-1), "between 0 and"),
    ("CreateService", service(clientToken="a" * 37), "up to 36"),
    ("CreateService", service(healthCheckGracePeriodSeconds=2**31), "between 0 and 2147483647"),
    ("CreateService", service(placementConstraints=[DISTINCT] * 11), "10 constraints"),
)


@pytest.mark.parametrize(("operation", "request_", "said"), BEYOND)
def test_what_is_beyond_a_bound_is_refused(
    operation: str, request_: dict[str, Any], said: str, there: tuple[World, Running]
) -> None:
    world, server = there
    before = state_of(world)
    reply = server.call(operation, **request_)
    assert (reply.status, reply.json["__type"]) == (400, INVALID)
    assert said in reply.json["message"]
    assert state_of(world) == before


WITHIN: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ListTasks", {"maxResults": 100}),
    ("DescribeCapacityProviders", {"maxResults": 10}),
    ("DescribeClusters", {"clusters": ["a"] * 100}),
    ("DescribeTasks", {"tasks": ["a"] * 100}),
    ("TagResource", tagged({"key": "é" * 128, "value": "日本 _.:/=+-@" + "a" * 245})),
    ("TagResource", tagged(*({"key": f"k{n}", "value": ""} for n in range(49)))),
    ("RunTask", task(count=10, clientToken="~" * 64, startedBy="a" * 128)),
    ("CreateCluster", {"clusterName": "a" * 255}),
)


def test_a_definition_has_tags_as_everything_else(there: tuple[World, Running]) -> None:
    containers = [{"name": "main", "image": "up", "memory": 16}]
    for tag in ({"key": "a|b"}, {"key": "a", "value": "<b>"}, {"key": "aws:a"}):
        reply = there[1].call("RegisterTaskDefinition", family="tagged", containerDefinitions=containers, tags=[tag])
        assert (reply.status, reply.json["__type"]) == (400, "ClientException")


@pytest.mark.parametrize(("operation", "request_"), WITHIN)
def test_what_is_just_within_is_taken(operation: str, request_: dict[str, Any], there: tuple[World, Running]) -> None:
    reply = there[1].call(operation, **request_)
    assert reply.status == 200, reply.json


def test_arns_of_the_short_format_mean_the_cluster_of_the_request(there: tuple[World, Running]) -> None:
    server = there[1]
    arn = server.call("RunTask", taskDefinition="app").json["tasks"][0]["taskArn"]
    short = arn.replace(":task/default/", ":task/")
    assert server.call("DescribeTasks", tasks=[short]).json["tasks"][0]["taskArn"] == arn
    (service,) = server.call("DescribeServices", services=[f"{ARN}:service/web"]).json["services"]
    assert service["serviceArn"] == f"{ARN}:service/default/web"
    instance = server.call("ListContainerInstances").json["containerInstanceArns"][0]
    named = instance.replace(":container-instance/default/", ":container-instance/")
    (found,) = server.call("DescribeContainerInstances", containerInstances=[named]).json["containerInstances"]
    assert found["containerInstanceArn"] == instance
    server.call("CreateCluster", clusterName="elsewhere")
    answer = server.call("DescribeTasks", cluster="elsewhere", tasks=[short]).json
    assert (answer["tasks"], len(answer["failures"])) == ([], 1)


@pytest.mark.parametrize(
    ("operation", "request_", "change", "code"),
    [
        ("RunTask", task(), {"count": 2}, "ConflictException"),
        ("CreateService", service(serviceName="again"), {"desiredCount": 2}, INVALID),
    ],
)
def test_a_client_token_is_of_one_request(
    operation: str, request_: dict[str, Any], change: dict[str, Any], code: str, there: tuple[World, Running]
) -> None:
    world, server = there
    first = server.call(operation, **request_, clientToken="token")
    assert first.status == 200
    assert server.call(operation, **request_, clientToken="token").status == 200
    before = state_of(world)
    reply = server.call(operation, **{**request_, **change}, clientToken="token")
    assert (reply.status, reply.json["__type"]) == (400, code)
    assert ("resourceIds" in reply.json) == (operation == "RunTask")
    assert state_of(world) == before
