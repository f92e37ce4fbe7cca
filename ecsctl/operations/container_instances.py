"""The container instance actions."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ecsctl.controller.hosts import free_gpus
from ecsctl.controller.limits import Limits
from ecsctl.model.api.container_instances import (
    DeregisterContainerInstanceRequest,
    DeregisterContainerInstanceResponse,
    DescribeContainerInstancesRequest,
    DescribeContainerInstancesResponse,
    ListContainerInstancesRequest,
    ListContainerInstancesResponse,
    RegisterContainerInstanceRequest,
    RegisterContainerInstanceResponse,
    UpdateContainerInstancesStateRequest,
    UpdateContainerInstancesStateResponse,
)
from ecsctl.model.arn import last_part
from ecsctl.model.common import Failure
from ecsctl.model.container_instance import ContainerInstance, amount, gpu_ids, reserved_ports
from ecsctl.model.errors import EngineError, invalid_parameter
from ecsctl.model.record import evolve
from ecsctl.model.stored import InstanceRecord
from ecsctl.operations.context import Context
from ecsctl.operations.hosts import HostOptions, ensure_default_instance, register_host, resources
from ecsctl.operations.lookup import find_cluster, find_instance, tags_of
from ecsctl.operations.pages import itself, page, window
from ecsctl.scheduler.decide import request_stop
from ecsctl.store.store import Use, View, add_event
from ecsctl.store.tables import INSTANCES, PORTS, TASKS

if TYPE_CHECKING:
    from ecsctl.placement.query import Query, Subject

FORCED = "Container instance deregistration forced by user"


def register_container_instance(
    ctx: Context, request: RegisterContainerInstanceRequest, host: HostOptions | None = None
) -> RegisterContainerInstanceResponse:
    """Make a Docker host a container instance; without `host` the current Docker context's.

    ECS's own agent fields (identity document, total resources) have no meaning here and are refused.
    """
    for field in ("instance_identity_document", "instance_identity_document_signature", "container_instance_arn"):
        if getattr(request, field):
            raise invalid_parameter(f"{field}: is for the ECS agent; give --context or --host.")
    if request.total_resources or request.version_info or request.platform_devices:
        raise invalid_parameter("totalResources, versionInfo and platformDevices: give --cpu and --memory instead.")
    if host is None:
        from ecsctl.engine.contexts import current_address

        host = HostOptions(current_address())
    record = register_host(ctx, request.cluster, host, request.attributes, request.tags)
    with ctx.store.read() as view:
        return RegisterContainerInstanceResponse(container_instance=shape(view, record, {"TAGS"}))


def describe_container_instances(
    ctx: Context, request: DescribeContainerInstancesRequest
) -> DescribeContainerInstancesResponse:
    """Container instances with what is left of them (ECS API_DescribeContainerInstances)."""
    found, failures = [], []
    if not 1 <= len(request.container_instances) <= 100:
        raise invalid_parameter("containerInstances: between 1 and 100 can be described in one call.")
    with ctx.store.read() as view:
        cluster = find_cluster(view, ctx, request.cluster)
        for name in request.container_instances:
            record = find_instance(view, cluster, name)
            if record is None:
                failures.append(Failure(arn=_arn(ctx, str(cluster.cluster_name), name), reason="MISSING"))
            else:
                found.append(shape(view, record, set(request.include or [])))
    return DescribeContainerInstancesResponse(container_instances=found, failures=failures)


def list_container_instances(ctx: Context, request: ListContainerInstancesRequest) -> ListContainerInstancesResponse:
    """The ARNs of a cluster's container instances, ACTIVE and DRAINING (ECS API_ListContainerInstances).

    `filter` is in the cluster query language. A page is one of those that it matches.
    """
    query = _query(request.filter) if request.filter else None
    with suppress(EngineError):  # then there is none; run-task says why
        ensure_default_instance(ctx, request.cluster)
    with ctx.store.read() as view:
        cluster = find_cluster(view, ctx, request.cluster)
        status = (request.status,) if request.status else ("ACTIVE", "DRAINING")
        records = view.find(INSTANCES, cluster=cluster.cluster_arn, status=status)
        if query:
            subjects = _subjects(view, records, query)
            records = [record for record in records if query.matches(subjects[record.arn])]
    arns = [record.arn for record in records]
    found, token = page(arns, itself, window(request.next_token, request.max_results))
    return ListContainerInstancesResponse(container_instance_arns=found, next_token=token)


def update_container_instances_state(
    ctx: Context, request: UpdateContainerInstancesStateRequest, *, stay: bool = False
) -> UpdateContainerInstancesStateResponse:
    """ACTIVE takes tasks, DRAINING takes no new ones (ECS API_UpdateContainerInstancesState); at most 10.

    The services' tasks on those move away within the limits of their deployments: in the background, unless the caller
    is to `stay` and sees to it.
    """
    if request.status not in ("ACTIVE", "DRAINING"):
        raise invalid_parameter(f"Container instances can be set to ACTIVE or DRAINING, not to {request.status}.")
    if not 1 <= len(request.container_instances) <= 10:
        raise invalid_parameter("containerInstances: between 1 and 10 can be changed in one call.")
    changed, failures = [], []
    moving: set[str] = set()
    with ctx.store.write() as tx:
        cluster = find_cluster(tx, ctx, request.cluster)
        for name in request.container_instances:
            record = find_instance(tx, cluster, name)
            if record is None or record.instance.status == "INACTIVE":
                reason = "MISSING" if record is None else "INACTIVE"
                failures.append(Failure(arn=_arn(ctx, str(cluster.cluster_name), name), reason=reason))
                continue
            if record.instance.status != request.status:
                record = evolve(record, instance=evolve(record.instance, status=request.status), seq=tx.seq)
                tx.put(INSTANCES, record)
                add_event(tx, ctx.now(), record.cluster_arn, record.arn, "ContainerInstanceState", request.status)
                moving |= {task.service for task in tx.unfinished(instance=record.arn) if task.service}
            changed.append(shape(tx, record, set()))
    if moving and not stay and request.status == "DRAINING":
        ctx.hand_over(sorted(moving))
    return UpdateContainerInstancesStateResponse(container_instances=changed, failures=failures)


def deregister_container_instance(
    ctx: Context, request: DeregisterContainerInstanceRequest
) -> DeregisterContainerInstanceResponse:
    """Take a host away. With tasks on it only by `force`, which stops them (ECS API_DeregisterContainerInstance)."""
    with ctx.store.write() as tx:
        cluster = find_cluster(tx, ctx, request.cluster)
        record = find_instance(tx, cluster, request.container_instance)
        if record is None or record.instance.status == "INACTIVE":
            raise invalid_parameter("The referenced container instance was not found.")
        tasks = tx.unfinished(instance=record.arn)
        if tasks and not request.force:
            raise invalid_parameter("Found running tasks on the instance: stop them, or give --force.")
        for task in tasks:
            stopping = request_stop(task, "UserInitiated", FORCED, ctx.now())
            tx.put(TASKS, evolve(stopping, seq=tx.seq))
        record = evolve(record, instance=evolve(record.instance, status="INACTIVE"), seq=tx.seq)
        tx.put(INSTANCES, record)
        add_event(tx, ctx.now(), record.cluster_arn, record.arn, "ContainerInstanceDeregistered", "")
    if tasks:
        ctx.finish([task.arn for task in tasks], Limits(pull=False, wait=False))
    with ctx.store.read() as view:
        return DeregisterContainerInstanceResponse(container_instance=shape(view, record, set()))


def shape(view: View, record: InstanceRecord, include: set[str]) -> ContainerInstance:
    """The container instance as ECS shows it: counts and what is left as they are now."""
    used = view.used(record.cluster_arn).get(record.arn, Use())
    registered = record.instance.registered_resources
    held = {(port.port, port.protocol) for port in view.find(PORTS, instance=record.arn)} | reserved_ports(registered)
    return evolve(
        record.instance,
        remaining_resources=resources(
            amount(registered, "CPU") - used.cpu,
            amount(registered, "MEMORY") - used.memory,
            sorted(port for port, protocol in held if protocol == "tcp"),
            sorted(port for port, protocol in held if protocol == "udp"),
            free_gpus(view, record) if gpu_ids(registered) else None,
        ),
        running_tasks_count=used.running,
        pending_tasks_count=used.pending,
        status_reason=record.held or record.instance.status_reason,
        attachments=[],
        tags=tags_of(view, record.arn) if "TAGS" in include else [],
    )


def _query(text: str) -> Query:
    """The `filter` of ListContainerInstances."""
    from ecsctl.placement.query import QueryError, parse  # most lists have none

    try:
        return parse(text)
    except QueryError as error:
        raise invalid_parameter(f"filter: {error}") from None


def _subjects(view: View, records: list[InstanceRecord], query: Query) -> dict[str, Subject]:
    """Container instances of one cluster as the query sees them: what it does not read is not looked up."""
    from ecsctl.placement.query import Subject

    cluster = records[0].cluster_arn if records else ""
    used = view.used(cluster) if "runningTasksCount" in query.subjects else {}
    groups = view.groups(cluster) if "task:group" in query.subjects else {}
    return {
        record.arn: Subject(
            attributes={attribute.name: attribute.value for attribute in record.instance.attributes or []},
            groups=groups.get(record.arn, ()),
            running_tasks=used[record.arn].running if record.arn in used else 0,
            registered_at=record.instance.registered_at,
            agent_connected=record.instance.agent_connected is not False,
            agent_version=record.instance.version_info.agent_version if record.instance.version_info else None,
            instance_id=record.name,
        )
        for record in records
    }


def _arn(ctx: Context, cluster: str, name: str) -> str:
    return name if name.startswith("arn:") else ctx.scope.container_instance(cluster, last_part(name))
