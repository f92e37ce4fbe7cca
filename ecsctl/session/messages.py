"""The messages of a data channel, to bytes and back.

Source: aws/session-manager-plugin, src/message (layout, kinds, types of payloads), aws/amazon-ssm-agent,
agent/session/contracts (the handshake). Numbers are big-endian. A message id's halves are swapped.

    header length 4 | kind 32, padded with blanks | schema 4 | created 8, ms since 1970 | sequence 8 | flags 8
    message id 16 | SHA-256 of the payload 32 | type of the payload 4 | its length 4 | payload

The header length counts all before the payload's length.
"""

from __future__ import annotations

import hashlib
import json
import struct
import time
from typing import Any, NamedTuple
from uuid import UUID, uuid4

INPUT = "input_stream_data"
OUTPUT = "output_stream_data"
ACKNOWLEDGE = "acknowledge"
CLOSED = "channel_closed"
_PUBLICATIONS = ("start_publication", "pause_publication")
"""Kinds that say nothing here; they come without a digest."""

DATA = 1
SIZE = 3
HANDSHAKE_REQUEST = 5
HANDSHAKE_RESPONSE = 6
HANDSHAKE_COMPLETE = 7
FLAG = 10
TERMINATE = struct.pack(">I", 2)
"""The payload of a FLAG that ends the session."""
DONE = 1
"""The status of an action of the handshake that succeeded."""

_HEAD = struct.Struct(">I32sIQqQ8s8s32sII")
_HEADER_LENGTH = _HEAD.size - 4
_SCHEMA = 1
_FIRST_AND_LAST = 3
"""The flags of a message that is no part of a sequence."""


class MalformedMessage(ValueError):
    """Bytes that are no message."""


class Message(NamedTuple):
    """One message. `sequence` counts those of a stream from 0."""

    kind: str
    payload: bytes
    type: int = 0
    sequence: int = 0
    id: UUID = UUID(int=0)

    def document(self) -> dict[str, Any]:
        """The payload, where that is a JSON object. MalformedMessage when it is none."""
        try:
            found = json.loads(self.payload)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise MalformedMessage(f"the payload of {self.kind} is no JSON object")
        return found


def packed(kind: str, payload: bytes, *, type: int = 0, sequence: int = 0, flags: int = 0) -> bytes:  # noqa: A002
    """A message as it goes over the wire."""
    id_ = uuid4().bytes
    head = _HEAD.pack(
        _HEADER_LENGTH,
        kind.encode().ljust(32),
        _SCHEMA,
        int(time.time() * 1000),
        sequence,
        flags,
        id_[8:],
        id_[:8],
        hashlib.sha256(payload).digest(),
        type,
        len(payload),
    )
    return head + payload


def unpacked(data: bytes) -> Message:
    """A message that came. MalformedMessage when it is none."""
    if len(data) < _HEAD.size:
        raise MalformedMessage("shorter than a header")
    length, name, _, _, sequence, _, low, high, digest, type_, size = _HEAD.unpack_from(data)
    kind = name.decode("ascii", "replace").strip("\0 ")
    payload = data[_HEAD.size :]
    if length != _HEADER_LENGTH:
        raise MalformedMessage(f"a header of {length} bytes")
    if kind not in _PUBLICATIONS:
        if size != len(payload):
            raise MalformedMessage(f"a payload of {len(payload)} bytes that says it has {size}")
        if payload and hashlib.sha256(payload).digest() != digest:
            raise MalformedMessage("the payload is not the one that was sent")
    return Message(kind, payload, type_, sequence, UUID(bytes=high + low))


def acknowledgement(message: Message) -> bytes:
    """The answer to a message of a stream: it is here."""
    document = {
        "AcknowledgedMessageType": message.kind,
        "AcknowledgedMessageId": str(message.id),
        "AcknowledgedMessageSequenceNumber": message.sequence,
        "IsSequentialMessage": True,
    }
    return packed(ACKNOWLEDGE, json.dumps(document).encode(), flags=_FIRST_AND_LAST)


def closing(session: str, client: str, why: str) -> bytes:
    """The last message of a session. `why` is for the person at the terminal; empty when the command has ended."""
    document = {
        "MessageType": CLOSED,
        "MessageId": str(uuid4()),
        "DestinationId": client,
        "SessionId": session,
        "SchemaVersion": _SCHEMA,
        "CreatedDate": str(int(time.time() * 1000)),
        "Output": why,
    }
    return packed(CLOSED, json.dumps(document).encode(), flags=_FIRST_AND_LAST)
