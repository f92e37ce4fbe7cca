"""An export says all that is wanted, and an import makes another state the same, a second time nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ecsctl.model.api.capacity_providers import CreateCapacityProviderRequest
from ecsctl.model.api.clusters import CreateClusterRequest
from ecsctl.model.api.services import CreateServiceRequest
from ecsctl.model.api.task_definitions import DeregisterTaskDefinitionRequest
from ecsctl.model.errors import InputError
from ecsctl.model.record import decode
from ecsctl.model.schedule import ScheduleTaskRequest
from ecsctl.operations.apply.carry_out import carry_out
from ecsctl.operations.apply.documents import documents_of
from ecsctl.operations.apply.plan import make_plan
from ecsctl.operations.capacity_providers import create_capacity_provider
from ecsctl.operations.clusters import create_cluster
from ecsctl.operations.default_cluster import ensure_default_cluster
from ecsctl.operations.export import export_state
from ecsctl.operations.import_state import plan_import
from ecsctl.operations.schedules import schedule_task
from ecsctl.operations.services import create_service
from ecsctl.operations.task_definitions import deregister_task_definition
from ecsctl.store.store import Store
from ecsctl.store.tables import INSTANCES, SERVICES, TASKS
from tests.controller.world import World, world_in


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_in(tmp_path, hosts=2) as made:
        yield made


@pytest.fixture
def full(world: World) -> dict[str, Any]:
    """A state with one of each, and its export as a file has it."""
    process = world.process()
    provider = {"name": "spare", "tags": [{"key": "ecsctl.hourly-price", "value": "0.05"}]}
    create_capacity_provider(process, decode(CreateCapacityProviderRequest, provider))
    strategy = [{"capacityProvider": "spare", "weight": 1}]
    cluster = {"clusterName": "blue", "capacityProviders": ["spare"], "defaultCapacityProviderStrategy": strategy}
    create_cluster(process, decode(CreateClusterRequest, {**cluster, "tags": [{"key": "a", "value": "b"}]}))
    secret = [{"name": "PASSWORD", "valueFrom": "prod/password"}]
    world.define({"environment": [{"name": "A", "value": "b"}], "secrets": secret})
    world.define({"cpu": 5})
    world.define({"cpu": 6})
    deregister_task_definition(process, DeregisterTaskDefinitionRequest(task_definition="app:2"))
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    web = {"serviceName": "web", "taskDefinition": "app", "desiredCount": 2, "deploymentConfiguration": breaker}
    world.define({}, family="plain")
    for request in (web, {"serviceName": "agent", "taskDefinition": "plain", "schedulingStrategy": "DAEMON"}):
        create_service(process, decode(CreateServiceRequest, request))
    blue = {"serviceName": "api", "cluster": "blue", "taskDefinition": "plain", "desiredCount": 0}
    create_service(process, decode(CreateServiceRequest, blue))
    nightly = {"name": "nightly", "taskDefinition": "plain", "scheduleExpression": "cron(0 3 * * ? *)"}
    schedule_task(process, decode(ScheduleTaskRequest, nightly))
    site = {"clusters": [{"clusterName": "site", "tags": []}]}
    carry_out(process, make_plan(process, documents_of([("site.yaml", site)]), "ours"), lambda _: None)
    return exported(world)


def exported(world: World) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(msgspec.json.encode(export_state(world.process())))
    return plain


def begin_anew(world: World, folder: Path) -> None:
    world.store.close()
    world.store = Store.open(folder / "new.db")
    ensure_default_cluster(world.process())


def bring_in(world: World, document: dict[str, Any]) -> list[str]:
    process = world.process()
    plan = plan_import(process, document, "export.json")
    carry_out(process, plan, lambda _: None)
    return [f"{change.action} {change.kind} {change.name}" for change in plan.pending]


def test_a_new_state_becomes_what_the_export_says(world: World, full: dict[str, Any], tmp_path: Path) -> None:
    text = json.dumps(full)
    assert "prod/password" in text
    assert [one["revision"] for one in full["taskDefinitions"] if one["family"] == "app"] == [1, 3]
    begin_anew(world, tmp_path)
    assert plan_import(world.process(), full, "x").pending
    assert exported(world) != full  # what is planned is not done
    bring_in(world, full)
    assert exported(world) == full
    assert bring_in(world, full) == []
    with world.store.read() as view:
        assert view.count(SERVICES) == 3
        assert view.count(TASKS) == 0
    world.define({"cpu": 7})
    assert exported(world)["taskDefinitions"][2]["revision"] == 4


def test_an_import_of_its_own_export_changes_nothing(world: World, full: dict[str, Any]) -> None:
    assert bring_in(world, full) == []


def test_an_import_shows_and_makes_what_differs(world: World, full: dict[str, Any]) -> None:
    full["services"][0]["desiredCount"] = 5
    full["containerInstances"][1]["attributes"].append({"name": "rack", "value": "7"})
    full["clusters"][0]["tags"] = [{"key": "c", "value": "d"}]
    done = bring_in(world, full)
    assert len(done) == 3
    assert exported(world) == full
    with world.store.read() as view:
        racks = [a.value for one in view.find(INSTANCES) for a in one.instance.attributes or [] if a.name == "rack"]
    assert racks == ["7"]


def test_a_revision_that_says_something_else_is_refused_and_nothing_is_done(world: World, full: dict[str, Any]) -> None:
    full["taskDefinitions"][0]["containerDefinitions"][0]["memory"] = 99
    full["clusters"].append({"clusterName": "new"})
    with pytest.raises(InputError, match=r"export.json: taskDefinitions\[0\]: app:1 is another one"):
        bring_in(world, full)
    assert "new" not in [cluster["clusterName"] for cluster in exported(world)["clusters"]]


def test_an_engine_that_is_registered_under_another_id_is_refused(world: World, full: dict[str, Any]) -> None:
    full["containerInstances"][0]["containerInstance"] = "f" * 32
    with pytest.raises(InputError, match=r"containerInstances\[0\]: the engine of host\d is registered already"):
        bring_in(world, full)


def test_what_is_no_export_is_refused_by_its_place(world: World) -> None:
    for data, words in (
        ([], "export.json: "),
        ({"service": []}, 'service: unknown field; did you mean "services"'),
        (
            {"taskDefinitions": [{"family": "a", "containerDefinitions": []}]},
            r"taskDefinitions\[0\].revision: is required",
        ),
        ({"services": [{"serviceName": "a", "taskDefinition": "b", "desiredCount": 1}]}, r"services\[0\]: "),
    ):
        with pytest.raises(InputError, match=words):
            plan_import(world.process(), data, "export.json")
