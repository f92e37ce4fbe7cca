"""Rolling back: what is under way, or else what was deployed last."""

from __future__ import annotations

import pytest

from ecsctl.model.api.services import CreateServiceRequest, UpdateServiceRequest
from ecsctl.model.errors import ApiError
from ecsctl.model.service import Service
from ecsctl.operations.deploy import active_service, go_back, outcome_of
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.services import create_service, update_service
from tests.controller.world import World


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
    assert (release.definition[-5:], release.previous[-5:] if release.previous else "") == ("app:1", "app:2")
    settle(world)
    assert outcome_of(release, shown(world)) == "COMPLETED"
    assert go_back(world.process(), shown(world)).definition.endswith("app:2")


def test_a_service_with_one_release_has_nothing_to_go_back_to(world: World) -> None:
    create_service(world.process(), CreateServiceRequest("web", task_definition=world.define({}), desired_count=1))
    with pytest.raises(ApiError, match="nothing to go back to"):
        go_back(world.process(), shown(world))
