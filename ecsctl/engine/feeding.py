"""Talking to a container by its standard input and output, a line each."""

from __future__ import annotations

import socket
import time

from ecsctl.model.errors import Conflict, EngineTimeout

_PIECE = 65536


def feed(sock: socket.socket, received: bytes, line: bytes, answer: bytes, seconds: float) -> None:
    """Send a line, and wait for another. What else is said, and how the engine frames it, is of no matter. Closes the
    connection."""
    end = time.monotonic() + seconds
    try:
        sock.settimeout(seconds)
        sock.sendall(line + b"\n")
        while answer + b"\n" not in received:
            sock.settimeout(max(0.001, end - time.monotonic()))
            piece = sock.recv(_PIECE)
            if not piece:
                raise Conflict(409, "The container is not running")
            received = received[-len(answer) :] + piece
    except OSError as error:
        raise EngineTimeout(f"The container did not answer what it was given within {seconds:g} s.") from error
    finally:
        sock.close()
