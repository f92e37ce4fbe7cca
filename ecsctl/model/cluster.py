"""Cluster (ECS API_Cluster)."""

from typing import Literal

from ecsctl.model.common import KeyValuePair, Tag
from ecsctl.model.record import Record

ExecuteCommandLogging = Literal["NONE", "DEFAULT", "OVERRIDE"]
ClusterSettingName = Literal["containerInsights"]
FARGATE_PROVIDERS = ("FARGATE", "FARGATE_SPOT")
"""The capacity providers that every account has (ECS API_CreateCapacityProvider)."""


class ExecuteCommandLogConfiguration(Record):
    """ECS API_ExecuteCommandLogConfiguration."""

    cloud_watch_log_group_name: str | None = None
    cloud_watch_encryption_enabled: bool | None = None
    s3_bucket_name: str | None = None
    s3_encryption_enabled: bool | None = None
    s3_key_prefix: str | None = None


class ExecuteCommandConfiguration(Record):
    """ECS API_ExecuteCommandConfiguration."""

    kms_key_id: str | None = None
    logging: ExecuteCommandLogging | None = None
    log_configuration: ExecuteCommandLogConfiguration | None = None


class ManagedStorageConfiguration(Record):
    """ECS API_ManagedStorageConfiguration."""

    kms_key_id: str | None = None
    fargate_ephemeral_storage_kms_key_id: str | None = None


class ClusterConfiguration(Record):
    """ECS API_ClusterConfiguration."""

    execute_command_configuration: ExecuteCommandConfiguration | None = None
    managed_storage_configuration: ManagedStorageConfiguration | None = None


class ClusterSetting(Record):
    """ECS API_ClusterSetting."""

    name: ClusterSettingName | None = None
    value: str | None = None


class CapacityProviderStrategyItem(Record):
    """ECS API_CapacityProviderStrategyItem."""

    capacity_provider: str
    weight: int | None = None
    base: int | None = None


class Attachment(Record):
    """ECS API_Attachment."""

    id: str | None = None
    type: str | None = None
    status: str | None = None
    details: list[KeyValuePair] | None = None


class ClusterServiceConnectDefaults(Record):
    """ECS API_ClusterServiceConnectDefaults."""

    namespace: str | None = None


class Cluster(Record):
    """ECS API_Cluster."""

    cluster_arn: str | None = None
    cluster_name: str | None = None
    configuration: ClusterConfiguration | None = None
    status: str | None = None
    registered_container_instances_count: int | None = None
    running_tasks_count: int | None = None
    pending_tasks_count: int | None = None
    active_services_count: int | None = None
    statistics: list[KeyValuePair] | None = None
    tags: list[Tag] | None = None
    settings: list[ClusterSetting] | None = None
    capacity_providers: list[str] | None = None
    default_capacity_provider_strategy: list[CapacityProviderStrategyItem] | None = None
    attachments: list[Attachment] | None = None
    attachments_status: str | None = None
    service_connect_defaults: ClusterServiceConnectDefaults | None = None
