"""Taking hosts away, if asked for after their tasks have moved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ecsctl.model.api.container_instances import (
    DeregisterContainerInstanceRequest,
    UpdateContainerInstancesStateRequest,
)
from ecsctl.model.errors import ApiError
from ecsctl.model.stored import InstanceRecord, TaskRecord
from ecsctl.operations.container_instances import deregister_container_instance, update_container_instances_state
from ecsctl.operations.context import Context
from ecsctl.operations.host_list import the_host
from ecsctl.operations.reconcile import reconcile
from ecsctl.store.tables import INSTANCES

PASS_SECONDS = 20.0
BETWEEN_SECONDS = 1.0


def remove_hosts(
    ctx: Context, cluster: str | None, names: Sequence[str], *, drain_for: float | None = None, force: bool = False
) -> Iterator[InstanceRecord]:
    """Deregister hosts of the region, or of a cluster, one by one as they are asked for; those with tasks only by
    `force`, which stops these. InputError, before anything is done, for a name that is not that of one host.

    With `drain_for` all are DRAINING first, so that none gets the tasks of another, and have so many seconds together
    for their tasks to go; TimeoutError when they do not.
    """
    with ctx.store.read() as view:
        found = [the_host(view, ctx, cluster, name) for name in names]
    hosts = list({host.arn: host for host in found}.values())
    end = ctx.controller.clock.since_boot() + (drain_for or 0.0)
    if drain_for is not None:
        for host in hosts:
            _drain(ctx, host)
    for host in hosts:
        if drain_for is not None:
            _wait(ctx, host, end)
        yield _remove(ctx, host, force=force)


def _remove(ctx: Context, host: InstanceRecord, *, force: bool) -> InstanceRecord:
    request = DeregisterContainerInstanceRequest(
        cluster=host.cluster_arn, container_instance=host.arn, force=force or None
    )
    try:
        deregister_container_instance(ctx, request)
    except ApiError:
        if force or not (left := _tasks(ctx, host)):
            raise
        raise ApiError(
            "InvalidParameterException",
            f"{host.name} has {_count(left)}: --drain waits until services have moved theirs away, --force stops them.",
        ) from None
    with ctx.store.read() as view:
        return view.get(INSTANCES, host.arn) or host


def _drain(ctx: Context, host: InstanceRecord) -> None:
    request = UpdateContainerInstancesStateRequest(
        cluster=host.cluster_arn, container_instances=[host.arn], status="DRAINING"
    )
    update_container_instances_state(ctx, request, stay=True)


def _wait(ctx: Context, host: InstanceRecord, end: float) -> None:
    clock = ctx.controller.clock
    while left := _tasks(ctx, host):
        remaining = end - clock.since_boot()
        if remaining <= 0:
            raise TimeoutError(f"{host.name} is DRAINING and still has {_count(left)}: see `ecsctl ps`")
        reconcile(ctx, host.cluster_arn, timeout=min(PASS_SECONDS, remaining))
        if _tasks(ctx, host):
            clock.sleep(min(BETWEEN_SECONDS, remaining))


def _count(tasks: list[TaskRecord]) -> str:
    return "1 task" if len(tasks) == 1 else f"{len(tasks)} tasks"


def _tasks(ctx: Context, host: InstanceRecord) -> list[TaskRecord]:
    with ctx.store.read() as view:
        return view.unfinished(instance=host.arn)
