"""Claims: who works on a task. At most one does, and what a dead process held is free at once."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING

from ecsctl.controller.clock import Clock
from ecsctl.controller.processes import ThisProcess
from ecsctl.model.stored import Claim, TaskRecord
from ecsctl.store.store import Store

if TYPE_CHECKING:
    from ecsctl.controller.leadership import Leadership

LEASE = 130.0
"""Seconds, at least twice the longest call's limit (a start: 60 s), so that a slow call is not overtaken."""


class Claimant:
    """One worker of this process, as far as claims are concerned."""

    def __init__(self, clock: Clock, store: Store) -> None:
        self._clock = clock
        self._store = store
        self._process = ThisProcess()
        self._token = os.urandom(8).hex()
        self._working = {self._token}  # of all workers of this process
        self._controller = ""
        self._claimed = clock.since_boot()
        self.leadership: Leadership | None = None
        """Under which the workers claim, where this process is a controller that stays."""

    def another(self) -> Claimant:
        """Another worker of this process: two of them exclude one another as two processes do. done() ends it."""
        other = Claimant.__new__(type(self))
        other.__dict__ |= self.__dict__
        other._token = os.urandom(8).hex()
        other._controller = self.leadership.id if self.leadership else ""
        self._working.add(other._token)
        return other

    def done(self) -> None:
        """It works no more: what it could not let go of is free."""
        self._working.discard(self._token)

    def claim(self) -> Claim:
        """A claim from now on."""
        self._claimed = self._clock.since_boot()
        return Claim(
            boot_id=self._process.boot_id,
            pid_namespace=self._process.namespace,
            pid=self._process.pid,
            process_start=self._process.started,
            token=self._token,
            until=self._store.lease_time(self._claimed) + LEASE,
            controller=self._controller,
        )

    def may_act(self) -> bool:
        """Whether a call may begin that takes as long as the longest: others leave alone what was claimed last. It may
        not after this process was paused."""
        if self._clock.since_boot() > self._claimed + LEASE / 2:
            return False
        return not self._controller or (self.leadership is not None and self.leadership.holds(self._controller))

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
        ours = self._process
        if claim.until < self._store.lease_time(self._clock.since_boot()):
            return True
        if (claim.boot_id, claim.pid_namespace, claim.pid) == (ours.boot_id, ours.namespace, ours.pid):
            return claim.process_start != ours.started or claim.token not in self._working
        if claim.boot_id != ours.boot_id and not self._store.is_shared:  # of this machine, before it was started anew
            return True
        if ours.knows_gone(claim.boot_id, claim.pid_namespace, claim.pid, claim.process_start):
            return True
        return bool(claim.controller) and not self._leads(claim.controller)

    def _leads(self, controller: str) -> bool:
        """Whether a controller of another process has said lately that it is there."""
        from ecsctl.store.leases import CONTROLLERS, leases_of  # seldom does one meet another's claim

        with closing(leases_of(self._store.place, self._process.boot_id)) as leases, leases.turn() as tx:
            found = tx.get(CONTROLLERS, controller)
            return found is not None and found.until >= leases.now()
