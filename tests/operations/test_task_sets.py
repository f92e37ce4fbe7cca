"""Task sets, as clients see them: an external deployment from the first task set to the last."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from ecsctl.operations.export import export_state
from ecsctl.operations.import_state import plan_import
from ecsctl.operations.reconcile import reconcile
from ecsctl.store.tables import TAGS
from tests.controller.world import World
from tests.operations.conftest import refused

WEB = {"cluster": "default", "service": "web"}


def create(call: Any, desired: int = 4, **more: Any) -> Any:
    return call(
        "CreateService", serviceName="web", desiredCount=desired, deploymentController={"type": "EXTERNAL"}, **more
    )["service"]


def add(call: Any, definition: str, scale: float | None = None, **more: Any) -> Any:
    given = {} if scale is None else {"scale": {"value": scale, "unit": "PERCENT"}}
    return call("CreateTaskSet", **WEB, taskDefinition=definition, **given, **more)["taskSet"]


def shown(call: Any) -> Any:
    return call("DescribeServices", services=["web"])["services"][0]


def sets(call: Any) -> dict[str, Any]:
    return {one["id"]: one for one in call("DescribeTaskSets", **WEB)["taskSets"]}


def goes_on(world: World, passes: int = 12) -> None:
    for _ in range(passes):
        reconcile(world.process())
        world.check_safety()
        world.clock.seconds += 5


def test_a_service_that_something_else_deploys_has_task_sets_in_place_of_deployments(call: Any, world: World) -> None:
    made = create(call)
    assert made["deploymentController"] == {"type": "EXTERNAL"}
    assert made["deploymentConfiguration"] == {"maximumPercent": 200, "minimumHealthyPercent": 100}
    assert (made["taskSets"], made["deployments"]) == ([], [])
    assert "taskDefinition" not in made
    assert "currentServiceDeployment" not in made

    definition = world.define({})
    blue = add(call, definition, 50, externalId="release-1")
    assert blue["taskSetArn"] == f"arn:aws:ecs:us-east-1:000000000000:task-set/default/web/{blue['id']}"
    assert (blue["serviceArn"], blue["clusterArn"]) == (made["serviceArn"], made["clusterArn"])
    assert (blue["status"], blue["externalId"], blue["launchType"]) == ("ACTIVE", "release-1", "EC2")
    assert (blue["scale"], blue["computedDesiredCount"]) == ({"value": 50.0, "unit": "PERCENT"}, 2)
    assert (blue["stabilityStatus"], blue["runningCount"]) == ("STABILIZING", 0)
    assert (blue["loadBalancers"], blue["serviceRegistries"], blue["tags"]) == ([], [], [])
    assert world.handed_over == [made["serviceArn"]] * 2

    reconcile(world.process())
    (blue,) = sets(call).values()
    assert (blue["runningCount"], blue["stabilityStatus"]) == (2, "STABILIZING")
    goes_on(world)
    service = shown(call)
    assert (service["runningCount"], service["taskSets"][0]["stabilityStatus"]) == (2, "STEADY_STATE")
    assert {task.task.started_by for task in world.tasks()} == {blue["id"]}
    assert {task.task.group for task in world.tasks()} == {"service:web"}
    messages = [event["message"] for event in service["events"]]
    assert messages[0] == "(service web) has reached a steady state."
    assert messages[-1].startswith(f"(service web, taskSet {blue['id']}) has started 2 tasks: (task ")
    world.check_quiet()


def test_traffic_moves_from_one_task_set_to_the_next(call: Any, world: World) -> None:
    create(call)
    old, new = world.define({}), world.define({"command": ["x"]})
    blue = add(call, old, 100)["id"]
    call("UpdateServicePrimaryTaskSet", **WEB, primaryTaskSet=blue)
    goes_on(world)
    assert shown(call)["taskDefinition"].endswith("/app:1")

    green = add(call, new, 25)["id"]
    goes_on(world)
    assert {id_: one["runningCount"] for id_, one in sets(call).items()} == {blue: 4, green: 1}
    call("UpdateTaskSet", **WEB, taskSet=green, scale={"value": 100, "unit": "PERCENT"})
    assert sets(call)[green]["stabilityStatus"] == "STABILIZING"
    goes_on(world)
    assert sets(call)[green]["stabilityStatus"] == "STEADY_STATE"
    answer = call("UpdateServicePrimaryTaskSet", **WEB, primaryTaskSet=sets(call)[green]["taskSetArn"])
    assert answer["taskSet"]["status"] == "PRIMARY"
    assert {id_: one["status"] for id_, one in sets(call).items()} == {blue: "ACTIVE", green: "PRIMARY"}
    assert shown(call)["taskDefinition"].endswith("/app:2")

    assert "scaled above 0" in refused(call, "InvalidParameterException", "DeleteTaskSet", **WEB, taskSet=blue)
    gone = call("DeleteTaskSet", **WEB, taskSet=blue, force=True)["taskSet"]
    assert (gone["status"], gone["computedDesiredCount"], gone["runningCount"]) == ("DRAINING", 0, 4)
    assert call("DeleteTaskSet", **WEB, taskSet=blue)["taskSet"]["status"] == "DRAINING"
    goes_on(world)
    assert list(sets(call)) == [green]
    stopped = [task.task for task in world.tasks() if task.is_stopped]
    assert {task.stopped_reason for task in stopped} == {f"Scaling activity initiated by (deployment {blue})"}
    assert {task.stop_code for task in stopped} == {"ServiceSchedulerInitiated"}


def test_the_service_shows_the_platform_and_the_registries_of_what_serves(call: Any, world: World) -> None:
    create(call)
    sizes: dict[str, Any] = {"requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512"}
    definition = world.define({}, networkMode="awsvpc", **sizes)
    network = {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-a"]}}}
    registries = {"serviceRegistries": [{"registryArn": "web.shop"}]}
    blue = add(call, definition, 0, launchType="FARGATE", platformVersion="LATEST", **network, **registries)["id"]
    assert ("platformVersion" in shown(call), shown(call)["serviceRegistries"]) == (False, [])
    call("UpdateServicePrimaryTaskSet", **WEB, primaryTaskSet=blue)
    seen = shown(call)
    assert (seen["launchType"], seen["platformVersion"]) == ("FARGATE", "1.4.0")
    assert seen["serviceRegistries"] == registries["serviceRegistries"]

    changed = call("UpdateService", service="web", desiredCount=2, serviceRegistries=[])["service"]
    assert (changed["desiredCount"], changed["serviceRegistries"]) == (2, registries["serviceRegistries"])
    said = refused(call, "InvalidParameterException", "UpdateService", service="web", **registries)
    assert "serviceRegistries: with the EXTERNAL deployment controller, task sets have it" in said

    green = add(call, world.define({}), launchType="EC2")["id"]
    call("UpdateServicePrimaryTaskSet", **WEB, primaryTaskSet=green)
    assert ("platformVersion" in shown(call), shown(call)["serviceRegistries"]) == (False, [])
    call("UpdateServicePrimaryTaskSet", **WEB, primaryTaskSet=blue)
    call("DeleteTaskSet", **WEB, taskSet=blue, force=True)
    assert shown(call)["serviceRegistries"] == []


def test_an_export_leaves_to_task_sets_what_they_have(call: Any, world: World) -> None:
    create(call)
    registries = [{"registryArn": "web.shop"}]
    made = add(call, world.define({}), serviceRegistries=registries)
    call("UpdateServicePrimaryTaskSet", **WEB, primaryTaskSet=made["id"])
    document = json.loads(msgspec.json.encode(export_state(world.process())))
    (service,) = document["services"]
    assert not {"taskDefinition", "serviceRegistries"} & set(service)
    assert plan_import(world.process(), document, "export.json").pending == []


@pytest.mark.parametrize(("scale", "tasks"), [(0, 0), (1, 1), (33.3, 4), (70, 7), (100, 10)])
def test_the_share_of_the_desired_count_is_rounded_up(call: Any, world: World, scale: float, tasks: int) -> None:
    create(call, desired=10)
    assert add(call, world.define({}), scale)["computedDesiredCount"] == tasks
    call("UpdateService", service="web", desiredCount=0)
    assert [one["computedDesiredCount"] for one in sets(call).values()] == [0]


def test_without_a_scale_a_task_set_has_no_tasks_yet(call: Any, world: World) -> None:
    create(call)
    made = add(call, world.define({}))
    assert (made["scale"]["value"], made["computedDesiredCount"]) == (0.0, 0)
    goes_on(world)
    assert world.tasks() == []
    assert sets(call)[made["id"]]["stabilityStatus"] == "STEADY_STATE"
    assert call("DeleteTaskSet", **WEB, taskSet=made["id"])["taskSet"]["status"] == "DRAINING"
    goes_on(world)
    assert sets(call) == {}


def test_a_service_without_a_primary_task_set_has_no_task_definition(call: Any, world: World) -> None:
    create(call)
    made = add(call, world.define({}), 25)["id"]
    assert "taskDefinition" not in shown(call)
    call("UpdateServicePrimaryTaskSet", **WEB, primaryTaskSet=made)
    assert "taskDefinition" in shown(call)
    call("DeleteTaskSet", **WEB, taskSet=made, force=True)
    assert "taskDefinition" not in shown(call)


def test_what_a_task_set_starts_is_replaced_and_throttled_apart(call: Any, world: World) -> None:
    create(call, desired=2)
    good, bad = add(call, world.define({}), 100)["id"], add(call, world.define({"image": "broken"}), 50)["id"]
    goes_on(world)
    assert {id_: one["runningCount"] for id_, one in sets(call).items()} == {good: 2, bad: 0}
    assert sets(call)[good]["stabilityStatus"] == "STEADY_STATE"
    told = [e["message"] for e in shown(call)["events"] if "unable to consistently start" in e["message"]]
    assert told
    assert all(message.startswith(f"(service web, taskSet {bad}) is unable") for message in told)
    tries = len(world.tasks())
    goes_on(world, 4)
    assert len(world.tasks()) <= tries + 2

    task = next(task for task in world.tasks() if task.task.started_by == good and not task.is_stopped)
    call("StopTask", task=task.arn)
    goes_on(world)
    assert sets(call)[good]["runningCount"] == 2


def test_what_serves_has_its_tasks_first_where_there_is_not_room_for_all(call: Any, world: World) -> None:
    create(call, desired=2)
    big = {"memory": 5000}  # one of them fits on each of the two hosts
    add(call, world.define(big), 100)
    serves = add(call, world.define(big), 100)["id"]
    call("UpdateServicePrimaryTaskSet", **WEB, primaryTaskSet=serves)
    goes_on(world)
    assert {task.task.started_by for task in world.tasks()} == {serves}
    assert any("was unable to place a task" in event["message"] for event in shown(call)["events"])


def test_a_protected_task_outlives_the_scale(call: Any, world: World) -> None:
    create(call, desired=2)
    made = add(call, world.define({}), 100)["id"]
    goes_on(world)
    kept = world.tasks()[0].arn
    call("UpdateTaskProtection", cluster="default", tasks=[kept], protectionEnabled=True)
    call("UpdateTaskSet", **WEB, taskSet=made, scale={"value": 0})
    goes_on(world)
    assert [task.arn for task in world.tasks() if not task.is_stopped] == [kept]
    assert any("protected tasks are more than the desired" in event["message"] for event in shown(call)["events"])


def test_task_sets_are_described_by_id_or_arn_with_their_tags(call: Any, world: World) -> None:
    create(call)
    tags = [{"key": "team", "value": "a"}]
    made = add(call, world.define({}), tags=tags)
    assert made["tags"] == tags
    for name in (made["id"], made["taskSetArn"]):
        (found,) = call("DescribeTaskSets", **WEB, taskSets=[name], include=["TAGS"])["taskSets"]
        assert (found["id"], found["tags"]) == (made["id"], tags)
    answer = call("DescribeTaskSets", **WEB, taskSets=["ecs-svc/1", made["id"]])
    assert answer["failures"] == [{"arn": "ecs-svc/1", "reason": "MISSING"}]
    assert "tags" not in answer["taskSets"][0]
    call("DeleteTaskSet", **WEB, taskSet=made["id"])
    goes_on(world, 1)
    with world.store.read() as view:
        assert view.get(TAGS, made["taskSetArn"]) is None


def test_the_same_client_token_makes_one_task_set(call: Any, world: World) -> None:
    create(call)
    definition = world.define({})
    first = add(call, definition, 25, clientToken="t")
    assert add(call, definition, 25, clientToken="t")["id"] == first["id"]
    assert len(sets(call)) == 1
    given = {**WEB, "taskDefinition": definition, "clientToken": "t"}
    refused(call, "InvalidParameterException", "CreateTaskSet", **given)


def test_the_client_token_of_a_deleted_task_set_makes_one_anew(call: Any, world: World) -> None:
    create(call)
    definition = world.define({})
    first = add(call, definition, clientToken="t")
    call("CreateService", serviceName="api", desiredCount=1, deploymentController={"type": "EXTERNAL"})
    other = {**WEB, "service": "api", "taskDefinition": definition, "clientToken": "t"}
    refused(call, "InvalidParameterException", "CreateTaskSet", **other)
    call("DeleteTaskSet", **WEB, taskSet=first["id"])
    goes_on(world, 1)
    assert not sets(call)
    made = add(call, definition, clientToken="t")
    assert made["id"] != first["id"]
    assert add(call, definition, clientToken="t")["id"] == made["id"]


def test_at_most_five_task_sets(call: Any, world: World) -> None:
    create(call)
    definition = world.define({})
    for _ in range(5):
        add(call, definition)
    words = refused(call, "InvalidParameterException", "CreateTaskSet", **WEB, taskDefinition=definition)
    assert words.startswith("5 deployments exist on the service.")


def test_a_deleted_service_takes_its_task_sets_along(call: Any, world: World) -> None:
    create(call, desired=2)
    made = add(call, world.define({}), 100)["id"]
    goes_on(world)
    assert "--force" in refused(call, "InvalidParameterException", "DeleteService", service="web")
    call("DeleteService", service="web", force=True)
    words = refused(call, "ServiceNotActiveException", "DeleteTaskSet", **WEB, taskSet=made)
    assert words == "Service was not ACTIVE."
    goes_on(world)
    assert shown(call)["status"] == "INACTIVE"
    assert shown(call)["taskSets"] == []
    assert all(task.is_stopped for task in world.tasks())


def test_a_definition_that_a_task_set_needs_is_not_forgotten(call: Any, world: World) -> None:
    create(call)
    definition = world.define({})
    add(call, definition)
    call("DeregisterTaskDefinition", taskDefinition=definition)
    call("DeleteTaskDefinitions", taskDefinitions=[definition])
    found = call("DescribeTaskDefinition", taskDefinition=definition)["taskDefinition"]
    assert found["status"] == "DELETE_IN_PROGRESS"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"taskDefinition": "app"}, "TaskDefinition must be blank"),
        ({"schedulingStrategy": "DAEMON", "desiredCount": None}, "daemon scheduling strategy does not support the EXT"),
        ({"deploymentConfiguration": {"strategy": "BLUE_GREEN"}}, "deploymentConfiguration.strategy: can only be"),
        (
            {"deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}},
            "deploymentCircuitBreaker: can only be given with the ECS deployment controller",
        ),
        ({"desiredCount": None}, "desiredCount: is needed"),
    ],
)
def test_what_such_a_service_cannot_have(call: Any, world: World, more: dict[str, Any], words: str) -> None:
    wanted = {"serviceName": "web", "desiredCount": 1, "deploymentController": {"type": "EXTERNAL"}, **more}
    given = {name: value for name, value in wanted.items() if value is not None}
    assert words in refused(call, "InvalidParameterException", "CreateService", **given)


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"taskDefinition": "app"}, "InvalidParameterException", "Unable to update task definition on services with"),
        ({"forceNewDeployment": True}, "InvalidParameterException", "Cannot force a new deployment on services with"),
        ({"deploymentController": {"type": "ECS"}}, "ClientException", "a service of EXTERNAL cannot be changed"),
    ],
)
def test_what_such_a_service_cannot_become(
    call: Any, world: World, change: dict[str, Any], code: str, words: str
) -> None:
    create(call)
    assert words in refused(call, code, "UpdateService", service="web", **change)


def test_what_is_wrong_of_a_task_set_is_said(call: Any, world: World) -> None:
    definition = world.define({})
    call("CreateService", serviceName="plain", desiredCount=0, taskDefinition=definition)
    plain = {"cluster": "default", "service": "plain"}
    words = refused(call, "InvalidParameterException", "CreateTaskSet", **plain, taskDefinition=definition)
    assert words.startswith("Amazon ECS only supports task set management on services configured to use external")
    refused(call, "ServiceNotFoundException", "CreateTaskSet", **WEB, taskDefinition=definition)
    create(call)
    refused(call, "ClusterNotFoundException", "DescribeTaskSets", cluster="other", service="web")
    refused(call, "ClientException", "CreateTaskSet", **WEB, taskDefinition="none")
    for action in ("UpdateTaskSet", "DeleteTaskSet"):
        scale = {"scale": {"value": 1}} if action == "UpdateTaskSet" else {}
        refused(call, "TaskSetNotFoundException", action, **WEB, taskSet="ecs-svc/1", **scale)
    for value in (-1, 100.1, float("nan")):
        given = {**WEB, "taskDefinition": definition, "scale": {"value": value}}
        assert "between 0 and 100" in refused(call, "InvalidParameterException", "CreateTaskSet", **given)
    given = {**WEB, "taskDefinition": definition, "platformVersion": "1.4.0"}
    assert "platform version" in refused(call, "InvalidParameterException", "CreateTaskSet", **given)
    made = add(call, definition, 100)["id"]
    call("DeleteTaskSet", **WEB, taskSet=made, force=True)
    for action, more in (
        ("UpdateTaskSet", {"taskSet": made, "scale": {"value": 1}}),
        ("UpdateServicePrimaryTaskSet", {"primaryTaskSet": made}),
    ):
        assert "is being deleted" in refused(call, "InvalidParameterException", action, **WEB, **more)
