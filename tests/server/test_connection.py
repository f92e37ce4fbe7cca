"""Connections that are slow, many or another user's cost the server little, and keep nobody else from it."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest

from ecsctl.operations.strict_json import MAX_BYTES
from ecsctl.server.connection import Connection
from ecsctl.server.tcp_socket import tls_context
from tests.controller.world import World
from tests.server.running import Running, serving
from tests.server.test_tcp_socket import certificate
from tests.unprivileged import give_away, python


class Hasty(Connection):
    """One that waits for a second only."""

    patience = 1.0


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with closing(World(tmp_path_factory.mktemp("world"))) as made:
        yield made


@pytest.fixture
def server(world: World, tmp_path: Path) -> Iterator[Running]:
    with serving(world.process(), tmp_path / "s", signed=False, kind=Hasty, most=40) as made:
        yield made


def connected(server: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=30)


def rest(connection: socket.socket) -> bytes:
    """All that still comes, until the other side hangs up."""
    answer = b""
    with suppress(ConnectionResetError):
        while data := connection.recv(1 << 16):
            answer += data
    return answer


HEAD = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.mark.parametrize(
    ("start", "drop"),
    [
        (HEAD, b"a"),
        (HEAD + b"Content-Length: 1000\r\n\r\n", b"a"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        (b"", b""),
    ],
)
def test_a40_who_sends_drop_by_drop_is_told_so_in_time(server: Running, start: bytes, drop: bytes) -> None:
    with connected(server) as connection:
        connection.sendall(start)
        over = threading.Event()

        def drip() -> None:
            with suppress(OSError):
                while not over.wait(0.1):
                    connection.sendall(drop)

        began = time.monotonic()
        thread = threading.Thread(target=drip)
        thread.start()
        answer = rest(connection)
        over.set()
        thread.join()
        assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert 0.9 < time.monotonic() - began < 10


def test_a40_the_second_request_of_a_connection_may_not_be_slow_either(server: Running) -> None:
    with connected(server) as connection:
        connection.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}" + HEAD + b"Content-Length: 5\r\n\r\n")
        answer = rest(connection)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request")  # it names no operation
    assert b"HTTP/1.1 408 Request Timeout" in answer


LIST = HEAD + b"X-Amz-Target: AmazonEC2ContainerServiceV20141113.ListClusters\r\n"
EMPTY = LIST + b"Content-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize(
    ("start", "more"),
    [
        (HEAD + b"X-Long: ", b"a" * 4096),
        (HEAD, b"X-Many: a\r\n" * 400),
        (b"POST /", b"a" * 4096),
        (LIST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Long: ", b"a" * 4096),
        (LIST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", b"X-Many: a\r\n" * 400),
        (LIST + b"Transfer-Encoding: chunked\r\n\r\n2;", b"a" * 4096),
    ],
)
def test_a40_headers_trailers_and_extensions_that_do_not_end_are_too_large(
    server: Running, start: bytes, more: bytes
) -> None:
    with connected(server) as connection:
        connection.sendall(start)
        with suppress(OSError):
            for _ in range(400):
                connection.sendall(more)
        assert rest(connection).startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")


def test_requests_that_come_before_the_answer_are_answered_in_turn(server: Running) -> None:
    with connected(server) as connection:
        connection.sendall(EMPTY * 20 + HEAD + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}")
        answers = rest(connection).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"200"] * 20 + [b"400"]  # the last names no operation


def test_a40_requests_without_end_that_wait_for_no_answer_are_cut_off(server: Running) -> None:
    with connected(server) as connection:
        with suppress(OSError):
            connection.sendall(EMPTY * 5000)
        assert 1 <= rest(connection).count(b"HTTP/1.1 200 ") < 1000
    assert server.call("ListClusters").status == 200


_NAMES = b'{"clusters": [%s]}' % b", ".join(b'"%0200d"' % n for n in range(90))
LARGE = LIST.replace(b"List", b"Describe") + b"Content-Length: %d\r\n\r\n%s" % (len(_NAMES), _NAMES)
"""Its answer is larger than it."""


def test_a40_who_does_not_read_the_answers_is_left(server: Running) -> None:
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(10)
        connection.connect(("127.0.0.1", server.port))
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            for _ in range(300):
                connection.sendall(LARGE * 20)
                time.sleep(0.1)
    assert server.call("ListClusters").status == 200


def test_who_reads_the_answers_slowly_gets_them_all(server: Running) -> None:
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(30)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(LARGE * 20)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        for _ in range(6):
            time.sleep(0.5)
            answer += connection.recv(1 << 13)
        answer += rest(connection)
    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 20


@pytest.mark.parametrize(
    "more",
    [
        b"\0\0\0\0\r\n\r\n",
        LIST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        EMPTY + LIST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nzz\r\n",
    ],
    ids=["no request", "no body", "one more, and half a body"],
)
def test_what_came_whole_is_answered_whatever_follows(server: Running, more: bytes) -> None:
    with connected(server) as connection:
        connection.sendall(EMPTY + more)
        answers = rest(connection).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"200"] * (1 + more.count(EMPTY))
    assert answers[-1].endswith(b"}")
    assert b"\r\nconnection: close\r\n" in answers[-1]


@pytest.mark.parametrize(("sent", "answers"), [(EMPTY, 1), (EMPTY * 3, 3), (EMPTY + LIST, 1), (EMPTY + EMPTY[:-1], 1)])
def test_who_says_that_this_was_all_is_answered(server: Running, sent: bytes, answers: int) -> None:
    """By shutting down its side of the connection, as `nc -N` does once it has sent everything."""
    with connected(server) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        answer = rest(connection)
    assert answer.count(b"HTTP/1.1 200 OK\r\n") == answer.count(b"HTTP/1.1 ") == answers


def test_who_leaves_amid_a_request_is_left(server: Running) -> None:
    with connected(server) as connection:
        connection.sendall(EMPTY[:-1])
        connection.shutdown(socket.SHUT_WR)
        began = time.monotonic()
        assert rest(connection) == b""
        assert time.monotonic() - began < 0.9


def test_what_follows_a_body_is_no_header(server: Running) -> None:
    chunked = b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\n{}\r\n0\r\n"
    trailer = b"X-Amz-Target: AmazonEC2ContainerServiceV20141113.ListClusters\r\n\r\n"
    with connected(server) as connection:
        connection.sendall(HEAD + chunked + trailer)
        answer = rest(connection)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request")
    assert b"UnknownOperationException" in answer


def test_who_would_rather_speak_http_2_is_answered_all_the_same(server: Running) -> None:
    with connected(server) as connection:
        upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
        connection.sendall(LIST + upgrade + b"Content-Length: 2\r\n\r\n{}")
        answer = rest(connection)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nconnection: close\r\n" in answer


WEBSOCKET = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)


@pytest.mark.parametrize(
    "more",
    [
        b"Content-Length: 3\r\n\r\nabc",
        b"Content-Length: 3\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"X-Long: " + b"a" * 9000 + b"\r\n\r\n",
        b"X-Many: a\r\n" * 130 + b"\r\n",
    ],
    ids=["body", "no body", "chunks", "long header", "many headers"],
)
def test_a40_a_websocket_that_cannot_be_opened_is_told_so_and_left(server: Running, more: bytes) -> None:
    with connected(server) as connection:
        connection.settimeout(10)
        connection.sendall(WEBSOCKET + more)
        assert rest(connection).startswith((b"HTTP/1.1 400 Bad Request\r\n", b"HTTP/1.1 408 Request Timeout\r\n"))


def test_a_websocket_is_not_opened_before_what_came_before_it_is_answered(server: Running) -> None:
    with connected(server) as connection:
        connection.sendall(EMPTY + WEBSOCKET + b"\r\n")
        answer = rest(connection)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "request_",
    [
        LIST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        LIST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        LIST + b"Content-Length: +2\r\n\r\n{}",
        LIST + b"Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n",
        LIST + b"Transfer-Encoding: gzip\r\n\r\n{}",
        LIST + b"X-Broken : a\r\nContent-Length: 2\r\n\r\n{}",
        LIST + b"X-Folded: a\r\n b\r\nContent-Length: 2\r\n\r\n{}",
        LIST.replace(b"\r\n", b"\n") + b"Content-Length: 2\n\n{}",
    ],
)
def test_a40_where_a_request_ends_is_never_in_doubt(server: Running, request_: bytes) -> None:
    """RFC 9112 6.3 and 11.2, request smuggling: servers that disagree read a body as the next request."""
    with connected(server) as connection:
        connection.sendall(request_)
        assert rest(connection).startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_a40_a_request_that_never_ends_does_not_keep_the_server_from_ending(world: World, tmp_path: Path) -> None:
    with ExitStack() as stack:
        with serving(world.process(), tmp_path / "s", signed=False) as server:
            connection = stack.enter_context(connected(server))
            connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n{")
            time.sleep(0.5)
            began = time.monotonic()
        assert time.monotonic() - began < 5
        assert rest(connection).startswith(b"HTTP/1.1 503 Service Unavailable")


def test_what_came_whole_is_answered_when_the_server_ends_amid_the_next(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ecsctl.operations.clusters import list_clusters

    begun = threading.Event()

    def slow(*arguments: object) -> object:
        begun.set()
        time.sleep(1)
        return list_clusters(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("ecsctl.operations.clusters.list_clusters", slow)
    with ExitStack() as stack:
        with serving(world.process(), tmp_path / "s", signed=False) as server:
            connection = stack.enter_context(connected(server))
            connection.sendall(EMPTY + LIST + b"Content-Length: 1000\r\n\r\n{")
            assert begun.wait(30)
        answer = rest(connection)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


def test_an_operation_that_takes_long_is_waited_for(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    from ecsctl.operations.clusters import list_clusters

    def slow(*arguments: object) -> object:
        time.sleep(2)
        return list_clusters(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("ecsctl.operations.clusters.list_clusters", slow)
    assert server.call("ListClusters").status == 200


def test_a40_connections_that_say_nothing_keep_nobody_out_for_long_nor_from_the_socket(server: Running) -> None:
    with ExitStack() as stack:
        idle = [stack.enter_context(connected(server)) for _ in range(60)]
        assert server.call("ListClusters").status == 200  # by the Unix socket
        assert rest(idle[-1]) == b""  # one too many is closed at once
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with connected(server) as connection:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                if rest(connection).startswith(b"HTTP/1.1 200"):
                    return
            time.sleep(0.2)
        raise AssertionError("it was never answered")


def test_a40_bodies_that_are_too_large_or_never_end_take_little_memory(world: World, tmp_path: Path) -> None:
    with serving(world.process(), tmp_path / "s", signed=False) as server, ExitStack() as stack:
        assert server.call("ListClusters").status == 200
        before = _resident()
        for _ in range(100):
            connection = stack.enter_context(connected(server))
            connection.setblocking(False)
            _send_what_is_taken(connection, HEAD + b"Content-Length: 1048576\r\n\r\n" + b" " * (MAX_BYTES - 10))
        time.sleep(1)
        assert server.call("ListClusters").status == 200
        assert _resident() - before < 100 << 20


def test_a40_connections_that_never_begin_tls_take_little_memory(world: World, tmp_path: Path) -> None:
    tls = tls_context(*certificate(tmp_path))
    with serving(world.process(), tmp_path / "s", tls=tls) as server, ExitStack() as stack:
        assert server.call("ListClusters").status == 200
        before = _resident()
        for _ in range(400):
            stack.enter_context(connected(server))
        time.sleep(0.5)
        assert server.call("ListClusters").status == 200
        assert _resident() - before < 100 << 20


def test_a40_a_body_of_a_gigabyte_is_too_large(server: Running) -> None:
    with connected(server) as connection:
        connection.sendall(HEAD + b"Content-Length: 1000000000\r\nX-Amz-Target: x\r\n\r\n")
        # As much as is read before it is refused: to who sends on, the end of the connection may come first.
        for _ in range(16):
            connection.sendall(b" " * MAX_BYTES)
        connection.sendall(b" ")
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 413 ")
    assert server.call("ListClusters").status == 200


def _send_what_is_taken(connection: socket.socket, data: bytes) -> None:
    while data and select.select([], [connection], [], 0.02)[1]:
        data = data[connection.send(data) :]


def _resident() -> int:
    """Bytes of memory that this process has."""
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


ASK = """
import socket, sys
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect(sys.argv[1])
    connection.sendall(b"POST / HTTP/1.1\\r\\nHost: ecs\\r\\nContent-Length: 2\\r\\n\\r\\n{}")
    print(connection.recv(1000).split(b"\\r\\n")[0].decode())
"""


def test_a36_another_user_is_refused_whatever_the_mode_of_the_socket(
    server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_away(tmp_path, "s", 0o666)
    if os.geteuid() != 0:  # who asks cannot be another user then, so the server is
        monkeypatch.setattr("ecsctl.server.connection.os.geteuid", lambda: os.getuid() + 1)
    asked = subprocess.run([*python(), "-c", ASK, str(tmp_path / "s")], capture_output=True, text=True, timeout=60)
    assert asked.stdout == "HTTP/1.1 403 Forbidden\n", asked.stderr


def test_a36_its_owner_is_answered_on_the_socket(server: Running) -> None:
    assert server.call("ListClusters").status == 200
