"""Packing of a workload that is known beforehand, and simulations of it."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecsctl.model.record import evolve
from ecsctl.placement.demand import Demand
from ecsctl.placement.fleet import Fleet, requirements
from ecsctl.placement.host import ARCHITECTURE, PRICE, TASK_LIMIT, ZONE, Host
from ecsctl.placement.pack import Kind, Size, hosts_needed, lower_bound, pack
from ecsctl.placement.query import parse
from ecsctl.placement.simulation import Load, lose, needs, simulate
from tests.placement.test_place import BY_ZONE, seeded

SIZE = 12
WHOLE = Size(SIZE, SIZE, 3, 5)
PORT = frozenset({(80, "tcp")})
PORTS, GPUS = st.sampled_from([frozenset(), PORT]), st.integers(0, 2)


def demand(drawn: tuple[Any, ...]) -> Demand:
    return Demand(*drawn)


KINDS = st.lists(
    st.builds(
        Kind,
        st.tuples(
            st.integers(1, SIZE),
            st.integers(1, SIZE),
            st.sampled_from([frozenset(), PORT]),
            st.just(None),
            st.just(None),
            st.integers(0, 2),
        ).map(demand),
        st.integers(0, 12),
        st.booleans(),
    ),
    max_size=5,
)


@given(KINDS)
def test_each_task_has_a_place_and_no_host_has_too_much(kinds: list[Kind]) -> None:
    patterns = pack(WHOLE, kinds)
    placed = [sum(p.tasks.get(n, 0) * p.hosts for p in patterns) for n in range(len(kinds))]
    assert placed == [kind.tasks for kind in kinds]
    for pattern in patterns:
        assert pattern.hosts > 0
        assert sum(kinds[n].demand.cpu * count for n, count in pattern.tasks.items()) <= SIZE
        assert sum(kinds[n].demand.memory * count for n, count in pattern.tasks.items()) <= SIZE
        assert sum(count for n, count in pattern.tasks.items() if kinds[n].demand.ports) <= 1
        assert sum(kinds[n].demand.gpus * count for n, count in pattern.tasks.items()) <= WHOLE.gpus
        assert sum(pattern.tasks.values()) <= WHOLE.tasks
        assert all(count == 1 for n, count in pattern.tasks.items() if kinds[n].is_single)
    assert hosts_needed(WHOLE, kinds) >= lower_bound(WHOLE, kinds)


@given(st.lists(st.tuples(st.integers(1, SIZE), st.integers(1, SIZE)).map(demand), max_size=6))
def test_it_is_close_to_the_best_there_is(demands: list[Demand]) -> None:
    """Against a reference that tries all ways."""

    @cache
    def fewest(left: tuple[Demand, ...], hosts: tuple[tuple[int, int], ...]) -> int:
        if not left:
            return len(hosts)
        first, rest = left[0], left[1:]
        best = fewest(rest, (*hosts, (SIZE - first.cpu, SIZE - first.memory)))
        for n, (cpu, memory) in enumerate(hosts):
            if first.cpu <= cpu and first.memory <= memory:
                changed = (*hosts[:n], (cpu - first.cpu, memory - first.memory), *hosts[n + 1 :])
                best = min(best, fewest(rest, changed))
        return best

    kinds = [Kind(demand, 1) for demand in demands]
    assert lower_bound(Size(SIZE, SIZE), kinds) <= fewest(tuple(demands), ()) <= hosts_needed(Size(SIZE, SIZE), kinds)
    assert hosts_needed(Size(SIZE, SIZE), kinds) <= fewest(tuple(demands), ()) + 1


@pytest.mark.parametrize("seed", range(3))
def test_a_mix_of_sizes_is_packed_tightly(seed: int) -> None:
    random = Random(seed)  # noqa: S311 the same each time
    kinds = [Kind(Demand(128 * random.randint(1, 16), 256 * random.randint(1, 32)), 200) for _ in range(100)]
    assert hosts_needed(Size(16_384, 65_536), kinds) <= 1.05 * lower_bound(Size(16_384, 65_536), kinds)


def test_a_task_that_is_larger_than_a_host() -> None:
    with pytest.raises(ValueError, match="larger than a host"):
        pack(Size(10, 10), [Kind(Demand(1, 11), 1)])


def host(name: str, zone: str, size: int = 4, price: str = "1") -> Host:
    return Host(name, size, size, size, size, attributes={ZONE: zone, PRICE: price}, name=name)


def load(name: str, tasks: int, size: int = 1, distinct: bool = False) -> Load:
    asked = evolve(requirements(Demand(size, size), name, [BY_ZONE]), is_distinct=distinct)
    return Load(name, asked, tasks)


def test_what_fits_and_what_does_not() -> None:
    found = simulate([host("a", "x"), host("b", "y")], [load("web", 6), load("big", 3)], seeded(1))
    assert [(p.load.name, p.tasks, p.unplaced) for p in found.placed] == [("web", 6, 0), ("big", 2, 1)]
    assert {r.reason for r in found.placed[1].rejections} == {"RESOURCE:MEMORY"}
    assert found.by_zone(found.placed[0]) == {"x": 3, "y": 3}
    assert [found.taken(one) for one in found.hosts] == [(4, 4), (4, 4)]
    assert [one.arn for one in found.used] == ["a", "b"]


def test_a_zone_that_is_lost() -> None:
    hosts = [host("a", "x"), host("b", "y"), host("c", "y", size=1)]
    loss = lose(simulate(hosts, [load("web", 4)], seeded(1)), "x", seeded(1))
    assert (loss.hosts, loss.lost, loss.moved) == (1, {"web": 2}, {"web": 2})
    full = lose(simulate(hosts, [load("web", 9)], seeded(1)), "y", seeded(1))
    assert (full.hosts, full.lost, full.moved) == (2, {"web": 5}, {"web": 0})


def test_how_many_hosts_of_each_kind_are_needed() -> None:
    hosts = [host("a", "x"), host("b", "y", size=8, price="1.5")]
    found = needs(simulate(hosts, [load("web", 16), load("one", 2, distinct=True)], seeded(1)))
    assert [(n.kind.cpu_total, n.hosts, n.bound, n.price) for n in found] == [(8, 3, 3, 1.5), (4, 5, 5, 1.0)]
    (need,) = needs(simulate([host("a", "x")], [load("big", 1, size=5)], seeded(1)))
    assert need.hosts is None


def test_what_is_needed_goes_by_constraints_limits_gpus_and_architecture() -> None:
    plain = host("a", "x", size=8, price="3")
    limited = evolve(plain, arn="b", attributes={**plain.attributes, TASK_LIMIT: "2", PRICE: "1"})
    arm = evolve(plain, arn="c", attributes={**plain.attributes, ARCHITECTURE: "arm64", PRICE: "2"})
    gpus = evolve(plain, arn="d", gpus=("0", "1"), gpus_total=2, cpu_total=9, cpu_free=9)
    small, big = load("web", 8), load("learn", 3)
    for_intel = small._replace(asked=evolve(small.asked, demand=Demand(1, 1, architecture="x86_64")))
    on_gpus = big._replace(asked=evolve(big.asked, demand=Demand(1, 1, gpus=1)))
    found = {n.price: n for n in needs(simulate([plain, limited, arm], [for_intel], seeded(1)))}
    assert {price: need.hosts for price, need in found.items()} == {1.0: 4, 2.0: None, 3.0: 1}
    assert found[2.0].why == "web: ATTRIBUTE: needs x86_64, the host is arm64"
    found = {n.kind.arn: n for n in needs(simulate([plain, gpus], [on_gpus], seeded(1)))}  # type: ignore[misc]
    assert {name: need.hosts for name, need in found.items()} == {"a": None, "d": 2}  # type: ignore[comparison-overlap]
    elsewhere = load("web", 1)
    elsewhere = elsewhere._replace(asked=evolve(elsewhere.asked, queries=(parse(f"attribute:{ZONE} == y"),)))
    (need,) = needs(simulate([plain], [elsewhere], seeded(1)))
    assert (need.hosts, need.why) == (
        None,
        f"web: MemberOf placement constraint unsatisfied.: needs attribute:{ZONE} == y, has x",
    )


@given(st.lists(st.tuples(st.integers(1, 6), st.sampled_from("xyz")), min_size=1, max_size=5), KINDS)
def test_a_simulation_is_never_over_capacity(hosts: list[tuple[int, str]], kinds: list[Kind]) -> None:
    fleet = [host(f"h{n}", zone, size * 4) for n, (size, zone) in enumerate(hosts)]
    loads = [Load(f"l{n}", requirements(kind.demand, f"l{n}", [BY_ZONE]), kind.tasks) for n, kind in enumerate(kinds)]
    found = simulate(fleet, loads, seeded(1))
    for one in found.hosts:
        cpu, memory = found.taken(one)
        assert cpu <= one.cpu_total
        assert memory <= one.memory_total
    for placed in found.placed:
        assert placed.tasks + placed.unplaced == placed.load.tasks
        assert len(placed.rejections) == (len(Fleet(fleet)) if placed.unplaced else 0)
