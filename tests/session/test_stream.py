"""Nothing is lost, taken twice or out of order."""

from __future__ import annotations

import random

import pytest

from ecsctl.session.messages import Message, acknowledgement, unpacked
from ecsctl.session.stream import Incoming, Outgoing


def test_the_oldest_is_sent_again_until_it_is_acknowledged_and_ever_more_rarely() -> None:
    outgoing = Outgoing("output_stream_data")
    first, second = (outgoing.numbered(1, payload, 0.0) for payload in (b"a", b"b"))
    assert (unpacked(first).sequence, unpacked(second).sequence) == (0, 1)
    assert outgoing.due(0.1) is None
    sent_at = [n / 100 for n in range(1, 600) if outgoing.due(n / 100) == first]
    waits = [b - a for a, b in zip([0.0, *sent_at], sent_at, strict=False)]
    assert waits == pytest.approx([0.2, 0.4, 0.8, 1.0, 1.0, 1.0, 1.0], abs=0.02)
    outgoing.acknowledged(unpacked(acknowledgement(unpacked(first))))
    outgoing.acknowledged(unpacked(acknowledgement(unpacked(first))))
    assert len(outgoing) == 1
    assert outgoing.due(6.0) == second


def test_only_the_first_of_a_stream_says_that_it_is() -> None:
    outgoing = Outgoing("output_stream_data")
    flags = [int.from_bytes(outgoing.numbered(1, b"a", 0.0)[56:64], "big") for _ in range(3)]
    assert flags == [1, 0, 0]


def test_whatever_the_order_all_is_taken_once_and_in_order() -> None:
    sent = [Message("input_stream_data", bytes([n]), 1, n) for n in range(20)]
    for seed in range(20):
        mixed = sent * 2
        random.Random(seed).shuffle(mixed)  # noqa: S311 no secret
        incoming, taken = Incoming(), []
        for message in mixed:
            here, ready = incoming.take(message)
            assert here
            taken += ready
        assert taken == sent


def test_what_is_far_too_early_is_not_kept_and_not_acknowledged() -> None:
    incoming = Incoming()
    kept = [incoming.take(Message("input_stream_data", b"", 1, n))[0] for n in range(1, 100)]
    assert kept == [True] * 32 + [False] * 67
    here, ready = incoming.take(Message("input_stream_data", b"", 1, 0))
    assert (here, len(ready)) == (True, 33)
