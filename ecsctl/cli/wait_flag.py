"""`--wait [DURATION]`, of the actions that have it beside what AWS's have."""

from __future__ import annotations

from ecsctl.cli.argv import Flag
from ecsctl.cli.durations import duration_of, is_duration


def wait_flag(about: str) -> Flag:
    """The flag; given without a duration, its value is empty."""
    return Flag("--wait", "wait", "maybe", const="", metavar="[duration]", own=True, accepts=is_duration, help=about)


def seconds_of(given: str, default: float) -> float:
    """How long to wait. Raises UsageError for what is no duration."""
    return duration_of("--wait", given, "90, 90s, 5m or 2h") if given else default
