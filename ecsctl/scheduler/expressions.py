"""Schedule expressions in EventBridge's syntax: `cron(…)`, `rate(…)`, `at(…)`, and when they come due. Pure.

Source: EventBridge Scheduler user guide, "Schedule types on EventBridge Scheduler"; EventBridge user guide, "Cron
expressions reference". Daylight saving time as there: a time that the clocks skip is skipped, one that they repeat
comes once, the first time; a day of a rate has 24 hours.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Protocol

from ecsctl.model.errors import InputError
from ecsctl.model.near import near
from ecsctl.scheduler.cron_fields import cron_fields

LONGEST_RATE = timedelta(days=36500)
_CALL = r"(cron|rate|at)\((.*)\)"
_SHAPES = (
    "cron(MINUTES HOURS DAY-OF-MONTH MONTH DAY-OF-WEEK YEAR), rate(VALUE UNIT) or at(YYYY-MM-DDTHH:MM:SS), "
    "e.g. cron(0 12 * * ? *)"
)
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}


class Timing(Protocol):
    """When a schedule comes due. All moments have a time zone; those that come back are in UTC."""

    def first(self, now: datetime) -> datetime | None:
        """The first run of a schedule that is made now; None when there will be none."""
        ...

    def latest(self, due: datetime, now: datetime) -> datetime:
        """The latest run that is due now, `due` being one that is."""
        ...

    def following(self, run: datetime) -> datetime | None:
        """The run after the one of that time; None when that was the last."""
        ...


class Rate:
    """At regular intervals. The first run is at once (EventBridge: a schedule without a start date)."""

    def __init__(self, period: timedelta) -> None:
        self._period = period

    def first(self, now: datetime) -> datetime | None:
        return now.astimezone(timezone.utc).replace(microsecond=0)

    def latest(self, due: datetime, now: datetime) -> datetime:
        return due + (now - due) // self._period * self._period

    def following(self, run: datetime) -> datetime | None:
        return run + self._period


class Once:
    """One time."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment

    def first(self, now: datetime) -> datetime | None:  # noqa: ARG002 it may have passed
        return self._moment

    def latest(self, due: datetime, now: datetime) -> datetime:  # noqa: ARG002 there is no other
        return due

    def following(self, run: datetime) -> datetime | None:  # noqa: ARG002 there is none
        return None


class Cron:
    """The times of a calendar. `fields` are the five of the cron library, which years count is decided here: with its
    own field for them the library misses times."""

    def __init__(self, fields: str, years: frozenset[int], zone: tzinfo) -> None:
        self._fields = fields
        self._years = years
        self._zone = zone

    def first(self, now: datetime) -> datetime | None:
        return self.following(now)

    def latest(self, due: datetime, now: datetime) -> datetime:
        # Where clocks are put back, a later time of the day may be an earlier moment.
        local = self._step(_naive(now, self._zone) + timedelta(hours=3), back=True)
        while local is not None:
            moment = _moment(local, self._zone)
            if moment is not None and moment <= now:
                return max(moment, due)
            local = self._step(local, back=True)
        return due

    def following(self, run: datetime) -> datetime | None:
        local = self._step(_naive(run, self._zone), back=False)
        while local is not None:
            moment = _moment(local, self._zone)
            if moment is not None and moment > run:
                return moment
            local = self._step(local, back=False)
        return None

    def _step(self, local: datetime, *, back: bool) -> datetime | None:
        """The next time of the calendar in a year that counts, or the one before."""
        from croniter import CroniterBadDateError, croniter  # only a schedule that is due needs it

        while True:
            times = croniter(self._fields, local)
            try:
                found: datetime = times.get_prev(datetime) if back else times.get_next(datetime)
            except CroniterBadDateError:  # none in fifty years
                return None
            if found.year in self._years:
                return found
            years = [year for year in self._years if (year < found.year if back else year > found.year)]
            if not years:
                return None
            local = datetime(max(years) + 1, 1, 1) if back else datetime(min(years), 1, 1) - timedelta(minutes=1)  # noqa: DTZ001 local time


def parse_timezone(name: str) -> tzinfo:
    """The time zone of that name in the IANA database. Raises InputError."""
    from zoneinfo import ZoneInfo, available_timezones

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        meant = near(name, available_timezones())
        hint = f"; did you mean {meant[0]}?" if meant else ", e.g. Europe/Zurich"
        raise InputError(f"{_cut(name)!r} is not a time zone that is known here: give its IANA name{hint}") from None


def parse_expression(text: str, zone: tzinfo) -> Timing:
    """When an expression comes due in that time zone. Raises InputError, one line that says what is wrong and where."""
    call = re.fullmatch(_CALL, text.strip(), re.ASCII)
    if call is None:
        raise InputError(f"{_cut(text)!r} is not a schedule expression: write {_SHAPES}")
    kind, body = call.groups()
    try:
        if kind == "rate":
            return Rate(_period(body))
        if kind == "at":
            return Once(_once(body, zone))
        fields, years = cron_fields(body)
    except InputError as error:
        raise InputError(f"{_cut(text.strip())}: {error}") from None
    return Cron(fields, years, zone)


def _period(body: str) -> timedelta:
    found = re.fullmatch(r"\s*([0-9]{1,9})\s+(minute|hour|day)(s?)\s*", body, re.ASCII)
    if found is None:
        raise InputError("expected a whole number and minutes, hours or days, e.g. rate(5 minutes)")
    value, unit, plural = int(found[1]), found[2], found[3]
    if value == 0:
        raise InputError(f"the value has to be 1 or more, e.g. rate(1 {unit})")
    if value > 1 and not plural:
        raise InputError(f"more than one needs the plural: rate({value} {unit}s)")
    if value > LONGEST_RATE // _UNITS[unit]:
        raise InputError(f"the longest rate is {LONGEST_RATE.days} days")
    return value * _UNITS[unit]


def _once(body: str, zone: tzinfo) -> datetime:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}", body, re.ASCII):
        raise InputError(
            "expected a date and a time without a zone, e.g. at(2026-01-02T03:04:05); "
            "the zone is --schedule-expression-timezone"
        )
    try:
        local = datetime.fromisoformat(body)
        moment = _moment(local, zone)
    except (ValueError, OverflowError) as error:
        raise InputError(f"there is no such time: {error}") from None
    if moment is None:
        raise InputError(f"there is no such time in {zone}: the clocks are put forward over it")
    return moment


def _moment(local: datetime, zone: tzinfo) -> datetime | None:
    """The moment of a local time, the first where there are two; None where the clocks skip it."""
    moment = local.replace(tzinfo=zone, fold=0).astimezone(timezone.utc)
    return moment if _naive(moment, zone) == local else None


def _naive(moment: datetime, zone: tzinfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _cut(text: str) -> str:
    return text if len(text) <= 80 else text[:80] + "…"
