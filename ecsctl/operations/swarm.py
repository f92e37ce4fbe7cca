"""Hosts in one swarm, so that their tasks are in one network."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence

from ecsctl.controller.swarm import Report, SwarmBuilder
from ecsctl.model.container_instance import attribute_of
from ecsctl.model.errors import InputError
from ecsctl.operations.context import Context
from ecsctl.operations.images import hosts_named
from ecsctl.placement.host import SWARM


def join_swarm(
    ctx: Context,
    *,
    cluster: str | None,
    hosts: Sequence[str] | None,
    addresses: Mapping[str, str],
    dry_run: bool,
) -> Report:
    """Make container instances one swarm: those named, or all of a cluster. InputError names those that are in another
    one."""
    every = hosts_named(ctx, cluster, None)
    chosen = hosts_named(ctx, cluster, hosts) if hosts else every
    if not chosen:
        raise InputError("the cluster has no container instances: register-container-instance")
    for name, address in addresses.items():
        if name not in {host.name for host in chosen}:
            raise InputError(f"--advertise {name}=…: {name} is none of the hosts that are to join")
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise InputError(f"--advertise {name}={address}: {address!r} is not an IP address") from None
    members = [host for host in every if attribute_of(host.instance, SWARM)]
    builder = SwarmBuilder(ctx.store, ctx.controller.clock, ctx.controller.engine, addresses)
    return builder.join(chosen, members, dry_run=dry_run)
