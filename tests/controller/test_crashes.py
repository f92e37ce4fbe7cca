"""`kill -9` at every step: the next reconcile finishes or undoes, nothing runs twice, nothing is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecsctl.controller.limits import Limits
from ecsctl.engine.simulated_container import Program
from ecsctl.model import identity
from ecsctl.model.api.clusters import ClusterServiceConnectDefaultsRequest, UpdateClusterRequest
from ecsctl.model.api.tasks import RunTaskRequest, RunTaskResponse, StopTaskRequest
from ecsctl.model.task_launch import AwsVpcConfiguration, NetworkConfiguration
from ecsctl.operations.clusters import update_cluster
from ecsctl.operations.context import Context
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.tasks import run_task, stop_task
from tests.controller.world import Life, World, world_in

POD: tuple[dict[str, Any], ...] = (
    {"name": "first"},
    {"name": "second", "dependsOn": [{"containerName": "first", "condition": "START"}]},
)


def settle(world: World) -> None:
    """Three passes, safe at each."""
    for _ in range(3):
        reconcile(world.process(), timeout=1000)
        world.check_safety()
        world.clock.seconds += 200


def ran(world: World, *containers: dict[str, Any]) -> str:
    definition = world.define(*containers)
    answer = run_task(world.process(), RunTaskRequest(definition))
    assert answer.tasks is not None
    return str(answer.tasks[0].task_arn)


def run_pod(world: World) -> Callable[[Context], object]:
    definition = world.define(*POD)
    return lambda ctx: run_task(ctx, RunTaskRequest(definition))


def run_from_registry(world: World) -> Callable[[Context], object]:
    definition = world.define({"image": "remote"})

    def work(ctx: Context) -> None:
        answer = run_task(ctx, RunTaskRequest(definition), stay=True)
        ctx.controller.converge([str(task.task_arn) for task in answer.tasks or []], Limits())

    return work


SUBNET = NetworkConfiguration(awsvpc_configuration=AwsVpcConfiguration(subnets=["subnet-1"]))


def run_in_subnet(world: World) -> Callable[[Context], object]:
    definition = world.define(*POD, networkMode="awsvpc")
    return lambda ctx: run_task(ctx, RunTaskRequest(definition, network_configuration=SUBNET))


def run_in_namespace(world: World) -> Callable[[Context], object]:
    defaults = ClusterServiceConnectDefaultsRequest("shop")
    update_cluster(world.process(), UpdateClusterRequest("default", service_connect_defaults=defaults))
    return run_in_subnet(world)


def stop_in_subnet(world: World) -> Callable[[Context], object]:
    answer = run_in_subnet(world)(world.process())
    assert isinstance(answer, RunTaskResponse)
    task = str((answer.tasks or [])[0].task_arn)
    return lambda ctx: stop_task(ctx, StopTaskRequest(task))


def stop_pod(world: World) -> Callable[[Context], object]:
    task = ran(world, *POD)
    return lambda ctx: stop_task(ctx, StopTaskRequest(task))


def heal_pod(world: World) -> Callable[[Context], object]:
    ran(world, *POD)
    (engine,) = world.engines.values()
    engine.end(world.containers()[0].id, 3)
    return reconcile


def preempt(world: World) -> Callable[[Context], object]:
    ran(world, {"memory": 6000})
    definition = world.define({"memory": 6000}, family="urgent")
    return lambda ctx: (
        run_task(ctx, RunTaskRequest(definition, preemption_priority=1)),
        reconcile(ctx, timeout=100),
    )


def come_back(world: World) -> Callable[[Context], object]:
    ran(world, {"restartPolicy": {"enabled": True}})
    world.clock.seconds += 400
    (engine,) = world.engines.values()
    engine.end(world.containers()[0].id, 3)
    return reconcile


def run_with_router(world: World) -> Callable[[Context], object]:
    logs = {"logDriver": "awsfirelens", "options": {"Name": "null"}}
    router = {"name": "router", "firelensConfiguration": {"type": "fluentbit"}}
    definition = world.define({"logConfiguration": logs}, router)
    return lambda ctx: run_task(ctx, RunTaskRequest(definition))


def fail_to_start(world: World) -> Callable[[Context], object]:
    definition = world.define({"image": "none/such"}, {"name": "other"})
    return lambda ctx: (
        run_task(ctx, RunTaskRequest(definition), stay=True),
        reconcile(ctx, timeout=100),
    )


SCENARIOS = [
    run_pod,
    run_from_registry,
    run_in_subnet,
    run_in_namespace,
    stop_in_subnet,
    stop_pod,
    heal_pod,
    preempt,
    come_back,
    run_with_router,
    fail_to_start,
]
CONTAINERS = {run_pod: 2, run_from_registry: 1, run_in_subnet: 3, come_back: 1, run_with_router: 2}


def steps_of(folder: Path, scenario: Callable[[World], Callable[[Context], object]]) -> int:
    with world_in(folder) as world:
        work = scenario(world)
        life = Life()
        work(world.process(life))
        return life.taken


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_kill_at_any_step_is_mended(tmp_path: Path, scenario: Callable[[World], Callable[[Context], object]]) -> None:
    for name in ("count", *map(str, range(400))):
        (tmp_path / name).mkdir()
    steps = steps_of(tmp_path / "count", scenario)
    assert 8 < steps < 400
    for step in range(steps):
        with world_in(tmp_path / str(step)) as world:
            work = scenario(world)
            world.dies(step, work)
            world.check_safety()
            settle(world)
            world.check_quiet()
            ended = [record for record in world.tasks() if record.is_stopped]
            if scenario in (stop_pod, stop_in_subnet, heal_pod):
                assert len(ended) == 1 or step < 3
            if scenario is preempt:  # both or neither: who goes, and who comes
                assert len(ended) == len(world.tasks()) - 1
            if scenario in CONTAINERS:
                assert ended == []
                assert len(world.containers()) == len(world.tasks()) * CONTAINERS[scenario]
            if scenario is run_with_router:
                check_router(world)


def check_router(world: World) -> None:
    """The log router began with its configuration, and the others were made when its address was known."""
    (engine,) = world.engines.values()
    made = {call.args[0]: call.args[1] for call in engine.calls_of("create")}
    for found in world.containers():
        if found.labels[identity.CONTAINER] == "router":
            calls = [call.verb for call in engine.calls_of("put_archive", "start") if call.args[0] == found.id]
            assert calls[:2] == ["put_archive", "start"] or calls[:2] == ["put_archive"] * 2
            address = found.addresses[0].ipv4
    for found in world.containers():
        if found.labels[identity.CONTAINER] == "main":
            told = [f"FLUENT_HOST={address}", "FLUENT_PORT=24224", "AWS_EXECUTION_ENV=AWS_ECS_EC2"]
            assert made[found.name]["Env"] == told


@pytest.mark.parametrize("scenario", [run_pod, stop_pod, heal_pod])
def test_a_kill_of_the_one_that_mends_is_mended_too(
    tmp_path: Path, scenario: Callable[[World], Callable[[Context], object]]
) -> None:
    (tmp_path / "count").mkdir()
    steps = steps_of(tmp_path / "count", scenario)
    for first in range(1, steps, 3):
        for second in range(1, 25, 4):
            folder = tmp_path / f"{first}-{second}"
            folder.mkdir()
            with world_in(folder) as world:
                world.dies(first, scenario(world))
                world.dies(second, lambda ctx: reconcile(ctx, timeout=1000))
                world.check_safety()
                settle(world)
                world.check_quiet()


@pytest.mark.parametrize("kind", ["lost_request", "lost_reply", "late"])
@pytest.mark.parametrize("verb", ["create", "start", "stop", "rename", "remove"])
def test_an_answer_that_never_came_is_not_a_failure(tmp_path: Path, kind: Any, verb: str) -> None:
    from ecsctl.engine.simulated_faults import Fault

    with world_in(tmp_path) as world:
        (engine,) = world.engines.values()
        engine.faults.append(Fault(kind, (verb,)))
        task = ran(world, *POD)
        world.check_safety()
        settle(world)
        (record,) = world.tasks()
        assert record.task.last_status == "RUNNING", record.task.stopped_reason
        stop_task(world.process(), StopTaskRequest(task))
        settle(world)
        world.check_quiet()
        (record,) = world.tasks()
        assert (record.is_stopped, record.task.stop_code) == (True, "UserInitiated")
        assert not [found for found in world.containers() if found.is_up]


def test_a_start_that_happens_after_the_stop_hits_nothing(tmp_path: Path) -> None:
    from ecsctl.engine.simulated_faults import Fault

    with world_in(tmp_path) as world:
        (engine,) = world.engines.values()
        engine.faults.append(Fault("late", ("start",), seconds=3000))
        task = ran(world, {"name": "main"})
        stop_task(world.process(), StopTaskRequest(task))
        settle(world)
        assert world.tasks()[0].is_stopped
        world.clock.seconds += 3000
        world.check_safety()


def test_a_create_that_happens_after_the_stop_is_collected(tmp_path: Path) -> None:
    from ecsctl.engine.simulated_faults import Fault

    with world_in(tmp_path) as world:
        (engine,) = world.engines.values()
        engine.faults.append(Fault("late", ("create",), seconds=3000))
        task = ran(world, {"name": "main"})
        stop_task(world.process(), StopTaskRequest(task))
        settle(world)
        world.clock.seconds += 3000
        assert [found.state for found in world.containers()] == ["created"]
        settle(world)
        assert world.containers() == []


def test_a_host_that_lost_power_ends_its_tasks_and_no_others(tmp_path: Path) -> None:
    with world_in(tmp_path, hosts=2) as world:
        definition = world.define(*POD)
        run_task(world.process(), RunTaskRequest(definition, count=6))
        lost = world.engines["host0"]
        lost.lose_power()
        settle(world)
        on_host0 = {found.labels["ecsctl.task"] for found in lost.containers()}
        for record in world.tasks():
            assert record.is_stopped == (record.arn[-32:] in on_host0)
        world.check_quiet()


def test_nothing_is_done_or_concluded_about_a_host_that_does_not_answer(tmp_path: Path) -> None:
    with world_in(tmp_path, hosts=2) as world:
        definition = world.define({"name": "main"})
        run_task(world.process(), RunTaskRequest(definition, count=6))
        silent = world.engines["host0"]
        silent.reachable = False
        before = [record.task for record in world.tasks()]
        for _ in range(5):
            report = reconcile(world.process())
            assert len(report.unreachable) == 1
            world.clock.seconds += 3600
        assert [record.task for record in world.tasks()] == before
        silent.reachable = True
        settle(world)
        assert [record.task for record in world.tasks()] == before


def test_new_tasks_go_to_the_hosts_that_answer(tmp_path: Path) -> None:
    with world_in(tmp_path, hosts=2) as world:
        world.engines["host0"].reachable = False
        definition = world.define({"name": "main"})
        answer = run_task(world.process(), RunTaskRequest(definition, count=5))
        assert len(answer.tasks or []) == 5
        assert answer.failures == []
        assert len(world.engines["host1"].containers()) == 5


def test_a_live_process_is_not_overtaken_and_a_dead_one_is_at_once(tmp_path: Path) -> None:
    with world_in(tmp_path) as world:
        definition = world.define({"name": "main"})
        living = world.process(Life(8))
        with pytest.raises(BaseException):  # noqa: B017, PT011 Killed is what we made up
            run_task(living, RunTaskRequest(definition))
        (record,) = world.tasks()
        assert record.claim is not None
        reconcile(world.process())
        assert world.tasks()[0].task.last_status != "RUNNING"
        world.kill(living)
        reconcile(world.process())
        assert world.tasks()[0].task.last_status == "RUNNING"


def test_an_image_that_the_engine_crash_spoiled_is_made_anew(tmp_path: Path) -> None:
    from ecsctl.engine.simulated_faults import Fault

    with world_in(tmp_path) as world:
        (engine,) = world.engines.values()
        engine.faults.append(
            Fault("refused", ("start",), status=500, message="failed to start shim: mkdir x: file exists")
        )
        ran(world, {"name": "main"})
        assert world.tasks()[0].task.last_status == "RUNNING"
        assert len(world.containers()) == 1


def test_a_stop_that_never_answers_ends_with_a_removal(tmp_path: Path) -> None:
    from ecsctl.engine.simulated_faults import Fault

    with world_in(tmp_path, stubborn=Program(ignores_term=True)) as world:
        task = ran(world, {"image": "stubborn"})
        (engine,) = world.engines.values()
        engine.faults.append(Fault("lost_request", ("stop",), times=None))
        stop_task(world.process(), StopTaskRequest(task))
        for _ in range(6):
            settle(world)
        assert world.tasks()[0].is_stopped
        assert world.containers() == []
