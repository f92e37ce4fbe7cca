"""What a schedule needs now: whether a run is due, was missed or has to wait, where its tasks go, what to tell. Pure.

A run is missed when more than `GRACE` has passed since its time, or the next one has come due: nobody was there to
start it. A run that cannot be placed is tried again at each look until the next one is due, for `LONGEST_TRIAL` at most
(EventBridge Scheduler: the default maximum age of an event).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from ecsctl.model.cluster import CapacityProviderStrategyItem
from ecsctl.model.errors import InputError
from ecsctl.model.record import evolve
from ecsctl.model.schedule_record import ScheduleRecord, ScheduleRun
from ecsctl.placement.fleet import Fleet, Requirements
from ecsctl.placement.host import Host
from ecsctl.placement.place import Placement, place
from ecsctl.placement.preemption import Occupancy
from ecsctl.scheduler.expressions import Timing, parse_expression, parse_timezone
from ecsctl.scheduler.obstacle import cannot_place

GRACE = timedelta(minutes=2)
"""EventBridge's precision is a minute; reconcile comes each minute, and may be busy with the one before for another."""
LONGEST_TRIAL = timedelta(hours=24)


class Wanted(NamedTuple):
    """What one task of a schedule is now: `family:revision`, and what it asks of where it goes.

    `strategy`: among which capacity providers its tasks are divided.
    """

    definition: str
    asked: Requirements
    strategy: tuple[CapacityProviderStrategyItem, ...] = ()


class Surroundings(NamedTuple):
    """What a decision about a schedule depends on besides the schedule.

    `wanted`, or in a sentence why there is nothing to start; `running` counts its tasks that are not STOPPED. `hosts`
    are all of the cluster's, with what is free on them, `occupancy` the tasks there that might have to make room;
    `draw(n)` is in 0..n-1.
    """

    wanted: Wanted | str
    running: int
    hosts: Sequence[Host]
    now: datetime
    draw: Callable[[int], int]
    occupancy: Occupancy | None = None


class Told(NamedTuple):
    """A line for the journal: its kind and what it says."""

    kind: str
    message: str


class ScheduleStep(NamedTuple):
    """The schedule as it is to be written, where each task that starts goes, and what to tell."""

    record: ScheduleRecord
    placements: tuple[Placement, ...] = ()
    told: tuple[Told, ...] = ()


def timing_of(record: ScheduleRecord) -> Timing:
    """When it runs. Raises InputError when its time zone is not known here."""
    zone = parse_timezone(record.request.schedule_expression_timezone or "UTC")
    return parse_expression(record.request.schedule_expression, zone)


def decide_schedule(record: ScheduleRecord, around: Surroundings) -> ScheduleStep:
    """The next step of a schedule; when there is nothing to do, the record as it is and nothing to tell."""
    due, now = record.next_run_at, around.now
    if due is None or not record.is_due(now):
        return ScheduleStep(record)
    try:
        timing = timing_of(record)
    except InputError as error:
        return _wait(record, due, f"cannot run: {error}.", ())
    run = timing.latest(due, now)
    following = timing.following(run)
    told: list[Told] = []
    if record.obstacle and (run != due or now - due >= LONGEST_TRIAL):
        why = f"the run due at {clock(due)} was given up: {record.obstacle}"
        told.append(Told("ScheduledTaskNotStarted", why))
        over = ScheduleRun(due_at=due, decided_at=now, outcome="NOT_STARTED", reason=record.obstacle)
        record = evolve(record, obstacle="", last_run=over)
        if run == due:
            return ScheduleStep(evolve(record, next_run_at=following), (), tuple(told))
    elif not record.obstacle and (run != due or now - run > GRACE):
        told.append(_missed(record, due, run, following, now))
    if not record.obstacle and now - run > GRACE and record.request.missed == "skip":
        over = ScheduleRun(due_at=run, decided_at=now, outcome="MISSED", reason="nothing reconciled at that time")
        return ScheduleStep(evolve(record, next_run_at=following, last_run=over), (), tuple(told))
    return _start(record, run, following, around, tuple(told))


def _missed(record: ScheduleRecord, due: datetime, run: datetime, following: datetime | None, now: datetime) -> Told:
    """Of several runs the last one may be in time: then it was the others that were missed."""
    late = now - run > GRACE
    if run == due:
        what = f"the run due at {clock(due)} was missed"
    elif late:
        what = f"the runs due from {clock(due)} to {clock(run)} were missed"
    else:
        what = f"the runs due from {clock(due)} on were missed"
    if late and record.request.missed == "skip":
        then = f"the next one is due at {clock(following)}" if following else "no other is left"
    else:
        then = f"it runs once now, for the one due at {clock(run)}"
    return Told("ScheduledTaskMissed", f"{what}: nothing reconciled at that time; {then}")


def _start(
    record: ScheduleRecord, run: datetime, following: datetime | None, around: Surroundings, told: tuple[Told, ...]
) -> ScheduleStep:
    wanted, request, now = around.wanted, record.request, around.now
    if isinstance(wanted, str):
        return _skip(record, run, following, now, wanted, told)
    if around.running and request.overlap == "forbid":
        tasks = "a task of it still runs" if around.running == 1 else f"{around.running} tasks of it still run"
        return _skip(record, run, following, now, tasks, told)
    count = request.count or 1
    fleet = Fleet(around.hosts)
    placements = place(fleet, wanted.asked, count, around.draw, wanted.strategy, around.occupancy)
    placed = tuple(placement for placement in placements if placement.host)
    why = next((cannot_place(placement.rejections) for placement in placements if not placement.host), "")
    if not placed:
        return _wait(record, run, why, told)
    what = f"start {f'{len(placed)} tasks' if len(placed) > 1 else 'a task'} of {wanted.definition}"
    told += (Told("ScheduledTaskStarted", f"{what}: due at {clock(run)}"),)
    reason = ""
    if len(placed) < count:
        reason = f"{len(placed)} of {count} tasks: {why}"
        told += (Told("ScheduledTaskNotPlaced", reason),)
    started = ScheduleRun(due_at=run, decided_at=now, outcome="STARTED", reason=reason)
    return ScheduleStep(evolve(record, next_run_at=following, obstacle="", last_run=started), placed, told)


def _skip(
    record: ScheduleRecord, run: datetime, following: datetime | None, now: datetime, why: str, told: tuple[Told, ...]
) -> ScheduleStep:
    told += (Told("ScheduledTaskSkipped", f"the run due at {clock(run)} is skipped: {why}"),)
    skipped = ScheduleRun(due_at=run, decided_at=now, outcome="SKIPPED", reason=why)
    return ScheduleStep(evolve(record, next_run_at=following, obstacle="", last_run=skipped), (), told)


def _wait(record: ScheduleRecord, run: datetime, why: str, told: tuple[Told, ...]) -> ScheduleStep:
    """It is tried again at the next look; what is in the way is not said again while it stays the same."""
    if record.obstacle != why:
        told += (Told("ScheduledTaskNotPlaced", f"{why} The run due at {clock(run)} is tried again."),)
    return ScheduleStep(evolve(record, next_run_at=run, obstacle=why), (), told)


def clock(moment: datetime) -> str:
    """A moment (UTC) for a line of text."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
