"""The client's end of a session: this terminal, and the channel to the command."""

from __future__ import annotations

import json
import os
import signal
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from ecsctl.session import messages
from ecsctl.session.messages import MalformedMessage, Message
from ecsctl.session.plugin import VERSION
from ecsctl.session.stream import WINDOW, Incoming, Outgoing

_TICK = 0.1
_PIECE = 1024
"""Bytes of input in a message, as the protocol's other clients have it."""
_KEYS: dict[int, bytes] = {signal.SIGINT: b"\x03", signal.SIGQUIT: b"\x1c", signal.SIGTSTP: b"\x1a"}
"""Signals that are for the command."""
_ENDS = (signal.SIGTERM, signal.SIGHUP)
"""Signals that end the session."""
_END_OF_INPUT = b"\x04"
_AGAIN = 0.5
"""Seconds until the end of input is said again."""
_KINDS = ("InteractiveCommands", "Standard_Stream")
"""Kinds of sessions that are a terminal."""
_CANNOT = 3
"""The status of an action of the handshake that is not done here."""


def converse(session: str, url: str, token: str) -> int:
    """Talk until the session is over; the exit code."""
    try:
        context = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE")) if url.startswith("wss:") else None
        with connect(url, ssl=context, compression=None, max_size=1 << 20, close_timeout=2) as websocket:
            return _Client(websocket, session).run(token)
    except (OSError, WebSocketException, ValueError) as error:
        return _fail(f"Cannot perform start session: {error}")


class _Client:
    def __init__(self, websocket: ClientConnection, session: str) -> None:
        self._websocket = websocket
        self._session = session
        self._outgoing = Outgoing(messages.INPUT)
        self._incoming = Incoming()
        self._lock = threading.Condition()
        self._signals: list[int] = []
        self._ready = False
        self._closed: str | None = None

    def run(self, token: str) -> int:
        opening = {
            "MessageSchemaVersion": "1.0",
            "RequestId": str(uuid4()),
            "TokenValue": token,
            "ClientId": str(uuid4()),
            "ClientVersion": VERSION,
        }
        try:
            self._websocket.send(json.dumps(opening))
            for number in (*_KEYS, *_ENDS, signal.SIGWINCH):
                signal.signal(number, self.on_signal)
            with _raw_terminal():
                self._until_closed()
        except MalformedMessage as error:
            return _fail(f"SessionId: {self._session} : what came cannot be understood: {error}.")
        except ConnectionClosed as error:
            reason = error.rcvd.reason if error.rcvd and error.rcvd.reason else "The connection was lost."
            return _fail(f"SessionId: {self._session} : {reason}")
        if self._closed:
            return _fail(f"SessionId: {self._session} : {self._closed}")
        _show(f"\n\nExiting session with sessionId: {self._session}.\n\n".encode())
        return 0

    def on_signal(self, number: int, _: object) -> None:
        """Note a signal. It may have come in the middle of sending."""
        self._signals.append(number)

    def _until_closed(self) -> None:
        while self._closed is None:
            with suppress(TimeoutError):
                data = self._websocket.recv(timeout=_TICK)
                if isinstance(data, bytes):
                    self._take(messages.unpacked(data))
            with self._lock:
                again = self._outgoing.due(time.monotonic())
            if again:
                self._send(again)
            while self._ready and self._signals:
                self._obey(self._signals.pop(0))

    def _obey(self, number: int) -> None:
        if number in _KEYS:
            self._say(messages.DATA, _KEYS[number])
        elif number in _ENDS:
            self._say(messages.FLAG, messages.TERMINATE)
            raise SystemExit(128 + number)
        else:
            with suppress(OSError):  # no terminal
                size = os.get_terminal_size(sys.stdout.fileno())
                self._say(messages.SIZE, json.dumps({"cols": size.columns, "rows": size.lines}).encode())

    def _say(self, type_: int, payload: bytes) -> None:
        with self._lock:
            self._send(self._outgoing.numbered(type_, payload, time.monotonic()))

    def _send(self, data: bytes) -> None:
        with suppress(ConnectionClosed):  # what came before, and may say why, is still to be read
            self._websocket.send(data)

    def _take(self, message: Message) -> None:
        if message.kind == messages.ACKNOWLEDGE:
            with self._lock:
                self._outgoing.acknowledged(message)
                self._lock.notify_all()
        elif message.kind == messages.CLOSED:
            self._closed = str(message.document().get("Output") or "")
        elif message.kind == messages.OUTPUT:
            here, ready = self._incoming.take(message)
            if here:
                self._send(messages.acknowledgement(message))
            for each in ready:
                self._do(each)

    def _do(self, message: Message) -> None:
        if message.type == messages.HANDSHAKE_REQUEST:
            self._answer(message.document())
        elif message.type == messages.HANDSHAKE_COMPLETE:
            if said := message.document().get("CustomerMessage"):
                _show(f"{said}\r\n".encode())
            self._begin()
        elif message.type == messages.DATA:
            _show(message.payload)
            self._begin()  # agents that do not introduce themselves begin so

    def _answer(self, asked: dict[str, Any]) -> None:
        actions, errors = [], []
        for action in asked.get("RequestedClientActions") or []:
            kind = action.get("ActionType")
            wanted = (action.get("ActionParameters") or {}).get("SessionType")
            done: dict[str, Any] = {
                "ActionType": kind,
                "ActionStatus": messages.DONE,
                "ActionResult": None,
                "Error": "",
            }
            if kind != "SessionType" or wanted not in _KINDS:
                what = f"{kind} {wanted}" if wanted else kind
                done |= {"ActionStatus": _CANNOT, "Error": f"{what} is not supported by this plugin."}
                errors.append(done["Error"])
            actions.append(done)
        answer = {"ClientVersion": VERSION, "ProcessedClientActions": actions, "Errors": errors}
        self._say(messages.HANDSHAKE_RESPONSE, json.dumps(answer).encode())

    def _begin(self) -> None:
        if not self._ready:
            self._ready = True
            self._obey(signal.SIGWINCH)
            threading.Thread(target=self._pass_on, daemon=True).start()

    def _pass_on(self) -> None:
        """Send what is typed. The end of input is said as at a keyboard: there is a terminal at the other end. It is
        lost while one program gives that to the next, as the shell does to a command: it is said again."""
        with suppress(OSError):
            while piece := os.read(sys.stdin.fileno(), _PIECE):
                self._type(piece)
            while self._closed is None:
                self._type(_END_OF_INPUT)
                time.sleep(_AGAIN)

    def _type(self, data: bytes) -> None:
        with self._lock:
            self._lock.wait_for(lambda: len(self._outgoing) < WINDOW)
        self._say(messages.DATA, data)


@contextmanager
def _raw_terminal() -> Iterator[None]:
    """Every key goes to the command."""
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    if not os.isatty(descriptor):
        yield
        return
    before = termios.tcgetattr(descriptor)
    tty.setraw(descriptor, termios.TCSADRAIN)  # what was typed already is for the command
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _show(data: bytes) -> None:
    while data:
        data = data[os.write(sys.stdout.fileno(), data) :]


def _fail(why: str) -> int:
    sys.stderr.write(f"\n\n{why}\n\n")
    return 1
