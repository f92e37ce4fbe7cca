"""One session of ExecuteCommand: between the messages of its channel and the command on its engine."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.websockets import WebSocket, WebSocketDisconnect

from ecsctl import __version__
from ecsctl.model.errors import EcsctlError
from ecsctl.operations.context import Context
from ecsctl.operations.exec import Target, start
from ecsctl.session import messages
from ecsctl.session.messages import MalformedMessage, Message
from ecsctl.session.stream import WINDOW, Incoming, Outgoing

if TYPE_CHECKING:
    from ecsctl.engine.port import ExecSession, Stream

IDLE = 20 * 60.0
"""Seconds without input and output, after which a session ends."""
_PIECE = 8192
"""Bytes of output in a message."""
_MOST_TYPED = 1 << 20
"""Bytes of input that may wait for the command; what comes beyond is not acknowledged, and comes again."""
_HANDSHAKE = 15.0
"""Seconds in which a client says that it can do it."""
_FIRST_SIZE = 0.5
"""Seconds in which a client says how large its terminal is."""
_HANG_UP = 2.0
"""Seconds in which a command may end when its terminal is gone."""
_AGAIN = 0.25
"""Seconds until that is said again."""
_LAST_WORDS = 5.0
"""Seconds in which the client has to take the last of the output."""
_TICK = 0.1
_KEYS_TO_END = b"\x03\x04"
"""Ctrl-C and Ctrl-D: no engine hangs up the terminal of a command, so that it is ended as at its keyboard."""
_SIZES = range(1, 10_000)

GONE = (RuntimeError, OSError, WebSocketDisconnect)
"""What sending raises when the client has left."""

T = TypeVar("T")


class Terminal:
    """A session whose client has shown its token."""

    def __init__(self, context: Context, target: Target, websocket: WebSocket, session: str, client: str) -> None:
        self._context = context
        self._target = target
        self._websocket = websocket
        self._session = session
        self._client = client
        self._outgoing = Outgoing(messages.OUTPUT)
        self._incoming = Incoming()
        self._moved = asyncio.Event()
        self._over = asyncio.Event()
        self._why = ""
        self._gone = False
        self._deaf = False
        self._bug: BaseException | None = None
        self._answer: dict[str, object] | None = None
        self._typed = bytearray()
        self._keyboard: int | None = None
        self._size: tuple[int, int] | None = None
        self._active = time.monotonic()
        self._threads = CapacityLimiter(3)  # of its own: those that requests wait for are not for hours

    def end(self, why: str) -> None:
        """End it soon. `why` is for the person at the terminal."""
        self._why = self._why or why
        self._over.set()
        self._moved.set()

    async def run(self) -> str:
        """Until the command has ended, or the client is gone; what ended it, for the log."""
        beside = [asyncio.create_task(self._read()), asyncio.create_task(self._look_after())]
        for task in beside:
            task.add_done_callback(self._fell)
        try:
            if await self._agreed():
                await self._execute()
            if not self._gone:
                await self._until(lambda: self._deaf or not len(self._outgoing), _LAST_WORDS)
                await self._send(messages.closing(self._session, self._client, self._why))
                with suppress(*GONE):
                    await self._websocket.close()
        finally:
            for task in beside:
                task.cancel()
        if self._bug is not None:
            raise self._bug
        return "the client left" if self._gone else "done" if not self._why else "failed or was ended"

    async def _agreed(self) -> bool:
        """Tell the client what kind of session it is, as the agent in a container does."""
        began = time.monotonic_ns()
        action = {"ActionType": "SessionType", "ActionParameters": {"SessionType": "InteractiveCommands"}}
        await self._say(messages.HANDSHAKE_REQUEST, _json(AgentVersion=__version__, RequestedClientActions=[action]))
        await self._until(lambda: self._answer is not None or self._over.is_set(), _HANDSHAKE)
        if self._answer is None or self._over.is_set():
            self.end("The client did not answer.")
            return False
        done = self._answer.get("ProcessedClientActions")
        if not isinstance(done, list) or not any(_is_done(action) for action in done):
            self.end("The client does not do interactive commands.")
            return False
        took = time.monotonic_ns() - began
        await self._say(messages.HANDSHAKE_COMPLETE, _json(HandshakeTimeToComplete=took, CustomerMessage=""))
        return True

    async def _execute(self) -> None:
        """Start the command, and pass on what it says and is told until it ends or the client is gone."""
        try:
            session = await self._in_thread(lambda: start(self._context, self._target, tty=True, stdin=True))
        except EcsctlError as error:
            self.end(str(error))
            return
        stdin, self._keyboard = os.pipe()
        os.set_blocking(self._keyboard, False)
        loop = asyncio.get_running_loop()

        def write(_: Stream, data: bytes) -> None:
            asyncio.run_coroutine_threadsafe(self._show(data), loop).result()

        await self._until(lambda: bool(self._size or self._typed or self._over.is_set()), _FIRST_SIZE)
        await self._resize(session)  # before the command is told anything that may depend on it
        conversation = asyncio.create_task(self._in_thread(lambda: session.converse(stdin, write)))
        sizes = asyncio.create_task(self._follow_size(session))
        over = asyncio.create_task(self._over.wait())
        try:
            self._type()
            await asyncio.wait({conversation, over}, return_when=asyncio.FIRST_COMPLETED)
            await self._hang_up(conversation)
            session.leave()
            await conversation
        except EcsctlError as error:
            self.end(str(error))
        finally:
            over.cancel()
            sizes.cancel()
            loop.remove_writer(self._keyboard)
            os.close(self._keyboard)
            os.close(stdin)
            self._keyboard = None

    async def _hang_up(self, conversation: asyncio.Task[int]) -> None:
        """Type what ends the command, unless it has ended. What is typed while one program gives the terminal to the
        next is lost: it is typed again."""
        end = time.monotonic() + _HANG_UP
        while not conversation.done() and time.monotonic() < end:
            self._typed += _KEYS_TO_END
            self._type()
            await asyncio.wait({conversation}, timeout=_AGAIN)

    async def _show(self, data: bytes) -> None:
        """Send output, as fast as the client takes it. What it says when the client is gone is nobody's."""
        self._active = time.monotonic()
        for at in range(0, len(data), _PIECE):
            await self._until(lambda: len(self._outgoing) < WINDOW or self._over.is_set(), None)
            if self._gone or len(self._outgoing) >= WINDOW:
                return
            await self._say(messages.DATA, data[at : at + _PIECE])

    def _type(self) -> None:
        """Hand on input, as much as the command takes now; the rest follows when it takes more."""
        if self._keyboard is None:
            return
        loop = asyncio.get_running_loop()
        try:
            while self._typed:
                del self._typed[: os.write(self._keyboard, self._typed)]
        except BlockingIOError:
            loop.add_writer(self._keyboard, self._type)
        else:
            loop.remove_writer(self._keyboard)

    async def _follow_size(self, session: ExecSession) -> None:
        while True:
            await self._until(lambda: self._size is not None, None)
            await self._resize(session)

    async def _resize(self, session: ExecSession) -> None:
        """Give the command's terminal the size of the client's, if that has changed."""
        size, self._size = self._size, None
        if size is not None:
            await self._in_thread(partial(session.resize, *size))

    async def _read(self) -> None:
        """Take what the client sends until it is gone."""
        try:
            while (received := await self._websocket.receive())["type"] != "websocket.disconnect":
                data = received.get("bytes")
                if data is not None:
                    await self._take(messages.unpacked(data))
                self._moved.set()
            self._gone = True
            self.end("The client left.")
        except MalformedMessage as error:
            self._deaf = True
            self.end(f"The client sent what cannot be understood: {error}.")

    async def _take(self, message: Message) -> None:
        if message.kind == messages.ACKNOWLEDGE:
            self._outgoing.acknowledged(message)
        if message.kind != messages.INPUT or len(self._typed) > _MOST_TYPED:
            return
        here, ready = self._incoming.take(message)
        if here:
            await self._send(messages.acknowledgement(message))
        for each in ready:
            self._active = time.monotonic()
            self._do(each)

    def _do(self, message: Message) -> None:
        if message.type == messages.DATA:
            self._typed += message.payload
            self._type()
        elif message.type == messages.SIZE:
            wanted = message.document()
            rows, columns = wanted.get("rows"), wanted.get("cols")
            if isinstance(rows, int) and isinstance(columns, int) and rows in _SIZES and columns in _SIZES:
                self._size = rows, columns
        elif message.type == messages.HANDSHAKE_RESPONSE:
            self._answer = message.document()
        elif message.type == messages.FLAG and message.payload == messages.TERMINATE:
            self.end("The client ended it.")

    async def _look_after(self) -> None:
        """Send again what the client did not take, and end a session that nobody uses."""
        while True:
            await asyncio.sleep(_TICK)
            now = time.monotonic()
            if data := self._outgoing.due(now):
                await self._send(data)
            if now - self._active > IDLE:
                self.end(f"Nothing was said for {IDLE / 60:.0f} minutes.")

    def _fell(self, task: asyncio.Task[None]) -> None:
        """One of the tasks beside the conversation is over, which by itself only that of a client which left may be."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._bug = error
            self.end("This is a bug in ecsctl; the server's log says more.")

    async def _say(self, type_: int, payload: bytes) -> None:
        await self._send(self._outgoing.numbered(type_, payload, time.monotonic()))

    async def _send(self, data: bytes) -> None:
        if not self._gone:
            with suppress(*GONE):  # it left a moment ago: _read() learns of it
                await self._websocket.send_bytes(data)

    async def _until(self, condition: Callable[[], bool], seconds: float | None) -> None:
        """Wait until something that came has made it true, or the time is over."""

        async def wait() -> None:
            while not condition():
                self._moved.clear()
                await self._moved.wait()

        if condition():
            return
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(wait(), seconds)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._threads)


def _json(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def _is_done(action: object) -> bool:
    return (
        isinstance(action, dict)
        and action.get("ActionType") == "SessionType"
        and action.get("ActionStatus") == messages.DONE
    )
