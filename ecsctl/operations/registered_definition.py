"""A registered revision: what was given comes back as it was, plus what AWS itself fills in.

The additions were read from answers of the real service: `essential`, `cpu`, the empty lists of a
container, a port's protocol and host port, a health check's numbers, task sizes as plain numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from ecsctl.model.api.task_definitions import RegisterTaskDefinitionRequest
from ecsctl.model.common import Attribute, Tag
from ecsctl.model.container_definition import ContainerDefinition, HealthCheck, PortMapping
from ecsctl.model.record import evolve
from ecsctl.model.sizes import task_cpu_units, task_memory_mib
from ecsctl.model.task_definition import Compatibility, HostVolumeProperties, TaskDefinition, Volume
from ecsctl.operations.fargate_rules import fargate_problems

_CAPABILITY = "com.amazonaws.ecs.capability."


def register(
    request: RegisterTaskDefinitionRequest,
    revision: int,
    arn: str,
    registered_at: datetime | None,
    registered_by: str | None,
) -> TaskDefinition:
    """The revision that a valid `request` becomes. Tags are no part of it: ECS answers them beside it."""
    mode = request.network_mode or "bridge"
    return TaskDefinition(
        task_definition_arn=arn,
        container_definitions=[_container(container, mode) for container in request.container_definitions],
        family=request.family,
        task_role_arn=request.task_role_arn,
        execution_role_arn=request.execution_role_arn,
        network_mode=request.network_mode,
        revision=revision,
        volumes=[_volume(volume) for volume in request.volumes or []],
        status="ACTIVE",
        requires_attributes=[Attribute(name=name) for name in sorted(set(_attributes(request)))],
        placement_constraints=request.placement_constraints or [],
        compatibilities=_compatibilities(request),
        runtime_platform=request.runtime_platform,
        requires_compatibilities=request.requires_compatibilities,
        cpu=str(task_cpu_units(request.cpu)) if request.cpu else None,
        memory=str(task_memory_mib(request.memory)) if request.memory else None,
        inference_accelerators=request.inference_accelerators,
        pid_mode=request.pid_mode,
        ipc_mode=request.ipc_mode,
        proxy_configuration=request.proxy_configuration,
        registered_at=registered_at,
        registered_by=registered_by,
        ephemeral_storage=request.ephemeral_storage,
        enable_fault_injection=request.enable_fault_injection,
        trusted_execution_configuration=request.trusted_execution_configuration,
    )


def registered_again(request: RegisterTaskDefinitionRequest, old: TaskDefinition) -> TaskDefinition:
    """What a revision would be, had it been `request` that was registered: the same when nothing changed."""
    return register(request, old.revision or 0, str(old.task_definition_arn), old.registered_at, old.registered_by)


def request_of(definition: TaskDefinition, tags: list[Tag]) -> RegisterTaskDefinitionRequest:
    """The request that registers what a revision says once more."""
    names = {field.name for field in msgspec.structs.fields(RegisterTaskDefinitionRequest)}
    fields = {name: getattr(definition, name) for name in names if hasattr(definition, name)}
    return RegisterTaskDefinitionRequest(**fields, tags=tags or None)


def _container(container: ContainerDefinition, mode: str) -> ContainerDefinition:
    return evolve(
        container,
        cpu=container.cpu if container.cpu is not None else 0,
        essential=container.essential if container.essential is not None else True,
        port_mappings=[_port(mapping, mode) for mapping in container.port_mappings or []],
        environment=container.environment or [],
        mount_points=container.mount_points or [],
        volumes_from=container.volumes_from or [],
        system_controls=container.system_controls or [],
        health_check=_health_check(container.health_check) if container.health_check is not None else None,
    )


def _port(mapping: PortMapping, mode: str) -> PortMapping:
    if mapping.container_port_range is not None:
        return evolve(mapping, protocol=mapping.protocol or "tcp")
    default = 0 if mode == "bridge" else mapping.container_port
    return evolve(
        mapping,
        host_port=mapping.host_port if mapping.host_port is not None else default,
        protocol=mapping.protocol or "tcp",
    )


def _health_check(check: HealthCheck) -> HealthCheck:
    return evolve(
        check,
        interval=check.interval if check.interval is not None else 30,
        timeout=check.timeout if check.timeout is not None else 5,
        retries=check.retries if check.retries is not None else 3,
    )


def _volume(volume: Volume) -> Volume:
    kinds = (
        volume.host,
        volume.docker_volume_configuration,
        volume.efs_volume_configuration,
        volume.s3files_volume_configuration,
        volume.fsx_windows_file_server_volume_configuration,
        volume.configured_at_launch,
    )
    return volume if any(kind is not None for kind in kinds) else evolve(volume, host=HostVolumeProperties())


def _compatibilities(request: RegisterTaskDefinitionRequest) -> list[Compatibility]:
    """Where the definition could run; MANAGED_INSTANCES only when asked for, since its rules are not published."""
    found: list[Compatibility] = []
    if (request.network_mode or "bridge") != "awsvpc":
        found.append("EXTERNAL")
    found.append("EC2")
    if not any(fargate_problems(request)):
        found.append("FARGATE")
    return found + [kind for kind in request.requires_compatibilities or [] if kind not in found]


def _attributes(request: RegisterTaskDefinitionRequest) -> Iterator[str]:
    """What ECS would ask of a container instance; told to the reader, not used to place (hosts have no agent)."""
    if request.task_role_arn:
        yield f"{_CAPABILITY}task-iam-role" + ("-network-host" if request.network_mode == "host" else "")
        yield f"{_CAPABILITY}docker-remote-api.1.17"
    if request.network_mode == "awsvpc":
        yield "ecs.capability.task-eni"
    if request.pid_mode is not None or request.ipc_mode is not None:
        yield "ecs.capability.pid-ipc-namespace-sharing"
    if request.cpu or request.memory:
        yield "ecs.capability.task-cpu-mem-limit"
    if any(volume.efs_volume_configuration is not None for volume in request.volumes or []):
        yield "ecs.capability.efs"
    for container in request.container_definitions:
        yield from _container_attributes(container, bool(request.execution_role_arn))


def _container_attributes(container: ContainerDefinition, execution_role: bool) -> Iterator[str]:
    log = container.log_configuration
    if log is not None:
        yield f"{_CAPABILITY}logging-driver.{log.log_driver}"
        yield f"{_CAPABILITY}docker-remote-api.1.18"
        if log.log_driver == "awslogs" and execution_role:
            yield "ecs.capability.execution-role-awslogs"
    if ".dkr.ecr." in (container.image or ""):
        yield f"{_CAPABILITY}ecr-auth"
        yield f"{_CAPABILITY}docker-remote-api.1.19"
        if execution_role:
            yield "ecs.capability.execution-role-ecr-pull"
    if container.memory_reservation is not None:
        yield f"{_CAPABILITY}docker-remote-api.1.21"
    if container.health_check is not None:
        yield "ecs.capability.container-health-check"
    if container.depends_on:
        yield "ecs.capability.container-ordering"
    if container.privileged:
        yield f"{_CAPABILITY}privileged-container"
    for secret in container.secrets or []:
        store = "asm" if ":secretsmanager:" in secret.value_from else "ssm"
        yield f"ecs.capability.secrets.{store}.environment-variables"
    if container.environment_files:
        yield "ecs.capability.env-files.s3"
    if container.firelens_configuration is not None:
        yield f"ecs.capability.firelens.{container.firelens_configuration.type}"
