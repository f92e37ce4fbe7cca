"""Making one swarm of several hosts, so that a network can be of all of them.

Every step may be done again: what is in the swarm already stays as it is, and a run that was killed is gone on with.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from msgspec import Struct

from ecsctl.controller.clock import Clock
from ecsctl.controller.together import together
from ecsctl.engine.address import SshAddress, TcpAddress, parse_address
from ecsctl.engine.port import Engine, Network, SwarmMember
from ecsctl.model import identity
from ecsctl.model.common import Attribute
from ecsctl.model.container_instance import attribute_of
from ecsctl.model.errors import Conflict, EngineError, EngineRefused, EngineTimeout, EngineUnreachable, InputError
from ecsctl.model.record import evolve
from ecsctl.model.stored import InstanceRecord
from ecsctl.placement.host import SWARM, ZONE
from ecsctl.store.store import Store, add_event
from ecsctl.store.tables import INSTANCES

HOSTS_AT_ONCE = 16


class Joined(Struct, frozen=True):
    """How it went with one host. `role`: `manager` or `worker`; `address`: where the others reach it. `bridges`: the
    networks of tasks that are still of this host alone."""

    host: str
    container_instance_arn: str
    result: str
    """`began`, `joined`, `there already`, `failed` or `unreachable`; in a dry run `would begin` or `would join`."""
    role: str = ""
    address: str = ""
    bridges: tuple[str, ...] = ()
    reason: str = ""


class Report(Struct, frozen=True):
    """`swarm`: its id, empty where it is not made yet."""

    swarm: str
    hosts: list[Joined]


class _Seen(Struct, frozen=True):
    host: InstanceRecord
    engine: Engine
    member: SwarmMember | None
    trouble: str = ""


class SwarmBuilder:
    """Makes hosts one swarm. `connect` gives the engine behind an address; `addresses` are those by which hosts, by
    name, are to be reached by the others, where their engines are not to choose."""

    def __init__(
        self, store: Store, clock: Clock, connect: Callable[[str], Engine], addresses: Mapping[str, str]
    ) -> None:
        self._store = store
        self._clock = clock
        self._connect = connect
        self._addresses = addresses

    def join(self, hosts: Sequence[InstanceRecord], members: Sequence[InstanceRecord], *, dry_run: bool) -> Report:
        """`members` are the hosts that are known to be in a swarm that was made so. InputError, before anything is
        done, names the hosts that are in another one."""
        known = {host.arn: host for host in (*hosts, *members)}
        calls = [partial(self._see, host) for host in known.values()]
        seen = {one.host.arn: one for one in together(calls, HOSTS_AT_ONCE) if one is not None}
        chosen = [seen[host.arn] for host in hosts]
        manager = self._manager(chosen, [seen[host.arn] for host in members])
        _check_ours(chosen, manager)
        missing = [one for one in chosen if one.member is not None and one.member.state == "inactive"]
        heads = len(manager.member.managers) if manager and manager.member else 0
        total = len(missing) + sum(_is_in(one, manager) for one in seen.values())
        made = {one.host.arn for one in _heads(missing, heads, wanted_managers(total))}
        found = {one.host.arn: self._as_it_is(one) for one in chosen}
        swarm = manager.member.swarm if manager and manager.member else ""
        if dry_run:
            for one in missing:
                found[one.host.arn] = _planned(one, one.host.arn in made, is_first=manager is None)
                manager = manager or one
            return Report(swarm, list(found.values()))
        for one in missing:
            if manager is not None:
                found[one.host.arn] = self._enter(one, manager, is_manager=one.host.arn in made)
            elif one is missing[0]:
                swarm, found[one.host.arn] = self._begin(one)
                manager = one if swarm else None
            else:
                why = f"it was not asked to join, as {missing[0].host.name} did not begin the swarm"
                found[one.host.arn] = Joined(one.host.name, one.host.arn, "failed", reason=why)
        for one in chosen:
            if found[one.host.arn].result in ("began", "joined", "there already"):
                found[one.host.arn] = self._settled(one, swarm, found[one.host.arn])
        return Report(swarm, list(found.values()))

    def _see(self, host: InstanceRecord) -> _Seen:
        engine = self._connect(host.address)
        try:
            return _Seen(host, engine, engine.swarm())
        except EngineError as error:
            return _Seen(host, engine, None, str(error))

    def _manager(self, chosen: Sequence[_Seen], members: Sequence[_Seen]) -> _Seen | None:
        """A manager of the swarm that the hosts are to be in; None where there is none yet. InputError: there is one,
        and no manager of it answers."""
        known = {attribute_of(one.host.instance, SWARM) for one in members}
        for one in (*members, *chosen):  # one that was taken away and added again is not noted as a member
            if one.member and one.member.is_manager and one.member.swarm in known:
                return one
        left = [one for one in members if one.member is None or one.member.state != "inactive"]
        if left:
            silent = "; ".join(f"{one.host.name}: {one.trouble or 'it is no manager'}" for one in left)
            raise InputError(f"no manager of the swarm of this cluster answers ({silent})")
        first = chosen[0]
        if first.member is None:
            raise InputError(f"{first.host.name}, the first, does not answer: {first.trouble}")
        return first if first.member.is_manager else None

    def _as_it_is(self, one: _Seen) -> Joined:
        if one.member is None:
            return Joined(one.host.name, one.host.arn, "unreachable", reason=one.trouble)
        role = "manager" if one.member.is_manager else "worker"
        return Joined(one.host.name, one.host.arn, "there already", role, one.member.address)

    def _begin(self, one: _Seen) -> tuple[str, Joined]:
        """The id of the new swarm, empty where it was not begun."""
        try:
            self._advertised(one, one.engine.init_swarm)
            member = one.engine.swarm()
        except EngineError as error:
            return "", _failed(one, error)
        return member.swarm, Joined(one.host.name, one.host.arn, "began", "manager", member.address)

    def _enter(self, one: _Seen, manager: _Seen, *, is_manager: bool) -> Joined:
        try:
            tokens = manager.engine.join_tokens()
            token = tokens.manager if is_manager else tokens.worker
            at = list(manager.engine.swarm().managers.values())
            self._advertised(one, lambda address: one.engine.join_swarm(at, token, address))
            address = one.engine.swarm().address
        except EngineError as error:
            return _failed(one, error)
        return Joined(one.host.name, one.host.arn, "joined", "manager" if is_manager else "worker", address)

    def _advertised(self, one: _Seen, call: Callable[[str], None]) -> None:
        """With the address that was said, or the engine's choice, or, where it has none, the one we reach it by."""
        said = self._addresses.get(one.host.name, "")
        try:
            call(said)
        except Conflict:
            raise
        except EngineRefused as error:
            if said or "address" not in error.message:
                raise
            ours = _ip_of(one.host.address)
            if not ours:
                raise EngineRefused(
                    error.status, f"{error.message}: say which, by --advertise {one.host.name}=ADDRESS"
                ) from None
            call(ours)

    def _settled(self, one: _Seen, swarm: str, done: Joined) -> Joined:
        """A host that is in the swarm, once that is noted, and the networks that nobody is in are gone."""
        self._note(one.host, swarm)
        try:
            return evolve(done, bridges=self._bridges(one.engine))
        except EngineError as error:
            return _failed(one, error)

    def _note(self, host: InstanceRecord, swarm: str) -> None:
        if attribute_of(host.instance, SWARM) == swarm:
            return
        with self._store.write() as tx:
            current = tx.get(INSTANCES, host.arn)
            if current is None:
                return
            others = [one for one in current.instance.attributes or [] if one.name != SWARM]
            changed = evolve(current.instance, attributes=[*others, Attribute(name=SWARM, value=swarm)])
            tx.put(INSTANCES, evolve(current, instance=changed, seq=tx.seq))
            add_event(tx, self._clock.now(), host.cluster_arn, host.arn, "SwarmJoined", swarm)

    def _bridges(self, engine: Engine) -> tuple[str, ...]:
        """Remove the networks of the host's own that no task is in: the next one gets the swarm's. Those that stay."""
        found: Iterable[Network] = (*engine.list_networks(identity.SUBNET), *engine.list_networks(identity.NAMESPACE))
        left = []
        for network in found:
            if network.driver != "bridge":
                continue
            try:
                engine.remove_network(network.name)
            except Conflict:
                left.append(network.name)
        return tuple(left)


def wanted_managers(hosts: int) -> int:
    """How many of so many hosts are to manage their swarm: an odd number, as more than half of them have to answer
    (Docker documentation, "Administer and maintain a swarm of Docker Engines")."""
    return 1 if hosts < 3 else 3 if hosts < 7 else 5


def _heads(missing: Sequence[_Seen], there: int, wanted: int) -> list[_Seen]:
    """Those that become managers: of as many zones as there are, and so that their number is odd."""
    count = min(max(0, wanted - there), len(missing))
    count -= (there + count) % 2 == 0 and count > 0
    by_zone: dict[str | None, int] = {}
    ranked = []
    for index, one in enumerate(missing):
        zone = attribute_of(one.host.instance, ZONE)
        by_zone[zone] = by_zone.get(zone, 0) + 1
        ranked.append((by_zone[zone], index, one))
    return [one for _, _, one in sorted(ranked, key=lambda entry: entry[:2])[:count]]


def _is_in(one: _Seen, manager: _Seen | None) -> bool:
    if manager is None or manager.member is None or one.member is None or one.member.state == "inactive":
        return False
    if one.member.is_manager:
        return one.member.swarm == manager.member.swarm
    return not set(one.member.managers).isdisjoint(manager.member.managers)


def _check_ours(chosen: Sequence[_Seen], manager: _Seen | None) -> None:
    foreign = [one for one in chosen if one.member and one.member.state != "inactive" and not _is_in(one, manager)]
    if foreign:
        names = ", ".join(one.host.name for one in foreign)
        verb = "are" if len(foreign) > 1 else "is"
        raise InputError(
            f"{names} {verb} in another swarm already: nothing was done; `docker swarm leave` there, or leave {names} "
            "out; or name a manager of that swarm first, and the others join it"
        )


def _planned(one: _Seen, is_manager: bool, *, is_first: bool) -> Joined:
    role = "manager" if is_manager or is_first else "worker"
    return Joined(one.host.name, one.host.arn, "would begin" if is_first else "would join", role)


def _failed(one: _Seen, error: EngineError) -> Joined:
    is_silent = isinstance(error, (EngineUnreachable, EngineTimeout))
    return Joined(one.host.name, one.host.arn, "unreachable" if is_silent else "failed", reason=str(error))


def _ip_of(address: str) -> str:
    """The IP address by which we reach a host, if it is one and of use to others; else empty."""
    where = parse_address(address)
    host = where.host if isinstance(where, (SshAddress, TcpAddress)) else ""
    try:
        return "" if ipaddress.ip_address(host).is_loopback else host
    except ValueError:
        return ""
