"""The capacity provider actions.

A capacity provider is the container instances that were registered for it; ecsctl makes no machines. FARGATE and
FARGATE_SPOT are always there: any container instance serves their tasks.
"""

from __future__ import annotations

from ecsctl.controller.providers import MOST
from ecsctl.model.account_records import CapacityProviderRecord
from ecsctl.model.api.capacity_providers import (
    CreateCapacityProviderRequest,
    CreateCapacityProviderResponse,
    DeleteCapacityProviderRequest,
    DeleteCapacityProviderResponse,
    DescribeCapacityProvidersRequest,
    DescribeCapacityProvidersResponse,
    PutClusterCapacityProvidersRequest,
    PutClusterCapacityProvidersResponse,
    UpdateCapacityProviderRequest,
    UpdateCapacityProviderResponse,
)
from ecsctl.model.arn import check_name, last_part
from ecsctl.model.auto_scaling import AutoScalingGroupProvider, ManagedDraining, ManagedScaling
from ecsctl.model.capacity_provider import CapacityProvider, CapacityProviderType
from ecsctl.model.cluster import FARGATE_PROVIDERS, Cluster
from ecsctl.model.common import Failure
from ecsctl.model.errors import ApiError, client_exception, invalid_parameter
from ecsctl.model.record import evolve
from ecsctl.operations.clusters import cluster_shape, with_providers
from ecsctl.operations.context import Context
from ecsctl.operations.lookup import find_cluster, put_tags, tags_of
from ecsctl.operations.pages import Number, Text, page, window
from ecsctl.operations.provider_lookup import check_provider_tags, find_provider
from ecsctl.placement.providers import names
from ecsctl.store.account_tables import CAPACITY_PROVIDERS
from ecsctl.store.store import View, add_event
from ecsctl.store.tables import CLUSTERS, INSTANCES, SERVICES

_RESERVED = ("aws", "ecs", "fargate")
_DEFAULT = ManagedScaling(
    status="DISABLED",
    target_capacity=100,
    minimum_scaling_step_size=1,
    maximum_scaling_step_size=10_000,
    instance_warmup_period=300,
)
_UNSERVED = "is not honoured: ecsctl makes no machines, and ends none"


def create_capacity_provider(ctx: Context, request: CreateCapacityProviderRequest) -> CreateCapacityProviderResponse:
    """A new capacity provider (ECS API_CreateCapacityProvider); without an Auto Scaling group too, which is ours."""
    name = check_name(request.name, "Capacity provider name", "InvalidParameterException")
    if name.lower().startswith(_RESERVED):
        raise invalid_parameter(f"Capacity provider name {name!r}: the prefixes aws, ecs and fargate are reserved.")
    _check_served(request)
    check_provider_tags(request.tags)
    record = CapacityProviderRecord(
        arn=ctx.scope.capacity_provider(name), name=name, group=_group(request.auto_scaling_group_provider)
    )
    with ctx.store.write() as tx:
        if tx.get(CAPACITY_PROVIDERS, record.arn):
            raise invalid_parameter(f"The specified capacity provider name already exists: {name}.")
        tx.put(CAPACITY_PROVIDERS, record)
        put_tags(tx, record.arn, request.tags)
        if request.auto_scaling_group_provider:
            _warn_of_draining(ctx, request.auto_scaling_group_provider.managed_draining)
        return CreateCapacityProviderResponse(capacity_provider=_shape(tx, record, tags=True))


def describe_capacity_providers(
    ctx: Context, request: DescribeCapacityProvidersRequest
) -> DescribeCapacityProvidersResponse:
    """The named capacity providers, or all there are; of a cluster's only when it is named
    (ECS API_DescribeCapacityProviders)."""
    failures: list[Failure] = []
    if len(request.capacity_providers or []) > 100:
        raise invalid_parameter("capacityProviders: at most 100 can be described in one call.")
    with ctx.store.read() as view:
        always = [CapacityProviderRecord(arn=ctx.scope.capacity_provider(n), name=n) for n in FARGATE_PROVIDERS]
        found = [*always, *view.find(CAPACITY_PROVIDERS, scope=ctx.scope.key)]
        place = {record.arn: int(record.name not in FARGATE_PROVIDERS) for record in found}
        if request.cluster:
            associated = find_cluster(view, ctx, request.cluster).capacity_providers or []
            found = [record for record in found if record.name in associated]
        if request.capacity_providers:
            known = {record.arn: record for record in found}
            asked = list(dict.fromkeys(_arn(ctx, name) for name in request.capacity_providers))
            place = {arn: number for number, arn in enumerate(asked)}
            failures = [Failure(arn=arn, reason="MISSING") for arn in asked if arn not in known]
            found = [known[arn] for arn in asked if arn in known]
        part = window(request.next_token, request.max_results, most=10, kind=tuple[Number, Text])
        chosen, token = page(found, lambda record: (place[record.arn], record.name), part)
        shapes = [_shape(view, record, tags="TAGS" in (request.include or [])) for record in chosen]
    return DescribeCapacityProvidersResponse(capacity_providers=shapes, failures=failures, next_token=token)


def update_capacity_provider(ctx: Context, request: UpdateCapacityProviderRequest) -> UpdateCapacityProviderResponse:
    """Change what is said of the Auto Scaling group (ECS API_UpdateCapacityProvider)."""
    _check_served(request)
    with ctx.store.write() as tx:
        record = _own(tx, ctx, request.name)
        change = request.auto_scaling_group_provider
        if change is None or record.group is None:
            raise invalid_parameter(f"autoScalingGroupProvider: {record.name} has none that could be changed.")
        asked = AutoScalingGroupProvider(
            auto_scaling_group_arn=record.group.auto_scaling_group_arn,
            managed_scaling=_changed(record.group.managed_scaling or _DEFAULT, change.managed_scaling),
            managed_termination_protection=change.managed_termination_protection,
            managed_draining=change.managed_draining or record.group.managed_draining,
        )
        record = evolve(record, group=_group(asked))
        _warn_of_draining(ctx, change.managed_draining)
        tx.put(CAPACITY_PROVIDERS, record)
        return UpdateCapacityProviderResponse(capacity_provider=_shape(tx, record, tags=True))


def delete_capacity_provider(ctx: Context, request: DeleteCapacityProviderRequest) -> DeleteCapacityProviderResponse:
    """Delete a capacity provider that no cluster and no container instance has (ECS API_DeleteCapacityProvider)."""
    _check_cluster(request.cluster)
    arn = _arn(ctx, request.capacity_provider)
    name = last_part(arn)
    with ctx.store.write() as tx:
        record = _own(tx, ctx, name if arn == ctx.scope.capacity_provider(name) else arn)
        for cluster in tx.find(CLUSTERS, scope=ctx.scope.key, status="ACTIVE"):
            if record.name in (cluster.capacity_providers or []):
                raise client_exception(
                    f"The specified capacity provider is in use and cannot be removed: the cluster "
                    f"{cluster.cluster_name} has it; see put-cluster-capacity-providers."
                )
        for instance in tx.find(INSTANCES, status=("ACTIVE", "DRAINING")):
            if instance.instance.capacity_provider_name == record.name:
                raise client_exception(
                    f"The specified capacity provider is in use and cannot be removed: {instance.name} is registered "
                    "for it; see deregister-container-instance."
                )
        gone = evolve(_shape(tx, record, tags=False), status="INACTIVE", update_status="DELETE_COMPLETE")
        tx.delete(CAPACITY_PROVIDERS, arn=record.arn)
        put_tags(tx, record.arn, None)
        return DeleteCapacityProviderResponse(capacity_provider=gone)


def put_cluster_capacity_providers(
    ctx: Context, request: PutClusterCapacityProvidersRequest
) -> PutClusterCapacityProvidersResponse:
    """Say which capacity providers a cluster has, and its default strategy (ECS API_PutClusterCapacityProviders)."""
    with ctx.store.write() as tx:
        cluster = find_cluster(tx, ctx, request.cluster)
        if len(set(request.capacity_providers)) > MOST:
            raise invalid_parameter(f"capacityProviders: a cluster has {MOST} capacity providers at most.")
        default = request.default_capacity_provider_strategy
        changed = with_providers(tx, ctx, cluster, request.capacity_providers, default)
        _check_unused(tx, cluster, set(cluster.capacity_providers or []) - set(request.capacity_providers))
        tx.put(CLUSTERS, changed)
        said = f"{', '.join(request.capacity_providers) or 'none'}; by default {', '.join(names(default)) or 'none'}"
        arn = str(cluster.cluster_arn)
        add_event(tx, ctx.now(), arn, arn, "ClusterCapacityProviders", said)
        return PutClusterCapacityProvidersResponse(
            cluster=cluster_shape(tx, changed, {"SETTINGS", "CONFIGURATIONS", "TAGS"})
        )


def _check_unused(view: View, cluster: Cluster, leaving: set[str]) -> None:
    """ResourceInUseException where tasks or services of the cluster still have one of these."""
    arn = str(cluster.cluster_arn)
    used = {task.task.capacity_provider_name: f"task {last_part(task.arn)}" for task in view.unfinished(cluster=arn)}
    for record in view.find(SERVICES, cluster=arn, status=("ACTIVE", "DRAINING")):
        for name in names(record.service.capacity_provider_strategy):
            used[name] = f"service {record.service.service_name}"
    for name in sorted(leaving & used.keys()):
        raise ApiError(
            "ResourceInUseException",
            f"The specified capacity provider is in use and cannot be removed: {used[name]} has {name}.",
        )


def _arn(ctx: Context, name: str) -> str:
    return name if name.startswith("arn:") else ctx.scope.capacity_provider(name)


def _check_served(request: CreateCapacityProviderRequest | UpdateCapacityProviderRequest) -> None:
    if request.managed_instances_provider:
        raise client_exception(
            f"managedInstancesProvider {_UNSERVED}; see register-container-instance --capacity-provider."
        )
    _check_cluster(request.cluster)


def _check_cluster(cluster: str | None) -> None:
    if cluster:
        raise client_exception(
            "cluster: only a capacity provider of managed instances is of one cluster, and there are none: leave it "
            "out (put-cluster-capacity-providers says which clusters have one)."
        )


def _changed(before: ManagedScaling, change: ManagedScaling | None) -> ManagedScaling:
    """What is not said stays as it is."""
    fields = change.__struct_fields__ if change else ()
    return evolve(before, **{name: value for name in fields if (value := getattr(change, name)) is not None})


def _warn_of_draining(ctx: Context, asked: ManagedDraining | None) -> None:
    if asked == "ENABLED":
        ctx.warn(
            "managedDraining is recorded: ecsctl ends no machines; before you end one, drain it "
            "(update-container-instances-state --status DRAINING)"
        )


def _own(view: View, ctx: Context, name: str) -> CapacityProviderRecord:
    if name in FARGATE_PROVIDERS:
        raise invalid_parameter(f"The capacity provider {name} is reserved: it cannot be changed or deleted.")
    return find_provider(view, ctx, name)


def _group(asked: AutoScalingGroupProvider | None) -> AutoScalingGroupProvider | None:
    """With ECS's defaults; ClientException for what only a cloud can do."""
    if asked is None:
        return None
    if not asked.auto_scaling_group_arn.strip():
        raise invalid_parameter("autoScalingGroupProvider.autoScalingGroupArn: is empty.")
    scaling = asked.managed_scaling or ManagedScaling()
    if scaling.status == "ENABLED":
        raise client_exception(f"managedScaling.status: ENABLED {_UNSERVED}; write DISABLED, or leave it out.")
    if asked.managed_termination_protection == "ENABLED":
        raise client_exception(f"managedTerminationProtection: ENABLED {_UNSERVED}; write DISABLED, or leave it out.")
    for field, value, least, most in (
        ("targetCapacity", scaling.target_capacity, 1, 100),
        ("minimumScalingStepSize", scaling.minimum_scaling_step_size, 1, 10_000),
        ("maximumScalingStepSize", scaling.maximum_scaling_step_size, 1, 10_000),
        ("instanceWarmupPeriod", scaling.instance_warmup_period, 0, 10_000),
    ):
        if value is not None and not least <= value <= most:
            raise invalid_parameter(f"managedScaling.{field}: {value} is not between {least} and {most}.")
    return evolve(
        asked,
        managed_scaling=_changed(_DEFAULT, scaling),
        managed_termination_protection="DISABLED",
        managed_draining=asked.managed_draining or "ENABLED",
    )


def _shape(view: View, record: CapacityProviderRecord, *, tags: bool) -> CapacityProvider:
    kind: CapacityProviderType = "EC2_AUTOSCALING"
    if record.name in FARGATE_PROVIDERS:
        kind = "FARGATE" if record.name == "FARGATE" else "FARGATE_SPOT"
    return CapacityProvider(
        capacity_provider_arn=record.arn,
        name=record.name,
        status="ACTIVE",
        auto_scaling_group_provider=record.group,
        tags=tags_of(view, record.arn) if tags else [],
        type=kind,
    )
