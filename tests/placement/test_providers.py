"""How tasks are divided among capacity providers.

Source: ECS API_CapacityProviderStrategyItem, and ECS developer guide, "Amazon ECS capacity providers".
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecsctl.model.cluster import CapacityProviderStrategyItem
from ecsctl.placement.fleet import Fleet, requirements
from ecsctl.placement.place import place
from ecsctl.placement.providers import shares
from tests.making import strategy
from tests.placement.test_place import GROUP, SMALL, first, host


@pytest.mark.parametrize(
    ("text", "there", "count", "expected"),
    [
        ("a:1 b:1", {}, 10, {"a": 5, "b": 5}),
        ("a:1 b:4", {}, 10, {"a": 2, "b": 8}),  # "for every one task on A, four tasks on B"
        ("a:1 b:1", {}, 3, {"a": 2, "b": 1}),
        ("a:0+2 b:1", {}, 6, {"a": 2, "b": 4}),
        ("a:1+2 b:3", {}, 10, {"a": 4, "b": 6}),
        ("a:1+2 b:3", {}, 1, {"a": 1}),
        ("a", {}, 3, {"a": 3}),
        ("a:0 b:1", {}, 3, {"b": 3}),
        ("a:1 b:1", {"a": 4}, 4, {"b": 4}),
        ("a:1 b:1", {"a": 3, "b": 1}, 4, {"a": 1, "b": 3}),
        ("a:0+2 b:1", {"b": 4}, 2, {"a": 2}),
        ("a:1 b:1", {"gone": 5}, 2, {"a": 1, "b": 1}),
        ("", {}, 4, {None: 4}),
        ("a:1", {}, 0, {}),
    ],
)
def test_the_share_of_each_provider(text: str, there: dict[str | None, int], count: int, expected: object) -> None:
    assert shares(strategy(text), there, count) == expected


WEIGHTS = st.lists(st.integers(0, 5), min_size=1, max_size=4).filter(any)


@given(WEIGHTS, st.integers(0, 60), st.data())
def test_the_ratio_is_kept_however_the_tasks_come(weights: list[int], count: int, data: st.DataObject) -> None:
    items = [CapacityProviderStrategyItem(f"p{n}", weight=weight) for n, weight in enumerate(weights)]
    at_once = shares(items, {}, count)
    assert sum(at_once.values()) == count
    bit_by_bit: dict[str | None, int] = {}
    left = count
    while left:
        step = data.draw(st.integers(1, left))
        for name, number in shares(items, bit_by_bit, step).items():
            bit_by_bit[name] = bit_by_bit.get(name, 0) + number
        left -= step
    assert bit_by_bit == at_once
    for n, weight in enumerate(weights if len(weights) > 1 else [1]):
        exact = count * weight / sum(weights if len(weights) > 1 else [1])
        assert abs(at_once.get(f"p{n}", 0) - exact) < max(1, len(weights) - 1) + 1e-9


def test_tasks_go_to_the_hosts_of_their_provider() -> None:
    hosts = [host("h0", provider="a"), host("h1", provider="b"), host("h2")]
    placed = place(Fleet(hosts), requirements(SMALL, GROUP), 4, first, strategy("a:1 b:1"))
    assert [(p.host.arn, p.provider) for p in placed if p.host] == [("h0", "a"), ("h0", "a"), ("h1", "b"), ("h1", "b")]


def test_a_provider_without_room_leaves_its_share_unplaced() -> None:
    hosts = [host("h0", provider="a", memory_free=100), host("h1", provider="b")]
    placed = place(Fleet(hosts), requirements(SMALL, GROUP), 4, first, strategy("a:1 b:1"))
    assert [p.provider for p in placed if p.host] == ["a", "b", "b"]
    (failed,) = (p for p in placed if not p.host)
    assert {r.arn: r.reason for r in failed.rejections} == {"h0": "RESOURCE:MEMORY", "h1": "CAPACITY PROVIDER"}


@pytest.mark.parametrize("name", ["FARGATE", "FARGATE_SPOT"])
def test_any_host_serves_fargate(name: str) -> None:
    placed = place(Fleet([host("h0", provider="a")]), requirements(SMALL, GROUP), 1, first, strategy(name))
    assert [(p.host.arn, p.provider) for p in placed if p.host] == [("h0", name)]
