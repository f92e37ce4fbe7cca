"""Schedule expressions: when they come due, in each zone and where clocks change; what is refused, in which words."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from ecsctl.model.errors import InputError
from ecsctl.scheduler.expressions import parse_expression, parse_timezone

NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=timezone.utc)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def runs(expression: str, zone: str = "UTC", start: datetime = NOW, count: int = 3) -> list[str]:
    """The first runs after `start`, in UTC."""
    timing = parse_expression(expression, parse_timezone(zone))
    found: list[str] = []
    run = timing.first(start)
    while run is not None and len(found) < count:
        found.append(f"{run:%Y-%m-%d %H:%M:%S}".removesuffix(":00"))
        run = timing.following(run)
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("rate(5 minutes)", ["2026-01-02 03:04:05", "2026-01-02 03:09:05", "2026-01-02 03:14:05"]),
        ("rate(1 hour)", ["2026-01-02 03:04:05", "2026-01-02 04:04:05", "2026-01-02 05:04:05"]),
        ("rate(1 days)", ["2026-01-02 03:04:05", "2026-01-03 03:04:05", "2026-01-04 03:04:05"]),
        ("at(2026-02-03T04:05:06)", ["2026-02-03 04:05:06"]),
        ("at(2025-02-03T04:05:06)", ["2025-02-03 04:05:06"]),
        ("cron(0 12 * * ? *)", ["2026-01-02 12:00", "2026-01-03 12:00", "2026-01-04 12:00"]),
        ("cron(4 3 * * ? *)", ["2026-01-03 03:04", "2026-01-04 03:04", "2026-01-05 03:04"]),
        ("cron(0/20 * * * ? *)", ["2026-01-02 03:20", "2026-01-02 03:40", "2026-01-02 04:00"]),
        ("cron(5-20/15,59 0 ? * * *)", ["2026-01-03 00:05", "2026-01-03 00:20", "2026-01-03 00:59"]),
        ("cron(0 22-1 * * ? *)", ["2026-01-02 22:00", "2026-01-02 23:00", "2026-01-03 00:00"]),
        ("cron(0 10 ? * MON-FRI *)", ["2026-01-02 10:00", "2026-01-05 10:00", "2026-01-06 10:00"]),
        ("cron(0 10 ? * 1,sat *)", ["2026-01-03 10:00", "2026-01-04 10:00", "2026-01-10 10:00"]),
        ("cron(0 10 ? * FRI-SUN *)", ["2026-01-02 10:00", "2026-01-03 10:00", "2026-01-04 10:00"]),
        ("cron(0 0 1 FEB,apr-5 ? *)", ["2026-02-01 00:00", "2026-04-01 00:00", "2026-05-01 00:00"]),
        ("cron(0 0 L * ? *)", ["2026-01-31 00:00", "2026-02-28 00:00", "2026-03-31 00:00"]),
        ("cron(0 0 15,L 2 ? *)", ["2026-02-15 00:00", "2026-02-28 00:00", "2027-02-15 00:00"]),
        ("cron(0 0 LW * ? *)", ["2026-01-30 00:00", "2026-02-27 00:00", "2026-03-31 00:00"]),
        ("cron(0 0 1W * ? *)", ["2026-02-02 00:00", "2026-03-02 00:00", "2026-04-01 00:00"]),
        ("cron(0 0 15W * ? *)", ["2026-01-15 00:00", "2026-02-16 00:00", "2026-03-16 00:00"]),
        ("cron(0 0 ? * L *)", ["2026-01-03 00:00", "2026-01-10 00:00", "2026-01-17 00:00"]),
        ("cron(0 0 ? * 6L *)", ["2026-01-30 00:00", "2026-02-27 00:00", "2026-03-27 00:00"]),
        ("cron(0 0 ? * SUNL *)", ["2026-01-25 00:00", "2026-02-22 00:00", "2026-03-29 00:00"]),
        ("cron(0 0 ? * 3#2 *)", ["2026-01-13 00:00", "2026-02-10 00:00", "2026-03-10 00:00"]),
        ("cron(0 0 ? 2 SUN#5 *)", ["2032-02-29 00:00", "2060-02-29 00:00", "2088-02-29 00:00"]),
        ("cron(0 0 29 2 ? *)", ["2028-02-29 00:00", "2032-02-29 00:00", "2036-02-29 00:00"]),
        ("cron(0 0 15 2 ? 2027)", ["2027-02-15 00:00"]),
        ("cron(0 0 1 1 ? 2027-2099/30,2029)", ["2027-01-01 00:00", "2029-01-01 00:00", "2057-01-01 00:00"]),
        ("cron(0 0 1 7 ? */4)", ["2026-07-01 00:00", "2030-07-01 00:00", "2034-07-01 00:00"]),
        ("cron(59 23 31 12 ? 2150)", ["2150-12-31 23:59"]),
        ("cron(0 0 1 1 ? 2026)", []),
        ("cron(0 0 31 4,6 ? *)", []),
    ],
)
def test_the_next_runs(expression: str, expected: list[str]) -> None:
    assert runs(expression) == expected


@pytest.mark.parametrize(
    ("expression", "zone", "start", "expected"),
    [
        # forward: 02:00 to 03:00 is not there on 29 March 2026
        ("cron(30 2 * * ? *)", "Europe/Zurich", "2026-03-27T12:00", ["2026-03-28 01:30", "2026-03-30 00:30"]),
        ("cron(0/30 * * * ? *)", "Europe/Zurich", "2026-03-29T00:20", ["2026-03-29 00:30", "2026-03-29 01:00"]),
        ("cron(0 12 * * ? *)", "Europe/Zurich", "2026-03-28T00:00", ["2026-03-28 11:00", "2026-03-29 10:00"]),
        ("rate(1 day)", "Europe/Zurich", "2026-03-28T12:00", ["2026-03-28 12:00", "2026-03-29 12:00"]),
        # back: 02:00 to 03:00 comes twice on 25 October 2026
        ("cron(30 2 * * ? *)", "Europe/Zurich", "2026-10-24T12:00", ["2026-10-25 00:30", "2026-10-26 01:30"]),
        ("cron(30 2 * * ? *)", "Europe/Zurich", "2026-10-25T01:00", ["2026-10-26 01:30", "2026-10-27 01:30"]),
        ("cron(0/30 * * * ? *)", "Europe/Zurich", "2026-10-25T00:20", ["2026-10-25 00:30", "2026-10-25 02:00"]),
        ("at(2026-10-25T02:30:00)", "Europe/Zurich", "2026-10-24T12:00", ["2026-10-25 00:30"]),
        ("rate(12 hours)", "Europe/Zurich", "2026-10-24T12:00", ["2026-10-24 12:00", "2026-10-25 00:00"]),
        # the southern half, and half an hour
        ("cron(30 2 ? * SUN *)", "America/Santiago", "2026-09-05T00:00", ["2026-09-06 05:30", "2026-09-13 05:30"]),
        ("cron(15 2 * * ? *)", "Australia/Lord_Howe", "2026-10-03T00:00", ["2026-10-04 15:15", "2026-10-05 15:15"]),
        ("cron(0 9 * * ? *)", "Asia/Kolkata", "2026-01-01T00:00", ["2026-01-01 03:30", "2026-01-02 03:30"]),
    ],
)
def test_the_next_runs_where_clocks_change(expression: str, zone: str, start: str, expected: list[str]) -> None:
    assert runs(expression, zone, utc(start), len(expected)) == expected


@pytest.mark.parametrize(
    ("expression", "zone", "due", "now", "expected"),
    [
        ("rate(5 minutes)", "UTC", "2026-01-01T00:00:05", "2026-01-01T00:05:04", "2026-01-01T00:00:05"),
        ("rate(5 minutes)", "UTC", "2026-01-01T00:00:05", "2026-01-01T01:12:00", "2026-01-01T01:10:05"),
        ("at(2026-01-01T00:00:00)", "UTC", "2026-01-01T00:00:00", "2026-01-05T00:00:00", "2026-01-01T00:00:00"),
        ("cron(0 12 * * ? *)", "UTC", "2026-01-01T12:00:00", "2026-01-01T12:00:00", "2026-01-01T12:00:00"),
        ("cron(0 12 * * ? *)", "UTC", "2026-01-01T12:00:00", "2026-01-09T11:59:59", "2026-01-08T12:00:00"),
        # a time that was in the calendar by the rules of a time zone that have changed
        ("cron(0 12 * * ? *)", "UTC", "2026-01-01T12:30:00", "2026-01-01T12:40:00", "2026-01-01T12:30:00"),
        ("cron(0 0 1 1 ? 2024-2026)", "UTC", "2024-01-01T00:00:00", "2031-05-01T00:00:00", "2026-01-01T00:00:00"),
        ("cron(30 2 * * ? *)", "Europe/Zurich", "2026-03-28T01:30:00", "2026-03-29T20:00:00", "2026-03-28T01:30:00"),
        ("cron(45 2 * * ? *)", "Europe/Zurich", "2026-10-24T00:45:00", "2026-10-25T01:10:00", "2026-10-25T00:45:00"),
        ("cron(0 4 * * ? *)", "Europe/Zurich", "2026-10-24T02:00:00", "2026-10-25T02:10:00", "2026-10-24T02:00:00"),
    ],
)
def test_the_latest_run_that_is_due(expression: str, zone: str, due: str, now: str, expected: str) -> None:
    timing = parse_expression(expression, parse_timezone(zone))
    assert timing.latest(utc(due), utc(now)) == utc(expected)


FIELDS = "minutes hours day-of-month month day-of-week year"


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("", "'' is not a schedule expression: write cron(MINUTES HOURS DAY-OF-MONTH MONTH DAY-OF-WEEK YEAR), "),
        ("0 12 * * *", "'0 12 * * *' is not a schedule expression: write cron("),
        ("cron(0 12 * * ?", "'cron(0 12 * * ?' is not a schedule expression: write cron("),
        ("cron(0 12 * * ?)", f"cron(0 12 * * ?): 5 fields where six are needed: {FIELDS}, e.g. cron(0 12 * * ? *)"),
        ("cron(0 12 * * * *)", "one of day-of-month and day-of-week has to be ?, and neither is, e.g. cron(0 12 "),
        ("cron(0 12 ? * ? *)", "one of day-of-month and day-of-week has to be ?, and both are, e.g. cron(0 12 "),
        ("cron(60 12 * * ? *)", "minutes: 60 is not between 0 and 59"),
        ("cron(0 24 * * ? *)", "hours: 24 is not between 0 and 23"),
        ("cron(0 9-25 * * ? *)", "hours: 25 is not between 0 and 23"),
        ("cron(0 9 0 * ? *)", "day-of-month: 0 is not between 1 and 31"),
        ("cron(0 9 * 13 ? *)", "month: 13 is not between 1 and 12"),
        ("cron(0 9 * JANUARY ? *)", "month: 'JANUARY' is not a number; the names are JAN, FEB, "),
        ("cron(0 9 ? * 0 *)", "day-of-week: 0 is not between 1 and 7"),
        ("cron(0 9 ? * 8L *)", "day-of-week: 8 is not between 1 and 7"),
        ("cron(0 9 ? * 3#6 *)", "day-of-week: '3#6': # goes with one day and 1 to 5, alone in its field, e.g. 3#2"),
        ("cron(0 9 ? * 3#1,6#3 *)", "day-of-week: '3#1,6#3': # goes with one day and 1 to 5, alone in its field"),
        ("cron(0 9 ? * 2/2 *)", "day-of-week: '2/2': there is no / here, only , - * ? L #"),
        ("cron(0 9 ? * 3W *)", "day-of-week: '3W' is not a number; the names are SUN, MON, "),
        ("cron(0 9 1W,15W * ? *)", "day-of-month: '1W,15W': W goes with one day, alone in its field, e.g. 15W"),
        ("cron(0 9 32W * ? *)", "day-of-month: 32 is not between 1 and 31"),
        ("cron(0 9 L-3 * ? *)", "day-of-month: 'L' is not a number"),
        ("cron(0 9 1,,2 * ? *)", "day-of-month: there is nothing between two commas: it takes 1-31 and , - * ? / L W"),
        ("cron(? 9 * * ? *)", "minutes: '?' is not understood: it takes 0-59 and , - * /"),
        ("cron(*/0 9 * * ? *)", "minutes: '*/0': the step has to be between 1 and 59"),
        ("cron(0 9 * * ? 1969)", "year: 1969 is not between 1970 and 2199"),
        ("cron(0 9 * * ? 2030-2027)", "year: '2030-2027' runs backwards"),
        ("cron(² 9 * * ? *)", "minutes: '²' is not understood: it takes 0-59 and , - * /"),
        ("rate(5 minute)", "rate(5 minute): more than one needs the plural: rate(5 minutes)"),
        ("rate(0 hours)", "rate(0 hours): the value has to be 1 or more, e.g. rate(1 hour)"),
        ("rate(30 seconds)", "expected a whole number and minutes, hours or days, e.g. rate(5 minutes)"),
        ("rate(1.5 hours)", "expected a whole number and minutes, hours or days, e.g. rate(5 minutes)"),
        ("rate(999999999 days)", "rate(999999999 days): the longest rate is 36500 days"),
        ("at(tomorrow)", "expected a date and a time without a zone, e.g. at(2026-01-02T03:04:05); the zone is --sch"),
        ("at(2026-01-02T03:04:05Z)", "expected a date and a time without a zone"),
        ("at(2026-02-30T00:00:00)", "at(2026-02-30T00:00:00): there is no such time: "),
        ("at(0001-01-01T00:00:00)", "at(0001-01-01T00:00:00): there is no such time: "),
        ("at(2026-03-29T02:30:00)", "there is no such time in Europe/Zurich: the clocks are put forward over it"),
    ],
)
def test_what_is_wrong_is_one_line_that_says_where(expression: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_expression(expression, parse_timezone("Europe/Zurich"))
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("Europe/Zürich", "'Europe/Zürich' is not a time zone that is known here: give its IANA name; did you mean Eu"),
        ("Zurich", "did you mean Europe/Zurich"),
        ("", "give its IANA name, e.g. Europe/Zurich"),
        ("../etc/passwd", "is not a time zone that is known here"),
        ("Europe", "is not a time zone that is known here"),
        ("a\0b", "is not a time zone that is known here"),
    ],
)
def test_an_unknown_time_zone_is_named_with_the_nearest(name: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_timezone(name)
    assert problem in str(caught.value)
