"""Clusters in a plan."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from ecsctl.model.api.capacity_providers import PutClusterCapacityProvidersRequest
from ecsctl.model.api.clusters import (
    ClusterServiceConnectDefaultsRequest,
    CreateClusterRequest,
    DeleteClusterRequest,
    UpdateClusterRequest,
)
from ecsctl.model.cluster import Cluster
from ecsctl.model.record import Record, evolve, to_wire
from ecsctl.operations.apply.change import Change, Ground
from ecsctl.operations.apply.difference import differences
from ecsctl.operations.apply.documents import Placed, at, note_place
from ecsctl.operations.apply.mark import check_given_tags, check_set, is_made_by, marked, tag_changes
from ecsctl.operations.clusters import check_new_cluster, cluster_asked, with_providers
from ecsctl.operations.lookup import find_cluster
from ecsctl.store.schedule_table import SCHEDULES
from ecsctl.store.tables import CLUSTERS, INSTANCES, SERVICES

KIND = "cluster"


class Clusters(NamedTuple):
    """The clusters of the documents as they will be, by ARN, and how they become so."""

    wanted: dict[str, Cluster]
    changes: list[Change]

    def find(self, ground: Ground, arn: str) -> Cluster:
        """One of the documents or of the state; ClusterNotFoundException."""
        return self.wanted.get(arn) or find_cluster(ground.view, ground.ctx, arn)


def plan_clusters(ground: Ground, requests: Placed[CreateClusterRequest]) -> Clusters:
    """What to do so that there are the clusters that are asked for."""
    planned = Clusters({}, [])
    places: dict[str, str] = {}
    for where, request in requests:
        with at(where):
            check_new_cluster(request)
            check_given_tags(request.tags, ground.set_name)
            wanted = _asked(ground, request)
            change = _change(ground, request, wanted)
        note_place(places, change.arn, where)
        planned.wanted[change.arn] = wanted
        planned.changes.append(change)
    return planned


def _asked(ground: Ground, request: CreateClusterRequest) -> Cluster:
    """The cluster as it will be: what is not said of capacity providers stays as it is."""
    wanted = cluster_asked(ground.view, ground.ctx, request.cluster_name or "default", request)
    current = ground.view.get(CLUSTERS, str(wanted.cluster_arn))
    providers, default = wanted.capacity_providers or [], wanted.default_capacity_provider_strategy or []
    if current is not None and current.status == "ACTIVE":
        if request.capacity_providers is None:
            providers = current.capacity_providers or []
        if request.default_capacity_provider_strategy is None:
            default = current.default_capacity_provider_strategy or []
    return with_providers(ground.view, ground.ctx, wanted, providers, default)


def _change(ground: Ground, request: CreateClusterRequest, wanted: Cluster) -> Change:
    arn, name = str(wanted.cluster_arn), str(wanted.cluster_name)
    current = ground.view.get(CLUSTERS, arn)
    if current is None or current.status != "ACTIVE":
        create = evolve(request, cluster_name=name, tags=marked(request.tags, ground.set_name))
        said = {**to_wire(request), "clusterName": None}
        return Change("create", KIND, name, arn, tuple(differences(None, said)), (create,))
    check_set(ground.view, arn, ground.set_name)
    # Without a configuration the old one stays: update-cluster has no way to take it away.
    configuration = request.configuration or current.configuration
    defaults, asked = current.service_connect_defaults, wanted.service_connect_defaults
    before = Cluster(settings=current.settings, configuration=current.configuration, service_connect_defaults=defaults)
    after = Cluster(settings=wanted.settings, configuration=configuration, service_connect_defaults=asked)
    found = differences(to_wire(before), to_wire(after))
    requests: list[Record] = []
    if found:
        update = UpdateClusterRequest(cluster=arn, settings=wanted.settings, configuration=configuration)
        if asked != defaults:  # an empty namespace takes back what there is
            namespace = (asked.namespace if asked else None) or ""
            update = evolve(update, service_connect_defaults=ClusterServiceConnectDefaultsRequest(namespace))
        requests.append(update)
    providers = differences(_provided(current), _provided(wanted))
    if providers:
        requests.append(
            PutClusterCapacityProvidersRequest(
                cluster=arn,
                capacity_providers=wanted.capacity_providers or [],
                default_capacity_provider_strategy=wanted.default_capacity_provider_strategy or [],
            )
        )
    tags, more = tag_changes(ground.view, arn, request.tags)
    return Change.of(KIND, name, arn, [*found, *providers, *tags], [*requests, *more])


def _provided(cluster: Cluster) -> dict[str, Any]:
    """Of its wire form what says which capacity providers it has."""
    default = cluster.default_capacity_provider_strategy or None
    return to_wire(
        Cluster(capacity_providers=cluster.capacity_providers or None, default_capacity_provider_strategy=default)
    )


def prune_clusters(ground: Ground, kept: Collection[str], leaving: Collection[str]) -> tuple[list[Change], list[str]]:
    """The deletion of this set's clusters that are not to be kept (by ARN), and notes on those that are not empty.

    `leaving` are the ARNs of the services and schedules that are deleted before.
    """
    changes, notes = [], []
    for cluster in ground.view.find(CLUSTERS, scope=ground.ctx.scope.key, status="ACTIVE"):
        arn = str(cluster.cluster_arn)
        if arn in kept or not is_made_by(ground.view, arn, ground.set_name):
            continue
        if held := _what_holds(ground, arn, leaving):
            notes.append(f"cluster {cluster.cluster_name} is kept: it has {held}")
        else:
            request = DeleteClusterRequest(cluster=arn)
            changes.append(Change("delete", KIND, str(cluster.cluster_name), arn, (), (request,)))
    return changes, notes


def _what_holds(ground: Ground, arn: str, leaving: Collection[str]) -> str:
    view = ground.view
    if view.count(INSTANCES, cluster=arn, status=("ACTIVE", "DRAINING")):
        return "container instances"
    if any(record.arn not in leaving for record in view.find(SERVICES, cluster=arn, status="ACTIVE")):
        return "services"
    if any(record.arn not in leaving for record in view.find(SCHEDULES, cluster=arn)):
        return "schedules"  # which go with a cluster that is deleted
    return "tasks" if any(task.service is None for task in view.unfinished(cluster=arn)) else ""
