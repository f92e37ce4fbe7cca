"""Images in a small world: pulled as the agent does it, one for a whole deployment, removed when nobody needs them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ecsctl.engine.simulated import SimulatedEngine
from ecsctl.engine.simulated_container import Program
from ecsctl.engine.simulated_faults import Fault, Pullable
from ecsctl.engine.simulated_images import registry_digest
from ecsctl.model.api.services import CreateServiceRequest, DeleteServiceRequest
from ecsctl.model.api.tasks import RunTaskRequest, StopTaskRequest
from ecsctl.model.image import ImagePolicy
from ecsctl.model.record import evolve
from ecsctl.model.stored import TaskRecord
from ecsctl.operations.context import Context
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.services import create_service, delete_service
from ecsctl.operations.tasks import run_task, stop_task
from ecsctl.store.tables import IMAGES
from tests.controller.world import World, world_in

ONE, TWO = Pullable(Program(), content="one"), Pullable(Program(), content="two")
CLEAN = ImagePolicy(cleanup=True)


def by(world: World, policy: ImagePolicy) -> Context:
    """A process that goes by a policy."""
    process = world.process()
    process.controller.images = policy
    return process


def offer(world: World, name: str, content: Pullable) -> None:
    for engine in world.engines.values():
        if before := engine.registry.get(name):
            engine.registry[f"{name.partition(':')[0]}@{registry_digest(name, before)}"] = before
        engine.registry[name] = content


def ran(world: World, policy: ImagePolicy, definition: str = "app") -> TaskRecord:
    """A task that was brought as far as it gets."""
    process = by(world, policy)
    run_task(process, RunTaskRequest(definition))
    reconcile(process)
    return world.tasks()[-1]


def digest(record: TaskRecord) -> str | None:
    return (record.task.containers or [])[0].image_digest


@pytest.mark.parametrize(
    ("behavior", "seen", "when_down"),
    [
        ("prefer-cached", "one", "RUNNING"),
        ("once", "one", "RUNNING"),
        ("default", "two", "RUNNING"),
        ("always", "two", "STOPPED"),
    ],
)
def test_whether_a_moved_tag_is_seen_and_what_a_silent_registry_means(
    tmp_path: Path, behavior: Any, seen: str, when_down: str
) -> None:
    policy = ImagePolicy(behavior)
    with world_in(tmp_path) as world:
        world.define({"image": "app:1"})
        offer(world, "app:1", ONE)
        assert digest(ran(world, policy)) == registry_digest("app:1", ONE)
        offer(world, "app:1", TWO)
        assert digest(ran(world, policy)) == registry_digest("app:1", TWO if seen == "two" else ONE)
        for engine in world.engines.values():
            engine.registry["app:1"] = Pullable(error="the registry is down")
        record = ran(world, policy)
        assert record.task.last_status == when_down
        if when_down == "STOPPED":
            assert record.task.stopped_reason == "CannotPullContainerError: the registry is down"


@pytest.mark.parametrize("behavior", ["default", "always", "once", "prefer-cached"])
def test_an_image_that_is_nowhere_stops_its_task_with_the_words_of_the_registry(tmp_path: Path, behavior: Any) -> None:
    with world_in(tmp_path) as world:
        world.define({"image": "app:1"})
        offer(world, "app:1", Pullable(error="the registry is down"))
        record = ran(world, ImagePolicy(behavior))
        assert record.task.stopped_reason == "CannotPullContainerError: the registry is down"
        world.check_quiet()


def test_once_means_pulled_once_by_us_and_not_merely_there(tmp_path: Path) -> None:
    with world_in(tmp_path) as world:
        for engine in world.engines.values():
            engine.registry["up:latest"] = ONE
        world.define({"name": "main"})
        ran(world, ImagePolicy("once"))
        ran(world, ImagePolicy("once"))
        assert len(world.engines["host0"].calls_of("pull")) == 1


def test_two_tasks_that_begin_together_and_find_different_images_do_not_both_start(tmp_path: Path) -> None:
    with world_in(tmp_path, hosts=2) as world:
        world.define({"image": "app:1"})
        offer(world, "app:1", ONE)
        world.engines["host1"].pull("app:1")
        offer(world, "app:1", TWO)
        process = by(world, ImagePolicy())
        create_service(process, CreateServiceRequest("web", task_definition="app", desired_count=2))
        reconcile(process)
        digests = {digest(record) for record in world.tasks()}
        assert len(digests) == 1
        assert digests <= {registry_digest("app:1", content) for content in (ONE, TWO)}
        assert all(record.task.last_status == "RUNNING" for record in world.tasks())
        assert len({found.image_id for found in world.containers()}) == 1
        world.check_quiet()


def test_a_kill_at_any_step_leaves_a_deployment_with_one_image(tmp_path: Path) -> None:
    for steps in range(0, 60, 3):
        folder = tmp_path / str(steps)
        folder.mkdir()
        with world_in(folder, hosts=2) as world:
            world.define({"image": "app:1"})
            offer(world, "app:1", ONE)
            world.engines["host1"].pull("app:1")
            offer(world, "app:1", TWO)
            create_service(world.process(), CreateServiceRequest("web", task_definition="app", desired_count=2))
            world.dies(steps, reconcile)
            for _ in range(3):
                reconcile(world.process())
            assert len({found.image_id for found in world.containers() if found.is_up}) == 1, steps
            world.check_quiet()


def test_what_was_asked_on_the_command_line_holds_for_whoever_goes_on(tmp_path: Path) -> None:
    with world_in(tmp_path) as world:
        world.define({"image": "public.example/none:1"})
        asked = evolve(world.process(), image_map={"public.example/*": "up"})
        world.engines["host0"].faults.append(Fault("lost_request", ("create",)))
        run_task(asked, RunTaskRequest("app"))
        assert world.tasks()[0].task.last_status == "PENDING"
        create_service(asked, CreateServiceRequest("web", task_definition="app", desired_count=1))
        reconcile(world.process())
        assert [record.task.last_status for record in world.tasks()] == ["RUNNING", "RUNNING"]
        assert {str((r.task.containers or [])[0].image) for r in world.tasks()} == {"public.example/none:1"}


def test_a_task_that_found_another_image_can_be_stopped_before_it_begins(tmp_path: Path) -> None:
    with world_in(tmp_path, hosts=2) as world:
        world.define(
            {"image": "app:1"}, {"name": "late", "dependsOn": [{"containerName": "main", "condition": "START"}]}
        )
        offer(world, "app:1", ONE)
        world.engines["host1"].pull("app:1")
        offer(world, "app:1", TWO)
        create_service(world.process(), CreateServiceRequest("web", task_definition="app", desired_count=2))
        for engine in world.engines.values():
            engine.faults.append(Fault("lost_reply", ("create",)))
        reconcile(world.process())
        for record in world.tasks():
            stop_task(world.process(), StopTaskRequest(record.arn))
        delete_service(world.process(), DeleteServiceRequest("web", force=True))
        for _ in range(3):
            reconcile(world.process())
        assert {record.task.last_status for record in world.tasks()} == {"STOPPED"}


def known(world: World) -> list[str]:
    with world.store.read() as view:
        return sorted(name for one in view.find(IMAGES) for name in one.names)


def forget_containers(world: World) -> None:
    engine = world.engines["host0"]
    for found in engine.containers():
        if not found.is_up:
            engine.remove(found.id)


def test_an_image_is_removed_an_hour_after_it_came_when_nothing_needs_it(tmp_path: Path) -> None:
    with world_in(tmp_path, once=Program(exits_after=0)) as world:
        engine: SimulatedEngine = world.engines["host0"]
        engine.registry["app:1"] = Pullable(Program(exits_after=0))
        world.define({"image": "app:1"})
        ran(world, CLEAN)
        reconcile(by(world, CLEAN))
        forget_containers(world)
        world.clock.seconds += timedelta(minutes=59).total_seconds()
        before = len(engine.calls)
        assert not reconcile(by(world, CLEAN)).changed
        assert [call.verb for call in engine.calls[before:]] == ["list"]
        world.clock.seconds += 60
        assert [line.partition(":")[0] for line in reconcile(by(world, CLEAN), dry_run=True).lines] == [
            "remove image app"
        ]
        assert engine.image("app:1") is not None
        reconcile(by(world, CLEAN))
        assert engine.image("app:1") is None
        assert known(world) == []
        assert engine.image("up") is not None
        world.check_quiet()


def test_what_is_in_use_or_needed_or_not_ours_stays_and_is_not_looked_at_again_before_half_an_hour(
    tmp_path: Path,
) -> None:
    with world_in(tmp_path) as world:
        engine = world.engines["host0"]
        for name in ("used:1", "service:1", "foreign:1"):
            engine.registry[name] = Pullable(Program(exits_after=None if name == "used:1" else 0), content=name)
        engine.pull("foreign:1")
        always = ImagePolicy("always")
        for name in ("used", "service", "foreign"):
            world.define({"image": f"{name}:1"}, family=name)
            ran(world, always, name)
        reconcile(by(world, always))
        create_service(world.process(), CreateServiceRequest("web", task_definition="service", desired_count=0))
        reconcile(by(world, always))
        forget_containers(world)
        world.clock.seconds += 3600
        reconcile(by(world, always))
        assert {name for name in ("used:1", "service:1", "foreign:1") if engine.image(name)} == {
            "used:1",
            "service:1",
            "foreign:1",
        }
        looks = len(engine.calls_of("list_images"))
        world.clock.seconds += 1799
        reconcile(by(world, always))
        assert len(engine.calls_of("list_images")) == looks
        world.clock.seconds += 1
        reconcile(by(world, always))
        assert len(engine.calls_of("list_images")) == looks + 1


def test_with_cached_images_preferred_none_is_removed_unless_asked(tmp_path: Path) -> None:
    assert not ImagePolicy().cleans_up
    assert ImagePolicy("default").cleans_up
    assert ImagePolicy("prefer-cached", cleanup=True).cleans_up
    assert not ImagePolicy("default", cleanup=False).cleans_up


def test_at_most_five_are_removed_at_once_the_least_recently_used_first(tmp_path: Path) -> None:
    with world_in(tmp_path) as world:
        engine = world.engines["host0"]
        for n in range(7):
            engine.registry[f"app:{n}"] = Pullable(Program(exits_after=0), content=str(n))
            world.define({"image": f"app:{n}"}, family=f"app{n}")
            ran(world, CLEAN, f"app{n}")
            reconcile(by(world, CLEAN))
            world.clock.seconds += 10
        ran(world, CLEAN, "app0")
        reconcile(by(world, CLEAN))
        forget_containers(world)
        world.clock.seconds += 3600
        reconcile(by(world, CLEAN))
        assert [n for n in range(7) if engine.image(f"app:{n}")] == [0, 6]
