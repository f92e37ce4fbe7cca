"""A server on a Unix socket and on a port, and the ways to it: plain HTTP, and boto3, unmodified."""

from __future__ import annotations

import http.client
import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from botocore.config import Config

from ecsctl.operations.context import Context
from ecsctl.server.app import Endpoint
from ecsctl.server.connection import Connection
from ecsctl.server.guard import LOOPBACK, Door
from ecsctl.server.protocol import CONTENT_TYPE, PREFIX
from ecsctl.server.server import Entrance, Server
from ecsctl.server.tcp_socket import MOST, bound, parse_address
from ecsctl.server.unix_socket import listening
from tests.controller.world import World


class Reply(NamedTuple):
    """What came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(60)
        self.sock.connect(str(self._path))


class Running:
    """A server that answers, what it logs, and how often it said that it wrote."""

    def __init__(self, path: Path, port: int) -> None:
        self.path = path
        self.port = port
        self.log: list[str] = []
        self.writes = 0
        self.stop: Callable[[], object] = lambda: None

    def wrote(self) -> None:
        self.writes += 1

    def send(self, method: str, page: str, body: bytes | None = None, **headers: str) -> Reply:
        with closing(_UnixConnection(self.path)) as connection:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, page, body, named)
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())

    def raw(self, action: str, body: bytes) -> Reply:
        return self.send("POST", "/", body, X_Amz_Target=PREFIX + action, Content_Type=CONTENT_TYPE)

    def call(self, action: str, **request: Any) -> Reply:
        return self.raw(action, json.dumps(request).encode())


@contextmanager
def serving(
    context: Context,
    path: Path,
    *,
    signed: bool = True,
    throttle: int = 0,
    tls: ssl.SSLContext | None = None,
    kind: type[Connection] = Connection,
    most: int = MOST,
) -> Iterator[Running]:
    """On the socket, and on a free port of 127.0.0.1, where it is called `named.example` too."""
    with listening(path) as inner, bound([parse_address("127.0.0.1:0")], most) as (outer,):
        running = Running(path, outer.getsockname()[1])
        entrances = [
            Entrance(inner, Door(None, signed=False)),
            Entrance(outer, Door(LOOPBACK | {"named.example"}, signed), tls),
        ]
        endpoint = Endpoint(context, running.log.append, running.wrote, throttle)
        server = Server(endpoint, entrances, lambda: None, kind)
        running.stop = server.stop
        server.start()
        try:
            yield running
        finally:
            server.stop()
            server.join()


def state_of(world: World) -> list[str]:
    """All that is in the state, as SQL."""
    return list(world.store._database.connection.iterdump())  # type: ignore[attr-defined]


class _Forward(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        path = self.server.unix_path  # type: ignore[attr-defined]
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as inner:
            inner.connect(path)
            back = threading.Thread(target=_pump, args=(inner, self.request))
            back.start()
            _pump(self.request, inner)
            back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class _Forwarder(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True


@contextmanager
def forwarded(path: Path) -> Iterator[str]:
    """The URL of a socket, for clients that know no Unix sockets: what they send by TCP is passed on."""
    with _Forwarder(("127.0.0.1", 0), _Forward) as forwarder:
        forwarder.unix_path = str(path)  # type: ignore[attr-defined]
        thread = threading.Thread(target=forwarder.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{forwarder.server_address[1]}"
        finally:
            forwarder.shutdown()
            thread.join()


@contextmanager
def client(path: Path, service: str = "ecs", **options: Any) -> Iterator[Any]:
    """A client of boto3."""
    with forwarded(path) as url:
        made = boto3.client(
            service,
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
            config=Config(retries={"total_max_attempts": 1}, **options),
        )
        try:
            yield made
        finally:
            made.close()
