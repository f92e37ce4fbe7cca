"""A registry of images on this machine: it has one, the tests' own by any name, for whoever logs in.

Engines ask registries of 127.0.0.0/8 without TLS. Source: OCI distribution specification, and Docker's image manifest
of version 2, schema 2.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.images import root_file_system

_DOCKER = "application/vnd.docker."


class Registry:
    """Serves while it is entered."""

    def __init__(self, user: str, password: str) -> None:
        layer = root_file_system()
        packed = gzip.compress(layer, 1)
        config = json.dumps(
            {
                "architecture": "amd64",
                "os": "linux",
                "config": {"Cmd": ["sh"]},
                "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
                "history": [{"created_by": "tests"}],
            }
        ).encode()
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": f"{_DOCKER}distribution.manifest.v2+json",
                "config": _descriptor("container.image.v1+json", config),
                "layers": [_descriptor("image.rootfs.diff.tar.gzip", packed)],
            }
        ).encode()
        _Handler.blobs = {_digest(blob): blob for blob in (config, packed, manifest)}
        _Handler.manifest = manifest
        _Handler.wanted = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Registry:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    blobs: dict[str, bytes]
    manifest: bytes
    wanted: str

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        if self.headers.get("Authorization") != self.wanted:
            self._answer(401, b"{}", {"WWW-Authenticate": 'Basic realm="tests"'})
        elif "/manifests/" in self.path:
            kind = {"Content-Type": f"{_DOCKER}distribution.manifest.v2+json"}
            self._answer(200, self.manifest, kind | {"Docker-Content-Digest": _digest(self.manifest)})
        elif self.path == "/v2/" or name in self.blobs:
            self._answer(200, self.blobs.get(name, b"{}"), {"Content-Type": "application/octet-stream"})
        else:
            self._answer(404, b"{}", {})

    def do_HEAD(self) -> None:
        self.do_GET()

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _descriptor(kind: str, content: bytes) -> dict[str, object]:
    return {"mediaType": _DOCKER + kind, "size": len(content), "digest": _digest(content)}
