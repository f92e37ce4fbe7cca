"""Jobs as lines of the user's crontab, read and written by the machine's own `crontab`."""

from __future__ import annotations

import shutil
from datetime import datetime

from ecsctl.cli.schedule.crontab_line import crontab_line, edited, interval, line_of, next_run
from ecsctl.cli.schedule.job import Job
from ecsctl.cli.schedule.programs import answer, must
from ecsctl.cli.schedule.way import Entries, Status, Way
from ecsctl.model.errors import EcsctlError
from ecsctl.model.state_place import StatePlace

PLACE = "crontab"


class Crontab(Way):
    """One line of one crontab, found by the state it is for."""

    name = "crontab"

    def __init__(self, state: StatePlace) -> None:
        self._state = state

    def wanted(self, job: Job) -> Entries:
        return {PLACE: crontab_line(job, shutil.which("logger") or "")}

    def current(self) -> Entries:
        line = line_of(self._read(), self._state) if shutil.which("crontab") else None
        return {PLACE: line} if line else {}

    def write(self, entries: Entries) -> None:
        if not shutil.which("crontab"):
            raise EcsctlError("there is no program crontab on the PATH: install cron, or give --using systemd")
        before = self._read()
        after = edited(before, self._state, entries.get(PLACE))
        if after != before:
            must(["crontab", "-"], after.encode(errors="surrogateescape"))

    def start(self, entries: Entries) -> None:
        """Cron looks for itself."""

    def stop(self, entries: Entries) -> None:
        """As for start()."""

    def status(self, entries: Entries, now: datetime) -> Status:
        line = entries[PLACE]
        command = line.split(" ", 5)[5]
        return Status(
            using=self.name, where=[PLACE], command=command, every=interval(line) * 60.0, next_run=next_run(line, now)
        )

    def _read(self) -> str:
        """The whole crontab. What is not surely empty is never taken to be: it would be written back so."""
        done = answer(["crontab", "-l"])
        if done.returncode == 0:
            return done.stdout.decode(errors="surrogateescape")
        if "no crontab" in done.complaint or "No such file" in done.complaint:
            return ""
        raise EcsctlError(f"crontab -l: {done.complaint}")
