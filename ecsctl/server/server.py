"""The server that runs the application: uvicorn, in a thread of its own, on a socket that listens already."""

from __future__ import annotations

import socket
from collections.abc import Callable
from threading import Thread

import uvicorn

from ecsctl.server.app import Endpoint

LAST_WAIT = 10
"""Seconds that requests which are under way get at the end."""


LARGEST_MESSAGE = 1 << 16
"""Bytes of a message on a WebSocket."""


class _Uvicorn(uvicorn.Server):
    """One that first ends the sessions of ExecuteCommand, whose clients would only see a connection lost."""

    def __init__(self, config: uvicorn.Config, endpoint: Endpoint) -> None:
        super().__init__(config)
        self._sessions = endpoint.sessions

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._sessions.close()
        await super().shutdown(sockets)


class Server:
    """Answers until stop()."""

    def __init__(self, endpoint: Endpoint, listener: socket.socket, ended: Callable[[], object]) -> None:
        """`ended` is told, in the server's thread, when it answers no more."""
        self._listener = listener
        self._ended = ended
        self._error: BaseException | None = None
        config = uvicorn.Config(
            endpoint.app(),
            http="h11",
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
        self._server = _Uvicorn(config, endpoint)
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Take no more requests, and end when those under way are answered. May be called by a signal handler."""
        self._server.should_exit = True

    def join(self) -> None:
        """Wait for the end; what ended it, if that was an error, is raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._listener])
        except BaseException as error:
            self._error = error
        finally:
            self._ended()
