"""ExecuteCommand over the wire: what is answered, and the channel, by a client that makes its messages by hand."""

from __future__ import annotations

import hashlib
import json
import re
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect, unix_connect

from ecsctl.server.connection import Connection
from tests.controller.world import World
from tests.server.running import Reply, Running, serving

OUTPUT, SIZE, REQUEST, RESPONSE, COMPLETE, FLAG = 1, 3, 5, 6, 7, 10


@pytest.fixture
def task(server: Running) -> str:
    container = {"name": "main", "image": "up", "memory": 16}
    server.call("RegisterTaskDefinition", family="app", containerDefinitions=[container])
    return run(server, enableExecuteCommand=True)


def run(server: Running, **more: Any) -> str:
    return str(server.call("RunTask", taskDefinition="app", **more).json["tasks"][0]["taskArn"])


def ask(server: Running, task: str, **more: Any) -> Reply:
    return server.call("ExecuteCommand", **{"task": task, "command": "cat", "interactive": True, **more})


class Channel:
    """A client of the protocol that knows no more than it has to."""

    def __init__(self, websocket: ClientConnection) -> None:
        self.websocket = websocket
        self.sent = 0
        self.acknowledged: list[int] = []
        self.output = b""
        self._heard: set[int] = set()
        self.closed: dict[str, Any] = {}

    def open(self, token: str) -> None:
        first = {"MessageSchemaVersion": "1.0", "RequestId": str(uuid4()), "TokenValue": token, "ClientId": "me"}
        self.websocket.send(json.dumps(first))

    def send(self, payload_type: int, payload: bytes, sequence: int | None = None) -> None:
        number = self.sent if sequence is None else sequence
        self.sent += sequence is None
        self.websocket.send(frame(b"input_stream_data", payload, payload_type, number))

    def receive(self) -> tuple[str, int, int, bytes]:
        """Kind, type, sequence and payload of the next message."""
        data = self.websocket.recv(timeout=10)
        assert isinstance(data, bytes)
        assert struct.unpack_from(">I", data)[0] == 116
        kind = data[4:36].decode().strip()
        assert struct.unpack_from(">I", data, 36)[0] == 1
        (sequence,) = struct.unpack_from(">q", data, 48)
        type_, size = struct.unpack_from(">II", data, 112)
        payload = data[120:]
        assert (size, data[80:112]) == (len(payload), hashlib.sha256(payload).digest())
        return kind, type_, sequence, payload

    def acknowledge(self, sequence: int) -> None:
        content = {"AcknowledgedMessageType": "output_stream_data", "AcknowledgedMessageSequenceNumber": sequence}
        with suppress(ConnectionClosed):  # what came before is still to be read
            self.websocket.send(frame(b"acknowledge", json.dumps(content).encode(), 0, 0))

    def step(self) -> tuple[str, int]:
        """Take one message, and do with it what a client does."""
        kind, type_, sequence, payload = self.receive()
        if kind == "acknowledge":
            self.acknowledged.append(json.loads(payload)["AcknowledgedMessageSequenceNumber"])
        elif kind == "channel_closed":
            self.closed = json.loads(payload)
        else:
            self.acknowledge(sequence)
            if sequence not in self._heard:  # it is sent again when an acknowledgement takes long
                self._heard.add(sequence)
                self.output += payload if type_ == OUTPUT else b""
        return kind, type_

    def until(self, condition: Callable[[], Any]) -> None:
        while not condition():
            self.step()

    def shake_hands(self) -> None:
        assert self.step() == ("output_stream_data", REQUEST)
        actions = [{"ActionType": "SessionType", "ActionStatus": 1}]
        answer = {"ClientVersion": "1.2.0.0", "ProcessedClientActions": actions, "Errors": []}
        self.send(RESPONSE, json.dumps(answer).encode())
        while self.step()[1] != COMPLETE:
            pass

    def end(self) -> str:
        """What the last message says."""
        self.until(lambda: self.closed)
        with pytest.raises(ConnectionClosed):
            self.receive()
        return str(self.closed["Output"])


def frame(kind: bytes, payload: bytes, payload_type: int, sequence: int) -> bytes:
    id_ = uuid4().bytes
    head = struct.pack(">I32sIQqQ", 116, kind.ljust(32), 1, time.time_ns() // 1_000_000, sequence, 0)
    digest = hashlib.sha256(payload).digest()
    return head + id_[8:] + id_[:8] + digest + struct.pack(">II", payload_type, len(payload)) + payload


@contextmanager
def connected(server: Running, session: dict[str, str], **more: Any) -> Iterator[Channel]:
    with unix_connect(str(server.path), session["streamUrl"], compression=None, **more) as websocket:
        yield Channel(websocket)


@contextmanager
def talking(server: Running, task: str, **more: Any) -> Iterator[Channel]:
    session = ask(server, task, **more).json["session"]
    with connected(server, session) as channel:
        channel.open(session["tokenValue"])
        channel.shake_hands()
        yield channel


def until(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_answer_says_where_the_session_is_and_keeps_the_token_out_of_its_url(server: Running, task: str) -> None:
    reply = server.send(
        "POST",
        "/",
        json.dumps({"task": task, "command": "cat", "interactive": True}).encode(),
        X_Amz_Target="AmazonEC2ContainerServiceV20141113.ExecuteCommand",
        Host="ecs.example:8443",
    )
    answer = reply.json
    session = answer.pop("session")
    (container,) = server.call("DescribeTasks", tasks=[task]).json["tasks"][0]["containers"]
    assert answer == {
        "clusterArn": "arn:aws:ecs:us-east-1:000000000000:cluster/default",
        "containerArn": container["containerArn"],
        "containerName": "main",
        "interactive": True,
        "taskArn": task,
    }
    assert re.fullmatch(r"ecs-execute-command-[0-9a-f]{17}", session["sessionId"])
    assert session["streamUrl"] == f"ws://ecs.example:8443/v1/data-channel/{session['sessionId']}"
    assert len(session["tokenValue"]) == 43, "256 bits"
    assert ask(server, task).json["session"]["tokenValue"] != session["tokenValue"]


def test_a_command_is_talked_with_at_its_terminal(server: Running, task: str, world: World) -> None:
    with talking(server, task, command="cat -n 'a b'") as channel:
        channel.send(SIZE, b'{"cols": 100, "rows": 40}')
        channel.send(OUTPUT, b"hello\r")
        channel.until(lambda: b"hello\r" in channel.output)
        assert channel.output == b"cat -n a b\nhello\r"
        channel.send(OUTPUT, b"\x04")
        assert channel.end() == ""
    assert channel.acknowledged == [0, 1, 2, 3]
    assert channel.closed["SessionId"].startswith("ecs-execute-command-")
    assert channel.closed["DestinationId"] == "me"
    assert channel.websocket.close_code == 1000


def test_a_session_lasts_longer_than_a_request_may_take_to_arrive(world: World, tmp_path: Path) -> None:
    class Impatient(Connection):
        patience = 1.0

    with serving(world.process(), tmp_path / "t", signed=False, kind=Impatient) as server:
        world.define({})
        session = ask(server, run(server, enableExecuteCommand=True)).json["session"]
        url = session["streamUrl"].replace("localhost", f"127.0.0.1:{server.port}")
        with connect(url, compression=None) as websocket:
            channel = Channel(websocket)
            channel.open(session["tokenValue"])
            channel.shake_hands()
            time.sleep(1.5)
            channel.send(OUTPUT, b"hello\x04")
            assert channel.end() == ""
            assert channel.output == b"cat\nhello"


def test_the_log_tells_of_a_session_but_not_its_token_or_what_was_said(server: Running, task: str) -> None:
    session = ask(server, task, command="cat hunter2").json["session"]
    with connected(server, session) as channel:
        channel.open(session["tokenValue"])
        channel.shake_hands()
        channel.send(OUTPUT, b"hunter3\x04")
        channel.end()
    until(lambda: "ended" in server.log[-1])
    opened, ended = server.log[-2:]
    assert re.fullmatch(rf"\S+\+00:00 {session['sessionId']} opened by arn:aws:iam::000000000000:root", opened)
    assert re.fullmatch(rf"\S+\+00:00 {session['sessionId']} ended after \d+s: done", ended)
    for line in server.log:
        assert session["tokenValue"] not in line
        assert "hunter" not in line


def test_a_token_is_good_once_and_a_wrong_one_does_not_use_it_up(server: Running, task: str) -> None:
    session = ask(server, task).json["session"]
    other = ask(server, task).json["session"]
    for wrong in ("", "x" * 43, other["tokenValue"], "\ud800"):
        with connected(server, session) as channel:
            channel.open(wrong)
            with pytest.raises(ConnectionClosed) as closed:
                channel.receive()
            assert closed.value.rcvd
            assert closed.value.rcvd.code == 1008
    for first in ("", "{", "[]", '{"TokenValue": 1}', b"\x00" * 200):
        with connected(server, session) as channel:
            channel.websocket.send(first)
            with pytest.raises(ConnectionClosed):
                channel.receive()
    with connected(server, session) as channel, connected(server, session) as second:
        channel.open(session["tokenValue"])
        channel.shake_hands()
        second.open(session["tokenValue"])
        with pytest.raises(ConnectionClosed):
            second.receive()
    with pytest.raises(InvalidStatus, match="403"), connected(server, session):
        pass


def test_an_offer_that_is_not_taken_in_time_is_none(
    server: Running, task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecsctl.server.sessions.GOOD_FOR", 0.05)
    session = ask(server, task).json["session"]
    time.sleep(0.06)
    with connected(server, session) as channel:
        channel.open(session["tokenValue"])
        with pytest.raises(ConnectionClosed):
            channel.receive()


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://localhost"])
def test_a_web_page_of_elsewhere_gets_no_channel(server: Running, task: str, origin: str) -> None:
    session = ask(server, task).json["session"]
    with pytest.raises(InvalidStatus, match="403"), connected(server, session, origin=origin):
        pass
    with connected(server, session, origin="http://localhost") as channel:
        channel.open(session["tokenValue"])
        channel.shake_hands()


def test_what_is_no_session_is_refused(server: Running, task: str) -> None:
    session = ask(server, task).json["session"]
    for url in ("ws://localhost/v1/data-channel/none", "ws://localhost/", "ws://localhost/v1/data-channel/../x"):
        with pytest.raises(InvalidStatus, match="403"), connected(server, {"streamUrl": url}):
            pass
    assert server.send("GET", session["streamUrl"].removeprefix("ws://localhost")).status == 404


def test_output_that_is_not_acknowledged_is_sent_again(server: Running, task: str) -> None:
    with talking(server, task) as channel:
        channel.send(OUTPUT, b"a" * 4000)
        again: list[int] = []
        while len(again) < 2:
            _, type_, sequence, payload = channel.receive()
            again += [sequence] if (type_, payload) == (OUTPUT, b"cat\n") else []
        assert len(set(again)) == 1


def test_a_client_that_does_not_keep_up_is_not_sent_more(server: Running, task: str) -> None:
    with talking(server, task) as channel:
        for _ in range(60):
            channel.send(OUTPUT, b"a" * 12_000)
        seen: set[int] = set()

        def hear() -> None:
            kind, _, sequence, _ = channel.receive()
            seen.update([sequence] if kind == "output_stream_data" else [])

        while len(seen) < 64:
            hear()
        end = time.monotonic() + 2
        while time.monotonic() < end:  # the oldest comes again and again
            hear()
        assert len(seen) == 64


def test_input_is_put_in_order_and_taken_once(server: Running, task: str) -> None:
    with talking(server, task) as channel:
        for sequence, text in ((3, b"c"), (2, b"b"), (1, b"a"), (1, b"a"), (3, b"c"), (4, b"d")):
            channel.send(OUTPUT, text, sequence)
        channel.until(lambda: channel.output.endswith(b"d"))
        assert channel.output == b"cat\nabcd"
        channel.until(lambda: len(channel.acknowledged) == 7)
        assert channel.acknowledged == [0, 3, 2, 1, 1, 3, 4]


def test_input_that_is_not_kept_is_not_acknowledged(server: Running, task: str) -> None:
    with talking(server, task) as channel:
        for sequence in range(2, 42):
            channel.send(OUTPUT, b"x", sequence)
        channel.send(OUTPUT, b"x", 1)
        channel.until(lambda: channel.output.endswith(b"x" * 33))
        channel.until(lambda: 1 in channel.acknowledged)
        assert channel.acknowledged == [0, *range(2, 34), 1]


@pytest.mark.parametrize(
    "data",
    [b"x", frame(b"input_stream_data", b"x", 1, 1)[:-1] + b"y", frame(b"input_stream_data", b"[]", 3, 1)],
    ids=["no message", "another payload", "a size that is none"],
)
def test_a_client_that_cannot_be_understood_is_told_so(server: Running, task: str, data: bytes) -> None:
    with talking(server, task) as channel:
        channel.websocket.send(data)
        assert channel.end().startswith("The client sent what cannot be understood: ")
    assert server.call("ListClusters").status == 200


def test_a_client_that_does_no_commands_is_told_so(server: Running, task: str) -> None:
    session = ask(server, task).json["session"]
    with connected(server, session) as channel:
        channel.open(session["tokenValue"])
        channel.step()
        failed = [{"ActionType": "SessionType", "ActionStatus": 2, "Error": "Unknown session type"}]
        channel.send(RESPONSE, json.dumps({"ProcessedClientActions": failed}).encode())
        assert channel.end() == "The client does not do interactive commands."


def test_a_message_that_is_too_large_ends_the_connection_and_nothing_else(server: Running, task: str) -> None:
    with talking(server, task) as channel:
        channel.send(OUTPUT, b"a" * (1 << 16))
        with pytest.raises(ConnectionClosed) as closed:
            channel.until(lambda: False)
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 1009
    until(lambda: server.log[-1].endswith("the client left"))


def test_a_client_can_end_its_session_or_just_leave(
    server: Running, task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecsctl.server.terminal._HANG_UP", 60.0)  # the command ends by itself, by the keys that say so
    with talking(server, task) as channel:
        channel.send(FLAG, (2).to_bytes(4, "big"))
        assert channel.end() == "The client ended it."
    with talking(server, task):
        pass
    until(lambda: server.log[-1].endswith("the client left"))
    with talking(server, task, command="deaf") as channel:
        channel.websocket.socket.close()
    until(lambda: server.log[-1].endswith("the client left"))


def test_a_command_that_does_not_end_with_its_terminal_is_left(
    server: Running, task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecsctl.server.terminal._KEYS_TO_END", b"")
    monkeypatch.setattr("ecsctl.server.terminal._HANG_UP", 0.1)
    with talking(server, task) as channel:
        channel.send(FLAG, (2).to_bytes(4, "big"))
        assert channel.end() == "The client ended it."


def test_a_session_that_nobody_uses_ends(server: Running, task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecsctl.server.terminal.IDLE", 0.3)
    with talking(server, task) as channel:
        assert channel.end().startswith("Nothing was said for ")


def test_a_server_that_ends_says_so_to_those_at_a_terminal(server: Running, task: str) -> None:
    began = time.monotonic()
    with talking(server, task) as channel:
        server.stop()
        assert channel.end() == "The server ends."
    assert time.monotonic() - began < 3


def test_there_are_only_so_many_sessions(server: Running, task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecsctl.server.sessions.MOST", 2)
    with talking(server, task):
        ask(server, task)
        reply = ask(server, task)
        assert (reply.status, reply.json["__type"]) == (400, "ClientException")
        assert reply.json["message"] == "2 sessions of ExecuteCommand are open already: end some."


def test_what_cannot_be_executed_is_refused_in_the_words_of_ecs(server: Running, task: str, world: World) -> None:
    def said(task: str, **more: Any) -> tuple[int, str, str]:
        reply = ask(server, task, **more)
        return reply.status, reply.json["__type"], reply.json["message"]

    invalid = (400, "InvalidParameterException")
    assert said(task, interactive=False) == (*invalid, "Interactive is the only mode supported currently.")
    assert said("0" * 32)[:2] == invalid
    assert said(task, cluster="none") == (400, "ClusterNotFoundException", "Cluster not found.")
    assert said(task, container="other")[:2] == invalid
    assert said(task, command="'")[:2] == invalid
    assert "execute command was not enabled" in said(run(server))[2]
    session = ask(server, task).json["session"]
    server.call("StopTask", task=task)
    assert said(task)[:2] == (400, "TargetNotConnectedException")
    with connected(server, session) as channel:
        channel.open(session["tokenValue"])
        channel.shake_hands()
        assert channel.end().startswith("The execute command failed: container main does not run")
