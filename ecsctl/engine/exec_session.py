"""A command in a container, with its input and output on one connection.

Source: Docker Engine API 1.41, "Exec" and "Attach to a container" (the stream's format, the upgrade of the connection).
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ecsctl.model.errors import EcsctlError, EngineTimeout

if TYPE_CHECKING:
    from ecsctl.engine.port import Stream
    from ecsctl.engine.transport import Transport

SECONDS = 10.0
"""For each question about the command."""
PIECE = 65536
MOST_UNSENT = 1 << 20
"""Bytes of input that may wait for the container to read them, before no more is read here."""
_HEADER = 8


class DockerSession:
    """A command that has been started."""

    def __init__(self, transport: Transport, exec_id: str, sock: socket.socket, rest: bytes, tty: bool) -> None:
        """`rest` is what has come with the answer to the start."""
        self._http = transport
        self._id = exec_id
        self._sock = sock
        self._tty = tty
        self._received = bytearray(rest)
        self._left = False

    def resize(self, rows: int, columns: int) -> None:
        with contextlib.suppress(EcsctlError):  # it may have ended; the size is no more than a wish
            query = {"h": str(rows), "w": str(columns)}
            self._http.call("POST", f"/exec/{self._id}/resize", SECONDS, query)

    def converse(self, stdin: int | None, write: Callable[[Stream, bytes], object]) -> int:
        unsent = bytearray()
        self._sock.setblocking(False)
        try:
            self._hand_over(write)
            while True:
                wants = select.POLLIN | (select.POLLOUT if unsent else 0)
                poll = select.poll()
                poll.register(self._sock, wants)
                if stdin is not None and len(unsent) < MOST_UNSENT:
                    poll.register(stdin, select.POLLIN)
                ready = dict(poll.poll())
                if stdin is not None and stdin in ready:
                    piece = os.read(stdin, PIECE)
                    unsent += piece
                    if not piece:
                        stdin = None
                        if not unsent:
                            self._end_input()
                if unsent:
                    del unsent[: self._send(unsent)]
                    if not unsent and stdin is None:
                        self._end_input()
                if ready.get(self._sock.fileno(), 0) & ~select.POLLOUT and not self._receive():
                    break
                self._hand_over(write)
        except OSError as error:
            raise EngineTimeout(f"The connection to the command was lost: {error.strerror or error}.") from error
        finally:
            self._sock.close()
        self._hand_over(write)
        if self._left:
            raise EngineTimeout("The conversation with the command was ended.")
        return self._exit_code()

    def leave(self) -> None:
        self._left = True
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def _send(self, data: bytearray) -> int:
        try:
            return self._sock.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            if _is_not_ready(error):
                return 0
            if isinstance(error, (BrokenPipeError, ConnectionResetError)):
                return len(data)  # nobody reads it any more; what was said comes still
            raise

    def _receive(self) -> bool:
        """Take what has come; False at the end."""
        while True:
            try:
                piece = self._sock.recv(PIECE)
            except BlockingIOError:
                return True
            except ConnectionResetError:
                return False
            except OSError as error:
                if _is_not_ready(error):
                    return True
                raise
            if not piece:
                return False
            self._received += piece
            if len(piece) < PIECE and not getattr(self._sock, "pending", lambda: 0)():
                return True

    def _end_input(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)

    def _hand_over(self, write: Callable[[Stream, bytes], object]) -> None:
        """What has come, as far as it is whole. Without a terminal each piece has a head that says its stream."""
        if self._tty:
            if self._received:
                write("stdout", bytes(self._received))
                self._received.clear()
            return
        while len(self._received) >= _HEADER:
            size = int.from_bytes(self._received[4:_HEADER], "big")
            if len(self._received) < _HEADER + size:
                return
            write("stderr" if self._received[0] == 2 else "stdout", bytes(self._received[_HEADER : _HEADER + size]))
            del self._received[: _HEADER + size]

    def _exit_code(self) -> int:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            found = self._http.call("GET", f"/exec/{self._id}/json", SECONDS).json()
            if not found.get("Running"):
                return int(found.get("ExitCode") or 0)
            time.sleep(0.05)
        raise EngineTimeout("The command's output has ended, but the command goes on.")


def _is_not_ready(error: OSError) -> bool:
    """Whether TLS has to wait for the other side first."""
    return type(error).__name__ in ("SSLWantReadError", "SSLWantWriteError")
