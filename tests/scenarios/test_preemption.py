"""Tasks that make room for others, on a real engine."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.scenarios.conftest import SLEEP, Cli, Watch, shell

pytestmark = pytest.mark.docker
File = Callable[..., str]


def test_a_task_makes_room_before_the_other_begins(cli: Cli, file: File) -> None:
    slow = shell("trap 'sleep 1; exit 0' TERM; while :; do sleep 0.1; done")
    cli("register-task-definition", file(slow, family="slow", networkMode="none"))
    cli("register-task-definition", file(SLEEP, family="urgent", networkMode="none"))
    first = cli.json("run-task", "--task-definition", "slow", "--wait")["tasks"][0]
    instance = first["containerInstanceArn"]
    cli("put-attributes", "--attributes", f"name=ecsctl.task-limit,value=1,targetId={instance}")
    urgent = ("run-task", "--task-definition", "urgent")
    assert cli.json(*urgent)["failures"][0]["reason"] == "RESOURCE:TASKS"
    plan = cli(*urgent, "--preemption-priority", "3", "--dry-run").stdout
    assert "To make room, 1 of a lower preemption priority would be stopped" in plan
    assert first["taskArn"].rpartition("/")[2] in plan
    with Watch(lambda: len(cli.containers("--filter", "status=running"))) as running:
        answer = cli(*urgent, "--preemption-priority", "3", "--wait")
    assert "1 task stopped to make room" in answer.stderr
    assert running.most == 1
    second = json.loads(answer.stdout)["tasks"][0]
    gone, new = cli.json("describe-tasks", "--tasks", first["taskArn"], second["taskArn"])["tasks"]
    assert (gone["lastStatus"], gone["stopCode"], new["lastStatus"]) == (
        "STOPPED",
        "ServiceSchedulerInitiated",
        "RUNNING",
    )
    assert gone["containers"][0]["exitCode"] == 0
    assert "nothing to do" in cli("reconcile", "--detailed-exitcode").stderr
