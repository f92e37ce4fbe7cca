"""From what is asked of new tasks to what is put: the task definition that is meant, and what goes with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ecsctl.controller.launch_volumes import volume_asked
from ecsctl.controller.networks import interface_asked
from ecsctl.controller.new_tasks import Wish
from ecsctl.controller.providers import Strategy, fargate_platform, launch_types, strategy_of
from ecsctl.model.api.tasks import AwsVpcConfiguration, NetworkConfiguration, RunTaskRequest, StartTaskRequest
from ecsctl.model.arn import Scope, check_name, last_part
from ecsctl.model.common import Tag
from ecsctl.model.errors import client_exception, invalid_parameter
from ecsctl.model.file_system import FileSystem
from ecsctl.model.service import ServiceVolumeConfiguration
from ecsctl.model.task import LaunchType, TaskOverride
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.placement.demand import demand_of
from ecsctl.placement.fleet import Requirements, requirements
from ecsctl.scheduler.field_support import refusals
from ecsctl.store.store import View
from ecsctl.store.tables import CLUSTERS, TAGS, TASK_DEFINITIONS


def wish(
    view: View,
    scope: Scope,
    cluster: str,
    request: RunTaskRequest | StartTaskRequest,
    definition: TaskDefinition | None = None,
    file_systems: Mapping[str, FileSystem] | None = None,
) -> Wish:
    """What a request, which was checked, asks of each task in a cluster (an ARN). `definition`: in place of the one
    that the request names. `file_systems`: those that something stands for, where that is to be asked.

    ClientException and InvalidParameterException say why the task definition does not serve it.
    """
    launch_type: LaunchType | None = getattr(request, "launch_type", None)
    strategy: Strategy = ()
    if isinstance(request, RunTaskRequest) and (found_cluster := view.get(CLUSTERS, cluster)):
        strategy = strategy_of(found_cluster, launch_type, request.capacity_provider_strategy)
    overrides = request.overrides
    kinds = launch_types(launch_type, strategy)
    if isinstance(request, RunTaskRequest):
        fargate_platform(kinds, request.platform_version)
    definition = definition or find_task_definition(view, scope, request.task_definition)
    interface = check_startable(definition, kinds, request.network_configuration, overrides, file_systems)
    found = view.get(TAGS, definition.task_definition_arn or "")
    inherited = found.tags if found and request.propagate_tags == "TASK_DEFINITION" else []
    managed = [Tag(key="aws:ecs:clusterName", value=last_part(cluster))] if request.enable_ecs_managed_tags else []
    merged = {tag.key: tag for tag in (*managed, *inherited, *(request.tags or []))}
    return Wish(
        definition,
        overrides,
        request.group or f"family:{definition.family}",
        launch_type or "EC2",
        request.started_by,
        list(merged.values()),
        strategy=strategy,
        network=interface,
        rank=getattr(request, "preemption_priority", None),
        executable=bool(request.enable_execute_command),
        volume=volume_asked(definition, request.volume_configurations),
    )


def asked_of(wanted: Wish, request: RunTaskRequest | StartTaskRequest) -> Requirements:
    """What its tasks ask of where they go: what the request says, and the constraints of the task definition."""
    return requirements(
        demand_of(wanted.definition, wanted.overrides),
        wanted.group,
        getattr(request, "placement_strategy", None) or (),
        (*(wanted.definition.placement_constraints or ()), *(getattr(request, "placement_constraints", None) or ())),
        getattr(request, "priority", None),
        wanted.rank,
    )


def startable(
    view: View,
    scope: Scope,
    name: str,
    kinds: Iterable[LaunchType],
    network: NetworkConfiguration | None,
    file_systems: Mapping[str, FileSystem],
    volumes: Sequence[ServiceVolumeConfiguration] | None = None,
) -> TaskDefinition:
    """The task definition of that name, if tasks of it can be started, launched in these ways."""
    definition = find_task_definition(view, scope, name)
    check_startable(definition, kinds, network, None, file_systems)
    volume_asked(definition, volumes)
    return definition


def check_startable(
    definition: TaskDefinition,
    kinds: Iterable[LaunchType],
    network: NetworkConfiguration | None,
    overrides: TaskOverride | None = None,
    file_systems: Mapping[str, FileSystem] | None = None,
) -> AwsVpcConfiguration | None:
    """What is asked of the network interface of its tasks. ClientException and InvalidParameterException say why none
    of them can be started."""
    if definition.status != "ACTIVE":
        raise client_exception(f"TaskDefinition {definition.family}:{definition.revision} is inactive.")
    for kind in kinds:
        if kind not in (definition.compatibilities or []):
            raise invalid_parameter(f"Task definition does not support launch_type {kind}.")
    if refused := refusals(definition, overrides, file_systems):
        said = "; ".join(f"{verdict.path} ({verdict.note})" for verdict in refused)
        raise client_exception(
            f"{definition.family}:{definition.revision} uses what this release does not honour: {said}"
        )
    size = overrides.ephemeral_storage.size_in_gib if overrides and overrides.ephemeral_storage else None
    if size is not None and not 21 <= size <= 200:
        raise invalid_parameter(f"overrides.ephemeralStorage.sizeInGiB: {size} is out of range: write 21 to 200 GiB.")
    names = {container.name for container in definition.container_definitions or []}
    for override in (overrides.container_overrides if overrides else None) or []:
        if override.name is None:
            raise invalid_parameter("containerOverrides: each needs the name of a container.")
        if override.name not in names:
            raise invalid_parameter(
                f"Override for container named {override.name} is not a container in the TaskDefinition."
            )
    return interface_asked(definition, network)


def find_task_definition(view: View, scope: Scope, name: str) -> TaskDefinition:
    """By family (its newest ACTIVE revision), family:revision, or ARN; ClientException."""
    if name.startswith("arn:"):
        found = view.get(TASK_DEFINITIONS, name)
    else:
        family, _, revision = name.partition(":")
        check_name(family, "Task definition family")
        if revision:
            if not revision.isdigit():
                raise client_exception(f"Invalid revision number. Number: {revision}")
            found = view.get(TASK_DEFINITIONS, scope.task_definition(family, int(revision)))
        else:
            found = newest_of(view, scope, family)
    if found is None:
        raise client_exception(f"Unable to describe task definition {name}: there is none of that name.")
    return found


def newest_of(view: View, scope: Scope, family: str) -> TaskDefinition | None:
    """The newest ACTIVE revision of a family."""
    newest = view.find(TASK_DEFINITIONS, scope=scope.key, family=family, status="ACTIVE", order="-revision", limit=1)
    return newest[0] if newest else None
