"""The whole of ECS's published model, by boto3: each operation is answered in its shape, or refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from ecsctl.operations.actions import NOT_YET, ROOMS
from ecsctl.server.protocol import ELSEWHERE
from tests.controller.world import World, world_in
from tests.model.test_coverage import EXTENSIONS
from tests.server.running import client, serving
from tests.server.shapes import least

MODEL = botocore.session.get_session().get_service_model("ecs")
CLIENT_NAMES = {name: botocore.xform_name(name) for name in MODEL.operation_names}

SCRIPT: tuple[tuple[str, dict[str, Any]], ...] = (
    ("CreateCluster", {"clusterName": "shop", "tags": [{"key": "a", "value": "b"}]}),
    ("DescribeClusters", {"clusters": ["shop", "missing"], "include": ["TAGS"]}),
    ("ListClusters", {"maxResults": 1}),
    ("UpdateCluster", {"cluster": "shop", "settings": [{"name": "containerInsights", "value": "disabled"}]}),
    ("UpdateClusterSettings", {"cluster": "shop", "settings": [{"name": "containerInsights", "value": "disabled"}]}),
    ("TagResource", {"resourceArn": "{cluster}", "tags": [{"key": "c", "value": ""}]}),
    ("ListTagsForResource", {"resourceArn": "{cluster}"}),
    ("UntagResource", {"resourceArn": "{cluster}", "tagKeys": ["c"]}),
    ("CreateCapacityProvider", {"name": "spare", "autoScalingGroupProvider": {"autoScalingGroupArn": "spare"}}),
    ("DescribeCapacityProviders", {}),
    ("UpdateCapacityProvider", {"name": "spare", "autoScalingGroupProvider": {}}),
    (
        "PutClusterCapacityProviders",
        {"cluster": "shop", "capacityProviders": ["FARGATE"], "defaultCapacityProviderStrategy": []},
    ),
    ("DeleteCapacityProvider", {"capacityProvider": "spare"}),
    ("PutAccountSettingDefault", {"name": "containerInsights", "value": "enabled"}),
    ("PutAccountSetting", {"name": "awsvpcTrunking", "value": "enabled"}),
    ("ListAccountSettings", {"effectiveSettings": True}),
    ("DeleteAccountSetting", {"name": "containerInsights"}),
    ("ListContainerInstances", {}),
    ("UpdateContainerAgent", {"containerInstance": "{instance}"}),
    ("DescribeContainerInstances", {"containerInstances": ["{instance}", "missing"]}),
    ("UpdateContainerInstancesState", {"containerInstances": ["{instance}"], "status": "ACTIVE"}),
    ("PutAttributes", {"attributes": [{"name": "a", "targetId": "{instance}"}]}),
    ("ListAttributes", {"targetType": "container-instance"}),
    ("DeleteAttributes", {"attributes": [{"name": "a", "targetId": "{instance}"}]}),
    (
        "RegisterTaskDefinition",
        {"family": "app", "containerDefinitions": [{"name": "main", "image": "up", "memory": 16, "command": []}]},
    ),
    ("DescribeTaskDefinition", {"taskDefinition": "app", "include": ["TAGS"]}),
    ("ListTaskDefinitions", {}),
    ("ListTaskDefinitionFamilies", {}),
    ("RunTask", {"taskDefinition": "app", "count": 2, "enableExecuteCommand": True}),
    ("StartTask", {"taskDefinition": "app", "containerInstances": ["{instance}"]}),
    ("ListTasks", {}),
    ("DescribeTasks", {"tasks": ["{task}", "missing"], "include": ["TAGS"]}),
    ("SubmitTaskStateChange", {"task": "{task}", "status": "STOPPED", "executionStoppedAt": 0}),
    ("SubmitContainerStateChange", {"task": "{task}", "containerName": "main", "exitCode": 1}),
    ("ExecuteCommand", {"task": "{task}", "command": "sh", "interactive": True}),
    ("StopTask", {"task": "{task}", "reason": "enough"}),
    ("CreateService", {"serviceName": "web", "taskDefinition": "app", "desiredCount": 1}),
    ("DescribeServices", {"services": ["web", "missing"]}),
    ("ListServices", {}),
    ("ListServicesByNamespace", {"namespace": "shop"}),
    ("UpdateService", {"service": "web", "desiredCount": 2, "forceNewDeployment": True}),
    ("ListServiceDeployments", {"service": "web", "createdAt": {"after": 0}}),
    ("DescribeServiceDeployments", {"serviceDeploymentArns": ["{deployment}"]}),
    ("DescribeServiceRevisions", {"serviceRevisionArns": ["{revision}"]}),
    ("StopServiceDeployment", {"serviceDeploymentArn": "{deployment}"}),
    ("ContinueServiceDeployment", {"serviceDeploymentArn": "{deployment}", "hookId": "none"}),
    ("GetTaskProtection", {"cluster": "default"}),
    ("UpdateTaskProtection", {"cluster": "default", "tasks": ["{task}"], "protectionEnabled": False}),
    ("CreateService", {"serviceName": "mine", "deploymentController": {"type": "EXTERNAL"}, "desiredCount": 0}),
    ("CreateTaskSet", {"service": "mine", "cluster": "default", "taskDefinition": "app"}),
    ("DescribeTaskSets", {"service": "mine", "cluster": "default"}),
    (
        "UpdateTaskSet",
        {"service": "mine", "cluster": "default", "taskSet": "{set}", "scale": {"value": 0.0, "unit": "PERCENT"}},
    ),
    ("UpdateServicePrimaryTaskSet", {"service": "mine", "cluster": "default", "primaryTaskSet": "{set}"}),
    ("DeleteTaskSet", {"service": "mine", "cluster": "default", "taskSet": "{set}", "force": True}),
    ("DeleteService", {"service": "web", "force": True}),
    ("DeregisterTaskDefinition", {"taskDefinition": "app:1"}),
    ("DeleteTaskDefinitions", {"taskDefinitions": ["app:1"]}),
    ("DeregisterContainerInstance", {"containerInstance": "{instance}", "force": True}),
    ("DeleteCluster", {"cluster": "shop"}),
)
"""A life of a cluster that calls every operation; in braces is what the ones before made."""
REFUSED = {"ContinueServiceDeployment", "StopServiceDeployment", "UpdateContainerAgent"}
"""Those whose answer here is an error that they have in the model: there is no deployment that pauses, and no agent."""


class Walk:
    """Calls operations, and keeps what was made for those that follow."""

    def __init__(self, ecs: Any) -> None:
        self._ecs = ecs
        self.made: dict[str, str] = {}
        self.answers: dict[str, Any] = {}

    def call(self, operation: str, request: dict[str, Any]) -> Any:
        answer = getattr(self._ecs, CLIENT_NAMES[operation])(**self._filled(request))
        metadata = answer.pop("ResponseMetadata")
        assert metadata["HTTPStatusCode"] == 200
        assert len(metadata["RequestId"]) == 36
        self.answers[operation] = answer
        self._keep(operation, answer)
        return answer

    def code(self, operation: str, request: dict[str, Any]) -> str:
        """As call; what its error is called."""
        try:
            self.call(operation, request)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "OK"

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        return self.made[value[1:-1]] if isinstance(value, str) and value.startswith("{") else value

    def _keep(self, operation: str, answer: Any) -> None:
        with suppress(KeyError, IndexError):
            match operation:
                case "CreateCluster":
                    self.made["cluster"] = answer["cluster"]["clusterArn"]
                case "ListContainerInstances":
                    self.made["instance"] = answer["containerInstanceArns"][0]
                case "RunTask":
                    self.made["task"] = answer["tasks"][0]["taskArn"]
                case "ListServiceDeployments":
                    self.made["deployment"] = answer["serviceDeployments"][0]["serviceDeploymentArn"]
                    self.made["revision"] = answer["serviceDeployments"][0]["targetServiceRevisionArn"]
                case "CreateTaskSet":
                    self.made["set"] = answer["taskSet"]["taskSetArn"]


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Walk, dict[str, str]]]:
    folder = tmp_path_factory.mktemp("walk")
    codes: dict[str, str] = {}
    path = folder / "s"
    with world_in(folder, hosts=2) as world, serving(world.process(), path), client(path) as ecs:
        made = Walk(ecs)
        for operation, request in SCRIPT:
            codes[operation] = made.code(operation, request)
        yield made, codes


def test_the_walk_calls_every_operation_that_works() -> None:
    assert {operation for operation, _ in SCRIPT} == set(ROOMS) - set(ELSEWHERE)


@pytest.mark.parametrize("operation", sorted(set(ROOMS) - set(ELSEWHERE)))
def test_every_answer_has_its_published_shape(operation: str, walk: tuple[Walk, dict[str, str]]) -> None:
    made, codes = walk
    if operation in REFUSED:
        assert codes[operation] in {shape.name for shape in MODEL.operation_model(operation).error_shapes}
        return
    assert codes[operation] == "OK"
    shape = MODEL.operation_model(operation).output_shape
    report = ParamValidator().validate(made.answers[operation], shape)
    assert not report.has_errors(), report.generate_report()


def test_what_tools_rely_on_is_always_there(walk: tuple[Walk, dict[str, str]]) -> None:
    answers = walk[0].answers
    (cluster,) = answers["DescribeClusters"]["clusters"]
    assert cluster["capacityProviders"] == cluster["defaultCapacityProviderStrategy"] == []
    assert answers["DescribeClusters"]["failures"][0]["reason"] == "MISSING"
    assert answers["RunTask"]["failures"] == []
    assert len(answers["DescribeTasks"]["tasks"]) == len(answers["DescribeTasks"]["failures"]) == 1
    assert answers["DescribeTasks"]["failures"][0]["reason"] == "MISSING"
    assert isinstance(answers["DescribeTasks"]["tasks"][0]["createdAt"], datetime)
    assert answers["DescribeServices"]["failures"][0]["reason"] == "MISSING"
    (deployment,) = answers["DescribeServices"]["services"][0]["deployments"]
    assert deployment["rolloutState"] == "IN_PROGRESS"
    assert isinstance(deployment["createdAt"], datetime)
    assert answers["DescribeTaskDefinition"]["taskDefinition"]["containerDefinitions"][0]["command"] == []


def test_every_member_of_an_answer_is_published_or_known_to_be_ours(world: World, tmp_path: Path) -> None:
    ours = set().union(*EXTENSIONS.values())
    assert ours
    with serving(world.process(), tmp_path / "s") as server:
        world.define({})
        for operation, request in (
            ("CreateService", {"serviceName": "web", "taskDefinition": "app", "desiredCount": 1}),
            ("DescribeServices", {"services": ["web"]}),
            ("RunTask", {"taskDefinition": "app"}),
            ("DescribeTaskDefinition", {"taskDefinition": "app"}),
        ):
            answer = server.call(operation, **request)
            assert answer.status == 200
            assert set(_strange(answer.json, MODEL.operation_model(operation).output_shape)) <= ours


def _strange(value: Any, shape: Any) -> Iterator[str]:
    """The members that the published shape does not have; moments have to be numbers."""
    if shape.type_name == "structure":
        for name, item in value.items():
            assert item is not None
            if name in shape.members:
                yield from _strange(item, shape.members[name])
            else:
                yield name
    elif shape.type_name == "list":
        for item in value:
            yield from _strange(item, shape.member)
    elif shape.type_name == "timestamp":
        assert isinstance(value, float)


@pytest.mark.parametrize("operation", sorted(NOT_YET | set(ELSEWHERE)))
def test_an_operation_that_there_is_not_is_refused_by_name(operation: str, ecs: Any) -> None:
    request = least(MODEL.operation_model(operation).input_shape)
    with pytest.raises(ecs.exceptions.UnsupportedFeatureException, match=f"{operation} is not supported"):
        getattr(ecs, CLIENT_NAMES[operation])(**request)


@pytest.mark.parametrize(
    ("operation", "request_", "code"),
    [
        ("describe_tasks", {"cluster": "no", "tasks": ["a"]}, "ClusterNotFoundException"),
        ("list_services", {"cluster": "no"}, "ClusterNotFoundException"),
        ("run_task", {"taskDefinition": "no"}, "ClientException"),
        ("describe_task_definition", {"taskDefinition": "no"}, "ClientException"),
        ("update_service", {"service": "no"}, "ServiceNotFoundException"),
        ("run_task", {"taskDefinition": "no", "launchType": "MOON"}, "InvalidParameterException"),
        ("list_tasks", {"maxResults": 1000}, "InvalidParameterException"),
        ("list_tasks", {"nextToken": "²"}, "InvalidParameterException"),
    ],
)
def test_errors_are_those_that_clients_know(operation: str, request_: dict[str, Any], code: str, ecs: Any) -> None:
    with pytest.raises(getattr(ecs.exceptions, code)):
        getattr(ecs, operation)(**request_)


def test_a_paginator_gets_all_pages(ecs: Any) -> None:
    for n in range(7):
        ecs.create_cluster(clusterName=f"c{n}")
    pages = list(ecs.get_paginator("list_clusters").paginate(PaginationConfig={"PageSize": 3}))
    assert [len(page["clusterArns"]) for page in pages] == [3, 3, 2]


def test_a_paginator_sees_all_that_is_removed_as_it_goes(ecs: Any, world: World) -> None:
    container = {"name": "main", "image": "up", "memory": 16}
    for _ in range(6):
        ecs.register_task_definition(family="app", containerDefinitions=[container])
    ecs.run_task(taskDefinition="app", count=6)
    size = {"PageSize": 2}
    for page in ecs.get_paginator("list_task_definitions").paginate(PaginationConfig=size):
        for arn in page["taskDefinitionArns"]:
            ecs.deregister_task_definition(taskDefinition=arn)
    for page in ecs.get_paginator("list_tasks").paginate(PaginationConfig=size):
        for arn in page["taskArns"]:
            ecs.stop_task(task=arn)
    assert ecs.list_task_definitions()["taskDefinitionArns"] == []
    assert {task.task.desired_status for task in world.tasks()} == {"STOPPED"}


def test_a_repeated_client_token_gives_the_same_task(ecs: Any, world: World) -> None:
    definition = world.define({})
    first = ecs.run_task(taskDefinition=definition, clientToken="once")
    again = ecs.run_task(taskDefinition=definition, clientToken="once")
    assert first["tasks"][0]["taskArn"] == again["tasks"][0]["taskArn"]
    assert len(world.tasks()) == 1
