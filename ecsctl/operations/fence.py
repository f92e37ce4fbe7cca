"""A person's word that a host is down."""

from __future__ import annotations

from typing import NamedTuple

from ecsctl.controller.contact import end_tasks
from ecsctl.model.errors import InputError
from ecsctl.model.record import evolve
from ecsctl.operations.context import Context
from ecsctl.operations.lookup import find_cluster, find_instance
from ecsctl.store.store import add_event
from ecsctl.store.tables import INSTANCES


class Fenced(NamedTuple):
    """The host (ARN), and the tasks (ARNs) that were called STOPPED."""

    instance: str
    tasks: list[str]


def fence_host(ctx: Context, host: str, by: str, cluster: str | None = None) -> Fenced:
    """Call all tasks of a host STOPPED, on the word of a person, `by`, that nothing runs on it any more.

    Raises InputError for a host that there is not, or that answers: of that one it is known what runs.
    """
    with ctx.store.read() as view:
        found = find_cluster(view, ctx, cluster)
        record = find_instance(view, found, host)
    if record is None:
        raise InputError(f"there is no host {host} in the cluster {found.cluster_name}: see list-container-instances")
    if not ctx.controller.probe([record]):
        raise InputError(
            f"host {record.name} answers: it is not down; drain it (update-container-instances-state), or take it away "
            "with its tasks (deregister-container-instance --force)"
        )
    reason = f"Host {record.name} is down, as {by} has confirmed"
    with ctx.store.write() as tx:
        tasks = tx.unfinished(instance=record.arn)
        end_tasks(tx, tasks, reason, ctx.now())
        if (current := tx.get(INSTANCES, record.arn)) is not None:
            tx.put(INSTANCES, evolve(current, held="", seq=tx.seq))
        add_event(tx, ctx.now(), record.cluster_arn, record.arn, "HostFenced", reason)
    if services := sorted({task.service for task in tasks if task.service}):
        ctx.hand_over(services)
    return Fenced(record.arn, [task.arn for task in tasks])
