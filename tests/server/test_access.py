"""Access by TCP: boto3 with real keys, unmodified, and what has none, or another's, or comes again."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from ecsctl.model.api.access_keys import CreateAccessKeyRequest, UpdateAccessKeyRequest
from ecsctl.model.api.clusters import CreateClusterRequest
from ecsctl.model.api.iam_inline_policies import PutRolePolicyRequest, PutUserPolicyRequest
from ecsctl.model.api.iam_roles import CreateRoleRequest
from ecsctl.model.api.iam_users import CreateUserRequest
from ecsctl.model.api.sessions import AssumeRoleRequest
from ecsctl.model.arn import Scope
from ecsctl.model.errors import StateError
from ecsctl.model.record import evolve
from ecsctl.operations.access_keys import create_access_key, update_access_key
from ecsctl.operations.clusters import create_cluster
from ecsctl.operations.iam_inline_policies import put_role_policy, put_user_policy
from ecsctl.operations.iam_roles import create_role
from ecsctl.operations.iam_users import create_user
from ecsctl.operations.sessions import assume_role
from ecsctl.server.protocol import CONTENT_TYPE, PREFIX
from ecsctl.store.iam_tables import ACCESS_KEYS
from tests.controller.world import World
from tests.server.running import Reply, Running, serving, state_of

ROOT = "arn:aws:iam::000000000000:root"


class Keys(NamedTuple):
    """An access key of the user `ci`; of temporary ones the token too."""

    id: str
    secret: str
    token: str | None = None


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with closing(World(tmp_path_factory.mktemp("world"))) as made:
        yield made


@pytest.fixture(scope="module")
def keys(world: World) -> Keys:
    context = world.process()
    create_user(context, CreateUserRequest(user_name="ci"))
    put_user_policy(context, PutUserPolicyRequest("ci", "all", _policy(_statement("ecs:*"))))
    made = create_access_key(context, CreateAccessKeyRequest(user_name="ci")).access_key
    return Keys(made.access_key_id, made.secret_access_key)


@pytest.fixture
def server(world: World, tmp_path: Path) -> Iterator[Running]:
    with serving(world.process(), tmp_path / "s") as running:
        yield running


def _statement(action: str, effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": "*", **more}


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def client(running: Running, keys: Keys, *, attempts: int = 1, region: str = "us-east-1", scheme: str = "http") -> Any:
    return boto3.client(
        "ecs",
        endpoint_url=f"{scheme}://127.0.0.1:{running.port}",
        region_name=region,
        aws_access_key_id=keys.id,
        aws_secret_access_key=keys.secret,
        aws_session_token=keys.token,
        verify=False,
        config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}),
    )


def code_of(call: Any, *arguments: Any, **request: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call(*arguments, **request)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


class Request(NamedTuple):
    """What is sent, byte for byte."""

    headers: dict[str, str]
    body: bytes


def signed(running: Running, keys: Keys, action: str, **request: Any) -> Request:
    headers = {"X-Amz-Target": PREFIX + action, "Content-Type": CONTENT_TYPE}
    body = json.dumps(request).encode()
    made = AWSRequest("POST", f"http://127.0.0.1:{running.port}/", headers, body)
    SigV4Auth(Credentials(keys.id, keys.secret), "ecs", "us-east-1").add_auth(made)
    return Request(dict(made.headers.items()), body)


def send(running: Running, request: Request, page: str = "/") -> Reply:
    with closing(http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)) as connection:
        connection.request("POST", page, request.body, request.headers)
        answer = connection.getresponse()
        return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())


def test_boto3_with_a_key_is_answered_and_the_state_says_who_it_was(server: Running, keys: Keys) -> None:
    with closing(client(server, keys)) as ecs:
        container = {"name": "main", "image": "up", "memory": 16}
        made = ecs.register_task_definition(family="signed", containerDefinitions=[container])
        assert made["taskDefinition"]["registeredBy"] == "arn:aws:iam::000000000000:user/ci"
        assert ecs.list_clusters()["clusterArns"] == ["arn:aws:ecs:us-east-1:000000000000:cluster/default"]
        assert next(iter(ecs.get_paginator("list_tasks").paginate()))["taskArns"] == []
    assert server.log[0].endswith("B arn:aws:iam::000000000000:user/ci 127.0.0.1")
    assert not [line for line in server.log if keys.secret in line or keys.id in line]


def test_sdks_that_do_not_sign_the_type_of_the_body_are_answered(server: Running, keys: Keys) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for service, body, unsigned, headers in (
        ("sts", b"Action=GetCallerIdentity&Version=2011-06-15", form, {}),
        ("ecs", b"{}", {"Content-Type": CONTENT_TYPE}, {"X-Amz-Target": PREFIX + "ListClusters"}),
    ):
        made = AWSRequest("POST", f"http://127.0.0.1:{server.port}/", headers, body)
        SigV4Auth(Credentials(keys.id, keys.secret), service, "us-east-1").add_auth(made)
        reply = send(server, Request({**dict(made.headers.items()), **unsigned}, body))
        assert reply.status == 200, reply.body


def test_a1_an_unsigned_request_is_refused_and_nothing_of_it_is_logged(server: Running) -> None:
    secret = "hunter2-is-secret"
    request = Request({"X-Amz-Target": PREFIX + "RunTask"}, json.dumps({"taskDefinition": secret}).encode())
    reply = send(server, request)
    assert (reply.status, reply.json["__type"]) == (403, "MissingAuthenticationTokenException")
    (line,) = server.log
    assert "RunTask 403 MissingAuthenticationTokenException" in line
    assert line.endswith("B - 127.0.0.1")
    assert secret not in line


def test_a2_a_wrong_secret_and_an_unknown_key_are_told_the_same(server: Running, keys: Keys) -> None:
    with closing(client(server, keys._replace(secret="guess"))) as wrong:
        assert code_of(wrong.list_clusters) == (400, "InvalidSignatureException")
    with closing(client(server, Keys("AKIANOBODYHASTHISKEY", keys.secret))) as unknown:
        assert code_of(unknown.list_clusters) == (403, "UnrecognizedClientException")


def test_a2_neither_of_them_takes_longer(server: Running, keys: Keys) -> None:
    wrong, unknown = (
        signed(server, guess, "ListClusters")
        for guess in (keys._replace(secret="guess"), Keys("AKIANOBODYHASTHISKEY", keys.secret))
    )

    def seconds(request: Request) -> float:
        began = time.perf_counter()
        send(server, request)
        return time.perf_counter() - began

    times = [(seconds(wrong), seconds(unknown)) for _ in range(40)]
    assert abs(min(a for a, _ in times) - min(b for _, b in times)) < 0.005


def test_a40_json_that_is_nested_deeply_is_refused_in_words(server: Running, keys: Keys) -> None:
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]
    reply = send(server, signed(server, keys, "ListTasks", cluster=deep))
    assert (reply.status, reply.json["__type"]) == (400, "SerializationException")


@pytest.mark.parametrize(
    "text",
    ["AKIA\xe9", "AKIA\xff" * 100, "a" * 10_000, "' OR 1=1 --", "%s", ""],
    ids=("latin", "many", "long", "quote", "percent", "empty"),
)
def test_an_id_of_a_key_that_can_be_none_is_unknown(server: Running, keys: Keys, text: str) -> None:
    request = signed(server, keys, "ListClusters")
    said = request.headers["Authorization"].replace(keys.id, text)
    reply = send(server, request._replace(headers={**request.headers, "Authorization": said}))
    assert (reply.status, reply.json["__type"]) == (403, "UnrecognizedClientException")


def test_a_key_that_is_revoked_is_refused_from_the_next_request_on(server: Running, world: World) -> None:
    context = world.process()
    create_user(context, CreateUserRequest(user_name="leaver"))
    put_user_policy(context, PutUserPolicyRequest("leaver", "all", _policy(_statement("ecs:*"))))
    made = create_access_key(context, CreateAccessKeyRequest(user_name="leaver")).access_key
    with closing(client(server, Keys(made.access_key_id, made.secret_access_key))) as ecs:
        ecs.list_clusters()
        update_access_key(context, UpdateAccessKeyRequest(made.access_key_id, "Inactive"))
        assert code_of(ecs.list_clusters) == (403, "UnrecognizedClientException")
        update_access_key(context, UpdateAccessKeyRequest(made.access_key_id, "Active"))
        ecs.list_clusters()


def test_a9_temporary_credentials_take_their_token_and_expire(server: Running, world: World) -> None:
    context = world.process()
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    create_role(context, CreateRoleRequest("app", _policy(trust)))
    put_role_policy(context, PutRolePolicyRequest("app", "list", _policy(_statement("ecs:List*"))))
    role = "arn:aws:iam::000000000000:role/app"
    made = assume_role(context, AssumeRoleRequest(role, "job")).credentials
    keys = Keys(made.access_key_id, made.secret_access_key, made.session_token)
    with closing(client(server, keys)) as late:  # the clock of this world is behind
        assert code_of(late.list_clusters) == (403, "ExpiredTokenException")
    with context.store.write() as tx:
        key = tx.get(ACCESS_KEYS, keys.id)
        assert key is not None
        assert key.session is not None
        end = datetime.now(timezone.utc) + timedelta(minutes=1)
        tx.put(ACCESS_KEYS, evolve(key, session=evolve(key.session, expires_at=end)))
    with closing(client(server, keys)) as ecs:
        assert ecs.list_clusters()["clusterArns"]
        assert code_of(ecs.describe_clusters) == (400, "AccessDeniedException")
    for token in ("guess", None):
        with closing(client(server, keys._replace(token=token))) as wrong:
            assert code_of(wrong.list_clusters) == (403, "UnrecognizedClientException")
    assert any(line.endswith("B arn:aws:sts::000000000000:assumed-role/app/job 127.0.0.1") for line in server.log)


def test_a_key_may_do_what_policies_allow_and_nothing_else_from_the_next_request_on(
    server: Running, world: World
) -> None:
    context = world.process()
    create_user(context, CreateUserRequest(user_name="few"))
    made = create_access_key(context, CreateAccessKeyRequest(user_name="few")).access_key
    with closing(client(server, Keys(made.access_key_id, made.secret_access_key))) as ecs:
        assert code_of(ecs.create_cluster, clusterName="mine") == (400, "AccessDeniedException")
        near = _statement("ecs:CreateCluster", Condition={"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}})
        never = _statement("ecs:*", "Deny", Condition={"Bool": {"aws:SecureTransport": "false"}})
        put_user_policy(context, PutUserPolicyRequest("few", "near", _policy(near)))
        assert ecs.create_cluster(clusterName="mine")["cluster"]["clusterName"] == "mine"
        assert code_of(ecs.delete_cluster, cluster="mine") == (400, "AccessDeniedException")
        put_user_policy(context, PutUserPolicyRequest("few", "near", _policy(near, never)))
        assert code_of(ecs.create_cluster, clusterName="other") == (400, "AccessDeniedException")
    server.call("DeleteCluster", cluster="mine")
    refusals = [line for line in server.log if "400 AccessDeniedException" in line]
    assert all(line.endswith("arn:aws:iam::000000000000:user/few 127.0.0.1") for line in refusals)
    assert len(refusals) == 3


def test_a4_the_same_bytes_again_get_the_stored_answer_and_have_no_second_effect(server: Running, keys: Keys) -> None:
    request = signed(server, keys, "RegisterTaskDefinition", family="again", containerDefinitions=[_CONTAINER])
    first, second = send(server, request), send(server, request)
    assert first.status == 200
    assert first.json["taskDefinition"]["revision"] == 1
    assert second.body == first.body
    assert first.headers["x-amzn-requestid"] != second.headers["x-amzn-requestid"]
    with closing(client(server, keys)) as ecs:
        assert len(ecs.list_task_definitions(familyPrefix="again")["taskDefinitionArns"]) == 1


def test_a4_the_same_bytes_after_a_restart_or_at_another_server_have_no_second_effect(
    server: Running, world: World, keys: Keys, tmp_path: Path
) -> None:
    request = signed(server, keys, "RegisterTaskDefinition", family="restart", containerDefinitions=[_CONTAINER])
    wrong = signed(server, keys, "RegisterTaskDefinition", family="restart", containerDefinitions=[])
    host = {"Host": f"127.0.0.1:{server.port}"}
    request, wrong = (one._replace(headers={**one.headers, **host}) for one in (request, wrong))
    assert send(server, request).status == 200
    assert send(server, wrong).status == 400
    with serving(world.process(), tmp_path / "other.sock") as other:
        before = state_of(world)
        again = send(other, request)
        assert (again.status, again.json["__type"]) == (400, "InvalidSignatureException")
        assert "was done already" in again.json["message"]
        assert send(other, wrong).json["__type"] == "ClientException", "what had no effect is answered as before"
        assert state_of(world) == before


_CONTAINER = {"name": "main", "image": "up", "memory": 16}


def test_a4_the_same_bytes_many_times_at_once_have_one_effect(server: Running, keys: Keys) -> None:
    request = signed(server, keys, "RegisterTaskDefinition", family="at-once", containerDefinitions=[_CONTAINER])
    replies: list[Reply] = []
    threads = [threading.Thread(target=lambda: replies.append(send(server, request))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(replies) == 8
    assert {reply.body for reply in replies} == {replies[0].body}
    assert replies[0].json["taskDefinition"]["revision"] == 1


def test_a4_the_same_bytes_again_have_no_second_effect_where_a_commit_fails(
    server: Running, keys: Keys, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = signed(server, keys, "RegisterTaskDefinition", family="kept", containerDefinitions=[_CONTAINER])
    first = send(server, request)
    real = world.store.together

    @contextmanager
    def together() -> Iterator[None]:
        with real():
            yield
            raise StateError("the disk is full")

    monkeypatch.setattr(world.store, "together", together)
    assert send(server, request).body == first.body
    monkeypatch.undo()
    assert len(server.call("ListTaskDefinitions", familyPrefix="kept").json["taskDefinitionArns"]) == 1


def test_what_a_script_asks_twice_within_a_second_is_done_twice(server: Running, keys: Keys) -> None:
    signatures = set()
    with closing(client(server, keys)) as ecs:
        ecs.meta.events.register(
            "before-send.ecs", lambda request, **_: signatures.add(request.headers["Authorization"])
        )
        for _ in range(10):
            ecs.create_cluster(clusterName="twice")
            assert len(ecs.list_clusters()["clusterArns"]) == 2
            ecs.delete_cluster(cluster="twice")
    assert len(signatures) < 30


def test_a4_a_refusal_comes_again_too_and_an_answer_to_a_read_is_fresh(server: Running, keys: Keys) -> None:
    refused = signed(server, keys, "DeleteCluster", cluster="later")
    listed = signed(server, keys, "ListClusters")
    assert send(server, refused).json["__type"] == "ClusterNotFoundException"
    before = send(server, listed).json["clusterArns"]
    server.call("CreateCluster", clusterName="later")
    assert send(server, refused).json["__type"] == "ClusterNotFoundException"
    assert len(send(server, listed).json["clusterArns"]) == len(before) + 1
    server.call("DeleteCluster", cluster="later")


def test_a4_what_ended_by_a_fault_may_be_tried_again_with_the_same_bytes(
    server: Running, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = signed(server, keys, "CreateCluster", clusterName="faulty")
    with monkeypatch.context() as broken:
        broken.setattr("ecsctl.operations.clusters.create_cluster", lambda *_: 1 / 0)
        assert send(server, request).status == 500
    assert send(server, request).status == 200
    server.call("DeleteCluster", cluster="faulty")


def test_a5_what_was_changed_on_the_way_is_refused(server: Running, keys: Keys) -> None:
    request = signed(server, keys, "DescribeTasks", tasks=["0" * 32])
    for changed in (
        request._replace(body=request.body.replace(b"0", b"1", 1)),
        request._replace(headers={**request.headers, "X-Amz-Target": PREFIX + "StopTask"}),
        request._replace(headers={**request.headers, "Host": f"localhost:{server.port}"}),
    ):
        assert send(server, changed).json["__type"] == "InvalidSignatureException"
    assert send(server, request, "/?a=b").json["__type"] == "InvalidSignatureException"
    assert send(server, request, "/elsewhere").status == 404
    assert send(server, request).status == 200


def test_a7_a_signature_is_for_a_region_of_ours_and_the_operation_is_done_there(
    server: Running, keys: Keys, world: World
) -> None:
    with closing(client(server, keys, region="eu-west-3")) as ecs:
        assert code_of(ecs.list_clusters) == (400, "InvalidSignatureException")
        there = evolve(world.process(), scope=Scope("eu-west-3"))
        create_cluster(there, CreateClusterRequest("far"))
        assert ecs.list_clusters()["clusterArns"] == ["arn:aws:ecs:eu-west-3:000000000000:cluster/far"]


def test_a8_a_presigned_get_is_no_operation(server: Running) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        connection.request("GET", "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0")
        assert connection.getresponse().status == 405


def test_after_twenty_failures_in_a_minute_failures_are_too_many_and_who_has_a_key_is_let_in(
    server: Running, keys: Keys
) -> None:
    request = Request({"X-Amz-Target": PREFIX + "ListClusters"}, b"{}")
    assert [send(server, request).status for _ in range(22)] == [403] * 20 + [429] * 2
    assert send(server, request).json["__type"] == "TooManyRequestsException"
    with closing(client(server, keys)) as ecs:
        ecs.list_clusters()


def test_too_many_requests_are_throttled_as_by_ecs_and_a_client_that_tries_again_gets_through(
    world: World, keys: Keys, tmp_path: Path
) -> None:
    with serving(world.process(), tmp_path / "s", throttle=1) as server, ExitStack() as stack:
        impatient = stack.enter_context(closing(client(server, keys)))
        patient = stack.enter_context(closing(client(server, keys, attempts=8)))

        def is_throttled() -> bool:
            try:
                impatient.delete_task_definitions(taskDefinitions=["no:1"])
            except ClientError as error:
                assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400
                assert error.response["Error"]["Code"] == "ThrottlingException"
                return True
            return False

        def until_throttled() -> int:
            """How many are let through before one is not."""
            return next(n for n in range(50) if is_throttled())

        def tries_again() -> bool:
            until_throttled()
            answer = patient.delete_task_definitions(taskDefinitions=["no:6"])
            return bool(answer["ResponseMetadata"]["RetryAttempts"])

        # The bucket of DeleteTaskDefinitions has five tokens, and gets one a second, also while it is emptied.
        assert until_throttled() >= 5
        impatient.list_clusters()
        assert any(tries_again() for _ in range(20))
        for n in range(30):  # whose the state is may
            assert "Throttling" not in server.call("DeleteTaskDefinitions", taskDefinitions=[f"no:{n}"]).body.decode()


def test_without_signatures_everybody_on_this_machine_is_the_root(world: World, tmp_path: Path) -> None:
    with (
        serving(world.process(), tmp_path / "s", signed=False) as server,
        closing(client(server, Keys("any", "any"))) as ecs,
    ):
        made = ecs.register_task_definition(family="open", containerDefinitions=[_CONTAINER])
        assert made["taskDefinition"]["registeredBy"] == ROOT


def test_health_by_tcp_has_no_paths_in_it(server: Running, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def page(name: str) -> tuple[int, bytes]:
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
            connection.request("GET", name)
            answer = connection.getresponse()
            return answer.status, answer.read()

    assert page("/healthz") == (200, b'{"status":"ok"}')
    assert page("/metrics")[0] == 200
    monkeypatch.setattr(world.store._database, "reading", _unreadable)
    assert page("/healthz") == (503, b'{"status":"failing"}')


def _unreadable() -> Any:
    from ecsctl.model.errors import StateError

    raise StateError("/srv/state.db cannot be read")


def test_an_answer_does_not_wait_for_an_acknowledgement(server: Running) -> None:
    request = Request({"X-Amz-Target": PREFIX + "ListClusters"}, b"{}")
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:

        def seconds() -> float:
            began = time.perf_counter()
            connection.request("POST", "/", request.body, request.headers)
            connection.getresponse().read()
            return time.perf_counter() - began

        # It would be 40 ms, but for the first ones of a connection, which are acknowledged at once.
        assert min([seconds() for _ in range(60)][40:]) < 0.03


def test_many_clients_at_once_are_all_answered(server: Running, keys: Keys) -> None:
    done: list[int] = []

    def some() -> None:
        with closing(client(server, keys)) as ecs:
            for _ in range(10):
                ecs.describe_clusters()
                done.append(1)

    threads = [threading.Thread(target=some) for _ in range(6)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(done) == 60
    assert time.monotonic() - began < 60
    with socket.create_connection(("127.0.0.1", server.port)):
        assert server.call("ListClusters").status == 200
