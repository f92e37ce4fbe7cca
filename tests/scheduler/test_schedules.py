"""Schedules, decided: what is due, what was missed, what overlaps, what cannot be placed; and what is told."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ecsctl.model.record import evolve
from ecsctl.model.schedule import ScheduleTaskRequest
from ecsctl.model.schedule_record import ScheduleRecord
from ecsctl.placement.demand import Demand
from ecsctl.placement.fleet import requirements
from ecsctl.placement.host import Host
from ecsctl.scheduler.schedules import ScheduleStep, Surroundings, Wanted, decide_schedule
from tests.making import CLUSTER, INSTANCE

DUE = datetime(2026, 1, 2, 12, 0, tzinfo=timezone.utc)
ROOM = Host(INSTANCE, cpu_total=1024, memory_total=100, cpu_free=1024, memory_free=100)
FULL = evolve(ROOM, memory_free=10)
MEMORY = (
    "was unable to place a task because no container instance met all of its requirements. The closest matching "
    f"(container-instance {'a' * 32}) has insufficient memory available: needs 16 MiB, 10 of 100 are free."
)


def schedule(expression: str = "cron(0 12 * * ? *)", due: datetime | None = DUE, **asked: Any) -> ScheduleRecord:
    defaults: dict[str, Any] = {"missed": "run-once", "overlap": "forbid", "schedule_state": "ENABLED", "count": 1}
    request = ScheduleTaskRequest("app", name="nightly", schedule_expression=expression, **defaults | asked)
    arn = CLUSTER.replace(":cluster/", ":schedule/") + "/nightly"
    return ScheduleRecord(arn=arn, cluster_arn=CLUSTER, request=request, created_at=DUE, next_run_at=due)


def decided(record: ScheduleRecord, after: float, hosts: tuple[Host, ...] = (ROOM,), **more: Any) -> ScheduleStep:
    """The step so many seconds after noon."""
    around = Surroundings(
        Wanted("app:3", requirements(Demand(0, 16), "app")), 0, hosts, DUE + timedelta(seconds=after), lambda n: 0
    )
    return decide_schedule(record, around._replace(**more))


def told(step: ScheduleStep) -> list[str]:
    return [f"{kind}: {message}" for kind, message in step.told]


def went(step: ScheduleStep) -> tuple[str, str, str]:
    """What became of the last run: its outcome, its hour, and when the next is due."""
    run, following = step.record.last_run, step.record.next_run_at
    return (
        run.outcome if run else "",
        f"{run.due_at:%d %H:%M}" if run else "",
        f"{following:%d %H:%M}" if following else "",
    )


@pytest.mark.parametrize(
    ("record", "after"),
    [
        (schedule(), -1),
        (schedule(due=None), 100),
        (schedule(schedule_state="DISABLED"), 100),
    ],
)
def test_what_is_not_due_is_left_as_it_is(record: ScheduleRecord, after: float) -> None:
    assert decided(record, after) == ScheduleStep(record)


@pytest.mark.parametrize("after", [0, 40, 120])
@pytest.mark.parametrize("missed", ["run-once", "skip"])
def test_what_is_seen_within_two_minutes_is_in_time(missed: str, after: float) -> None:
    step = decided(schedule(missed=missed), after)
    assert told(step) == ["ScheduledTaskStarted: start a task of app:3: due at 2026-01-02T12:00:00Z"]
    assert ([p.host for p in step.placements], went(step)) == ([ROOM], ("STARTED", "02 12:00", "03 12:00"))


def test_a_missed_run_is_made_up_for_once() -> None:
    step = decided(schedule(), 121)
    assert told(step) == [
        "ScheduledTaskMissed: the run due at 2026-01-02T12:00:00Z was missed: nothing reconciled at that time; "
        "it runs once now, for the one due at 2026-01-02T12:00:00Z",
        "ScheduledTaskStarted: start a task of app:3: due at 2026-01-02T12:00:00Z",
    ]
    assert (len(step.placements), went(step)) == (1, ("STARTED", "02 12:00", "03 12:00"))


def test_many_missed_runs_are_made_up_for_by_one() -> None:
    step = decided(schedule(), 5 * 86400 + 3600)
    assert told(step)[0] == (
        "ScheduledTaskMissed: the runs due from 2026-01-02T12:00:00Z to 2026-01-07T12:00:00Z were missed: nothing "
        "reconciled at that time; it runs once now, for the one due at 2026-01-07T12:00:00Z"
    )
    assert (len(step.placements), went(step)) == (1, ("STARTED", "07 12:00", "08 12:00"))


def test_missed_runs_are_skipped_where_that_was_asked_for() -> None:
    step = decided(schedule(missed="skip"), 5 * 86400 + 3600)
    assert told(step) == [
        "ScheduledTaskMissed: the runs due from 2026-01-02T12:00:00Z to 2026-01-07T12:00:00Z were missed: nothing "
        "reconciled at that time; the next one is due at 2026-01-08T12:00:00Z"
    ]
    assert (step.placements, went(step)) == ((), ("MISSED", "07 12:00", "08 12:00"))


def test_of_missed_runs_the_last_one_may_be_in_time() -> None:
    step = decided(schedule(missed="skip"), 2 * 86400 + 30)
    assert told(step) == [
        "ScheduledTaskMissed: the runs due from 2026-01-02T12:00:00Z on were missed: nothing reconciled at that time; "
        "it runs once now, for the one due at 2026-01-04T12:00:00Z",
        "ScheduledTaskStarted: start a task of app:3: due at 2026-01-04T12:00:00Z",
    ]
    assert went(step) == ("STARTED", "04 12:00", "05 12:00")


def test_a_rate_keeps_its_rhythm() -> None:
    step = decided(schedule("rate(5 minutes)"), 12 * 60)
    assert went(step) == ("STARTED", "02 12:10", "02 12:15")


@pytest.mark.parametrize(("missed", "outcome"), [("run-once", "STARTED"), ("skip", "MISSED")])
def test_one_time_is_the_only_one(missed: str, outcome: str) -> None:
    step = decided(schedule("at(2026-01-02T12:00:00)", missed=missed), 300)
    assert went(step) == (outcome, "02 12:00", "")
    assert decided(step.record, 400) == ScheduleStep(step.record)


def test_a_run_that_overlaps_is_skipped() -> None:
    step = decided(schedule(), 1, running=2)
    assert told(step) == [
        "ScheduledTaskSkipped: the run due at 2026-01-02T12:00:00Z is skipped: 2 tasks of it still run"
    ]
    assert (step.placements, went(step)) == ((), ("SKIPPED", "02 12:00", "03 12:00"))


def test_or_begins_where_that_is_allowed() -> None:
    step = decided(schedule(overlap="allow"), 1, running=2)
    assert went(step) == ("STARTED", "02 12:00", "03 12:00")


def test_what_cannot_be_started_at_all_is_skipped() -> None:
    step = decided(schedule(), 1, wanted="TaskDefinition app:1 is inactive.")
    assert told(step) == [
        "ScheduledTaskSkipped: the run due at 2026-01-02T12:00:00Z is skipped: TaskDefinition app:1 is inactive."
    ]
    assert went(step) == ("SKIPPED", "02 12:00", "03 12:00")


def test_what_cannot_be_placed_is_told_once_and_tried_again() -> None:
    first = decided(schedule(missed="skip"), 1, (FULL,))
    assert told(first) == [f"ScheduledTaskNotPlaced: {MEMORY} The run due at 2026-01-02T12:00:00Z is tried again."]
    assert (first.placements, first.record.next_run_at, first.record.last_run) == ((), DUE, None)
    assert decided(first.record, 3600, (FULL,)) == ScheduleStep(first.record)
    assert told(decided(first.record, 3600, ())) == [
        "ScheduledTaskNotPlaced: was unable to place a task because no container instance met all of its requirements. "
        "No Container Instances were found in your cluster. The run due at 2026-01-02T12:00:00Z is tried again."
    ]
    later = decided(first.record, 7200)
    assert told(later) == ["ScheduledTaskStarted: start a task of app:3: due at 2026-01-02T12:00:00Z"]
    assert (later.record.obstacle, went(later)) == ("", ("STARTED", "02 12:00", "03 12:00"))


def test_it_is_given_up_when_the_next_one_is_due() -> None:
    stuck = evolve(schedule(), obstacle="no room.")
    step = decided(stuck, 86400 + 5)
    assert told(step) == [
        "ScheduledTaskNotStarted: the run due at 2026-01-02T12:00:00Z was given up: no room.",
        "ScheduledTaskStarted: start a task of app:3: due at 2026-01-03T12:00:00Z",
    ]
    assert went(step) == ("STARTED", "03 12:00", "04 12:00")


def test_and_after_a_day_at_the_latest() -> None:
    stuck = evolve(schedule("at(2026-01-02T12:00:00)"), obstacle=MEMORY)
    assert decided(stuck, 86399, (FULL,)) == ScheduleStep(stuck)
    step = decided(stuck, 86400)
    assert told(step) == [f"ScheduledTaskNotStarted: the run due at 2026-01-02T12:00:00Z was given up: {MEMORY}"]
    assert (step.placements, went(step), step.record.obstacle) == ((), ("NOT_STARTED", "02 12:00", ""), "")


def test_several_tasks_start_as_far_as_there_is_room() -> None:
    step = decided(schedule(count=10), 1)
    assert len(step.placements) == 6
    assert [kind for kind, _ in step.told] == ["ScheduledTaskStarted", "ScheduledTaskNotPlaced"]
    assert told(step)[0] == "ScheduledTaskStarted: start 6 tasks of app:3: due at 2026-01-02T12:00:00Z"
    assert told(step)[1].startswith("ScheduledTaskNotPlaced: 6 of 10 tasks: was unable to place a task because")
    assert went(step) == ("STARTED", "02 12:00", "03 12:00")


def test_a_time_zone_that_is_not_known_here_is_an_obstacle() -> None:
    step = decided(schedule(schedule_expression_timezone="Mars/Base"), 1)
    assert told(step)[0].startswith("ScheduledTaskNotPlaced: cannot run: 'Mars/Base' is not a time zone that is known")
    assert decided(step.record, 60) == ScheduleStep(step.record)
