"""Service deployments, service revisions and scale-in protection, as clients see them."""

from __future__ import annotations

from typing import Any

import pytest

from ecsctl.operations.reconcile import reconcile
from tests.controller.world import World
from tests.operations.conftest import refused

BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}


def create(call: Any, world: World, **more: Any) -> Any:
    wanted = {"serviceName": "web", "taskDefinition": world.define({}), "desiredCount": 2}
    return call("CreateService", **{**wanted, **more})["service"]


def goes_on(world: World, passes: int = 30) -> None:
    for _ in range(passes):
        world.clock.seconds += 5
        reconcile(world.process())


def deployments(call: Any, **more: Any) -> list[Any]:
    arns = [
        one["serviceDeploymentArn"]
        for one in call("ListServiceDeployments", service="web", **more)["serviceDeployments"]
    ]
    found = call("DescribeServiceDeployments", serviceDeploymentArns=arns)["serviceDeployments"] if arns else []
    return sorted(found, key=lambda one: arns.index(one["serviceDeploymentArn"]))


def test_a_deployment_succeeds_and_the_next_names_what_it_replaces(call: Any, world: World) -> None:
    made = create(call, world)
    (first,) = deployments(call)
    assert first["status"] == "IN_PROGRESS"
    assert made["currentServiceDeployment"] == first["serviceDeploymentArn"]
    assert ":service-deployment/default/web/" in first["serviceDeploymentArn"]
    assert first["targetServiceRevision"] == {
        "arn": made["currentServiceRevisions"][0]["arn"],
        "requestedTaskCount": 2,
        "runningTaskCount": 0,
        "pendingTaskCount": 0,
    }
    assert first["deploymentCircuitBreaker"] == {"status": "DISABLED", "failureCount": 0}
    goes_on(world)
    (first,) = deployments(call)
    assert (first["status"], first["targetServiceRevision"]["runningTaskCount"]) == ("SUCCESSFUL", 2)
    assert first["finishedAt"] > first["createdAt"]

    world.clock.seconds += 5
    call("UpdateService", service="web", taskDefinition=world.define({"command": ["x"]}))
    second, _ = deployments(call)
    assert second["sourceServiceRevisions"][0]["arn"] == first["targetServiceRevision"]["arn"]
    assert second["sourceServiceRevisions"][0]["runningTaskCount"] == 2
    goes_on(world)
    assert [one["status"] for one in deployments(call)] == ["SUCCESSFUL", "SUCCESSFUL"]
    after = call("DescribeServices", services=["web"])["services"][0]
    assert [one["arn"] for one in after["currentServiceRevisions"]] == [second["targetServiceRevision"]["arn"]]


def test_a_service_revision_is_what_was_deployed(call: Any, world: World) -> None:
    made = create(call, world)
    arn = made["currentServiceRevisions"][0]["arn"]
    answer = call("DescribeServiceRevisions", serviceRevisionArns=[arn, arn + "0"])
    (revision,) = answer["serviceRevisions"]
    assert revision["taskDefinition"] == made["taskDefinition"]
    assert revision["containerImages"] == [{"containerName": "main", "image": "up"}]
    assert answer["failures"] == [{"arn": arn + "0", "reason": "MISSING"}]


def test_only_other_tasks_make_a_service_deployment(call: Any, world: World) -> None:
    create(call, world)
    goes_on(world)
    call("UpdateService", service="web", desiredCount=3)
    assert len(deployments(call)) == 1
    call("UpdateService", service="web", forceNewDeployment=True)
    assert len(deployments(call)) == 2


def test_what_the_circuit_breaker_rolls_back_is_told(call: Any, world: World) -> None:
    create(call, world, deploymentConfiguration=BREAKER)
    goes_on(world)
    world.clock.seconds += 5
    call("UpdateService", service="web", taskDefinition=world.define({"image": "broken"}))
    assert deployments(call)[0]["deploymentCircuitBreaker"] == {
        "status": "MONITORING",
        "failureCount": 0,
        "threshold": 3,
    }
    goes_on(world)
    failed, first = deployments(call)
    assert failed["status"] == "ROLLBACK_SUCCESSFUL"
    assert failed["rollback"]["serviceRevisionArn"] == first["targetServiceRevision"]["arn"]
    assert "tasks failed to start" in failed["rollback"]["reason"]
    assert failed["deploymentCircuitBreaker"] == {"status": "TRIGGERED", "failureCount": 4, "threshold": 3}
    assert first["status"] == "SUCCESSFUL"


def test_without_a_way_back_a_failed_deployment_has_stopped(call: Any, world: World) -> None:
    create(call, world, taskDefinition=world.define({"image": "broken"}), deploymentConfiguration=BREAKER)
    goes_on(world)
    (failed,) = deployments(call)
    assert (failed["status"], failed["deploymentCircuitBreaker"]["status"]) == ("STOPPED", "TRIGGERED")
    assert "tasks failed to start" in failed["statusReason"]


def test_a_newer_deployment_takes_the_place_of_one_that_goes_on(call: Any, world: World) -> None:
    create(call, world)
    world.clock.seconds += 5
    call("UpdateService", service="web", taskDefinition=world.define({}))
    second, first = deployments(call)
    assert (second["status"], first["status"]) == ("IN_PROGRESS", "STOPPED")
    assert "newer deployment" in first["statusReason"]
    assert [one["status"] for one in deployments(call, status=["STOPPED"])] == ["STOPPED"]


def test_deployments_are_remembered_for_ninety_days(call: Any, world: World) -> None:
    old = create(call, world)["currentServiceRevisions"][0]["arn"]
    goes_on(world)
    world.clock.seconds += 50 * 86400
    call("UpdateService", service="web", taskDefinition=world.define({}))
    goes_on(world)
    world.clock.seconds += 50 * 86400
    assert len(deployments(call)) == 2
    call("UpdateService", service="web", taskDefinition=world.define({}))
    assert len(deployments(call)) == 2
    assert call("DescribeServiceRevisions", serviceRevisionArns=[old])["serviceRevisions"]
    goes_on(world)
    world.clock.seconds += 100 * 86400
    call("UpdateService", service="web", taskDefinition=world.define({}))
    assert len(deployments(call)) == 1
    assert call("DescribeServiceRevisions", serviceRevisionArns=[old])["serviceRevisions"] == []


def test_a_definition_that_a_service_uses_is_not_forgotten(call: Any, world: World) -> None:
    definition = world.define({})
    create(call, world, taskDefinition=definition, desiredCount=0)
    call("DeregisterTaskDefinition", taskDefinition=definition)
    call("DeleteTaskDefinitions", taskDefinitions=[definition])
    call("UpdateService", service="web", desiredCount=1)
    goes_on(world)
    assert len(ids(world)) == 1


def test_deleting_the_service_stops_its_deployment(call: Any, world: World) -> None:
    arn = create(call, world)["currentServiceDeployment"]
    call("DeleteService", service="web", force=True)
    (one,) = call("DescribeServiceDeployments", serviceDeploymentArns=[arn])["serviceDeployments"]
    assert (one["status"], one["statusReason"]) == ("STOPPED", "The service was deleted.")


def test_a_deployment_stopped_by_the_user_is_rolled_back(call: Any, world: World) -> None:
    old = create(call, world)["taskDefinition"]
    goes_on(world)
    world.clock.seconds += 5
    call("UpdateService", service="web", taskDefinition=world.define({"image": "broken"}))
    arn = deployments(call)[0]["serviceDeploymentArn"]
    assert call("StopServiceDeployment", serviceDeploymentArn=arn) == {"serviceDeploymentArn": arn}
    assert deployments(call)[0]["status"] == "ROLLBACK_IN_PROGRESS"
    assert "is IN_PROGRESS" not in refused(call, "ConflictException", "StopServiceDeployment", serviceDeploymentArn=arn)
    goes_on(world)
    assert deployments(call)[0]["status"] == "ROLLBACK_SUCCESSFUL"
    assert call("DescribeServices", services=["web"])["services"][0]["taskDefinition"] == old


def test_a_deployment_can_be_stopped_where_it_is(call: Any, world: World) -> None:
    arn = create(call, world, taskDefinition=world.define({"image": "broken"}))["currentServiceDeployment"]
    words = refused(call, "ConflictException", "StopServiceDeployment", serviceDeploymentArn=arn)
    assert "--stop-type ABORT" in words
    call("StopServiceDeployment", serviceDeploymentArn=arn, stopType="ABORT")
    assert deployments(call)[0]["status"] == "STOPPED"
    goes_on(world)
    assert world.tasks() == []
    refused(call, "ServiceDeploymentNotFoundException", "StopServiceDeployment", serviceDeploymentArn=arn + "0")


# Scale-in protection


def protect(call: Any, *tasks: str, **more: Any) -> Any:
    return call("UpdateTaskProtection", cluster="default", tasks=list(tasks), **{"protectionEnabled": True, **more})


def ids(world: World) -> list[str]:
    return [task.arn for task in world.tasks() if not task.is_stopped]


def test_a_protected_task_survives_scaling_in_until_its_time_is_up(call: Any, world: World) -> None:
    create(call, world, desiredCount=3)
    goes_on(world)
    kept = ids(world)[2]
    (shown,) = protect(call, kept, expiresInMinutes=10)["protectedTasks"]
    assert (shown["taskArn"], shown["protectionEnabled"]) == (kept, True)
    assert call("GetTaskProtection", cluster="default", tasks=[kept])["protectedTasks"] == [shown]
    call("UpdateService", service="web", desiredCount=1)
    goes_on(world, 2)
    assert ids(world) == [kept]
    call("UpdateService", service="web", desiredCount=0)
    goes_on(world, 2)
    assert ids(world) == [kept]
    events = call("DescribeServices", services=["web"])["services"][0]["events"]
    assert "was unable to scale in. Reason: The number of protected tasks are more than" in events[0]["message"]
    world.clock.seconds += 600
    assert call("GetTaskProtection", cluster="default")["protectedTasks"][0]["protectionEnabled"] is False
    goes_on(world, 2)
    assert ids(world) == []


def test_a_deployment_leaves_a_protected_task_alone(call: Any, world: World) -> None:
    create(call, world)
    goes_on(world)
    kept = ids(world)[0]
    protect(call, kept)
    call("UpdateService", service="web", taskDefinition=world.define({}))
    goes_on(world)
    assert kept in ids(world)
    protect(call, kept, protectionEnabled=False)
    goes_on(world)
    assert kept not in ids(world)
    assert len(ids(world)) == 2


def test_only_tasks_of_services_can_be_protected(call: Any, world: World) -> None:
    lone = call("RunTask", taskDefinition=world.define({}))["tasks"][0]["taskArn"]
    answer = protect(call, lone, "0" * 32)
    assert answer["protectedTasks"] == []
    assert [failure["reason"] for failure in answer["failures"]] == ["TASK_NOT_VALID", "MISSING"]


def test_more_than_are_wanted_cannot_be_protected_while_the_service_moves(call: Any, world: World) -> None:
    create(call, world)
    goes_on(world)
    first, second = ids(world)
    protect(call, first)
    call("UpdateService", service="web", desiredCount=1)
    answer = protect(call, second)
    assert [failure["reason"] for failure in answer["failures"]] == ["DEPLOYMENT_BLOCKED"]


@pytest.mark.parametrize("minutes", [0, 2881])
def test_the_time_of_protection_has_limits(call: Any, minutes: int) -> None:
    words = refused(
        call,
        "InvalidParameterException",
        "UpdateTaskProtection",
        cluster="default",
        tasks=["x"],
        protectionEnabled=True,
        expiresInMinutes=minutes,
    )
    assert f"expiresInMinutes: {minutes} is not between 1 and 2880" in words
