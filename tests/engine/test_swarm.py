"""Simulated engines become a swarm as real ones do, which the lab's tests show."""

from __future__ import annotations

from msgspec.structs import replace

from ecsctl.engine.simulated import INFO, SimulatedEngine
from ecsctl.engine.simulated_networks import Networks
from tests.engine.contract import PROGRAMS, Clock, World
from tests.engine.swarm_contract import (
    a_manager_makes_networks_of_both,
    they_part,
    two_engines_become_one_swarm,
    without_a_manager_nothing_gets_into_a_network_of_both,
)


def test_simulated_engines_keep_the_contract_of_swarms() -> None:
    clock, wire = Clock(), dict[str, Networks]()
    infos = [replace(INFO, id=name, name=name) for name in ("one", "other")]
    engines = [SimulatedEngine(clock.now, PROGRAMS, sleep=clock.sleep, info=info, wire=wire) for info in infos]
    one, other = [World(engine, lambda behaviour: behaviour, clock.sleep, clock.now) for engine in engines]
    two_engines_become_one_swarm(one, other)
    a_manager_makes_networks_of_both(one, other)
    engines[0].reachable = False
    without_a_manager_nothing_gets_into_a_network_of_both(one, other)
    engines[0].reachable = True
    they_part(one, other)
