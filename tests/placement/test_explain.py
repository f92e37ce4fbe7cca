"""What is said of each host agrees with where the search goes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecsctl.model.task_launch import PlacementStrategy
from ecsctl.placement.demand import Demand
from ecsctl.placement.explain import explain
from ecsctl.placement.fleet import Fleet, requirements
from ecsctl.placement.host import Host
from ecsctl.placement.search import Search
from tests.placement.test_place import (
    BY_HOST,
    BY_MEMORY,
    BY_ZONE,
    CHAINS,
    CONSTRAINTS,
    DEMANDS,
    DISTINCT,
    GROUP,
    SMALL,
    Rule,
    fleets,
    host,
    member_of,
    seeded,
)


@given(fleets(), DEMANDS, CHAINS, CONSTRAINTS, st.sampled_from([None, "cost", "0.3", "availability"]), st.integers())
def test_the_first_in_rank_is_where_the_search_goes(
    hosts: list[Host],
    demand: Demand,
    chain: list[PlacementStrategy],
    rules: list[Rule],
    priority: str | None,
    seed: int,
) -> None:
    asked = requirements(demand, GROUP, chain, [rule for rule, _ in rules], priority)
    verdicts = explain(Fleet(hosts), asked)
    assert sorted(verdict.host.arn for verdict in verdicts) == sorted(found.arn for found in hosts)
    assert all((verdict.rank is None) == bool(verdict.rejection) == bool(verdict.advice) for verdict in verdicts)
    fleet = Fleet(hosts)
    number = Search(fleet, asked, seeded(seed)).take()
    first = {verdict.host.arn for verdict in verdicts if verdict.rank == 1}
    assert fleet.hosts[number].arn in first if number is not None else not first


def test_the_scores_are_in_the_order_in_which_they_decide() -> None:
    hosts = [host("a", "1", 1), host("b", "1", memory_free=300), host("c", "2", 2)]
    verdicts = explain(Fleet(hosts), requirements(SMALL, GROUP, [BY_ZONE, BY_HOST, BY_MEMORY]))
    assert [(v.host.arn, v.rank, [score.value for score in v.scores]) for v in verdicts] == [
        ("b", 1, [1, 0, 300]),
        ("a", 2, [1, 1, 1000]),
        ("c", 3, [2, 2, 1000]),
    ]
    assert [score.text for score in verdicts[0].scores] == [
        "1: 1 task of the group",
        "0 tasks of the group",
        "300 MiB free",
    ]


def test_equals_have_the_same_rank() -> None:
    verdicts = explain(Fleet([host("a"), host("b"), host("c", tasks=1)]), requirements(SMALL, GROUP, [BY_HOST]))
    assert [(v.host.arn, v.rank) for v in verdicts] == [("a", 1), ("b", 1), ("c", 3)]


@pytest.mark.parametrize(
    ("found", "asked", "advice"),
    [
        ({"memory_free": 60}, {}, "free 40 MiB"),
        ({"cpu_free": 10}, {}, "free 90 CPU units"),
        ({}, {"demand": Demand(1, 5000)}, "never: it has 1000 MiB in all"),
        ({}, {"demand": Demand(5000, 1)}, "never: it has 1000 CPU units in all"),
        ({"active": False}, {}, "--status ACTIVE"),
        ({"connected": False}, {}, "make its engine answer"),
        ({"ports": frozenset({(80, "tcp")})}, {"demand": Demand(1, 1, frozenset({(80, "tcp")}))}, "leave hostPort out"),
        ({"tasks": 1}, {"constraints": [DISTINCT]}, "stop its task of the group"),
        ({}, {"constraints": [member_of("attribute:rack == 1")]}, "put-attributes"),
    ],
)
def test_what_would_have_to_change(found: dict[str, Any], asked: dict[str, Any], advice: str) -> None:
    (verdict,) = explain(Fleet([host("a", **found)]), requirements(**{"demand": SMALL, "group": GROUP, **asked}))
    assert advice in verdict.advice
