"""CodeDeploy, so that `aws ecs deploy` works: to deploy is to update the service (CodeDeploy API reference).

Each service has an application and a deployment group, called as that command calls them where it is not told, and a
deployment is the service deployment of ECS, with another id. How it goes the service says, rolling or blue/green.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from ecsctl.model.api.services import UpdateServiceRequest
from ecsctl.model.arn import Arn, last_part, parse_arn
from ecsctl.model.errors import ApiError, InputError
from ecsctl.model.neighbours.codedeploy import (
    ApplicationInfo,
    BlueGreenDeploymentConfiguration,
    BlueInstanceTerminationOption,
    CreateDeploymentRequest,
    CreateDeploymentResponse,
    DeploymentGroupInfo,
    DeploymentInfo,
    DeploymentReadyOption,
    DeploymentStatus,
    DeploymentStyle,
    ECSService,
    ErrorInformation,
    GetApplicationRequest,
    GetApplicationResponse,
    GetDeploymentGroupRequest,
    GetDeploymentGroupResponse,
    GetDeploymentRequest,
    GetDeploymentResponse,
    RevisionLocation,
)
from ecsctl.model.record import Record
from ecsctl.model.service import Service
from ecsctl.model.service_deployment import ServiceDeployment, ServiceDeploymentStatus
from ecsctl.operations.context import Context
from ecsctl.operations.services import update_service
from ecsctl.operations.strict_json import parse_json
from ecsctl.store.deployment_tables import SERVICE_DEPLOYMENTS
from ecsctl.store.store import View
from ecsctl.store.tables import CLUSTERS, SERVICES

_LONGEST = 46
"""Characters of the name of a cluster, or a service, that are part of that of an application (`aws ecs deploy`)."""
_STATUS: dict[ServiceDeploymentStatus, DeploymentStatus] = {
    "PENDING": "Created",
    "IN_PROGRESS": "InProgress",
    "STOP_REQUESTED": "InProgress",
    "SUCCESSFUL": "Succeeded",
    "STOPPED": "Stopped",
}
"""What is rolled back has failed."""
_PROPERTIES = frozenset({"loadbalancerinfo", "taskdefinition"})
"""What a resource may have. There is nothing that could be told of its load balancer."""


def resources(ctx: Context, request: Record) -> list[str]:
    """The ARN of the application or deployment group that is asked for."""
    if isinstance(request, GetDeploymentRequest):
        with ctx.store.read() as view:
            cluster, service = _names_of(_deployment(ctx, view, request.deployment_id))
        return [_arn(ctx, f"deploymentgroup:{_application(cluster, service)}/{_group(cluster, service)}")]
    application = getattr(request, "application_name", "*")
    group = getattr(request, "deployment_group_name", None)
    return [_arn(ctx, f"deploymentgroup:{application}/{group}" if group else f"application:{application}")]


def get_application(ctx: Context, request: GetApplicationRequest) -> GetApplicationResponse:
    """That of a service (GetApplication)."""
    with ctx.store.read() as view:
        service = _service(ctx, view, request.application_name)
    return GetApplicationResponse(ApplicationInfo(request.application_name, service.created_at, "ECS"))


def get_deployment_group(ctx: Context, request: GetDeploymentGroupRequest) -> GetDeploymentGroupResponse:
    """The one of an application (GetDeploymentGroup)."""
    with ctx.store.read() as view:
        service = _service(ctx, view, request.application_name, request.deployment_group_name)
    configuration = service.deployment_configuration
    bake = (configuration.bake_time_in_minutes if configuration else None) or 0
    info = DeploymentGroupInfo(
        request.application_name,
        request.deployment_group_name,
        DeploymentStyle(
            "BLUE_GREEN" if configuration and configuration.strategy == "BLUE_GREEN" else "IN_PLACE",
            "WITHOUT_TRAFFIC_CONTROL",
        ),
        BlueGreenDeploymentConfiguration(
            BlueInstanceTerminationOption(bake, "TERMINATE"), DeploymentReadyOption("CONTINUE_DEPLOYMENT", 0)
        ),
        [ECSService(str(service.service_name), last_part(str(service.cluster_arn)))],
        "ECS",
    )
    return GetDeploymentGroupResponse(info)


def create_deployment(ctx: Context, request: CreateDeploymentRequest) -> CreateDeploymentResponse:
    """Deploy the task definition that an AppSpec file names to the service of a deployment group (CreateDeployment)."""
    with ctx.store.read() as view:
        service = _service(ctx, view, request.application_name, request.deployment_group_name)
    update = UpdateServiceRequest(
        service=str(service.service_arn),
        cluster=service.cluster_arn,
        task_definition=_definition_in(request.revision),
        force_new_deployment=True,
    )
    changed = update_service(ctx, update).service
    digits = last_part(str(changed.current_service_deployment)) if changed else ""
    return CreateDeploymentResponse(f"d-{digits}")


def get_deployment(ctx: Context, request: GetDeploymentRequest) -> GetDeploymentResponse:
    """How far a deployment is (GetDeployment)."""
    with ctx.store.read() as view:
        found = _deployment(ctx, view, request.deployment_id)
    cluster, service = _names_of(found)
    status = _STATUS.get(found.status or "PENDING", "Failed")
    info = DeploymentInfo(
        _application(cluster, service),
        _group(cluster, service),
        request.deployment_id,
        status,
        found.created_at,
        found.started_at,
        "ECS",
        found.finished_at,
        ErrorInformation("ECS_UPDATE_ERROR", found.status_reason or str(found.status))
        if status in ("Failed", "Stopped")
        else None,
    )
    return GetDeploymentResponse(info)


def _service(ctx: Context, view: View, application: str, group: str | None = None) -> Service:
    """The service of an application and, where one is named, deployment group."""
    for cluster in view.find(CLUSTERS, scope=ctx.scope.key, status="ACTIVE", order="name"):
        for record in view.find(SERVICES, cluster=cluster.cluster_arn, status="ACTIVE"):
            service = record.service
            names = str(cluster.cluster_name), str(service.service_name)
            if _application(*names) != application or record.is_external:
                continue
            if group is not None and group != _group(*names):
                raise ApiError("DeploymentGroupDoesNotExistException", f"No Deployment Group found for name: {group}")
            return service
    raise ApiError("ApplicationDoesNotExistException", f"No application found for name: {application}")


def _deployment(ctx: Context, view: View, number: str) -> ServiceDeployment:
    prefix, ending = ctx.scope.arn("service-deployment/"), f"/{number.removeprefix('d-')}"
    for arn in view.keys(SERVICE_DEPLOYMENTS, "arn"):
        if arn.startswith(prefix) and arn.endswith(ending) and (found := view.get(SERVICE_DEPLOYMENTS, arn)):
            return found
    raise ApiError("DeploymentDoesNotExistException", f"The deployment {number} could not be found")


def _names_of(deployment: ServiceDeployment) -> tuple[str, str]:
    """The cluster's and the service's."""
    cluster, service, _ = parse_arn(str(deployment.service_deployment_arn)).path
    return cluster, service


def _application(cluster: str, service: str) -> str:
    return f"AppECS-{_ending(cluster, service)}"


def _group(cluster: str, service: str) -> str:
    return f"DgpECS-{_ending(cluster, service)}"


def _ending(cluster: str, service: str) -> str:
    return f"{cluster[:_LONGEST]}-{service[:_LONGEST]}"


def _definition_in(revision: RevisionLocation) -> str:
    """The task definition that an AppSpec file is for. InvalidRevisionException for one that asks for more."""
    given = revision.app_spec_content or revision.string
    if given is None or not given.content:
        raise ApiError("RevisionRequiredException", "revision: give the AppSpec file as appSpecContent.")
    if given.sha256 is not None and given.sha256.lower() != hashlib.sha256(given.content.encode()).hexdigest():
        raise _invalid("its sha256 is another")
    try:
        spec = parse_json(given.content, "the AppSpec file")
    except InputError as error:
        raise _invalid(f"it has to be JSON: {error}") from None
    sections = _members(spec, "the AppSpec file")
    for name in sections.keys() - {"version", "resources"}:
        raise _invalid(f"{name} is not supported by ecsctl")
    listed = sections.get("resources")
    if not isinstance(listed, list) or len(listed) != 1 or len(_members(listed[0], "Resources")) != 1:
        raise _invalid("Resources has to be a list of one service")
    (resource,) = _members(listed[0], "Resources").values()
    properties = _members(_members(resource, "the service").get("properties"), "Properties")
    for name in properties.keys() - _PROPERTIES:
        raise _invalid(f"the property {name} is not supported by ecsctl: update the service")
    definition = properties.get("taskdefinition")
    if not isinstance(definition, str) or not definition:
        raise _invalid("TaskDefinition is missing")
    return definition


def _members(value: Any, what: str) -> Mapping[str, Any]:
    """Those of an object, by their names in small letters: AppSpec files are written either way."""
    if not isinstance(value, dict):
        raise _invalid(f"{what} has to be an object")
    return {name.lower(): member for name, member in value.items()}


def _invalid(why: str) -> ApiError:
    return ApiError("InvalidRevisionException", f"The AppSpec file is not valid: {why}.")


def _arn(ctx: Context, resource: str) -> str:
    return str(Arn("aws", "codedeploy", ctx.scope.region, ctx.scope.account, resource))
