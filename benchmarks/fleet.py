"""A pass over a large simulated fleet, where each call takes as long as over a network."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from benchmarks.measuring import Figure
from ecsctl.controller.controller import Controller
from ecsctl.engine.simulated import SimulatedEngine
from ecsctl.model import identity
from ecsctl.model.api.services import CreateServiceRequest
from ecsctl.model.arn import Scope, last_part
from ecsctl.model.observed import Observed
from ecsctl.model.record import evolve
from ecsctl.model.stored import InstanceRecord, ServiceRecord, TaskRecord
from ecsctl.operations.context import Context
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.services import create_service
from ecsctl.placement.host import ZONE
from ecsctl.store.store import Transaction
from ecsctl.store.tables import INSTANCES, SERVICES, TASKS
from tests.controller.world import World

HOSTS, TASKS_EACH = 1_000, 20
CALL_SECONDS = 0.010
PASS_MS = 5_000.0


class Far:
    """An engine whose every call takes a while. What it lists stays the same, and costs it nothing."""

    def __init__(self, engine: SimulatedEngine) -> None:
        self._engine = engine
        self._listed = engine.list(None)

    def list(self, *_: Any, **__: Any) -> list[Observed]:
        time.sleep(CALL_SECONDS)
        return self._listed

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._engine, name)

        def call(*arguments: Any, **more: Any) -> Any:
            time.sleep(CALL_SECONDS)
            return method(*arguments, **more)

        return call


def measure(folder: Path, samples: int) -> Iterator[Figure]:
    """A quiet pass over all of it."""
    folder.mkdir()
    world = World(folder, hosts=HOSTS)
    try:
        fill(world)
        times = []
        far: dict[str, Any] = {name: Far(engine) for name, engine in world.engines.items()}
        for _ in range(samples):
            controller = Controller(world.store, far.__getitem__, world.clock)
            context = Context(world.store, Scope(), controller, lambda _: None, print)
            begin = time.perf_counter()
            report = reconcile(context)
            times.append((time.perf_counter() - begin) * 1000)
            if report.lines or report.errors or report.unreachable:
                raise SystemExit(f"the pass was not quiet: {report.lines[:3]}")
    finally:
        world.close()
    what = f"a pass over {HOSTS} hosts x {TASKS_EACH} tasks, {CALL_SECONDS * 1000:.0f} ms a call"
    yield Figure(what, median(times), 0.0, is_ratio=False, limit=PASS_MS)


def fill(world: World) -> None:
    """As many services as tasks on each host, every one with a task on each. They are copies of one that came about as
    any other: to start them all takes minutes."""
    definition = world.define({"memory": 16})
    create_service(world.process(), CreateServiceRequest("service0", task_definition=definition, desired_count=1))
    for _ in range(3):
        reconcile(world.process(), timeout=1000)
        world.clock.seconds += 60
    (task,) = world.tasks()
    home = next(engine for engine in world.engines.values() if engine.containers())
    (container,) = home.containers()
    (body,) = [call.args[1] for call in home.calls_of("create")]
    home.remove(container.id)
    with world.store.write() as tx:
        (service,) = tx.find(SERVICES)
        tx.delete(TASKS, arn=task.arn)
        services = [_service(tx, service, f"service{number}") for number in range(TASKS_EACH)]
        for instance in tx.find(INSTANCES):
            engine = world.engines[instance.name]
            for other in services:
                _task(tx, engine, body, task, other, instance, f"{world.random.getrandbits(128):032x}")
    for _ in range(2):
        reconcile(world.process(), timeout=1000)
        world.clock.seconds += 60
    for engine in world.engines.values():
        engine.calls.clear()


def _service(tx: Transaction, record: ServiceRecord, name: str) -> ServiceRecord:
    arn = record.arn.replace("service0", name)
    copy = evolve(record, service=evolve(record.service, service_arn=arn, service_name=name, desired_count=HOSTS))
    tx.put(SERVICES, copy)
    return copy


def _task(
    tx: Transaction,
    engine: SimulatedEngine,
    body: Any,
    task: TaskRecord,
    service: ServiceRecord,
    instance: InstanceRecord,
    new: str,
) -> None:
    old = last_part(task.arn)
    (state,) = task.containers
    name = state.engine_name.replace(old, new)
    engine_id = engine.create(name, {**body, "Labels": {**body["Labels"], identity.TASK: new}})
    engine.start(engine_id)
    text = msgspec.json.encode(task).decode().replace(old, new).replace("service0", str(service.service.service_name))
    copy = msgspec.json.decode(text.replace(str(state.engine_id), engine_id), type=TaskRecord)
    copy.task.container_instance_arn = instance.arn
    copy.task.availability_zone = next(a.value for a in instance.instance.attributes or [] if a.name == ZONE)
    tx.put(TASKS, copy)
