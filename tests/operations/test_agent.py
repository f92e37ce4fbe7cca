"""What an ECS agent would say is a hint: the engine is looked at, and what it says counts."""

from __future__ import annotations

from typing import Any

import ecsctl
from ecsctl.model.arn import last_part
from tests.controller.world import World
from tests.operations.conftest import refused


def running(world: World, call: Any) -> str:
    answer = call("RunTask", taskDefinition=world.define({}))
    return str(answer["tasks"][0]["taskArn"])


def status(world: World) -> str | None:
    return world.tasks()[0].task.last_status


def test_a_task_that_is_said_to_have_stopped_is_looked_at(world: World, call: Any) -> None:
    task = running(world, call)
    assert status(world) == "RUNNING"
    assert call("SubmitTaskStateChange", task=task, status="STOPPED") == {"acknowledgment": "ACK"}
    assert status(world) == "RUNNING"
    engine = next(engine for engine in world.engines.values() if engine.containers())
    engine.end(world.tasks()[0].containers[0].engine_id or "", 1)
    call("SubmitContainerStateChange", task=last_part(task), containerName="main", status="RUNNING")
    assert status(world) in ("STOPPED", "DEPROVISIONING", "STOPPING")


def test_what_is_not_there_is_refused(world: World, call: Any) -> None:
    task = running(world, call)
    for action in ("SubmitTaskStateChange", "SubmitContainerStateChange"):
        refused(call, "ClusterNotFoundException", action, cluster="no", task=task)
        assert "was not found" in refused(call, "InvalidParameterException", action, task="0" * 32)
        refused(call, "InvalidParameterException", action)
    refused(call, "InvalidParameterException", "SubmitContainerStateChange", task=task, containerName="other")
    refused(call, "InvalidParameterException", "UpdateContainerAgent", containerInstance="no")


def test_there_is_never_an_agent_to_update(call: Any) -> None:
    (arn,) = call("ListContainerInstances", maxResults=1)["containerInstanceArns"]
    (instance,) = call("DescribeContainerInstances", containerInstances=[arn])["containerInstances"]
    assert instance["versionInfo"]["agentVersion"] == ecsctl.__version__
    refused(call, "NoUpdateAvailableException", "UpdateContainerAgent", containerInstance=arn)
