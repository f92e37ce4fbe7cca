"""Hosts as people see them: what is wrong with one, what it carries, what becomes of one that is added."""

from __future__ import annotations

from typing import Literal

import msgspec

from ecsctl.model.errors import Cause
from ecsctl.model.record import Record

Check = Cause | Literal["version", "engine", "clock", "disk", "live-restore", "podman", "shared"]
Result = Literal["added", "changed", "unchanged", "failed"]


class Finding(Record):
    """Something that is wrong with a host, and what to do about it. With a `warning` it can be used all the same."""

    check: Check
    level: Literal["error", "warning"]
    message: str


class CheckedHost(Record):
    """A host that was looked at. `answers`: whether its engine did."""

    host: str
    address: str
    answers: bool
    findings: list[Finding]
    container_instance_arn: str | None = None
    engine_version: str | None = None
    api_version: str | None = None


class HostRow(Record):
    """A container instance, with what is reserved of it: CPU in units, memory in MiB."""

    host: str
    cluster: str
    container_instance_arn: str
    address: str
    status: str
    agent_connected: bool
    cpu: int
    cpu_reserved: int
    memory: int
    memory_reserved: int
    tasks: int
    zone: str | None = None
    engine_version: str | None = None


class HostWish(Record):
    """A host to add: its address, and what is said of it rather than found out. CPU in units, memory in MiB; `price`
    is of an hour."""

    address: str
    name: str | None = None
    cluster: str | None = None
    region: str | None = None
    zone: str | None = None
    instance_type: str | None = None
    price: float | None = None
    attributes: dict[str, str] = msgspec.field(default_factory=dict)
    capacity_provider: str | None = None
    cpu: int | None = None
    memory: int | None = None
    gpus: list[str] = msgspec.field(default_factory=list)


class Inventory(Record):
    """A file of hosts. `cluster` and `region` are those of hosts that do not say another."""

    hosts: list[HostWish]
    cluster: str | None = None
    region: str | None = None


class AddedHost(Record):
    """What became of a host that was to be added. `answers`: whether its engine did, if it was asked; `reason`: why it
    was not added, or there was nothing to do."""

    host: str
    address: str
    result: Result
    answers: bool
    findings: list[Finding] = msgspec.field(default_factory=list)
    reason: str | None = None
    container_instance_arn: str | None = None
