"""What two engines must do that others can become one swarm: for simulated ones here, and for real ones in the lab."""

from __future__ import annotations

import pytest

from ecsctl.engine.port import SwarmMember
from ecsctl.model.errors import Conflict, EngineRefused, NetworkNotFound
from tests.engine.contract import NETWORKED, World

LABEL = "ecsctl.test"


def two_engines_become_one_swarm(one: World, other: World) -> None:
    """Neither is in one yet, and both are when this returns."""
    for world in (one, other):
        assert world.engine.swarm() == SwarmMember()
        with pytest.raises(EngineRefused):
            world.engine.join_tokens()
    one.engine.init_swarm()
    began = one.engine.swarm()
    assert (began.state, began.is_manager, [*began.managers]) == ("active", True, [began.node])
    with pytest.raises(Conflict, match="already part of a swarm"):
        one.engine.init_swarm()
    tokens = one.engine.join_tokens()
    assert tokens.worker not in repr(tokens)
    assert tokens.manager not in repr(tokens)
    nowhere = f"{began.address.rpartition('.')[0]}.200:2377"
    with pytest.raises(EngineRefused, match="does not get through"):
        other.engine.join_swarm([nowhere], tokens.worker)
    assert other.engine.swarm().state == "inactive", "it does not go on trying"
    other.engine.join_swarm([*began.managers.values()], tokens.worker)
    joined = other.engine.swarm()
    assert (joined.state, joined.is_manager, joined.managers) == ("active", False, began.managers)
    assert joined.node != began.node
    with pytest.raises(Conflict, match="already part of a swarm"):
        other.engine.join_swarm([*began.managers.values()], tokens.worker)


def a_manager_makes_networks_of_both(one: World, other: World) -> None:
    """The networks stay there, in use."""
    name = one.name("overlay")
    with pytest.raises(EngineRefused):
        other.engine.create_overlay(name, {LABEL: "x"})
    inside = other.create("forever", "inside", NetworkMode=name)
    with pytest.raises(NetworkNotFound, match="not found"):
        other.engine.start(inside)
    one.engine.create_network(one.name("own"), {LABEL: "x"}, internal=True)
    with pytest.raises(Conflict, match="of its own"):
        one.engine.create_overlay(one.name("own"), {LABEL: "x"})
    one.engine.remove_network(one.name("own"))
    one.engine.create_overlay(name, {LABEL: "x"}, internal=True)
    one.engine.create_overlay(name, {LABEL: "x"}, internal=True)
    end = one.now() + 10
    while (found := [(each.name, each.driver) for each in one.engine.list_networks(LABEL)]) != [(name, "overlay")]:
        assert one.now() < end, found  # it takes a manager a moment to list it
        one.sleep(0.1)
    other.engine.start(inside)
    further = one.create("forever", "further", NetworkMode=NETWORKED)
    one.engine.connect_network(name, further, ["web"])
    one.engine.start(further)
    for world, container in ((one, further), (other, inside)):
        assert name in {address.network for address in world.engine.inspect(container).addresses}
    with pytest.raises(Conflict):
        one.engine.remove_network(name)
    one.engine.disconnect_network(name, further)
    assert name not in {address.network for address in one.engine.inspect(further).addresses}


def without_a_manager_nothing_gets_into_a_network_of_both(one: World, other: World) -> None:
    """The only manager, `one`, does not answer."""
    late = other.create("forever", "late", NetworkMode=one.name("overlay"))
    with pytest.raises(EngineRefused, match="no manager of its swarm answers"):
        other.engine.start(late)
    assert other.engine.inspect(late).state == "created"


def they_part(one: World, other: World) -> None:
    for world in (other, one, other, one):
        world.engine.leave_swarm()
        assert world.engine.swarm().state == "inactive"
