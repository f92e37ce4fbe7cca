"""Events in an answer that does not end: application/vnd.amazon.eventstream.

Source: Smithy, "Amazon Event Stream Specification". A message is its length, that of its headers, a checksum of both,
the headers, the payload, a checksum of all; numbers are big-endian.
"""

from __future__ import annotations

import struct
from zlib import crc32

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7
_PRELUDE, _CHECKSUM = 12, 4


def event(kind: str, payload: bytes) -> bytes:
    """An event, whose payload is JSON."""
    return _message({":message-type": "event", ":event-type": kind, ":content-type": "application/json"}, payload)


def exception(kind: str, payload: bytes) -> bytes:
    """An error, after which there is nothing more."""
    headers = {":message-type": "exception", ":exception-type": kind, ":content-type": "application/json"}
    return _message(headers, payload)


def _message(headers: dict[str, str], payload: bytes) -> bytes:
    head = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    prelude = struct.pack(">II", _PRELUDE + len(head) + len(payload) + _CHECKSUM, len(head))
    message = prelude + struct.pack(">I", crc32(prelude)) + head + payload
    return message + struct.pack(">I", crc32(message))


def _header(name: bytes, value: bytes) -> bytes:
    return bytes((len(name),)) + name + struct.pack(">BH", _STRING, len(value)) + value
