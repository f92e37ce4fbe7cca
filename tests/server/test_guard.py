"""What no client of ours sends is refused by TCP before anybody asks who sent it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from starlette.routing import Route

from ecsctl.server.app import Endpoint
from ecsctl.server.guard import MOST_HEADERS, Door, Guard
from ecsctl.server.protocol import PREFIX
from tests.controller.world import World
from tests.server.running import Running, serving

TARGET = {"X-Amz-Target": PREFIX + "ListClusters"}


class Said(NamedTuple):
    """What came back."""

    status: int
    body: bytes


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with closing(World(tmp_path_factory.mktemp("world"))) as made:
        yield made


@pytest.fixture(scope="module")
def running(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Without signatures: what is refused here is refused for what it is."""
    with serving(world.process(), tmp_path_factory.mktemp("s") / "s", signed=False) as made:
        yield made


@pytest.fixture
def server(running: Running) -> Running:
    running.log.clear()
    return running


def sent(server: Running, text: str) -> Said:
    """What a server says to these bytes; a line's end is CR LF."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(text.replace("\n", "\r\n").encode("latin-1"))
        answer = b""
        while data := connection.recv(1 << 16):
            answer += data
    head, _, body = answer.partition(b"\r\n\r\n")
    return Said(int(head.split()[1]), body)


def ask(server: Running, *lines: str, host: str | None = "127.0.0.1", target: str = "/", body: str = "{}") -> Said:
    named = [f"Host: {host}"] if host is not None else []
    known = [f"{name}: {value}" for name, value in TARGET.items()]
    head = [f"POST {target} HTTP/1.1", *named, "Connection: close", f"Content-Length: {len(body)}", *known, *lines]
    return sent(server, "\n".join(head) + "\n\n" + body)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8478", "localhost", "LOCALHOST:1", "[::1]:80", "named.example"]
)
def test_it_answers_to_its_own_names(server: Running, host: str) -> None:
    assert ask(server, host=host).status == 200


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "127.0.0.1.nip.io", "localhost.evil.example", "evil.example:8478", "127.0.0.2", "", "[::2]"),
        *("127.0.0.1@evil.example", "localhost.", "x" * 5000, "é"),
    ],
)
def test_a32_another_name_is_misdirected_and_told_nothing(server: Running, host: str) -> None:
    said = ask(server, host=host)
    assert said.status in (400, 421)
    assert said.body == b""
    assert "CreateCluster" not in "".join(server.log)


@pytest.mark.parametrize(
    "text",
    [
        "POST / HTTP/1.1\nContent-Length: 0\n\n",
        "POST / HTTP/1.0\nContent-Length: 0\n\n",
        "POST / HTTP/1.1\nHost: 127.0.0.1\nHost: evil.example\nContent-Length: 0\n\n",
        "POST / HTTP/1.0\nHost: 127.0.0.1\nHost: 127.0.0.1\nContent-Length: 0\n\n",
        "POST http://evil.example/ HTTP/1.1\nHost: 127.0.0.1\nContent-Length: 0\n\n",
        "POST evil.example HTTP/1.1\nHost: 127.0.0.1\nContent-Length: 0\n\n",
        "GET http://evil.example/healthz HTTP/1.1\nHost: 127.0.0.1\n\n",
    ],
)
def test_a32_no_name_two_names_and_an_absolute_target_are_refused(server: Running, text: str) -> None:
    assert sent(server, text) == (400, b"")


def test_a32_two_names_are_refused_whoever_read_the_request() -> None:
    hosts = [(b"host", b"127.0.0.1"), (b"host", b"127.0.0.1")]
    told = passed_on({"type": "http", "scheme": "http", "headers": hosts})
    assert told[0]["status"] == 400


def passed_on(scope: dict[str, Any]) -> list[dict[str, Any]]:
    """What a guard says to a request that it is not to pass on."""
    told: list[dict[str, Any]] = []

    async def app(*_: object) -> None:
        raise AssertionError("it got through")

    async def send(message: dict[str, Any]) -> None:
        told.append(message)

    where = {"raw_path": b"/", "server": ("127.0.0.1", 8478), "client": ("127.0.0.1", 1)}
    guard = Guard(app, Door(frozenset(), signed=True), lambda _: None)
    asyncio.run(guard({**where, **scope}, None, send))  # type: ignore[arg-type]
    return told


def test_a32_the_log_says_what_to_do_about_a_name(server: Running) -> None:
    ask(server, host="ecs.example.com")
    (line,) = server.log
    assert line.split(" ", 1)[1] == (
        "refused, 421 Misdirected Request: Host 'ecs.example.com' is no name of this server; see --host-name; "
        "from 127.0.0.1"
    )


@pytest.mark.parametrize(
    "line",
    [
        "Origin: http://evil.example",
        "Origin: null",
        "Origin: http://127.0.0.1:1",
        "Origin: https://127.0.0.1",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
        "Content-Type: text/plain",
        "Content-Type: TEXT/PLAIN; charset=utf-8",
        "Content-Type: multipart/form-data; boundary=x",
        "Content-Type: application/x-www-form-urlencoded",
    ],
)
def test_a33_what_a_web_page_can_make_a_browser_send_is_refused(server: Running, line: str) -> None:
    assert ask(server, line) == (403, b"")
    assert server.writes == 0


@pytest.mark.parametrize(
    "lines",
    [
        ("Origin: http://127.0.0.1",),
        ("Sec-Fetch-Site: same-origin",),
        ("Sec-Fetch-Site: none",),
        ("Content-Type: application/x-www-form-urlencoded", "Authorization: AWS4-HMAC-SHA256 Credential=any"),
        ("Content-Type: application/x-amz-json-1.1",),
        ("Content-Encoding: identity",),
    ],
)
def test_what_is_of_no_other_page_is_answered(server: Running, lines: tuple[str, ...]) -> None:
    assert ask(server, *lines).status == 200


def test_a33_a_preflight_gets_no_permission(server: Running) -> None:
    head = "OPTIONS / HTTP/1.1\nHost: 127.0.0.1\nConnection: close\nOrigin: http://evil.example\n"
    assert sent(server, head + "Access-Control-Request-Method: POST\n\n") == (403, b"")


def test_a34_no_get_changes_the_state(world: World, server: Running) -> None:
    routes = Endpoint(world.process(), print, print).pages().routes
    pages = [route.path for route in routes if isinstance(route, Route) and "GET" in (route.methods or ())]
    assert "/healthz" in pages
    before = world._sequence()
    for page in pages:
        assert sent(server, f"GET {page} HTTP/1.1\nHost: 127.0.0.1\nConnection: close\n\n").status == 200
    assert world._sequence() == before
    head = f"GET / HTTP/1.1\nHost: 127.0.0.1\nConnection: close\nX-Amz-Target: {PREFIX}CreateCluster\n"
    assert sent(server, head + "X-HTTP-Method-Override: POST\n\n").status == 405


def test_a35_a_web_socket_from_another_page_is_refused() -> None:
    headers = [(b"host", b"127.0.0.1:8478"), (b"origin", b"http://evil.example")]
    assert passed_on({"type": "websocket", "scheme": "ws", "headers": headers}) == [{"type": "websocket.close"}]


@pytest.mark.parametrize(
    "target",
    [
        *(
            "/logs/../../etc/passwd",
            "/%2e%2e/%2e%2e/etc/passwd",
            "//",
            "//etc/passwd",
            "/%00",
            "/healthz/",
            "/healthz%00",
        ),
        *("/..", "/.", "/healthz/../healthz", "/%2f", "/METRICS", "/" + "a" * 4000),
    ],
)
def test_a39_a_path_that_leads_elsewhere_leads_nowhere(server: Running, target: str) -> None:
    assert ask(server, target=target).status == 404
    assert sent(server, f"GET {target} HTTP/1.1\nHost: 127.0.0.1\nConnection: close\n\n").status == 404


def test_a40_a_body_that_is_packed_is_not_unpacked(server: Running) -> None:
    assert ask(server, "Content-Encoding: gzip", body="\x1f\x8b").status == 400


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([f"X-{n}: a" for n in range(MOST_HEADERS - 4)], 200),
        ([f"X-{n}: a" for n in range(MOST_HEADERS)], 431),
        ([f"X-Long: {'a' * 15_000}"], 200),
        ([f"X-Long: {'a' * 17_000}"], 431),
        ([f"X-{n}: a" for n in range(100_000)], 431),
    ],
)
def test_a40_more_headers_than_anybody_needs_are_too_many(server: Running, lines: list[str], status: int) -> None:
    assert ask(server, *lines).status == status


def test_the_socket_takes_any_name_and_any_kind_of_body(server: Running) -> None:
    form = "application/x-www-form-urlencoded"
    assert server.send("POST", "/", b"{}", Host="ecs", Content_Type=form, **TARGET).status == 200


def test_each_refusal_is_a_line_that_nothing_a_client_sent_can_break(server: Running, tmp_path: Path) -> None:
    ask(server, host="a\x85b\xff")
    (line,) = server.log
    assert line.isprintable()
