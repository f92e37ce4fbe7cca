"""The examples of ECS's own pages: what they say is what happens.

Source: ECS developer guide, "Example Amazon ECS task placement strategies" (strategy-examples) and "Example Amazon ECS
task placement constraints" (constraint-examples). Those of the cluster query language are in test_query.py, those of
capacity provider strategies in test_providers.py.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from ecsctl.model.record import decode, evolve
from ecsctl.model.task_launch import PlacementConstraint, PlacementStrategy
from ecsctl.placement.fleet import Fleet, requirements
from ecsctl.placement.host import ZONE, Host
from ecsctl.placement.place import place
from tests.placement.test_place import GROUP, SMALL, seeded

AZ = {"field": "attribute:ecs.availability-zone", "type": "spread"}
INSTANCE = {"field": "instanceId", "type": "spread"}
MEMORY = {"field": "memory", "type": "binpack"}


def fleet() -> list[Host]:
    """Two hosts in zone a, four in zone b, all alike, each with room for ten tasks."""
    return [
        Host(f"{zone}{number}", 1000, 1000, 1000, 1000, attributes={ZONE: zone, "ecs.instance-type": kind})
        for zone, count in (("a", 2), ("b", 4))
        for number, kind in zip(range(count), ("t2.micro", "t2.large", "c5.large", "m5.large"), strict=False)
    ]


def went(
    count: int, *strategies: dict[str, Any], constraints: list[dict[str, Any]] | None = None, **changes: Any
) -> list[str]:
    """The hosts of so many tasks. `changes`: of a host (by name) what is different."""
    hosts = [evolve(host, **changes.get(host.arn, {})) for host in fleet()]
    asked = requirements(
        SMALL,
        GROUP,
        [decode(PlacementStrategy, one) for one in strategies],
        [decode(PlacementConstraint, one) for one in constraints or []],
    )
    return [placed.host.arn for placed in place(Fleet(hosts), asked, count, seeded(3)) if placed.host]


def zones(hosts: list[str]) -> dict[str, int]:
    return dict(Counter(name[0] for name in hosts))


def test_distribute_tasks_evenly_across_availability_zones() -> None:
    assert zones(went(10, AZ)) == {"a": 5, "b": 5}


def test_distribute_tasks_evenly_across_all_instances() -> None:
    assert set(Counter(went(12, INSTANCE)).values()) == {2}


def test_bin_pack_tasks_based_on_memory() -> None:
    """On the instance with the least remaining memory that is enough to run the task."""
    assert went(6, MEMORY, b2={"memory_free": 300}, a0={"memory_free": 90})[:3] == ["b2"] * 3
    assert len(set(went(10, MEMORY))) == 1


def test_place_tasks_randomly() -> None:
    assert len(set(went(40, {"type": "random"}))) == 6


def test_evenly_across_zones_and_then_evenly_across_the_instances_within_each_zone() -> None:
    there = Counter(went(16, AZ, INSTANCE))
    assert {name: there[name] for name in sorted(there)} == {"a0": 4, "a1": 4, "b0": 2, "b1": 2, "b2": 2, "b3": 2}


def test_evenly_across_zones_and_then_bin_pack_based_on_memory_within_each_zone() -> None:
    hosts = went(12, AZ, MEMORY)
    assert zones(hosts) == {"a": 6, "b": 6}
    assert len(set(hosts)) == 2


def test_evenly_across_instances_and_then_bin_pack_based_on_memory() -> None:
    hosts = went(7, INSTANCE, MEMORY, b3={"memory_free": 500})
    assert sorted(set(hosts)) == ["a0", "a1", "b0", "b1", "b2", "b3"]
    assert (hosts[0], hosts[6]) == ("b3", "b3")


def test_tasks_on_t2_instances() -> None:
    on_t2 = {"expression": "attribute:ecs.instance-type =~ t2.*", "type": "memberOf"}
    assert set(went(9, INSTANCE, constraints=[on_t2])) == {"a0", "a1", "b0", "b1"}


def test_replica_tasks_on_instances_with_tasks_of_the_daemon_service() -> None:
    beside = {"expression": "task:group == service:daemon-service", "type": "memberOf"}
    daemon = {"groups": {"service:daemon-service": 1}}
    assert went(4, constraints=[beside]) == []
    assert set(went(4, INSTANCE, constraints=[beside], a1=daemon, b2=daemon)) == {"a1", "b2"}


def test_tasks_on_instances_with_other_tasks_of_the_databases_group() -> None:
    affine = {"expression": "task:group == databases", "type": "memberOf"}
    assert set(went(3, AZ, constraints=[affine], b0={"groups": {"databases": 2}})) == {"b0"}


def test_each_task_in_the_group_on_a_different_instance() -> None:
    hosts = went(8, constraints=[{"type": "distinctInstance"}])
    assert (len(hosts), len(set(hosts))) == (6, 6)
