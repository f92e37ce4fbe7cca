"""Schedules over simulated hosts: reconcile runs what is due, once, whoever is killed, and whoever looks too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecsctl.engine.simulated_container import Program
from ecsctl.model.api.clusters import CreateClusterRequest, DeleteClusterRequest
from ecsctl.model.api.task_definitions import DeregisterTaskDefinitionRequest
from ecsctl.model.errors import ApiError, InputError
from ecsctl.model.record import decode
from ecsctl.model.schedule import LastRun, Schedule, ScheduleTaskRequest, UnscheduleTaskRequest
from ecsctl.operations.clusters import create_cluster, delete_cluster
from ecsctl.operations.journal import journal
from ecsctl.operations.reconcile import Report, reconcile
from ecsctl.operations.schedules import Scheduled, schedule_task, scheduled_tasks, unschedule_task
from ecsctl.operations.task_definitions import deregister_task_definition
from ecsctl.store.schedule_table import SCHEDULES
from tests.controller.test_watch import until, watching
from tests.controller.world import Life, World, world_in

PROGRAMS = {"once": Program(exits_after=5.0), "fails": Program(exits_after=5.0, exit_code=3)}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_in(tmp_path, **PROGRAMS) as made:
        yield made


def plan(world: World, expression: str = "rate(10 minutes)", definition: str = "app", **more: Any) -> Scheduled:
    asked = {"name": "job", "scheduleExpression": expression, "taskDefinition": definition, **more}
    return schedule_task(world.process(), decode(ScheduleTaskRequest, asked))


def shown(world: World) -> Schedule:
    (schedule,) = scheduled_tasks(world.process()).schedules
    return schedule


def last(world: World) -> LastRun:
    run = shown(world).last_run
    assert run is not None
    return run


def about(report: Report) -> list[str]:
    return [line for line in report.lines if line.startswith("schedule ")]


def journal_of(world: World) -> list[tuple[str, str]]:
    (entries,) = journal(world.process())
    return [(entry.kind, entry.message) for entry in entries if entry.resource == "schedule"]


def test_what_is_due_runs_and_comes_again(world: World) -> None:
    world.define({"image": "once"})
    assert plan(world, tags=[{"key": "k", "value": "v"}]).comes == "now"
    for number in (1, 2, 3):
        report = reconcile(world.process(), timeout=1000)
        assert about(report)[0].startswith("schedule job: start a task of app:1: due at 2025-12-29T")
        assert len(world.tasks()) == number
        world.clock.seconds += 60
        assert about(reconcile(world.process(), timeout=1000)) == []
        assert (last(world).outcome, last(world).task_arns) == ("SUCCEEDED", [world.tasks()[-1].arn])
        world.check_quiet()
        world.clock.seconds += 540
    task = world.tasks()[0].task
    assert (task.started_by, task.group) == ("schedule/job", "family:app")


def test_a_failure_is_shown_as_one(world: World) -> None:
    world.define({"image": "fails"})
    plan(world, count=2)
    reconcile(world.process(), timeout=0)
    assert last(world).outcome == "RUNNING"
    world.clock.seconds += 60
    assert last(world).outcome == "FAILED"
    assert str(last(world).reason).count("container main exited with 3: Essential container in task exited") == 2


def test_what_the_history_has_forgotten_is_not_known(world: World) -> None:
    world.define({"image": "once"})
    plan(world, "at(2025-12-29T00:00:00)")
    for _ in range(4):
        reconcile(world.process(), timeout=1000)
        world.clock.seconds += 8 * 86400
    assert (last(world).outcome, last(world).reason) == ("UNKNOWN", "its tasks are older than the history")


def test_a_dry_run_says_what_would_start_and_does_nothing(world: World) -> None:
    world.define({})
    plan(world)
    report = reconcile(world.process(), dry_run=True)
    assert about(report) == ["schedule job: start a task of app:1: due at 2025-12-29T09:20:00Z"]
    assert report.changed
    assert (world.tasks(), shown(world).last_run) == ([], None)


@pytest.mark.parametrize("steps", range(40))
def test_killed_at_any_step_a_run_is_neither_lost_nor_done_twice(tmp_path: Path, steps: int) -> None:
    with world_in(tmp_path, **PROGRAMS) as world:
        world.define({})
        plan(world, count=2)
        died = world.dies(steps, lambda ctx: reconcile(ctx, timeout=1000))
        assert died or steps > 12
        assert len(world.tasks()) in (0, 2)
        world.check_safety()
        for _ in range(3):
            world.clock.seconds += 30
            reconcile(world.process(), timeout=1000)
        assert len(world.tasks()) == 2
        assert {task.task.last_status for task in world.tasks()} == {"RUNNING"}
        world.check_safety()
        world.check_quiet()


def test_two_at_once_run_it_once(world: World) -> None:
    world.define({})
    plan(world)
    others: list[Report] = []

    def meanwhile() -> None:
        if len(others) < 3:
            others.append(Report([], False, [], [], [], []))  # before it calls an engine itself
            others[-1] = reconcile(world.process(), timeout=1000)

    reconcile(world.process(Life(meanwhile=meanwhile)), timeout=1000)
    assert any(about(report) for report in others)
    assert len(world.tasks()) == 1


def test_two_that_have_both_found_it_due_run_it_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one is through between this one's look and its transaction."""
    world.define({})
    plan(world)
    process = world.process()
    store: Any = process.store
    write, entered = store.write, list[bool]()

    def slow_write() -> Any:
        if not entered:
            entered.append(True)
            reconcile(world.process(), timeout=1000)
        return write()

    monkeypatch.setattr(store, "write", slow_write)
    assert about(reconcile(process, timeout=1000)) == []
    assert len(world.tasks()) == 1


def test_missed_runs_by_policy(world: World) -> None:
    world.define({"image": "once"})
    plan(world, missed="skip")
    reconcile(world.process(), timeout=1000)
    world.clock.seconds += 3600 + 300
    assert "were missed" in about(reconcile(world.process(), timeout=1000))[0]
    assert (len(world.tasks()), last(world).outcome) == (1, "MISSED")
    plan(world, missed="run-once")
    world.clock.seconds += 3600
    reconcile(world.process(), timeout=1000)
    reconcile(world.process(), timeout=1000)
    assert len(world.tasks()) == 2
    assert [kind for kind, _ in journal_of(world)] == [
        "ScheduleCreated",
        "ScheduledTaskStarted",
        "ScheduledTaskMissed",
        "ScheduleReplaced",
        "ScheduledTaskMissed",
        "ScheduledTaskStarted",
    ]


def test_overlapping_runs_by_choice(world: World) -> None:
    world.define({})
    plan(world, name="a.b")
    reconcile(world.process(), timeout=1000)
    assert world.tasks()[0].task.started_by == "schedule/a/b"
    world.clock.seconds += 600
    assert about(reconcile(world.process(), timeout=1000)) == [
        "schedule a.b: the run due at 2025-12-29T09:30:00Z is skipped: a task of it still runs"
    ]
    assert (last(world).outcome, last(world).reason) == ("SKIPPED", "a task of it still runs")
    plan(world, name="a.b", overlap="allow")
    world.clock.seconds += 600
    reconcile(world.process(), timeout=1000)
    assert len(world.tasks()) == 2


def test_a_family_runs_its_newest_revision_and_a_revision_itself(world: World) -> None:
    first = world.define({"image": "once"})
    plan(world, definition="app")
    plan(world, name="pinned", definition=first)
    world.define({"image": "once", "cpu": 1})
    reconcile(world.process(), timeout=1000)
    assert sorted(str(t.task.task_definition_arn).rpartition("/")[2] for t in world.tasks()) == ["app:1", "app:2"]


def test_a_run_of_what_is_inactive_is_skipped(world: World) -> None:
    definition = world.define({})
    plan(world, definition=definition)
    deregister_task_definition(world.process(), DeregisterTaskDefinitionRequest(definition))
    (line,) = about(reconcile(world.process(), timeout=1000))
    assert line.endswith("is skipped: TaskDefinition app:1 is inactive.")
    assert (world.tasks(), last(world).outcome) == ([], "SKIPPED")
    world.check_quiet()


def test_what_cannot_be_placed_waits_without_a_write(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.define({"memory": 7000})
    plan(world)
    plan(world, name="second")
    reconcile(world.process(), timeout=1000)
    assert len(world.tasks()) == 1
    waiting = next(s for s in scheduled_tasks(world.process()).schedules if s.name == "second")
    assert "has insufficient memory available" in str(waiting.obstacle)
    world.check_quiet()
    process = world.process()
    monkeypatch.setattr(process.store, "write", None)
    assert reconcile(process, timeout=10).lines == []
    assert reconcile(process, timeout=10, dry_run=True).lines == []
    for engine in world.engines.values():
        engine.end(next(found.id for found in engine.containers()), 0)
    reconcile(world.process(), timeout=1000)
    reconcile(world.process(), timeout=1000)
    assert len(world.tasks()) == 2
    assert world.tasks()[-1].task.started_by == "schedule/second"
    world.check_quiet()


def test_a_silent_host_is_not_given_a_task(world: World) -> None:
    world.define({})
    plan(world)
    (engine,) = world.engines.values()
    engine.reachable = False
    reconcile(world.process(), timeout=10)
    assert (world.tasks(), "encountered error AGENT" in str(shown(world).obstacle)) == ([], True)
    engine.reachable = True
    reconcile(world.process(), timeout=1000)
    assert len(world.tasks()) == 1


def test_only_the_cluster_that_is_named_runs(world: World) -> None:
    world.define({})
    create_cluster(world.process(), CreateClusterRequest("other"))
    plan(world)
    assert about(reconcile(world.process(), cluster="other", timeout=10)) == []
    assert about(reconcile(world.process(), cluster="default", timeout=10)) != []


def test_a_cluster_takes_its_schedules_with_it(world: World) -> None:
    world.define({})
    create_cluster(world.process(), CreateClusterRequest("other"))
    plan(world, cluster="other")
    delete_cluster(world.process(), DeleteClusterRequest("other"))
    with world.store.read() as view:
        assert view.find(SCHEDULES) == []


def test_replaced_it_keeps_its_rhythm_unless_that_changes(world: World) -> None:
    world.define({"image": "once"})
    plan(world)
    reconcile(world.process(), timeout=1000)
    due = shown(world).next_run_at
    world.clock.seconds += 60
    assert plan(world, count=2).replaced
    assert (shown(world).next_run_at, shown(world).count) == (due, 2)
    assert last(world).outcome == "SUCCEEDED"
    plan(world, "rate(1 hour)")
    assert shown(world).next_run_at == world.process().now()


def test_disabled_it_waits_and_enabled_it_has_missed_nothing(world: World) -> None:
    world.define({})
    plan(world, "cron(0 12 * * ? *)")
    plan(world, "cron(0 12 * * ? *)", scheduleState="DISABLED")
    assert shown(world).next_run_at is None
    world.clock.seconds += 3 * 86400
    assert about(reconcile(world.process(), timeout=10)) == []
    assert plan(world, "cron(0 12 * * ? *)").comes == "later"
    assert about(reconcile(world.process(), timeout=10)) == []
    assert str(shown(world).next_run_at) == "2026-01-01 12:00:00+00:00"


def test_one_time_does_not_come_again(world: World) -> None:
    world.define({"image": "once"})
    past = "at(2025-12-29T00:00:00)"
    assert plan(world, past, missed="skip").comes == "never"
    assert plan(world, past, missed="run-once").comes == "now"
    reconcile(world.process(), timeout=1000)
    assert plan(world, past).comes == "never"
    plan(world, past, scheduleState="DISABLED")
    assert plan(world, past).comes == "never"
    reconcile(world.process(), timeout=1000)
    assert (len(world.tasks()), shown(world).next_run_at) == (1, None)


def test_unscheduled_its_tasks_go_on(world: World) -> None:
    world.define({})
    plan(world)
    reconcile(world.process(), timeout=1000)
    unschedule_task(world.process(), UnscheduleTaskRequest("job"))
    world.clock.seconds += 1200
    reconcile(world.process(), timeout=1000)
    assert [task.task.last_status for task in world.tasks()] == ["RUNNING"]
    with pytest.raises(InputError, match="there is no schedule 'job'"):
        unschedule_task(world.process(), UnscheduleTaskRequest("job"))


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"name": "a b"}, "name: 'a b': use 1 to 64 letters, digits, hyphens, underscores and dots"),
        ({"name": "x" * 65}, "use 1 to 64 letters"),
        ({"expression": "cron(0 0 1 1 ? 2020)"}, r"cron\(0 0 1 1 \? 2020\): there is no such time from now on"),
        ({"expression": "rate(1 second)"}, "expected a whole number and minutes"),
        ({"scheduleExpressionTimezone": "Nowhere"}, "'Nowhere' is not a time zone"),
        ({"definition": "nope"}, "there is none of that name"),
        ({"count": 11}, "count: between 1 and 10 tasks"),
        ({"cluster": "nope"}, "Cluster not found"),
        ({"tags": [{"key": "aws:x", "value": ""}]}, "the prefix aws: is reserved"),
        ({"overrides": {"containerOverrides": [{"name": "other"}]}}, "container named other is not a container"),
        ({"placementConstraints": [{"type": "memberOf"}]}, "is required with memberOf"),
        ({"platformVersion": "1.4.0"}, "platform version must be null"),
        ({"startedBy": "me"}, "startedBy: each run of a schedule has its own: leave it out"),
        ({"clientToken": "once"}, "clientToken: each run of a schedule has its own: leave it out"),
    ],
)
def test_what_could_never_run_is_refused(world: World, more: dict[str, Any], problem: str) -> None:
    world.define({})
    with pytest.raises((InputError, ApiError), match=problem):
        plan(world, **more)
    assert scheduled_tasks(world.process()).schedules == []


def test_the_controller_that_stays_runs_them_too(tmp_path: Path) -> None:
    with world_in(tmp_path, real_time=True, once=Program(exits_after=0.2)) as world:
        world.define({"image": "once"})
        with watching(world) as told:
            plan(world)
            until(lambda: any(line.startswith("schedule job: start a task of app:1") for line in told))
            until(lambda: [task for task in world.tasks() if task.is_stopped])
        assert len(world.tasks()) == 1
