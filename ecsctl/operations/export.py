"""What is wanted, as one document: capacity providers, clusters, hosts, task definitions, services and schedules.

No tasks, no history and no secrets are in it; of secrets there are the references that task definitions have.
"""

from __future__ import annotations

import msgspec

from ecsctl.model.api.capacity_providers import CreateCapacityProviderRequest
from ecsctl.model.api.clusters import ClusterServiceConnectDefaultsRequest, CreateClusterRequest
from ecsctl.model.api.services import CreateServiceRequest
from ecsctl.model.arn import last_part
from ecsctl.model.cluster import Cluster
from ecsctl.model.common import Tag
from ecsctl.model.record import Record, evolve
from ecsctl.model.schedule import ScheduleTaskRequest
from ecsctl.model.schedule_record import ScheduleRecord
from ecsctl.model.stored import ServiceRecord
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.operations.context import Context
from ecsctl.operations.hosts import HostDocument, host_document
from ecsctl.operations.lookup import tags_of
from ecsctl.operations.registered_definition import request_of
from ecsctl.operations.task_definitions import Revision
from ecsctl.operations.task_sets import OF_TASK_SETS
from ecsctl.store.account_tables import CAPACITY_PROVIDERS
from ecsctl.store.schedule_table import SCHEDULES
from ecsctl.store.store import View
from ecsctl.store.tables import CLUSTERS, INSTANCES, SERVICES, TASK_DEFINITIONS


class StateDocument(Record):
    """All that is wanted in one region and account."""

    capacity_providers: list[CreateCapacityProviderRequest] = msgspec.field(default_factory=list)
    clusters: list[CreateClusterRequest] = msgspec.field(default_factory=list)
    container_instances: list[HostDocument] = msgspec.field(default_factory=list)
    task_definitions: list[Revision] = msgspec.field(default_factory=list)
    services: list[CreateServiceRequest] = msgspec.field(default_factory=list)
    schedules: list[ScheduleTaskRequest] = msgspec.field(default_factory=list)


def export_state(ctx: Context) -> StateDocument:
    """The document of this state, for the region and the account that new ARNs are made in."""
    here = ctx.scope.key
    with ctx.store.read() as view:
        clusters = view.find(CLUSTERS, scope=here, status="ACTIVE", order="name")
        arns = tuple(str(cluster.cluster_arn) for cluster in clusters)
        services = view.find(SERVICES, cluster=arns, status="ACTIVE")
        served = {str(service.service.task_definition) for service in services}
        definitions = view.find(TASK_DEFINITIONS, scope=here)
        definitions = [one for one in definitions if one.status == "ACTIVE" or one.task_definition_arn in served]
        definitions.sort(key=lambda one: (str(one.family), one.revision or 0))
        hosts = view.find(INSTANCES, cluster=arns, status=("ACTIVE", "DRAINING"))
        return StateDocument(
            capacity_providers=[
                CreateCapacityProviderRequest(
                    name=one.name, auto_scaling_group_provider=one.group, tags=_tags(view, one.arn)
                )
                for one in view.find(CAPACITY_PROVIDERS, scope=here, order="name")
            ],
            clusters=[_cluster(view, one) for one in clusters],
            container_instances=[host_document(one, _tags(view, one.arn)) for one in hosts],
            task_definitions=[_revision(view, one) for one in definitions],
            services=[_service(view, one) for one in services],
            schedules=[_schedule(one) for one in view.find(SCHEDULES, cluster=arns)],
        )


def _tags(view: View, arn: str | None) -> list[Tag] | None:
    return tags_of(view, arn) or None


def _cluster(view: View, cluster: Cluster) -> CreateClusterRequest:
    defaults = cluster.service_connect_defaults
    return CreateClusterRequest(
        cluster_name=cluster.cluster_name,
        settings=cluster.settings,
        configuration=cluster.configuration,
        capacity_providers=cluster.capacity_providers or None,
        default_capacity_provider_strategy=cluster.default_capacity_provider_strategy or None,
        service_connect_defaults=ClusterServiceConnectDefaultsRequest(defaults.namespace)
        if defaults and defaults.namespace
        else None,
        tags=_tags(view, cluster.cluster_arn),
    )


def _revision(view: View, definition: TaskDefinition) -> Revision:
    request = request_of(definition, tags_of(view, definition.task_definition_arn))
    return Revision(**msgspec.structs.asdict(request), revision=definition.revision or 0)


def _service(view: View, record: ServiceRecord) -> CreateServiceRequest:
    service = record.service
    names = [field.name for field in msgspec.structs.fields(CreateServiceRequest)]
    asked = {name: getattr(service, name) for name in names if hasattr(service, name)}
    unasked = {name: None for name in ("load_balancers", "service_registries") if not asked[name]}
    if record.is_external:
        unasked |= dict.fromkeys(OF_TASK_SETS)
    if record.is_daemon:
        unasked["desired_count"] = None
    changed = {
        "cluster": last_part(str(service.cluster_arn)),
        "task_definition": record.definition or None,
        "volume_configurations": record.volumes,
        "tags": _tags(view, record.arn),
    }
    return CreateServiceRequest(**{**asked, **changed, **unasked})


def _schedule(record: ScheduleRecord) -> ScheduleTaskRequest:
    return evolve(record.request, cluster=last_part(record.cluster_arn))
