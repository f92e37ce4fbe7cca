"""The faults of the simulated engine: what was done, what was not, and what will be."""

from __future__ import annotations

import pytest

from ecsctl.engine.port import CreateBody
from ecsctl.engine.simulated import SimulatedEngine
from ecsctl.engine.simulated_container import Program, StartError
from ecsctl.engine.simulated_faults import Call, Fault, Pullable
from ecsctl.model.errors import Conflict, EngineRefused, EngineTimeout, EngineUnreachable, ImageNotFound
from tests.engine.contract import Clock

BODY: CreateBody = {"Image": "app", "Labels": {"ecsctl.install": "i"}}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(clock: Clock) -> SimulatedEngine:
    return SimulatedEngine(clock.now, {"app": Program()}, registry={"other": Pullable(Program(), seconds=3)})


def names(engine: SimulatedEngine) -> list[str]:
    return [found.name for found in engine.containers()]


def test_a_lost_request_does_nothing_and_a_lost_reply_hides_what_was_done(engine: SimulatedEngine) -> None:
    engine.faults = [Fault("lost_request", ("create",)), Fault("lost_reply", ("create",))]
    with pytest.raises(EngineTimeout):
        engine.create("one", BODY)
    assert names(engine) == []
    with pytest.raises(EngineTimeout):
        engine.create("one", BODY)
    assert names(engine) == ["one"]
    with pytest.raises(Conflict):
        engine.create("one", BODY)


def test_a_late_request_is_done_when_its_time_has_come(engine: SimulatedEngine, clock: Clock) -> None:
    engine.faults = [Fault("late", ("create",), seconds=40)]
    with pytest.raises(EngineTimeout):
        engine.create("one", BODY)
    clock.sleep(39)
    assert engine.list("i") == []
    clock.sleep(1)
    assert [found.name for found in engine.list("i")] == ["one"]


def test_what_is_late_and_no_longer_possible_is_silent(engine: SimulatedEngine, clock: Clock) -> None:
    container = engine.create("one", BODY)
    engine.faults = [Fault("late", ("start",), seconds=5)]
    with pytest.raises(EngineTimeout):
        engine.start(container)
    engine.remove(container)
    clock.sleep(10)
    assert engine.containers() == []


def test_unreachable_is_for_every_verb_until_it_is_over(engine: SimulatedEngine) -> None:
    engine.reachable = False
    for act in (engine.ping, engine.info, lambda: engine.list("i"), lambda: engine.start("x")):
        with pytest.raises(EngineUnreachable):
            act()
    engine.reachable = True
    engine.ping()
    engine.faults = [Fault("unreachable", ("ping",), times=None)]
    for _ in range(3):
        with pytest.raises(EngineUnreachable):
            engine.ping()
    engine.info()


def test_a_refusal_is_what_it_is_told_to_be(engine: SimulatedEngine) -> None:
    engine.faults = [
        Fault("refused", ("create",), status=404, message="No such image: x"),
        Fault("refused", ("create",), times=2, status=500, message="shim"),
    ]
    with pytest.raises(ImageNotFound):
        engine.create("one", BODY)
    for _ in range(2):
        with pytest.raises(EngineRefused, match="shim"):
            engine.create("one", BODY)
    engine.create("one", BODY)


def test_a_full_disk_refuses_create_and_lets_the_rest_work(engine: SimulatedEngine) -> None:
    container = engine.create("one", BODY)
    engine.disk_full = True
    with pytest.raises(EngineRefused, match="no space left"):
        engine.create("two", BODY)
    engine.start(container)
    engine.stop(container, 1)
    engine.remove(container)


def test_power_loss_ends_what_runs_with_255(engine: SimulatedEngine) -> None:
    running, idle = engine.create("one", BODY), engine.create("two", BODY)
    engine.start(running)
    engine.lose_power()
    assert engine.inspect(running).exit_code == 255
    assert engine.inspect(running).has_ended
    assert engine.inspect(idle).state == "created"


def test_a_pull_brings_the_image_and_takes_its_time(clock: Clock) -> None:
    registry = {"slow": Pullable(seconds=7), "bad": Pullable(error="manifest unknown")}
    engine = SimulatedEngine(clock.now, sleep=clock.sleep, registry=registry)
    with pytest.raises(ImageNotFound, match="No such image: slow:latest"):
        engine.create("one", {"Image": "slow"})
    began = clock.now()
    engine.pull("slow:latest")
    assert clock.now() - began == 7
    engine.create("one", {"Image": "slow"})
    with pytest.raises(EngineRefused, match="manifest unknown"):
        engine.pull("bad")
    with pytest.raises(EngineRefused, match="pull access denied"):
        engine.pull("nowhere")


def test_of_two_stops_the_shorter_wins(clock: Clock) -> None:
    ends: list[float] = []

    def sleep(seconds: float) -> None:
        if not ends:
            ends.append(seconds)
            engine.stop(container, 1)
        clock.sleep(seconds - (1 if seconds > 1 else 0))

    engine = SimulatedEngine(clock.now, {"app": Program(ignores_term=True)}, sleep=sleep)
    container = engine.create("one", BODY)
    engine.start(container)
    began = clock.now()
    engine.stop(container, 10)
    seen = engine.inspect(container)
    assert (seen.exit_code, ends) == (137, [10.0])
    assert seen.finished_at is not None
    assert seen.started_at is not None
    assert clock.now() - began == 10
    assert int(seen.finished_at[17:19]) - int(seen.started_at[17:19]) == 1


def test_a_start_can_be_poisoned_and_healed(clock: Clock) -> None:
    engine = SimulatedEngine(clock.now, {"app": Program(start_error=StartError(500, "mkdir: file exists"))})
    container = engine.create("one", BODY)
    with pytest.raises(EngineRefused, match="file exists"):
        engine.start(container)
    assert engine.inspect(container).state == "created"
    engine.images["app:latest"] = Program()
    with pytest.raises(EngineRefused):
        engine.start(container)
    engine.remove(container)
    engine.start(engine.create("one", BODY))


def test_every_call_is_noted_and_the_same_calls_give_the_same_ids(clock: Clock) -> None:
    def run() -> tuple[list[Call], list[str]]:
        engine = SimulatedEngine(clock.now, {"app": Program()})
        engine.start(engine.create("one", BODY))
        engine.create("two", BODY)
        return engine.calls, [found.id for found in engine.containers()]

    first, second = run(), run()
    assert first == second
    assert [call.verb for call in first[0]] == ["create", "start", "create"]
    assert first[0][0] == Call("create", ("one", BODY))


def test_a_container_ends_or_sickens_by_somebodys_hand(engine: SimulatedEngine) -> None:
    engine.images["app:latest"] = Program(health=((0, "healthy"),))
    container = engine.create("one", BODY)
    engine.start(container)
    assert engine.inspect(container).health == "healthy"
    engine.set_health(container, "unhealthy")
    assert engine.list("i")[0].health == "unhealthy"
    engine.end(container, 137, oom_killed=True)
    seen = engine.inspect(container)
    assert (seen.state, seen.exit_code, seen.oom_killed) == ("exited", 137, True)
