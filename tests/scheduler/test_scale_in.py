"""Which tasks go first, on values alone.

Source: ECS developer guide, "Amazon ECS services", on what the service scheduler does when it stops tasks.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from ecsctl.model.record import evolve
from ecsctl.model.stored import TaskRecord
from ecsctl.model.task_launch import PlacementStrategy
from ecsctl.placement.host import ZONE, Host
from ecsctl.placement.providers import shares
from ecsctl.scheduler.scale_in import stopping_order
from tests.making import NOW, definition, strategy, task_of
from tests.placement.test_place import AT_RANDOM, BY_HOST, BY_MEMORY, BY_RACK, BY_ZONE

APP = definition({"name": "main"})
HOSTS = {
    f"{zone}{rack}": Host(f"{zone}{rack}", 8, 8, 8, free, attributes={ZONE: zone, "rack": rack})
    for free, (zone, rack) in enumerate((zone, rack) for zone in "abc" for rack in "12")
}


def tasks_on(*hosts: str) -> list[TaskRecord]:
    """One per word, the oldest first: the host, with ! in front if it does not serve, and :PROVIDER behind it."""
    found = []
    for number, word in enumerate(hosts):
        host, _, provider = word.strip("!").partition(":")
        record = task_of(APP, f"{number:032x}")
        task = evolve(
            record.task,
            created_at=NOW + timedelta(seconds=number),
            last_status="PENDING" if word.startswith("!") else "RUNNING",
            container_instance_arn=host,
            availability_zone=host[0],
            capacity_provider_name=provider or None,
        )
        found.append(evolve(record, task=task))
    return found


def order(tasks: list[TaskRecord], *chain: PlacementStrategy, providers: str = "") -> list[TaskRecord]:
    return stopping_order(tasks, serves, HOSTS, chain, strategy(providers))


def serves(task: TaskRecord) -> bool:
    return task.task.last_status == "RUNNING"


def numbers(tasks: list[TaskRecord]) -> list[int]:
    return [int(task.arn[-32:], 16) for task in tasks]


def test_of_the_fullest_zone_then_of_the_fullest_instance_then_the_newest() -> None:
    tasks = tasks_on("a1", "a1", "a2", "b1", "c1", "a1")
    assert numbers(order(tasks, BY_ZONE, BY_HOST)) == [5, 1, 2, 4, 3, 0]


def test_what_does_not_serve_goes_first() -> None:
    tasks = tasks_on("a1", "a2", "a2", "!c1")
    assert numbers(order(tasks, BY_ZONE, BY_HOST))[:2] == [3, 2]


def test_whatever_is_spread_over_the_zones_stay_level() -> None:
    """ECS developer guide, "Use strategies to define Amazon ECS task placement", on spread and scale-in."""
    for chain in ([BY_HOST], [BY_RACK], [BY_MEMORY, BY_HOST]):
        assert numbers(order(tasks_on("a1", "a2", "b1"), *chain))[0] != 2
    assert numbers(order(tasks_on("a1", "b1", "b1"), BY_MEMORY))[0] == 2  # nothing is spread


def test_a_rack_is_one_within_its_zone() -> None:
    tasks = tasks_on("a1", "a1", "a1", "b1", "b2", "b2")
    assert numbers(order(tasks, BY_ZONE, BY_RACK))[:4] == [2, 5, 1, 4]


def test_binpack_takes_from_the_emptiest_host() -> None:
    tasks = tasks_on("b2", "c2", "a1", "c2")  # by what is free: c2, b2, a1
    assert numbers(order(tasks, BY_MEMORY)) == [3, 1, 0, 2]
    assert numbers(order(tasks, BY_ZONE, BY_MEMORY))[0] == 3


def test_random_and_nothing_take_the_newest() -> None:
    tasks = tasks_on("a1", "b1", "a1")
    assert numbers(order(tasks, AT_RANDOM)) == numbers(order(tasks)) == [2, 1, 0]


def test_of_a_capacity_provider_goes_what_is_beyond_its_share() -> None:
    tasks = tasks_on("a1:x", "a1:x", "b1:x", "b1:y", "c1")
    assert numbers(order(tasks, BY_ZONE, providers="x:1 y:1"))[:2] == [4, 1]


@given(
    st.lists(st.sampled_from(["a1:x", "a2:y", "b1:x", "b2:y", "!a1:y"]), max_size=14),
    st.sampled_from(["x:1 y:1", "x:1+1 y:3"]),
)
def test_however_many_go_each_provider_keeps_its_share_if_it_has_it(words: list[str], providers: str) -> None:
    tasks = tasks_on(*words)
    gone = order(tasks, BY_ZONE, providers=providers)
    assert sorted(numbers(gone)) == list(range(len(tasks)))
    serving = [task for task in gone if serves(task)]
    assert gone[len(gone) - len(serving) :] == serving
    there = Counter(task.task.capacity_provider_name for task in serving)
    items = strategy(providers)
    if dict(there) == shares(items, {}, len(serving)):
        for number in range(len(serving)):
            kept = Counter(task.task.capacity_provider_name for task in serving[number:])
            assert dict(kept) == shares(items, {}, len(serving) - number)


@given(st.lists(st.sampled_from(["a1", "a2", "b1", "b2", "c1", "!a1", "!b2"]), max_size=14))
def test_it_is_each_time_one_of_the_fullest(words: list[str]) -> None:
    """Against a reference that counts anew for each."""
    left = tasks_on(*words)
    for task in order(left, BY_ZONE, BY_HOST):
        zones = Counter(t.task.availability_zone for t in left)
        instances = Counter(t.task.container_instance_arn for t in left)

        def key(
            t: TaskRecord, zones: Counter[str | None] = zones, instances: Counter[str | None] = instances
        ) -> object:
            return (not serves(t), zones[t.task.availability_zone], instances[t.task.container_instance_arn])

        assert key(task) == max(map(key, left))  # type: ignore[type-var]
        left.remove(task)
