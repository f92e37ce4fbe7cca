"""The application: a request in, the operation that the command line calls too, an answer out; `/healthz`, `/metrics`.

Operations wait for the state and for engines: each is done in a thread of a bounded number.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
import traceback
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from datetime import datetime, timezone
from functools import partial
from http import HTTPStatus
from types import MappingProxyType
from typing import NamedTuple

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from ecsctl.model.errors import ApiError, EcsctlError
from ecsctl.operations.context import Context
from ecsctl.operations.strict_json import MAX_BYTES
from ecsctl.server import protocol, sessions
from ecsctl.server.asked import Asked, Operation, Refused, asked_elsewhere, asked_in, prepare
from ecsctl.server.batches import Batches
from ecsctl.server.entry import Caller, Entry
from ecsctl.server.guard import Door, Guard
from ecsctl.server.live_tails import LiveTails
from ecsctl.server.metrics import CONTENT_TYPE, Metrics
from ecsctl.server.replay import Answers
from ecsctl.server.sigv4 import Received
from ecsctl.server.taken import give_back, take

_AT_ONCE = 40
"""Operations at a time: some wait for hosts."""
_LONGEST = 0.1
"""Seconds for which what is committed at once may keep others from the state, but for its last operation."""
_PATIENCE = 16 * MAX_BYTES
"""Bytes of a request too large that are still read, so that who sends it reads the answer."""
_LARGE, _MOST_LARGE = 64 << 10, 16
"""Bytes from which on a body is large, and how many of those there may be at a time: anybody may send some."""


class Answer(NamedTuple):
    """What is sent, and for the log and the metrics the operation and the code; both are words of our own. `stream` is
    sent instead of a body, as it comes. `writes`: the state may be another one."""

    status: int
    body: bytes
    operation: str
    code: str = "OK"
    principal: str = "-"
    content_type: str = protocol.CONTENT_TYPE
    headers: Mapping[str, str] = MappingProxyType({})
    stream: AsyncIterator[bytes] | None = None
    writes: bool = False

    def response(self, number: str) -> Response:
        """As the server sends it."""
        headers = {"x-amzn-RequestId": number, **self.headers}
        if self.stream is not None:
            return StreamingResponse(self.stream, self.status, headers, self.content_type)
        return Response(self.body, self.status, headers, self.content_type)


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
        self._tails = LiveTails()
        self._large = asyncio.Semaphore(_MOST_LARGE)
        self._threads = ThreadPoolExecutor(_AT_ONCE, "operation")
        # a thread of its own: what waits for nobody does not wait for those that wait for hosts
        self._batches = Batches[Answer](ThreadPoolExecutor(1, "batch"), self._together)
        protocol.prepare()
        prepare()

    def app(self, door: Door) -> ASGIApp:
        """What answers at a door."""
        pages = self.pages()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            # Nearly all that is asked: to find its route would take as long as the rest of it.
            if scope["type"] == "http" and scope["path"] == "/" and scope["method"] == "POST":
                response = await self._operation(Request(scope, receive, send))
                await response(scope, receive, send)
            else:
                await pages(scope, receive, send)

        return Guard(app, door, self._note)

    def pages(self) -> Starlette:
        """All that there is to ask."""
        pages = Starlette(
            routes=[
                Route("/", self._operation, methods=["POST"]),
                Route("/healthz", self._health, methods=["GET"]),
                Route("/metrics", self._numbers, methods=["GET"]),
                WebSocketRoute(sessions.PATH, self.sessions.channel),
            ],
            exception_handlers={HTTPException: self._no_such_page},
        )
        pages.router.redirect_slashes = False
        return pages

    def _note(self, line: str) -> None:
        """Log it, with when."""
        self._log(f"{datetime.now(timezone.utc).isoformat(timespec='milliseconds')} {line}")

    async def close(self) -> None:
        """End what would not end by itself: sessions of ExecuteCommand, and live tails."""
        self._tails.close()
        await self.sessions.close()

    async def _operation(self, request: Request) -> Response:
        number, began = str(uuid.uuid4()), time.monotonic()
        with self._metrics.under_way.track_inprogress():
            async with AsyncExitStack() as room:
                try:
                    body = await self._body(request, room)
                except ClientDisconnect:
                    return Response(status_code=400)  # nobody reads it
                work = partial(self._answer, request, body, number)
                if protocol.is_short(request.headers.get("x-amz-target", "")) and len(body or b"") <= _LARGE:
                    answer = await self._batches.do(work)
                else:
                    answer = await asyncio.get_running_loop().run_in_executor(self._threads, work)
        if answer.writes:
            self._wrote()
        return self._told(answer, number, request, time.monotonic() - began, len(body or b""))

    def _told(self, answer: Answer, number: str, request: Request, seconds: float, size: int) -> Response:
        """What is sent of an answer that is counted and logged. `size`: bytes of the request's body."""
        self._metrics.answered(answer.operation, answer.code, seconds)
        self._note(
            f"{number} {answer.operation} {answer.status} {answer.code} "
            f"{seconds * 1000:.0f}ms {size}B {len(answer.body)}B {answer.principal} {_address(request)}"
        )
        return answer.response(number)

    async def _no_such_page(self, request: Request, error: Exception) -> Response:
        """What no page answers, in the protocol of who asks: that is a program."""
        number = str(uuid.uuid4())
        asked = asked_elsewhere(request.method, request.url.path, request.headers)
        if asked is not None:
            answer = _refusal(asked.refusal, asked, number)
        else:
            status = error.status_code if isinstance(error, HTTPException) else 404
            what = f"there is no {request.method} of this page; operations are POST /."
            refusal = ApiError("UnknownOperationException", what)
            answer = Answer(status, protocol.error_body(refusal), "unknown", refusal.code)
        return self._told(answer, number, request, 0.0, 0)

    def _answer(self, request: Request, body: bytes | None, number: str) -> Answer:
        """Find out who asks, do it, and say what came of it. A body of None is one that was too large."""
        scope, door = request.scope, request.scope["door"]
        origin = f"{scope['scheme']}://{request.headers.get('host', 'localhost')}"
        asked = asked_in(request.headers, body, self._tails, partial(self.sessions.offer, origin=origin))
        if body is None:
            return self._failed(protocol.too_large(), asked, number)
        try:
            received = Received(scope["method"], scope["raw_path"], scope["query_string"], scope["headers"], body)
            secure = scope["scheme"] == "https"
            caller = self._entry.admit(received, door, _address(request), asked.service, secure=secure)
        except Exception as error:
            return self._failed(error, asked, number)
        if isinstance(asked, Refused):
            return self._failed(asked.refusal, asked, number)._replace(principal=caller.principal.arn)
        work = partial(self._done, caller, door, asked, body, number)
        if caller.signature is None or not asked.writes:
            return work()
        call = request.headers.get("amz-sdk-invocation-id", "")
        first = partial(self._first, work, caller.signature, call, asked, number)
        return self._answers.once(caller.signature, call, first, _is_final)

    def _first(self, work: Callable[[], Answer], signature: str, call: str, asked: Operation, number: str) -> Answer:
        """What comes of work, unless another server had the request, or this one before it was started anew."""
        store = self._context.store
        try:
            is_first = take(store, signature, call, datetime.now(timezone.utc))
        except EcsctlError as error:
            return self._failed(error, asked, number)
        if not is_first:
            what = "This request was done already, and what was answered is not known any more: sign it anew."
            return self._failed(ApiError("InvalidSignatureException", what), asked, number)
        answer = work()
        if answer.status >= HTTPStatus.BAD_REQUEST:
            with suppress(EcsctlError):
                give_back(store, signature, call)
        return answer

    def _together(self, batch: Sequence[Callable[[], Answer]]) -> Sequence[Answer]:
        """Do what waits for nothing but the state, and have it committed at once, or in parts where it takes long."""
        answers: list[Answer] = []
        while len(answers) < len(batch):
            answers += self._part_of(batch[len(answers) :])
        return answers

    def _part_of(self, batch: Sequence[Callable[[], Answer]]) -> Sequence[Answer]:
        """Do the first of a batch, and what more there is time for. Where it cannot be committed each is done alone,
        and told what failed of its own."""
        answers: list[Answer] = []
        began, until = self._answers.now(), time.monotonic() + _LONGEST
        try:
            with self._context.store.together():
                for work in batch:
                    answers.append(work())  # those before one that raises are to be forgotten too
                    if time.monotonic() > until:
                        break
        except Exception:
            self._answers.forget(answers, began)
            return [work() for work in batch]
        return answers

    def _done(self, caller: Caller, door: Door, asked: Operation, body: bytes, number: str) -> Answer:
        """What came of the operation."""
        principal, writes = caller.principal.arn, False
        try:
            self._entry.throttle(caller, door, asked.action)
            request = asked.request_in(body)
            asked.allow(self._entry, caller, request)
            writes = asked.writes
            said = asked.perform(caller.context, request, number)
            if isinstance(said, bytes):
                answer = Answer(200, said, asked.label, content_type=asked.content_type)
            else:
                answer = Answer(200, b"", asked.label, content_type=self._tails.content_type, stream=said)
        except Exception as error:
            answer = self._failed(error, asked, number)
        return answer._replace(principal=principal, writes=writes)

    def _failed(self, error: Exception, asked: Asked, number: str) -> Answer:
        """The answer to a request that an error ended."""
        if isinstance(error, EcsctlError):
            told = asked.as_api_error(error)
        else:
            # Neither the log nor the client is told what it says: there may be a value in it that is not for them.
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{place.filename}:{place.lineno}"
            self._log(f"{number} {asked.label}: a bug in ecsctl: {type(error).__name__} at {where}")
            told = ApiError("ServerException", f"this is a bug in ecsctl; the log says more of request {number}.")
        return _refusal(told, asked, number)

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


def _refusal(error: ApiError, asked: Asked, number: str) -> Answer:
    status, body, headers = asked.error(error, number)
    return Answer(status, body, asked.label, error.code, content_type=asked.content_type, headers=headers)
