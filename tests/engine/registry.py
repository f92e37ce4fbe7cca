"""A registry of images on 127.0.0.1, which engines pull from without TLS: tags, digests, log-ins, real layers."""

from __future__ import annotations

import base64
import ctypes
import gzip
import hashlib
import io
import json
import os
import socket
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from tests.images import root_file_system

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
TOKEN = "t0k3n-of-the-registry"


class Registry:
    """`requests` has what was asked; `down`: whether it answers no one; `login`: who may pull, if not everybody, and
    how they are asked for it."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.down = False
        self.login: tuple[str, str] | None = None
        self.kind: Literal["basic", "bearer"] = "basic"
        self._blobs: dict[str, bytes] = {}
        self._manifests: dict[tuple[str, str], bytes] = {}
        self._servers: list[ThreadingHTTPServer] = []
        self.port = self.serve(socket.create_server(("127.0.0.1", 0)))

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def name(self, image: str) -> str:
        """The name of an image in it, as engines know it."""
        return f"{self.host}/{image}"

    def put(self, image: str, version: str) -> str:
        """Make a tag mean an image that has a shell and, in /version, this text; the image's digest."""
        repository, _, tag = image.partition(":")
        layers = [_system(), tar_of("version", version.encode())]
        rootfs = {"type": "layers", "diff_ids": [_digest(layer) for layer in layers]}
        config = {"architecture": _architecture(), "os": "linux", "config": {"Cmd": ["sh"]}, "rootfs": rootfs}
        found = [self._blob(gzip.compress(layer, 1, mtime=0)) for layer in layers]
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json",
                **self._blob(json.dumps(config).encode()),
            },
            "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", **one} for one in found],
        }
        content = json.dumps(manifest).encode()
        digest = _digest(content)
        for reference in (tag or "latest", digest):
            self._manifests[repository, reference] = content
        return digest

    def _blob(self, content: bytes) -> dict[str, object]:
        self._blobs[_digest(content)] = content
        return {"digest": _digest(content), "size": len(content)}

    def serve(self, listener: socket.socket) -> int:
        """Answer what comes to a socket; its port."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self), bind_and_activate=False)
        server.socket.close()
        server.socket = listener
        server.daemon_threads = True
        self._servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return int(listener.getsockname()[1])

    def serve_apart(self, pid: int) -> None:
        """Answer under the same address in the network of another process, an engine that has one of its own."""
        subprocess.run(["nsenter", f"--net=/proc/{pid}/ns/net", "ip", "link", "set", "lo", "up"], check=True)
        made: list[socket.socket] = []

        def listen() -> None:
            with open(f"/proc/{pid}/ns/net") as network:
                if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), 0):
                    raise OSError(ctypes.get_errno(), "setns")
            made.append(socket.create_server(("127.0.0.1", self.port)))

        thread = threading.Thread(target=listen)  # which alone enters that network, and ends there
        thread.start()
        thread.join()
        self.serve(made[0])

    def close(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def answer(self, path: str, authorization: str) -> tuple[int, dict[str, str], bytes]:
        url = urlsplit(path)
        if self.down:
            return 503, {}, b'{"errors": [{"code": "UNAVAILABLE", "message": "the registry is down"}]}'
        if url.path == "/token":
            allowed = self.login is None or authorization == _basic(self.login)
            assert parse_qs(url.query).get("service") == ["tests"]
            return (200, {}, json.dumps({"token": TOKEN}).encode()) if allowed else (401, {}, b"{}")
        if self.login is not None and authorization != self._wanted():
            return 401, {"WWW-Authenticate": self._challenge()}, b'{"errors": [{"code": "UNAUTHORIZED"}]}'
        if url.path == "/v2/":
            return 200, {}, b"{}"
        repository, kind, reference = url.path.removeprefix("/v2/").rsplit("/", 2)
        if kind == "blobs" and reference in self._blobs:
            return 200, {"Content-Type": "application/octet-stream"}, self._blobs[reference]
        if kind == "manifests" and (content := self._manifests.get((repository, reference))):
            return 200, {"Content-Type": MANIFEST, "Docker-Content-Digest": _digest(content)}, content
        return 404, {}, b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}'

    def _wanted(self) -> str:
        assert self.login is not None
        return _basic(self.login) if self.kind == "basic" else f"Bearer {TOKEN}"

    def _challenge(self) -> str:
        if self.kind == "basic":
            return 'Basic realm="tests"'
        return f'Bearer realm="http://{self.host}/token",service="tests"'


@contextmanager
def registry() -> Iterator[Registry]:
    made = Registry()
    try:
        yield made
    finally:
        made.close()


def _handler(of: Registry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer()

        def do_HEAD(self) -> None:
            self._answer()

        def log_message(self, *_: object) -> None:
            pass

        def _answer(self) -> None:
            of.requests.append(f"{self.command} {self.path}")
            status, headers, body = of.answer(self.path, self.headers.get("Authorization", ""))
            self.send_response(status)
            for name, value in {"Docker-Distribution-Api-Version": "registry/2.0", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    return Handler


@cache
def _system() -> bytes:
    return root_file_system()


def tar_of(name: str, content: bytes) -> bytes:
    """An archive of one file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def _basic(login: tuple[str, str]) -> str:
    return "Basic " + base64.b64encode(":".join(login).encode()).decode()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _architecture() -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
