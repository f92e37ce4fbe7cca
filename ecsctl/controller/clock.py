"""The clocks: wall time for people, boot time for leases (a wall clock may jump)."""

from __future__ import annotations

import time
from datetime import datetime, timezone

_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock:
    """The machine's clocks."""

    def now(self) -> datetime:
        """UTC."""
        return datetime.now(timezone.utc)

    def since_boot(self) -> float:
        """Seconds; goes on while the machine sleeps."""
        return time.clock_gettime(_BOOT)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
