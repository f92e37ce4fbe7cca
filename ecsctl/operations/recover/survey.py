"""Looking at hosts of which no state tells: whose containers are there, and what they were created with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import NamedTuple

from ecsctl.controller.together import together
from ecsctl.engine.port import Engine, EngineInfo
from ecsctl.model import identity
from ecsctl.model.errors import EngineTimeout, EngineUnreachable, InputError, NotFound
from ecsctl.model.observed import Observed, ObservedImage, Settings

HOSTS_AT_ONCE = 16


class Sighting(NamedTuple):
    """A container, looked at closely, and its image where that is still there; one that nobody will believe, as it is
    listed."""

    seen: Observed
    settings: Settings = Settings("", "", {}, {})
    image: ObservedImage | None = None


class SurveyedHost(NamedTuple):
    """A host, and its containers with our labels. `signed`: those whose labels were signed with the key."""

    address: str
    info: EngineInfo
    signed: list[Sighting]
    unsigned: list[Sighting]


class Survey(NamedTuple):
    """What was found on the hosts that answer; of those that do not, why, by address."""

    hosts: list[SurveyedHost]
    silent: dict[str, str]


def survey(
    connect: Callable[[str], Engine], addresses: Sequence[str], key: bytes | None, install: str | None = None
) -> Survey:
    """Look at the containers on some hosts, of one install or of any. Nothing is changed. Raises EngineRefused.

    Without a key all of them are looked at closely, else those that it signed.
    """
    found = Survey([], {})
    calls = [partial(_look, connect, address, key, install) for address in addresses]
    engines = set()
    for address, host in zip(addresses, together(calls, HOSTS_AT_ONCE), strict=True):
        if isinstance(host, str):
            found.silent[address] = host
        elif host is not None and host.info.id not in engines:  # several contexts may be of one engine
            engines.add(host.info.id)
            found.hosts.append(host)
    return found


def _look(connect: Callable[[str], Engine], address: str, key: bytes | None, install: str | None) -> SurveyedHost | str:
    engine = connect(address)
    try:
        host = SurveyedHost(address, engine.info(), [], [])
        image_of = cache(engine.image)
        for listed in engine.list(install):
            if listed.labels[identity.INSTALL] == identity.SHARED:
                continue
            is_signed = key is not None and identity.is_signed(listed.labels, key)
            try:
                if is_signed or key is None:
                    seen = engine.inspect(listed.id)
                    one = Sighting(seen, engine.settings(listed.id), image_of(str(seen.image_id)))
                else:
                    one = Sighting(listed)
            except NotFound:
                continue
            (host.signed if is_signed else host.unsigned).append(one)
    except (EngineUnreachable, EngineTimeout) as error:
        return str(error)
    finally:
        engine.close()
    return host


def installs(found: Survey, *, trust: bool) -> dict[str, int]:
    """Of which installs there are containers, and how many. Labels that nobody signed count with `trust` only."""
    counts: dict[str, int] = {}
    for host in found.hosts:
        for one in [*host.signed, *(host.unsigned if trust else [])]:
            install = one.seen.labels[identity.INSTALL]
            counts[install] = counts.get(install, 0) + 1
    return counts


def the_install(found: Survey, *, trust: bool, wanted: str | None = None) -> str:
    """The install whose state is to be rebuilt. InputError where it cannot be told."""
    counts = installs(found, trust=trust)
    if wanted is not None:
        if wanted not in counts:
            raise InputError(f"--install: no host has a container of {wanted}{_others(counts)}")
        return wanted
    if len(counts) == 1:
        return next(iter(counts))
    if counts:
        raise InputError(f"the hosts have containers of several states: name one with --install{_others(counts)}")
    unsigned = sum(len(host.unsigned) for host in found.hosts)
    if unsigned:
        raise InputError(
            f"none of the {unsigned} containers with labels of ecsctl were signed with this key: give the right one "
            "with --key, or, where it is lost, --trust-labels"
        )
    raise InputError("no container of ecsctl is on these hosts: name those that have some with --host")


def _others(counts: dict[str, int]) -> str:
    named = ", ".join(f"{install} ({count} containers)" for install, count in sorted(counts.items()))
    return f"; there are {named}" if named else ""
