"""The application: a request in, the operation that the command line calls too, an answer out; `/healthz`, `/metrics`.

Operations wait for the state and for engines: each is done in a thread of a bounded number.
"""

from __future__ import annotations

import time
import traceback
import uuid
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute

from ecsctl.model.errors import ApiError, EcsctlError
from ecsctl.model.record import Record
from ecsctl.operations.actions import operation_of
from ecsctl.operations.context import Context
from ecsctl.operations.strict_json import MAX_BYTES
from ecsctl.server import protocol, sessions
from ecsctl.server.metrics import CONTENT_TYPE, Metrics

_READS = ("Describe", "List", "Get", "Execute")
"""How the names of operations begin that write nothing but what they see."""
_PATIENCE = 16 * MAX_BYTES
"""Bytes of a request too large that are still read, so that who sends it reads the answer."""


class Answer(NamedTuple):
    """What is sent, and for the log and the metrics the operation and the code; both are words of our own."""

    status: int
    body: bytes
    operation: str
    code: str = "OK"


class Endpoint:
    """Answers the operations of ECS. `log` is given a line for each request; `wrote` is told after each operation that
    may have written to the state."""

    def __init__(self, context: Context, log: Callable[[str], object], wrote: Callable[[], object]) -> None:
        self._context = context
        self._log = log
        self._wrote = wrote
        self._metrics = Metrics()
        self.sessions = sessions.Sessions(context, log)
        protocol.prepare()

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self._operation, methods=["POST"]),
                Route("/healthz", self._health, methods=["GET"]),
                Route("/metrics", self._numbers, methods=["GET"]),
                WebSocketRoute(sessions.PATH, self.sessions.channel),
            ],
            exception_handlers={HTTPException: _no_such_page},
        )

    async def _operation(self, request: Request) -> Response:
        number, began = str(uuid.uuid4()), time.monotonic()
        with self._metrics.under_way.track_inprogress():
            try:
                body = await _body(request)
            except ClientDisconnect:
                return Response(status_code=400)  # nobody reads it
            origin = f"{request.url.scheme}://{request.headers.get('host', 'localhost')}"
            target = request.headers.get("x-amz-target", "")
            answer = await run_in_threadpool(self._answer, target, body, number, origin)
        seconds = time.monotonic() - began
        self._metrics.answered(answer.operation, answer.code, seconds)
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        self._log(
            f"{now} {number} {answer.operation} {answer.status} {answer.code} "
            f"{seconds * 1000:.0f}ms {len(body or b'')}B {len(answer.body)}B"
        )
        return Response(answer.body, answer.status, {"x-amzn-RequestId": number}, media_type=protocol.CONTENT_TYPE)

    def _answer(self, target: str, body: bytes | None, number: str, origin: str) -> Answer:
        """Do it, and say what came of it. A body of None is one that was too large; `origin` is where it was asked."""
        operation = protocol.known(target)
        try:
            action = protocol.action_in(target)
            asked = protocol.request_in(action, body)
            try:
                return Answer(200, protocol.answer_body(self._do(action, asked, origin)), operation)
            finally:
                if not action.startswith(_READS):
                    self._wrote()
        except EcsctlError as error:
            told = protocol.as_api_error(error)
        except Exception as error:
            # Neither the log nor the client is told what it says: there may be a value in it that is not for them.
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{place.filename}:{place.lineno}"
            self._log(f"{number} {operation}: a bug in ecsctl: {type(error).__name__} at {where}")
            told = ApiError("ServerException", f"this is a bug in ecsctl; the log says more of request {number}.")
        return Answer(protocol.status_of(told), protocol.error_body(told), operation, told.code)

    def _do(self, action: str, asked: Any, origin: str) -> Record:
        if action == "ExecuteCommand":
            return self.sessions.offer(asked, origin)
        return operation_of(action)(self._context, asked)

    async def _health(self, _: Request) -> Response:
        try:
            await run_in_threadpool(self._look)
        except EcsctlError as error:
            return JSONResponse({"status": "failing", "reason": str(error)}, 503)
        return JSONResponse({"status": "ok"})

    def _look(self) -> None:
        with self._context.store.read() as view:
            _ = view.sequence

    async def _numbers(self, _: Request) -> Response:
        return Response(self._metrics.text(), media_type=CONTENT_TYPE)


async def _body(request: Request) -> bytes | None:
    """The body; None when it is too large."""
    body, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > _PATIENCE:
            break
        if size <= MAX_BYTES:
            body += chunk
    return bytes(body) if size <= MAX_BYTES else None


async def _no_such_page(request: Request, error: Exception) -> Response:
    """As JSON too: what is asked here is asked by programs."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    told = ApiError("UnknownOperationException", f"there is no {request.method} of this page; operations are POST /.")
    return Response(protocol.error_body(told), status, media_type=protocol.CONTENT_TYPE)
