"""A message is laid out as Amazon's plugin lays it out, and what is laid out otherwise is none."""

from __future__ import annotations

import hashlib
import json
from uuid import UUID

import pytest

from ecsctl.session import messages
from ecsctl.session.messages import MalformedMessage, Message

ID = UUID("00112233-4455-6677-8899-aabbccddeeff")
BY_HAND = (
    (116).to_bytes(4, "big")
    + b"input_stream_data".ljust(32)
    + (1).to_bytes(4, "big")
    + (1_700_000_000_000).to_bytes(8, "big")
    + (7).to_bytes(8, "big")
    + (0).to_bytes(8, "big")
    + bytes.fromhex("8899aabbccddeeff" + "0011223344556677")
    + hashlib.sha256(b"ls\r").digest()
    + (1).to_bytes(4, "big")
    + (3).to_bytes(4, "big")
    + b"ls\r"
)


def test_a_message_made_by_hand_is_read() -> None:
    assert messages.unpacked(BY_HAND) == Message("input_stream_data", b"ls\r", 1, 7, ID)


def test_what_is_written_is_laid_out_like_it() -> None:
    made = messages.packed("input_stream_data", b"ls\r", type=1, sequence=7)
    moment, id_ = slice(40, 48), slice(64, 80)
    assert made[:40] + made[48:64] + made[80:] == BY_HAND[:40] + BY_HAND[48:64] + BY_HAND[80:]
    assert int.from_bytes(made[moment], "big") > 1_700_000_000_000
    assert messages.unpacked(made).id.bytes == made[72:80] + made[64:72]
    assert messages.unpacked(made).id.version == 4
    assert made[id_] != messages.packed("input_stream_data", b"ls\r")[id_]


def test_an_acknowledgement_names_what_came() -> None:
    answer = messages.unpacked(messages.acknowledgement(messages.unpacked(BY_HAND)))
    assert (answer.kind, answer.type, answer.sequence) == ("acknowledge", 0, 0)
    assert json.loads(answer.payload) == {
        "AcknowledgedMessageType": "input_stream_data",
        "AcknowledgedMessageId": str(ID),
        "AcknowledgedMessageSequenceNumber": 7,
        "IsSequentialMessage": True,
    }


@pytest.mark.parametrize(
    "data",
    [
        b"",
        BY_HAND[:119],
        BY_HAND + b"!",
        BY_HAND[:-1],
        BY_HAND[:-1] + b"\n",
        (120).to_bytes(4, "big") + BY_HAND[4:],
    ],
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        messages.unpacked(data)


@pytest.mark.parametrize("payload", [b"", b"[]", b"{", b"[" * 100_000, b"\xff"])
def test_a_payload_that_is_no_object_is_refused(payload: bytes) -> None:
    with pytest.raises(MalformedMessage):
        Message("acknowledge", payload).document()


def test_a_message_of_publication_needs_no_digest() -> None:
    data = BY_HAND[:4] + b"start_publication".ljust(32) + BY_HAND[36:80] + bytes(32) + BY_HAND[112:]
    assert messages.unpacked(data).kind == "start_publication"
