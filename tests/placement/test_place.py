"""Placement, on hosts that are only numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from ecsctl.model.record import decode, evolve
from ecsctl.model.task import TaskOverride
from ecsctl.model.task_launch import PlacementConstraint, PlacementStrategy
from ecsctl.placement.demand import Demand, demand_of
from ecsctl.placement.fleet import Fleet, Rejection, Requirements, requirements
from ecsctl.placement.host import ARCHITECTURE, TASK_LIMIT, ZONE, Host
from ecsctl.placement.place import place
from ecsctl.placement.port_ranges import PortRange, free_rows
from ecsctl.placement.search import Search
from tests.making import definition, strategy

SMALL = Demand(cpu=100, memory=100)
GROUP = "service:web"
BY_ZONE = PlacementStrategy(type="spread", field=f"attribute:{ZONE}")
BY_RACK = PlacementStrategy(type="spread", field="attribute:rack")
BY_HOST = PlacementStrategy(type="spread", field="instanceId")
BY_MEMORY = PlacementStrategy(type="binpack", field="memory")
BY_CPU = PlacementStrategy(type="binpack", field="CPU")
AT_RANDOM = PlacementStrategy(type="random")
DISTINCT = PlacementConstraint(type="distinctInstance")


def host(name: str, zone: str | None = None, tasks: int = 0, **more: Any) -> Host:
    given: dict[str, Any] = {"cpu_total": 1000, "memory_total": 1000, "cpu_free": 1000, "memory_free": 1000, **more}
    return Host(name, **given, attributes={ZONE: zone} if zone else {}, groups={GROUP: tasks} if tasks else {})


def member_of(expression: str) -> PlacementConstraint:
    return PlacementConstraint(type="memberOf", expression=expression)


def first(_: int) -> int:
    return 0


def seeded(seed: int) -> Callable[[int], int]:
    return Random(seed).randrange  # noqa: S311 it is to be the same each time


def where(
    hosts: list[Host], *chain: PlacementStrategy | PlacementConstraint, demand: Demand = SMALL, count: int = 1
) -> list[str]:
    """The hosts of so many tasks, until there is none for one."""
    strategies = [one for one in chain if isinstance(one, PlacementStrategy)]
    constraints = [one for one in chain if isinstance(one, PlacementConstraint)]
    placed = place(Fleet(hosts), requirements(demand, GROUP, strategies, constraints), count, first)
    return [placement.host.arn for placement in placed if placement.host]


def why(found: Host, *constraints: PlacementConstraint, demand: Demand = SMALL) -> Rejection:
    (placement,) = place(Fleet([found]), requirements(demand, GROUP, (), constraints), 1, first)
    (rejection,) = placement.rejections
    assert placement.host is None
    return rejection


# Whether a host fits


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"memory_free": 99}, "RESOURCE:MEMORY"),
        ({"cpu_free": 99}, "RESOURCE:CPU"),
        ({"ports": frozenset({(80, "tcp")})}, "RESOURCE:PORTS"),
        ({"connected": False}, "AGENT"),
        ({"active": False}, "INACTIVE"),
        ({"attributes": {"ecs.cpu-architecture": "arm64"}}, "ATTRIBUTE"),
        ({"attributes": {"ecs.os-type": "windows"}}, "ATTRIBUTE"),
        ({"attributes": {TASK_LIMIT: "2"}, "groups": {"family:a": 1, "family:b": 1}}, "RESOURCE:TASKS"),
    ],
)
def test_a_host_that_does_not_fit_says_why(changed: dict[str, Any], reason: str) -> None:
    demand = Demand(100, 100, frozenset({(80, "tcp")}), "x86_64", "linux")
    assert why(evolve(host("a"), **changed), demand=demand).reason == reason


def test_a_host_is_full_when_it_has_the_tasks_it_takes() -> None:
    limited = evolve(host("a"), attributes={TASK_LIMIT: "3"}, groups={"family:other": 1})
    assert where([limited], count=5) == ["a", "a"]


def test_the_same_port_of_another_protocol_is_free() -> None:
    demand = Demand(1, 1, frozenset({(53, "udp")}))
    assert where([host("a", ports=frozenset({(53, "tcp")}))], demand=demand) == ["a"]


def test_ports_in_a_row_are_taken_as_long_as_there_are_any() -> None:
    demand = Demand(1, 1, ranges=(PortRange(1500, "tcp"), PortRange(1500, "tcp")))
    assert where([host("a"), host("b")], demand=demand, count=5) == ["a", "b"]
    assert free_rows({(61001, "tcp"), (61005, "udp")}, [PortRange(3, "tcp"), PortRange(3, "udp")]) == [61002, 61000]
    said = why(host("a"), demand=Demand(1, 1, ranges=(PortRange(5000, "udp"),)))
    assert (said.reason, said.detail) == ("RESOURCE:PORTS", "not so many in a row are free: 5000/udp")


def test_a_host_port_is_taken_once() -> None:
    assert where([host("a"), host("b")], demand=Demand(1, 1, frozenset({(80, "tcp")})), count=5) == ["a", "b"]


def test_distinct_instances_have_one_task_each() -> None:
    assert where([host("a", tasks=1), host("b"), host("c")], DISTINCT, count=5) == ["b", "c"]
    rejection = why(host("a", tasks=1), DISTINCT)
    assert rejection.reason == "distinctInstance placement constraint unsatisfied."


def test_members_are_chosen_by_a_query() -> None:
    hosts = [host("a", "1"), host("b", "2"), host("c", "1")]
    assert where(hosts, member_of(f"attribute:{ZONE} == 1"), BY_HOST, count=4) == ["a", "c", "a", "c"]
    rejection = why(hosts[1], member_of(f"attribute:{ZONE} == 1"))
    assert rejection.reason == "MemberOf placement constraint unsatisfied."
    assert rejection.detail == f"needs attribute:{ZONE} == 1, has 2"


def test_a_query_for_tasks_sees_those_just_placed() -> None:
    """ECS developer guide, "Define which container instances Amazon ECS uses for tasks": anti-affinity by group."""
    apart = member_of(f"not(task:group == {GROUP})")
    assert where([host("a"), host("b"), host("c", tasks=1)], apart, count=5) == ["a", "b"]
    assert where([host("a"), host("b", running_tasks=1)], member_of("runningTasksCount < 2"), BY_HOST, count=9) == [
        *("a", "b", "a")
    ]


def test_affinity_goes_where_the_group_is() -> None:
    assert where([host("a"), host("b", tasks=1)], member_of(f"task:group == {GROUP}"), count=2) == ["b", "b"]


# Which of those that fit


def test_binpack_takes_the_fullest_host_that_fits() -> None:
    hosts = [host("a"), host("b", memory_free=250), host("c", memory_free=50)]
    assert where(hosts, BY_MEMORY, count=4) == ["b", "b", "a", "a"]


def test_spread_takes_the_emptiest_zone_then_the_emptiest_host() -> None:
    hosts = [host("a", "1", 1), host("b", "1"), host("c", "2", 1)]
    assert where(hosts, BY_HOST) == ["b"]
    assert where([hosts[0], host("b", "1", 1), hosts[2]], BY_ZONE, BY_HOST) == ["c"]


def test_a_zone_counts_its_full_hosts_too() -> None:
    hosts = [host("full", "1", 5, memory_free=0), host("a", "1"), host("b", "2", 1)]
    assert where(hosts, BY_ZONE) == ["b"]


def test_a_second_attribute_is_spread_over_within_the_first() -> None:
    """The same rack number in two zones is two racks."""
    hosts = [evolve(host(f"{z}{r}"), attributes={ZONE: z, "rack": r}) for z in "ab" for r in "12"]
    placed = where(hosts, BY_ZONE, BY_RACK, count=8)
    assert sorted(placed[:4]) == sorted(placed[4:]) == ["a1", "a2", "b1", "b2"]
    assert {name[0] for name in placed[:2]} == {name[0] for name in placed[2:4]} == {"a", "b"}


def test_spread_then_binpack_fills_hosts_within_each_zone() -> None:
    """ECS developer guide, "Use strategies to define Amazon ECS task placement": spread over zones, then binpack."""
    hosts = [host(f"{zone}{n}", zone) for zone in "ab" for n in range(3)]
    placed = where(hosts, BY_ZONE, BY_MEMORY, count=8)
    assert placed.count("a0") == placed.count("b0") == 4


def test_random_reaches_every_host() -> None:
    hosts = [host(name, memory_free=100) for name in "abc"]
    assert sorted(where(hosts, AT_RANDOM, count=9)) == ["a", "b", "c"]
    fleet = Fleet(host(name) for name in "abc")
    search = Search(fleet, requirements(SMALL, GROUP), seeded(1))
    assert {search.take() for _ in range(25)} == {0, 1, 2}


def test_the_draw_decides_among_equals() -> None:
    chosen = [
        place(Fleet([host("a"), host("b"), host("c")]), requirements(SMALL, GROUP, [BY_HOST]), 1, lambda _, n=n: n)  # type: ignore[misc]
        for n in range(3)
    ]
    assert [found[0].host.arn for found in chosen if found[0].host] == ["a", "b", "c"]


# What a task takes


def test_what_a_task_takes() -> None:
    made = definition(
        {"name": "a", "cpu": 10, "memory": 100, "memoryReservation": 50, "portMappings": [{"containerPort": 80}]},
        {"name": "b", "cpu": 5, "memory": 30, "portMappings": [{"containerPort": 1, "hostPort": 8080}]},
    )
    assert demand_of(made, None) == Demand(15, 80, frozenset({(8080, "tcp")}))
    overrides = decode(TaskOverride, {"containerOverrides": [{"name": "b", "memory": 60, "cpu": 7}]})
    assert astuple(demand_of(made, overrides))[:2] == (17, 110)
    sized = definition({"name": "a", "cpu": 10}, cpu="1 vCPU", memory="2 GB")
    assert astuple(demand_of(sized, None))[:2] == (1024, 2048)


def test_in_host_mode_each_container_port_is_a_host_port() -> None:
    made = definition({"name": "a", "portMappings": [{"containerPort": 80}]}, networkMode="host")
    assert demand_of(made, None).ports == frozenset({(80, "tcp")})


def test_what_a_task_is_built_for_is_what_attributes_say() -> None:
    platform = {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}
    assert astuple(demand_of(definition({"name": "a"}, runtimePlatform=platform), None))[3:5] == ("arm64", "linux")


# Against a reference that looks at every host for each task

CHAINS = st.lists(st.sampled_from([BY_ZONE, BY_RACK, BY_HOST, BY_MEMORY, BY_CPU, AT_RANDOM]), max_size=5)
Rule = tuple[PlacementConstraint, Callable[[Host], bool]]
"""A constraint, and what it means in other words."""
RULES: list[Rule] = [
    (DISTINCT, lambda found: not found.groups.get(GROUP)),
    (member_of(f"attribute:{ZONE} in [a, b]"), lambda found: found.attribute(ZONE) in ("a", "b")),
    (member_of("attribute:rack exists"), lambda found: found.attribute("rack") is not None),
    (member_of("runningTasksCount < 3"), lambda found: found.running_tasks < 3),
    (
        member_of(f"not(task:group == {GROUP}) or attribute:rack == 1"),
        lambda found: not found.groups.get(GROUP) or found.attribute("rack") == "1",
    ),
]
CONSTRAINTS = st.lists(st.sampled_from(RULES), max_size=2)
PROVIDERS = st.sampled_from([None, None, "fast", "FARGATE"])
DEMANDS = st.tuples(
    st.integers(0, 60),
    st.integers(0, 60),
    st.frozensets(st.sampled_from([(80, "tcp"), (53, "udp")])),
    st.sampled_from([None, None, "arm64"]),
    st.none(),
    st.integers(0, 1),
).map(lambda drawn: Demand(*drawn))


@st.composite
def fleets(draw: st.DrawFn) -> list[Host]:
    hosts = []
    for number in range(draw(st.integers(1, 7))):
        cpu, memory, tasks = draw(st.integers(0, 150)), draw(st.integers(0, 150)), draw(st.integers(0, 2))
        attributes: dict[str, str | None] = {}
        for name, values in ((ZONE, "abc"), ("rack", "12"), (TASK_LIMIT, "4"), (ARCHITECTURE, ("arm64", "x86_64"))):
            if (value := draw(st.sampled_from([None, *values]))) is not None:
                attributes[name] = value
        groups = {GROUP: tasks} if tasks else {}
        gpus = ("a", "b", "c")[: draw(st.integers(0, 3))]
        found = Host(f"h{number}", 150, 150, cpu, memory, attributes=attributes, groups=groups, gpus=gpus)
        found = evolve(found, active=draw(st.integers(0, 9)) > 0, connected=draw(st.integers(0, 9)) > 0)
        found = evolve(
            found,
            ports=draw(st.sampled_from([frozenset(), frozenset({(80, "tcp")})])),
            stopping=draw(st.sampled_from([0, 0, 2])),
            running_tasks=draw(st.integers(0, tasks)),
            provider=draw(st.sampled_from([None, "fast", "slow"])),
        )
        hosts.append(found)
    return hosts


def fits(found: Host, asked: Requirements, rules: Sequence[Rule] = ()) -> bool:
    """Whether a host takes such a task, said anew."""
    demand, limit, architecture = asked.demand, found.attribute(TASK_LIMIT), found.attribute(ARCHITECTURE)
    return (
        found.active
        and found.connected
        and found.cpu_free >= demand.cpu
        and found.memory_free >= demand.memory
        and len(found.gpus) >= demand.gpus
        and demand.ports.isdisjoint(found.ports)
        and (limit is None or sum(found.groups.values()) + found.stopping < int(limit))
        and (None in (demand.architecture, architecture) or demand.architecture == architecture)
        and asked.provider in (None, "FARGATE", found.provider)
        and all(is_met(found) for _, is_met in rules)
    )


def with_task(found: Host, asked: Requirements) -> Host:
    demand = asked.demand
    return evolve(
        found,
        cpu_free=found.cpu_free - demand.cpu,
        memory_free=found.memory_free - demand.memory,
        ports=found.ports | demand.ports,
        gpus=found.gpus[demand.gpus :],
        groups={**found.groups, asked.group: found.groups.get(asked.group, 0) + 1},
        running_tasks=found.running_tasks + 1,
    )


def best(hosts: Sequence[Host], asked: Requirements, rules: Sequence[Rule]) -> set[str]:
    """By ARN, all that are as good as can be: each strategy narrows what the one before it left."""
    left = [found for found in hosts if fits(found, asked, rules)]
    within: list[str] = []
    for one in asked.strategies:
        if one.type == "random" or not left:
            break
        field = one.field or ""
        if field.startswith("attribute:"):
            within.append(field.removeprefix("attribute:"))

        def measure(found: Host, strategy: PlacementStrategy = one, names: tuple[str, ...] = tuple(within)) -> int:
            if strategy.type == "binpack":
                return found.cpu_free if strategy.field == "CPU" else found.memory_free
            if strategy == BY_HOST:
                return found.groups.get(asked.group, 0)
            same = [other for other in hosts if all(other.attribute(n) == found.attribute(n) for n in names)]
            return sum(other.groups.get(asked.group, 0) for other in same)

        least = min(measure(found) for found in left)
        left = [found for found in left if measure(found) == least]
    return {found.arn for found in left}


@given(fleets(), DEMANDS, CHAINS, CONSTRAINTS, PROVIDERS, st.integers(0, 1000))
def test_each_task_goes_to_one_of_the_best_hosts_or_there_is_none(
    hosts: list[Host],
    demand: Demand,
    chain: list[PlacementStrategy],
    rules: list[Rule],
    provider: str | None,
    seed: int,
) -> None:
    asked = evolve(requirements(demand, GROUP, chain, [rule for rule, _ in rules]), provider=provider)
    fleet = Fleet(hosts)
    search = Search(fleet, asked, seeded(seed))
    known = {found.arn: found for found in hosts}
    for _ in range(12):
        number = search.take()
        could = best(list(known.values()), asked, rules)
        if number is None:
            assert not could
            assert len(fleet.rejections(asked)) == len(hosts)
            return
        arn = fleet.hosts[number].arn
        assert arn in could
        known[arn] = with_task(known[arn], asked)
        assert known[arn].cpu_free >= 0
        assert known[arn].memory_free >= 0


@given(
    fleets(),
    DEMANDS,
    CHAINS,
    CONSTRAINTS,
    st.sampled_from([None, "cost", "0.2", "balanced", "availability"]),
    st.sampled_from(["", "fast:1", "fast:2 slow:1", "FARGATE:1"]),
    st.integers(0, 1000),
    st.randoms(),
)
def test_neither_the_order_of_hosts_nor_another_run_changes_a_plan(
    hosts: list[Host],
    demand: Demand,
    chain: list[PlacementStrategy],
    rules: list[Rule],
    priority: str | None,
    providers: str,
    seed: int,
    shuffler: Random,
) -> None:
    asked = requirements(demand, GROUP, chain, [rule for rule, _ in rules], priority)
    plan = place(Fleet(hosts), asked, 8, seeded(seed), strategy(providers))
    shuffler.shuffle(hosts)
    assert place(Fleet(hosts), asked, 8, seeded(seed), strategy(providers)) == plan
    known = {found.arn: found for found in hosts}
    for placement in plan:  # whatever they are placed by, each fits
        mine = evolve(asked, provider=placement.provider)
        if placement.host:
            assert fits(known[placement.host.arn], mine, rules)
            known[placement.host.arn] = with_task(known[placement.host.arn], mine)
        else:
            assert not any(fits(found, mine, rules) for found in known.values())


@given(fleets(), st.lists(st.tuples(DEMANDS, CHAINS), max_size=4))
def test_what_several_kinds_of_tasks_take_is_counted_together(
    hosts: list[Host], kinds: list[tuple[Demand, list[PlacementStrategy]]]
) -> None:
    fleet = Fleet(hosts)
    known = {found.arn: found for found in fleet.hosts}
    for number, (demand, chain) in enumerate(kinds):
        asked = requirements(demand, f"family:{number}", chain)
        for placement in place(fleet, asked, 3, first):
            if placement.host:
                assert fits(known[placement.host.arn], asked)
                known[placement.host.arn] = with_task(known[placement.host.arn], asked)
    assert fleet.memory == [found.memory_free for found in known.values()]
