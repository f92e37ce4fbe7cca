"""The bytes of a log become lines, however they are cut."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecsctl.engine.log_frames import MAX_LINE, Seen, read_log
from ecsctl.engine.port import LogChunk
from ecsctl.model.errors import EngineRefused, InputError
from ecsctl.model.timestamps import rfc3339, unix_time

STAMP = "2026-01-31T09:30:00.123456789Z"
LATER = "2026-01-31T09:30:01.000000000Z"


def frame(kind: int, text: bytes, stamp: str = STAMP) -> bytes:
    payload = stamp.encode() + b" " + text
    return struct.pack(">BxxxL", kind, len(payload)) + payload


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [*pieces, data]


@given(st.lists(st.integers(0, 40)))
def test_frames_and_lines_are_joined_by_stream(sizes: list[int]) -> None:
    data = frame(1, b"be") + frame(2, b"err\n") + frame(1, b"gin\n") + frame(1, b"\n") + frame(2, b"rest")
    assert list(read_log(cut(data, sizes))) == [
        LogChunk("stderr", STAMP, b"err"),
        LogChunk("stdout", STAMP, b"begin"),
        LogChunk("stdout", STAMP, b""),
        LogChunk("stderr", STAMP, b"rest"),
    ]


@given(st.lists(st.integers(0, 40)))
def test_a_terminals_lines_end_in_cr_lf(sizes: list[int]) -> None:
    data = f"{STAMP} one\r\n{STAMP} \r\n{LATER} rest".encode()
    assert list(read_log(cut(data, sizes))) == [
        LogChunk("stdout", STAMP, b"one"),
        LogChunk("stdout", STAMP, b""),
        LogChunk("stdout", LATER, b"rest"),
    ]


def test_an_end_without_a_line_end_that_is_told_twice_is_one_line() -> None:
    data = frame(1, b"first\n") + frame(1, b"rest", LATER) + frame(1, b"rest", LATER)
    assert list(read_log([data])) == [LogChunk("stdout", STAMP, b"first"), LogChunk("stdout", LATER, b"rest")]
    long = b"x" * 16384
    assert list(read_log([frame(1, long) + frame(1, long)])) == [LogChunk("stdout", STAMP, long + long)]


def test_nothing_is_nothing() -> None:
    assert list(read_log([])) == []
    assert list(read_log([b"", b""])) == []


def test_what_never_ends_comes_in_pieces() -> None:
    chunks = list(read_log(frame(1, b"x" * 16384) for _ in range(200)))
    assert all(len(chunk.line) <= MAX_LINE + 16384 for chunk in chunks)
    assert sum(len(chunk.line) for chunk in chunks) == 200 * 16384


def test_the_engines_own_error_is_an_error() -> None:
    payload = b"Error grabbing logs:\n disk"
    data = frame(1, b"one\n") + struct.pack(">BxxxL", 3, len(payload)) + payload
    chunks = read_log([data])
    assert next(chunks).line == b"one"
    with pytest.raises(EngineRefused, match="Error grabbing logs: disk"):
        next(chunks)


def test_what_was_read_is_not_read_again() -> None:
    log = [LogChunk("stdout", STAMP, b"a"), LogChunk("stdout", STAMP, b"a"), LogChunk("stderr", LATER, b"b")]
    for read in range(1, 4):
        seen = Seen()
        for chunk in log[:read]:
            seen.add(chunk)
        assert list(seen.unseen(log)) == log[read:]
    assert list(Seen().unseen(log)) == log


def test_times_go_to_the_engine_in_nanoseconds() -> None:
    assert unix_time("1970-01-01T00:00:01.5Z") == "1.500000000"
    assert unix_time("1970-01-01T01:00:01+01:00") == "1.000000000"
    assert unix_time(rfc3339(1_800_000_000.25)) == "1800000000.250000000"
    for text in ("yesterday", "2026-13-01T00:00:00Z", "5m", ""):
        with pytest.raises(InputError):
            unix_time(text)
