"""The application: a request in, the operation that the command line calls too, an answer out; `/healthz`, `/metrics`.

Operations wait for the state and for engines: each is done in a thread of a bounded number.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
import traceback
import uuid
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime, timezone
from functools import partial
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp

from ecsctl.model.errors import ApiError, EcsctlError
from ecsctl.model.record import Record
from ecsctl.operations.actions import operation_of
from ecsctl.operations.context import Context
from ecsctl.operations.strict_json import MAX_BYTES
from ecsctl.server import protocol, sessions
from ecsctl.server.entry import Caller, Entry
from ecsctl.server.guard import Door, Guard
from ecsctl.server.metrics import CONTENT_TYPE, Metrics
from ecsctl.server.replay import Answers
from ecsctl.server.sigv4 import Received

_READS = ("Describe", "List", "Get", "Execute")
"""How the names of operations begin that write nothing but what they see."""
_PATIENCE = 16 * MAX_BYTES
"""Bytes of a request too large that are still read, so that who sends it reads the answer."""
_LARGE, _MOST_LARGE = 64 << 10, 16
"""Bytes from which on a body is large, and how many of those there may be at a time: anybody may send some."""


class Answer(NamedTuple):
    """What is sent, and for the log and the metrics the operation and the code; both are words of our own."""

    status: int
    body: bytes
    operation: str
    code: str = "OK"
    principal: str = "-"


class Endpoint:
    """Answers the operations of ECS. `log` is given a line for each request; `wrote` is told after each operation that
    may have written to the state; `throttle` is how many times ECS's rates are allowed, 0: any."""

    def __init__(
        self, context: Context, log: Callable[[str], object], wrote: Callable[[], object], throttle: int = 0
    ) -> None:
        self._context = context
        self._log = log
        self._wrote = wrote
        self._metrics = Metrics()
        self.sessions = sessions.Sessions(context, log)
        self._entry = Entry(context, throttle)
        self._answers: Answers[Answer] = Answers()
        self._large = asyncio.Semaphore(_MOST_LARGE)
        protocol.prepare()

    def app(self, door: Door) -> ASGIApp:
        """What answers at a door."""
        app = Starlette(
            routes=[
                Route("/", self._operation, methods=["POST"]),
                Route("/healthz", self._health, methods=["GET"]),
                Route("/metrics", self._numbers, methods=["GET"]),
                WebSocketRoute(sessions.PATH, self.sessions.channel),
            ],
            exception_handlers={HTTPException: _no_such_page},
        )
        app.router.redirect_slashes = False
        return Guard(app, door, self._note)

    def _note(self, line: str) -> None:
        """Log it, with when."""
        self._log(f"{datetime.now(timezone.utc).isoformat(timespec='milliseconds')} {line}")

    async def _operation(self, request: Request) -> Response:
        number, began = str(uuid.uuid4()), time.monotonic()
        with self._metrics.under_way.track_inprogress():
            async with AsyncExitStack() as room:
                try:
                    body = await self._body(request, room)
                except ClientDisconnect:
                    return Response(status_code=400)  # nobody reads it
                answer = await run_in_threadpool(self._answer, request, body, number)
        seconds = time.monotonic() - began
        self._metrics.answered(answer.operation, answer.code, seconds)
        self._note(
            f"{number} {answer.operation} {answer.status} {answer.code} "
            f"{seconds * 1000:.0f}ms {len(body or b'')}B {len(answer.body)}B {answer.principal} {_address(request)}"
        )
        return Response(answer.body, answer.status, {"x-amzn-RequestId": number}, media_type=protocol.CONTENT_TYPE)

    def _answer(self, request: Request, body: bytes | None, number: str) -> Answer:
        """Find out who asks, do it, and say what came of it. A body of None is one that was too large."""
        target = request.headers.get("x-amz-target", "")
        operation = protocol.known(target)
        scope, door = request.scope, request.scope["door"]
        if body is None:
            return self._failed(protocol.too_large(), operation, number)
        try:
            received = Received(scope["method"], scope["raw_path"], scope["query_string"], scope["headers"], body)
            secure = scope["scheme"] == "https"
            caller = self._entry.admit(received, door, _address(request), protocol.SERVICE, secure=secure)
        except Exception as error:
            return self._failed(error, operation, number)
        origin = f"{scope['scheme']}://{request.headers.get('host', 'localhost')}"
        work = partial(self._done, caller, door, target, body, number, origin)
        if caller.signature is None or operation.startswith(_READS):
            return work()
        call = request.headers.get("amz-sdk-invocation-id", "")
        return self._answers.once(caller.signature, call, work, _is_final)

    def _done(self, caller: Caller, door: Door, target: str, body: bytes, number: str, origin: str) -> Answer:
        """What came of the operation; `origin` is where it was asked."""
        operation, principal = protocol.known(target), caller.principal.arn
        try:
            action = protocol.action_in(target)
            self._entry.throttle(caller, door, action)
            asked = protocol.request_in(action, body)
            self._entry.allow(caller, f"{protocol.SERVICE}:{action}", asked)
            try:
                answer = self._do(action, caller.context, asked, origin)
                return Answer(200, protocol.answer_body(answer), operation, principal=principal)
            finally:
                if not action.startswith(_READS):
                    self._wrote()
        except Exception as error:
            return self._failed(error, operation, number)._replace(principal=principal)

    def _failed(self, error: Exception, operation: str, number: str) -> Answer:
        """The answer to a request that an error ended."""
        if isinstance(error, EcsctlError):
            told = protocol.as_api_error(error)
        else:
            # Neither the log nor the client is told what it says: there may be a value in it that is not for them.
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{place.filename}:{place.lineno}"
            self._log(f"{number} {operation}: a bug in ecsctl: {type(error).__name__} at {where}")
            told = ApiError("ServerException", f"this is a bug in ecsctl; the log says more of request {number}.")
        return Answer(protocol.status_of(told), protocol.error_body(told), operation, told.code)

    def _do(self, action: str, context: Context, asked: Any, origin: str) -> Record:
        if action == "ExecuteCommand":
            return self.sessions.offer(context, asked, origin)
        return operation_of(action)(context, asked)

    async def _health(self, request: Request) -> Response:
        try:
            await run_in_threadpool(self._look)
        except EcsctlError as error:
            reason = {"reason": str(error)} if request.scope["door"].hosts is None else {}  # it has paths in it
            return JSONResponse({"status": "failing", **reason}, 503)
        return JSONResponse({"status": "ok"})

    def _look(self) -> None:
        with self._context.store.read() as view:
            _ = view.sequence

    async def _numbers(self, request: Request) -> Response:
        if not _is_near(request):
            raise HTTPException(403)
        return Response(self._metrics.text(), media_type=CONTENT_TYPE)

    async def _body(self, request: Request, room: AsyncExitStack) -> bytes | None:
        """The body; None when it is too large. Of those that take much memory only some have room at a time."""
        body, size, large = bytearray(), 0, False
        async for chunk in request.stream():
            size += len(chunk)
            if size > _PATIENCE:
                break
            if size > _LARGE and not large:
                large = True
                await room.enter_async_context(self._large)
            if size <= MAX_BYTES:
                body += chunk
        return bytes(body) if size <= MAX_BYTES else None


def _address(request: Request) -> str:
    """Where it came from: an IP address, or `socket`."""
    return request.client.host if request.client else "socket"


def _is_near(request: Request) -> bool:
    """Whether it came from this machine."""
    return request.client is None or ipaddress.ip_address(request.client.host.partition("%")[0]).is_loopback


def _is_final(answer: Answer) -> bool:
    """Whether the same request again is to get it: not where trying again may help."""
    return answer.status < 500 and answer.code != "ThrottlingException"


async def _no_such_page(request: Request, error: Exception) -> Response:
    """As JSON too: what is asked here is asked by programs."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    told = ApiError("UnknownOperationException", f"there is no {request.method} of this page; operations are POST /.")
    return Response(protocol.error_body(told), status, media_type=protocol.CONTENT_TYPE)
