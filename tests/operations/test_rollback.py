"""Rolling back: what is under way, or else what was deployed last."""

from __future__ import annotations

from typing import Any

import pytest

from ecsctl.model.api.services import CreateServiceRequest, UpdateServiceRequest
from ecsctl.model.errors import ApiError
from ecsctl.model.record import decode
from ecsctl.model.service import Service
from ecsctl.operations.deploy import active_service, go_back, outcome_of
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.services import create_service, update_service
from tests.controller.world import World
from tests.operations.test_launch_volumes import define, process, volume


def serve_two_releases(world: World) -> None:
    first = world.define({"image": "up"})
    create_service(world.process(), CreateServiceRequest("web", task_definition=first, desired_count=1))
    settle(world)
    update_service(
        world.process(),
        UpdateServiceRequest("web", task_definition=world.define({"image": "up", "command": ["2"]})),
    )


def shown(world: World) -> Service:
    return active_service(world.process(), None, "web")


def settle(world: World) -> None:
    for _ in range(24):
        world.clock.seconds += 5
        reconcile(world.process())


def test_what_is_under_way_is_rolled_back(world: World) -> None:
    serve_two_releases(world)
    release = go_back(world.process(), shown(world))
    assert release.definition.endswith("app:1")
    settle(world)
    assert outcome_of(release, shown(world)) == "COMPLETED"
    assert str(shown(world).task_definition).endswith("app:1")


def test_what_is_deployed_gives_way_to_what_was_before(world: World) -> None:
    serve_two_releases(world)
    settle(world)
    release = go_back(world.process(), shown(world))
    assert release.definition.endswith("app:1")
    assert release.previous is not None
    assert str(release.previous.task_definition).endswith("app:2")
    settle(world)
    assert outcome_of(release, shown(world)) == "COMPLETED"
    assert go_back(world.process(), shown(world)).definition.endswith("app:2")


def test_what_has_failed_gives_way_to_what_was_before(world: World, call: Any) -> None:
    serve_two_releases(world)
    settle(world)
    left = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}}
    broken = world.define({"image": "broken"})
    call("UpdateService", service="web", taskDefinition=broken, deploymentConfiguration=left)
    settle(world)
    assert (shown(world).deployments or [])[0].rollout_state == "FAILED"
    release = go_back(world.process(), shown(world))
    settle(world)
    assert outcome_of(release, shown(world)) == "COMPLETED"
    assert str(shown(world).task_definition).endswith("app:2")


def test_a_service_with_one_release_has_nothing_to_go_back_to(world: World) -> None:
    create_service(world.process(), CreateServiceRequest("web", task_definition=world.define({}), desired_count=1))
    with pytest.raises(ApiError, match="nothing to go back to"):
        go_back(world.process(), shown(world))


def subnet(name: str) -> dict[str, Any]:
    return {"networkConfiguration": {"awsvpcConfiguration": {"subnets": [name]}}}


OF_A = subnet("subnet-a")


def registered(*names: str) -> dict[str, Any]:
    return {"serviceRegistries": [{"registryArn": name} for name in names]}


def connected(namespace: str) -> dict[str, Any]:
    return {"serviceConnectConfiguration": {"enabled": True, "namespace": namespace}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, subnet("subnet-b")),
        ({}, registered("web")),
        (registered("web"), registered()),
        ({}, connected("shop")),
        (connected("shop"), {"serviceConnectConfiguration": {"enabled": False}}),
        (connected("shop"), {**connected("yard"), **subnet("subnet-b")}),
    ],
)
@pytest.mark.parametrize("is_new", [False, True])
def test_the_network_and_the_names_are_those_from_before(
    world: World, call: Any, before: dict[str, Any], after: dict[str, Any], is_new: bool
) -> None:
    first = world.define({}, networkMode="awsvpc")
    second = world.define({"command": ["2"]}, networkMode="awsvpc") if is_new else first
    call("CreateService", **{"serviceName": "web", "desiredCount": 1, "taskDefinition": first, **OF_A, **before})
    settle(world)
    old = told(call)
    call("UpdateService", service="web", taskDefinition=second, **after)
    settle(world)
    new = told(call)
    assert new != old
    for wanted in (old, new, old):
        release = go_back(world.process(), shown(world))
        settle(world)
        assert outcome_of(release, shown(world)) == "COMPLETED"
        assert told(call) == wanted


def told(call: Any) -> list[Any]:
    """What a rollback restores, as the service and its newest service revision have it."""
    (service,) = call("DescribeServices", services=["web"])["services"]
    arn = service["currentServiceRevisions"][0]["arn"]
    (revision,) = call("DescribeServiceRevisions", serviceRevisionArns=[arn])["serviceRevisions"]
    connect = revision.get("serviceConnectConfiguration", {"enabled": False})
    fields = ("taskDefinition", "networkConfiguration", "serviceRegistries")
    return [connect, *(shape.get(field) for shape in (service, revision) for field in fields)]


def test_the_volumes_are_those_from_before(world: World) -> None:
    request = {"serviceName": "web", "taskDefinition": define(world), "desiredCount": 1}
    create_service(process(world), decode(CreateServiceRequest, {**request, "volumeConfigurations": volume()}))

    def settled() -> int | None:
        for _ in range(24):
            world.clock.seconds += 5
            reconcile(process(world))
        (task,) = [record for record in world.tasks() if record.is_wanted]
        assert task.volume is not None
        assert task.volume.managed_ebs_volume is not None
        return task.volume.managed_ebs_volume.size_in_gib

    assert settled() == 10
    bigger = {"service": "web", "volumeConfigurations": volume(sizeInGiB=20)}
    update_service(process(world), decode(UpdateServiceRequest, bigger))
    assert settled() == 20
    go_back(process(world), shown(world))
    assert settled() == 10


def test_how_many_and_where_stays_as_it_is(world: World, call: Any) -> None:
    serve_two_releases(world)
    settle(world)
    placed = {"placementStrategy": [{"type": "spread", "field": "attribute:ecs.availability-zone"}]}
    kept = {
        "desiredCount": 2,
        "deploymentConfiguration": {"maximumPercent": 150, "minimumHealthyPercent": 50},
        **placed,
    }
    call("UpdateService", service="web", **kept)
    settle(world)
    go_back(world.process(), shown(world))
    (service,) = call("DescribeServices", services=["web"])["services"]
    assert service["taskDefinition"].endswith("app:1")
    assert (service["desiredCount"], service["placementStrategy"]) == (2, placed["placementStrategy"])
    assert service["deploymentConfiguration"]["maximumPercent"] == 150
