"""The endpoint over HTTP: what is answered, logged and counted, and what is kept for itself."""

from __future__ import annotations

import json
import re
import socket
import threading
from typing import Any

import pytest

from ecsctl.operations.strict_json import MAX_BYTES
from ecsctl.server.protocol import CONTENT_TYPE
from tests.controller.world import World
from tests.server.running import Reply, Running

NUMBER = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


def said(reply: Reply) -> tuple[int, str]:
    assert set(reply.json) == {"__type", "message"}
    return reply.status, reply.json["__type"]


def test_an_answer_is_json_with_the_id_of_its_request(server: Running) -> None:
    reply = server.call("ListClusters")
    assert reply.status == 200
    assert reply.json == {"clusterArns": ["arn:aws:ecs:us-east-1:000000000000:cluster/default"]}
    assert reply.headers["content-type"] == CONTENT_TYPE
    assert re.fullmatch(NUMBER, reply.headers["x-amzn-requestid"])
    assert "server" not in reply.headers


def test_each_request_has_a_line_in_the_log_with_nothing_of_its_body(server: Running) -> None:
    value = "hunter2-is-secret"
    container = {"name": "main", "image": "up", "memory": 16, "environment": [{"name": "PASSWORD", "value": value}]}
    replies = [
        server.call("RegisterTaskDefinition", family="app", containerDefinitions=[container]),
        server.call("RunTask", taskDefinition=value),
        server.call(value),
    ]
    operations = (
        "RegisterTaskDefinition 200 OK",
        "RunTask 400 ClientException",
        "unknown 400 UnknownOperationException",
    )
    assert len(server.log) == 3
    for line, operation, reply in zip(server.log, operations, replies, strict=True):
        who = "arn:aws:iam::000000000000:root socket"
        pattern = rf"\d{{4}}-\S+T\S+\+00:00 {NUMBER} {operation} \d+ms \d+B {len(reply.body)}B {who}"
        assert re.fullmatch(pattern, line)
        assert reply.headers["x-amzn-requestid"] in line
        assert value not in line


def test_what_is_asked_of_no_page_has_its_line_too_and_a_look_at_its_health_has_none(server: Running) -> None:
    server.send("GET", "/healthz")
    server.send("GET", "/metrics")
    replies = [server.send("DELETE", "/secret-7"), server.send("GET", "/")]
    assert [reply.status for reply in replies] == [404, 405]
    for line, reply in zip(server.log, replies, strict=True):
        said = f"{reply.headers['x-amzn-requestid']} unknown {reply.status} UnknownOperationException"
        assert line.split(" ", 1)[1] == f"{said} 0ms 0B {len(reply.body)}B - socket"
    assert b'code="UnknownOperationException",operation="unknown"} 2.0' in server.send("GET", "/metrics").body


def test_what_is_no_operation_is_an_error_in_json(server: Running) -> None:
    assert said(server.send("GET", "/")) == (405, "UnknownOperationException")
    assert said(server.send("POST", "/nowhere", b"{}")) == (404, "UnknownOperationException")
    assert said(server.send("POST", "/", b"{}")) == (400, "UnknownOperationException")


@pytest.mark.parametrize("size", [MAX_BYTES + 1, 3 * MAX_BYTES])
def test_a_request_that_is_too_large_is_refused_and_the_next_is_answered(server: Running, size: int) -> None:
    padded = b'{"cluster": "' + b"a" * (size - 15) + b'"}'
    assert len(padded) == size
    assert said(server.raw("ListTasks", padded)) == (413, "RequestEntityTooLargeException")
    assert server.call("ListClusters").status == 200


def test_a_request_of_just_the_limit_is_read(server: Running) -> None:
    assert said(server.raw("ListTasks", b'{"cluster": "' + b"a" * (MAX_BYTES - 15) + b'"}'))[0] == 400


def test_who_leaves_in_the_middle_of_a_request_disturbs_nobody(server: Running) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(server.path))
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(server.path))
        client.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 400")
    assert server.call("ListClusters").status == 200


def test_a_bug_is_a_server_error_that_gives_nothing_away(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("hunter2")

    monkeypatch.setattr("ecsctl.operations.clusters.list_clusters", broken)
    reply = server.call("ListClusters")
    assert said(reply) == (500, "ServerException")
    assert b"hunter2" not in reply.body
    bug, line = server.log
    assert re.fullmatch(rf"{NUMBER} ListClusters: a bug in ecsctl: RuntimeError at \S+test_endpoint.py:\d+", bug)
    assert "ListClusters 500 ServerException" in line


def test_writes_are_told_whether_they_succeed_or_not_and_reads_are_not(server: Running) -> None:
    server.call("DescribeClusters")
    server.call("ListTasks")
    assert server.writes == 0
    server.call("CreateCluster", clusterName="a")
    server.call("DeleteCluster", cluster="b")
    server.call("CreateCluster", clusterName=1)
    assert server.writes == 2


def test_its_health_is_that_of_the_state(server: Running, world: World) -> None:
    assert (server.send("GET", "/healthz").status, server.send("GET", "/healthz").json) == (200, {"status": "ok"})
    world.store._database.connection.execute("ALTER TABLE meta RENAME TO gone")
    reply = server.send("GET", "/healthz")
    assert (reply.status, reply.json["status"]) == (503, "failing")


def test_requests_are_counted_by_operation_and_code(server: Running) -> None:
    server.call("ListClusters")
    server.call("ListTasks", cluster="no")
    server.call("x" * 50)
    reply = server.send("GET", "/metrics")
    assert reply.headers["content-type"].startswith("text/plain")
    lines = reply.body.decode().splitlines()
    for wanted in (
        'ecsctl_requests_total{code="OK",operation="ListClusters"} 1.0',
        'ecsctl_requests_total{code="ClusterNotFoundException",operation="ListTasks"} 1.0',
        'ecsctl_requests_total{code="UnknownOperationException",operation="unknown"} 1.0',
        'ecsctl_request_seconds_count{operation="ListClusters"} 1.0',
        "ecsctl_requests_under_way 0.0",
    ):
        assert wanted in lines


def test_many_at_once_are_all_answered(server: Running) -> None:
    answers: list[int] = []

    def some(number: int) -> None:
        for n in range(10):
            answers.append(server.call("CreateCluster", clusterName=f"c{number}-{n}").status)
            answers.append(server.call("DescribeClusters", clusters=[f"c{number}-{n}"]).status)

    threads = [threading.Thread(target=some, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == [200] * 160
    assert len(json.loads(server.call("ListClusters").body)["clusterArns"]) == 81
