"""A small world for the controller: simulated hosts, a real store, a clock that only moves when told, and death.

A process here is a Context whose store and engines stop working for it at its n-th step, as `kill -9` does:
nothing of it runs after that, no `finally` has an effect.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from ecsctl.controller.chance import Chance
from ecsctl.controller.claims import Claimant
from ecsctl.controller.clock import Clock
from ecsctl.controller.controller import Controller
from ecsctl.controller.limits import Retention
from ecsctl.controller.sources import Sources
from ecsctl.engine.port import Engine
from ecsctl.engine.simulated import INFO, SimulatedEngine
from ecsctl.engine.simulated_container import Program
from ecsctl.engine.simulated_faults import Pullable
from ecsctl.engine.simulated_networks import Networks
from ecsctl.model import identity
from ecsctl.model.api.task_definitions import RegisterTaskDefinitionRequest
from ecsctl.model.arn import Scope, last_part
from ecsctl.model.observed import Observed
from ecsctl.model.record import decode, evolve
from ecsctl.model.stored import Claim, TaskRecord
from ecsctl.operations.context import Context
from ecsctl.operations.default_cluster import ensure_default_cluster
from ecsctl.operations.hosts import HostOptions, register_host
from ecsctl.operations.task_definitions import register_task_definition
from ecsctl.store.store import Store, Transaction, View
from ecsctl.store.tables import TASKS

MUTATING = (
    *("create", "put_archive", "start", "stop", "kill", "rename", "remove", "pull", "load", "feed", "connect_network"),
    *("create_volume", "remove_volume", "create_network", "create_overlay", "remove_network", "disconnect_network"),
    *("init_swarm", "join_swarm", "leave_swarm"),
)


class Killed(BaseException):
    """The process was killed: not an error that anything may handle."""


class Life:
    """How many steps a process still has; None: as many as it likes.

    `meanwhile` is called around each engine call: what other processes do while this one waits for an answer.
    `changes` are the steps after which something is different outside of the process.
    """

    def __init__(self, steps: int | None = None, meanwhile: Callable[[], object] | None = None) -> None:
        self.left = steps
        self.taken = 0
        self.changes: list[int] = []
        self.meanwhile = meanwhile or (lambda: None)
        self._lock = threading.Lock()

    def step(self, *, changed: bool = False) -> None:
        with self._lock:
            if changed:
                self.changes.append(self.taken)
            self.taken += 1
            if self.left is not None:
                if self.left <= 0:
                    raise Killed
                self.left -= 1


class VirtualClock(Clock):
    """Moves when told, or when somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 1_767_000_000.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, timezone.utc)

    def since_boot(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class RealClock(VirtualClock):
    """For what works in threads: time passes by itself."""

    @property
    def seconds(self) -> float:
        return time.time()

    @seconds.setter
    def seconds(self, _: float) -> None:
        pass

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class MortalStore:
    """A store that its process loses when it dies."""

    def __init__(self, store: Store, life: Life) -> None:
        self._store = store
        self._life = life

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def read(self) -> Iterator[View]:
        with self._store.read() as view:
            yield view

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        self._life.step()
        with self._store.write() as tx:
            yield tx
            self._life.step()  # dies with the transaction open: nothing of it stays
        self._life.step(changed=True)


class MortalEngine:
    """An engine that its process loses when it dies."""

    def __init__(self, engine: SimulatedEngine, life: Life) -> None:
        self._engine = engine
        self._life = life

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._engine, name)

        def call(*arguments: Any, **more: Any) -> Any:
            self._life.step()
            self._life.meanwhile()
            answer = method(*arguments, **more)
            self._life.meanwhile()
            self._life.step(changed=name in MUTATING)
            return answer

        return call


class OtherClaimant(Claimant):
    """A claimant of a process that is not this one: its boot id is the process's name."""

    def __init__(self, clock: Clock, store: Store, alive: set[str], process: str) -> None:
        super().__init__(clock, store)
        self._process.boot_id = process
        self._alive = alive

    def _is_void(self, claim: Claim) -> bool:
        return claim.boot_id not in self._alive or claim.until < self._clock.since_boot()


class World:
    """Hosts, one state, and processes that come and go. `skews`: how many seconds the clocks of hosts are wrong."""

    def __init__(
        self,
        folder: Path,
        hosts: int = 1,
        *,
        real_time: bool = False,
        sources: Sources = Sources(),  # noqa: B008 it holds nothing that changes
        **images: Program,
    ) -> None:
        self.sources = sources
        self.retention = Retention()
        self.clock = RealClock() if real_time else VirtualClock()
        self.skews: dict[str, float] = {}
        self.random = random.Random(7)  # noqa: S311 the same ids each time
        self.store = Store.open(folder / "state.db")
        self._programs = {"up": Program(), **images}
        self._sleep = time.sleep if real_time else None
        self._wire: dict[str, Networks] = {}
        self.engines: dict[str, SimulatedEngine] = {}
        for n in range(hosts):
            self.add_engine(f"host{n}", f"ENGINE{n}")
        self.handed_over: list[str] = []
        self.alive: set[str] = set()
        self._tokens = itertools.count()
        process = self.process()
        ensure_default_cluster(process)
        for n, name in enumerate(self.engines):
            register_host(process, None, HostOptions(name, availability_zone=f"zone{n}"))

    def add_engine(self, name: str, engine_id: str) -> SimulatedEngine:
        """One more engine, at the address `name`; it is no container instance yet."""
        self.engines[name] = SimulatedEngine(
            partial(self._time_on, name),
            self._programs,
            sleep=self._sleep,
            info=evolve(INFO, id=engine_id, name=name),
            registry={"remote": Pullable(Program(), seconds=3)},
            wire=self._wire,
        )
        return self.engines[name]

    def _time_on(self, host: str) -> float:
        return self.clock.seconds + self.skews.get(host, 0.0)

    def process(self, life: Life | None = None) -> Context:
        """A new process; its life is endless unless given."""
        life = life or Life()
        store: Any = MortalStore(self.store, life)
        name = f"process{next(self._tokens)}"
        self.alive.add(name)

        def connect(address: str) -> Engine:
            engine: Any = MortalEngine(self.engines[address], life)
            return engine  # type: ignore[no-any-return]

        chance = Chance(lambda: f"{self.random.getrandbits(128):032x}", self.random.randrange)
        claimant = OtherClaimant(self.clock, self.store, self.alive, name)
        controller = Controller(store, connect, self.clock, self.retention, claimant, chance, sources=self.sources)
        return Context(
            store=store,
            scope=Scope(),
            controller=controller,
            hand_over=self.handed_over.extend,
            warn=lambda _: None,
        )

    def dies(self, steps: int, work: Callable[[Context], Any], meanwhile: Callable[[], object] | None = None) -> bool:
        """Let a process do something and kill it at a step; whether it died before it was done."""
        process = self.process(Life(steps, meanwhile))
        try:
            work(process)
        except Killed:
            return True
        finally:
            self.kill(process)
        return False

    def kill(self, process: Context) -> None:
        self.alive.discard(process.controller._claimant._process.boot_id)

    def define(self, *containers: dict[str, Any], family: str = "app", **fields: Any) -> str:
        """Register a definition; containers get an image that runs for ever unless they say otherwise."""
        filled = [{"name": "main", "image": "up", "memory": 16, **c} for c in containers]
        request = decode(RegisterTaskDefinitionRequest, {"family": family, "containerDefinitions": filled, **fields})
        answer = register_task_definition(self.process(), request).task_definition
        assert answer is not None
        return f"{answer.family}:{answer.revision}"

    def tasks(self) -> list[TaskRecord]:
        with self.store.read() as view:
            return view.find(TASKS, order="created_at")

    def containers(self) -> list[Observed]:
        return [found for engine in self.engines.values() for found in engine.containers()]

    def mutations(self) -> int:
        return sum(len(engine.calls_of(*MUTATING)) for engine in self.engines.values())

    def check_safety(self) -> None:
        """What must hold at every moment (FAULTS: S1 to S3 and S9), on hosts that can be reached."""
        records = {last_part(record.arn): record for record in self.tasks()}
        running: dict[tuple[str, str], int] = {}
        reachable = [engine for engine in self.engines.values() if engine.reachable]
        for found in (found for engine in reachable for found in engine.containers()):
            task, container = found.labels[identity.TASK], found.labels[identity.CONTAINER]
            assert task in records, f"container {found.name} has no task"
            if found.is_up:
                running[task, container] = running.get((task, container), 0) + 1
                assert not records[task].is_stopped, f"{found.name} runs for a STOPPED task"
        assert all(count == 1 for count in running.values()), running

    def check_quiet(self) -> None:
        """Everything is where it should be, and one more pass does nothing at all."""
        from ecsctl.operations.reconcile import reconcile

        before, sequence = self.mutations(), self._sequence()
        report = reconcile(self.process())
        assert (self.mutations(), self._sequence()) == (before, sequence), report.lines
        for record in self.tasks():
            assert record.task.last_status in ("RUNNING", "STOPPED"), record
            assert record.claim is None
            assert not [state.name for state in record.containers if state.intent]

    def _sequence(self) -> int:
        with self.store.read() as view:
            return view.sequence

    def close(self) -> None:
        self.store.close()


def world_in(folder: Path, **more: Any) -> AbstractContextManager[World]:
    """A world that is closed at the end."""

    @contextmanager
    def opened() -> Iterator[World]:
        world = World(folder, **more)
        try:
            yield world
        finally:
            world.close()

    return opened()
