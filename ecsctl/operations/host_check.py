"""What is wrong with a host: whether its engine can be reached, and what it would be trouble to find out later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

from msgspec import Struct

from ecsctl.controller.together import together
from ecsctl.engine.contexts import address_of, current_address
from ecsctl.engine.disk import free_disk
from ecsctl.engine.port import EngineInfo
from ecsctl.model import identity
from ecsctl.model.errors import EngineError, EngineTimeout, EngineTooOld, EngineUnreachable, InputError
from ecsctl.model.host import Check, CheckedHost, Finding
from ecsctl.model.stored import InstanceRecord
from ecsctl.operations.context import Context
from ecsctl.operations.host_list import hosts_of_region, named

AT_ONCE = 16
LEAST_DISK = 1 << 30
"""Bytes: with less, images cannot be pulled and containers not be made."""
MOST_SKEW = 5.0
"""Seconds."""


class Examined(Struct, frozen=True):
    """What an engine says of itself, None when it does not; and what is wrong."""

    info: EngineInfo | None
    findings: list[Finding]

    @property
    def error(self) -> Finding | None:
        """The first thing because of which the host cannot be used."""
        return next((finding for finding in self.findings if finding.level == "error"), None)


class _Target(Struct, frozen=True):
    address: str
    record: InstanceRecord | None = None


def check_hosts(ctx: Context, cluster: str | None, names: Sequence[str]) -> list[CheckedHost]:
    """Look at hosts, all at once: container instances of the region by name, id or ARN, others by address; without
    names, all of the region, or of a cluster; where there is none yet, that of the current Docker context."""
    with ctx.store.read() as view:
        every = hosts_of_region(view, ctx, cluster)
    if names:
        named_so = [target for name in names for target in _targets(every, name)]
        targets = list({(one.address, one.record and one.record.arn): one for one in named_so}.values())
    else:
        targets = [*map(_registered, every)] or ([] if cluster else [_Target(current_address())])
    looked = together([partial(_look, ctx, target) for target in targets], AT_ONCE)
    seen = Counter(one.info.id for one in looked if one and one.info)
    return [_checked(target, one, seen) for target, one in zip(targets, looked, strict=True) if one]


def _look(ctx: Context, target: _Target) -> Examined:
    return examine(ctx, target.address, target.record.engine_id if target.record else "")


def examine(ctx: Context, address: str, engine_id: str = "") -> Examined:
    """Look at the engine at an address. `engine_id`: the one that it had when it was registered."""
    began = ctx.now().timestamp()
    try:
        info = ctx.controller.engine(address).info()
        ended = ctx.now().timestamp()
        others = _of_others(ctx, address)
    except EngineError as error:
        return Examined(None, [_trouble(address, error)])
    found = (
        _same_engine(info, engine_id),
        _room(address, info),
        _clock(info, began, ended),
        _podman(info),
        _live_restore(info),
        others,
    )
    return Examined(info, [finding for finding in found if finding])


def _same_engine(info: EngineInfo, engine_id: str) -> Finding | None:
    if engine_id in ("", info.id):
        return None
    return _error(
        "engine",
        f"another engine answers than the one that was registered: its id is {info.id}, it was {engine_id}; "
        "if the machine was set up anew, take it away with `ecsctl host rm` and add it again",
    )


def _room(address: str, info: EngineInfo) -> Finding | None:
    free = free_disk(address, info)
    if free is None or free >= LEAST_DISK:
        return None
    return _error(
        "disk",
        f"{free >> 20} MiB are left for {info.directory}: `docker system df` there says of what, and "
        "`docker system prune` takes away what nothing uses",
    )


def _clock(info: EngineInfo, began: float, ended: float) -> Finding | None:
    """It was read between the two moments."""
    ahead = max(info.clock - ended, 0.0) or min(info.clock - began, 0.0)
    if abs(ahead) <= MOST_SKEW:
        return None
    return _warning(
        "clock",
        f"its clock is {abs(ahead):.0f} s {'ahead' if ahead > 0 else 'behind'}, and the times of its logs with it: "
        "`timedatectl set-ntp true` there, if here is right",
    )


def _podman(info: EngineInfo) -> Finding | None:
    if not info.podman:
        return None
    return _warning("podman", "it is Podman: best effort; health checks and names between containers may not work")


def _live_restore(info: EngineInfo) -> Finding | None:
    if info.live_restore:
        return None
    return _warning(
        "live-restore",
        'off: when dockerd ends, its containers do; write "live-restore": true into /etc/docker/daemon.json there, '
        "and `systemctl reload docker`",
    )


def _of_others(ctx: Context, address: str) -> Finding | None:
    ours = (ctx.store.install, identity.SHARED)
    installs = [found.labels[identity.INSTALL] for found in ctx.controller.engine(address).list(None)]
    number = sum(install not in ours for install in installs)
    if not number:
        return None
    return _warning(
        "shared",
        f"containers of another state of ecsctl are there ({number}): each places tasks as if the host were its own; "
        "give each a part by --cpu and --memory",
    )


def _targets(every: Sequence[InstanceRecord], name: str) -> list[_Target]:
    if found := named(every, name):
        return [*map(_registered, found)]
    try:
        return [_Target(address_of(name))]
    except InputError as error:
        raise InputError(f"there is no host {name!r} (see `ecsctl host ls`), and {error}") from None


def _registered(record: InstanceRecord) -> _Target:
    return _Target(record.address, record)


def _checked(target: _Target, looked: Examined, seen: Counter[str]) -> CheckedHost:
    info, findings = looked.info, looked.findings
    if info and seen[info.id] > 1:
        twice = "another of these hosts has the same engine id: the two are one, or one is a clone of the other"
        findings = [*findings, _error("engine", f"{twice}; take one away with `ecsctl host rm`")]
    return CheckedHost(
        host=target.record.name if target.record else info.name if info else target.address,
        address=target.address,
        answers=info is not None,
        findings=findings,
        container_instance_arn=target.record.arn if target.record else None,
        engine_version=info.version if info else None,
        api_version=info.api_version if info else None,
    )


def _error(check: Check, message: str) -> Finding:
    return Finding(check, "error", message)


def _warning(check: Check, message: str) -> Finding:
    return Finding(check, "warning", message)


def _trouble(address: str, error: EngineError) -> Finding:
    message = str(error).removeprefix(f"No Docker Engine at {address}: ")
    match error:
        case EngineUnreachable():
            return _error(error.cause, message)
        case EngineTimeout():
            return _error("timeout", message)
        case EngineTooOld():
            return _error("version", message)
    return _error("docker", message)
