"""What is wrong with a request is said in ECS's words, and what is right becomes the request."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import botocore.session
import pytest

from ecsctl.model.api.service_deployments import CreatedAt, ListServiceDeploymentsRequest
from ecsctl.model.api.tasks import ListTasksRequest, RunTaskRequest
from ecsctl.model.errors import (
    ApiError,
    EcsctlError,
    EngineUnreachable,
    InputError,
    SecretUnavailable,
    StateUnreachable,
)
from ecsctl.operations.actions import NOT_YET, ROOMS
from ecsctl.server import protocol

MODEL = botocore.session.get_session().get_service_model("ecs")


def refused(action: str, body: bytes) -> tuple[str, str]:
    with pytest.raises(ApiError) as caught:
        protocol.request_in(action, body)
    assert protocol.status_of(caught.value) == 400
    return caught.value.code, caught.value.message


def test_the_protocol_is_the_one_that_ecs_announces() -> None:
    assert MODEL.metadata["protocols"] == ["json"]
    assert MODEL.metadata["jsonVersion"] in protocol.CONTENT_TYPE
    assert MODEL.metadata["targetPrefix"] + "." == protocol.PREFIX


def test_every_operation_of_ecs_is_known_by_name() -> None:
    assert set(MODEL.operation_names) == set(ROOMS) | NOT_YET
    assert set(protocol.ELSEWHERE) < set(ROOMS)


def test_a_request_is_the_record_that_the_command_line_makes() -> None:
    body = b'{"taskDefinition": "app", "count": 2, "cluster": null}'
    assert protocol.request_in("RunTask", body) == RunTaskRequest("app", count=2)
    assert protocol.request_in("ListTasks", b"") == ListTasksRequest()


def test_moments_are_seconds_since_1970() -> None:
    body = b'{"service": "web", "createdAt": {"after": 1700000000.5}}'
    moment = datetime(2023, 11, 14, 22, 13, 20, 500000, timezone.utc)
    wanted = ListServiceDeploymentsRequest("web", created_at=CreatedAt(after=moment))
    assert protocol.request_in("ListServiceDeployments", body) == wanted


@pytest.mark.parametrize("moment", [b'"2023-11-14T22:13:20"', b"true", b"1e300", b"[]"])
def test_what_is_no_moment_is_refused(moment: bytes) -> None:
    body = b'{"service": "web", "createdAt": {"after": ' + moment + b"}}"
    code, message = refused("ListServiceDeployments", body)
    assert code == "SerializationException"
    assert message.startswith("createdAt.after: ")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "not valid JSON"),
        (b"\xff{}", "is not UTF-8 text"),
        (b"[]", "expected an object"),
        (b'{"cluster": NaN}', "NaN is not JSON"),
        (b'{"maxResults": 1e400}', "out of range"),
        (b'{"maxResults": ' + b"9" * 5000 + b"}", "out of range"),
        (b'{"cluster": "a", "cluster": "b"}', 'the key "cluster" is given twice'),
        (b'{"cluster": "\\ud800"}', "half of a surrogate pair"),
        (b'{"cluster": ' + b"[" * 60 + b"]" * 60 + b"}", "nested deeper than 50"),
        (b"[" * 500_000, "nested deeper than 50"),
        (b'{"cluster": 1}', "cluster: expected a string, got a whole number"),
        (b'{"maxResults": "1"}', "maxResults: expected a whole number, got a string"),
        (b'{"maxResults": {}}', "maxResults: expected a whole number, got an object"),
    ],
)
def test_what_cannot_be_read_is_a_serialization_exception(body: bytes, said: str) -> None:
    code, message = refused("ListTasks", body)
    assert code == "SerializationException"
    assert said in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("action", "body", "said"),
    [
        ("RunTask", b"{}", "taskDefinition: is required but missing"),
        ("RunTask", b'{"taskDefinition": null}', "taskDefinition: is required but missing"),
        ("RunTask", b'{"taskDefinition": "a", "launchType": "MOON"}', "launchType: 'MOON' is not one of EC2, FARGATE"),
        ("ListTasks", b'{"clutser": "a"}', 'clutser: unknown field; did you mean "cluster"?'),
    ],
)
def test_what_does_not_fit_the_model_is_an_invalid_parameter(action: str, body: bytes, said: str) -> None:
    code, message = refused(action, body)
    assert code == "InvalidParameterException"
    assert said in message


@pytest.mark.parametrize(
    ("target", "code", "said"),
    [
        ("", "UnknownOperationException", "''"),
        ("ListTasks", "UnknownOperationException", "'ListTasks'"),
        ("AmazonSSM.GetParameter", "UnknownOperationException", "'AmazonSSM.GetParameter'"),
        (protocol.PREFIX + "FlyToMoon", "UnknownOperationException", "FlyToMoon"),
        (protocol.PREFIX + "DescribeRegions", "UnknownOperationException", "DescribeRegions"),
        (protocol.PREFIX + "CreateDaemon", "UnsupportedFeatureException", "CreateDaemon is not supported by ecsctl: "),
        (protocol.PREFIX + "RegisterContainerInstance", "UnsupportedFeatureException", "use `ecsctl host add`"),
    ],
)
def test_an_operation_that_is_not_answered_is_refused_by_name(target: str, code: str, said: str) -> None:
    with pytest.raises(ApiError) as caught:
        protocol.action_in(target)
    assert caught.value.code == code
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (ApiError("ClusterNotFoundException", "x"), "ClusterNotFoundException", 400),
        (InputError("x"), "InvalidParameterException", 400),
        (SecretUnavailable("x"), "ClientException", 400),
        (EngineUnreachable("x"), "ServerException", 500),
        (StateUnreachable("x"), "ServerException", 500),
    ],
)
def test_every_error_is_one_of_ecs(error: EcsctlError, code: str, status: int) -> None:
    told = protocol.as_api_error(error)
    assert (told.code, protocol.status_of(told), told.message) == (code, status, "x")


def test_an_answer_has_numbers_for_moments_and_lacks_what_is_absent() -> None:
    answer: Any = ListServiceDeploymentsRequest(
        "web", created_at=CreatedAt(after=datetime(2023, 11, 14, 22, 13, 20, 123456, timezone.utc))
    )
    assert protocol.answer_body(answer) == b'{"service":"web","createdAt":{"after":1700000000.123}}'
