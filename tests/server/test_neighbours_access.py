"""Neighbours by TCP: who has a key gets what its policies allow of them, and refusals come in each protocol's words."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

from ecsctl.model.api.access_keys import CreateAccessKeyRequest, DeleteAccessKeyRequest
from ecsctl.model.api.iam_inline_policies import DeleteUserPolicyRequest, PutUserPolicyRequest
from ecsctl.model.api.iam_roles import CreateRoleRequest
from ecsctl.model.api.iam_users import CreateUserRequest
from ecsctl.operations.access_keys import create_access_key, delete_access_key
from ecsctl.operations.iam_inline_policies import delete_user_policy, put_user_policy
from ecsctl.operations.iam_roles import create_role
from ecsctl.operations.iam_users import create_user
from tests.server.neighbourhood import GROUP, Neighbourhood, neighbourhood

OWN = "arn:aws:{}:us-east-1:000000000000:{}"
ALLOWED = {
    "ec2:DescribeSubnets": "*",
    "ecr:ListImages": OWN.format("ecr", "repository/up"),
    "logs:FilterLogEvents": OWN.format("logs", f"log-group:{GROUP}:*"),
    "secretsmanager:GetSecretValue": OWN.format("secretsmanager", "secret:plain-??????"),
    "ssm:GetParameters": OWN.format("ssm", "parameter/prod/*"),
    "ssm:GetParametersByPath": OWN.format("ssm", "parameter/prod/*"),
}


class Users:
    """Users of the state, and their clients by TCP."""

    def __init__(self, place: Neighbourhood) -> None:
        self.place = place
        self._keys: dict[str, tuple[str, str]] = {}

    def add(self, name: str, allowed: dict[str, str]) -> str:
        context = self.place.world.process()
        made = create_user(context, CreateUserRequest(user_name=name)).user
        if allowed:
            statements = [{"Effect": "Allow", "Action": action, "Resource": on} for action, on in allowed.items()]
            policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
            put_user_policy(context, PutUserPolicyRequest(name, "some", policy))
        key = create_access_key(context, CreateAccessKeyRequest(user_name=name)).access_key
        self._keys[name] = key.access_key_id, key.secret_access_key
        return made.user_id

    def revoke(self, name: str) -> None:
        delete_access_key(self.place.world.process(), DeleteAccessKeyRequest(access_key_id=self._keys[name][0]))

    def client(self, name: str, service: str, secret: str | None = None) -> Any:
        key_id, own = self._keys[name]
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.place.server.port}",
            region_name="us-east-1",
            aws_access_key_id=key_id,
            aws_secret_access_key=secret or own,
            config=Config(retries={"total_max_attempts": 1}, inject_host_prefix=False),
        )


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Users]:
    with neighbourhood(tmp_path_factory.mktemp("access")) as place:
        place.world.clock.seconds = time.time()  # by which signatures are judged, and whether credentials expired
        made = Users(place)
        place.run("talker", seconds=30)
        made.add("nobody", {})
        made.add("some", ALLOWED)
        yield made


def refused(client: Any, operation: str, **request: Any) -> tuple[int, str, str]:
    with closing(client), pytest.raises(ClientError) as caught:
        getattr(client, operation)(**request)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]


def test_everybody_with_a_key_may_ask_who_they_are(users: Users) -> None:
    user_id = users.add("me", {})
    with closing(users.client("me", "sts")) as sts:
        answer = sts.get_caller_identity()
    assert answer["Arn"] == "arn:aws:iam::000000000000:user/me"
    assert (answer["UserId"], answer["Account"]) == (user_id, "000000000000")
    assert answer["UserId"].startswith("AIDA")


def test_a_role_is_assumed_by_who_may_and_its_session_knows_itself(users: Users) -> None:
    role = "arn:aws:iam::000000000000:role/release"
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    made = create_role(users.place.world.process(), CreateRoleRequest("release", document)).role
    users.add("releaser", {"sts:AssumeRole": role})
    elsewhere = {**trust, "Condition": {"NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}}}
    document = json.dumps({"Version": "2012-10-17", "Statement": elsewhere})
    far = create_role(users.place.world.process(), CreateRoleRequest("far", document)).role.arn
    users.add("traveller", {"sts:AssumeRole": far})
    told = refused(users.client("traveller", "sts"), "assume_role", RoleArn=far, RoleSessionName="job")
    assert told[:2] == (403, "AccessDenied")
    asked = {"RoleArn": role, "RoleSessionName": "job", "DurationSeconds": 900}
    assert refused(users.client("nobody", "sts"), "assume_role", **asked)[:2] == (403, "AccessDenied")
    with closing(users.client("releaser", "sts")) as sts:
        answer = sts.assume_role(**asked)
    keys = answer["Credentials"]
    assert answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::000000000000:assumed-role/release/job"
    session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], "us-east-1")
    url = f"http://127.0.0.1:{users.place.server.port}"
    with closing(session.client("sts", endpoint_url=url)) as sts:
        told = sts.get_caller_identity()
    assert (told["Arn"], told["UserId"]) == (answer["AssumedRoleUser"]["Arn"], f"{made.role_id}:job")
    assert keys["SecretAccessKey"] not in "\n".join(users.place.server.log)


@pytest.mark.parametrize(
    ("service", "operation", "request_", "status", "code"),
    [
        ("ec2", "describe_subnets", {}, 403, "UnauthorizedOperation"),
        ("elbv2", "describe_load_balancers", {}, 403, "AccessDenied"),
        ("logs", "get_log_events", {"logGroupName": GROUP, "logStreamName": "a"}, 400, "AccessDeniedException"),
        ("logs", "start_live_tail", {"logGroupIdentifiers": [GROUP]}, 400, "AccessDeniedException"),
        ("logs", "create_log_group", {"logGroupName": "x"}, 400, "AccessDeniedException"),
        ("secretsmanager", "get_secret_value", {"SecretId": "plain"}, 400, "AccessDeniedException"),
        ("secretsmanager", "get_secret_value", {"SecretId": "no"}, 400, "AccessDeniedException"),
        ("ssm", "get_parameter", {"Name": "plain"}, 400, "AccessDeniedException"),
        ("ecr", "describe_repositories", {}, 400, "AccessDeniedException"),
        (
            "application-autoscaling",
            "describe_scalable_targets",
            {"ServiceNamespace": "ecs"},
            400,
            "AccessDeniedException",
        ),
    ],
)
def test_who_no_policy_allows_it_is_refused_as_the_service_does(
    service: str, operation: str, request_: dict[str, Any], status: int, code: str, users: Users
) -> None:
    told = refused(users.client("nobody", service), operation, **request_)
    assert told[:2] == (status, code)
    assert "user/nobody is not authorized to perform: " in told[2]


def test_what_a_policy_allows_is_had_and_nothing_beside_it(users: Users) -> None:
    def client(service: str) -> Any:
        return users.client("some", service)

    with closing(client("ec2")) as ec2:
        assert ec2.describe_subnets()["Subnets"]
    assert refused(client("ec2"), "describe_vpcs")[1] == "UnauthorizedOperation"
    assert refused(client("ec2"), "describe_vpcs", DryRun=True)[1] == "UnauthorizedOperation"
    assert refused(client("ec2"), "describe_subnets", DryRun=True)[1] == "DryRunOperation"
    with closing(client("logs")) as logs:
        assert logs.filter_log_events(logGroupName=GROUP)["events"]
    assert refused(client("logs"), "filter_log_events", logGroupName="/ecs/other")[1] == "AccessDeniedException"
    with closing(client("secretsmanager")) as secrets:
        assert secrets.get_secret_value(SecretId="plain")["SecretString"] == "new"
    denied = refused(client("secretsmanager"), "get_secret_value", SecretId="prod/db/password")
    assert denied[1] == "AccessDeniedException"
    assert "hunter2" not in denied[2]
    with closing(client("ssm")) as ssm:
        names = ["/prod/region", "/prod/db/password"]
        assert len(ssm.get_parameters(Names=names, WithDecryption=True)["Parameters"]) == 2
        assert len(ssm.get_parameters_by_path(Path="/prod/", Recursive=True)["Parameters"]) == 2
    assert refused(client("ssm"), "get_parameters", Names=["/prod/region", "plain"])[1] == "AccessDeniedException"
    assert refused(client("ssm"), "get_parameters_by_path", Path="/", Recursive=True)[1] == "AccessDeniedException"
    with closing(client("ecr")) as ecr:
        assert ecr.list_images(repositoryName="up")["imageIds"]
    assert refused(client("ecr"), "list_images", repositoryName="talker")[1] == "AccessDeniedException"


def test_a_path_with_more_slashes_is_judged_as_what_is_read(users: Users) -> None:
    users.add("slashes", {"ssm:GetParametersByPath": OWN.format("ssm", "parameter//*")})
    denied = refused(users.client("slashes", "ssm"), "get_parameters_by_path", Path="//prod", Recursive=True)
    assert denied[1] == "AccessDeniedException"
    assert OWN.format("ssm", "parameter/prod") in denied[2]


@pytest.mark.parametrize(
    ("service", "operation", "status", "code"),
    [
        ("sts", "get_caller_identity", 403, "SignatureDoesNotMatch"),
        ("ec2", "describe_vpcs", 401, "AuthFailure"),
        ("logs", "describe_log_groups", 400, "InvalidSignatureException"),
        ("iam", "list_users", 403, "SignatureDoesNotMatch"),
    ],
)
def test_a_wrong_secret_is_told_as_each_protocol_does(
    service: str, operation: str, status: int, code: str, users: Users
) -> None:
    assert refused(users.client("some", service, secret="wrong"), operation)[:2] == (status, code)


def test_a_live_tail_ends_when_its_policy_does(users: Users) -> None:
    users.add("listener", {"logs:StartLiveTail": OWN.format("logs", f"log-group:{GROUP}")})
    with closing(users.client("listener", "logs")) as logs:
        events = logs.start_live_tail(logGroupIdentifiers=[GROUP])["responseStream"]
        with closing(events):
            found = iter(events)
            assert "sessionStart" in next(found)
            assert "sessionUpdate" in next(found)
            gone = DeleteUserPolicyRequest(user_name="listener", policy_name="some")
            delete_user_policy(users.place.world.process(), gone)
            with pytest.raises(EventStreamError, match="listener is not authorized to perform: logs:StartLiveTail"):
                list(islice(found, 5))


def test_a_live_tail_ends_when_its_key_is_revoked(users: Users) -> None:
    users.add("leaked", {"logs:StartLiveTail": OWN.format("logs", f"log-group:{GROUP}")})
    with closing(users.client("leaked", "logs")) as logs:
        events = logs.start_live_tail(logGroupIdentifiers=[GROUP])["responseStream"]
        with closing(events):
            found = iter(events)
            assert "sessionStart" in next(found)
            assert "sessionUpdate" in next(found)
            users.revoke("leaked")
            with pytest.raises(EventStreamError, match="The security token included in the request is invalid"):
                list(islice(found, 5))


def _sent(sts: Any) -> list[tuple[bytes, dict[str, str]]]:
    """What a client of STS sends from here on: bodies and headers."""
    sent: list[tuple[bytes, dict[str, str]]] = []

    def note(request: Any, **_: Any) -> None:
        headers = {name: value for name, value in request.headers.items() if name.lower() != "content-length"}
        texts = {name: value.decode() if isinstance(value, bytes) else value for name, value in headers.items()}
        sent.append((request.body, texts))

    sts.meta.events.register("before-send.sts", note)
    return sent


def test_a4_who_replays_that_a_role_is_assumed_makes_no_other_session(users: Users) -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    role = create_role(users.place.world.process(), CreateRoleRequest("again", document)).role.arn
    users.add("once", {"sts:AssumeRole": role})
    with closing(users.client("once", "sts")) as sts:
        sent = _sent(sts)
        made = sts.assume_role(RoleArn=role, RoleSessionName="job")["Credentials"]
    with closing(http.client.HTTPConnection("127.0.0.1", users.place.server.port, timeout=60)) as connection:
        connection.request("POST", "/", *sent[0])
        again = connection.getresponse().read().decode()
    assert f"<AccessKeyId>{made['AccessKeyId']}</AccessKeyId>" in again


def test_a_signature_for_another_service_opens_nothing(users: Users) -> None:
    """One for STS, which everybody may ask, taken to CloudWatch Logs."""
    with closing(users.client("some", "sts")) as sts:
        sent = _sent(sts)
        sts.get_caller_identity()
    ((body, headers),) = sent
    target = {"X-Amz-Target": "Logs_20140328.DescribeLogGroups"}
    with closing(http.client.HTTPConnection("127.0.0.1", users.place.server.port, timeout=60)) as connection:
        connection.request("POST", "/", body, headers | target)
        answer = connection.getresponse()
        told = json.loads(answer.read())
    assert answer.status in (400, 403)
    assert "Credential should be scoped to correct service: 'logs'" in told["message"]


def test_without_a_signature_a_neighbour_is_not_answered(users: Users) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", users.place.server.port, timeout=60)) as connection:
        connection.request("POST", "/", b"{}", {"X-Amz-Target": "AmazonSSM.GetParameter"})
        answer = connection.getresponse()
        told = json.loads(answer.read())
    assert (answer.status, told["__type"]) == (403, "MissingAuthenticationTokenException")
