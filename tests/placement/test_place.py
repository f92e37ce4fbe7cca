"""Placement, on hosts that are only numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecsctl.model.api.tasks import PlacementConstraint, PlacementStrategy
from ecsctl.model.record import decode
from ecsctl.model.task import TaskOverride
from ecsctl.placement.place import Demand, Host, demand_of, never_fits, place
from tests.making import definition

SMALL = Demand(cpu=100, memory=100)


def host(name: str, cpu: int = 1000, memory: int = 1000, **more: object) -> Host:
    return Host(name, cpu, memory, cpu, memory, **more)  # type: ignore[arg-type]


def first(_: int) -> int:
    return 0


def where(demand: Demand, hosts: list[Host], *strategies: PlacementStrategy) -> str | None:
    chosen = place(demand, hosts, strategies, [], first).host
    return chosen.arn if chosen else None


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"memory_free": 99}, "RESOURCE:MEMORY"),
        ({"cpu_free": 99}, "RESOURCE:CPU"),
        ({"ports": frozenset({(80, "tcp")})}, "RESOURCE:PORTS"),
        ({"connected": False}, "AGENT"),
        ({"active": False}, "INACTIVE"),
        ({"attributes": (("ecs.cpu-architecture", "arm64"),)}, "ATTRIBUTE"),
    ],
)
def test_a_host_that_does_not_fit_says_why(changed: dict[str, object], reason: str) -> None:
    demand = Demand(100, 100, frozenset({(80, "tcp")}), "X86_64")
    placement = place(demand, [host("a")._replace(**changed)], [], [], first)  # type: ignore[arg-type]
    assert placement.host is None
    assert [rejection.reason for rejection in placement.rejections] == [reason]


def test_the_same_port_of_another_protocol_is_free() -> None:
    demand = Demand(1, 1, frozenset({(53, "udp")}))
    assert where(demand, [host("a", ports=frozenset({(53, "tcp")}))]) == "a"


def test_binpack_takes_the_fullest_host_that_fits() -> None:
    hosts = [host("a"), host("b")._replace(memory_free=150), host("c")._replace(memory_free=50)]
    assert where(SMALL, hosts, PlacementStrategy(type="binpack", field="memory")) == "b"


def test_spread_takes_the_emptiest_zone_then_the_emptiest_host() -> None:
    zone = "ecs.availability-zone"
    hosts = [
        host("a", attributes=((zone, "1"),), group_tasks=1),
        host("b", attributes=((zone, "1"),), group_tasks=0),
        host("c", attributes=((zone, "2"),), group_tasks=1),
    ]
    by_zone = PlacementStrategy(type="spread", field=f"attribute:{zone}")
    assert where(SMALL, hosts, PlacementStrategy(type="spread", field="instanceId")) == "b"
    hosts[1] = hosts[1]._replace(group_tasks=1)
    assert where(SMALL, hosts, by_zone, PlacementStrategy(type="spread", field="instanceId")) == "c"


def test_a_zone_counts_its_full_hosts_too() -> None:
    zone = "ecs.availability-zone"
    hosts = [
        host("full", attributes=((zone, "1"),), group_tasks=5)._replace(memory_free=0),
        host("a", attributes=((zone, "1"),)),
        host("b", attributes=((zone, "2"),), group_tasks=1),
    ]
    assert where(SMALL, hosts, PlacementStrategy(type="spread", field=f"attribute:{zone}")) == "b"


def test_distinct_instances_have_one_task_each() -> None:
    only = [PlacementConstraint(type="distinctInstance")]
    assert place(SMALL, [host("a", group_tasks=1)], [], only, first).host is None
    chosen = place(SMALL, [host("a", group_tasks=1), host("b")], [], only, first).host
    assert chosen is not None
    assert chosen.arn == "b"


def test_the_draw_decides_among_equals() -> None:
    hosts = [host("a"), host("b"), host("c")]
    chosen = [place(SMALL, hosts, [], [], lambda _, n=n: n).host for n in range(3)]  # type: ignore[misc]
    assert [h.arn for h in chosen if h] == ["a", "b", "c"]


def test_a_task_that_no_empty_host_could_hold_is_told_from_one_that_has_to_wait() -> None:
    full = host("a")._replace(memory_free=0)
    assert never_fits(SMALL, [full]) is None
    assert "needs 2000 MiB" in str(never_fits(Demand(1, 2000), [full]))
    assert "CPU" in str(never_fits(Demand(2000, 1), [full]))


def test_what_a_task_takes() -> None:
    made = definition(
        {"name": "a", "cpu": 10, "memory": 100, "memoryReservation": 50, "portMappings": [{"containerPort": 80}]},
        {"name": "b", "cpu": 5, "memory": 30, "portMappings": [{"containerPort": 1, "hostPort": 8080}]},
    )
    assert demand_of(made, None) == Demand(15, 80, frozenset({(8080, "tcp")}))
    overrides = decode(TaskOverride, {"containerOverrides": [{"name": "b", "memory": 60, "cpu": 7}]})
    assert demand_of(made, overrides)[:2] == (17, 110)
    sized = definition({"name": "a", "cpu": 10}, cpu="1 vCPU", memory="2 GB")
    assert demand_of(sized, None)[:2] == (1024, 2048)


def test_in_host_mode_each_container_port_is_a_host_port() -> None:
    made = definition({"name": "a", "portMappings": [{"containerPort": 80}]}, networkMode="host")
    assert demand_of(made, None).ports == frozenset({(80, "tcp")})


@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), max_size=12),
    st.integers(0, 100),
)
def test_no_host_is_ever_filled_beyond_what_it_has(
    sizes: list[tuple[int, int]], tasks: list[tuple[int, int]], seed: int
) -> None:
    hosts = [host(str(n), cpu, memory) for n, (cpu, memory) in enumerate(sizes)]
    placed: dict[str, list[Demand]] = {}
    for cpu, memory in tasks:
        demand = Demand(cpu, memory)
        placement = place(demand, hosts, [], [], lambda n: seed % n)
        could = any(h.cpu_free >= cpu and h.memory_free >= memory for h in hosts)
        assert (placement.host is not None) == could
        if placement.host:
            placed.setdefault(placement.host.arn, []).append(demand)
            hosts = [h.with_task(demand) if h.arn == placement.host.arn else h for h in hosts]
    for n, (cpu, memory) in enumerate(sizes):
        assert sum(d.cpu for d in placed.get(str(n), [])) <= cpu
        assert sum(d.memory for d in placed.get(str(n), [])) <= memory
