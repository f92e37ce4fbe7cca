"""Capacity providers: groups of hosts, strategies of tasks and services, and what is refused."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from ecsctl.controller.hosts import hosts_of
from ecsctl.model.errors import ApiError
from ecsctl.operations.hosts import HostOptions, register_host
from ecsctl.operations.reconcile import reconcile
from tests.controller.world import World
from tests.operations.conftest import refused

GROUP = {"autoScalingGroupArn": "arn:aws:autoscaling:us-east-1:000000000000:autoScalingGroup:u:autoScalingGroupName/g"}
HALVES = [{"capacityProvider": "fast", "weight": 1}, {"capacityProvider": "slow", "weight": 1}]


@pytest.fixture
def grouped(call: Any, world: World) -> Any:
    """host0 is of the provider `fast`, host1 of `slow`; the cluster has both."""
    call("CreateCapacityProvider", name="fast", autoScalingGroupProvider=GROUP)
    call("CreateCapacityProvider", name="slow")
    for arn in call("ListContainerInstances")["containerInstanceArns"]:
        call("DeregisterContainerInstance", containerInstance=arn)
    for number, name in enumerate(("fast", "slow")):
        register_host(world.process(), None, HostOptions(f"host{number}", provider=name))
    call("PutClusterCapacityProviders", cluster="default", capacityProviders=["fast", "slow"], **default())
    return call


def default(*items: Any) -> dict[str, Any]:
    return {"defaultCapacityProviderStrategy": list(items)}


def run(call: Any, world: World, **more: Any) -> Any:
    return call("RunTask", taskDefinition=world.define({}), **more)


def of(tasks: list[Any]) -> Counter[tuple[str | None, str]]:
    return Counter((task.get("capacityProviderName"), task["launchType"]) for task in tasks)


def test_a_capacity_provider_is_described_as_ecs_does(call: Any) -> None:
    made = call(
        "CreateCapacityProvider", name="fast", autoScalingGroupProvider=GROUP, tags=[{"key": "a", "value": "b"}]
    )
    shape = made["capacityProvider"]
    assert shape["capacityProviderArn"] == "arn:aws:ecs:us-east-1:000000000000:capacity-provider/fast"
    assert (shape["status"], shape["type"]) == ("ACTIVE", "EC2_AUTOSCALING")
    assert shape["autoScalingGroupProvider"]["managedScaling"]["status"] == "DISABLED"
    answer = call("DescribeCapacityProviders", include=["TAGS"])
    assert [p["name"] for p in answer["capacityProviders"]] == ["FARGATE", "FARGATE_SPOT", "fast"]
    assert answer["capacityProviders"][2]["tags"] == [{"key": "a", "value": "b"}]
    answer = call("DescribeCapacityProviders", capacityProviders=["fast", "none"])
    assert [p["name"] for p in answer["capacityProviders"]] == ["fast"]
    assert answer["failures"] == [{"arn": shape["capacityProviderArn"].replace("fast", "none"), "reason": "MISSING"}]
    assert call("DescribeCapacityProviders", cluster="default")["capacityProviders"] == []
    first = call("DescribeCapacityProviders", maxResults=2)
    assert len(first["capacityProviders"]) == 2
    assert len(call("DescribeCapacityProviders", nextToken=first["nextToken"])["capacityProviders"]) == 1
    changed = {"managedScaling": {"targetCapacity": 80}, "managedDraining": "DISABLED"}
    group = call("UpdateCapacityProvider", name="fast", autoScalingGroupProvider=changed)["capacityProvider"]
    assert group["autoScalingGroupProvider"]["managedScaling"]["targetCapacity"] == 80
    assert group["autoScalingGroupProvider"]["managedDraining"] == "DISABLED"


@pytest.mark.parametrize(
    ("code", "request_", "words"),
    [
        ("InvalidParameterException", {"name": "fargate-x"}, "reserved"),
        ("InvalidParameterException", {"name": "a b"}, "not a valid name"),
        ("InvalidParameterException", {"name": "fast"}, "already exists"),
        (
            "ClientException",
            {"name": "x", "autoScalingGroupProvider": {**GROUP, "managedScaling": {"status": "ENABLED"}}},
            "managedScaling.status: ENABLED is not honoured",
        ),
        (
            "ClientException",
            {"name": "x", "autoScalingGroupProvider": {**GROUP, "managedTerminationProtection": "ENABLED"}},
            "managedTerminationProtection",
        ),
        ("InvalidParameterException", {"name": "x", "autoScalingGroupProvider": {"autoScalingGroupArn": " "}}, "empty"),
        *(
            (
                "InvalidParameterException",
                {"name": "x", "autoScalingGroupProvider": {**GROUP, "managedScaling": {field: value}}},
                f"managedScaling.{field}: {value} is not between",
            )
            for field, value in (
                ("targetCapacity", 500),
                ("minimumScalingStepSize", 10_001),
                ("maximumScalingStepSize", 10_001),
                ("instanceWarmupPeriod", 10_001),
            )
        ),
    ],
)
def test_a_capacity_provider_that_cannot_be(call: Any, code: str, request_: dict[str, Any], words: str) -> None:
    call("CreateCapacityProvider", name="fast")
    assert words in refused(call, code, "CreateCapacityProvider", **request_)


def test_what_an_update_does_not_say_stays(call: Any) -> None:
    scaling = {"targetCapacity": 70, "instanceWarmupPeriod": 60}
    call("CreateCapacityProvider", name="fast", autoScalingGroupProvider={**GROUP, "managedScaling": scaling})
    change = {"managedScaling": {"maximumScalingStepSize": 7}}
    made = call("UpdateCapacityProvider", name="fast", autoScalingGroupProvider=change)["capacityProvider"]
    found = made["autoScalingGroupProvider"]["managedScaling"]
    assert (found["targetCapacity"], found["instanceWarmupPeriod"], found["maximumScalingStepSize"]) == (70, 60, 7)


def test_a_capacity_provider_is_of_its_account_and_of_no_cluster(call: Any) -> None:
    call("CreateCapacityProvider", name="fast")
    elsewhere = "arn:aws:ecs:eu-west-1:111111111111:capacity-provider/fast"
    refused(call, "InvalidParameterException", "DeleteCapacityProvider", capacityProvider=elsewhere)
    answer = call("DescribeCapacityProviders", capacityProviders=[elsewhere])
    assert answer["failures"] == [{"arn": elsewhere, "reason": "MISSING"}]
    for action, name in (("DeleteCapacityProvider", "capacityProvider"), ("UpdateCapacityProvider", "name")):
        assert "cluster: only" in refused(call, "ClientException", action, cluster="default", **{name: "fast"})
    assert "cluster: only" in refused(call, "ClientException", "CreateCapacityProvider", cluster="default", name="new")
    many = [f"p{number}" for number in range(21)]
    for name in many:
        call("CreateCapacityProvider", name=name)
    put = {"cluster": "default", "capacityProviders": many, **default()}
    assert "20 capacity providers at most" in refused(
        call, "InvalidParameterException", "PutClusterCapacityProviders", **put
    )
    own = "arn:aws:ecs:us-east-1:000000000000:capacity-provider/fast"
    assert call("DeleteCapacityProvider", capacityProvider=own)["capacityProvider"]["name"] == "fast"


def test_what_is_in_use_is_not_deleted(grouped: Any, world: World) -> None:
    words = refused(grouped, "ClientException", "DeleteCapacityProvider", capacityProvider="fast")
    assert "the cluster default has it" in words
    task = run(grouped, world, capacityProviderStrategy=HALVES[:1])["tasks"][0]
    clear = {"cluster": "default", "capacityProviders": ["slow"], **default()}
    words = refused(grouped, "ResourceInUseException", "PutClusterCapacityProviders", **clear)
    assert "in use and cannot be removed: task" in words
    grouped("StopTask", task=task["taskArn"])
    world.clock.sleep(60)
    reconcile(world.process())
    grouped("PutClusterCapacityProviders", **clear)
    assert "host0" in refused(grouped, "ClientException", "DeleteCapacityProvider", capacityProvider="fast")
    grouped("DeregisterContainerInstance", containerInstance="host0")
    gone = grouped("DeleteCapacityProvider", capacityProvider="fast")["capacityProvider"]
    assert (gone["status"], gone["updateStatus"]) == ("INACTIVE", "DELETE_COMPLETE")
    assert grouped("DescribeCapacityProviders", capacityProviders=["fast"])["failures"]
    for name in ("fast", "FARGATE"):
        refused(grouped, "InvalidParameterException", "DeleteCapacityProvider", capacityProvider=name)


def test_tasks_are_divided_by_the_strategy(grouped: Any, world: World) -> None:
    answer = run(grouped, world, count=4, capacityProviderStrategy=HALVES)
    assert of(answer["tasks"]) == {("fast", "EC2"): 2, ("slow", "EC2"): 2}
    instances = grouped(
        "DescribeContainerInstances", containerInstances=grouped("ListContainerInstances")["containerInstanceArns"]
    )["containerInstances"]
    assert {i["capacityProviderName"]: i["pendingTasksCount"] + i["runningTasksCount"] for i in instances} == {
        "fast": 2,
        "slow": 2,
    }


def test_the_default_strategy_holds_where_nothing_is_said(grouped: Any, world: World) -> None:
    grouped(
        "PutClusterCapacityProviders",
        cluster="default",
        capacityProviders=["fast", "slow"],
        **default({"capacityProvider": "slow", "base": 1}),
    )
    assert of(run(grouped, world)["tasks"]) == {("slow", "EC2"): 1}
    assert of(run(grouped, world, launchType="EC2")["tasks"]) == {(None, "EC2"): 1}
    made = grouped("CreateService", serviceName="web", taskDefinition="app", desiredCount=1)["service"]
    assert made["capacityProviderStrategy"] == [{"capacityProvider": "slow", "base": 1}]
    assert "launchType" not in made
    assert (
        "launchType"
        in grouped("CreateService", serviceName="d", taskDefinition="app", schedulingStrategy="DAEMON")["service"]
    )


def test_a_provider_without_hosts_is_said_to_be_empty(grouped: Any, world: World) -> None:
    grouped("CreateCapacityProvider", name="none")
    grouped("PutClusterCapacityProviders", cluster="default", capacityProviders=["fast", "slow", "none"], **default())
    answer = run(grouped, world, capacityProviderStrategy=[{"capacityProvider": "none"}])
    assert answer["tasks"] == []
    (failure,) = answer["failures"]
    assert (failure["reason"], failure["arn"][-5:]) == ("EMPTY CAPACITY PROVIDER", "/none")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"launchType": "EC2", "capacityProviderStrategy": HALVES}, "Specifying both a launch type"),
        ({"capacityProviderStrategy": [{"capacityProvider": "other"}]}, "not associated with the cluster default"),
        ({"capacityProviderStrategy": [HALVES[0], HALVES[0]]}, "named twice"),
        ({"capacityProviderStrategy": [{**item, "base": 1} for item in HALVES]}, "only one capacity provider"),
        ({"capacityProviderStrategy": [{**item, "weight": 0} for item in HALVES]}, "a weight above 0"),
        ({"capacityProviderStrategy": [{"capacityProvider": "fast", "weight": 1001}]}, "weight 1001 of fast"),
        ({"capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]}, "not associated with the cluster"),
    ],
)
def test_a_strategy_that_cannot_be(grouped: Any, world: World, more: dict[str, Any], words: str) -> None:
    with_definition = {"taskDefinition": world.define({}), **more}
    assert words in refused(grouped, "InvalidParameterException", "RunTask", **with_definition)
    service = {"serviceName": "web", "desiredCount": 1, **with_definition}
    assert words in refused(grouped, "InvalidParameterException", "CreateService", **service)


def test_fargate_takes_what_fargate_takes(grouped: Any, world: World) -> None:
    providers = ["fast", "slow", "FARGATE", "FARGATE_SPOT"]
    mixed = default(HALVES[0], {"capacityProvider": "FARGATE", "weight": 1})
    put = {"cluster": "default", "capacityProviders": providers}
    words = refused(grouped, "InvalidParameterException", "PutClusterCapacityProviders", **put, **mixed)
    assert "cannot contain a mix" in words
    grouped("PutClusterCapacityProviders", **put, **default({"capacityProvider": "FARGATE_SPOT", "weight": 1}))
    words = refused(grouped, "InvalidParameterException", "RunTask", taskDefinition=world.define({}))
    assert "does not support launch_type FARGATE" in words


FARGATE: dict[str, Any] = {
    "networkMode": "awsvpc",
    "requiresCompatibilities": ["FARGATE"],
    "cpu": "256",
    "memory": "512",
}
SUBNET = {"launchType": "FARGATE", "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-a"]}}}


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"cpu": "300", "memory": "777"}, "No Fargate configuration exists for given values: 300 CPU, 777 memory"),
        ({"memory": "3072"}, "With 256 CPU, memory is 512 to 2048"),
        (
            {"containerOverrides": [{"name": "main", "resourceRequirements": [{"type": "GPU", "value": "1"}]}]},
            "containerOverrides[main].resourceRequirements: Fargate has no GPUs",
        ),
    ],
)
def test_overrides_on_fargate_keep_to_its_sizes(call: Any, world: World, overrides: Any, words: str) -> None:
    definition = world.define({}, **FARGATE)
    request = {"taskDefinition": definition, "overrides": overrides, **SUBNET}
    assert words in refused(call, "InvalidParameterException", "RunTask", **request)
    taken = call("RunTask", taskDefinition=definition, overrides={"cpu": "512", "memory": "1024"}, **SUBNET)["tasks"][0]
    assert (taken["cpu"], taken["memory"]) == ("512", "1024")


def test_a_definition_for_fargate_asks_for_no_gpu(call: Any, world: World) -> None:
    with pytest.raises(ApiError, match=r"containerDefinitions\[0\].resourceRequirements: Fargate has no GPUs"):
        world.define({"resourceRequirements": [{"type": "GPU", "value": "1"}]}, **FARGATE)


def test_tasks_of_fargate_are_spread_over_zones_and_told_nothing_else(call: Any, world: World) -> None:
    """ECS developer guide, "Use strategies to define Amazon ECS task placement": neither is supported for Fargate."""
    request = {"taskDefinition": world.define({}, **FARGATE), **SUBNET}
    tasks = call("RunTask", count=4, **request)["tasks"]
    assert Counter(task["availabilityZone"] for task in tasks) == {"zone0": 2, "zone1": 2}
    service = {"serviceName": "web", "desiredCount": 1, **request}
    for more in (
        {"placementStrategy": [{"type": "binpack", "field": "cpu"}]},
        {"placementConstraints": [{"type": "distinctInstance"}]},
    ):
        for action, asked in (("RunTask", request), ("CreateService", service)):
            said = refused(call, "InvalidParameterException", action, **asked, **more)
            assert "are not supported with FARGATE launch type" in said
    call("CreateService", **service)
    said = refused(call, "InvalidParameterException", "UpdateService", service="web", **more)
    assert "Placement constraints are not supported" in said


def test_a_service_keeps_the_ratio_as_it_grows_and_shrinks(grouped: Any, world: World) -> None:
    created = {"serviceName": "web", "taskDefinition": world.define({}), "capacityProviderStrategy": HALVES}
    made = grouped("CreateService", desiredCount=2, **created)["service"]
    assert made["deployments"][0]["capacityProviderStrategy"] == HALVES
    for count in (2, 6, 4, 1, 3):
        grouped("UpdateService", service="web", desiredCount=count)
        settle(world)
        tasks = described(grouped)
        assert len(tasks) == count
        assert max(of(tasks).values()) - (min(of(tasks).values()) if len(of(tasks)) > 1 else 0) <= 1


def test_a_service_changes_its_strategy(grouped: Any, world: World) -> None:
    created = {"serviceName": "web", "taskDefinition": world.define({}), "desiredCount": 2}
    assert grouped("CreateService", **created, launchType="EC2")["service"]["launchType"] == "EC2"
    settle(world)
    slow = [{"capacityProvider": "slow", "weight": 1}]
    changed = grouped("UpdateService", service="web", capacityProviderStrategy=slow)["service"]
    assert (changed["capacityProviderStrategy"], len(changed["deployments"])) == (slow, 1)
    assert "launchType" not in changed
    settle(world)
    assert of(described(grouped)) == {(None, "EC2"): 2}  # ECS: it does not start a deployment
    grouped("UpdateService", service="web", forceNewDeployment=True)
    settle(world)
    assert of(described(grouped)) == {("slow", "EC2"): 2}
    back = grouped("UpdateService", service="web", capacityProviderStrategy=[])["service"]
    assert (back["launchType"], "capacityProviderStrategy" in back) == ("EC2", False)


def described(call: Any) -> list[Any]:
    arns = call("ListTasks", serviceName="web")["taskArns"]
    tasks: list[Any] = call("DescribeTasks", tasks=arns)["tasks"] if arns else []
    return tasks


def settle(world: World) -> None:
    for _ in range(12):
        reconcile(world.process())
        world.clock.sleep(31)


def test_the_hosts_of_a_provider_cost_what_its_tag_says(grouped: Any, world: World) -> None:
    for name, price in (("fast", "0.50"), ("slow", "0.20")):
        arn = f"arn:aws:ecs:us-east-1:000000000000:capacity-provider/{name}"
        grouped("TagResource", resourceArn=arn, tags=[{"key": "ecsctl.hourly-price", "value": price}])
    with world.store.read() as view:
        hosts = hosts_of(view, "arn:aws:ecs:us-east-1:000000000000:cluster/default")
    assert {host.provider: host.price for host in hosts} == {"fast": 0.5, "slow": 0.2}
    own = {"name": "ecsctl.hourly-price", "value": "0.10", "targetId": hosts[0].arn}
    grouped("PutAttributes", attributes=[own])
    with world.store.read() as view:
        assert hosts_of(view, "arn:aws:ecs:us-east-1:000000000000:cluster/default")[0].price == 0.1
    cheap = run(grouped, world, priority="cost")["tasks"][0]
    assert cheap["containerInstanceArn"] == hosts[0].arn


def test_what_is_no_price_and_no_limit_is_refused_by_name(grouped: Any, world: World) -> None:
    (arn, _) = grouped("ListContainerInstances")["containerInstanceArns"]
    for name, value, words in (
        ("ecsctl.hourly-price", "abc", "'abc' is no price of an hour"),
        ("ecsctl.hourly-price", "-1", "'-1' is no price of an hour"),
        ("ecsctl.hourly-price", None, "is no price of an hour"),
        ("ecsctl.task-limit", "many", "'many' is no number of tasks"),
    ):
        attribute = {"name": name, "targetId": arn, **({"value": value} if value else {})}
        said = refused(grouped, "InvalidParameterException", "PutAttributes", attributes=[attribute])
        assert said.startswith(f"Attribute {name}: ")
        assert words in said
    tags = [{"key": "ecsctl.hourly-price", "value": "notanumber"}]
    words = "Tag ecsctl.hourly-price: 'notanumber' is no price"
    assert words in refused(grouped, "InvalidParameterException", "CreateCapacityProvider", name="new", tags=tags)
    of_provider = "arn:aws:ecs:us-east-1:000000000000:capacity-provider/fast"
    assert words in refused(grouped, "InvalidParameterException", "TagResource", resourceArn=of_provider, tags=tags)
    grouped("TagResource", resourceArn=arn, tags=tags)  # of a container instance it is a tag like any


def test_task_sets_have_strategies_of_their_own(grouped: Any, world: World) -> None:
    world.define({})
    web = {"cluster": "default", "service": "web"}
    external = {"serviceName": "web", "desiredCount": 4, "deploymentController": {"type": "EXTERNAL"}}
    said = refused(grouped, "InvalidParameterException", "CreateService", **external, capacityProviderStrategy=HALVES)
    assert "task sets have it" in said
    grouped("CreateService", **external)
    full = {"scale": {"value": 100, "unit": "PERCENT"}, "taskDefinition": "app"}
    made = grouped("CreateTaskSet", **web, **full, capacityProviderStrategy=HALVES)["taskSet"]
    assert (made["capacityProviderStrategy"], "launchType" in made) == (HALVES, False)
    settle(world)
    assert of(described(grouped)) == {("fast", "EC2"): 2, ("slow", "EC2"): 2}
    grouped("UpdateServicePrimaryTaskSet", **web, primaryTaskSet=made["id"])
    assert grouped("DescribeServices", services=["web"])["services"][0]["capacityProviderStrategy"] == HALVES
    other = grouped("CreateTaskSet", **web, **full, launchType="EXTERNAL")["taskSet"]
    assert (other["launchType"], other["capacityProviderStrategy"]) == ("EXTERNAL", [])
    grouped("DeleteTaskSet", **web, taskSet=made["id"], force=True)
    settle(world)
    assert of(described(grouped)) == {(None, "EXTERNAL"): 4}
