"""A server on a unix socket that does what engines do at their worst."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

Script = Callable[[socket.socket, str], bool]
"""Gets the connection and the request line; returns whether the connection stays for another request."""


class FaultyServer:
    """Answers each request by the next script, the last for ever. `requests` has what was asked, by connection."""

    def __init__(self, path: Path, *scripts: Script) -> None:
        self.path = path
        self.requests: list[tuple[int, str]] = []
        self._scripts = list(scripts)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen()
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def asked(self) -> list[str]:
        return [line for _, line in self.requests]

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._open:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        for number in range(1000):
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(sock)
            thread = threading.Thread(target=self._serve, args=(sock, number))
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        with sock, suppress(OSError):
            while head := _head(sock):
                self.requests.append((number, head))
                script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
                if not script(sock, head):
                    return


@contextmanager
def serving(path: Path, *scripts: Script) -> Iterator[FaultyServer]:
    server = FaultyServer(path, *scripts)
    try:
        yield server
    finally:
        server.close()


def answers(content: bytes = b"[]", status: str = "200 OK", *, stays: bool = True) -> Script:
    def script(sock: socket.socket, _: str) -> bool:
        sock.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content)
        return stays

    return script


def says(raw: bytes) -> Script:
    """Exactly these bytes, and the connection's end."""

    def script(sock: socket.socket, _: str) -> bool:
        sock.sendall(raw)
        return False

    return script


def hangs(raw: bytes = b"") -> Script:
    """These bytes, and then nothing until the other side goes."""

    def script(sock: socket.socket, _: str) -> bool:
        sock.sendall(raw)
        sock.recv(1)
        return False

    return script


def _head(sock: socket.socket) -> str:
    """The request line; the rest of the request is read and forgotten."""
    data = b""
    while b"\r\n\r\n" not in data:
        received = sock.recv(65536)
        if not received:
            return ""
        data += received
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    length = next((int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length")), 0)
    while len(body) < length:
        body += sock.recv(65536)
    return lines[0]
