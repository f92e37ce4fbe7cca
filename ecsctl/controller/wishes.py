"""From what is asked of new tasks to what is put: the task definition that is meant, and what goes with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ecsctl.controller.launch_volumes import volume_asked
from ecsctl.controller.networks import interface_asked
from ecsctl.controller.new_tasks import Wish
from ecsctl.controller.providers import Strategy, check_fargate_placement, fargate_platform, launch_types, strategy_of
from ecsctl.model.api.tasks import RunTaskRequest, StartTaskRequest
from ecsctl.model.arn import Scope, check_name, last_part, parse_arn
from ecsctl.model.common import Tag
from ecsctl.model.errors import client_exception, invalid_parameter
from ecsctl.model.file_system import FileSystem
from ecsctl.model.overrides import containers_of
from ecsctl.model.service import ServiceVolumeConfiguration
from ecsctl.model.sizes import (
    FARGATE_GPU,
    container_size_problems,
    fargate_size_problems,
    task_memory_mib,
    task_size_problems,
)
from ecsctl.model.stored import PlacementRules
from ecsctl.model.task import LaunchType, TaskOverride
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.model.task_launch import AwsVpcConfiguration, NetworkConfiguration, PlacementConstraint
from ecsctl.placement.demand import demand_of, gpus_of
from ecsctl.placement.fleet import Requirements, requirements
from ecsctl.scheduler.field_support import refusals
from ecsctl.scheduler.service_work import SPREAD
from ecsctl.store.store import View
from ecsctl.store.tables import CLUSTERS, TAGS, TASK_DEFINITIONS

MOST_CONSTRAINTS = 10


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
        check_fargate_placement(kinds, request.placement_strategy, request.placement_constraints)
    definition = definition or find_task_definition(view, scope, request.task_definition)
    if isinstance(request, RunTaskRequest):
        check_constraints(definition, request.placement_constraints)
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
        rules=_rules(request) if isinstance(request, RunTaskRequest) else None,
        volume=volume_asked(definition, request.volume_configurations),
    )


def asked_of(wanted: Wish) -> Requirements:
    """What its tasks ask of where they go."""
    is_fargate = "FARGATE" in launch_types(wanted.launch_type, wanted.strategy)
    return asked_by(wanted.definition, wanted.overrides, wanted.group, wanted.rules, wanted.rank, is_fargate=is_fargate)


def asked_by(
    definition: TaskDefinition,
    overrides: TaskOverride | None,
    group: str,
    rules: PlacementRules | None,
    rank: int | None,
    *,
    is_fargate: bool,
) -> Requirements:
    """What tasks ask of where they go: the rules of the request, and the constraints of the task definition. Those of
    Fargate are spread over zones (ECS developer guide, "Use strategies to define Amazon ECS task placement")."""
    rules = rules or PlacementRules()
    return requirements(
        demand_of(definition, overrides),
        group,
        SPREAD if is_fargate else rules.strategy,
        (*(definition.placement_constraints or ()), *rules.constraints),
        rules.priority,
        rank,
    )


def _rules(request: RunTaskRequest) -> PlacementRules | None:
    """What it asks of where its tasks go; None where it asks nothing."""
    rules = PlacementRules(request.placement_strategy or [], request.placement_constraints or [], request.priority)
    return None if rules == PlacementRules() else rules


def check_constraints(definition: TaskDefinition, constraints: Sequence[PlacementConstraint] | None) -> None:
    """InvalidParameterException for more constraints than a task may have, with those of its definition (ECS
    API_RunTask, placementConstraints)."""
    own = definition.placement_constraints or ()
    if len(own) + len(constraints or ()) > MOST_CONSTRAINTS:
        raise invalid_parameter(
            f"placementConstraints: {MOST_CONSTRAINTS} at most, with the {len(own)} of the task definition."
        )


def startable(
    view: View,
    scope: Scope,
    name: str,
    kinds: Collection[LaunchType],
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
    kinds: Collection[LaunchType],
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
    if overrides:
        _check_sizes(definition, overrides, kinds)
    return interface_asked(definition, network)


def _check_sizes(definition: TaskDefinition, overrides: TaskOverride, kinds: Collection[LaunchType]) -> None:
    """InvalidParameterException for sizes that a task definition could not have."""
    containers = containers_of(definition, overrides)
    cpu, memory = overrides.cpu or definition.cpu, overrides.memory or definition.memory
    task_memory = task_memory_mib(memory) if memory else None
    problems = [
        *(
            (f"containerOverrides[{container.name}].{field}", sentence)
            for container in containers
            for field, sentence in container_size_problems(container, task_memory)
        ),
        *task_size_problems(cpu, memory, containers),
        *(fargate_size_problems(cpu, memory) if "FARGATE" in kinds else ()),
    ]
    if "FARGATE" in kinds:
        problems += [
            (f"containerOverrides[{c.name}].resourceRequirements", FARGATE_GPU) for c in containers if gpus_of(c)
        ]
    for path, sentence in problems:
        raise invalid_parameter(f"overrides.{path}: {sentence}")


def find_task_definition(view: View, scope: Scope, name: str) -> TaskDefinition:
    """By family (its newest ACTIVE revision), family:revision, or ARN, with a revision or without; ClientException."""
    every = scope.arn("task-definition/")
    if name.startswith(every) and ":" not in name[len(every) :]:
        found = newest_of(view, scope, name[len(every) :])
    elif name.startswith("arn:"):
        found = view.get(TASK_DEFINITIONS, name)
        if found is not None:
            scope.check(parse_arn(name))
    else:
        family, _, revision = name.partition(":")
        check_name(family, "Task definition family")
        if revision:
            if not (revision.isascii() and revision.isdigit() and len(revision) <= 10):
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
