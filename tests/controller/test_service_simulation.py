"""Random lives of a service on a small fleet: releases good and bad, crashes, illness, drains, silent hosts, killed
controllers; the limits hold all the way, and in the end there is what was asked.

A failure prints its seed and the steps; run one with `pytest tests/controller/test_service_simulation.py --seed N`.
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ecsctl.controller.limits import Limits
from ecsctl.model import identity
from ecsctl.model.api.attributes import PutAttributesRequest
from ecsctl.model.api.task_protection import UpdateTaskProtectionRequest
from ecsctl.model.arn import last_part
from ecsctl.model.common import Attribute
from ecsctl.model.deployment_configuration import DeploymentCircuitBreaker, DeploymentConfiguration
from ecsctl.model.loss import CONTACTS, GRACE
from ecsctl.model.record import evolve
from ecsctl.model.stored import TaskRecord
from ecsctl.model.task_launch import PlacementStrategy
from ecsctl.operations.attributes import put_attributes
from ecsctl.operations.fence import fence_host
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.task_protection import update_task_protection
from ecsctl.scheduler.deployments import last_good
from ecsctl.scheduler.rollout import limits
from ecsctl.store.tables import INSTANCES, SERVICES
from tests.controller.test_services import (
    CHECKED,
    IMAGES,
    create,
    goes_on,
    live,
    running_of,
    said,
    shown,
    update,
)
from tests.controller.world import World, world_in

NEVER = "never-double-run"
SEEDS = 80
STEPS = 30
WHERE: tuple[dict[str, Any], ...] = (
    {},
    {},
    {},
    {"priority": "cost"},
    {"priority": "balanced"},
    {"placement_strategy": [PlacementStrategy(type="binpack", field="memory")]},
    {"placement_strategy": [PlacementStrategy(type="random")]},
)
PERCENTS = ((100, 200), (50, 100), (50, 150), (0, 100), (100, 150))


class Story:
    """A life of a service, drawn from a seed. Which of the actions there are is drawn too: a mixture of all misses
    what only some of them bring out."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = random.Random(seed)  # noqa: S311 the same life each time
        self.kind = self.random.choice(("ROLLING", "ROLLING", "BLUE_GREEN", "DAEMON"))
        self.told: list[str] = [self.kind]
        self.images: dict[str, str] = {}  # of each definition
        self.actions = [self.watched_pass] * 4 + [
            self.scale,
            self.deploy,
            self.deploy,
            self.vanish,
            self.end,
            self.wait,
        ]
        for action in (self.sicken, self.drain, self.silence, self.protect, self.percents, self.force, self.die):
            self.actions += [action] * self.random.choice((0, 0, 1))
        low, high = self.drawn_percents()
        configuration = DeploymentConfiguration(
            minimum_healthy_percent=low,
            maximum_percent=high,
            deployment_circuit_breaker=DeploymentCircuitBreaker(
                enable=self.random.random() < 0.7, rollback=self.random.random() < 0.8
            ),
        )
        # Of its own chance, so that the other lives stay what they were.
        apart = random.Random(f"policy {seed}")  # noqa: S311 the same life each time
        self.policy = apart.choice((None, None, "ecs", NEVER, NEVER) if self.kind != "BLUE_GREEN" else (None, "ecs"))
        self.told.append(f"loss policy {self.policy}")
        if self.policy == NEVER:
            self.actions += [self.silence, self.cut, self.fence]
            self.lose_hosts_soon()
        more: dict[str, Any] = {"desired": self.random.randrange(6)}
        if self.kind == "BLUE_GREEN":
            bake = self.random.choice((0, 1))
            configuration = evolve(configuration, strategy="BLUE_GREEN", bake_time_in_minutes=bake)
        elif self.kind == "DAEMON":
            more = {"desired": None, "scheduling_strategy": "DAEMON"}
        where: dict[str, Any] = self.random.choice(WHERE) if self.kind != "DAEMON" else {}
        self.told.append(str(where))
        self.may_be_balanced = not where and self.policy != NEVER
        self.there = 0
        more |= {"loss_policy": self.policy} if self.policy else {}
        create(world, self.definition("sound"), deployment_configuration=configuration, **more, **where)

    def lose_hosts_soon(self) -> None:
        """A second of silence is enough, so that there is much to do wrong."""
        with self.world.store.read() as view:
            arns = [instance.arn for instance in view.find(INSTANCES)]
        values = {GRACE: "1", CONTACTS: "1"}
        stated = [Attribute(name=name, value=value, target_id=arn) for arn in arns for name, value in values.items()]
        put_attributes(self.world.process(), PutAttributesRequest(stated))

    def definition(self, image: str) -> str:
        more = {"memory": 1 << 20} if image == "huge" else CHECKED if image in ("sound", "sickly", "slow") else {}
        made = self.world.define({"image": image, **more})
        self.images[made] = image
        return made

    def drawn_percents(self) -> tuple[int, int]:
        if self.kind == "DAEMON":
            return self.random.choice((0, 50)), 100
        return self.random.choice(PERCENTS)

    def step(self) -> None:
        action = self.random.choice(self.actions)
        self.told.append(action.__name__)
        action()
        if self.policy == NEVER:
            self.check_never_twice()

    def check_never_twice(self) -> None:
        """At no moment do more tasks run than are desired, on hosts that answer or not (FAULTS: S8)."""
        unfinished = {last_part(task.arn) for task in self.unfinished()}
        running = {found.labels[identity.TASK] for found in self.world.containers() if found.is_up}
        assert running <= unfinished, "something runs for a task that is said to be STOPPED"
        if self.kind != "DAEMON":  # of which each has a host of its own
            assert len(unfinished) <= max(shown(self.world).desired_count or 0, self.there), said(self.world)
        self.there = len(unfinished)

    # What may happen

    def scale(self) -> None:
        if self.kind != "DAEMON":
            update(self.world, desired_count=self.random.randrange(8))

    def deploy(self) -> None:
        image = self.random.choice(("sound", "sound", "up", "crashes", "broken", "sickly", "slow", "huge"))
        self.told[-1] += f" {image}"
        update(self.world, task_definition=self.definition(image))

    def force(self) -> None:
        update(self.world, force_new_deployment=True)

    def percents(self) -> None:
        low, high = self.drawn_percents()
        given = DeploymentConfiguration(minimum_healthy_percent=low, maximum_percent=high)
        can = high > 100 and self.may_be_balanced
        balanced = self.random.choice(("ENABLED", "DISABLED")) if can else "DISABLED"
        update(self.world, deployment_configuration=given, availability_zone_rebalancing=balanced)

    def vanish(self) -> None:
        if found := self.container():
            found[0].remove(found[1])

    def end(self) -> None:
        if found := self.container():
            found[0].end(found[1], 1)

    def sicken(self) -> None:
        checked = {state.engine_id for t in live(self.world) for state in t.containers if state.health}
        found = self.up() if self.random.random() < 0.3 else filter(None, [self.container()])
        for engine, container in found:
            if container in checked:
                engine.set_health(container, "unhealthy")

    def container(self) -> tuple[Any, str] | None:
        """One that is up, on a host that answers."""
        up = self.up()
        return self.random.choice(up) if up else None

    def up(self) -> list[tuple[Any, str]]:
        engines = [engine for engine in self.world.engines.values() if engine.reachable]
        return [(engine, found.id) for engine in engines for found in engine.containers() if found.is_up]

    def drain(self) -> None:
        """A host drains, or is back; one of them always takes tasks."""
        with self.world.store.write() as tx:
            record = self.random.choice(tx.find(INSTANCES)[1:])
            status = "DRAINING" if record.instance.status == "ACTIVE" else "ACTIVE"
            tx.put(INSTANCES, evolve(record, instance=evolve(record.instance, status=status), seq=tx.seq))

    def silence(self) -> None:
        engine = self.world.engines["host1"]
        engine.reachable = not engine.reachable
        if engine.reachable:
            reconcile(self.world.process(), timeout=1000)  # before which what was replaced still runs

    def cut(self) -> None:
        """A silent host has had a power cut."""
        if not self.world.engines["host1"].reachable:
            self.world.engines["host1"].lose_power()

    def fence(self) -> None:
        """Somebody finds a silent host without power, and says so."""
        if not self.world.engines["host1"].reachable:
            self.world.engines["host1"].lose_power()
            fence_host(self.world.process(), "host1", "ann")

    def protect(self) -> None:
        if tasks := live(self.world):
            task = self.random.choice(tasks).arn
            update_task_protection(self.world.process(), UpdateTaskProtectionRequest("default", [task], True, 3))

    def wait(self) -> None:
        self.world.clock.seconds += self.random.choice((1, 10, 45, 200))

    def die(self) -> None:
        self.world.dies(self.random.randrange(40), lambda ctx: reconcile(ctx, timeout=1000))

    def watched_pass(self) -> None:
        """A look first, so that what died is known; then the scheduler alone must keep the limits."""
        self.world.clock.seconds += 1
        controller = self.world.process().controller
        with self.world.store.read() as view:
            known = [task.arn for task in view.unfinished()]
        controller.converge(known, Limits(wait=False))
        before, there_before, poor = self.healthy(), len(self.unfinished()), self.poor()
        moment = self.world.clock.seconds
        silent = reconcile(self.world.process(), timeout=1000).unreachable
        if silent or not all(engine.reachable for engine in self.world.engines.values()):
            return  # what went with a host is nobody's choice; what one cut call put off, the next pass does
        changes = self.world.mutations()
        lines = reconcile(self.world.process(), timeout=1000).lines
        # Where a stop was waited for, what had been started before may have died meanwhile.
        waited = self.world.clock.seconds - moment
        assert waited > 1 or self.world.mutations() == changes, f"more was done in the same moment: {lines}"
        lower, upper = self.limits()
        if self.kind == "BLUE_GREEN":
            upper += poor  # which are replaced before they go
            upper += sum(task.is_protected(self.world.clock.now()) for task in live(self.world))  # which may stay
        there = len(self.unfinished())
        assert there <= max(upper, there_before), f"{there} tasks, and {upper} may be"
        assert self.healthy() >= min(before, lower), f"{self.healthy()} healthy of {before}, and {lower} must be"
        if self.kind == "DAEMON":
            wanted = Counter(task.task.container_instance_arn for task in live(self.world))
            assert set(wanted.values()) <= {1}, "two daemons that are to stay on a host"

    def limits(self) -> tuple[int, int]:
        service = shown(self.world)
        desired = service.desired_count or 0
        if self.kind == "BLUE_GREEN":  # all of one colour stay, and all of the other come
            return min(desired, limits(desired, service.deployment_configuration, "REPLICA")[0]), 2 * desired
        kind = "DAEMON" if self.kind == "DAEMON" else "REPLICA"
        lower, upper = limits(desired, service.deployment_configuration, kind)
        return (min(lower, max(0, desired - 1)), min(upper, desired)) if self.policy == NEVER else (lower, upper)

    def poor(self) -> int:
        """How many are ill, or on a host that drains."""
        open_hosts = self.open_hosts()
        return sum(
            task.task.health_status == "UNHEALTHY" or task.task.container_instance_arn not in open_hosts
            for task in self.unfinished()
        )

    def open_hosts(self) -> list[str]:
        with self.world.store.read() as view:
            return [i.arn for i in view.find(INSTANCES) if i.instance.status == "ACTIVE"]

    def unfinished(self) -> list[TaskRecord]:
        return [task for task in self.world.tasks() if not task.is_stopped]

    def healthy(self) -> int:
        running = [task for task in live(self.world) if task.settled and task.task.last_status == "RUNNING"]
        if self.kind == "DAEMON":  # which goes with its host: no other can take its place
            open_hosts = self.open_hosts()
            running = [task for task in running if task.task.container_instance_arn in open_hosts]
        if self.kind == "BLUE_GREEN":  # what was superseded before it was reached serves nobody
            with self.world.store.read() as view:
                (record,) = view.find(SERVICES)
            serving = {d.id for d in record.deployments if d.completed or d.status == "PRIMARY"}
            running = [task for task in running if task.task.started_by in serving]
        return len([task for task in running if task.task.health_status != "UNHEALTHY"])

    def recovers(self) -> None:
        """When it is left alone, as many are healthy as must be, also while the last release does not get on."""
        with self.world.store.read() as view:
            (record,) = view.find(SERVICES)
        asked = self.images[record.definition]
        # One that was completed while no task was asked for may be as bad.
        good = last_good(record) or record.primary
        # While the newest neither gets on nor fails, what was there before keeps the tasks that it had.
        kept = self.limits()[0] if asked not in ("slow", "huge") or good.keeps is None else good.keeps
        is_sound = self.images[good.task_definition_arn.rpartition("/")[2]] in ("sound", "up")
        if good.completed and is_sound:
            goes_on(self.world, 400, step=20)
            assert self.healthy() >= min(kept, self.limits()[0]), said(self.world)

    # The end

    def settle(self) -> None:
        """Afterwards what was asked gets there, and stays; a sound release if that was not."""
        self.told.append("settle")
        for engine in self.world.engines.values():
            engine.reachable = True
        self.recovers()
        reconcile(self.world.process(), timeout=1000)  # what ended last may be what fails the deployment
        more: dict[str, Any] = {"desired_count": 3}
        if self.kind == "DAEMON":  # of one host that takes any, half rounded up is all
            more = {"deployment_configuration": DeploymentConfiguration(minimum_healthy_percent=0)}
        service = shown(self.world)
        asked = self.images[str(service.task_definition).rpartition("/")[2]]
        newest = (service.deployments or [])[0]
        # A few failures are too many once less is asked for.
        if asked not in ("sound", "up") or newest.rollout_state == "FAILED" or newest.failed_tasks:
            self.told[-1] += " sound"
            more["task_definition"] = self.definition("sound")
        update(self.world, **more)
        if self.kind != "DAEMON" and self.random.random() < 0.3:
            update(self.world, desired_count=2)
        goes_on(self.world, 600, step=20)
        service = shown(self.world)
        if self.kind == "DAEMON":
            hosts = sorted(str(task.task.container_instance_arn) for task in live(self.world))
            assert hosts == sorted(self.open_hosts())
        assert service.running_count == service.desired_count == len(self.unfinished()), said(self.world)
        assert [d.rollout_state for d in service.deployments or []] == ["COMPLETED"], said(self.world)
        assert len(set(running_of(self.world))) == 1
        if service.availability_zone_rebalancing == "ENABLED":
            there = Counter(task.task.container_instance_arn for task in live(self.world))
            counts = [there[arn] for arn in self.open_hosts()]  # each host is a zone
            assert max(counts) - min(counts) <= 1, said(self.world)
        self.world.check_quiet()


@pytest.mark.parametrize("block", range(8))
def test_whatever_happens_the_limits_hold_and_it_gets_there(
    tmp_path: Path, block: int, request: pytest.FixtureRequest
) -> None:
    only = request.config.getoption("--seed")
    for seed in range(block, SEEDS, 8) if only is None else [only]:
        folder = tmp_path / str(seed)
        folder.mkdir()
        with world_in(folder, hosts=3, **IMAGES) as world:
            story = Story(world, seed)
            try:
                for _ in range(STEPS):
                    story.step()
                    world.check_safety()
                story.settle()
            except BaseException:
                print(f"seed {seed}:", *story.told, sep="\n")
                raise
