"""Each neighbour, asked by boto3 as it is: what it answers fits the published model, and is what the operation said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from ecsctl.model.record import Record, decode, fields_of, to_wire, unwrap
from ecsctl.operations.neighbours.actions import NEIGHBOURS, operation_of, request_of
from ecsctl.server.asked import NAMESPACES, TARGETS, VERSIONS
from tests.server.neighbourhood import GROUP, Neighbourhood, neighbourhood
from tests.server.shapes import least

SERVICES = {room: room.replace("_", "-") for room in NEIGHBOURS}
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "neighbours.md").read_text()
SESSION = botocore.session.get_session()
SUBNETS = {"awsvpcConfiguration": {"subnets": ["private-a"], "securityGroups": ["sg-web"]}}
CALLS: dict[str, dict[str, dict[str, Any]]] = {
    "sts": {"GetCallerIdentity": {}},
    "ec2": {
        "DescribeAccountAttributes": {"AttributeNames": ["default-vpc"]},
        "DescribeAvailabilityZones": {"ZoneNames": ["zone1"], "Filters": [{"Name": "state", "Values": ["available"]}]},
        "DescribeNetworkInterfaces": {"Filters": [{"Name": "subnet-id", "Values": ["x", "private-*"]}]},
        "DescribeRegions": {"RegionNames": ["us-east-1"]},
        "DescribeSecurityGroups": {"GroupIds": ["sg-web", "sg-other"], "MaxResults": 5},
        "DescribeSubnets": {"SubnetIds": ["private-a", "private-b"], "MaxResults": 5},
        "DescribeVpcs": {"Filters": [{"Name": "isDefault", "Values": ["true"]}]},
    },
    "logs": {
        "CreateLogGroup": {"logGroupName": "/new"},
        "DescribeLogGroups": {"logGroupNamePrefix": "/ecs", "limit": 1},
        "DescribeLogStreams": {"logGroupName": GROUP, "orderBy": "LastEventTime", "descending": True},
        "FilterLogEvents": {"logGroupName": GROUP, "filterPattern": '"line 1"', "limit": 3},
        "ListTagsForResource": {"resourceArn": "arn:aws:logs:us-east-1:000000000000:log-group:/tagged"},
        "ListTagsLogGroup": {"logGroupName": "/tagged"},
        "GetLogEvents": {"logGroupName": GROUP, "logStreamName": "app/main/{task}", "limit": 3},
    },
    "ssm": {
        "GetParameter": {"Name": "/prod/region", "WithDecryption": True},
        "GetParameters": {"Names": ["plain:1", "/no"], "WithDecryption": True},
        "GetParametersByPath": {"Path": "/prod", "Recursive": True, "MaxResults": 1},
    },
    "secretsmanager": {
        "GetSecretValue": {"SecretId": "plain", "VersionStage": "AWSPREVIOUS"},
        "ListSecrets": {"Filters": [{"Key": "name", "Values": ["prod/"]}], "MaxResults": 1, "SortOrder": "desc"},
    },
    "ecr": {
        "GetAuthorizationToken": {},
        "DescribeImages": {"repositoryName": "up", "filter": {"tagStatus": "TAGGED"}},
        "DescribeRegistry": {},
        "DescribeRepositories": {"repositoryNames": ["up"]},
        "ListImages": {"repositoryName": "up"},
    },
    "application_autoscaling": {
        "DescribeScalableTargets": {"ServiceNamespace": "ecs", "ResourceIds": ["service/default/web"]},
        "DescribeScalingActivities": {"ServiceNamespace": "ecs", "IncludeNotScaledActivities": True},
        "DescribeScalingPolicies": {"ServiceNamespace": "ecs", "PolicyNames": ["a"]},
        "DescribeScheduledActions": {"ServiceNamespace": "ecs", "MaxResults": 5},
    },
    "codedeploy": {
        "GetApplication": {"applicationName": "AppECS-default-web"},
        "GetDeploymentGroup": {
            "applicationName": "AppECS-default-web",
            "deploymentGroupName": "DgpECS-default-web",
        },
    },
    "elbv2": {
        "DescribeAccountLimits": {"PageSize": 20},
        "DescribeLoadBalancers": {"PageSize": 20},
        "DescribeSSLPolicies": {"LoadBalancerType": "network"},
        "DescribeTargetGroups": {},
    },
}
ONLY_REFUSED = {
    "ecr": {"DescribeImageScanFindings"},
    "elbv2": {
        "DescribeListenerAttributes",
        "DescribeListeners",
        "DescribeLoadBalancerAttributes",
        "DescribeRules",
        "DescribeTags",
        "DescribeTargetGroupAttributes",
        "DescribeTargetHealth",
    },
}
"""Actions that always find nothing: test_neighbours_errors.py."""
STREAMED = {"logs": {"StartLiveTail"}}
"""test_neighbours_logs.py."""
NEVER_THE_SAME = {"sts": {"AssumeRole"}, "codedeploy": {"CreateDeployment", "GetDeployment"}}
"""test_neighbours_access.py, test_neighbours_codedeploy.py."""
ACTIONS = [(room, action) for room, actions in CALLS.items() for action in actions]


def model(room: str) -> ServiceModel:
    found: ServiceModel = SESSION.get_service_model(SERVICES[room])
    return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Neighbourhood, str]]:
    with neighbourhood(tmp_path_factory.mktemp("neighbours")) as made:
        made.run("up", networkConfiguration=SUBNETS)
        made.client("logs").create_log_group(logGroupName="/tagged", tags={"team": "blue"})
        vpc = {"awsvpcConfiguration": {"subnets": ["private-a"]}}
        web = {"serviceName": "web", "taskDefinition": "up", "desiredCount": 0}
        made.client("ecs").create_service(**web, networkConfiguration=vpc)
        yield made, made.run("talker", seconds=30)


def test_the_page_names_every_action_and_no_other() -> None:
    rows = [row.split("|")[2] for row in PAGE.splitlines() if row.startswith("| ") and row.count("|") == 4]
    named = re.findall(r"[A-Z][A-Za-z0-9]+", " ".join(rows[1:]))
    assert sorted(named) == sorted(action for neighbour in NEIGHBOURS.values() for action in neighbour.actions)


def test_every_action_is_called() -> None:
    for room, neighbour in NEIGHBOURS.items():
        others = {*ONLY_REFUSED.get(room, ()), *STREAMED.get(room, ()), *NEVER_THE_SAME.get(room, ())}
        assert set(CALLS[room]) | others == neighbour.actions


@pytest.mark.parametrize(("room", "action"), ACTIONS)
def test_an_answer_has_its_published_shape_and_nothing_is_lost(
    room: str, action: str, place: tuple[Neighbourhood, str]
) -> None:
    made, task = place
    asked = {
        name: value.format(task=task) if isinstance(value, str) else value
        for name, value in CALLS[room][action].items()
    }
    answer = getattr(made.client(SERVICES[room]), xform_name(action))(**asked)
    metadata = answer.pop("ResponseMetadata")
    assert (metadata["HTTPStatusCode"], len(metadata["RequestId"])) == (200, 36)
    shape = model(room).operation_model(action).output_shape
    if shape is None:
        assert answer == {}
        return
    report = ParamValidator().validate(answer, shape)
    assert not report.has_errors(), report.generate_report()
    neighbour = NEIGHBOURS[room]
    request = decode(request_of(neighbour, action), asked)
    said = to_wire(operation_of(neighbour, action)(made.world.process(), request))
    assert _rounded(answer) == _rounded(said)
    assert any(said.values()) or room in ("application_autoscaling", "elbv2")


def _rounded(value: Any) -> Any:
    """With moments as seconds: over the wire they have milliseconds."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return round(value.timestamp(), 3) if hasattr(value, "timestamp") else value


@pytest.mark.parametrize(("room", "action"), ACTIONS)
def test_no_record_has_what_the_model_has_not(room: str, action: str) -> None:
    operation = model(room).operation_model(action)
    request = request_of(NEIGHBOURS[room], action)
    _compare(request, operation.input_shape)
    if operation.output_shape is not None:
        response = import_module(request.__module__)
        _compare(getattr(response, f"{action}Response"), operation.output_shape)


def _compare(kind: Any, shape: Any) -> None:
    kind = unwrap(kind)
    if isinstance(kind, type) and issubclass(kind, Record):
        if shape is None:
            assert not fields_of(kind)
            return
        assert set(fields_of(kind)) <= set(shape.members)
        assert set(shape.required_members) <= set(fields_of(kind))
        for name, member in fields_of(kind).items():
            _compare(member, shape.members[name])
    elif shape.type_name == "list" and shape.member.type_name == "structure" and get_args(kind)[0] is not str:
        _compare(get_args(kind)[0], shape.member)


def test_services_are_told_apart_as_botocore_says() -> None:
    for room in NEIGHBOURS:
        metadata = model(room).metadata
        if model(room).resolved_protocol == "json":
            assert TARGETS[metadata["targetPrefix"]] == room
            assert metadata["jsonVersion"] == "1.1"
        else:
            assert VERSIONS[metadata["apiVersion"]] == room
            assert NAMESPACES[room].rstrip("/") == metadata["xmlNamespace"].rstrip("/")
        assert NEIGHBOURS[room].signs_for == metadata.get("signingName", metadata["endpointPrefix"])


@pytest.mark.parametrize("room", NEIGHBOURS)
def test_what_a_neighbour_does_not_have_is_refused_by_name(room: str, place: tuple[Neighbourhood, str]) -> None:
    neighbour = NEIGHBOURS[room]
    names = [name for name in model(room).operation_names if name not in neighbour.actions]
    client = place[0].client(SERVICES[room])
    for name in sorted(names)[:: max(1, len(names) // 5)]:
        with pytest.raises(ClientError) as caught:
            getattr(client, xform_name(name))(**least(model(room).operation_model(name).input_shape))
        error = caught.value.response
        assert error["Error"]["Code"].removesuffix("Exception") == "UnsupportedOperation"
        assert error["Error"]["Message"].startswith(f"{name} of {neighbour.title} is not supported by ecsctl")
        assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
