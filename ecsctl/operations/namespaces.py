"""The actions on namespaces, in which services find each other by name."""

from __future__ import annotations

from ecsctl.model.api.namespaces import ListServicesByNamespaceRequest, ListServicesByNamespaceResponse
from ecsctl.model.arn import last_part, parse_arn
from ecsctl.model.cluster import Cluster
from ecsctl.model.record import evolve
from ecsctl.model.service_network import ServiceConnectServiceResource
from ecsctl.model.stored import DeploymentRecord, ServiceRecord
from ecsctl.operations.context import Context
from ecsctl.operations.discovery_rules import default_namespace
from ecsctl.operations.pages import itself, page, window
from ecsctl.scheduler.discovery import discovery_name, is_connected, namespace_name, namespace_of
from ecsctl.store.tables import CLUSTERS, SERVICES


def list_services_by_namespace(
    ctx: Context, request: ListServicesByNamespaceRequest
) -> ListServicesByNamespaceResponse:
    """The ARNs of the services of a namespace, in whichever cluster (ECS API_ListServicesByNamespace)."""
    wanted = namespace_name(request.namespace)
    with ctx.store.read() as view:
        found = view.find(SERVICES, status=("ACTIVE", "DRAINING"))
        clusters = {arn: view.get(CLUSTERS, arn) for arn in {str(one.service.cluster_arn) for one in found}}
        arns = [one.arn for one in found if _namespace(one, clusters[str(one.service.cluster_arn)]) == wanted]
    mine = [arn for arn in arns if arn.startswith(ctx.scope.arn("service/"))]
    chosen, token = page(mine, itself, window(request.next_token, request.max_results))
    return ListServicesByNamespaceResponse(service_arns=chosen, next_token=token)


def _namespace(record: ServiceRecord, cluster: Cluster | None) -> str:
    service = record.service
    registries = [*(service.service_registries or ()), *(r for starter in record.starters for r in starter.registries)]
    if not registries and not is_connected(service.service_connect_configuration):
        return ""
    default = (default_namespace(cluster) if cluster else "") or last_part(str(service.cluster_arn))
    return namespace_of(service.service_connect_configuration, registries, default)


def resources_of(record: ServiceRecord, deployment: DeploymentRecord) -> list[ServiceConnectServiceResource] | None:
    """What ECS says of the services of Cloud Map that a deployment has made; None where it has none."""
    connect = deployment.connect
    if connect is None or not connect.enabled:
        return None
    arn = parse_arn(record.arn)
    names = [discovery_name(one) for one in connect.services or []]
    made = [(name, evolve(arn, service="servicediscovery", resource=f"service/{name}")) for name in names]
    return [ServiceConnectServiceResource(discovery_name=name, discovery_arn=str(one)) for name, one in made]
