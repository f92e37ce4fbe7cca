"""What is stored: each table a key, columns to search by, and one JSON document."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Generic, TypeVar

from ecsctl.model.arn import parse_arn
from ecsctl.model.cluster import Cluster
from ecsctl.model.record import Record
from ecsctl.model.stored import (
    Event,
    IdempotentCall,
    ImageRecord,
    InstanceRecord,
    PortReservation,
    ServiceRecord,
    TagSet,
    TaskRecord,
)
from ecsctl.model.task_definition import TaskDefinition

R = TypeVar("R", bound=Record)
Scalar = str | int | None


class Table(Generic[R]):
    """One table. `columns` names the key first; `values` gives a record's values in that order."""

    def __init__(
        self, name: str, kind: type[R], columns: tuple[str, ...], values: Callable[[R], tuple[Scalar, ...]]
    ) -> None:
        self.name = name
        self.kind = kind
        self.columns = columns
        self.values = values

    @property
    def key(self) -> str:
        return self.columns[0]


def timestamp(moment: datetime) -> str:
    """A moment as text that sorts by time: UTC, microseconds."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def scope_of(arn: str | None) -> str:
    """`region/account` of an ARN."""
    parsed = parse_arn(arn or "")
    return f"{parsed.region}/{parsed.account}"


def _task(record: TaskRecord) -> tuple[Scalar, ...]:
    task = record.task
    definition = parse_arn(task.task_definition_arn or "")
    return (
        task.task_arn,
        task.cluster_arn,
        task.container_instance_arn,
        definition.path[-1].rpartition(":")[0],
        task.task_definition_arn,
        task.started_by,
        task.launch_type,
        task.last_status,
        task.desired_status,
        record.cpu,
        record.memory,
        timestamp(task.created_at) if task.created_at else "",
        timestamp(task.stopped_at) if task.stopped_at else None,
        int(record.collected),
        record.service,
        int(record.tallied),
    )


CLUSTERS = Table(
    "cluster",
    Cluster,
    ("arn", "scope", "name", "status"),
    lambda c: (c.cluster_arn, scope_of(c.cluster_arn), c.cluster_name, c.status),
)
INSTANCES = Table(
    "container_instance",
    InstanceRecord,
    ("arn", "cluster", "status", "engine_id"),
    lambda i: (i.arn, i.cluster_arn, i.instance.status, i.engine_id),
)
TASK_DEFINITIONS = Table(
    "task_definition",
    TaskDefinition,
    ("arn", "scope", "family", "revision", "status"),
    lambda d: (d.task_definition_arn, scope_of(d.task_definition_arn), d.family, d.revision, d.status),
)
TASKS = Table(
    "task",
    TaskRecord,
    (
        "arn",
        "cluster",
        "instance",
        "family",
        "task_definition",
        "started_by",
        "launch_type",
        "last_status",
        "desired_status",
        "cpu",
        "memory",
        "created_at",
        "stopped_at",
        "collected",
        "service",
        "tallied",
    ),
    _task,
)
SERVICES = Table(
    "service",
    ServiceRecord,
    ("arn", "cluster", "status"),
    lambda s: (s.arn, s.service.cluster_arn, s.service.status),
)
PORTS = Table(
    "port",
    PortReservation,
    ("key", "instance", "task"),
    lambda p: (p.key, p.instance_arn, p.task_arn),
)
TAGS = Table("tag_set", TagSet, ("arn",), lambda t: (t.arn,))
IDEMPOTENT_CALLS = Table(
    "idempotent_call", IdempotentCall, ("key", "expires_at"), lambda i: (i.key, timestamp(i.expires_at))
)
IMAGES = Table("image", ImageRecord, ("key", "instance"), lambda i: (i.key, i.instance_arn))
EVENTS = Table(
    "event",
    Event,
    ("id", "at", "cluster", "resource"),
    lambda e: (None, timestamp(e.at), e.cluster_arn, e.resource_arn),
)
UNFINISHED = ("PROVISIONING", "PENDING", "ACTIVATING", "RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING")
"""Every lastStatus but STOPPED."""
