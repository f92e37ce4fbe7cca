"""The cluster actions."""

from __future__ import annotations

from ecsctl.model.account_settings import VALUES
from ecsctl.model.api.clusters import (
    ClusterServiceConnectDefaultsRequest,
    CreateClusterRequest,
    CreateClusterResponse,
    DeleteClusterRequest,
    DeleteClusterResponse,
    DescribeClustersRequest,
    DescribeClustersResponse,
    ListClustersRequest,
    ListClustersResponse,
    UpdateClusterRequest,
    UpdateClusterResponse,
    UpdateClusterSettingsRequest,
    UpdateClusterSettingsResponse,
)
from ecsctl.model.arn import check_name
from ecsctl.model.cluster import (
    FARGATE_PROVIDERS,
    CapacityProviderStrategyItem,
    Cluster,
    ClusterServiceConnectDefaults,
    ClusterSetting,
)
from ecsctl.model.common import Failure, KeyValuePair
from ecsctl.model.errors import ApiError, invalid_parameter
from ecsctl.model.record import evolve
from ecsctl.operations.account_settings import effective_value
from ecsctl.operations.context import Context
from ecsctl.operations.discovery_rules import check_namespace
from ecsctl.operations.lookup import check_tags, cluster_arn, find_cluster, put_tags, tags_of
from ecsctl.operations.pages import itself, page, window
from ecsctl.operations.provider_lookup import find_provider
from ecsctl.store.schedule_table import SCHEDULES
from ecsctl.store.store import Transaction, View, add_event
from ecsctl.store.tables import CLUSTERS, INSTANCES, SERVICES, TASKS


def create_cluster(ctx: Context, request: CreateClusterRequest) -> CreateClusterResponse:
    """A new cluster; the one of that name when it exists (ECS API_CreateCluster)."""
    check_new_cluster(request)
    name = request.cluster_name or "default"
    with ctx.store.write() as tx:
        existing = tx.get(CLUSTERS, ctx.scope.cluster(name))
        if existing is None or existing.status != "ACTIVE":
            put_cluster(tx, ctx, name, request)
        cluster = find_cluster(tx, ctx, name)
        return CreateClusterResponse(cluster=cluster_shape(tx, cluster, {"TAGS", "SETTINGS", "CONFIGURATIONS"}))


def check_new_cluster(request: CreateClusterRequest) -> None:
    """InvalidParameterException for what a cluster cannot be."""
    check_name(request.cluster_name or "default", "Cluster name", "InvalidParameterException")
    check_tags(request.tags)
    _check_settings(request.settings)
    if request.service_connect_defaults:
        check_namespace(request.service_connect_defaults.namespace, "serviceConnectDefaults.namespace")


def _check_settings(settings: list[ClusterSetting] | None) -> None:
    known = VALUES["containerInsights"]
    for setting in settings or []:
        if setting.value not in known:
            raise invalid_parameter(f"settings: containerInsights is {' or '.join(known)}, not {setting.value!r}.")


def put_cluster(tx: Transaction, ctx: Context, name: str, request: CreateClusterRequest) -> None:
    """Write a new ACTIVE cluster."""
    arn = ctx.scope.cluster(name)
    cluster = cluster_asked(tx, ctx, name, request)
    providers, default = cluster.capacity_providers or [], cluster.default_capacity_provider_strategy or []
    tx.put(CLUSTERS, with_providers(tx, ctx, cluster, providers, default))
    put_tags(tx, arn, request.tags)
    add_event(tx, ctx.now(), arn, arn, "ClusterCreated", "")


def cluster_asked(view: View, ctx: Context, name: str, request: CreateClusterRequest) -> Cluster:
    """The cluster that a valid `request` becomes, with what ECS fills in."""
    insights = ClusterSetting(name="containerInsights", value=effective_value(view, ctx, "containerInsights"))
    return Cluster(
        cluster_arn=ctx.scope.cluster(name),
        cluster_name=name,
        status="ACTIVE",
        settings=request.settings or [insights],
        configuration=request.configuration,
        capacity_providers=request.capacity_providers or [],
        default_capacity_provider_strategy=request.default_capacity_provider_strategy or [],
        service_connect_defaults=_defaults(request.service_connect_defaults),
    )


def _defaults(asked: ClusterServiceConnectDefaultsRequest | None) -> ClusterServiceConnectDefaults | None:
    """None where an empty namespace takes back what there was."""
    return ClusterServiceConnectDefaults(namespace=asked.namespace) if asked and asked.namespace else None


def with_providers(
    view: View, ctx: Context, cluster: Cluster, providers: list[str], default: list[CapacityProviderStrategyItem]
) -> Cluster:
    """The cluster with these capacity providers and this default strategy; InvalidParameterException."""
    from ecsctl.controller.providers import check_strategy  # what only reads clusters needs no rules

    if len(set(providers)) < len(providers):
        raise invalid_parameter("capacityProviders: a capacity provider is named twice.")
    for name in providers:
        if name not in FARGATE_PROVIDERS:
            find_provider(view, ctx, name)
    changed = evolve(cluster, capacity_providers=providers, default_capacity_provider_strategy=default)
    check_strategy(changed, default)
    return changed


def describe_clusters(ctx: Context, request: DescribeClustersRequest) -> DescribeClustersResponse:
    """The named clusters, `default` when none is named; unknown ones are failures (ECS API_DescribeClusters)."""
    clusters, failures = [], []
    include: set[str] = set(request.include or [])
    if len(request.clusters or []) > 100:
        raise invalid_parameter("clusters: at most 100 can be described in one call.")
    with ctx.store.read() as view:
        for name in request.clusters or ["default"]:
            arn = cluster_arn(ctx, name)
            found = view.get(CLUSTERS, arn)
            if found is None:
                failures.append(Failure(arn=arn, reason="MISSING"))
            else:
                clusters.append(cluster_shape(view, found, include))
    return DescribeClustersResponse(clusters=clusters, failures=failures)


def list_clusters(ctx: Context, request: ListClustersRequest) -> ListClustersResponse:
    """The ARNs of the ACTIVE clusters of this region and account (ECS API_ListClusters)."""
    with ctx.store.read() as view:
        found = view.keys(CLUSTERS, "arn", scope=ctx.scope.key, status="ACTIVE")
    arns, token = page(found, itself, window(request.next_token, request.max_results))
    return ListClustersResponse(cluster_arns=arns, next_token=token)


def update_cluster(ctx: Context, request: UpdateClusterRequest) -> UpdateClusterResponse:
    """Change settings and configuration (ECS API_UpdateCluster)."""
    asked = request.service_connect_defaults
    if asked and asked.namespace:
        check_namespace(asked.namespace, "serviceConnectDefaults.namespace")
    return UpdateClusterResponse(cluster=_update(ctx, request.cluster, request))


def update_cluster_settings(ctx: Context, request: UpdateClusterSettingsRequest) -> UpdateClusterSettingsResponse:
    """Change settings (ECS API_UpdateClusterSettings)."""
    changed = _update(ctx, request.cluster, UpdateClusterRequest(cluster=request.cluster, settings=request.settings))
    return UpdateClusterSettingsResponse(cluster=changed)


def _update(ctx: Context, name: str, request: UpdateClusterRequest) -> Cluster:
    _check_settings(request.settings)
    with ctx.store.write() as tx:
        cluster = find_cluster(tx, ctx, name)
        changed = evolve(
            cluster,
            settings=request.settings or cluster.settings,
            configuration=request.configuration or cluster.configuration,
            service_connect_defaults=cluster.service_connect_defaults
            if request.service_connect_defaults is None
            else _defaults(request.service_connect_defaults),
        )
        tx.put(CLUSTERS, changed)
        return cluster_shape(tx, changed, {"SETTINGS", "CONFIGURATIONS", "TAGS"})


def delete_cluster(ctx: Context, request: DeleteClusterRequest) -> DeleteClusterResponse:
    """Make a cluster INACTIVE; refused while it holds tasks or container instances (ECS API_DeleteCluster).

    Its schedules go with it.
    """
    with ctx.store.write() as tx:
        cluster = find_cluster(tx, ctx, request.cluster)
        arn = str(cluster.cluster_arn)
        if tx.count(SERVICES, cluster=arn, status=("ACTIVE", "DRAINING")):
            raise ApiError(
                "ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active."
            )
        if tx.count(INSTANCES, cluster=arn, status=("ACTIVE", "DRAINING")):
            raise ApiError(
                "ClusterContainsContainerInstancesException",
                "The Cluster cannot be deleted while Container Instances are active or draining.",
            )
        if tx.unfinished(cluster=arn):
            raise ApiError("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
        for schedule in tx.find(SCHEDULES, cluster=arn):
            tx.delete(SCHEDULES, arn=schedule.arn)
            put_tags(tx, schedule.arn, None)
            add_event(tx, ctx.now(), arn, schedule.arn, "ScheduleDeleted", "its cluster is deleted")
        tx.put(CLUSTERS, evolve(cluster, status="INACTIVE"))
        add_event(tx, ctx.now(), arn, arn, "ClusterDeleted", "")
        return DeleteClusterResponse(cluster=cluster_shape(tx, evolve(cluster, status="INACTIVE"), set()))


def cluster_shape(view: View, cluster: Cluster, include: set[str]) -> Cluster:
    """The cluster as ECS shows it: counts as they are now, and what `include` asks for."""
    arn = str(cluster.cluster_arn)
    used = view.used(arn).values()
    running, pending = sum(use.running for use in used), sum(use.pending for use in used)
    statistics = _statistics(view, arn) if "STATISTICS" in include else {}
    return evolve(
        cluster,
        registered_container_instances_count=view.count(INSTANCES, cluster=arn, status=("ACTIVE", "DRAINING")),
        running_tasks_count=running,
        pending_tasks_count=pending,
        active_services_count=view.count(SERVICES, cluster=arn, status="ACTIVE"),
        statistics=[KeyValuePair(name=name, value=str(number)) for name, number in statistics.items()],
        tags=tags_of(view, arn) if "TAGS" in include else [],
        settings=cluster.settings if "SETTINGS" in include else [],
        configuration=cluster.configuration if "CONFIGURATIONS" in include else None,
        capacity_providers=cluster.capacity_providers or [],
        default_capacity_provider_strategy=cluster.default_capacity_provider_strategy or [],
    )


def _statistics(view: View, arn: str) -> dict[str, int]:
    """Its tasks and services by launch type (ECS API_Cluster)."""
    from ecsctl.controller.providers import launched

    kinds = {"EC2": "EC2", "FARGATE": "Fargate", "EXTERNAL": "External"}
    states = {"running": ("RUNNING",), "pending": ("PROVISIONING", "PENDING", "ACTIVATING")}
    found = {
        f"{state}{word}TasksCount": view.count(TASKS, cluster=arn, launch_type=kind, last_status=status)
        for kind, word in kinds.items()
        for state, status in states.items()
    }
    for status in ("ACTIVE", "DRAINING"):
        services = [record.service for record in view.find(SERVICES, cluster=arn, status=status)]
        for kind, word in kinds.items():
            found[f"{status.lower()}{word}ServiceCount"] = sum(kind in launched(service) for service in services)
    return found
