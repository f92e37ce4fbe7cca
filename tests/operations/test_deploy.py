"""Deploying: which revision is made, what counts as its failure, and what it goes back to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ecsctl.model.errors import ApiError, InputError
from ecsctl.model.record import decode, to_wire
from ecsctl.model.service import Service
from ecsctl.operations.apply.mark import MARK
from ecsctl.operations.deploy import (
    Release,
    active_service,
    begin,
    follow,
    last_failure,
    outcome_of,
    revision_with,
    roll_back,
    settle_back,
)
from ecsctl.operations.registered_definition import register, registered_again, request_of
from ecsctl.store.tables import TASK_DEFINITIONS
from tests.controller.world import World
from tests.operations.test_apply import FULL_DEFINITION, FULL_SERVICE, WEB, apply

APP = "arn:aws:ecs:us-east-1:000000000000:task-definition/app:"


def serve(world: World, **more: Any) -> None:
    definition = {"family": "app", "containerDefinitions": [{"name": "main", "image": "up", "memory": 16}]}
    apply(world, definition, {"serviceName": "web", "taskDefinition": "app", "desiredCount": 1, **more})
    context = world.process()
    release = Release(WEB, "", _primary(world), APP + "1", None, frozenset())
    assert follow(context, release, lambda _: None, 60) == "COMPLETED"


def _primary(world: World) -> str:
    return str((active_service(world.process(), None, "web").deployments or [])[0].id)


def deploy(world: World, image: str, **more: Any) -> Release:
    context = world.process()
    wanted = revision_with(context, "app", {"main": image})
    release = begin(context, active_service(context, None, "web"), wanted, **more)
    assert release is not None
    return release


def seen(**fields: Any) -> Service:
    deployment = {"id": "new", "status": "PRIMARY", "rolloutState": "IN_PROGRESS", **fields.pop("primary", {})}
    return decode(Service, {"desiredCount": 1, "deployments": [deployment], **fields})


BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}


@pytest.mark.parametrize(
    ("service", "outcome"),
    [
        (seen(), "IN_PROGRESS"),
        (seen(primary={"rolloutState": "COMPLETED"}), "COMPLETED"),
        (seen(primary={"rolloutState": "FAILED"}), "FAILED"),
        (seen(primary={"failedTasks": 2}), "IN_PROGRESS"),
        (seen(primary={"failedTasks": 3}), "FAILED"),
        (seen(primary={"failedTasks": 9}, desiredCount=20), "IN_PROGRESS"),
        (seen(primary={"failedTasks": 10}, desiredCount=20), "FAILED"),
        (seen(primary={"failedTasks": 3}, deploymentConfiguration=BREAKER), "IN_PROGRESS"),
        (seen(primary={"id": "old"}), "ROLLED_BACK"),
        (seen(primary={"id": "newer"}), "REPLACED"),
    ],
)
def test_what_has_become_of_a_deployment(service: Service, outcome: str) -> None:
    release = Release(WEB, "", "new", APP + "2", None, frozenset({"old"}))
    assert outcome_of(release, service) == outcome


def test_a_revision_with_other_images_is_registered_once(world: World, call: Any) -> None:
    apply(world, FULL_DEFINITION, FULL_SERVICE)
    context = world.process()
    assert revision_with(context, "app", {"main": "up"}) == APP + "1"
    assert revision_with(context, "app", {"side": "up:2"}) == APP + "2"
    assert revision_with(context, "app:1", {"side": "up:2"}) == APP + "2"
    before, after = (call("DescribeTaskDefinition", taskDefinition=f"app:{n}", include=["TAGS"]) for n in (1, 2))
    changed = {key for key, value in after["taskDefinition"].items() if before["taskDefinition"][key] != value}
    assert changed == {"taskDefinitionArn", "revision", "containerDefinitions"}
    images = [container["image"] for container in after["taskDefinition"]["containerDefinitions"]]
    assert images == ["up", "up:2"]
    assert [tag for tag in before["tags"] if tag["key"] != MARK] == after["tags"]  # prune is not to take it


def test_a_container_that_is_not_there_is_refused_with_those_that_are(world: World) -> None:
    apply(world, FULL_DEFINITION)
    with pytest.raises(InputError, match="app has no such container; it has main, side"):
        revision_with(world.process(), "app", {"web": "up:2"})
    with world.store.read() as view:
        assert view.count(TASK_DEFINITIONS) == 1


def test_a_registered_revision_is_a_request_again(world: World) -> None:
    apply(world, FULL_DEFINITION)
    with world.store.read() as view:
        (found,) = view.find(TASK_DEFINITIONS)
    assert registered_again(request_of(found, []), found) == found
    assert "tags" not in to_wire(request_of(found, []))
    assert register(request_of(found, []), 2, "arn", None, None).volumes == found.volumes


def test_a_release_is_rolled_out(world: World) -> None:
    serve(world)
    release = deploy(world, "remote")
    looks: list[Service] = []
    assert follow(world.process(), release, looks.append, 120) == "COMPLETED"
    assert active_service(world.process(), None, "web").task_definition == APP + "2"
    assert len(looks) > 2


def test_one_that_crashes_fails_and_is_taken_back(world: World) -> None:
    serve(world)
    release = deploy(world, "once")  # exits at once
    context = world.process()
    assert follow(context, release, lambda _: None, 120) == "FAILED"
    task = last_failure(context, release)
    assert task is not None
    assert task.stopped_reason == "Essential container in task exited"
    taken_back(world, release)
    assert settle_back(context, release, lambda _: None, 120)
    assert active_service(context, None, "web").task_definition == APP + "1"


def taken_back(world: World, release: Release) -> None:
    assert release.previous is not None
    roll_back(world.process(), active_service(world.process(), None, "web"), release.previous)


def test_what_was_completed_before_comes_back_with_its_names(world: World, call: Any) -> None:
    serve(world, serviceRegistries=[{"registryArn": "old"}])
    call("UpdateService", service="web", serviceRegistries=[{"registryArn": "new"}])  # which nobody waits for
    release = deploy(world, "once")
    assert follow(world.process(), release, lambda _: None, 120) == "FAILED"
    taken_back(world, release)
    service = active_service(world.process(), None, "web")
    assert service.task_definition == APP + "1"
    assert [registry.registry_arn for registry in service.service_registries or []] == ["old"]


def test_the_services_own_circuit_breaker_takes_it_back(world: World) -> None:
    serve(world, deploymentConfiguration=BREAKER)
    release = deploy(world, "once")
    context = world.process()
    assert follow(context, release, lambda _: None, 120) == "ROLLED_BACK"
    assert last_failure(context, release) is not None


def test_what_a_service_has_already_is_not_deployed_again(world: World) -> None:
    serve(world)
    context = world.process()
    service = active_service(context, None, "web")
    assert begin(context, service, APP + "1") is None
    forced = begin(context, service, APP + "1", force=True)
    assert forced is not None
    assert (forced.previous, len(forced.before)) == (None, 1)


def test_a_deployment_that_is_under_way_is_followed(world: World) -> None:
    serve(world)
    first = deploy(world, "once")
    again = begin(world.process(), active_service(world.process(), None, "web"), APP + "2")
    assert again == first


def test_one_that_failed_is_not_taken_for_done(world: World) -> None:
    serve(world, deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": False}})
    release = deploy(world, "once")
    assert follow(world.process(), release, lambda _: None, 120) == "FAILED"
    with pytest.raises(ApiError, match="its deployment failed: deploy something else, or try it again with --force"):
        begin(world.process(), active_service(world.process(), None, "web"), APP + "2")


def test_time_is_up_while_nothing_can_be_placed(world: World) -> None:
    serve(world)
    release = begin(
        world.process(), active_service(world.process(), None, "web"), APP + world.define({"memory": 999_999})[-1]
    )
    assert release is not None
    began = world.clock.now()
    assert follow(world.process(), release, lambda _: None, 30) == "IN_PROGRESS"
    assert world.clock.now() - began < timedelta(seconds=40)
    assert last_failure(world.process(), release) is None


def test_a_service_that_is_not_active_is_refused(world: World, call: Any) -> None:
    serve(world)
    with pytest.raises(ApiError, match="Service not found: nope"):
        active_service(world.process(), None, "nope")
    call("DeleteService", service="web", force=True)
    with pytest.raises(ApiError, match="is being deleted"):
        active_service(world.process(), None, "web")
