"""Why things are where they are, and where they would go."""

from __future__ import annotations

from typing import Any

import pytest

from ecsctl.model.api.task_definitions import RegisterTaskDefinitionRequest
from ecsctl.model.api.tasks import RunTaskRequest
from ecsctl.model.errors import ApiError, InputError
from ecsctl.model.explanation import Explanation
from ecsctl.model.record import decode
from ecsctl.operations.explain import explain_resource, plan_tasks
from ecsctl.operations.hosts import HostOptions, register_host
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.tasks import run_task
from ecsctl.store.tables import TASK_DEFINITIONS
from tests.controller.world import World

NONE_BY_DEFAULT = "defaultCapacityProviderStrategy"
SPREAD = [{"type": "spread", "field": "attribute:ecs.availability-zone"}]


def plan(world: World, **more: Any) -> Any:
    return plan_tasks(world.process(), decode(RunTaskRequest, {"taskDefinition": "app", **more}))


def told(world: World, name: str) -> Explanation:
    return explain_resource(world.process(), name)


def state(world: World) -> list[Any]:
    with world.store.read() as view:
        return [view.last_event, world.tasks()]


def test_a_plan_says_where_the_copies_would_go_and_changes_nothing(world: World) -> None:
    world.define({})
    before = state(world)
    made = plan(world, count=3, placementStrategy=SPREAD, clientToken="t")
    assert sorted(task.name for task in made.tasks) in (["host0", "host0", "host1"], ["host0", "host1", "host1"])
    assert (made.task_definition, made.count, made.failures) == ("app:1", 3, [])
    assert [(host.name, host.rank) for host in made.hosts] == [("host0", 1), ("host1", 1)]
    assert state(world) == before
    assert all(engine.list("") == [] for engine in world.engines.values())


def test_with_the_same_seed_the_tasks_go_where_the_plan_says(world: World) -> None:
    world.define({})
    request = {"taskDefinition": "app", "count": 9, "placementStrategy": [{"type": "random"}]}
    plans = [[task.name for task in plan(world, **request, seed=seed).tasks] for seed in (1, 1, 2)]
    assert plans[0] == plans[1] != plans[2]
    made = run_task(world.process(), decode(RunTaskRequest, {**request, "seed": 1})).tasks or []
    hosts = {host.container_instance_arn: host.name for host in plan(world, **request).hosts}
    assert [hosts[str(task.container_instance_arn)] for task in made] == plans[0]


def test_a_plan_says_what_has_no_room_and_what_would_help(world: World) -> None:
    world.define({"memory": 6000})
    made = plan(world, count=10)
    assert 0 < len(made.tasks) < 10
    assert {failure.reason for failure in made.failures} == {"RESOURCE:MEMORY"}


def test_a_task_larger_than_every_host_is_no_error_but_a_failure_on_each(call: Any, world: World) -> None:
    """As on ECS (API failure reasons, RESOURCE): who asks finds out what would have to change."""
    for size, reason in (({"memory": 999_999}, "RESOURCE:MEMORY"), ({"cpu": 999_999}, "RESOURCE:CPU")):
        answer = call("RunTask", taskDefinition=world.define(size))
        assert (answer["tasks"], [failure["reason"] for failure in answer["failures"]]) == ([], [reason] * 2)
        made = plan(world)
        assert [failure.reason for failure in made.failures] == [reason] * 2
        assert all(str(host.advice).startswith("never: it has ") for host in made.hosts)


def test_a_plan_refuses_what_run_task_refuses(world: World) -> None:
    for more, words in (
        ({"count": 11}, "count"),
        ({"taskDefinition": "none"}, "none"),
        ({"priority": "x"}, "priority"),
    ):
        with pytest.raises(ApiError, match=words):
            plan(world, **more)


def test_a_plan_for_a_definition_that_is_not_registered(world: World) -> None:
    new = decode(
        RegisterTaskDefinitionRequest,
        {"family": "new", "containerDefinitions": [{"name": "a", "image": "up", "memory": 16}]},
    )
    made = plan_tasks(world.process(), RunTaskRequest("new:1"), new)
    assert (made.task_definition, len(made.tasks)) == ("new:1", 1)
    with world.store.read() as view:
        assert view.find(TASK_DEFINITIONS) == []


def test_a_task_is_explained(call: Any, world: World) -> None:
    task = call("RunTask", taskDefinition=world.define({}), startedBy="me")["tasks"][0]
    arn = task["taskArn"]
    found = told(world, arn[-32:][:8])
    assert found.resource_arn == arn
    assert "is RUNNING on host" in found.summary
    assert "started by me" in found.facts
    assert [happening.what.split(":")[0] for happening in found.happened][:2] == ["TaskPlaced", "TaskPending"]
    assert found.next
    assert len(found.next.hosts) == 2
    call("StopTask", task=arn, reason="enough")
    world.clock.sleep(60)
    reconcile(world.process())
    assert "is STOPPED on host" in told(world, arn).summary
    assert "enough" in told(world, arn).summary


def test_a_task_is_explained_by_what_was_asked_for_it(call: Any, world: World) -> None:
    constraint = {"type": "memberOf", "expression": "attribute:ecs.availability-zone == zone1"}
    asked = {"placementStrategy": [{"type": "binpack", "field": "memory"}], "placementConstraints": [constraint]}
    task = call("RunTask", taskDefinition=world.define({}), **asked)["tasks"][0]
    found = told(world, task["taskArn"])
    assert {"placed by binpack memory", "only where attribute:ecs.availability-zone == zone1"} <= set(found.facts)
    assert found.next
    assert [(host.name, host.fits, host.reason) for host in found.next.hosts] == [
        ("host1", True, None),
        ("host0", False, "MemberOf placement constraint unsatisfied."),
    ]
    assert found.next.hosts[0].scores
    assert found.next.hosts[0].scores[0].strategy == "binpack memory"
    task = call("RunTask", taskDefinition="app", priority="cost")["tasks"][0]
    assert "placed by priority: cost 1, availability 0" in told(world, task["taskArn"]).facts


def test_a_task_of_a_capacity_provider_is_explained_among_its_hosts(call: Any, world: World) -> None:
    call("CreateCapacityProvider", name="fast")
    call("DeregisterContainerInstance", containerInstance="host0")
    register_host(world.process(), None, HostOptions("host0", provider="fast"))
    call("PutClusterCapacityProviders", cluster="default", capacityProviders=["fast"], **{NONE_BY_DEFAULT: []})
    mine = [{"capacityProvider": "fast", "weight": 1}]
    task = call("RunTask", taskDefinition=world.define({}), capacityProviderStrategy=mine)["tasks"][0]
    found = told(world, task["taskArn"])
    assert found.next
    assert [one.name for one in found.next.tasks] == ["host0"]
    assert {host.name: host.reason for host in found.next.hosts} == {"host0": None, "host1": "CAPACITY PROVIDER"}


def test_a_task_that_failed_says_why(call: Any, world: World) -> None:
    call("RunTask", taskDefinition=world.define({"image": "broken"}))
    reconcile(world.process())
    found = told(world, world.tasks()[0].arn)
    assert "did not start" in found.summary
    assert any("with exit code" in fact or "no such file" in fact for fact in found.facts)


def test_a_service_is_explained(call: Any, world: World) -> None:
    call("CreateService", serviceName="web", taskDefinition=world.define({"memory": 6000}), desiredCount=9)
    reconcile(world.process())
    found = told(world, "web")
    assert "service web is ACTIVE: 9 desired, " in found.summary
    (way,) = [fact for fact in found.facts if fact.startswith("in its way")]
    assert "insufficient memory available" in way
    assert found.next
    assert [host.reason for host in found.next.hosts] == ["RESOURCE:MEMORY"] * 2
    assert all("free" in str(host.advice) for host in found.next.hosts)
    assert found.happened


def test_a_daemon_is_explained(call: Any, world: World) -> None:
    call("CreateService", serviceName="d", taskDefinition=world.define({}), schedulingStrategy="DAEMON")
    reconcile(world.process())
    found = told(world, "d")
    assert "one task on each ACTIVE container instance that can take it" in found.facts
    assert found.next
    assert not any(host.fits for host in found.next.hosts)


@pytest.mark.parametrize(("name", "words"), [("wep", "did you mean web"), ("0123456789", "see `ecsctl ps`")])
def test_what_there_is_none_of(call: Any, world: World, name: str, words: str) -> None:
    call("CreateService", serviceName="web", taskDefinition=world.define({}), desiredCount=0)
    with pytest.raises(InputError, match=words):
        told(world, name)


def test_a_silent_host_does_not_keep_it_from_explaining(call: Any, world: World) -> None:
    task = call("RunTask", taskDefinition=world.define({}))["tasks"][0]
    for engine in world.engines.values():
        engine.reachable = False
    assert "RUNNING" in told(world, task["taskArn"]).summary
