#!/usr/bin/env python3
"""How quick the placement engine is, against one that looks at every host for each task; and how well it packs.

    make bench-placement                                   print the figures beside what is to be reached
    .venv/bin/python -m benchmarks.placement --check       the same, and exit with 1 when one is not reached

Ten services of four sizes, with as many tasks each as there are hosts: 100,000 tasks on 10,000 hosts. It needs no
container engine.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from ecsctl.controller.hosts import hosts_of
from ecsctl.model.cluster import Cluster
from ecsctl.model.common import Attribute
from ecsctl.model.container_instance import ContainerInstance
from ecsctl.model.stored import InstanceRecord
from ecsctl.model.task_launch import PlacementConstraint, PlacementStrategy
from ecsctl.operations.hosts import resources
from ecsctl.placement.demand import Demand
from ecsctl.placement.fleet import Fleet, Requirements, requirements
from ecsctl.placement.host import PRICE, ZONE, Host
from ecsctl.placement.pack import Kind, Size, hosts_needed, lower_bound
from ecsctl.placement.place import place
from ecsctl.placement.search import Search
from ecsctl.store.store import Store
from ecsctl.store.tables import CLUSTERS, INSTANCES

SIZES = (1_000, 10_000)
SERVICES = 10
DEMANDS = (Demand(256, 512), Demand(512, 1024), Demand(256, 1536), Demand(1024, 2048))
CPU, MEMORY = 16_384, 65_536
PER_SECOND, FLAT, PACKING, MEMORY_LIMIT = 100_000, 1.3, 1.05, 1024
NAIVE_TASKS = 20
FROM_STATE = 1.0
ROUNDS = 5

BY_ZONE = PlacementStrategy(type="spread", field=f"attribute:{ZONE}")
BY_HOST = PlacementStrategy(type="spread", field="instanceId")
BY_MEMORY = PlacementStrategy(type="binpack", field="memory")
MEMBERS = PlacementConstraint(
    type="memberOf", expression="attribute:ecs.instance-type =~ m5.* and attribute:rack != r7"
)


class Case(NamedTuple):
    """One line of the result."""

    name: str
    strategies: tuple[PlacementStrategy, ...]
    constraints: tuple[PlacementConstraint, ...] = ()
    priority: str | None = None


CASES = (
    Case("spread", (BY_ZONE, BY_HOST)),
    Case("binpack", (BY_MEMORY,)),
    Case("spread+binpack", (BY_ZONE, BY_MEMORY)),
    Case("distinctInstance", (BY_ZONE, BY_HOST), (PlacementConstraint(type="distinctInstance"),)),
    Case("memberOf", (BY_ZONE, BY_HOST), (MEMBERS,)),
    Case("priority balanced", (), (), "balanced"),
    Case("priority cost", (), (), "cost"),
)


def hosts(count: int) -> list[Host]:
    """Three zones, two types of different prices, a hundred racks."""
    types, prices = ("m5.4xlarge", "c5.4xlarge"), ("0.768", "0.68")
    return [
        Host(
            f"arn:{number:06}",
            *(CPU, MEMORY, CPU, MEMORY),
            attributes={
                ZONE: f"z{number % 3}",
                "ecs.instance-type": types[number % 2],
                "rack": f"r{number % 100}",
                PRICE: prices[number % 2],
            },
        )
        for number in range(count)
    ]


def services(case: Case) -> list[Requirements]:
    return [
        requirements(
            DEMANDS[number % len(DEMANDS)], f"service:{number}", case.strategies, case.constraints, case.priority
        )
        for number in range(SERVICES)
    ]


def drawer() -> Callable[[int], int]:
    return Random(1).randrange  # noqa: S311 the same each time


def place_all(found: list[Host], asked: list[Requirements]) -> float:
    """Seconds per task. The fleet is made, each service is searched for, its tasks are placed one by one."""
    began, draw, placed = time.process_time(), drawer(), 0
    fleet = Fleet(found)
    for one in asked:
        search = Search(fleet, one, draw, len(found))
        for _ in range(len(found)):
            placed += search.take() is not None
    seconds = time.process_time() - began
    if placed != len(found) * len(asked):
        sys.exit(f"{placed} of {len(found) * len(asked)} tasks were placed: the case is no measure")
    return seconds / placed


def place_naively(found: list[Host], asked: Requirements) -> float:
    """Seconds per task when every host is looked at for each."""
    fleet = Fleet(found)
    zones: dict[str | None, int] = {}
    began = time.process_time()
    for _ in range(NAIVE_TASKS):
        best = min(fleet.fitting(asked), key=lambda number: _keys(fleet, asked, number, zones))
        fleet.take(best, asked.demand, asked.group)
        zone = found[best].attribute(ZONE)
        zones[zone] = zones.get(zone, 0) + 1
    return (time.process_time() - began) / NAIVE_TASKS


def _keys(fleet: Fleet, asked: Requirements, number: int, zones: dict[str | None, int]) -> list[int]:
    members = fleet.groups.get(asked.group, {})
    return [
        zones.get(fleet.hosts[number].attribute(ZONE), 0)
        if strategy is BY_ZONE
        else members.get(number, 0)
        if strategy is BY_HOST
        else fleet.memory[number]
        for strategy in asked.strategies
    ]


def mix(tasks: int = 20_000) -> list[Kind]:
    """A hundred sizes, as many of each."""
    random = Random(7)  # noqa: S311 the same each time
    sizes = [Demand(128 * random.randint(1, 16), 256 * random.randint(1, 32)) for _ in range(100)]
    return [Kind(demand, tasks // len(sizes)) for demand in sizes]


def placed_in_turn(kinds: Sequence[Kind], priority: str | None) -> int:
    """Hosts that are used when the sizes come one after the other, and what comes later is not known."""
    fleet, draw = Fleet(hosts(sum(kind.tasks for kind in kinds) // 2)), drawer()
    for number, kind in enumerate(kinds):
        search = Search(
            fleet, requirements(kind.demand, f"service:{number}", (BY_MEMORY,), (), priority), draw, kind.tasks
        )
        for _ in range(kind.tasks):
            search.take()
    return sum(free < MEMORY for free in fleet.memory)


def packing() -> bool:
    """Print how well a mix is packed; whether that is good enough."""
    kinds = mix()
    least = lower_bound(Size(CPU, MEMORY), kinds)
    began = time.process_time()
    known = hosts_needed(Size(CPU, MEMORY), kinds)
    seconds = time.process_time() - began
    is_good = known / least <= PACKING
    print(f"a mix of 100 sizes, 20,000 tasks; at least {least} hosts are needed")
    print(
        f"  known beforehand (simulate): {known} hosts, {known / least:.3f} x (<= {PACKING}), {seconds:.2f} s"
        f"{'' if is_good else '   MISSED'}"
    )
    for name, priority in (("binpack by memory", None), ("priority cost", "cost")):
        used = placed_in_turn(kinds, priority)
        print(f"  one size after the other, {name}: {used} hosts, {used / least:.3f} x")
    return is_good


def out_of_the_state(count: int) -> float:
    """Seconds to read so many hosts from a state, and to place ten tasks on them: what run-task does."""
    prefix = "arn:aws:ecs:us-east-1:000000000000"
    cluster = Cluster(cluster_arn=f"{prefix}:cluster/default", cluster_name="default", status="ACTIVE")
    with TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "state.db")
        with store.write() as tx:
            tx.put(CLUSTERS, cluster)
            for host in hosts(count):
                instance = ContainerInstance(
                    container_instance_arn=f"{prefix}:container-instance/default/{host.arn[4:]:0>32}",
                    registered_resources=resources(CPU, MEMORY, [], []),
                    status="ACTIVE",
                    attributes=[Attribute(name=name, value=value) for name, value in host.attributes.items()],
                )
                tx.put(INSTANCES, InstanceRecord(instance, str(cluster.cluster_arn), host.arn, "unix:///x", host.arn))
        began = time.process_time()
        with store.read() as view:
            fleet = Fleet(hosts_of(view, str(cluster.cluster_arn)))
        placed = place(fleet, requirements(DEMANDS[0], "family:a", (BY_ZONE, BY_HOST)), 10, drawer())
        seconds = time.process_time() - began
        store.close()
    if len(placed) != 10:
        sys.exit("the tasks were not placed: the case is no measure")
    return seconds


def best_of(times: Iterable[float]) -> float:
    return min(times)


def _both_sizes(small: list[Host], large: list[Host], asked: list[Requirements]) -> tuple[float, float]:
    """Seconds per task on few hosts and on many, one after the other and as many tasks on each: what else the machine
    does slows both."""
    times = len(large) // len(small)
    return sum(place_all(small, asked) for _ in range(times)) / times, place_all(large, asked)


def main(arguments: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--check", action="store_true", help="exit with 1 when a figure is not reached")
    given = options.parse_args(arguments)
    small, large = (hosts(count) for count in SIZES)
    missed = False
    print(f"{'best of 5, one core':20}{'a second':>12}{'1,000':>10}{'10,000 hosts':>14}{'':>8}{'every host':>14}")
    for case in CASES:
        asked = services(case)
        rounds = [_both_sizes(small, large, asked) for _ in range(ROUNDS)]
        few, many = (best_of(column) for column in zip(*rounds, strict=True))
        growth = median(large_one / small_one for small_one, large_one in rounds)
        naive = place_naively(large, asked[0])
        is_missed = 1 / many < PER_SECOND or growth > FLAT
        missed = missed or is_missed
        print(
            f"{case.name:20}{1 / many:12,.0f}{few * 1e6:7.2f} us{many * 1e6:11.2f} us{growth:6.2f} x"
            f"{naive * 1e6:11,.0f} us{'   MISSED' if is_missed else ''}",
            flush=True,
        )
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"to reach: {PER_SECOND:,} a second, {FLAT} x from 1,000 to 10,000 hosts")
    print(f"memory: {mib} MiB (<= {MEMORY_LIMIT})")
    seconds = best_of(out_of_the_state(SIZES[-1]) for _ in range(ROUNDS))
    is_missed = seconds > FROM_STATE
    print(
        f"ten tasks on {SIZES[-1]:,} hosts out of a state: {seconds:.2f} s (<= {FROM_STATE})"
        f"{'   MISSED' if is_missed else ''}"
    )
    missed = missed or is_missed
    missed = not packing() or missed or mib > MEMORY_LIMIT
    return 1 if missed and given.check else 0


if __name__ == "__main__":
    sys.exit(main())
