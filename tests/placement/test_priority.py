"""Placement by priority: cost, availability, or a mix of both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ecsctl.model.errors import InputError
from ecsctl.model.record import evolve
from ecsctl.placement.demand import Demand
from ecsctl.placement.explain import explain
from ecsctl.placement.fleet import Fleet, Requirements, requirements
from ecsctl.placement.host import PRICE, ZONE, Host
from ecsctl.placement.named_priority import parse_priority
from ecsctl.placement.opening import Offer, opened
from ecsctl.placement.place import place
from ecsctl.placement.search import Search
from tests.placement.test_place import GROUP, SMALL, first

COST, BALANCED, AVAILABILITY = 0.0, 0.5, 1.0


def host(name: str, zone: str = "z", price: str | None = None, size: int = 400, **more: Any) -> Host:
    """Room for four small tasks, unless it says so."""
    given: dict[str, Any] = {"cpu_total": size, "memory_total": size, "cpu_free": size, "memory_free": size, **more}
    return Host(name, **given, attributes={ZONE: zone, **({PRICE: price} if price else {})})


def minding(availability: float, demand: Demand = SMALL) -> Requirements:
    return requirements(demand, GROUP, priority=str(availability))


def where(hosts: list[Host], availability: float, count: int) -> list[str]:
    placed = place(Fleet(hosts), minding(availability), count, first)
    return [placement.host.arn for placement in placed if placement.host]


SIX = [host("a1", "a"), host("a2", "a"), host("b1", "b"), host("b2", "b"), host("c1", "c"), host("c2", "c")]


@pytest.mark.parametrize(
    ("availability", "count", "opened", "zones"),
    [
        (COST, 4, 1, (4,)),
        (COST, 5, 2, None),
        (BALANCED, 6, 3, (2, 2, 2)),
        (BALANCED, 4, 3, (2, 1, 1)),
        (AVAILABILITY, 6, 6, (2, 2, 2)),
        (AVAILABILITY, 3, 3, (1, 1, 1)),
        (0.2, 3, 1, (3,)),
        (0.8, 6, 3, (2, 2, 2)),
    ],
)
def test_how_many_hosts_are_opened(availability: float, count: int, opened: int, zones: tuple[int, ...] | None) -> None:
    went = where(SIX, availability, count)
    assert (len(went), len(set(went))) == (count, opened)
    by_zone = Counter(name[0] for name in went)
    assert zones is None or sorted(by_zone.values(), reverse=True) == list(zones)


def test_the_cheapest_host_is_opened_first() -> None:
    hosts = [host("a1", price="0.40"), host("a2", price="0.10"), host("a3", price="0.20")]
    assert where(hosts, COST, 12) == ["a2"] * 4 + ["a3"] * 4 + ["a1"] * 4


def test_a_host_without_a_price_is_not_free_but_as_dear_as_the_dearest() -> None:
    hosts = [host("a1"), host("a2", price="0.40"), host("a3", price="0.20")]
    assert where(hosts, COST, 4) == ["a3"] * 4
    assert where(hosts[:2], COST, 8)[4:] != where(hosts[:2], COST, 8)[:4]
    free = host("a0", price="0")
    assert where([*hosts, free], COST, 4) == ["a0"] * 4
    (best, *_, last) = explain(Fleet(hosts), minding(COST))
    assert (best.host.arn, last.scores[0].text.partition(";")[0]) == ("a3", "opens a host at 0.4 an hour")
    (unpriced,) = [verdict for verdict in explain(Fleet(hosts), minding(COST)) if verdict.host.arn == "a1"]
    assert "opens a host that has no price, and counts as the dearest" in unpriced.scores[0].text
    assert unpriced.scores[0].value == last.scores[0].value


def test_a_host_that_is_in_use_costs_nothing_more() -> None:
    hosts = [host("a1", price="0.01"), evolve(host("a2", price="9"), groups={"family:x": 1})]
    assert where(hosts, COST, 1) == ["a2"]


def test_where_a_host_has_to_be_opened_it_is_in_the_emptier_zone() -> None:
    assert [name[0] for name in where(SIX, COST, 12)[::4]] in (["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"])


def test_what_a_level_zone_is_worth() -> None:
    """With 0.5 a host of the dearest price is as much as a task of imbalance."""
    hosts = [host("a1", "a", "0.10"), host("b1", "b", "1.00")]
    assert where(hosts, 0.5, 2) == ["a1", "b1"]
    assert where(hosts, 0.3, 2) == ["a1", "a1"]
    assert Counter(where(hosts, 0.3, 4)) == {"a1": 2, "b1": 2}  # 0.3 * (1 + 1) + 0.7, and not 0.3 * (1 + 2 + 3)


def test_among_equals_the_fuller_by_both_resources() -> None:
    hosts = [
        host("a1", cpu_free=100, memory_free=400, groups={"x": 1}),
        host("a2", cpu_free=200, memory_free=200, groups={"x": 1}),
        host("a3", cpu_free=400, memory_free=150, groups={"x": 1}),
    ]
    assert where(hosts, COST, 1) == ["a2"]


@pytest.mark.parametrize(
    ("tasks", "opened", "price"),
    [(1, "s", 0.1), (2, "l", 0.2), (8, "l", 0.2), (17, "ls", 0.3), (40, "llssssssss", 1.2)],
)
def test_hosts_are_opened_for_all_tasks_that_come_together(tasks: int, opened: str, price: float) -> None:
    """Not the cheapest for each: a large one is cheaper for many."""
    small = [host(f"s{number}", price="0.10", size=100) for number in range(8)]
    large = [host(f"l{number}", price="0.20", size=1600) for number in range(2)]
    went = set(where([*small, *large], COST, tasks))
    assert "".join(sorted(name[0] for name in went)) == opened
    assert sum(h.price or 0 for h in (*small, *large) if h.arn in went) == pytest.approx(price)
    (first, *_, last) = explain(Fleet([*small, *large]), minding(COST), tasks)
    assert first.host.arn[0] in opened
    assert ("which costs more for all of the tasks" in last.scores[0].text) == (1 < tasks < 40)


FLEETS = st.lists(
    st.tuples(
        st.integers(0, 5), st.integers(0, 5), st.sampled_from("abc"), st.sampled_from(["", "0", "0.1", "0.3", "2"]),
        st.integers(0, 2), st.booleans(),
    ),
    min_size=1,
    max_size=6,
)  # fmt: skip
EMPTY = st.lists(
    st.tuples(
        st.integers(0, 5), st.integers(0, 5), st.sampled_from("ab"), st.sampled_from(["", "0.1", "0.2", "0.3", "2"]),
        st.sampled_from([0, 0, 0, 0, 1]), st.sampled_from([False, False, False, True]),
    ),
    min_size=2,
    max_size=5,
)  # fmt: skip
"""As FLEETS, most of their hosts not in use."""
TENTHS = st.integers(0, 10)


def fleet_of(found: list[tuple[Any, ...]]) -> list[Host]:
    return [
        host(
            f"h{number}", zone, price or None, cpu_free=cpu * 100, memory_free=memory * 100,
            groups={name: tasks for name, tasks in ((GROUP, mine), ("family:x", int(other))) if tasks},
        )
        for number, (cpu, memory, zone, price, mine, other) in enumerate(found)
    ]  # fmt: skip


def room(h: Host) -> int:
    return min(h.cpu_free, h.memory_free) // 100


def costs(hosts: list[Host]) -> dict[str, float]:
    """What it weighs to open each, in parts of the dearest."""
    dearest = max((h.price for h in hosts if h.price is not None), default=0.0)
    return {h.arn: ((dearest if h.price is None else h.price) / dearest if dearest else 1.0) for h in hosts}


@given(FLEETS, TENTHS, st.integers(1, 12))
def test_each_task_that_comes_alone_goes_to_a_host_of_least_weight(
    found: list[tuple[Any, ...]], tenths: int, count: int
) -> None:
    hosts, availability = fleet_of(found), tenths / 10
    mine = {h.arn: h.groups.get(GROUP, 0) for h in hosts}
    added: Counter[str] = Counter()
    opening = costs(hosts)

    def weight(h: Host) -> float:
        price = 0.0 if h.tasks or added[h.arn] else opening[h.arn]
        zone = sum(mine[o.arn] + added[o.arn] for o in hosts if o.attribute(ZONE) == h.attribute(ZONE))
        return (1 - availability) * price + availability * (zone + (mine[h.arn] + added[h.arn]) / 4096)

    fleet = Fleet(hosts)
    for _ in range(count):
        left = [h for h in hosts if room(h) > added[h.arn]]
        number = Search(fleet, minding(availability), first).take()
        if number is None:
            assert left == []
            return
        chosen = fleet.hosts[number]
        assert chosen in left
        assert weight(chosen) <= min(map(weight, left)) + 1e-6
        added[chosen.arn] += 1


def weight_of(hosts: list[Host], counts: Sequence[int], availability: float) -> float:
    """Of so many tasks on each host: what is opened, and each task in a zone as much as there are before it."""
    opening = costs(hosts)
    price = sum(opening[h.arn] for h, count in zip(hosts, counts, strict=True) if count and not h.tasks)
    before: Counter[str | None] = Counter()
    for h in hosts:
        before[h.zone] += h.groups.get(GROUP, 0)
    imbalance = 0
    for h, count in zip(hosts, counts, strict=True):
        for _ in range(count):
            imbalance += before[h.zone]
            before[h.zone] += 1
    return (1 - availability) * price + availability * imbalance


@given(EMPTY, st.sampled_from([0, 0, 1, 3, 5, 9]), st.integers(2, 8), st.integers(0, 5))
def test_no_other_way_to_place_tasks_that_come_together_weighs_less(
    found: list[tuple[Any, ...]], tenths: int, count: int, turn: int
) -> None:
    """Every way there is, looked at."""
    hosts = fleet_of(found)
    placed = place(Fleet(hosts), minding(tenths / 10), count, lambda n: turn % n)
    went = Counter(placement.host.arn for placement in placed if placement.host)
    count = min(count, sum(map(room, hosts)))
    assert sum(went.values()) == count
    ways = [way for way in product(*(range(min(room(h), count) + 1) for h in hosts)) if sum(way) == count]
    least = min(weight_of(hosts, way, tenths / 10) for way in ways)
    assert weight_of(hosts, [went[h.arn] for h in hosts], tenths / 10) <= least + 1e-5


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 90)), min_size=1, max_size=40), st.integers(1, 900))
@example([(0, 1), (0, 1), (0, 48), (0, 90), (2, 2), (4, 7)], 283)
def test_for_many_tasks_what_is_opened_is_close_to_the_least_price(drawn: list[tuple[int, int]], tasks: int) -> None:
    """Against a bound: fractions of hosts, the cheapest for each task first; and of the last of these all of it."""
    offers = [Offer(price, size, [number, 1000 + number]) for number, (price, size) in enumerate(drawn)]
    chosen = opened(offers, tasks)
    price = sum(offer.price for offer in offers for number in offer.numbers if number in chosen)
    tasks = min(tasks, 2 * sum(offer.tasks for offer in offers))
    assert sum(offer.tasks for offer in offers for number in offer.numbers if number in chosen) >= tasks
    left, bound, last = tasks, 0.0, 0
    for offer in sorted(offers, key=lambda offer: offer.price / offer.tasks):
        taken = min(left, 2 * offer.tasks)
        last = offer.price if taken else last
        bound, left = bound + offer.price * taken / offer.tasks, left - taken
    dearest = max((offer.price for offer in offers if chosen & set(offer.numbers)), default=0)
    assert price <= bound + max(dearest, last)


@pytest.mark.parametrize(("text", "weight"), [("cost", 0), ("balanced", 0.5), ("availability", 1), ("0.25", 0.25)])
def test_a_priority_is_a_name_or_a_weight(text: str, weight: float) -> None:
    assert parse_priority(text) == weight


@pytest.mark.parametrize("text", ["", "cheap", "2", "-1", "nan", "inf"])
def test_what_is_no_priority(text: str) -> None:
    with pytest.raises(InputError, match="none of cost, balanced, availability"):
        parse_priority(text)
