"""Requests and responses of the cluster actions."""

from typing import Literal

from ecsctl.model.cluster import CapacityProviderStrategyItem, Cluster, ClusterConfiguration, ClusterSetting
from ecsctl.model.common import Failure, Tag
from ecsctl.model.record import Record

ClusterField = Literal["ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "STATISTICS", "TAGS"]


class ClusterServiceConnectDefaultsRequest(Record):
    """What ClusterServiceConnectDefaults takes (ECS API_ClusterServiceConnectDefaults)."""

    namespace: str


class CreateClusterRequest(Record):
    """What CreateCluster takes (ECS API_CreateCluster)."""

    cluster_name: str | None = None
    tags: list[Tag] | None = None
    settings: list[ClusterSetting] | None = None
    configuration: ClusterConfiguration | None = None
    capacity_providers: list[str] | None = None
    default_capacity_provider_strategy: list[CapacityProviderStrategyItem] | None = None
    service_connect_defaults: ClusterServiceConnectDefaultsRequest | None = None


class CreateClusterResponse(Record):
    """What CreateCluster answers (ECS API_CreateCluster)."""

    cluster: Cluster | None = None


class DescribeClustersRequest(Record):
    """What DescribeClusters takes (ECS API_DescribeClusters)."""

    clusters: list[str] | None = None
    include: list[ClusterField] | None = None


class DescribeClustersResponse(Record):
    """What DescribeClusters answers (ECS API_DescribeClusters)."""

    clusters: list[Cluster] | None = None
    failures: list[Failure] | None = None


class ListClustersRequest(Record):
    """What ListClusters takes (ECS API_ListClusters)."""

    next_token: str | None = None
    max_results: int | None = None


class ListClustersResponse(Record):
    """What ListClusters answers (ECS API_ListClusters)."""

    cluster_arns: list[str] | None = None
    next_token: str | None = None


class DeleteClusterRequest(Record):
    """What DeleteCluster takes (ECS API_DeleteCluster)."""

    cluster: str


class DeleteClusterResponse(Record):
    """What DeleteCluster answers (ECS API_DeleteCluster)."""

    cluster: Cluster | None = None


class UpdateClusterRequest(Record):
    """What UpdateCluster takes (ECS API_UpdateCluster)."""

    cluster: str
    settings: list[ClusterSetting] | None = None
    configuration: ClusterConfiguration | None = None
    service_connect_defaults: ClusterServiceConnectDefaultsRequest | None = None


class UpdateClusterResponse(Record):
    """What UpdateCluster answers (ECS API_UpdateCluster)."""

    cluster: Cluster | None = None


class UpdateClusterSettingsRequest(Record):
    """What UpdateClusterSettings takes (ECS API_UpdateClusterSettings)."""

    cluster: str
    settings: list[ClusterSetting]


class UpdateClusterSettingsResponse(Record):
    """What UpdateClusterSettings answers (ECS API_UpdateClusterSettings)."""

    cluster: Cluster | None = None
