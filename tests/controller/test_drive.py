"""Driving a task while there is little time."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from ecsctl.controller.claims import Claimant
from ecsctl.controller.drive import Driver
from ecsctl.controller.limits import Limits
from ecsctl.engine.simulated_container import Program
from ecsctl.model.api.tasks import RunTaskRequest
from ecsctl.model.errors import StateUnreachable
from ecsctl.model.identity import CONTAINER
from ecsctl.operations.tasks import run_task
from tests.controller.world import world_in


def test_a_start_that_takes_longer_than_there_is_time_is_not_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world_in(tmp_path, real_time=True, brief=Program(exits_after=0.05)) as world:
        engine = world.engines["host0"]
        start = engine.start

        def slow(container: str) -> None:
            time.sleep(0.3)
            start(container)

        monkeypatch.setattr(engine, "start", slow)
        world.define({"image": "brief"})
        monkeypatch.setattr("ecsctl.operations.tasks.AT_ONCE", Limits(until=0.0))
        run_task(world.process(), RunTaskRequest("app"))
        for _ in range(3):
            process = world.process()
            soon = process.controller.clock.since_boot() + 0.1
            process.controller.converge([world.tasks()[0].arn], Limits(until=soon))
        time.sleep(0.5)
        assert len(engine.calls_of("start")) == 1


def test_a_worker_that_loses_the_state_has_not_done_before_what_it_starts_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world_in(tmp_path, real_time=True) as world:
        engine, happened = world.engines["host0"], list[str]()
        start, record = engine.start, Driver._record

        def slow(container: str) -> None:
            name = engine.inspect(container).labels[CONTAINER]
            time.sleep(0.4 if name == "slow" else 0.1)
            start(container)
            happened.append(name)

        def lost(*arguments: Any, **more: Any) -> bool:
            if happened:
                raise StateUnreachable("the connection is lost")
            return record(*arguments, **more)

        monkeypatch.setattr(engine, "start", slow)
        monkeypatch.setattr(Driver, "_record", lost)
        monkeypatch.setattr(Claimant, "done", lambda _: happened.append("done"))
        world.define({"name": "quick"}, {"name": "slow"})
        with pytest.raises(StateUnreachable):
            run_task(world.process(), RunTaskRequest("app"))
        assert happened == ["quick", "slow", "done"]
