"""The service actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ecsctl.controller.progress import note_progress
from ecsctl.controller.providers import (
    Strategy,
    check_fargate_placement,
    fargate_platform,
    launch_types,
    launched,
    strategy_of,
)
from ecsctl.controller.wishes import check_constraints, find_task_definition, startable
from ecsctl.model.api.services import (
    CreateServiceRequest,
    CreateServiceResponse,
    DeleteServiceRequest,
    DeleteServiceResponse,
    DescribeServicesRequest,
    DescribeServicesResponse,
    ListServicesRequest,
    ListServicesResponse,
    UpdateServiceRequest,
    UpdateServiceResponse,
)
from ecsctl.model.arn import last_part
from ecsctl.model.cluster import CapacityProviderStrategyItem, Cluster
from ecsctl.model.common import Failure
from ecsctl.model.deployment_configuration import (
    DeploymentCircuitBreaker,
    DeploymentConfiguration,
    DeploymentController,
)
from ecsctl.model.errors import ApiError, invalid_parameter
from ecsctl.model.record import evolve
from ecsctl.model.service import (
    AvailabilityZoneRebalancing,
    Deployment,
    Service,
    ServiceCurrentRevisionSummary,
    ServiceVolumeConfiguration,
    is_external,
)
from ecsctl.model.stored import DeploymentRecord, ServiceRecord, TaskRecord
from ecsctl.model.task import LaunchType
from ecsctl.model.task_launch import NetworkConfiguration
from ecsctl.operations.context import Context
from ecsctl.operations.deployment_rules import merged
from ecsctl.operations.discovery_rules import check_discovery, check_not_external, with_namespace
from ecsctl.operations.hosts import ensure_default_instance
from ecsctl.operations.idempotency import answered_before, remember
from ecsctl.operations.lookup import (
    find_cluster,
    find_service,
    put_tags,
    service_arn,
    tags_of,
    the_service,
)
from ecsctl.operations.namespaces import resources_of
from ecsctl.operations.pages import itself, page, window
from ecsctl.operations.service_deployments import begin_deployment
from ecsctl.operations.service_rules import check_loss_policy, check_new_service, check_rebalancing, check_update
from ecsctl.operations.task_sets import task_set_shapes
from ecsctl.scheduler.deployments import revision_of, superseded
from ecsctl.scheduler.rebalance import obstacle_to_rebalancing
from ecsctl.scheduler.rollout import DEFAULT_PERCENT
from ecsctl.scheduler.services import IN_PROGRESS
from ecsctl.scheduler.task_sets import computed_count
from ecsctl.store.deployment_tables import SERVICE_DEPLOYMENTS
from ecsctl.store.store import Transaction, View, add_event
from ecsctl.store.tables import SERVICES, TASKS

PLAIN_FIELDS = (
    "desired_count",
    "placement_constraints",
    "placement_strategy",
    "priority",
    "preemption_priority",
    "loss_policy",
    "availability_zone_rebalancing",
    "health_check_grace_period_seconds",
    "enable_ecs_managed_tags",
    "propagate_tags",
    "enable_execute_command",
)
"""What update-service changes without new tasks, beside deploymentConfiguration (ECS API_UpdateService)."""


def create_service(ctx: Context, request: CreateServiceRequest) -> CreateServiceResponse:
    """Keep a number of copies of a task running (ECS API_CreateService). The tasks are started in the background."""
    check_new_service(request)
    with ctx.store.read() as view:
        cluster = find_cluster(view, ctx, request.cluster)
        if request.task_definition:
            kinds = _kinds(cluster, request)
            network = request.network_configuration
            stands, volumes = ctx.controller.file_systems, request.volume_configurations
            startable(view, ctx.scope, request.task_definition, kinds, network, stands, volumes)
    ensure_default_instance(ctx, request.cluster)
    with ctx.store.write() as tx:
        cluster = find_cluster(tx, ctx, request.cluster)
        arn = service_arn(cluster, request.service_name)

        def lasts(made: str) -> bool:
            record = tx.get(SERVICES, made)
            return record is not None and record.service.status != "INACTIVE"

        if answered_before(tx, ctx.now(), cluster, "CreateService", request, lasts=lasts, longest=36):
            return CreateServiceResponse(service=_shape(tx, the_service(tx, cluster, request.service_name)))
        _check_free(tx.get(SERVICES, arn))
        record = _new(tx, ctx, cluster, arn, request)
        tx.put(SERVICES, evolve(record, seq=tx.seq))
        if record.deployments:
            begin_deployment(tx, ctx, record, [])
            note_progress(tx, record, ctx.now())
        put_tags(tx, arn, request.tags)
        add_event(
            tx,
            ctx.now(),
            str(cluster.cluster_arn),
            arn,
            "ServiceCreated",
            f"{record.service.scheduling_strategy} of {record.definition or 'task sets'}",
        )
        remember(tx, ctx.now(), cluster, "CreateService", request, [arn])
        answer = _shape(tx, record)
    ctx.hand_over([arn])
    return CreateServiceResponse(service=answer)


def _check_free(existing: ServiceRecord | None) -> None:
    if existing is None or existing.service.status == "INACTIVE":
        return
    if existing.service.status == "DRAINING":
        raise invalid_parameter("Unable to Start a service that is still Draining.")
    raise invalid_parameter(
        f"Creation of service was not idempotent: there is a service {existing.service.service_name} already; "
        "change it with update-service."
    )


def _new(tx: Transaction, ctx: Context, cluster: Cluster, arn: str, request: CreateServiceRequest) -> ServiceRecord:
    if not request.task_definition:
        return ServiceRecord(service=service_asked(ctx, cluster, arn, request, None))
    kinds, network = _kinds(cluster, request), request.network_configuration
    stands, volumes = ctx.controller.file_systems, request.volume_configurations
    found = startable(tx, ctx.scope, request.task_definition, kinds, network, stands, volumes)
    check_constraints(found, request.placement_constraints)
    service = service_asked(ctx, cluster, arn, request, str(found.task_definition_arn))
    check_loss_policy(service, found)
    check_discovery(tx, cluster, service, found)
    return ServiceRecord(service=service, deployments=[_deployment(ctx, service, volumes, {})])


def _kinds(cluster: Cluster, request: CreateServiceRequest) -> set[LaunchType]:
    return launch_types(request.launch_type, service_strategy(cluster, request))


def service_strategy(cluster: Cluster, request: CreateServiceRequest) -> Strategy:
    """The capacity provider strategy of a new service; daemons and services with task sets have none."""
    has_none = request.scheduling_strategy == "DAEMON" or not request.task_definition
    return () if has_none else strategy_of(cluster, request.launch_type, request.capacity_provider_strategy)


def service_asked(
    ctx: Context, cluster: Cluster, arn: str, request: CreateServiceRequest, definition_arn: str | None
) -> Service:
    """The service that a valid `request` becomes, with what ECS fills in."""
    scheduling = request.scheduling_strategy or "REPLICA"
    controller = request.deployment_controller or DeploymentController(type="ECS")
    strategy = service_strategy(cluster, request)
    made = Service(
        service_arn=arn,
        service_name=request.service_name,
        cluster_arn=cluster.cluster_arn,
        load_balancers=[],
        service_registries=request.service_registries or [],
        service_connect_configuration=with_namespace(cluster, request.service_connect_configuration),
        status="ACTIVE",
        desired_count=request.desired_count or 0,
        launch_type=None if strategy else request.launch_type or "EC2",
        capacity_provider_strategy=list(strategy) or None,
        task_definition=definition_arn,
        network_configuration=request.network_configuration if definition_arn else None,
        platform_version=fargate_platform(launch_types(request.launch_type, strategy), request.platform_version),
        deployment_configuration=_configuration(request.deployment_configuration, scheduling, controller),
        created_at=ctx.now(),
        placement_constraints=request.placement_constraints or [],
        placement_strategy=request.placement_strategy or [],
        priority=request.priority,
        preemption_priority=request.preemption_priority,
        loss_policy=request.loss_policy,
        health_check_grace_period_seconds=request.health_check_grace_period_seconds or 0,
        scheduling_strategy=scheduling,
        deployment_controller=controller,
        created_by=ctx.caller,
        enable_ecs_managed_tags=bool(request.enable_ecs_managed_tags),
        propagate_tags=request.propagate_tags or "NONE",
        enable_execute_command=bool(request.enable_execute_command),
        availability_zone_rebalancing=request.availability_zone_rebalancing,
    )
    if made.availability_zone_rebalancing is None:
        made = with_rebalancing(made)
    check_rebalancing(made)
    if is_external(made):
        check_not_external(request)
    check_fargate_placement(launched(made), made.placement_strategy, made.placement_constraints)
    return made


def with_rebalancing(service: Service) -> Service:
    """The service as it is where it does not say whether it is to be rebalanced over zones: where it can be."""
    value: AvailabilityZoneRebalancing = "DISABLED" if obstacle_to_rebalancing(service) else "ENABLED"
    return evolve(service, availability_zone_rebalancing=value)


def _configuration(
    given: DeploymentConfiguration | None, scheduling: str, controller: DeploymentController
) -> DeploymentConfiguration:
    low, high = DEFAULT_PERCENT[scheduling]
    configuration = DeploymentConfiguration(maximum_percent=high, minimum_healthy_percent=low)
    if controller.type == "ECS":
        breaker = DeploymentCircuitBreaker(enable=False, rollback=False)
        configuration = evolve(configuration, deployment_circuit_breaker=breaker, strategy="ROLLING")
    return merged(configuration, given)


def _deployment(
    ctx: Context, service: Service, volumes: list[ServiceVolumeConfiguration] | None, images: Mapping[str, str]
) -> DeploymentRecord:
    """A new one. `images`: what took the place of images in the one before."""
    now = ctx.now()
    deployment_id = ctx.new_starter_id()
    return DeploymentRecord(
        id=deployment_id,
        task_definition_arn=str(service.task_definition),
        network=service.network_configuration,
        volumes=volumes or None,
        image_map={**images, **ctx.image_map},
        connect=service.service_connect_configuration,
        registries=service.service_registries or [],
        created_at=now,
        updated_at=now,
        rollout_state_reason=IN_PROGRESS.format(deployment_id),
    )


def update_service(ctx: Context, request: UpdateServiceRequest) -> UpdateServiceResponse:
    """Change what a service asks for; other tasks are rolled out in a new deployment (ECS API_UpdateService)."""
    with ctx.store.write() as tx:
        cluster = find_cluster(tx, ctx, request.cluster)
        record = find_service(tx, cluster, request.service)
        if record is not None and record.service.status != "ACTIVE":
            raise ApiError("ServiceNotActiveException", "Service was not ACTIVE.")
        record = the_service(tx, cluster, request.service)
        check_update(request, record.service)
        changed = _changed(tx, ctx, cluster, record, request)
        if changed != record:
            tx.put(SERVICES, evolve(changed, steady=False, seq=tx.seq))
            deployed = len(changed.deployments) > len(record.deployments)
            if deployed:
                begin_deployment(tx, ctx, changed, record.deployments)
            note_progress(tx, changed, ctx.now())
            what = "ServiceDeployed" if deployed else "ServiceUpdated"
            add_event(tx, ctx.now(), str(cluster.cluster_arn), record.arn, what, _what_changed(record, changed))
        answer = _shape(tx, changed)
    ctx.hand_over([record.arn])
    return UpdateServiceResponse(service=answer)


def _what_changed(before: ServiceRecord, after: ServiceRecord) -> str:
    """`app:1 -> app:2; desiredCount 2 -> 1`: values where they are short, else the name of the field."""
    is_same = before.definition == after.definition
    said = [after.definition if is_same else f"{before.definition} -> {after.definition}"]
    for field in msgspec.structs.fields(after.service):
        old, new = getattr(before.service, field.name), getattr(after.service, field.name)
        if old != new and field.name != "task_definition":
            is_short = isinstance(old if new is None else new, (str, int))
            said.append(f"{field.encode_name} {old} -> {new}" if is_short else field.encode_name)
    return "; ".join(filter(None, said))


def _changed(
    tx: Transaction, ctx: Context, cluster: Cluster, record: ServiceRecord, request: UpdateServiceRequest
) -> ServiceRecord:
    service = record.service
    if request.capacity_provider_strategy is not None:
        service = _with_strategy(cluster, service, request.capacity_provider_strategy)
    if request.network_configuration is not None:
        service = evolve(service, network_configuration=_or_none(request.network_configuration))
    service = _with_names(cluster, service, request)
    if request.platform_version is not None:
        fargate_platform(launched(service), request.platform_version)
    definition = service.task_definition
    before = record.volumes
    volumes = before if request.volume_configurations is None else request.volume_configurations or None
    if request.task_definition or (definition and (service, volumes) != (record.service, before)):
        named = request.task_definition or str(definition)
        kinds, network = launched(service), service.network_configuration
        found = startable(tx, ctx.scope, named, kinds, network, ctx.controller.file_systems, volumes)
        definition = str(found.task_definition_arn)
        check_discovery(tx, cluster, service, found)
    changes: dict[str, Any] = {f: value for f in PLAIN_FIELDS if (value := getattr(request, f)) is not None}
    if request.priority is not None:
        changes["placement_strategy"] = []
    elif request.placement_strategy is not None:
        changes["priority"] = None
    deploying = merged(service.deployment_configuration or DeploymentConfiguration(), request.deployment_configuration)
    changed = evolve(service, task_definition=definition, deployment_configuration=deploying, **changes)
    if definition:
        check_loss_policy(changed, find_task_definition(tx, ctx.scope, definition))
    check_rebalancing(changed)
    if definition and (definition != service.task_definition or request.placement_constraints):
        check_constraints(find_task_definition(tx, ctx.scope, definition), changed.placement_constraints)
    check_fargate_placement(launched(changed), changed.placement_strategy, changed.placement_constraints)
    is_same = (definition, volumes, *_deployed(service)) == (
        record.service.task_definition,
        before,
        *_deployed(record.service),
    )
    if definition is None or (is_same and not request.force_new_deployment):
        return evolve(record, service=changed)
    others = [superseded(deployment, record.service.desired_count or 0) for deployment in record.deployments]
    newest = _deployment(ctx, changed, volumes, record.primary.image_map)
    return evolve(record, service=changed, deployments=[newest, *others])


def _deployed(service: Service) -> tuple[object, ...]:
    """What tasks have got already, and others get by a new deployment."""
    return service.network_configuration, service.service_connect_configuration, service.service_registries


def _with_names(cluster: Cluster, service: Service, request: UpdateServiceRequest) -> Service:
    """With what is asked of the names by which its tasks are found; of task sets, these have them."""
    if is_external(service):
        check_not_external(request)
        return service
    if request.service_connect_configuration is not None:
        connect = with_namespace(cluster, request.service_connect_configuration)
        service = evolve(service, service_connect_configuration=connect)
    if request.service_registries is not None:
        service = evolve(service, service_registries=request.service_registries)
    return service


def _or_none(network: NetworkConfiguration) -> NetworkConfiguration | None:
    """An empty one takes back what there was."""
    return network if network.awsvpc_configuration else None


def _with_strategy(cluster: Cluster, service: Service, given: list[CapacityProviderStrategyItem]) -> Service:
    """With another capacity provider strategy for its new tasks; an empty one goes back to a launch type."""
    strategy = list(strategy_of(cluster, None, given)) or None
    launch_type = None if strategy else service.launch_type or "EC2"
    return evolve(service, capacity_provider_strategy=strategy, launch_type=launch_type)


def delete_service(ctx: Context, request: DeleteServiceRequest) -> DeleteServiceResponse:
    """Stop a service's tasks and make it INACTIVE (ECS API_DeleteService)."""
    with ctx.store.write() as tx:
        cluster = find_cluster(tx, ctx, request.cluster)
        record = the_service(tx, cluster, request.service)
        if record.service.status == "ACTIVE":
            if _is_scaled(record) and not request.force:
                raise invalid_parameter(
                    "The service cannot be stopped while it is scaled above 0: "
                    "update it to a desired count of 0 first, or use --force."
                )
            service = evolve(record.service, status="DRAINING", desired_count=0)
            going = [evolve(task_set, status="DRAINING") for task_set in record.task_sets]
            record = evolve(record, service=service, task_sets=going, seq=tx.seq)
            tx.put(SERVICES, record)
            note_progress(tx, record, ctx.now())
            add_event(tx, ctx.now(), str(cluster.cluster_arn), record.arn, "ServiceDeleted", "its tasks are to stop")
        answer = _shape(tx, record)
    ctx.hand_over([record.arn])
    return DeleteServiceResponse(service=answer)


def _is_scaled(record: ServiceRecord) -> bool:
    """Whether it is to have tasks, other than a daemon on each host."""
    if record.is_external:
        return any(computed_count(record, task_set) for task_set in record.task_sets)
    return bool(record.service.desired_count) and record.service.scheduling_strategy != "DAEMON"


def describe_services(ctx: Context, request: DescribeServicesRequest) -> DescribeServicesResponse:
    """Services as they are now (ECS API_DescribeServices)."""
    if not 1 <= len(request.services) <= 10:
        raise invalid_parameter("services: between 1 and 10 can be described in one call.")
    services, failures = [], []
    with ctx.store.read() as view:
        cluster = find_cluster(view, ctx, request.cluster)
        for name in request.services:
            record = find_service(view, cluster, name)
            if record is None:
                failures.append(Failure(arn=service_arn(cluster, last_part(name)), reason="MISSING"))
            else:
                shape = _shape(view, record)
                tags = tags_of(view, record.arn) if "TAGS" in (request.include or []) else None
                services.append(evolve(shape, tags=tags))
    return DescribeServicesResponse(services=services, failures=failures)


def list_services(ctx: Context, request: ListServicesRequest) -> ListServicesResponse:
    """The ARNs of a cluster's services (ECS API_ListServices)."""
    with ctx.store.read() as view:
        cluster = find_cluster(view, ctx, request.cluster)
        found = view.find(SERVICES, cluster=cluster.cluster_arn, status=("ACTIVE", "DRAINING"))
    arns = [
        record.arn
        for record in found
        if request.launch_type in (None, *launched(record.service))
        and request.scheduling_strategy in (None, record.service.scheduling_strategy)
        and request.resource_management_type in (None, "CUSTOMER")
    ]
    chosen, token = page(arns, itself, window(request.next_token, request.max_results))
    return ListServicesResponse(service_arns=chosen, next_token=token)


def service_shapes(ctx: Context, arns: Sequence[str]) -> list[Service]:
    """Services as ECS shows them."""
    with ctx.store.read() as view:
        return [_shape(view, record) for arn in arns if (record := view.get(SERVICES, arn))]


def _shape(view: View, record: ServiceRecord) -> Service:
    """The service as ECS shows it, with counts as they are now."""
    tasks = [task for task in view.find(TASKS, service=record.arn, tallied=0) if not task.is_stopped]
    rollout = view.find(SERVICE_DEPLOYMENTS, service=record.arn, order="-created_at", limit=1)
    deployments = [_deployment_shape(record, deployment, tasks) for deployment in record.deployments]
    return evolve(
        record.service,
        service_connect_configuration=None,  # ECS shows it of each deployment
        running_count=sum(task.is_running for task in tasks),
        pending_count=sum(task.is_pending for task in tasks),
        deployments=deployments,
        task_sets=task_set_shapes(record, tasks) if record.is_external else None,
        events=record.events,
        current_service_deployment=rollout[0].service_deployment_arn if rollout else None,
        current_service_revisions=[
            ServiceCurrentRevisionSummary(
                arn=revision_of(record.service, str(shape.id)),
                requested_task_count=shape.desired_count,
                running_task_count=shape.running_count,
                pending_task_count=shape.pending_count,
            )
            for shape in deployments
        ],
    )


def _deployment_shape(record: ServiceRecord, deployment: DeploymentRecord, tasks: list[TaskRecord]) -> Deployment:
    mine = [task for task in tasks if task.task.started_by == deployment.id]
    wanted = sum(task.is_wanted for task in mine)
    return Deployment(
        id=deployment.id,
        status=deployment.status,
        task_definition=deployment.task_definition_arn,
        desired_count=record.service.desired_count if deployment.status == "PRIMARY" else wanted,
        pending_count=sum(task.is_pending for task in mine),
        running_count=sum(task.is_running for task in mine),
        failed_tasks=deployment.failures,
        created_at=deployment.created_at,
        updated_at=deployment.updated_at,
        launch_type=record.service.launch_type,
        capacity_provider_strategy=record.service.capacity_provider_strategy,
        network_configuration=deployment.network,
        service_connect_configuration=deployment.connect,
        service_connect_resources=resources_of(record, deployment),
        volume_configurations=deployment.volumes,
        platform_version=record.service.platform_version,
        rollout_state=deployment.rollout_state,
        rollout_state_reason=deployment.rollout_state_reason,
        next_attempt_at=deployment.next_attempt_at,
    )
