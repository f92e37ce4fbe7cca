"""The journal: what happened, to what, and why. Its lines are as old as the history at most."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ecsctl.model.arn import last_part, parse_arn
from ecsctl.model.cluster import Cluster
from ecsctl.model.errors import ApiError
from ecsctl.model.record import Record
from ecsctl.model.schedule_record import started_by
from ecsctl.model.stored import Event
from ecsctl.operations.context import Context
from ecsctl.operations.lookup import cluster_arn, find_service, no_schedule, schedule_arn, the_task
from ecsctl.store.schedule_table import SCHEDULES
from ecsctl.store.store import View
from ecsctl.store.tables import CLUSTERS, INSTANCES

TICK = 0.2
"""Seconds between looks at a journal that is followed."""

Owner = tuple[str, dict[str, Any]]
"""The ARN of what has tasks, and what its tasks have."""


class JournalEntry(Record):
    """One line of the journal. `resource` is the kind of what it happened to (`task`, `service`, …), `name` its name:
    of a task the id, of a container instance the host's name.
    """

    id: int
    at: datetime
    kind: str
    message: str
    resource: str
    name: str
    resource_arn: str
    cluster_arn: str


def journal(
    ctx: Context,
    cluster: str | None = None,
    *,
    task: str | None = None,
    service: str | None = None,
    schedule: str | None = None,
    since: datetime | None = None,
    last: int | None = None,
    follow: bool = False,
) -> Iterator[list[JournalEntry]]:
    """A cluster's lines, oldest first: the `last` of them, and with `follow` for ever what is written, as it is.

    `task`, or `service` or `schedule` (its tasks included), chooses what they are about; each may be over. Raises
    ApiError for a cluster, task or service, InputError for a schedule that this state does not remember.
    """
    with ctx.store.read() as view:
        found = _cluster(view, ctx, cluster)
        chosen: dict[str, Any] = {"cluster": str(found.cluster_arn), "since": since}
        if task is not None:
            chosen["resource"] = the_task(view, found, task).arn
        if service is not None:
            chosen["owner"] = _service(view, found, service)
        if schedule is not None:
            chosen["owner"] = _schedule(view, found, schedule)
        entries, seen = _read(view, last=last, **chosen)
    yield entries
    while follow:
        ctx.controller.clock.sleep(TICK)
        with ctx.store.read() as view:
            entries, seen = _read(view, after=seen, **chosen)
        if entries:
            yield entries


def _read(view: View, **chosen: Any) -> tuple[list[JournalEntry], int]:
    """The entries, and the number of the last line that was there: what is not chosen is not searched again."""
    lines = view.journal(**chosen)
    hosts = {record.arn: record.name for record in view.find(INSTANCES)} if lines else {}
    return [_entry(number, event, hosts) for number, event in lines], max(view.last_event, chosen.get("after", 0))


def _entry(number: int, event: Event, hosts: dict[str, str]) -> JournalEntry:
    return JournalEntry(
        id=number,
        at=event.at,
        kind=event.kind,
        message=event.message,
        resource=parse_arn(event.resource_arn).kind,
        name=hosts.get(event.resource_arn) or last_part(event.resource_arn),
        resource_arn=event.resource_arn,
        cluster_arn=event.cluster_arn,
    )


def _cluster(view: View, ctx: Context, name: str | None) -> Cluster:
    """A cluster, also one that was deleted: that it was is a line of its journal."""
    found = view.get(CLUSTERS, cluster_arn(ctx, name))
    if found is None:
        raise ApiError("ClusterNotFoundException", "Cluster not found.")
    return found


def _service(view: View, cluster: Cluster, name: str) -> Owner:
    found = find_service(view, cluster, name)
    if found is None:
        raise ApiError("ServiceNotFoundException", f"Service not found: {name}")
    return found.arn, {"service": found.arn}


def _schedule(view: View, cluster: Cluster, name: str) -> Owner:
    """A schedule, also one that was deleted, as long as the journal has a line about it."""
    arn = name if name.startswith("arn:") else schedule_arn(cluster, name)
    is_one = arn.startswith(schedule_arn(cluster, ""))
    if not is_one or not (view.get(SCHEDULES, arn) or view.journal(resource=arn, last=1)):
        raise no_schedule(name)
    return arn, {"cluster": str(cluster.cluster_arn), "started_by": started_by(last_part(arn))}
