"""GPUs: hosts that have some, tasks that take some, and what the engine is told.

Source: ECS developer guide, "Amazon ECS task definitions for GPU workloads".
"""

from __future__ import annotations

from typing import Any

import pytest

from ecsctl.model.errors import ApiError
from ecsctl.model.identity import Signature
from ecsctl.operations.hosts import HostOptions, register_host
from ecsctl.operations.reconcile import reconcile
from ecsctl.scheduler.container_spec import create_body
from ecsctl.store.tables import TASK_DEFINITIONS
from tests.controller.world import World
from tests.operations.conftest import refused

ONE = {"resourceRequirements": [{"type": "GPU", "value": "1"}]}


@pytest.fixture
def with_gpus(call: Any, world: World) -> Any:
    """host0 has the GPUs a, b and c; host1 has none."""
    for arn in call("ListContainerInstances")["containerInstanceArns"]:
        call("DeregisterContainerInstance", containerInstance=arn)
    register_host(world.process(), None, HostOptions("host0", gpus=("a", "b", "c")))
    register_host(world.process(), None, HostOptions("host1"))
    return call


def free(call: Any) -> list[str]:
    (host,) = call("DescribeContainerInstances", containerInstances=["host0"])["containerInstances"]
    assert next(r for r in host["registeredResources"] if r["name"] == "GPU")["stringSetValue"] == ["a", "b", "c"]
    return next(r for r in host["remainingResources"] if r["name"] == "GPU").get("stringSetValue", [])  # type: ignore[no-any-return]


def test_each_task_has_gpus_of_its_own_as_long_as_there_are_some(with_gpus: Any, world: World) -> None:
    definition = world.define(ONE, {**ONE, "name": "side"})
    answer = with_gpus("RunTask", taskDefinition=definition, count=2)
    (task,) = answer["tasks"]
    assert [container["gpuIds"] for container in task["containers"]] == [["a"], ["b"]]
    assert {f["reason"] for f in answer["failures"]} == {"RESOURCE:GPU"}
    assert {f["detail"] for f in answer["failures"]} == {"needs 2 GPUs, 1 are free", "needs 2 GPUs, 0 are free"}
    assert free(with_gpus) == ["c"]
    with_gpus("StopTask", task=task["taskArn"])
    world.clock.sleep(60)
    reconcile(world.process())
    assert free(with_gpus) == ["a", "b", "c"]


def test_an_override_changes_how_many(with_gpus: Any, world: World) -> None:
    wanted = {"name": "main", "resourceRequirements": [{"type": "GPU", "value": "3"}]}
    answer = with_gpus("RunTask", taskDefinition=world.define({}), overrides={"containerOverrides": [wanted]})
    assert answer["tasks"][0]["containers"][0]["gpuIds"] == ["a", "b", "c"]
    assert free(with_gpus) == []


def test_the_engine_is_told_which(with_gpus: Any, world: World) -> None:
    with_gpus("RunTask", taskDefinition=world.define(ONE))
    (record,) = world.tasks()
    with world.store.read() as view:
        definition = view.get(TASK_DEFINITIONS, str(record.task.task_definition_arn))
    assert definition
    host = create_body(record, definition, "main", Signature("install", lambda: b"key"))["HostConfig"]
    assert host["DeviceRequests"] == [{"Driver": "nvidia", "DeviceIDs": ["a"], "Capabilities": [["gpu"]]}]


def test_a_service_takes_them_too(with_gpus: Any, world: World) -> None:
    with_gpus("CreateService", serviceName="web", taskDefinition=world.define(ONE), desiredCount=4)
    reconcile(world.process())
    ids = [gpu for record in world.tasks() for c in record.task.containers or [] for gpu in c.gpu_ids or []]
    assert sorted(ids) == ["a", "b", "c"]
    events = with_gpus("DescribeServices", services=["web"])["services"][0]["events"]
    assert any("has insufficient GPU available: needs 1 GPUs, 0 are free" in event["message"] for event in events)


@pytest.mark.parametrize(
    "asked",
    [{"type": "InferenceAccelerator", "value": "x"}, {"type": "GPU", "value": "some"}, {"type": "GPU", "value": "0"}],
)
def test_what_is_no_number_of_gpus(with_gpus: Any, world: World, asked: dict[str, str]) -> None:
    definition = world.define({"resourceRequirements": [asked]})
    said = refused(with_gpus, "ClientException", "RunTask", taskDefinition=definition)
    assert "containerDefinitions[0].resourceRequirements" in said


@pytest.mark.parametrize("ids", [("a", "a"), ("",), ("a b",)])
def test_what_are_no_ids(world: World, ids: tuple[str, ...]) -> None:
    with pytest.raises(ApiError, match="gpus"):
        register_host(world.process(), None, HostOptions("host0", gpus=ids))
