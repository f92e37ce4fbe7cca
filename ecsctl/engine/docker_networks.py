"""Networks of a Docker Engine, and the swarm that gives some to several hosts at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from ecsctl.engine.port import JoinTokens, Network, Subnet, SwarmMember
from ecsctl.engine.transport import Transport, segment
from ecsctl.model.errors import Conflict, EngineRefused, NetworkNotFound, NotFound

NETWORK_SECONDS = 30.0
"""An engine gives up after 20 s where no manager of its swarm answers (measured)."""
LIST_SECONDS = 5.0
SWARM_SECONDS = 30.0
"""Joining is given up by the engine after 20 s."""
PORT = 2377
"""Where the managers of a swarm listen (Docker documentation, "Getting started with Swarm mode")."""
LONELY = "no manager of its swarm answers, and without one nothing new gets into an overlay network"


def create(http: Transport, name: str, labels: Mapping[str, str], subnet: Subnet | None, *, internal: bool) -> None:
    """A bridge; see port.Engine.create_network. By one thread at a time."""
    body: dict[str, Any] = {"Name": name, "Driver": "bridge", "CheckDuplicate": True, "Labels": labels}
    if internal or subnet:
        body["Internal"] = True
    if subnet:
        pool = {"Subnet": subnet.block, "AuxiliaryAddresses": {"reserved": subnet.reserved}}
        body["IPAM"] = {"Driver": "default", "Config": [pool]}
    try:
        http.call("POST", "/networks/create", NETWORK_SECONDS, body=body)
    except Conflict:
        return
    except EngineRefused as error:
        if not (subnet and "overlaps" in error.message and _ids(http, name)):  # made at the same moment
            raise
    # Two that were created at the same moment may both be there (Docker 20.10), and then neither can be used: the
    # older one stays.
    for network in _ids(http, name)[1:]:
        with suppress(Conflict):  # somebody uses it after all
            remove(http, network)


def create_overlay(http: Transport, name: str, labels: Mapping[str, str], *, internal: bool) -> None:
    """See port.Engine.create_overlay. Of several that are created at once the swarm takes one (measured)."""
    body = {"Name": name, "Driver": "overlay", "CheckDuplicate": True, "Labels": labels}
    try:
        http.call("POST", "/networks/create", NETWORK_SECONDS, body=body | {"Attachable": True, "Internal": internal})
    except Conflict as error:
        # Another way round it would take a network that has only just been made, and is not listed yet, for none.
        if any(one["Scope"] != "swarm" for one in _named(http, name)):
            raise Conflict(error.status, f"this manager of the swarm has a network {name} of its own") from None
    except EngineRefused as error:
        if "name conflicts with an existing object" not in error.message:  # made by another manager at this moment
            raise


def connect(http: Transport, name: str, container_id: str, names: Sequence[str]) -> None:
    body = {"Container": container_id, "EndpointConfig": {"Aliases": list(names)}}
    try:
        http.call("POST", f"/networks/{segment(name)}/connect", NETWORK_SECONDS, body=body)
    except NotFound as error:
        if "no such container" in error.message.lower():
            raise
        raise about(error) from None
    except EngineRefused as error:
        if "already exists in network" not in error.message and "already attached to network" not in error.message:
            raise about(error) from None


def disconnect(http: Transport, name: str, container_id: str) -> None:
    try:
        path = f"/networks/{segment(name)}/disconnect"
        http.call("POST", path, NETWORK_SECONDS, body={"Container": container_id, "Force": False})
    except NotFound as error:
        if "no such container" in error.message.lower():
            raise
    except EngineRefused as error:
        if "is not connected to" not in error.message:
            raise


def listing(http: Transport, label: str) -> list[Network]:
    return [
        Network(one["Name"], one["Driver"], dict(one["Labels"] or {})) for one in _filtered(http, {"label": [label]})
    ]


def remove(http: Transport, name: str) -> None:
    try:
        http.call("DELETE", f"/networks/{segment(name)}", NETWORK_SECONDS)
    except NotFound:
        pass
    except EngineRefused as error:
        if "active endpoints" not in error.message and "is in use by" not in error.message:
            raise
        raise Conflict(409, error.message) from None


def about(error: EngineRefused) -> EngineRefused:
    """What a refusal means that is about neither a container nor an image: perhaps a network. In a swarm, a manager is
    asked for one that the host does not have, and what it says comes with another status."""
    said = error.message.lower()
    if "attach to network" in said and "deadline" in said:
        return EngineRefused(error.status, f"{LONELY} ({error.message})")
    is_missing = isinstance(error, NotFound) or ("attach to network" in said and "not found" in said)
    return NetworkNotFound(404, error.message) if is_missing and "network" in said else error


def member(found: Mapping[str, Any]) -> SwarmMember:
    """What `GET /info` says of the swarm."""
    swarm = found.get("Swarm") or {}
    return SwarmMember(
        state=swarm.get("LocalNodeState") or "inactive",
        node=swarm.get("NodeID") or "",
        address=swarm.get("NodeAddr") or "",
        swarm=(swarm.get("Cluster") or {}).get("ID") or "",
        managers={one["NodeID"]: one["Addr"] for one in swarm.get("RemoteManagers") or ()},
        error=swarm.get("Error") or "",
    )


def init(http: Transport, address: str) -> None:
    body = {"ListenAddr": f"0.0.0.0:{PORT}", "AdvertiseAddr": address}
    try:
        http.call("POST", "/swarm/init", SWARM_SECONDS, body=body)
    except EngineRefused as error:
        raise _about_swarm(error) from None


def tokens(http: Transport) -> JoinTokens:
    found = http.call("GET", "/swarm", LIST_SECONDS).json()["JoinTokens"]
    return JoinTokens(found["Worker"], found["Manager"])


def join(http: Transport, managers: Sequence[str], token: str, address: str) -> None:
    body = {
        "ListenAddr": f"0.0.0.0:{PORT}",
        "AdvertiseAddr": address,
        "RemoteAddrs": list(managers),
        "JoinToken": token,
    }
    try:
        http.call("POST", "/swarm/join", SWARM_SECONDS, body=body)
    except EngineRefused as error:
        if "Timeout was reached" in error.message:  # it would go on trying
            leave(http)
            raise EngineRefused(
                error.status,
                f"it does not get through to {' or '.join(managers)}; hosts of a swarm need TCP {PORT} and 7946, "
                "UDP 7946 and 4789 of each other",
            ) from None
        raise _about_swarm(error) from None


def leave(http: Transport) -> None:
    try:
        http.call("POST", "/swarm/leave", SWARM_SECONDS, {"force": "1"})
    except EngineRefused as error:
        if "not part of a swarm" not in error.message:
            raise


def _about_swarm(error: EngineRefused) -> EngineRefused:
    return Conflict(409, error.message) if "already part of a swarm" in error.message else error


def _ids(http: Transport, name: str) -> Sequence[str]:
    """The ids of those of a name, the oldest first."""
    return [i for _, i in sorted((one["Created"], one["Id"]) for one in _named(http, name))]


def _named(http: Transport, name: str) -> list[dict[str, Any]]:
    return [one for one in _filtered(http, {"name": [name]}) if one["Name"] == name]


def _filtered(http: Transport, filters: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    text = msgspec.json.encode(filters).decode()
    found: list[dict[str, Any]] = http.call("GET", "/networks", LIST_SECONDS, {"filters": text}).json()
    return found
