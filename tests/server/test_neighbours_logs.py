"""CloudWatch Logs over what containers print: pages, filters, streams, and a live tail, as SDKs and tools read them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EventStreamError

from ecsctl.model.observed import LogChunk, LogPlace
from ecsctl.store.log_store import LogStore
from tests.server.neighbourhood import GROUP, LINES, Neighbourhood, neighbourhood
from tests.server.running import client, serving

ALL = [f"line {n}" for n in range(LINES)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbourhood]:
    with neighbourhood(tmp_path_factory.mktemp("logs")) as made:
        yield made


@pytest.fixture(scope="module")
def stream(place: Neighbourhood) -> dict[str, str]:
    """Of a task that has said all that it says."""
    return {"logGroupName": GROUP, "logStreamName": f"app/main/{place.run('talker', seconds=30)}"}


@pytest.fixture
def logs(place: Neighbourhood) -> Any:
    return place.client("logs")


def said(answer: dict[str, Any]) -> list[str]:
    return [event["message"] for event in answer["events"]]


def code(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 503)
    return str(caught.value.response["Error"]["Code"])


def test_a_long_search_is_answered_in_parts(logs: Any, stream: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = logs.filter_log_events(logGroupName=stream["logGroupName"], filterPattern="line -1")
    monkeypatch.setattr("ecsctl.operations.neighbours.logs._SEARCH", -1.0)
    pages = list(
        logs.get_paginator("filter_log_events").paginate(logGroupName=stream["logGroupName"], filterPattern="line -1")
    )
    assert len(pages) > LINES
    assert [text for page in pages for text in said(page)] == said(whole) != []


def test_pages_from_the_head_lead_to_a_token_that_stays(logs: Any, stream: dict[str, str]) -> None:
    lines: list[str] = []
    token: dict[str, str] = {}
    for _ in range(LINES):
        answer = logs.get_log_events(**stream, startFromHead=True, limit=7, **token)
        lines += said(answer)
        if token.get("nextToken") == answer["nextForwardToken"]:
            break
        token = {"nextToken": answer["nextForwardToken"]}
    assert lines == ALL
    assert said(answer) == []


def test_without_a_token_the_last_come_and_from_there_it_goes_backward(logs: Any, stream: dict[str, str]) -> None:
    answer = logs.get_log_events(**stream, limit=10)
    assert said(answer) == ALL[-10:]
    lines = said(answer)
    while True:
        before = answer["nextBackwardToken"]
        answer = logs.get_log_events(**stream, limit=10, nextToken=before)
        if before == answer["nextBackwardToken"]:
            break
        lines = said(answer) + lines
    assert lines == ALL
    forward = logs.get_log_events(**stream, limit=3, nextToken=answer["nextForwardToken"])
    assert said(forward) == ALL[:3]


def test_a_time_range_has_its_start_and_lacks_its_end(logs: Any, stream: dict[str, str]) -> None:
    times = [event["timestamp"] for event in logs.get_log_events(**stream, startFromHead=True)["events"]]
    answer = logs.get_log_events(**stream, startTime=times[4], endTime=times[9])
    assert said(answer) == ALL[4:9]
    assert said(logs.get_log_events(**stream, startTime=times[-1] + 1)) == []
    # FilterLogEvents' end is in it.
    filtered = logs.filter_log_events(logGroupName=GROUP, startTime=times[4], endTime=times[9])
    assert said(filtered) == ALL[4:10]


def test_lines_of_a_running_task_come_and_a_token_goes_on_where_it_was(place: Neighbourhood, logs: Any) -> None:
    task = place.run("chatter", group="/ecs/chat", seconds=5)
    stream = {"logGroupName": "/ecs/chat", "logStreamName": f"app/main/{task}"}
    first = logs.get_log_events(**stream, startFromHead=True)
    assert said(first) == [f"at {n}" for n in range(len(first["events"]))]
    again = logs.get_log_events(**stream, nextToken=first["nextForwardToken"])
    assert (said(again), again["nextForwardToken"]) == ([], first["nextForwardToken"])
    place.world.clock.seconds += 3
    later = logs.get_log_events(**stream, nextToken=first["nextForwardToken"])
    assert said(later) == [f"at {n}" for n in range(len(first["events"]), len(first["events"]) + 3)]


def test_what_is_only_kept_is_read_the_same(place: Neighbourhood, logs: Any) -> None:
    task = place.run("talker", group="/ecs/kept", seconds=30)
    stream = {"logGroupName": "/ecs/kept", "logStreamName": f"app/main/{task}"}
    before = logs.get_log_events(**stream, limit=9)
    described = logs.describe_log_streams(logGroupName="/ecs/kept")["logStreams"]
    place.go_on(4 * 3600)  # its container is removed
    place.go_on(0)
    assert LogStore(place.world.store.logs_path).streams("/ecs/kept")
    assert not [one for one in place.world.containers() if one.labels["ecsctl.task"] == task]
    after = logs.get_log_events(**stream, limit=9)
    for answer in (before, after):
        del answer["ResponseMetadata"]
    assert before == after
    assert described == logs.describe_log_streams(logGroupName="/ecs/kept")["logStreams"]
    (group,) = logs.describe_log_groups(logGroupNamePrefix="/ecs/kept")["logGroups"]
    assert group["storedBytes"] > sum(map(len, ALL))


def test_a_filter_finds_over_streams_by_time_and_in_pages(place: Neighbourhood, logs: Any) -> None:
    first = place.run("talker", group="/ecs/two", seconds=2)
    second = place.run("talker", group="/ecs/two", seconds=40)
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName="/ecs/two", filterPattern="?3 ?7", PaginationConfig={"PageSize": 2}
    )
    events = [event for page in pages for event in page["events"]]
    assert len(events) == 10
    assert [event["timestamp"] for event in events] == sorted(event["timestamp"] for event in events)
    assert {event["logStreamName"] for event in events} == {f"app/main/{first}", f"app/main/{second}"}
    assert len({event["eventId"] for event in events}) == 10
    one = logs.filter_log_events(logGroupName="/ecs/two", logStreamNames=[f"app/main/{first}"])
    assert said(one) == ALL
    prefixed = logs.filter_log_events(logGroupName="/ecs/two", logStreamNamePrefix=f"app/main/{second}", limit=2)
    assert said(prefixed) == ALL[:2]
    assert prefixed["searchedLogStreams"] == []


def test_streams_are_described_with_the_times_of_their_ends(logs: Any, stream: dict[str, str]) -> None:
    (one,) = logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix="app/")["logStreams"]
    events = logs.get_log_events(**stream, startFromHead=True)["events"]
    assert one["logStreamName"] == stream["logStreamName"]
    assert one["firstEventTimestamp"] == events[0]["timestamp"]
    assert one["lastEventTimestamp"] == events[-1]["timestamp"]
    assert one["creationTime"] <= one["firstEventTimestamp"]
    assert logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix="other")["logStreams"] == []


@pytest.mark.parametrize("falling", [False, True])
@pytest.mark.parametrize("by", ["LogStreamName", "LastEventTime"])
def test_streams_and_groups_are_in_pages(by: str, falling: bool, place: Neighbourhood, logs: Any) -> None:
    place.run("talker", group="/ecs/pages", seconds=3)
    place.run("talker", group="/ecs/pages", seconds=3)
    asked = {"logGroupName": "/ecs/pages", "orderBy": by, "descending": falling}
    every = logs.describe_log_streams(**asked)["logStreams"]
    pages = logs.get_paginator("describe_log_streams").paginate(**asked, PaginationConfig={"PageSize": 1})
    assert [one["logStreamName"] for page in pages for one in page["logStreams"]] == [
        one["logStreamName"] for one in every
    ]
    key = {"LogStreamName": "logStreamName", "LastEventTime": "lastEventTimestamp"}[by]
    assert every == sorted(every, key=lambda one: one[key], reverse=falling)
    groups = logs.get_paginator("describe_log_groups").paginate(PaginationConfig={"PageSize": 1})
    names = [one["logGroupName"] for page in groups for one in page["logGroups"]]
    assert names == sorted({*names})
    assert "/ecs/pages" in names


def test_a_group_is_made_once_and_stays(place: Neighbourhood, logs: Any, stream: dict[str, str]) -> None:
    logs.create_log_group(logGroupName="/made/here", tags={"team": "blue"})
    assert code(logs.create_log_group, logGroupName="/made/here") == "ResourceAlreadyExistsException"
    assert code(logs.create_log_group, logGroupName=stream["logGroupName"]) == "ResourceAlreadyExistsException"
    assert code(logs.create_log_group, logGroupName="with space") == "InvalidParameterException"
    LogStore(place.world.store.logs_path).forget_before(place.world.clock.now().replace(year=2100))
    found = logs.describe_log_groups(logGroupNamePattern="made")["logGroups"]
    assert [group["logGroupName"] for group in found] == ["/made/here"]
    assert logs.describe_log_streams(logGroupName="/made/here")["logStreams"] == []
    by_arn = logs.describe_log_streams(logGroupIdentifier=found[0]["logGroupArn"])
    assert by_arn["logStreams"] == []
    assert said(logs.filter_log_events(logGroupIdentifier="/made/here")) == []


def test_the_tags_of_a_group_are_those_that_it_was_made_with(logs: Any, stream: dict[str, str]) -> None:
    logs.create_log_group(logGroupName="/with/tags", tags={"team": "blue"})
    (made,) = logs.describe_log_groups(logGroupNamePrefix="/with/tags")["logGroups"]
    assert logs.list_tags_log_group(logGroupName="/with/tags")["tags"] == {"team": "blue"}
    for arn in (made["arn"], made["logGroupArn"]):
        assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "blue"}
    assert logs.list_tags_log_group(logGroupName=stream["logGroupName"])["tags"] == {}
    assert code(logs.list_tags_log_group, logGroupName="/no") == "ResourceNotFoundException"
    assert code(logs.list_tags_for_resource, resourceArn="arn:aws:s3:::bucket") == "InvalidParameterException"


def test_what_is_wrong_is_said_in_the_words_of_the_service(logs: Any, stream: dict[str, str]) -> None:
    get, group = logs.get_log_events, stream["logGroupName"]
    assert code(get, logGroupName="/no", logStreamName="a") == "ResourceNotFoundException"
    assert code(get, logGroupName=group, logStreamName="a") == "ResourceNotFoundException"
    assert code(get, logStreamName="a") == "InvalidParameterException"
    assert code(get, **stream, logGroupIdentifier=group) == "InvalidParameterException"
    assert code(get, **stream, nextToken="f/x") == "InvalidParameterException"
    assert code(get, **stream, startTime=2**62) == "InvalidParameterException"
    assert code(logs.filter_log_events, logGroupName=group, filterPattern="{ $.a = }") == "InvalidParameterException"
    assert code(logs.filter_log_events, logGroupName=group, filterPattern="%(a+)+$%") == "InvalidParameterException"
    assert (
        code(logs.filter_log_events, logGroupName=group, filterPattern="{" + "(" * 1000) == "InvalidParameterException"
    )
    assert code(logs.describe_log_streams, logGroupName="/no") == "ResourceNotFoundException"
    assert code(logs.start_live_tail, logGroupIdentifiers=["/no"]) == "ResourceNotFoundException"


def test_a_host_that_does_not_answer_is_no_empty_log(place: Neighbourhood, logs: Any) -> None:
    task = place.run("chatter", group="/ecs/silent", seconds=5)
    for engine in place.world.engines.values():
        engine.reachable = False
    try:
        stream = {"logGroupName": "/ecs/silent", "logStreamName": f"app/main/{task}"}
        assert code(logs.get_log_events, **stream) == "ServiceUnavailableException"
        answer = logs.filter_log_events(logGroupName="/ecs/silent")
        assert said(answer) == []
        searched = [{"logStreamName": stream["logStreamName"], "searchedCompletely": False}]
        assert answer["searchedLogStreams"] == searched
    finally:
        for engine in place.world.engines.values():
            engine.reachable = True


def test_a_live_tail_tells_each_second_what_is_new(place: Neighbourhood, logs: Any) -> None:
    task = place.run("chatter", group="/ecs/live", seconds=5)
    answer = logs.start_live_tail(logGroupIdentifiers=["/ecs/live"], logEventFilterPattern="?at ?line")
    with closing(answer["responseStream"]) as events:
        found = iter(events)
        start = next(found)["sessionStart"]
        assert start["requestId"] == answer["ResponseMetadata"]["RequestId"]
        assert start["logGroupIdentifiers"] == ["/ecs/live"]
        place.world.clock.seconds += 2
        heard: list[dict[str, Any]] = []
        other = ""
        for event in islice(found, 15):
            update = event["sessionUpdate"]
            assert update["sessionMetadata"] == {"sampled": False}
            heard += update["sessionResults"]
            if len(heard) >= 2 and not other:
                other = place.run("talker", group="/ecs/live")
            if other and any(other in one["logStreamName"] for one in heard):
                break
            place.world.clock.seconds += 0.5
    assert any(other in one["logStreamName"] for one in heard)
    of_first = [one["message"] for one in heard if task in one["logStreamName"]]
    # What was said before it began is not told, and nothing twice.
    begin = int(of_first[0].removeprefix("at "))
    assert begin >= 5
    assert of_first == [f"at {begin + n}" for n in range(len(of_first))]
    assert {one["logGroupIdentifier"] for one in heard} == {"/ecs/live"}


def test_live_tails_end_when_their_clients_leave_and_there_is_a_limit(place: Neighbourhood, logs: Any) -> None:
    logs.create_log_group(logGroupName="/ecs/idle")
    opened = [logs.start_live_tail(logGroupIdentifiers=["/ecs/idle"])["responseStream"] for _ in range(10)]
    more: list[Any] = []
    try:
        with pytest.raises(logs.exceptions.LimitExceededException):
            more.extend(logs.start_live_tail(logGroupIdentifiers=["/ecs/idle"])["responseStream"] for _ in range(20))
        assert len(more) <= 5
    finally:
        for one in (*opened, *more):
            one.close()
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            logs.start_live_tail(logGroupIdentifiers=["/ecs/idle"])["responseStream"].close()
            break
        except logs.exceptions.LimitExceededException:
            threading.Event().wait(0.2)
    else:
        pytest.fail("what has been closed still counts")


def test_a_live_tail_ends_when_its_client_leaves_that_has_asked_for_more(place: Neighbourhood, tmp_path: Path) -> None:
    """It waits for the end of the tail, so it is the last that uvicorn knows of the connection."""
    head = b"POST / HTTP/1.1\r\nHost: ecs\r\nContent-Type: application/x-amz-json-1.1\r\n"
    body = b'{"logGroupIdentifiers": ["/ecs/left"]}'
    tail = b"%sX-Amz-Target: Logs_20140328.StartLiveTail\r\nContent-Length: %d\r\n\r\n%s" % (head, len(body), body)
    made = serving(place.world.process(), tmp_path / "s")
    with made as server, client(server.path, "logs", inject_host_prefix=False) as logs, ExitStack() as opened:
        logs.create_log_group(logGroupName="/ecs/left")
        for _ in range(15):
            connection = opened.enter_context(socket.socket(socket.AF_UNIX))
            connection.connect(str(server.path))
            connection.sendall(tail)
            assert connection.recv(1 << 16).startswith(b"HTTP/1.1 200 OK\r\n")
            connection.sendall(head + b"Content-Length: 0\r\n\r\n")
        with pytest.raises(logs.exceptions.LimitExceededException):
            logs.start_live_tail(logGroupIdentifiers=["/ecs/left"])
        opened.close()
        end = time.monotonic() + 20
        while time.monotonic() < end:
            with suppress(logs.exceptions.LimitExceededException):
                logs.start_live_tail(logGroupIdentifiers=["/ecs/left"])["responseStream"].close()
                return
            threading.Event().wait(0.2)
        pytest.fail("what has been left still counts")


def test_a_live_tail_does_not_keep_the_server_from_ending(place: Neighbourhood, tmp_path: Path) -> None:
    made = serving(place.world.process(), tmp_path / "s")
    with made as server, client(server.path, "logs", inject_host_prefix=False) as logs:
        logs.create_log_group(logGroupName="/ecs/end")
        with closing(logs.start_live_tail(logGroupIdentifiers=["/ecs/end"])["responseStream"]) as events:
            assert "sessionStart" in next(iter(events))
            server.stop()
            began = time.monotonic()
            with pytest.raises(EventStreamError, match="The server ends"):
                list(events)
    assert time.monotonic() - began < 5


def test_lines_that_an_engine_keeps_the_other_way_round_are_all_told(place: Neighbourhood, logs: Any) -> None:
    """With Docker it happens to about one in two thousand, where stdout and stderr are written to at once."""
    swapped = [n ^ 1 if n % 6 < 2 else n for n in range(40)]
    assert swapped[:4] == [1, 0, 2, 3]
    chunks = [
        LogChunk("stdout" if n % 2 else "stderr", f"2026-01-02T03:04:05.{n:09d}Z", str(n).encode()) for n in swapped
    ]
    LogStore(place.world.store.logs_path).keep(LogPlace("/ecs/swapped", "s", "c" * 64), chunks)
    for size in (1, 7):
        lines: list[str] = []
        token: dict[str, str] = {}
        while True:
            answer = logs.get_log_events(
                logGroupName="/ecs/swapped", logStreamName="s", startFromHead=True, limit=size, **token
            )
            lines += said(answer)
            if answer["nextForwardToken"] == token.get("nextToken"):
                break
            token = {"nextToken": answer["nextForwardToken"]}
        assert lines == [str(n) for n in range(40)]
