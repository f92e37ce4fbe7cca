"""The engine's times: RFC 3339 with nanoseconds, which datetime does not hold."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from math import floor

from ecsctl.model.errors import InputError

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")


def unix_time(timestamp: str) -> str:
    """Seconds since 1970 with nine decimals, as the engine's queries take them. InputError for what is no timestamp."""
    found = _RFC3339.fullmatch(timestamp)
    if not found:
        raise InputError(f"'{timestamp}' is not a time such as 2026-01-31T09:30:00.123456789Z.")
    zone = "+00:00" if found[3] == "Z" else found[3]
    try:
        seconds = int(datetime.fromisoformat(found[1] + zone).timestamp())
    except ValueError as error:
        raise InputError(f"'{timestamp}' is not a time: {error}.") from error
    return f"{seconds}.{found[2] or '0':0<9}"


def rfc3339(seconds: float) -> str:
    """Seconds since 1970 as the engine writes them, UTC with nanoseconds."""
    microseconds = round((seconds - floor(seconds)) * 1e6)  # a float holds no more for times of our day
    whole = datetime.fromtimestamp(floor(seconds) + microseconds // 10**6, timezone.utc)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{microseconds % 10**6:06d}000Z"
