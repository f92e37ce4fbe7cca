"""CodeDeploy, as `aws ecs deploy` and others ask it: each service has an application, and deployments are its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from tests.server.neighbourhood import Neighbourhood, neighbourhood

NAMES = {"applicationName": "AppECS-default-web", "deploymentGroupName": "DgpECS-default-web"}
MODEL = botocore.session.get_session().get_service_model("codedeploy")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Neighbourhood]:
    with neighbourhood(tmp_path) as made:
        made.world.define({})
        made.client("ecs").create_service(serviceName="web", taskDefinition="app", desiredCount=1)
        made.go_on(0)
        made.go_on(60)
        yield made


def spec(definition: str, **properties: Any) -> dict[str, Any]:
    service = {"Type": "AWS::ECS::Service", "Properties": {"TaskDefinition": definition, **properties}}
    return {"version": 0.0, "Resources": [{"TargetService": service}]}


def revision(content: Any) -> dict[str, Any]:
    text = content if isinstance(content, str) else json.dumps(content)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {"revisionType": "AppSpecContent", "appSpecContent": {"content": text, "sha256": digest}}


def deploy(place: Neighbourhood, content: Any) -> str:
    made = place.client("codedeploy").create_deployment(**NAMES, revision=revision(content))
    return str(made["deploymentId"])


def status(place: Neighbourhood, number: str) -> dict[str, Any]:
    answer = place.client("codedeploy").get_deployment(deploymentId=number)
    answer.pop("ResponseMetadata")
    report = ParamValidator().validate(answer, MODEL.operation_model("GetDeployment").output_shape)
    assert not report.has_errors(), report.generate_report()
    info: dict[str, Any] = answer["deploymentInfo"]
    assert {name: info[name] for name in NAMES} == NAMES
    return info


def test_a_deployment_is_that_of_the_service(place: Neighbourhood) -> None:
    second = place.world.define({})
    number = deploy(place, spec(second, LoadBalancerInfo={"ContainerName": "main", "ContainerPort": 80}))
    assert status(place, number)["status"] == "InProgress"
    for _ in range(4):
        place.go_on(50)
    info = status(place, number)
    assert (info["status"], info["computePlatform"]) == ("Succeeded", "ECS")
    assert info["completeTime"] >= info["startTime"]
    (service,) = place.client("ecs").describe_services(services=["web"])["services"]
    assert service["taskDefinition"].endswith("app:2")
    assert deploy(place, spec(second)) != number, "what is there already is deployed anew"


def test_one_that_is_superseded_was_stopped(place: Neighbourhood) -> None:
    first = deploy(place, spec(place.world.define({})))
    place.go_on(1)
    second = deploy(place, spec(place.world.define({})))
    assert status(place, first)["status"] == "Stopped"
    assert status(place, first)["errorInformation"]["message"]
    assert status(place, second)["status"] == "InProgress"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("version: 0.0", "it has to be JSON"),
        ({**spec("app"), "Hooks": [{"BeforeInstall": "f"}]}, "hooks is not supported by ecsctl"),
        (spec("app", PlatformVersion="LATEST"), "the property platformversion is not supported by ecsctl"),
        ({"version": 0.0, "Resources": []}, "Resources has to be a list of one service"),
        ({"version": 0.0, "Resources": [{"a": []}]}, "the service has to be an object"),
        (spec(""), "TaskDefinition is missing"),
        ([], "the AppSpec file has to be an object"),
    ],
)
def test_a_file_that_asks_for_more_is_refused(place: Neighbourhood, content: Any, said: str) -> None:
    with pytest.raises(ClientError, match=said) as caught:
        deploy(place, content)
    assert caught.value.response["Error"]["Code"] == "InvalidRevisionException"
    (service,) = place.client("ecs").describe_services(services=["web"])["services"]
    assert len(service["deployments"]) == 1


def test_what_is_not_there_is_not_found(place: Neighbourhood) -> None:
    asked = place.client("codedeploy")
    errors = asked.exceptions
    with pytest.raises(errors.ApplicationDoesNotExistException):
        asked.get_application(applicationName="AppECS-default-other")
    with pytest.raises(errors.DeploymentGroupDoesNotExistException):
        asked.get_deployment_group(**(NAMES | {"deploymentGroupName": "other"}))
    with pytest.raises(errors.DeploymentDoesNotExistException):
        asked.get_deployment(deploymentId="d-1")
    with pytest.raises(errors.RevisionRequiredException):
        asked.create_deployment(**NAMES, revision={})
    wrong = {"content": json.dumps(spec("app")), "sha256": "0" * 64}
    with pytest.raises(errors.InvalidRevisionException, match="its sha256 is another"):
        asked.create_deployment(**NAMES, revision={"revisionType": "String", "string": wrong})
    with pytest.raises(ClientError, match="ClientException"):
        deploy(place, spec("nothing"))
