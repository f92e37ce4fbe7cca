"""Leadership: which clusters this process keeps, among the processes that would.

Each says once a second that it is there. Who has not for some seconds, or whose process is gone, has lost its clusters
to the others, and learns so: by its own clock when it could not say it in time, as one does that was paused. A lease is
never exact. That nothing is done twice is for the claims and the engines' names to see to; a claim ends with the
leadership under which it was made.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from threading import Event, Thread
from typing import NamedTuple

from ecsctl.controller.clock import Clock
from ecsctl.controller.processes import ThisProcess
from ecsctl.model.errors import StateError
from ecsctl.model.stored import Controlling, Leading
from ecsctl.store.leases import CONTROLLERS, LEASES, Leases

TERM = 6.0
"""Seconds that a controller leads on without having said that it is there."""
BEAT = 1.0
"""Seconds between its saying so."""


class Shares(NamedTuple):
    """Clusters (ARNs) to take, and to leave to another."""

    take: list[str]
    leave: list[str]


def share(
    me: str, wanted: Mapping[str, Collection[str] | None], leaders: Mapping[str, str], clusters: Sequence[str]
) -> Shares:
    """What the controller `me` takes and leaves, so that each cluster has a leader and all lead about as many.

    `wanted`: of each controller the clusters that it would lead, None for any; `leaders`: cluster to controller.
    """
    led = {one: sum(leader == one for leader in leaders.values()) for one in wanted}
    take, leave = [], list[str]()

    def candidates(cluster: str) -> list[str]:
        return [one for one, these in wanted.items() if these is None or cluster in these]

    for cluster in clusters:
        if leaders.get(cluster) in wanted or not (found := candidates(cluster)):
            continue
        least = min(found, key=lambda one: (led[one], one))
        led[least] += 1
        if least == me:
            take.append(cluster)
    if take:
        return Shares(take, leave)
    for cluster, leader in leaders.items():
        if leader == me and any(led[other] + 1 < led[me] for other in candidates(cluster)):
            return Shares(take, [cluster])
    return Shares(take, leave)


class Leadership:
    """What this process leads. `clusters` gives the ARNs of those that there are; `named`: it would lead these only."""

    def __init__(
        self,
        leases: Leases,
        clock: Clock,
        clusters: Callable[[], Sequence[str]],
        named: Sequence[str] | None,
        changed: Callable[[], object],
        failed: Callable[[Exception], object] = lambda _: None,
    ) -> None:
        """`changed` is told when this process leads others than before, or none; `failed` of what ended the thread,
        after which it leads nothing any more."""
        self._leases = leases
        self._clock = clock
        self._clusters = clusters
        self._named = list(named) if named is not None else None
        self._process = ThisProcess()
        self._changed = changed
        self._failed = failed
        self._deadline = 0.0
        self._led: frozenset[str] = frozenset()
        self._ended = Event()
        self._thread: Thread | None = None
        self.id = _new_id()
        self.others: list[Controlling] = []
        """The other controllers that lead a cluster which this one would."""
        self.leads_all = False
        """Whether it leads all that there are."""
        self.trouble = ""
        """Why it could not say last that it is there, if it could not."""

    def holds(self, controller: str) -> bool:
        """Whether it leads still, under that id."""
        return controller == self.id and self._clock.since_boot() < self._deadline

    @property
    def led(self) -> frozenset[str]:
        """The clusters (ARNs) that it leads."""
        return self._led if self.holds(self.id) else frozenset()

    def start(self) -> None:
        """From here on in a thread of its own, until end()."""
        self._thread = Thread(target=self._go_on, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Leave all to others."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(TERM)
        self._deadline = 0.0
        with suppress(StateError), self._leases.turn() as tx:
            tx.delete(LEASES, controller=self.id)
            tx.delete(CONTROLLERS, id=self.id)
        self._leases.close()

    def _go_on(self) -> None:
        try:
            self._lead_on()
        except Exception as error:
            self._failed(error)

    def _lead_on(self) -> None:
        known = (self.id, self.led)
        while not self._ended.wait(BEAT):
            try:
                self.beat()
                self.trouble = ""
            except StateError as error:
                self.trouble = str(error)
            if (self.id, self.led) != known:
                known = (self.id, self.led)
                self._changed()

    def beat(self) -> None:
        """Say that it is there, and take or leave clusters. StateError when that cannot be said."""
        clusters = self._clusters()
        began = self._clock.since_boot()
        with self._leases.turn() as tx:
            now = self._leases.now()
            there = {one.id: one for one in tx.find(CONTROLLERS) if not self._is_gone(one, now)}
            if began >= self._deadline or self.id not in there:
                # Others may have taken for theirs what was this one's: it begins anew.
                there.pop(self.id, None)
                self.id, self._deadline = _new_id(), 0.0
            there[self.id] = self._controlling(now + TERM)
            for one in tx.find(CONTROLLERS):
                if one.id not in there:
                    tx.delete(LEASES, controller=one.id)
                    tx.delete(CONTROLLERS, id=one.id)
            tx.put(CONTROLLERS, there[self.id])
            leaders = {lease.cluster: lease.controller for lease in tx.find(LEASES)}
            for cluster in leaders.keys() - set(clusters):  # they are deleted
                del leaders[cluster]
                tx.delete(LEASES, cluster=cluster)
            shares = share(self.id, {one.id: one.clusters for one in there.values()}, leaders, clusters)
            for cluster in shares.take:
                tx.put(LEASES, Leading(cluster, self.id))
            for cluster in shares.leave:
                tx.delete(LEASES, cluster=cluster)
        led = {cluster for cluster, leader in leaders.items() if leader == self.id}
        self._led = frozenset(led.union(shares.take).difference(shares.leave))
        wanted = leaders if self._named is None else {one: leaders[one] for one in self._named if one in leaders}
        self.others = [there[one] for one in dict.fromkeys(wanted.values()) if one in there and one != self.id]
        self.leads_all = self._led >= set(clusters)
        self._deadline = began + TERM

    def _is_gone(self, one: Controlling, now: float) -> bool:
        return one.until < now or self._process.knows_gone(one.boot_id, one.pid_namespace, one.pid, one.process_start)

    def _controlling(self, until: float) -> Controlling:
        process = self._process
        return Controlling(
            id=self.id,
            until=until,
            host=socket.gethostname(),
            boot_id=process.boot_id,
            pid_namespace=process.namespace,
            pid=process.pid,
            process_start=process.started,
            clusters=self._named,
        )


def _new_id() -> str:
    return os.urandom(8).hex()
