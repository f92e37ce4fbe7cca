"""Jobs as units of systemd: the machine's for root, their own for everybody else."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

from ecsctl.cli.schedule.job import Job
from ecsctl.cli.schedule.programs import answer, must
from ecsctl.cli.schedule.units import WRITTEN_BY, unit_files
from ecsctl.cli.schedule.way import Entries, Status, Way
from ecsctl.model.errors import EcsctlError

RUNS = Path("/run/systemd/system")
"""It is there when the machine was started with systemd (sd_booted(3))."""

SYSTEM_UNITS = Path("/etc/systemd/system")

_SPAN = {"month": 2629800.0, "w": 604800.0, "d": 86400.0, "h": 3600.0, "min": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6}


def user_units(environment: Mapping[str, str]) -> Path:
    """Where a user's own units are (systemd.unit(5))."""
    given = environment.get("XDG_CONFIG_HOME", "")
    home = Path(given) if given.startswith("/") else Path(environment.get("HOME") or os.path.expanduser("~"), ".config")
    return home / "systemd/user"


class Systemd(Way):
    """Unit files in a directory; `system` says whose manager reads it."""

    name = "systemd"

    def __init__(self, unit: str, directory: Path, *, system: bool) -> None:
        self._service, self._timer = f"{unit}.service", f"{unit}.timer"
        self._unit = unit
        self._directory = directory
        self._system = system
        self._systemctl = ["systemctl"] if system else ["systemctl", "--user"]

    def wanted(self, job: Job) -> Entries:
        files = unit_files(job, self._unit, system=self._system)
        return {str(self._directory / name): content for name, content in files.items()}

    def current(self) -> Entries:
        entries: Entries = {}
        for name in (self._service, self._timer):
            path = self._directory / name
            try:
                content = path.read_text(encoding="utf-8", errors="surrogateescape")
            except FileNotFoundError:
                continue
            except OSError as error:
                raise EcsctlError(f"{path} cannot be read: {error.strerror}") from None
            if not content.startswith(WRITTEN_BY):
                raise EcsctlError(f"{path} was not written by ecsctl: move it away first")
            entries[str(path)] = content
        return entries

    def write(self, entries: Entries) -> None:
        for path in self.current().keys() - entries.keys():
            _remove(Path(path))
        for path, content in entries.items():
            _write(Path(path), content)

    def start(self, entries: Entries) -> None:
        try:
            self._must("daemon-reload")
        except EcsctlError as error:
            raise EcsctlError(f"{error}; without systemd, give --using crontab") from None
        if entries:
            self._must("enable", "--now", self._first(entries))

    def stop(self, entries: Entries) -> None:
        if entries:
            self._must("disable", "--now", self._first(entries))
            self._must("stop", self._service)
            answer([*self._systemctl, "reset-failed", self._service])  # which fails when there is nothing to reset

    def status(self, entries: Entries, now: datetime) -> Status:
        text = "".join(entries.values())
        every = re.search(r"^OnUnitActiveSec=([0-9.]+)s$", text, re.MULTILINE)
        command = re.search(r"^ExecStart=(.*)$", text, re.MULTILINE)
        service, timer = self._properties(self._service), self._properties(self._timer) if every else {}
        return Status(
            using="systemd" if self._system else "systemd --user",
            where=list(entries),
            command=command[1] if command else "",
            every=float(every[1]) if every else None,
            active=(timer or service).get("ActiveState"),
            next_run=_next(timer.get("NextElapseUSecMonotonic", ""), now),
            last_run=_moment(service.get("ExecMainExitTimestamp", "")),
            last_result=_result(service),
        )

    def _first(self, entries: Entries) -> str:
        """The unit that is enabled: the timer, if there is one."""
        return self._timer if str(self._directory / self._timer) in entries else self._service

    def _must(self, *words: str) -> None:
        must([*self._systemctl, *words])

    def _properties(self, unit: str) -> dict[str, str]:
        """What systemd knows of a unit; nothing when it does not answer."""
        try:
            lines = answer([*self._systemctl, "show", unit]).stdout.decode(errors="replace").splitlines()
        except EcsctlError:
            return {}
        return dict(line.split("=", 1) for line in lines if "=" in line)


def _write(path: Path, content: str) -> None:
    """All of it or nothing."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(content, encoding="utf-8", errors="surrogateescape")
        fresh.chmod(0o644)
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise EcsctlError(f"{path} cannot be written: {error.strerror}") from None


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        raise EcsctlError(f"{path} cannot be removed: {error.strerror}") from None


def _next(span: str, now: datetime) -> datetime | None:
    """The moment of a monotonic time as systemd writes it, `1h 2min 3.5s` since the boot; None for none, or gone by."""
    found = re.findall(r"([0-9.]+)(month|min|ms|us|w|d|h|s)\b", span)
    ahead = sum(float(number) * _SPAN[unit] for number, unit in found) - time.monotonic()
    return (now + timedelta(seconds=ahead)).replace(microsecond=0) if found and ahead > 0 else None


def _moment(text: str) -> datetime | None:
    """A time as systemd writes it in UTC: `Fri 2026-01-02 03:04:05 UTC`."""
    found = re.fullmatch(r"\w+ ([0-9-]+ [0-9:]+) UTC", text)
    return datetime.strptime(f"{found[1]}+0000", "%Y-%m-%d %H:%M:%S%z").astimezone(timezone.utc) if found else None


def _result(service: Mapping[str, str]) -> str | None:
    """`success`, `exit-code 5`, `timeout`, …; None before the first run ended."""
    result, code = service.get("Result"), service.get("ExecMainStatus", "0")
    if not service.get("ExecMainExitTimestamp"):
        return None
    return f"{result} {code}" if result in ("exit-code", "signal") else result
