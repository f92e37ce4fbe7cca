"""Logs that are kept beside the state."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ecsctl.model.errors import EngineTimeout, StateError
from ecsctl.model.observed import LogChunk, LogPlace
from ecsctl.model.record import evolve
from ecsctl.store.log_store import LogStore

PLACE = LogPlace("/ecs/web", "web/app/0123", "c" * 64)
LOG = [
    LogChunk("stdout", "2026-01-02T03:04:05.000000001Z", b"hello  world "),
    LogChunk("stderr", "2026-01-02T03:04:06Z", b""),
    LogChunk("stdout", "2026-01-02T03:04:07Z", b"\xff\x00\r"),
]


@pytest.fixture
def logs(tmp_path: Path) -> LogStore:
    return LogStore(tmp_path / "logs")


def test_a_log_comes_back_as_it_was(logs: LogStore) -> None:
    logs.keep(PLACE, LOG)
    assert list(logs.read(PLACE)) == LOG
    assert logs.streams("/ecs/web") == [PLACE]
    assert (logs.first_time(PLACE), logs.last_time(PLACE)) == (LOG[0].timestamp, LOG[-1].timestamp)


def test_a_stream_may_have_several_logs(logs: LogStore) -> None:
    other = evolve(PLACE, container="d" * 64)
    logs.keep(PLACE, LOG[:1])
    logs.keep(other, LOG[1:])
    assert list(logs.read(PLACE)) == LOG[:1]
    assert logs.streams("/ecs/web") == [PLACE, other]


@pytest.mark.parametrize("name", ["a/../../b", "..", ".", "", "x" * 600, "ä b%2F", "a\nb"])
def test_names_are_not_paths(tmp_path: Path, name: str) -> None:
    logs = LogStore(tmp_path / "logs")
    place = LogPlace(name, name, "e" * 64)
    logs.keep(place, LOG)
    assert list(logs.read(place)) == LOG
    assert logs.streams(name) == [place]
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]
    assert len(list((tmp_path / "logs").glob("*/*.log"))) == 1


def test_only_their_owner_can_read_them(tmp_path: Path, logs: LogStore) -> None:
    previous = os.umask(0)
    try:
        logs.keep(PLACE, LOG)
    finally:
        os.umask(previous)
    for path in (tmp_path / "logs").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    assert stat.S_IMODE((tmp_path / "logs").stat().st_mode) == 0o700


def test_a_log_that_breaks_off_is_not_kept(tmp_path: Path, logs: LogStore) -> None:
    def breaks_off() -> Iterator[LogChunk]:
        yield LOG[0]
        raise EngineTimeout("nobody answers")

    with pytest.raises(EngineTimeout):
        logs.keep(PLACE, breaks_off())
    assert not logs.has(PLACE)
    assert not list((tmp_path / "logs").rglob("*.log*"))


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way")
    with pytest.raises(StateError, match="cannot be kept"):
        LogStore(tmp_path / "logs").keep(PLACE, LOG)


def test_old_logs_are_forgotten(logs: LogStore) -> None:
    logs.keep(PLACE, LOG)
    now = datetime.now(timezone.utc)
    logs.forget_before(now - timedelta(minutes=1))
    assert logs.has(PLACE)
    logs.forget_before(now + timedelta(minutes=1))
    assert not logs.has(PLACE)
    assert logs.streams("/ecs/web") == []


def test_there_is_nothing_where_nothing_was_kept(logs: LogStore) -> None:
    assert not logs.has(PLACE)
    assert list(logs.read(PLACE)) == []
    assert logs.first_time(PLACE) == ""
    logs.forget_before(datetime.now(timezone.utc))


@pytest.mark.parametrize("size", [0, 1, 65530, 65536, 200_000])
def test_the_last_line_is_found_from_the_end(logs: LogStore, size: int) -> None:
    logs.keep(PLACE, [*LOG, evolve(LOG[0], timestamp="2026-01-02T03:04:08Z", line=b"x " * size)])
    assert logs.last_time(PLACE) == "2026-01-02T03:04:08Z"
    logs.keep(PLACE, [])
    assert (logs.first_time(PLACE), logs.last_time(PLACE)) == ("", "")
    assert logs.last_time(evolve(PLACE, stream="other")) == ""


def test_groups_are_those_that_were_made_and_those_with_a_log(logs: LogStore) -> None:
    assert logs.groups() == []
    now = datetime(2026, 1, 2, tzinfo=timezone.utc)
    assert logs.make_group("made", now, {"team": "blue"})
    assert not logs.make_group("made", now, {})
    logs.keep(PLACE, LOG)
    found = {group.name: group for group in logs.groups()}
    assert set(found) == {"made", PLACE.group}
    assert (found["made"].created_at, found["made"].tags, found["made"].size) == (now, {"team": "blue"}, 0)
    assert found[PLACE.group].size > 0
    logs.forget_before(datetime(2100, 1, 1, tzinfo=timezone.utc))
    assert [group.name for group in logs.groups()] == ["made"]
