"""Which tasks make room, against all the ways there are."""

from __future__ import annotations

from itertools import chain, combinations

from hypothesis import assume, given
from hypothesis import strategies as st

from ecsctl.model.record import evolve
from ecsctl.placement.demand import Demand
from ecsctl.placement.fleet import Fleet, Requirements
from ecsctl.placement.host import Host
from ecsctl.placement.place import place
from ecsctl.placement.preemption import SPOT, Occupancy, Occupant, make_room, rank_of

SIZE = 8
HOSTS = ("a", "b")


def occupants_of(given: list[tuple[str, int, int, bool]]) -> list[Occupant]:
    """Tasks of a host, a size and a rank; the first of a host that asks for the port has it."""
    occupants, taken = [], set()
    for n, (host, size, rank, port) in enumerate(given):
        ports = frozenset({(80, "tcp")} if port and host not in taken else ())
        occupants.append(Occupant(f"t{n}", host, Demand(size, size, ports), f"g{n}", rank, n))
        taken |= {host} if ports else set()
    return occupants


def fleet_of(occupants: list[Occupant]) -> Fleet:
    fleet = Fleet([Host(name, 100, 100, SIZE, SIZE) for name in HOSTS])
    for one in occupants:
        fleet.take(HOSTS.index(one.host), one.demand, one.group)
    return fleet


def state_of(fleet: Fleet) -> tuple[object, ...]:
    return fleet.cpu, fleet.memory, fleet.ports, fleet.slots, fleet.added, fleet.groups


def asked_of(size: int, rank: int, port: bool) -> Requirements:
    return Requirements(Demand(size, size, frozenset({(80, "tcp")} if port else ())), "new", rank=rank)


TASKS = st.lists(
    st.tuples(st.sampled_from(HOSTS), st.integers(1, 6), st.integers(-1, 2), st.booleans()), max_size=6
).map(occupants_of)


@given(TASKS, st.integers(1, 9), st.integers(0, 3), st.booleans())
def test_no_more_harm_is_done_than_has_to_be(occupants: list[Occupant], size: int, rank: int, port: bool) -> None:
    asked = asked_of(size, rank, port)
    fleet = fleet_of(occupants)
    assume(all(fleet.rejection(number, asked) for number in range(len(HOSTS))))
    lower = [one for one in occupants if one.rank < rank]
    ways = []
    for group in chain.from_iterable(combinations(lower, n) for n in range(1, len(lower) + 1)):
        on = {one.host for one in group}
        rest = fleet_of([one for one in occupants if one not in group])
        if len(on) == 1 and rest.rejection(HOSTS.index(group[0].host), asked) is None:
            ways.append(group)
    found = make_room(fleet, asked, occupants)
    assert (found is None) == (not ways)
    if found is None:
        assert state_of(fleet) == state_of(fleet_of(occupants))
        return
    assert set(found.victims) in [set(way) for way in ways]
    assert fleet.rejection(found.host, asked) is None
    assert max(v.rank for v in found.victims) == min(max(v.rank for v in way) for way in ways)
    for one in found.victims:  # none of them is needless
        others = [v for v in found.victims if v is not one]
        rest = fleet_of([o for o in occupants if o not in others])
        assert rest.rejection(found.host, asked) is not None


def test_spot_tasks_go_and_make_no_others_go() -> None:
    assert rank_of(SPOT, None) == rank_of(SPOT, 7) == -1
    assert rank_of("FARGATE", None) == rank_of(None, 0) == 0
    spot, plain = occupants_of([("a", 8, -1, False), ("b", 8, 0, False)])
    fleet = fleet_of([spot, plain])
    assert make_room(fleet, evolve(asked_of(1, 0, False), provider=SPOT), [spot, plain]) is None
    found = make_room(fleet, asked_of(1, 0, False), [spot, plain])
    assert found is not None
    assert found.victims == (spot,)


def test_tasks_of_one_group_do_not_make_each_other_go() -> None:
    (one,) = occupants_of([("a", 8, 0, False)])
    fleet = fleet_of([one, evolve(one, host="b", arn="t1")])
    assert make_room(fleet, evolve(asked_of(1, 5, False), group=one.group), [one]) is None


def test_room_that_is_left_over_is_used_before_another_has_to_go() -> None:
    occupants = occupants_of([("a", 8, 0, False), ("b", 8, 0, False)])
    looks = iter([occupants])
    occupancy = Occupancy(lambda: next(looks))
    placements = place(fleet_of(occupants), asked_of(4, 1, False), 5, lambda _: 0, (), occupancy)
    assert [placement.host is not None for placement in placements] == [True] * 4 + [False]
    assert [len(placement.victims) for placement in placements] == [1, 0, 1, 0, 0]
    assert next(looks, None) is None


def test_nobody_is_asked_to_go_where_there_is_room() -> None:
    def never() -> list[Occupant]:
        raise AssertionError

    (placement,) = place(fleet_of([]), asked_of(4, 1, False), 1, lambda _: 0, (), Occupancy(never))
    assert placement.host is not None
