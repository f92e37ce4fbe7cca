"""The server that runs the application: uvicorn, in a thread of its own, on sockets that listen already."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from threading import Thread
from typing import NamedTuple

import uvicorn
from starlette.types import ASGIApp

from ecsctl.server.app import Endpoint
from ecsctl.server.connection import Connection
from ecsctl.server.guard import Door

LAST_WAIT = 10
"""Seconds that requests which are under way get at the end."""


LARGEST_MESSAGE = 1 << 16
"""Bytes of a message on a WebSocket."""


class _Uvicorn(uvicorn.Server):
    """One that first ends what would not end by itself: its clients would only see a connection lost."""

    def __init__(self, config: uvicorn.Config, endpoint: Endpoint) -> None:
        super().__init__(config)
        self._endpoint = endpoint

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._endpoint.close()
        await super().shutdown(sockets)


class Entrance(NamedTuple):
    """A socket that listens, the door it is, and its TLS."""

    listener: socket.socket
    door: Door
    tls: ssl.SSLContext | None = None


class Server:
    """Answers until stop()."""

    def __init__(
        self, endpoint: Endpoint, entrances: Sequence[Entrance], ended: Callable[[], object], kind: type = Connection
    ) -> None:
        """`ended` is told, in the server's thread, when it answers no more. `kind`: what a connection is."""
        self._ended = ended
        self._error: BaseException | None = None
        self._servers = [
            (_Uvicorn(_config(endpoint.app(entrance.door), entrance.tls, kind), endpoint), entrance.listener)
            for entrance in entrances
        ]
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Take no more requests, and end when those under way are answered. May be called by a signal handler."""
        for server, _ in self._servers:
            server.should_exit = True

    def join(self) -> None:
        """Wait for the end; what ended it, if that was an error, is raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._error = error
        finally:
            self._ended()

    async def _serve(self) -> None:
        await asyncio.gather(*(self._keep(server, listener) for server, listener in self._servers))

    async def _keep(self, server: uvicorn.Server, listener: socket.socket) -> None:
        try:
            await server.serve(sockets=[listener])
        finally:
            self.stop()  # one ends with the others


def _config(app: ASGIApp, tls: ssl.SSLContext | None, kind: type) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        http=kind,
        ws="websockets-sansio",
        ws_max_size=LARGEST_MESSAGE,
        ws_per_message_deflate=False,
        lifespan="off",
        loop="asyncio",
        log_config=None,
        access_log=False,
        log_level="critical",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=LAST_WAIT,
    )
    config.load()
    config.ssl = tls
    return config
