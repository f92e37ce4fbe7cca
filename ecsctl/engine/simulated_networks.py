"""The networks of a simulated engine, and swarms that several simulated engines are in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from ecsctl.engine.docker_networks import LONELY, PORT
from ecsctl.engine.port import JoinTokens, Network, SwarmMember
from ecsctl.model.errors import Conflict, EngineRefused

BUILT_IN = ("bridge", "host", "none")


@dataclass
class Swarm:
    """One swarm: its nodes by their ids, which of them manage it, and its overlay networks by their names."""

    id: str
    nodes: dict[str, Networks] = field(default_factory=dict)
    managers: list[str] = field(default_factory=list)
    overlays: dict[str, Network] = field(default_factory=dict)

    @property
    def tokens(self) -> JoinTokens:
        return JoinTokens(f"worker-{self.id}", f"manager-{self.id}")

    def answers(self) -> bool:
        """Whether enough of its managers are there to decide anything."""
        return 2 * sum(self.nodes[node].reachable for node in self.managers) > len(self.managers)


class Networks:
    """Those of one engine, which others reach at `address`; `wire` has all engines that may become one swarm."""

    def __init__(self, address: str, wire: dict[str, Networks]) -> None:
        self.address = address
        self.own = {name: Network(name, name, {}) for name in BUILT_IN}
        self.reachable = True
        self._wire = wire
        self._swarm: Swarm | None = None
        self._node = ""
        wire[f"{address}:{PORT}"] = self

    def find(self, name: str) -> bool:
        """Whether containers can be put into it. EngineRefused where that takes a manager and none answers."""
        if name in self.own:
            return True
        if self._swarm is None:
            return False
        if not self._swarm.answers():
            raise EngineRefused(500, f"{LONELY} (Could not attach to network {name}: context deadline exceeded)")
        return name in self._swarm.overlays

    def create(self, network: Network) -> None:
        if self._swarm is None or network.name not in self._swarm.overlays:
            self.own.setdefault(network.name, network)

    def create_overlay(self, network: Network) -> None:
        if self._swarm is None or self._node not in self._swarm.managers:
            raise EngineRefused(403, "Cannot create a multi-host network from a worker node.")
        if network.name in self.own:
            raise Conflict(409, f"this manager of the swarm has a network {network.name} of its own")
        self._swarm.overlays.setdefault(network.name, network)

    def listing(self, label: str) -> list[Network]:
        found = [*self.own.values(), *(self._swarm.overlays.values() if self._swarm else ())]
        return [network for network in found if label in network.labels]

    def remove(self, name: str) -> None:
        self.own.pop(name, None)
        if self._swarm is not None:
            self._swarm.overlays.pop(name, None)

    def member(self) -> SwarmMember:
        swarm = self._swarm
        if swarm is None:
            return SwarmMember()
        managers = {node: f"{swarm.nodes[node].address}:{PORT}" for node in swarm.managers}
        told = swarm.id if self._node in swarm.managers else ""
        return SwarmMember("active", self._node, self.address, told, managers)

    def init(self) -> None:
        self._check_free()
        self._enter(Swarm(_id("swarm", self.address)), is_manager=True)

    def tokens(self) -> JoinTokens:
        if self._swarm is None or self._node not in self._swarm.managers:
            raise EngineRefused(503, "This node is not a swarm manager.")
        return self._swarm.tokens

    def join(self, managers: Sequence[str], token: str) -> None:
        self._check_free()
        met = (self._wire.get(manager) for manager in managers)
        swarm = next((other._swarm for other in met if other and other.reachable), None)
        if swarm is None or not swarm.answers():
            raise EngineRefused(503, f"it does not get through to {' or '.join(managers)}")
        if token not in (swarm.tokens.worker, swarm.tokens.manager):
            raise EngineRefused(400, "A valid join token is necessary to join this cluster")
        self._enter(swarm, is_manager=token == swarm.tokens.manager)

    def leave(self) -> None:
        if self._swarm is not None and self._node in self._swarm.managers:
            self._swarm.managers.remove(self._node)
        self._swarm, self._node = None, ""

    def _check_free(self) -> None:
        if self._swarm is not None:
            raise Conflict(409, "This node is already part of a swarm.")

    def _enter(self, swarm: Swarm, *, is_manager: bool) -> None:
        self._swarm, self._node = swarm, _id("node", self.address)
        swarm.nodes[self._node] = self
        if is_manager:
            swarm.managers.append(self._node)


def _id(kind: str, address: str) -> str:
    return hashlib.sha256(f"{kind} {address}".encode()).hexdigest()[:25]
