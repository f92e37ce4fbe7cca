"""The task state machine, step by step, without an engine."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ecsctl.model import identity
from ecsctl.model.observed import Observed, PortBinding
from ecsctl.model.record import evolve
from ecsctl.model.stored import TaskRecord
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.scheduler.decide import decide, hear_of_end, request_stop
from ecsctl.scheduler.observe import fold_outcomes, fold_seen
from ecsctl.scheduler.plan import Outcome, Step
from tests.making import NOW, definition, task_of


class Play:
    """A task whose engine is this test: what is asked of it is listed, and answered one by one."""

    def __init__(self, *containers: dict[str, Any], **fields: Any) -> None:
        self.definition: TaskDefinition = definition(*containers, **fields)
        self.record: TaskRecord = task_of(self.definition)
        self.now = NOW
        self.step: Step = self._decide()

    def _decide(self) -> Step:
        self.step = decide(self.record, self.definition, self.now)
        self.record = self.step.record
        return self.step

    @property
    def asked(self) -> list[str]:
        return [f"{action.op} {action.container}" for action in self.step.actions]

    @property
    def status(self) -> str | None:
        return self.record.task.last_status

    def answer(self, container: str, result: Any = "ok", value: str = "", status: int = 0) -> Step:
        action = next(a for a in self.step.actions if a.container == container)
        if action.op == "create" and result == "ok":
            value = f"id-{container}"
        outcome = Outcome(action.op, container, result, value, status)
        self.record = fold_outcomes(self.record, [outcome], self.now)
        return self._decide()

    def see(self, complete: bool = True, **containers: Observed | None) -> Step:
        seen = {name: found for name, found in containers.items() if found}
        self.record = fold_seen(self.record, seen, self.now, asked=self.names if complete else list(seen))
        return self._decide()

    def run(self) -> None:
        """Answer everything with yes until nothing is asked."""
        for _ in range(20):
            if not self.step.actions:
                return
            self.record = fold_outcomes(
                self.record,
                [
                    Outcome(a.op, a.container, "ok", f"id-{a.container}" if a.op == "create" else "")
                    for a in self.step.actions
                ],
                self.now,
            )
            self._decide()

    @property
    def names(self) -> list[str]:
        return [state.name for state in self.record.containers]

    def state(self, container: str) -> Any:
        return next(state for state in self.record.containers if state.name == container)


def up(name: str, **more: Any) -> Observed:
    return Observed(id=f"id-{name}", name=f"ecs-app-1-{name}-" + "0" * 31 + "1", labels={}, state="running", **more)


def ended(name: str, code: int, **more: Any) -> Observed:
    return evolve(up(name), state="exited", exit_code=code, **more)


def test_a_task_is_created_then_started_then_running() -> None:
    play = Play({"name": "main"})
    assert (play.asked, play.status) == (["create main"], "PENDING")
    play.answer("main")
    assert (play.asked, play.status) == (["start main"], "ACTIVATING")
    assert play.step.actions[0].target == "id-main"  # never by name: a late start must find nothing
    play.answer("main")
    assert (play.asked, play.status) == ([], "RUNNING")
    assert play.record.task.started_at == NOW


def test_the_intent_is_in_the_record_before_the_call() -> None:
    play = Play({"name": "main"})
    assert play.state("main").intent.op == "create"
    play.answer("main")
    assert play.state("main").intent.op == "start"


def test_an_unknown_outcome_changes_nothing_and_is_tried_again() -> None:
    play = Play({"name": "main"})
    play.answer("main", "unknown")
    assert play.asked == ["create main"]
    assert play.state("main").intent.tries == 2


def test_a_container_that_an_unanswered_create_made_is_adopted() -> None:
    play = Play({"name": "main"})
    play.answer("main", "unknown")
    play.see(main=evolve(up("main"), state="created"))
    assert play.asked == ["start main"]
    assert play.state("main").engine_id == "id-main"


def test_deciding_twice_about_a_running_task_changes_nothing() -> None:
    play = Play({"name": "main"})
    play.run()
    before = play.record
    assert decide(before, play.definition, NOW + timedelta(days=1)) == Step(before)


@pytest.mark.parametrize("code", [0, 3])
def test_the_end_of_an_essential_container_ends_the_task(code: int) -> None:
    play = Play({"name": "main"})
    play.run()
    play.see(main=ended("main", code))
    assert play.record.task.stop_code == "EssentialContainerExited"
    assert play.record.task.stopped_reason == "Essential container in task exited"
    assert play.asked == ["rename main"]
    play.answer("main")
    assert play.status == "STOPPED"
    assert play.record.task.containers is not None
    assert play.record.task.containers[0].exit_code == code


def test_the_end_of_another_container_does_not() -> None:
    play = Play({"name": "main"}, {"name": "helper", "essential": False})
    play.run()
    play.see(main=up("main"), helper=ended("helper", 1))
    assert (play.status, play.asked) == ("RUNNING", [])


def test_what_an_engine_tells_of_the_end_of_an_essential_container_ends_the_task() -> None:
    play = Play({"name": "main"}, {"name": "helper", "essential": False})
    play.answer("main")
    play.answer("helper")
    for told in ("id-main", "id-helper", "id-of-another"):  # none of them has been started yet
        assert hear_of_end(play.record, play.definition, told, NOW) == Step(play.record)
    play.run()
    for told in ("id-helper", "id-of-another"):
        assert hear_of_end(play.record, play.definition, told, NOW) == Step(play.record)
    step = hear_of_end(play.record, play.definition, "id-main", NOW)
    assert [str(happening) for happening in step.happenings] == [
        "is to stop: EssentialContainerExited: Essential container in task exited"
    ]
    assert hear_of_end(step.record, play.definition, "id-main", NOW) == Step(step.record)
    play.record = step.record
    play.see(main=ended("main", 3), helper=up("helper"))
    assert play.state("main").exit_code == 3
    assert play.asked == ["stop helper", "rename main"]


def test_what_a_start_without_an_answer_may_start_again_is_removed() -> None:
    play = Play({"name": "main"})
    play.answer("main")
    play.answer("main", "unknown")
    assert play.asked == ["start main"]
    play.answer("main")
    play.see(main=ended("main", 3))
    assert play.asked == ["remove main"]


def test_a_listing_which_has_no_exit_codes_does_not_take_one_away() -> None:
    play = Play({"name": "main"}, {"name": "helper", "essential": False})
    play.run()
    play.see(main=up("main"), helper=ended("helper", 4))
    before = play.record
    play.see(main=up("main"), helper=evolve(ended("helper", 4), exit_code=None))
    assert play.record == before


def test_the_rest_is_stopped_when_an_essential_container_ends() -> None:
    play = Play({"name": "main"}, {"name": "helper", "essential": False, "stopTimeout": 7})
    play.run()
    play.see(main=ended("main", 1), helper=up("helper"))
    assert play.asked == ["stop helper", "rename main"]
    assert play.step.actions[0].timeout == 7
    assert play.status == "STOPPING"


def test_out_of_memory_is_said() -> None:
    play = Play({"name": "main"})
    play.run()
    play.see(main=ended("main", 137, oom_killed=True))
    assert play.state("main").reason == "OutOfMemoryError: Container killed due to memory usage"


def test_137_without_the_flag_is_not_out_of_memory() -> None:
    play = Play({"name": "main"})
    play.run()
    play.see(main=ended("main", 137))
    assert play.state("main").reason is None


def test_a_container_removed_by_hand_has_vanished() -> None:
    play = Play({"name": "main"})
    play.run()
    play.see(main=None)
    assert play.record.task.stop_code == "EssentialContainerExited"
    assert play.state("main").reason.startswith("ContainerVanishedError")
    assert play.asked == ["remove main"]  # by name: whatever may come up late finds no place


def test_what_was_not_in_a_partial_look_has_not_vanished() -> None:
    play = Play({"name": "main"})
    play.run()
    play.see(complete=False)
    assert play.status == "RUNNING"


def test_a_missing_image_is_pulled_and_the_create_repeated() -> None:
    play = Play({"name": "main"})
    play.answer("main", "no_image")
    assert play.asked == ["pull main"]
    assert play.record.task.pull_started_at == NOW
    play.answer("main")
    assert play.asked == ["create main"]


def test_an_image_of_several_containers_is_pulled_once() -> None:
    play = Play({"name": "a"}, {"name": "b"}, {"name": "c", "image": "other"})
    for name in ("a", "b", "c"):
        play.answer(name, "no_image")
    assert play.asked == ["pull a", "pull c"]
    play.answer("a")
    assert play.asked == ["create a", "create b", "pull c"]


def test_a_failed_pull_ends_the_task() -> None:
    play = Play({"name": "main"})
    play.answer("main", "no_image")
    play.answer("main", "refused", "manifest unknown", 404)
    assert play.record.task.stop_code == "TaskFailedToStart"
    assert play.record.task.stopped_reason == "CannotPullContainerError: manifest unknown"
    play.run()
    assert play.status == "STOPPED"


def test_an_image_that_is_missing_after_its_pull_is_not_pulled_for_ever() -> None:
    play = Play({"name": "main"})
    play.answer("main", "no_image")
    play.answer("main")
    play.answer("main", "no_image", "No such image")
    assert play.record.task.stop_code == "TaskFailedToStart"


def test_a_start_that_is_refused_ends_the_task_and_takes_the_container_away() -> None:
    play = Play({"name": "main"})
    play.answer("main")
    play.answer("main", "refused", "port is already allocated", 500)
    assert play.record.task.stopped_reason == "CannotStartContainerError: port is already allocated"
    assert play.asked == ["remove main"]


def test_a_container_that_an_engine_crash_spoiled_is_made_anew_once() -> None:
    play = Play({"name": "main"})
    play.answer("main")
    play.answer("main", "refused", "failed to start shim: mkdir x: file exists", 500)
    assert play.asked == ["remove main"]
    play.answer("main")
    assert play.asked == ["create main"]
    play.answer("main")
    play.answer("main", "refused", "failed to start shim: mkdir x: file exists", 500)
    assert play.record.task.stop_code == "TaskFailedToStart"


def test_a_name_that_is_held_by_a_stranger_is_never_taken() -> None:
    play = Play({"name": "main"})
    play.answer("main", "foreign")
    assert "not ours" in str(play.record.task.stopped_reason)


def test_dependencies_are_started_in_order_and_stopped_in_reverse() -> None:
    play = Play(
        {"name": "app", "dependsOn": [{"containerName": "db", "condition": "START"}]},
        {"name": "db"},
    )
    assert play.asked == ["create app", "create db"]
    play.answer("app")
    assert "start app" not in play.asked
    play.run()
    assert play.status == "RUNNING"
    play.record = request_stop(play.record, "UserInitiated", "enough", NOW)
    play._decide()
    assert play.asked == ["stop app"]
    play.answer("app")
    play.see(app=ended("app", 0), db=up("db"))
    assert "stop db" in play.asked


@pytest.mark.parametrize(
    ("condition", "seen", "goes_on"),
    [
        ("COMPLETE", ended("init", 1), True),
        ("COMPLETE", up("init"), False),
        ("SUCCESS", ended("init", 0), True),
        ("HEALTHY", up("init", health="starting"), False),
        ("HEALTHY", up("init", health="healthy"), True),
        ("START", up("init"), True),
    ],
)
def test_a_container_starts_when_what_it_depends_on_allows(condition: str, seen: Observed, goes_on: bool) -> None:
    play = Play(
        {"name": "init", "essential": False, "healthCheck": {"command": ["CMD", "true"]}},
        {"name": "app", "dependsOn": [{"containerName": "init", "condition": condition}]},
    )
    play.run()
    created = evolve(up("app"), state="running" if play.state("app").stage == "started" else "created")
    play.see(init=seen, app=created)
    if goes_on:
        assert play.state("app").stage == "started" or play.asked == ["start app"]
    else:
        assert (play.asked, play.step.waiting) == ([], True)


@pytest.mark.parametrize(
    ("condition", "seen", "words"),
    [
        ("SUCCESS", ended("init", 4), "exited with code 4"),
        ("HEALTHY", up("init", health="unhealthy"), "is unhealthy"),
        ("HEALTHY", ended("init", 0), "before it was healthy"),
    ],
)
def test_a_dependency_that_cannot_be_met_fails_the_task(condition: str, seen: Observed, words: str) -> None:
    play = Play(
        {"name": "init", "essential": False, "healthCheck": {"command": ["CMD", "true"]}},
        {"name": "app", "dependsOn": [{"containerName": "init", "condition": condition}]},
    )
    play.run()
    play.see(init=seen, app=evolve(up("app"), state="created"))
    assert play.record.task.stop_code == "TaskFailedToStart"
    assert words in str(play.record.task.stopped_reason)


def test_a_dependency_has_its_start_timeout_and_no_longer() -> None:
    play = Play(
        {"name": "init", "essential": False, "startTimeout": 10},
        {"name": "app", "dependsOn": [{"containerName": "init", "condition": "COMPLETE"}]},
    )
    play.run()
    play.now = NOW + timedelta(seconds=9)
    play.see(init=up("init"), app=evolve(up("app"), state="created"))
    assert play.step.waiting
    play.now = NOW + timedelta(seconds=10)
    play.see(init=up("init"), app=evolve(up("app"), state="created"))
    assert "startTimeout of 10 s" in str(play.record.task.stopped_reason)


def test_containers_that_share_volumes_or_links_are_created_after_what_they_need() -> None:
    play = Play({"name": "app", "volumesFrom": [{"sourceContainer": "data"}]}, {"name": "data"})
    assert play.asked == ["create data"]
    play.answer("data")
    assert "create app" in play.asked


def test_the_first_cause_of_a_stop_stays() -> None:
    play = Play({"name": "main"})
    play.run()
    play.record = request_stop(play.record, "UserInitiated", "because", NOW)
    play.see(main=ended("main", 0))
    play.run()
    assert (play.status, play.record.task.stop_code) == ("STOPPED", "UserInitiated")
    assert play.record.task.stopped_reason == "because"


def test_a_task_that_is_stopped_before_anything_was_asked_asks_for_nothing() -> None:
    made = definition({"name": "main"})
    step = decide(request_stop(task_of(made), "UserInitiated", "no", NOW), made, NOW)
    assert (step.actions, step.record.task.last_status) == ((), "STOPPED")


def test_a_task_that_is_stopped_after_an_unanswered_create_fences_the_name() -> None:
    play = Play({"name": "main"})
    play.answer("main", "unknown")
    play.record = request_stop(play.record, "UserInitiated", "no", NOW)
    play._decide()
    assert [(a.op, a.target) for a in play.step.actions] == [("remove", play.state("main").engine_name)]


def test_a_container_that_does_not_stop_is_removed_in_the_end() -> None:
    play = Play({"name": "main"})
    play.run()
    play.record = request_stop(play.record, "UserInitiated", "no", NOW)
    for _ in range(5):
        play._decide()
        assert play.asked == ["stop main"]
        play.now += timedelta(seconds=34)
        play._decide()
        assert (play.asked, play.step.waiting) == ([], True), "the engine may be at it, and one signal is enough"
        play.now += timedelta(seconds=1)
    play._decide()
    assert play.asked == ["remove main"]
    play.answer("main")
    assert play.status == "STOPPED"
    assert play.state("main").reason.startswith("CannotStopContainerError")


def test_a_stop_that_did_not_reach_the_engine_is_not_waited_for() -> None:
    play = Play({"name": "main"})
    play.run()
    play.record = request_stop(play.record, "UserInitiated", "no", NOW)
    play._decide()
    for _ in range(7):  # more often than a stop is asked for that gets no answer
        assert play.asked == ["stop main"]
        play.answer("main", "unsent")
    play.answer("main")
    assert play.state("main").reason is None


def test_a_clock_that_was_put_back_holds_no_stop_up() -> None:
    play = Play({"name": "main"})
    play.run()
    play.record = request_stop(play.record, "UserInitiated", "no", NOW)
    play._decide()
    play.now -= timedelta(hours=1)
    play._decide()
    assert play.asked == ["stop main"]


def test_one_binding_is_shown_per_port() -> None:
    play = Play({"name": "main", "portMappings": [{"containerPort": 80}]})
    play.run()
    both = (PortBinding("::", 49153, 80, "tcp"), PortBinding("0.0.0.0", 49153, 80, "tcp"))
    play.see(main=up("main", ports=both))
    assert play.record.task.containers is not None
    bindings = play.record.task.containers[0].network_bindings or []
    assert [(b.bind_ip, b.host_port) for b in bindings] == [("0.0.0.0", 49153)]


@pytest.mark.parametrize(
    ("health", "expected"), [("starting", "UNKNOWN"), ("healthy", "HEALTHY"), ("unhealthy", "UNHEALTHY")]
)
def test_task_health_is_that_of_its_essential_containers(health: Any, expected: str) -> None:
    play = Play({"name": "main", "healthCheck": {"command": ["CMD", "true"]}}, {"name": "other", "essential": False})
    play.run()
    play.see(main=up("main", health=health), other=up("other"))
    assert play.record.task.health_status == expected


def test_a_container_kept_under_its_dead_name_is_fenced() -> None:
    play = Play({"name": "main"})
    play.run()
    name = identity.dead_name(play.state("main").engine_name)
    play.see(main=evolve(ended("main", 0), name=name))
    assert play.status == "STOPPED"
