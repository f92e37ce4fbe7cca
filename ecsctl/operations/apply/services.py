"""Services in a plan."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from ecsctl.controller.launch_volumes import volume_asked
from ecsctl.controller.providers import launch_types
from ecsctl.controller.wishes import check_startable
from ecsctl.model.api.services import CreateServiceRequest, DeleteServiceRequest, UpdateServiceRequest
from ecsctl.model.arn import last_part
from ecsctl.model.cluster import Cluster
from ecsctl.model.deployment_configuration import DeploymentConfiguration, DeploymentEarlySuccessCriteria
from ecsctl.model.errors import invalid_parameter
from ecsctl.model.loss import POLICIES
from ecsctl.model.record import Record, evolve, to_wire
from ecsctl.model.service import Service, ServiceVolumeConfiguration, is_external
from ecsctl.model.stored import ServiceRecord
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.model.task_launch import NetworkConfiguration
from ecsctl.operations.apply.change import Change, Ground
from ecsctl.operations.apply.clusters import Clusters
from ecsctl.operations.apply.difference import Difference, differences
from ecsctl.operations.apply.documents import Placed, at, note_place
from ecsctl.operations.apply.mark import check_given_tags, check_set, is_made_by, marked, tag_changes
from ecsctl.operations.apply.task_definitions import Definitions
from ecsctl.operations.discovery_rules import check_discovery, connect_asked
from ecsctl.operations.lookup import cluster_arn, service_arn
from ecsctl.operations.service_rules import check_loss_policy, check_new_service
from ecsctl.operations.services import PLAIN_FIELDS, service_asked, service_strategy
from ecsctl.operations.task_sets import OF_TASK_SETS
from ecsctl.store.tables import SERVICES

KIND = "service"

_FIXED = ("launch_type", "scheduling_strategy", "deployment_controller")
"""What update-service cannot change."""
_DEPLOYED = (
    "capacity_provider_strategy",
    "deployment_configuration",
    "network_configuration",
    "service_connect_configuration",
    "service_registries",
    "task_definition",
)
"""What update-service changes, beside PLAIN_FIELDS."""


class Services(dict[str, Service]):
    """The services of the documents as they will be, by ARN, and how they become so."""

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[Change] = []


def plan_services(
    ground: Ground, requests: Placed[CreateServiceRequest], clusters: Clusters, definitions: Definitions
) -> Services:
    """What to do so that there are the services that are asked for."""
    planned = Services()
    places: dict[str, str] = {}
    for where, request in requests:
        with at(where):
            cluster = clusters.find(ground, cluster_arn(ground.ctx, request.cluster))
            wanted, change = _plan(ground, request, cluster, definitions)
        note_place(places, change.arn, where)
        planned[change.arn] = wanted
        planned.changes.append(change)
    return planned


def _plan(
    ground: Ground, request: CreateServiceRequest, cluster: Cluster, definitions: Definitions
) -> tuple[Service, Change]:
    # A token makes one call happen once. Applying does so without it, and may have to make the service again later.
    request = evolve(request, cluster=cluster.cluster_arn, client_token=None)
    arn = service_arn(cluster, request.service_name)
    record = _current(ground, arn)
    current = record.service if record else None
    if current is not None and request.desired_count is None and request.scheduling_strategy != "DAEMON":
        request = evolve(request, desired_count=current.desired_count)
    is_silent = not request.launch_type and request.capacity_provider_strategy is None
    if current is not None and is_silent and not is_external(current):
        strategy = current.capacity_provider_strategy
        request = evolve(request, launch_type=current.launch_type, capacity_provider_strategy=strategy)
    check_new_service(request)
    check_given_tags(request.tags, ground.set_name)
    definition_arn = definition = None
    if request.task_definition:  # which task sets have instead where something else deploys
        definition = definitions.find(ground, request.task_definition)
        definition_arn = definition.task_definition_arn
        _check_runs(ground, cluster, record, request, definition)
    wanted = service_asked(ground.ctx, cluster, arn, request, definition_arn)
    if definition is not None:
        check_loss_policy(wanted, definition)
        check_discovery(ground.view, cluster, wanted, definition)
    if current and request.availability_zone_rebalancing is None and current.availability_zone_rebalancing != "ENABLED":
        wanted = evolve(wanted, availability_zone_rebalancing=current.availability_zone_rebalancing)
    name = f"{cluster.cluster_name}/{request.service_name}"
    if record is None:
        said = _named_definition({**to_wire(request), "serviceName": None, "cluster": None}, definition_arn)
        create = evolve(request, task_definition=definition_arn, tags=marked(request.tags, ground.set_name))
        return wanted, Change("create", KIND, name, arn, tuple(differences(None, said)), (create,))
    check_set(ground.view, arn, ground.set_name)
    found = _update(record, wanted, request.volume_configurations or None)
    tags, tagging = tag_changes(ground.view, arn, request.tags)
    return wanted, Change.of(KIND, name, arn, [*found[0], *tags], [*found[1], *tagging])


def _check_runs(
    ground: Ground,
    cluster: Cluster,
    record: ServiceRecord | None,
    request: CreateServiceRequest,
    definition: TaskDefinition,
) -> None:
    """That tasks can be started as is asked, unless that is what the service has already."""
    network, volumes = request.network_configuration, request.volume_configurations or None
    asked = (definition.task_definition_arn, network, volumes)
    if record and asked == (record.service.task_definition, record.service.network_configuration, record.volumes):
        return
    kinds = launch_types(request.launch_type, service_strategy(cluster, request))
    check_startable(definition, kinds, network, None, ground.ctx.controller.file_systems)
    volume_asked(definition, volumes)


def _current(ground: Ground, arn: str) -> ServiceRecord | None:
    record = ground.view.get(SERVICES, arn)
    if record is None or record.service.status == "INACTIVE":
        return None
    if record.service.status == "DRAINING":
        raise invalid_parameter("the service of that name is being deleted: apply again when it is INACTIVE.")
    return record


def _update(
    record: ServiceRecord, wanted: Service, volumes: list[ServiceVolumeConfiguration] | None
) -> tuple[list[Difference], list[Record]]:
    """What differs of a service, and the one request that changes it."""
    current = record.service
    others: tuple[str, ...] = ("launch_type", *OF_TASK_SETS) if is_external(current) else ()
    if current.capacity_provider_strategy or wanted.capacity_provider_strategy:
        others = (*others, "launch_type")
    names = tuple(field for field in _FIXED if field not in others)
    fixed = differences(_wire(current, names), _wire(wanted, names))
    if fixed:
        raise invalid_parameter(f"{fixed[0]}: cannot be updated: delete the service first (ecsctl delete-service).")
    if wanted.scheduling_strategy == "DAEMON":
        others = ("desired_count",)  # the scheduler's, one per instance
    updated = (*PLAIN_FIELDS, *_DEPLOYED)
    fields = [field for field in updated if field not in others]
    wanted = evolve(
        wanted,
        deployment_configuration=_with_what_stays(current, wanted),
        service_connect_configuration=connect_asked(
            current.service_connect_configuration, wanted.service_connect_configuration
        ),
    )
    if current.loss_policy and not wanted.loss_policy:
        wanted = evolve(wanted, loss_policy=POLICIES[0])  # what holds where nothing is said
    changed = {field: getattr(wanted, field) for field in fields if getattr(wanted, field) != getattr(current, field)}
    before = _named_definition(_wire(current, tuple(changed)), current.task_definition)
    after = _named_definition(_wire(wanted, tuple(changed)), wanted.task_definition)
    if volumes != record.volumes:
        before["volumeConfigurations"], after["volumeConfigurations"] = _plain(record.volumes), _plain(volumes)
        changed["volume_configurations"] = volumes or []
    found = differences(before, after)
    if "priority" in changed:
        changed["placement_strategy"] = None if wanted.priority else wanted.placement_strategy  # one or the other
    if "capacity_provider_strategy" in changed:
        changed["capacity_provider_strategy"] = wanted.capacity_provider_strategy or []  # back to the launch type
    if "network_configuration" in changed:
        changed["network_configuration"] = wanted.network_configuration or NetworkConfiguration()
    return found, [UpdateServiceRequest(service=record.arn, cluster=wanted.cluster_arn, **changed)] if found else []


def _with_what_stays(current: Service, wanted: Service) -> DeploymentConfiguration:
    """The wanted deployment configuration, with what update-service has no way to take away, a bake time say."""
    old = current.deployment_configuration or DeploymentConfiguration()
    new = msgspec.structs.asdict(wanted.deployment_configuration or DeploymentConfiguration())
    taken = {"lifecycle_hooks": [], "early_success_criteria": DeploymentEarlySuccessCriteria(enable=False)}
    away = {name: value for name, value in taken.items() if getattr(old, name) and not new[name]}
    return evolve(old, **{name: value for name, value in new.items() if value is not None}, **away)


def _wire(service: Service, fields: Sequence[str]) -> dict[str, Any]:
    names = {field.name: field.encode_name for field in msgspec.structs.fields(Service)}
    plain = to_wire(service)
    return {names[field]: plain.get(names[field]) for field in fields}


def _plain(volumes: Sequence[ServiceVolumeConfiguration] | None) -> list[dict[str, Any]] | None:
    return None if volumes is None else [to_wire(one) for one in volumes]


def _named_definition(plain: dict[str, Any], definition_arn: str | None) -> dict[str, Any]:
    """With `family:revision` for people in place of the ARN."""
    return (
        {**plain, "taskDefinition": last_part(definition_arn)}
        if definition_arn and "taskDefinition" in plain
        else plain
    )


def prune_services(ground: Ground, kept: Collection[str]) -> list[Change]:
    """The deletion of this set's services that are not to be kept (by ARN)."""
    return [
        Change(
            "delete",
            KIND,
            f"{last_part(str(record.service.cluster_arn))}/{record.service.service_name}",
            record.arn,
            (),
            (DeleteServiceRequest(service=record.arn, cluster=record.service.cluster_arn, force=True),),
        )
        for record in ground.view.find(SERVICES, status="ACTIVE")
        if record.arn.startswith(ground.ctx.scope.arn("service/"))
        and record.arn not in kept
        and is_made_by(ground.view, record.arn, ground.set_name)
    ]
