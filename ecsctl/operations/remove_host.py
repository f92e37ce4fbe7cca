"""Taking a host away, if asked for after its tasks have moved."""

from __future__ import annotations

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


def remove_host(
    ctx: Context, cluster: str | None, name: str, *, drain_for: float | None = None, force: bool = False
) -> InstanceRecord:
    """Deregister a host of the region, or of a cluster; with tasks on it only by `force`, which stops them.

    With `drain_for` it is DRAINING first, and has so many seconds for its tasks to go; TimeoutError when they do not.
    """
    with ctx.store.read() as view:
        host = the_host(view, ctx, cluster, name)
    if drain_for is not None:
        _drain(ctx, host, drain_for)
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


def _drain(ctx: Context, host: InstanceRecord, seconds: float) -> None:
    clock = ctx.controller.clock
    end = clock.since_boot() + seconds
    request = UpdateContainerInstancesStateRequest(
        cluster=host.cluster_arn, container_instances=[host.arn], status="DRAINING"
    )
    update_container_instances_state(ctx, request)
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
