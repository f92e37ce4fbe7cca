"""By which names a task is found, and when they are taken from it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ecsctl.model.identity import PAUSE
from ecsctl.model.observed import Observed
from ecsctl.model.record import decode, evolve
from ecsctl.model.service_network import ServiceConnectConfiguration, ServiceRegistry
from ecsctl.model.stored import Discovery, TaskRecord
from ecsctl.scheduler.decide import decide, request_stop
from ecsctl.scheduler.discovery import Registered, discovery_of, is_joined, registered
from ecsctl.scheduler.observe import fold_outcomes, fold_seen
from ecsctl.scheduler.plan import Outcome, Step
from tests.making import NOW, definition, task_of

WEB = {"name": "web", "portMappings": [{"name": "http", "containerPort": 80}]}
SIDE = {"name": "side"}
CHECK = {"healthCheck": {"command": ["CMD", "true"]}}


def found_by(
    *containers: dict[str, Any],
    connect: dict[str, Any] | None = None,
    registry: dict[str, Any] | None = None,
    default: str = "",
    **fields: Any,
) -> Discovery | None:
    return discovery_of(
        definition(*containers, **fields),
        decode(ServiceConnectConfiguration, connect) if connect else None,
        [decode(ServiceRegistry, registry)] if registry else [],
        default,
        "blue",
    )


def connect(service: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    services = [{"portName": "http", **service}] if service is not None else None
    return {"enabled": True, "namespace": "shop", **({"services": services} if services else {}), **more}


def test_a_service_has_its_discovery_name_and_its_alias_on_the_container_of_the_port() -> None:
    alias = {"clientAliases": [{"port": 80, "dnsName": "shop.example"}]}
    found = found_by(WEB, SIDE, connect=connect({"discoveryName": "web", **alias}))
    assert found == Discovery(namespace="shop", names={"web": ["web", "web.shop", "shop.example"]})
    assert found_by(WEB, connect=connect({})) == Discovery(namespace="shop", names={"web": ["http", "http.shop"]})


def test_a_task_with_a_network_interface_of_its_own_has_them_there() -> None:
    found = found_by(WEB, SIDE, connect=connect({}), networkMode="awsvpc")
    assert found == Discovery(namespace="shop", names={PAUSE: ["http", "http.shop"]})


def test_a_service_without_names_finds_others() -> None:
    assert found_by(WEB, connect=connect()) == Discovery(namespace="shop")


def test_a_task_of_a_cluster_with_a_namespace_finds_others_unless_its_service_says_no() -> None:
    assert found_by(WEB, default="shop") == Discovery(namespace="shop")
    assert found_by(WEB, default="shop", connect={"enabled": False}) is None
    assert found_by(WEB) is None


@pytest.mark.parametrize("mode", ["host", "none"])
def test_what_has_no_address_of_its_own_has_no_names(mode: str) -> None:
    assert found_by(WEB, default="shop", networkMode=mode) is None


@pytest.mark.parametrize(
    ("arn", "name", "namespace"),
    [
        ("arn:aws:servicediscovery:us-east-1:000000000000:service/srv-1", "srv-1", ""),
        ("web", "web", ""),
        ("web.shop.local", "web", "shop.local"),
    ],
)
def test_what_a_registry_says(arn: str, name: str, namespace: str) -> None:
    assert registered(ServiceRegistry(registry_arn=arn)) == Registered(name, namespace)


def test_what_is_registered_is_in_the_namespace_that_is_said_or_the_clusters_or_one_called_as_it() -> None:
    said = {"registryArn": "web.other"}
    assert found_by(WEB, registry=said, default="shop") == Discovery(
        namespace="other", names={"web": ["web", "web.other"]}
    )
    plain = {"registryArn": "web"}
    assert found_by(WEB, registry=plain, default="shop") == Discovery(
        namespace="shop", names={"web": ["web", "web.shop"]}
    )
    assert found_by(WEB, registry=plain) == Discovery(namespace="blue", names={"web": ["web", "web.blue"]})


def test_a_registry_says_which_container_it_means() -> None:
    found = found_by(WEB, SIDE, registry={"registryArn": "web", "containerName": "side"})
    assert found is not None
    assert [*found.names] == ["side"]


def test_who_is_in_the_network_of_the_namespace() -> None:
    shared = definition(WEB, networkMode="awsvpc")
    plain = definition(WEB, {**SIDE, "disableNetworking": True}, pidMode="task")
    inside = Discovery(namespace="shop")
    of_shared, of_plain = (evolve(task_of(one), discovery=inside) for one in (shared, plain))
    assert [is_joined(of_shared, shared, name) for name in (PAUSE, "web")] == [True, False]
    assert [is_joined(of_plain, plain, name) for name in (PAUSE, "web", "side")] == [False, True, False]
    assert not is_joined(task_of(shared), shared, PAUSE)


class Named:
    """A task that runs, with a health check and names."""

    def __init__(self) -> None:
        self.definition = definition({**WEB, **CHECK}, SIDE)
        self.now = NOW
        record = evolve(task_of(self.definition), discovery=Discovery(namespace="shop", names={"web": ["web"]}))
        for name in ("web", "side"):
            seen = Observed(f"id-{name}", name, {}, "running", health="healthy" if name == "web" else None)
            record = fold_seen(record, {name: seen}, NOW, asked=[name])
        self.record: TaskRecord = record

    def is_now(self, health: Any) -> list[str]:
        seen = Observed("id-web", "web", {}, "running", health=health)
        self.record = fold_seen(self.record, {"web": seen}, self.now, asked=["web"])
        return self.asked()

    def asked(self) -> list[str]:
        step: Step = decide(self.record, self.definition, self.now)
        self.record = step.record
        return [f"{action.op} {action.container}" for action in step.actions]

    def answer(self, op: Any, result: Any = "ok") -> None:
        self.record = fold_outcomes(self.record, [Outcome(op, "web", result, "no", 500)], self.now)


def test_what_is_unhealthy_loses_its_names_and_gets_them_back() -> None:
    task = Named()
    assert task.asked() == []
    assert task.is_now("unhealthy") == ["unname web"]
    task.answer("unname")
    assert task.asked() == []
    assert task.is_now("healthy") == ["name web"]
    task.answer("name")
    assert task.asked() == []


def test_names_that_the_engine_would_not_take_are_tried_again_after_a_while() -> None:
    task = Named()
    task.is_now("unhealthy")
    task.answer("unname", "refused")
    assert task.asked() == []
    task.now += timedelta(minutes=1)
    assert task.asked() == ["unname web"]


def test_what_got_no_answer_is_done_again() -> None:
    task = Named()
    task.is_now("unhealthy")
    task.answer("unname", "unknown")
    task.now += timedelta(minutes=1)
    assert task.asked() == ["unname web"]


def test_names_that_were_being_taken_when_the_task_got_well_are_given_again() -> None:
    task = Named()
    assert task.is_now("unhealthy") == ["unname web"]
    task.answer("unname", "unknown")
    assert task.is_now("healthy") == ["name web"]
    task.answer("name")
    assert task.asked() == []


def test_what_is_to_stop_is_stopped_whatever_its_names() -> None:
    task = Named()
    task.is_now("unhealthy")
    task.record = request_stop(task.record, "UserInitiated", "enough", task.now)
    assert task.asked() == ["stop web", "stop side"]
