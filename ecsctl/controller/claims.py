"""Claims: who works on a task. At most one does, and what a dead process held is free at once."""

from __future__ import annotations

import os
from pathlib import Path

from ecsctl.controller.clock import Clock
from ecsctl.model.stored import Claim, TaskRecord

LEASE = 130.0
"""Seconds, at least twice the longest call's limit (a start: 60 s), so that a slow call is not overtaken."""


class Claimant:
    """One worker of this process, as far as claims are concerned."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._boot_id = _read("/proc/sys/kernel/random/boot_id")
        self._namespace = _link("/proc/self/ns/pid")
        self._pid = os.getpid()
        self._started = _process_start(self._pid)
        self._token = os.urandom(8).hex()

    def another(self) -> Claimant:
        """Another worker of this process: two of them exclude one another as two processes do."""
        other = Claimant.__new__(type(self))
        other.__dict__ |= self.__dict__
        other._token = os.urandom(8).hex()
        return other

    def claim(self) -> Claim:
        """A claim from now on."""
        return Claim(
            boot_id=self._boot_id,
            pid_namespace=self._namespace,
            pid=self._pid,
            process_start=self._started,
            token=self._token,
            until=self._clock.since_boot() + LEASE,
        )

    def is_ours(self, claim: Claim | None) -> bool:
        return claim is not None and claim.token == self._token

    def may_take(self, record: TaskRecord) -> bool:
        """Whether we may work on the task: nobody does, or who did is gone, late, or only fetching what is in vain."""
        claim = record.claim
        if claim is None or self.is_ours(claim) or self._is_void(claim):
            return True
        intents = {state.intent.op for state in record.containers if state.intent}
        return record.task.desired_status == "STOPPED" and bool(intents) and intents <= {"pull", "endpoint"}

    def _is_void(self, claim: Claim) -> bool:
        if claim.boot_id != self._boot_id or claim.until < self._clock.since_boot():
            return True
        if not self._boot_id or claim.pid_namespace != self._namespace:
            return False  # its process cannot be looked up from here: the lease decides
        return _process_start(claim.pid) != claim.process_start


def _process_start(pid: int) -> int:
    """When a process began, in clock ticks since boot; 0 when there is no such process, or no /proc."""
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return int(fields[19]) if len(fields) > 19 and fields[0] != "Z" else 0


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""
