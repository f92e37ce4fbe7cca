"""Scheduled tasks on a real engine: they run when they are due, once."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest

from tests.scenarios.conftest import SLEEP, Cli, shell

pytestmark = pytest.mark.docker
File = Callable[..., str]


def plan(cli: Cli, expression: str, *more: str) -> str:
    """What it says of a schedule `job`."""
    return cli("schedule-task", "--name", "job", "--schedule-expression", expression, *more).stderr


def shown(cli: Cli) -> Any:
    (schedule,) = cli.json("scheduled-tasks", "--output", "json")["schedules"]
    return schedule


def outcome(cli: Cli, seconds: float = 20.0) -> Any:
    """The last run, when its tasks have ended."""
    end = time.monotonic() + seconds
    while (last := shown(cli)["lastRun"])["outcome"] == "RUNNING":
        assert time.monotonic() < end
        time.sleep(0.2)
    return last


def test_a_scheduled_task_runs_when_it_is_due_and_says_how_it_went(cli: Cli, file: File) -> None:
    said = plan(cli, "rate(5 minutes)", "--task-definition", file(shell("echo hello; exit 3")))
    assert said == "schedule job created\na run is due: the next reconcile starts it\n"
    assert "schedule job: start a task of app:1: due at " in cli("reconcile", "--dry-run").stdout
    assert cli.containers() == []
    assert "schedule job: start a task of app:1: due at " in cli("reconcile").stdout
    last = outcome(cli)
    assert (last["outcome"], "container main exited with 3" in last["reason"]) == ("FAILED", True)
    assert cli("logs", last["taskArns"][0].rpartition("/")[2]).stdout == "hello\n"
    due, following = (datetime.fromisoformat(text) for text in (last["dueAt"], shown(cli)["nextRunAt"]))
    assert (following - due).total_seconds() == 300
    assert "nothing to do" in cli("reconcile", "--detailed-exitcode").stderr
    row = cli("scheduled-tasks").stdout.splitlines()[1]
    assert row.startswith("job   app         rate(5 minutes)  UTC   ENABLED  ")
    assert "ScheduledTaskStarted" in cli("events").stdout
    assert cli("unschedule-task", "job").stderr == "schedule job deleted\n"


def test_several_at_once_and_killed_ones_run_it_once(cli: Cli, file: File) -> None:
    now = datetime.now(timezone.utc)
    plan(cli, f"at({now:%Y-%m-%dT%H:%M:%S})", "--task-definition", file(SLEEP), "--count", "2")
    for wait in (0.15, 0.25):
        with cli.start("reconcile") as doomed:
            time.sleep(wait)
            doomed.kill()
    together = [cli.start("reconcile") for _ in range(3)]
    for process in together:
        process.communicate(timeout=60)
    cli("reconcile")
    assert len(cli.containers("--filter", "status=running")) == 2
    assert len(cli.json("list-tasks")["taskArns"]) == 2
    assert "nextRunAt" not in shown(cli)
    subprocess.run(["docker", "kill", *cli.containers()], check=True, capture_output=True)
    cli("reconcile")
    assert (shown(cli)["lastRun"]["outcome"], cli.json("list-tasks")["taskArns"]) == ("FAILED", [])
