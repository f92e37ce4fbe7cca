"""The overrides of a task: each that is honoured is shown as it was given, each other is refused by name."""

from __future__ import annotations

from typing import Any

from ecsctl.operations.hosts import HostOptions, register_host
from tests.controller.world import World
from tests.full import full_overrides
from tests.operations.conftest import refused

REFUSED = ("inferenceAcceleratorOverrides",)


def test_every_member_of_the_overrides_comes_back(call: Any, world: World) -> None:
    for arn in call("ListContainerInstances")["containerInstanceArns"]:
        call("DeregisterContainerInstance", containerInstance=arn)
    register_host(world.process(), None, HostOptions("host0", gpus=("a",)))
    definition = world.define({"name": "main"}, {"name": "side"})
    given = full_overrides()
    (container,) = given["containerOverrides"]
    container["resourceRequirements"] = [{"type": "GPU", "value": "1"}]
    said = refused(call, "ClientException", "RunTask", taskDefinition=definition, overrides=given)
    assert [f"overrides.{field}" in said for field in given] == [field in REFUSED for field in given]
    honoured = {field: value for field, value in given.items() if field not in REFUSED}
    answer = call("RunTask", taskDefinition=definition, overrides=honoured)
    assert answer["failures"] == []
    (task,) = call("DescribeTasks", tasks=[answer["tasks"][0]["taskArn"]])["tasks"]
    assert task["overrides"] == {
        **honoured,
        "containerOverrides": [container, {"name": "side"}],
        "inferenceAcceleratorOverrides": [],
    }
    assert (task["cpu"], task["memory"]) == (given["cpu"], given["memory"])
