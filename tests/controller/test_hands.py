"""One action, one call: what each answer of an engine means."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import Any

import pytest

from ecsctl.controller.hands import Calls, perform
from ecsctl.controller.together import together
from ecsctl.engine.simulated import SimulatedEngine
from ecsctl.engine.simulated_container import Program, StartError
from ecsctl.engine.simulated_faults import Fault
from ecsctl.model import identity
from ecsctl.scheduler.container_spec import create_body
from ecsctl.scheduler.plan import Action, Outcome
from tests.making import TASK_ID, definition, task_of

SIGNATURE = identity.Signature("install", lambda: b"key")
NAME = identity.container_name("app", 1, "main", TASK_ID)


def engine(**programs: Program) -> SimulatedEngine:
    return SimulatedEngine(lambda: 0.0, {"busybox": Program(), **programs})


def body(**labels: str) -> dict[str, Any]:
    made = definition({"name": "main"})
    full = create_body(task_of(made), made, "main", SIGNATURE)
    return {**full, "Labels": {**full["Labels"], **labels}}


def do(on: SimulatedEngine, op: Any, target: str, made: dict[str, Any] | None = None, **more: Any) -> Any:
    return perform(on, Action(op, "main", target, "", **more), lambda: made or body(), SIGNATURE.key, on.pull)


def test_a_name_that_our_own_earlier_create_took_is_success() -> None:
    on = engine()
    first, again = do(on, "create", NAME), do(on, "create", NAME)
    assert (first.result, again.result) == ("ok", "ok")
    assert first.value == again.value
    assert len(on.containers()) == 1


@pytest.mark.parametrize(
    "theirs",
    [
        {"Image": "busybox"},
        body(**{identity.TASK: "other"}),
        body(**{identity.MAC: "0" * 64}),
        body(**{identity.SEQ: "99"}),  # signed differently: somebody changed a label
    ],
)
def test_a_name_that_somebody_else_took_is_foreign(theirs: dict[str, Any]) -> None:
    on = engine()
    on.create(NAME, theirs)
    assert do(on, "create", NAME).result == "foreign"


def test_a_name_whose_holder_vanishes_before_it_is_looked_at_is_left_for_the_next_pass() -> None:
    on = engine()
    on.faults.append(Fault("refused", ("create",), status=409, message="Conflict. The container name is in use"))
    assert do(on, "create", NAME).result == "unknown"


def test_what_each_refusal_means() -> None:
    on = engine(broken=Program(start_error=StartError(400, "no such file", 127)))
    assert do(on, "create", NAME, {**body(), "Image": "missing"}).result == "no_image"
    assert do(on, "start", "0" * 64).result == "gone"
    assert do(on, "rename", "0" * 64, new_name="n2").result == "gone"
    assert do(on, "remove", NAME).result == "gone"
    broken = do(on, "create", NAME, {**body(), "Image": "broken"}).value
    refused = do(on, "start", broken)
    assert (refused.result, refused.status, refused.value) == ("refused", 400, "no such file")
    on.reachable = False
    assert do(on, "start", broken).result == "unsent"


def test_a_stranger_that_has_our_name_is_not_removed() -> None:
    on = engine()
    on.create(NAME, {"Image": "busybox"})
    assert do(on, "remove", NAME).result == "ok"
    assert [found.name for found in on.containers()] == [NAME]


def test_a_copy_of_another_task_that_has_our_name_is_not_removed() -> None:
    on = engine()
    made = definition({"name": "main"})
    on.create(NAME, create_body(task_of(made, "f" * 32), made, "main", SIGNATURE))
    assert do(on, "remove", NAME).result == "ok"
    assert [found.name for found in on.containers()] == [NAME]


def test_labels_that_an_image_brings_do_not_make_a_container_a_stranger() -> None:
    on = engine()
    made = body()
    on.create(NAME, {**made, "Labels": {**made["Labels"], "ecsctl.of-the-image": "1", "com.amazonaws.ecs.x": "2"}})
    assert do(on, "remove", NAME).result == "ok"
    assert on.containers() == []


def test_calls_that_take_too_long_do_not_hold_up_the_rest() -> None:
    release = threading.Event()
    begin = time.monotonic()
    results = together([partial(release.wait, 10), partial(bool, 1)], 4, seconds=0.2)
    assert time.monotonic() - begin < 5
    assert results == [None, True]
    release.set()


def test_no_more_calls_at_once_than_the_limit() -> None:
    busy, most, lock = 0, 0, threading.Lock()

    def call() -> int:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        time.sleep(0.01)
        with lock:
            busy -= 1
        return 1

    assert together([call] * 12, 3) == [1] * 12
    assert most == 3


def test_an_error_in_a_call_reaches_the_caller() -> None:
    def bad() -> int:
        raise LookupError

    with pytest.raises(LookupError):
        together([bad, bad], 2)


def test_containers_are_made_one_after_the_other_and_started_meanwhile() -> None:
    events, lock = list[tuple[str, str]](), threading.Lock()

    def call(task: tuple[Action, None, None]) -> Outcome:
        with lock:
            events.append(("begin", task[0].op))
        time.sleep(0.05 if task[0].op == "create" else 0.15)
        with lock:
            events.append(("end", task[0].op))
        return Outcome(task[0].op, task[0].container, "ok")

    calls: Calls[tuple[Action, None, None]] = Calls(call)
    calls.add([(Action("create", f"c{number}", "", ""), None, None) for number in range(10)])
    while calls.busy:
        for outcome in calls.answers(None):
            if outcome.op == "create":
                calls.add([(Action("start", outcome.container, "", ""), None, None)])
    making = [kind for kind, op in events if op == "create"]
    assert making == ["begin", "end"] * 10
    assert events.index(("begin", "start")) < len(events) - 1 - events[::-1].index(("begin", "create"))
