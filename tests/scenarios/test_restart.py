"""Containers that their restart policy starts again, on a real engine."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest

from ecsctl.model.record import evolve
from ecsctl.store.store import Store
from ecsctl.store.tables import TASK_DEFINITIONS
from tests.scenarios.conftest import SLEEP, Cli, shell

pytestmark = pytest.mark.docker
File = Callable[..., str]

DIES = shell("sleep 1.5; exit 3", restartPolicy={"enabled": True, "restartAttemptPeriod": 60})


def impatient(cli: Cli) -> None:
    """Let a second do for the least minute that ECS takes for the period of a restart policy."""
    store = Store.open(cli.state)
    with store.write() as tx:
        for record in tx.find(TASK_DEFINITIONS):
            for container in record.container_definitions or []:
                if container.restart_policy:
                    container.restart_policy = evolve(container.restart_policy, restart_attempt_period=1)
            tx.put(TASK_DEFINITIONS, record)
    store.close()


def started(cli: Cli, container: str) -> Any:
    return cli.docker("inspect", "--format", "{{.State.StartedAt}}", container)


@pytest.mark.parametrize("how", ["cron", "watch"])
def test_a_container_comes_back_and_its_task_goes_on(cli: Cli, file: File, how: str) -> None:
    other = {**SLEEP, "name": "other"}
    cli("register-task-definition", file(DIES, other, networkMode="none"))
    impatient(cli)
    task = cli.json("run-task", "--task-definition", "app", "--wait")["tasks"][0]["taskArn"]
    container, neighbour = cli.container_of(task, "main"), cli.container_of(task, "other")
    before = started(cli, container), started(cli, neighbour)
    watch = cli.start("reconcile", "--watch") if how == "watch" else None
    try:
        for _ in range(60):
            if watch is None:
                cli("reconcile")
            if started(cli, container) != before[0]:
                break
            cli.docker("exec", neighbour, "sleep", "0.1")
    finally:
        if watch is not None:
            watch.send_signal(signal.SIGTERM)
            watch.communicate(timeout=30)
    assert started(cli, container) != before[0]
    assert started(cli, neighbour) == before[1]
    assert cli.container_of(task, "main") == container
    shown = cli.task(task)
    assert shown["lastStatus"] == "RUNNING"
    assert "container main exited with code 3" in cli("events", "--task", task).stdout
    cli("stop-task", "--task", task)
    cli.until(task, lambda found: found["lastStatus"] == "STOPPED")
    assert cli.containers("--filter", "status=running") == []
