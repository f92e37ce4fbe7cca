"""The application: a request in, the operation that the command line calls too, an answer out; `/healthz`, `/metrics`.

Operations wait for the state and for engines: each is done in a thread of a bounded number.
"""

from __future__ import annotations

import time
import traceback
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime, timezone
from types import MappingProxyType
from typing import NamedTuple

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from ecsctl.model.errors import ApiError, EcsctlError
from ecsctl.operations.actions import operation_of
from ecsctl.operations.context import Context
from ecsctl.operations.strict_json import MAX_BYTES
from ecsctl.server import protocol
from ecsctl.server.asked import Asked, asked_elsewhere, asked_in
from ecsctl.server.live_tails import LiveTails
from ecsctl.server.metrics import CONTENT_TYPE, Metrics

_READS = ("Describe", "List", "Get")
"""How the names of operations begin that write nothing but what they see."""
_PATIENCE = 16 * MAX_BYTES
"""Bytes of a request too large that are still read, so that who sends it reads the answer."""


class Answer(NamedTuple):
    """What is sent, and for the log and the metrics the operation and the code; both are words of our own."""

    status: int
    body: bytes | AsyncIterator[bytes]
    operation: str
    code: str = "OK"
    content_type: str = protocol.CONTENT_TYPE
    headers: Mapping[str, str] = MappingProxyType({})

    @property
    def size(self) -> int:
        """Bytes of the body; of one that does not end, 0."""
        return len(self.body) if isinstance(self.body, bytes) else 0

    def response(self, number: str) -> Response:
        """As the server sends it."""
        headers = {"x-amzn-RequestId": number, **self.headers}
        if isinstance(self.body, bytes):
            return Response(self.body, self.status, headers, self.content_type)
        return StreamingResponse(self.body, self.status, headers, self.content_type)


class Endpoint:
    """Answers the operations of ECS. `log` is given a line for each request; `wrote` is told after each operation that
    may have written to the state."""

    def __init__(self, context: Context, log: Callable[[str], object], wrote: Callable[[], object]) -> None:
        self._context = context
        self._log = log
        self._wrote = wrote
        self._metrics = Metrics()
        self._tails = LiveTails()
        protocol.prepare()

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self._operation, methods=["POST"]),
                Route("/healthz", self._health, methods=["GET"]),
                Route("/metrics", self._numbers, methods=["GET"]),
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
            asked = asked_in(request.headers, body, self._tails)
            if asked is None:
                target = request.headers.get("x-amz-target", "")
                answer = await run_in_threadpool(self._answer, target, body, number)
            else:
                answer = await run_in_threadpool(self._answer_beside, asked, body, number)
        seconds = time.monotonic() - began
        self._metrics.answered(answer.operation, answer.code, seconds)
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        self._log(
            f"{now} {number} {answer.operation} {answer.status} {answer.code} "
            f"{seconds * 1000:.0f}ms {len(body or b'')}B {answer.size}B"
        )
        return answer.response(number)

    def _answer(self, target: str, body: bytes | None, number: str) -> Answer:
        """Do it, and say what came of it. A body of None is one that was too large."""
        operation = protocol.known(target)
        try:
            action = protocol.action_in(target)
            asked = protocol.request_in(action, body)
            try:
                return Answer(200, protocol.answer_body(operation_of(action)(self._context, asked)), operation)
            finally:
                if not action.startswith(_READS):
                    self._wrote()
        except EcsctlError as error:
            told = protocol.as_api_error(error)
        except Exception as error:
            told = self._bug(error, operation, number)
        return Answer(protocol.status_of(told), protocol.error_body(told), operation, told.code)

    def _answer_beside(self, asked: Asked, body: bytes | None, number: str) -> Answer:
        """The same of a service beside ECS."""
        try:
            said = asked.answer(self._context, body, number)
            return Answer(200, said, asked.label, content_type=asked.content_type)
        except EcsctlError as error:
            told = asked.as_api_error(error)
        except Exception as error:
            told = self._bug(error, asked.label, number)
        status, said, headers = asked.error(told, number)
        return Answer(status, said, asked.label, told.code, asked.content_type, headers)

    def _bug(self, error: Exception, operation: str, number: str) -> ApiError:
        """Neither the log nor the client is told what it says: there may be a value in it that is not for them."""
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{place.filename}:{place.lineno}"
        self._log(f"{number} {operation}: a bug in ecsctl: {type(error).__name__} at {where}")
        return ApiError("ServerException", f"this is a bug in ecsctl; the log says more of request {number}.")

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
    """What no page answers, in the protocol of who asks: that is a program."""
    asked = asked_elsewhere(request.method, request.url.path, request.headers)
    if asked is not None:
        number = str(uuid.uuid4())
        told = asked.refusal
        status, said, headers = asked.error(told, number)
        return Answer(status, said, asked.label, told.code, asked.content_type, headers).response(number)
    status = error.status_code if isinstance(error, HTTPException) else 404
    told = ApiError("UnknownOperationException", f"there is no {request.method} of this page; operations are POST /.")
    return Response(protocol.error_body(told), status, media_type=protocol.CONTENT_TYPE)
