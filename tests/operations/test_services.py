"""The service actions: their shapes, and what is refused with which words."""

from __future__ import annotations

from typing import Any

import pytest

from ecsctl.model.api.services import CreateServiceRequest
from ecsctl.model.errors import ApiError
from ecsctl.model.record import decode
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.services import create_service
from ecsctl.store.tables import EVENTS, SERVICES
from tests.controller.world import World
from tests.operations.conftest import refused


def create(call: Any, world: World, **more: Any) -> Any:
    wanted = {"serviceName": "web", "taskDefinition": more.pop("taskDefinition", None) or world.define({})}
    return call("CreateService", **{"desiredCount": 2, **wanted, **more})["service"]


def test_a_service_is_described_as_ecs_does(call: Any, world: World) -> None:
    made = create(call, world, tags=[{"key": "a", "value": "1"}])
    assert made["serviceArn"] == "arn:aws:ecs:us-east-1:000000000000:service/default/web"
    assert (made["status"], made["desiredCount"], made["runningCount"], made["pendingCount"]) == ("ACTIVE", 2, 0, 0)
    assert (made["loadBalancers"], made["events"], made["schedulingStrategy"]) == ([], [], "REPLICA")
    assert made["deploymentConfiguration"]["maximumPercent"] == 200
    assert made["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    assert world.handed_over == [made["serviceArn"]]
    answer = call("DescribeServices", services=["web", "other"], include=["TAGS"])
    assert answer["services"][0]["tags"] == [{"key": "a", "value": "1"}]
    assert answer["failures"] == [{"arn": made["serviceArn"].replace("/web", "/other"), "reason": "MISSING"}]
    assert call("ListServices")["serviceArns"] == [made["serviceArn"]]
    assert call("ListServices", schedulingStrategy="DAEMON")["serviceArns"] == []
    assert call("DescribeClusters")["clusters"][0]["activeServicesCount"] == 1
    assert "Services are active" in refused(
        call, "ClusterContainsServicesException", "DeleteCluster", cluster="default"
    )


def test_the_same_client_token_makes_one_service(call: Any, world: World) -> None:
    definition = world.define({})
    first = create(call, world, taskDefinition=definition, clientToken="t")
    assert create(call, world, taskDefinition=definition, clientToken="t")["createdAt"] == first["createdAt"]
    wanted = {"serviceName": "web", "taskDefinition": definition, "desiredCount": 2}
    assert "not idempotent" in refused(call, "InvalidParameterException", "CreateService", **wanted)
    refused(call, "InvalidParameterException", "CreateService", **{**wanted, "desiredCount": 3}, clientToken="t")


def goes_on(world: World) -> None:
    for _ in range(4):
        reconcile(world.process())
        world.clock.seconds += 20


def test_the_client_token_of_a_deleted_service_makes_one_anew(call: Any, world: World) -> None:
    definition = world.define({})
    first = create(call, world, taskDefinition=definition, clientToken="t")
    call("DeleteService", service="web", force=True)
    assert create(call, world, taskDefinition=definition, clientToken="t")["status"] == "DRAINING"
    goes_on(world)
    made = create(call, world, taskDefinition=definition, clientToken="t")
    assert made["status"] == "ACTIVE"
    assert made["createdAt"] > first["createdAt"]
    assert create(call, world, taskDefinition=definition, clientToken="t")["createdAt"] == made["createdAt"]
    other = {"serviceName": "api", "taskDefinition": definition, "desiredCount": 2, "clientToken": "t"}
    refused(call, "InvalidParameterException", "CreateService", **other)
    call("DeleteService", service="web", force=True)
    goes_on(world)
    assert call("CreateService", **other)["service"]["serviceName"] == "api"


PAUSE = {"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"]}


def hooked(*hooks: dict[str, Any]) -> dict[str, Any]:
    return {"deploymentConfiguration": {"strategy": "BLUE_GREEN", "lifecycleHooks": list(hooks)}}


def early(**more: Any) -> dict[str, Any]:
    criteria = {"enable": True, "healthyPercent": 100, "sourceServiceRevisionCleanup": "BLOCKING", **more}
    given = {name: value for name, value in criteria.items() if value is not None}
    return {"deploymentConfiguration": {"earlySuccessCriteria": given}}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"desiredCount": -1}, "desiredCount: -1 is not between 0 and 5000"),
        ({"desiredCount": None}, "desiredCount: is needed"),
        ({"serviceName": "../x"}, "is not a valid name"),
        ({"serviceName": "x" * 256}, "is not a valid name"),
        ({"serviceName": "a\nb"}, "is not a valid name"),
        ({"schedulingStrategy": "DAEMON"}, "does not support a desired count"),
        ({"deploymentConfiguration": {"minimumHealthyPercent": 100, "maximumPercent": 100}}, "will block deployments"),
        ({"deploymentConfiguration": {"maximumPercent": 50}}, "maximumPercent: 50 is not between 100 and"),
        ({"deploymentConfiguration": {"minimumHealthyPercent": 101}}, "minimumHealthyPercent: 101 is not between 0"),
        ({"placementStrategy": [{"type": "binpack", "field": "disk"}]}, "binpack is by cpu or memory"),
        ({"healthCheckGracePeriodSeconds": -1}, "healthCheckGracePeriodSeconds: -1"),
        ({"deploymentConfiguration": {"bakeTimeInMinutes": 1441}}, "bakeTimeInMinutes: 1441 is not between 0 and 1440"),
        ({"deploymentConfiguration": {"lifecycleHooks": [PAUSE]}}, "lifecycleHooks: are for the strategy BLUE_GREEN"),
        (hooked({**PAUSE, "lifecycleStages": []}), "lifecycleHooks[0].lifecycleStages: say at which stages"),
        (hooked({**PAUSE, "lifecycleStages": ["TEST_TRAFFIC_SHIFT"]}), "cannot be configured at TEST_TRAFFIC_SHIFT"),
        (hooked(PAUSE, {**PAUSE, "hookTargetArn": "arn:x"}), "lifecycleHooks[1].hookTargetArn: is not for hooks"),
        (
            hooked({**PAUSE, "timeoutConfiguration": {"timeoutInMinutes": 30000}}),
            "timeoutInMinutes: 30000 is not between 1 and 20160",
        ),
        (early(healthyPercent=50), "healthyPercent: 50 is not between minimumHealthyPercent (100) and 100"),
        (early(healthyPercent=None), "earlySuccessCriteria: needs healthyPercent and sourceServiceRevisionCleanup"),
        (
            {"deploymentConfiguration": {**early()["deploymentConfiguration"], "strategy": "BLUE_GREEN"}},
            "earlySuccessCriteria: is for the strategy ROLLING",
        ),
        (
            {
                "schedulingStrategy": "DAEMON",
                "desiredCount": None,
                "deploymentConfiguration": {"strategy": "BLUE_GREEN"},
            },
            "strategy: BLUE_GREEN is not for the daemon scheduling strategy",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(call: Any, world: World, more: dict[str, Any], words: str) -> None:
    wanted = {"serviceName": "web", "taskDefinition": world.define({}), "desiredCount": 1, **more}
    given = {key: value for key, value in wanted.items() if value is not None}
    assert words in refused(call, "InvalidParameterException", "CreateService", **given)
    assert call("ListServices")["serviceArns"] == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"loadBalancers": [{"containerName": "main", "containerPort": 80}]}, "loadBalancers"),
        ({"deploymentController": {"type": "CODE_DEPLOY"}}, "CODE_DEPLOY"),
        ({"deploymentConfiguration": {"strategy": "CANARY"}}, "CANARY"),
        (
            hooked({"hookTargetArn": "arn:x", "lifecycleStages": ["PRE_SCALE_UP"]}),
            "lifecycleHooks[0]: Lambda functions",
        ),
        ({"taskDefinition": "nosuch"}, "nosuch"),
    ],
)
def test_what_is_not_served_is_refused_by_name(call: Any, world: World, more: dict[str, Any], words: str) -> None:
    wanted = {"serviceName": "web", "taskDefinition": world.define({}), "desiredCount": 1, **more}
    assert words in refused(call, "ClientException", "CreateService", **wanted)


def test_what_is_switched_off_asks_for_nothing(call: Any, world: World) -> None:
    alarms = {"alarmNames": [], "enable": False, "rollback": False}
    made = create(
        call,
        world,
        deploymentConfiguration={"alarms": alarms, "minimumHealthyPercent": 50},
        serviceConnectConfiguration={"enabled": False},
    )
    assert made["deploymentConfiguration"]["alarms"] == alarms
    call("UpdateService", service="web", serviceConnectConfiguration={"enabled": False})


def test_the_journal_says_what_was_changed(call: Any, world: World) -> None:
    create(call, world)
    call(
        "UpdateService",
        service="web",
        desiredCount=5,
        enableExecuteCommand=True,
        placementConstraints=[{"type": "distinctInstance"}],
    )
    call("UpdateService", service="web", taskDefinition=world.define({"cpu": 1}))
    with world.store.read() as view:
        told = [event.message for event in view.find(EVENTS) if event.kind in ("ServiceUpdated", "ServiceDeployed")]
    assert told == [
        "app:1; desiredCount 2 -> 5; placementConstraints; enableExecuteCommand False -> True",
        "app:1 -> app:2",
    ]


def test_a_deleted_service_cannot_be_updated(call: Any, world: World) -> None:
    create(call, world, desiredCount=0)
    call("DeleteService", service="web")
    reconcile(world.process())
    refused(call, "ServiceNotActiveException", "UpdateService", service="web", desiredCount=1)
    refused(call, "ServiceNotFoundException", "UpdateService", service="other", desiredCount=1)


def test_an_update_is_judged_together_with_what_is_there(call: Any, world: World) -> None:
    create(call, world, deploymentConfiguration={"minimumHealthyPercent": 50, "maximumPercent": 100})
    change = {"service": "web", "deploymentConfiguration": {"minimumHealthyPercent": 100}}
    assert "will block deployments" in refused(call, "InvalidParameterException", "UpdateService", **change)
    change["deploymentConfiguration"] = {"lifecycleHooks": [PAUSE]}
    assert "are for the strategy BLUE_GREEN" in refused(call, "InvalidParameterException", "UpdateService", **change)
    call("UpdateService", service="web", **hooked(PAUSE))
    known = call("DescribeServices", services=["web"])["services"][0]["deploymentConfiguration"]
    assert known["lifecycleHooks"] == [PAUSE]


def test_deleting_needs_force_while_tasks_are_wanted(call: Any, world: World) -> None:
    create(call, world)
    assert "scaled above 0" in refused(call, "InvalidParameterException", "DeleteService", service="web")
    assert call("DeleteService", service="web", force=True)["service"]["status"] == "DRAINING"
    again = {"serviceName": "web", "taskDefinition": "app", "desiredCount": 1}
    assert "still Draining" in refused(call, "InvalidParameterException", "CreateService", **again)
    refused(call, "ServiceNotActiveException", "UpdateService", service="web", desiredCount=1)
    refused(call, "ServiceNotFoundException", "UpdateService", service="nosuch", desiredCount=1)


def test_only_what_needs_other_tasks_makes_a_deployment(call: Any, world: World) -> None:
    create(call, world)
    quiet = {"desiredCount": 5, "deploymentConfiguration": {"maximumPercent": 150}, "taskDefinition": "app:1"}
    assert len(call("UpdateService", service="web", **quiet)["service"]["deployments"]) == 1
    forced = call("UpdateService", service="web", forceNewDeployment=True)["service"]["deployments"]
    assert [deployment["status"] for deployment in forced] == ["PRIMARY", "ACTIVE"]
    assert forced[0]["desiredCount"] == 5
    world.define({})
    assert len(call("UpdateService", service="web", taskDefinition="app")["service"]["deployments"]) == 3


@pytest.mark.parametrize(
    ("asked", "keys"),
    [
        ({}, set()),
        ({"propagateTags": "SERVICE"}, {"of-service"}),
        ({"propagateTags": "TASK_DEFINITION"}, {"of-definition"}),
        ({"propagateTags": "NONE", "enableECSManagedTags": True}, {"aws:ecs:clusterName", "aws:ecs:serviceName"}),
    ],
)
def test_tasks_get_the_tags_that_are_to_be_passed_on(
    call: Any, world: World, asked: dict[str, Any], keys: set[str]
) -> None:
    definition = world.define({})
    arn = call("DescribeTaskDefinition", taskDefinition=definition)["taskDefinition"]["taskDefinitionArn"]
    call("TagResource", resourceArn=arn, tags=[{"key": "of-definition", "value": "1"}])
    create(call, world, taskDefinition=definition, desiredCount=1, tags=[{"key": "of-service", "value": "1"}], **asked)
    reconcile(world.process())
    (task,) = call("DescribeTasks", tasks=call("ListTasks")["taskArns"], include=["TAGS"])["tasks"]
    assert {tag["key"] for tag in task["tags"]} == keys


def test_the_tasks_of_a_service_that_there_is_not_are_not_listed_as_none(call: Any, world: World) -> None:
    arn = create(call, world, desiredCount=1)["serviceArn"]
    reconcile(world.process())
    for name in ("web", arn):
        assert len(call("ListTasks", serviceName=name)["taskArns"]) == 1
    call("DeleteService", service="web", force=True)
    reconcile(world.process())
    assert call("ListTasks", serviceName="web", desiredStatus="STOPPED")["taskArns"]
    for other in ("nope", arn.replace("/default/", "/other/")):
        with pytest.raises(ApiError, match=f"Service not found: {other}") as caught:
            call("ListTasks", serviceName=other)
        assert caught.value.code == "ServiceNotFoundException"


def test_how_tags_are_passed_on_may_change_for_tasks_to_come(call: Any, world: World) -> None:
    create(call, world, desiredCount=1, tags=[{"key": "team", "value": "a"}])
    reconcile(world.process())
    call("UpdateService", service="web", desiredCount=2, propagateTags="SERVICE")
    reconcile(world.process())
    tasks = call("DescribeTasks", tasks=call("ListTasks")["taskArns"], include=["TAGS"])["tasks"]
    assert sorted(len(task["tags"]) for task in tasks) == [0, 1]


@pytest.mark.parametrize(
    ("more", "value"),
    [
        ({}, "ENABLED"),
        ({"placementStrategy": [{"type": "spread", "field": "attribute:ecs.availability-zone"}]}, "ENABLED"),
        ({"placementStrategy": [{"type": "binpack", "field": "memory"}]}, "DISABLED"),
        ({"placementStrategy": [{"type": "spread", "field": "instanceId"}]}, "DISABLED"),
        ({"deploymentConfiguration": {"maximumPercent": 100, "minimumHealthyPercent": 50}}, "DISABLED"),
        (
            {"placementConstraints": [{"type": "memberOf", "expression": "attribute:ecs.availability-zone == a"}]},
            "DISABLED",
        ),
        ({"schedulingStrategy": "DAEMON", "desiredCount": None}, "DISABLED"),
        ({"priority": "cost"}, "DISABLED"),
    ],
)
def test_whether_a_service_is_rebalanced_when_it_does_not_say(
    call: Any, world: World, more: dict[str, Any], value: str
) -> None:
    wanted = {"serviceName": "web", "taskDefinition": world.define({}), "desiredCount": 1, **more}
    given = {name: one for name, one in wanted.items() if one is not None}
    create_service(world.process(), decode(CreateServiceRequest, given))
    with world.store.read() as view:
        (record,) = view.find(SERVICES)
    assert record.service.availability_zone_rebalancing == value
    if value == "DISABLED":
        other = {**given, "serviceName": "other", "availabilityZoneRebalancing": "ENABLED"}
        said = refused(call, "InvalidParameterException", "CreateService", **other)
        assert said.startswith("availabilityZoneRebalancing: is not supported with ")


def test_an_update_may_not_take_what_rebalancing_needs(call: Any, world: World) -> None:
    create(call, world)
    chain = [{"type": "binpack", "field": "memory"}]
    said = refused(call, "InvalidParameterException", "UpdateService", service="web", placementStrategy=chain)
    assert "a first placement strategy other than spread" in said
    off = {"availabilityZoneRebalancing": "DISABLED"}
    made = call("UpdateService", service="web", placementStrategy=chain, **off)["service"]
    assert (made["availabilityZoneRebalancing"], made["placementStrategy"]) == ("DISABLED", chain)
