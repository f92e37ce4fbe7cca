"""What has broken clients of ECS elsewhere, point by point, over the wire."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ecsctl.controller.limits import Limits
from ecsctl.engine.simulated_container import Program
from ecsctl.operations.actions import WHY_NOT
from tests.controller.world import World, world_in
from tests.operations.test_corpus import CORPUS, REGISTERS
from tests.server.running import Running, serving

ARN = "arn:aws:ecs:us-east-1:000000000000"
FILLED_IN = {
    "": {
        *("taskDefinitionArn", "revision", "status", "registeredAt", "registeredBy", "requiresAttributes"),
        *("compatibilities", "volumes", "placementConstraints"),
    },
    "containerDefinitions": {
        *("cpu", "environment", "essential", "mountPoints", "portMappings", "systemControls", "volumesFrom"),
    },
    "portMappings": {"hostPort", "protocol"},
    "volumes": {"host"},
}
"""What ECS itself adds to a definition that does not say it, by what it is a member of."""


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    ends = Program(exits_after=1.0, exit_code=3)
    with world_in(tmp_path_factory.mktemp("contract"), hosts=2, ends=ends) as made:
        yield made


@pytest.fixture
def server(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(world.process(), tmp_path_factory.mktemp("socket") / "s") as running:
        yield running


@pytest.fixture(scope="module")
def only_definitions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that many tests share, since they name nothing that another changes."""
    folder = tmp_path_factory.mktemp("shared")
    with world_in(folder) as made, serving(made.process(), folder / "s") as running:
        made.define({})
        yield running


def asked(server: Running, operation: str, **request: Any) -> Any:
    reply = server.call(operation, **request)
    assert reply.status == 200, reply.json
    return reply.json


def refused(server: Running, operation: str, **request: Any) -> str:
    reply = server.call(operation, **request)
    assert reply.status == 400
    return str(reply.json["__type"])


def come_to_rest(world: World) -> None:
    for _ in range(6):
        world.clock.seconds += 30
        world.process().controller.reconcile([f"{ARN}:cluster/default"], Limits(wait=False))


def test_failures_are_a_list_also_when_there_are_none(server: Running, world: World) -> None:
    world.define({})
    (task,) = asked(server, "RunTask", taskDefinition="app")["tasks"]
    asked(server, "CreateService", serviceName="web", taskDefinition="app", desiredCount=1)
    (instance, _) = asked(server, "ListContainerInstances")["containerInstanceArns"]
    (deployment,) = asked(server, "ListServiceDeployments", service="web")["serviceDeployments"]
    for operation, request in (
        ("RunTask", {"taskDefinition": "app"}),
        ("StartTask", {"taskDefinition": "app", "containerInstances": [instance]}),
        ("DescribeTasks", {"tasks": [task["taskArn"]]}),
        ("DescribeServices", {"services": ["web"]}),
        ("DescribeClusters", {}),
        ("DescribeCapacityProviders", {}),
        ("DescribeContainerInstances", {"containerInstances": [instance]}),
        ("DescribeServiceDeployments", {"serviceDeploymentArns": [deployment["serviceDeploymentArn"]]}),
        ("DescribeServiceRevisions", {"serviceRevisionArns": [deployment["targetServiceRevisionArn"]]}),
        ("UpdateContainerInstancesState", {"containerInstances": [instance], "status": "ACTIVE"}),
        ("GetTaskProtection", {"cluster": "default"}),
        ("DeleteTaskDefinitions", {"taskDefinitions": ["nope:1"]}),
    ):
        answer = asked(server, operation, **request)
        assert isinstance(answer["failures"], list), operation
        assert not answer["failures"] or operation == "DeleteTaskDefinitions"


def test_a_cluster_has_its_capacity_providers_also_when_it_has_none(server: Running) -> None:
    made = asked(server, "CreateCluster", clusterName="bare")["cluster"]
    (found,) = asked(server, "DescribeClusters", clusters=["bare"])["clusters"]
    for cluster in (made, found):
        assert cluster["capacityProviders"] == []
        assert cluster["defaultCapacityProviderStrategy"] == []


def test_what_was_made_says_when_in_seconds_since_1970(server: Running, world: World) -> None:
    world.define({})
    now = world.clock.seconds
    (task,) = asked(server, "RunTask", taskDefinition="app")["tasks"]
    service = asked(server, "CreateService", serviceName="web", taskDefinition="app", desiredCount=1)["service"]
    definition = asked(server, "DescribeTaskDefinition", taskDefinition="app")["taskDefinition"]
    (instance, _) = asked(server, "ListContainerInstances")["containerInstanceArns"]
    (described,) = asked(server, "DescribeContainerInstances", containerInstances=[instance])["containerInstances"]
    moments = (
        task["createdAt"],
        service["createdAt"],
        service["deployments"][0]["createdAt"],
        service["deployments"][0]["updatedAt"],
        definition["registeredAt"],
        described["registeredAt"],
    )
    assert all(type(moment) in (int, float) and abs(moment - now) < 10 for moment in moments)


def test_a_deployment_has_a_rollout_state_from_its_first_moment_on(server: Running, world: World) -> None:
    world.define({})
    service = asked(server, "CreateService", serviceName="web", taskDefinition="app", desiredCount=1)["service"]
    assert [one["rolloutState"] for one in service["deployments"]] == ["IN_PROGRESS"]
    come_to_rest(world)
    (service,) = asked(server, "DescribeServices", services=["web"])["services"]
    assert [one["rolloutState"] for one in service["deployments"]] == ["COMPLETED"]


def test_a_container_that_ended_has_an_exit_code_that_is_a_whole_number(server: Running, world: World) -> None:
    world.define({"image": "ends"})
    (task,) = asked(server, "RunTask", taskDefinition="app")["tasks"]
    assert "exitCode" not in task["containers"][0]
    come_to_rest(world)
    (task,) = asked(server, "DescribeTasks", tasks=[task["taskArn"]])["tasks"]
    exit_code = task["containers"][0]["exitCode"]
    assert (task["lastStatus"], type(exit_code), exit_code) == ("STOPPED", int, 3)


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("ListTasks", {}),
        ("ListServices", {}),
        ("ListContainerInstances", {}),
        ("DescribeTasks", {"tasks": ["a"]}),
        ("DescribeServices", {"services": ["a"]}),
        ("DescribeContainerInstances", {"containerInstances": ["a"]}),
        ("RunTask", {"taskDefinition": "app"}),
        ("StartTask", {"taskDefinition": "app", "containerInstances": ["a"]}),
        ("StopTask", {"task": "a"}),
        ("CreateService", {"serviceName": "a", "taskDefinition": "app", "desiredCount": 1}),
        ("UpdateService", {"service": "a"}),
        ("DeleteService", {"service": "a"}),
        ("DeleteCluster", {}),
        ("UpdateCluster", {}),
    ],
)
def test_a_missing_cluster_is_an_error_of_its_own(
    operation: str, request_: dict[str, Any], only_definitions: Running
) -> None:
    for cluster in ("nope", f"{ARN}:cluster/nope"):
        assert refused(only_definitions, operation, cluster=cluster, **request_) == "ClusterNotFoundException"


def test_an_arn_without_a_revision_is_the_newest_that_is_active(server: Running, world: World) -> None:
    for _ in range(3):
        world.define({})
    arn = "arn:aws:ecs:us-east-1:000000000000:task-definition/app"
    asked(server, "DeregisterTaskDefinition", taskDefinition=f"{arn}:3")
    assert asked(server, "DescribeTaskDefinition", taskDefinition=arn)["taskDefinition"]["revision"] == 2
    (task,) = asked(server, "RunTask", taskDefinition=arn)["tasks"]
    assert task["taskDefinitionArn"] == f"{arn}:2"
    service = asked(server, "CreateService", serviceName="web", taskDefinition=arn, desiredCount=0)["service"]
    assert service["taskDefinition"] == f"{arn}:2"
    for action, name in (
        ("DeregisterTaskDefinition", arn),
        ("DescribeTaskDefinition", f"{arn}x"),
        ("DescribeTaskDefinition", arn.replace("us-east-1", "eu-west-1")),
    ):
        assert server.call(action, taskDefinition=name).json["__type"] == "ClientException"


def test_a_missing_definition_is_a_client_exception(server: Running, world: World) -> None:
    world.define({})
    asked(server, "CreateService", serviceName="web", taskDefinition="app", desiredCount=0)
    for missing in ("nope", "app:99", f"{ARN}:task-definition/nope:1"):
        for operation, request in (
            ("DescribeTaskDefinition", {}),
            ("RunTask", {}),
            ("CreateService", {"serviceName": "other", "desiredCount": 1}),
            ("UpdateService", {"service": "web"}),
        ):
            assert refused(server, operation, taskDefinition=missing, **request) == "ClientException"


def test_what_is_missing_in_a_description_is_a_failure_and_no_error(server: Running, world: World) -> None:
    for operation, member, kind in (
        ("DescribeTasks", "tasks", "task"),
        ("DescribeServices", "services", "service"),
        ("DescribeContainerInstances", "containerInstances", "container-instance"),
    ):
        answer = asked(server, operation, **{member: ["0" * 32]})
        assert answer[member] == []
        assert answer["failures"] == [{"arn": f"{ARN}:{kind}/default/{'0' * 32}", "reason": "MISSING"}]
    answer = asked(server, "DescribeClusters", clusters=["nope"])
    assert answer == {"clusters": [], "failures": [{"arn": f"{ARN}:cluster/nope", "reason": "MISSING"}]}


def test_an_unknown_action_is_an_error_in_json(server: Running) -> None:
    for action, code in (
        *((action, "UnsupportedFeatureException") for action in WHY_NOT),
        ("FlyToMoon", "UnknownOperationException"),
        ("", "UnknownOperationException"),
    ):
        reply = server.call(action)
        assert (reply.status, reply.json["__type"]) == (400, code)
        assert action in reply.json["message"]


@pytest.mark.parametrize("name", REGISTERS)
def test_a_definition_comes_back_as_it_was_registered(name: str, only_definitions: Running) -> None:
    given = json.loads((CORPUS / name).read_text())
    tags = given.get("tags", [])
    registered = asked(only_definitions, "RegisterTaskDefinition", **given)["taskDefinition"]
    answer = asked(only_definitions, "DescribeTaskDefinition", taskDefinition=given["family"], include=["TAGS"])
    assert answer["taskDefinition"] == registered
    assert answer["tags"] == tags
    given.pop("tags", None)
    assert list(drift(given, registered, "")) == []
    # And what is described, without what nobody gives, is the same again.
    again = {
        key: value for key, value in registered.items() if key in given or key in ("volumes", "placementConstraints")
    }
    second = asked(only_definitions, "RegisterTaskDefinition", **again)["taskDefinition"]
    assert list(drift(registered, second, "")) == [
        f"revision: {registered['revision']} is {second['revision']}",
        f"taskDefinitionArn: {registered['taskDefinitionArn']} is {second['taskDefinitionArn']}",
    ]


def drift(given: Any, found: Any, where: str) -> Iterator[str]:
    """What a tool that compares would report: all that is not as it was given, but for what ECS fills in."""
    name = where.rpartition(".")[2].partition("[")[0]
    if isinstance(given, dict) and isinstance(found, dict):
        for key in sorted({**given, **found}):
            path = f"{where}.{key}" if where else key
            if key not in found:
                yield f"{path} is lost"
            elif key in given:
                yield from drift(given[key], found[key], path)
            elif key not in FILLED_IN.get(name, ()):
                yield f"{path} was not given"
    elif isinstance(given, list) and isinstance(found, list) and len(given) == len(found):
        for number, (one, other) in enumerate(zip(given, found, strict=True)):
            yield from drift(one, other, f"{where}[{number}]")
    elif given != found:
        yield f"{where}: {given} is {found}"


def test_empty_strings_and_lists_of_a_definition_stay(server: Running) -> None:
    container = {
        "name": "main",
        "image": "up",
        "memory": 16,
        "command": [],
        "entryPoint": [],
        "dnsServers": [],
        "links": [],
        "environment": [{"name": "EMPTY", "value": ""}],
        "dockerLabels": {},
        "secrets": [],
        "ulimits": [],
    }
    given = {"family": "empty", "containerDefinitions": [container], "volumes": [], "requiresCompatibilities": []}
    registered = asked(server, "RegisterTaskDefinition", **given)["taskDefinition"]
    assert list(drift(given, registered, "")) == []


def test_a_log_driver_that_only_engines_know_comes_back_as_it_was_registered(server: Running) -> None:
    container = {"name": "main", "image": "up", "memory": 16, "logConfiguration": {"logDriver": "local"}}
    given = {"family": "kept", "containerDefinitions": [container]}
    assert list(drift(given, asked(server, "RegisterTaskDefinition", **given)["taskDefinition"], "")) == []


def test_a_repeated_client_token_gives_the_same_task(server: Running, world: World) -> None:
    world.define({})
    request = {"taskDefinition": "app", "clientToken": "once"}
    first = asked(server, "RunTask", **request)["tasks"][0]["taskArn"]
    assert asked(server, "RunTask", **request)["tasks"][0]["taskArn"] == first
    assert asked(server, "ListTasks")["taskArns"] == [first]
    assert refused(server, "RunTask", **request, count=2) == "ConflictException"


def test_a_task_that_waits_for_its_image_is_pending_and_activating_only_once_its_containers_are_there(
    server: Running, world: World
) -> None:
    healthy = {"command": ["CMD", "true"]}
    waits = [{"containerName": "first", "condition": "HEALTHY"}]
    world.define({"name": "first", "healthCheck": healthy}, {"name": "second", "dependsOn": waits})
    world.define({"image": "remote"}, family="pulled")
    (task,) = asked(server, "RunTask", taskDefinition="app")["tasks"]
    assert task["lastStatus"] == "ACTIVATING"
    (task,) = asked(server, "RunTask", taskDefinition="pulled")["tasks"]
    assert task["lastStatus"] in ("PENDING", "RUNNING")
    world.define({})
    (task,) = asked(server, "RunTask", taskDefinition="app")["tasks"]
    assert task["lastStatus"] == "RUNNING"


def test_a_service_is_stable_when_one_deployment_has_all_its_tasks(server: Running, world: World) -> None:
    def stable() -> bool:
        (service,) = asked(server, "DescribeServices", services=["web"])["services"]
        return len(service["deployments"]) == 1 and service["runningCount"] == service["desiredCount"]

    world.define({})
    asked(server, "CreateService", serviceName="web", taskDefinition="app", desiredCount=2)
    assert not stable()
    come_to_rest(world)
    assert stable()
    asked(server, "UpdateService", service="web", taskDefinition=world.define({"memory": 32}))
    (service,) = asked(server, "DescribeServices", services=["web"])["services"]
    assert [one["status"] for one in service["deployments"]] == ["PRIMARY", "ACTIVE"]
    assert service["runningCount"] == service["desiredCount"] == 2
    assert not stable()
    come_to_rest(world)
    assert stable()
    asked(server, "UpdateService", service="web", desiredCount=3)
    assert not stable()
