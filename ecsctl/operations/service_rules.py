"""What a service may ask for: ECS's rules, and what this release does not honour, refused by name."""

from __future__ import annotations

from ecsctl.model.api.services import CreateServiceRequest, UpdateServiceRequest
from ecsctl.model.api.task_sets import CreateTaskSetRequest
from ecsctl.model.arn import check_name
from ecsctl.model.deployment_configuration import DeploymentConfiguration
from ecsctl.model.errors import client_exception, invalid_parameter
from ecsctl.model.loss import policy_of
from ecsctl.model.service import Service
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.operations.deployment_rules import check_deployments, check_external_deployments
from ecsctl.operations.lookup import check_tags
from ecsctl.operations.task_rules import check_placement
from ecsctl.scheduler.rebalance import obstacle_to_rebalancing

_UNSERVED = {
    "load_balancers": "loadBalancers: load balancers are",
    "vpc_lattice_configurations": "vpcLatticeConfigurations: VPC Lattice is",
    "gateway_connectors": "gatewayConnectors: gateways are",
    "monitoring": "monitoring: monitoring configurations are",
    "role": "role: roles of load balancers are",
}


def check_new_service(request: CreateServiceRequest) -> None:
    """As check_service, and what a new service needs."""
    check_name(request.service_name, "Service name", "InvalidParameterException")
    scheduling = request.scheduling_strategy or "REPLICA"
    check_service(request, scheduling)
    check_tags(request.tags)
    if request.desired_count is None and scheduling == "REPLICA":
        raise invalid_parameter("desiredCount: is needed for a service that is not of the DAEMON scheduling strategy.")
    if request.deployment_controller is not None and request.deployment_controller.type == "EXTERNAL":
        _check_external(request)
    elif not request.task_definition:
        raise invalid_parameter("TaskDefinition can not be blank.")
    check_deployments(request.deployment_configuration, DeploymentConfiguration(), scheduling)


def check_update(request: UpdateServiceRequest, service: Service) -> None:
    """As check_service, for a service that there is."""
    scheduling = service.scheduling_strategy or "REPLICA"
    check_service(request, scheduling)
    kind = service.deployment_controller.type if service.deployment_controller else "ECS"
    if request.deployment_controller is not None and request.deployment_controller.type != kind:
        raise client_exception(
            f"deploymentController: a service of {kind} cannot be changed by this release: create another service."
        )
    if kind == "EXTERNAL":
        _check_external_update(request)
    check_deployments(
        request.deployment_configuration, service.deployment_configuration or DeploymentConfiguration(), scheduling
    )


def _check_left_to_task_sets(request: CreateServiceRequest | UpdateServiceRequest) -> None:
    if request.volume_configurations:
        raise client_exception("volumeConfigurations: is not supported with the EXTERNAL deployment controller.")
    given = {
        "capacityProviderStrategy": request.capacity_provider_strategy,
        "networkConfiguration": request.network_configuration,
    }
    for field, value in given.items():
        if value:
            raise invalid_parameter(
                f"{field}: with the EXTERNAL deployment controller, task sets have it: create-task-set."
            )


def _check_external_update(request: UpdateServiceRequest) -> None:
    _check_left_to_task_sets(request)
    if request.task_definition:
        raise invalid_parameter(
            "Unable to update task definition on services with an EXTERNAL deployment controller. "
            "Create a new task set (create-task-set)."
        )
    if request.force_new_deployment:
        raise invalid_parameter(
            "Cannot force a new deployment on services with an EXTERNAL deployment controller. "
            "Create a new task set (create-task-set)."
        )
    check_external_deployments(request.deployment_configuration)


def _check_external(request: CreateServiceRequest) -> None:
    """What a service that something else deploys cannot have (ECS developer guide, "Deploy Amazon ECS services using
    a third-party controller")."""
    if request.task_definition:
        raise invalid_parameter(
            "TaskDefinition must be blank: with the EXTERNAL deployment controller, task sets have it: create-task-set."
        )
    if request.scheduling_strategy == "DAEMON":
        raise invalid_parameter("The daemon scheduling strategy does not support the EXTERNAL deployment controller.")
    _check_left_to_task_sets(request)
    check_external_deployments(request.deployment_configuration)


def check_served(request: CreateServiceRequest | UpdateServiceRequest | CreateTaskSetRequest) -> None:
    """ClientException for what is not honoured, by name."""
    for field, what in _UNSERVED.items():
        given = getattr(request, field, None)
        if given:
            raise client_exception(f"{what} not honoured by this release; leave it out.")


def check_loss_policy(service: Service, definition: TaskDefinition) -> None:
    """InvalidParameterException for a service whose tasks may never run twice, and that starts them beside others."""
    configuration = service.deployment_configuration
    is_beside = configuration is not None and configuration.strategy == "BLUE_GREEN"
    if is_beside and policy_of(service.loss_policy, [definition]) == "never-double-run":
        raise invalid_parameter(
            "lossPolicy: never-double-run starts a task when another has stopped, which BLUE_GREEN does not: "
            "use the strategy ROLLING."
        )


def check_rebalancing(service: Service) -> None:
    """InvalidParameterException for a service that is to be rebalanced and cannot be."""
    why = obstacle_to_rebalancing(service) if service.availability_zone_rebalancing == "ENABLED" else None
    if why:
        raise invalid_parameter(
            f"availabilityZoneRebalancing: is not supported with {why}: say DISABLED "
            "(--availability-zone-rebalancing DISABLED)."
        )


def check_service(request: CreateServiceRequest | UpdateServiceRequest, scheduling: str) -> None:
    """What can be said without looking at the state; InvalidParameterException and ClientException."""
    check_served(request)
    controller = request.deployment_controller
    if controller is not None and controller.type == "CODE_DEPLOY":
        raise client_exception(
            "deploymentController: CODE_DEPLOY is not honoured by this release; use ECS, with the strategy BLUE_GREEN, "
            "or EXTERNAL."
        )
    if request.desired_count is not None and not 0 <= request.desired_count <= 5000:
        raise invalid_parameter(f"desiredCount: {request.desired_count} is not between 0 and 5000.")
    grace = request.health_check_grace_period_seconds
    if grace is not None and not 0 <= grace <= 2_147_483_647:
        raise invalid_parameter(f"healthCheckGracePeriodSeconds: {grace} is not between 0 and 2147483647.")
    check_placement(request)
    if scheduling == "DAEMON":
        _check_daemon(request)


def _check_daemon(request: CreateServiceRequest | UpdateServiceRequest) -> None:
    if request.desired_count is not None:
        raise invalid_parameter(
            "The daemon scheduling strategy does not support a desired count on services. "
            "Remove desired count value and try again."
        )
    if request.placement_strategy:
        raise invalid_parameter("The daemon scheduling strategy does not support placement strategies.")
    if request.priority:
        raise invalid_parameter("priority: a daemon goes to each host; leave it out.")
    if request.capacity_provider_strategy:
        raise invalid_parameter(
            "The daemon scheduling strategy does not support capacity provider strategies. "
            "Say by a placement constraint where its tasks go."
        )
