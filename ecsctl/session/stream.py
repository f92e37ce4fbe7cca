"""The two directions of a data channel: what is sent is numbered, and sent again until it is acknowledged; what comes
is put in order.

The WebSocket below loses nothing, but Amazon's plugin does not take what comes before it is ready, so that it has to be
sent again (aws/session-manager-plugin, src/datachannel).
"""

from __future__ import annotations

from dataclasses import dataclass

from ecsctl.session.messages import Message, packed

WINDOW = 64
"""Messages that may be on their way; who sends more waits."""
_FIRST_WAIT = 0.2
_LONGEST_WAIT = 1.0
"""Seconds until a message is sent again."""
_OUT_OF_ORDER = 32
"""Messages that are kept until the one before them is here."""


@dataclass
class _Sent:
    data: bytes
    due: float
    wait: float


class Outgoing:
    """What goes to the other end. Moments are seconds of any one clock."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._next = 0
        self._unacknowledged: dict[int, _Sent] = {}

    def __len__(self) -> int:
        """How many messages are not acknowledged."""
        return len(self._unacknowledged)

    def numbered(self, type_: int, payload: bytes, now: float) -> bytes:
        """The next message, which is to be sent now."""
        data = packed(self._kind, payload, type=type_, sequence=self._next, flags=0 if self._next else 1)
        self._unacknowledged[self._next] = _Sent(data, now + _FIRST_WAIT, _FIRST_WAIT)
        self._next += 1
        return data

    def acknowledged(self, message: Message) -> None:
        """The other end has what this answer of it names. MalformedMessage when it is none."""
        self._unacknowledged.pop(message.document().get("AcknowledgedMessageSequenceNumber", -1), None)

    def due(self, now: float) -> bytes | None:
        """What is to be sent again now: the oldest, if it is time."""
        sent = next(iter(self._unacknowledged.values()), None)
        if sent is None or now < sent.due:
            return None
        sent.wait = min(2 * sent.wait, _LONGEST_WAIT)
        sent.due = now + sent.wait
        return sent.data


class Incoming:
    """What comes from the other end."""

    def __init__(self) -> None:
        self._next = 0
        self._early: dict[int, Message] = {}

    def take(self, message: Message) -> tuple[bool, list[Message]]:
        """Whether it is to be acknowledged, and what can be gone on with, in order. One that is here already is
        acknowledged again; one for which there is no room is not, and comes again."""
        if message.sequence > self._next and len(self._early) >= _OUT_OF_ORDER:
            return False, []
        if message.sequence >= self._next:
            self._early[message.sequence] = message
        ready = []
        while self._next in self._early:
            ready.append(self._early.pop(self._next))
            self._next += 1
        return True, ready
