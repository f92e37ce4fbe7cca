"""What Fargate asks on top, for definitions that say requiresCompatibilities FARGATE: what it refuses, we refuse."""

from __future__ import annotations

from collections.abc import Iterator

from ecsctl.model.api.task_definitions import RegisterTaskDefinitionRequest
from ecsctl.model.container_definition import ContainerDefinition, LinuxParameters
from ecsctl.model.sizes import FARGATE_GPU, fargate_size_problems
from ecsctl.operations.container_rules import Problem

_LOG_DRIVERS = ("awslogs", "splunk", "awsfirelens")


def fargate_problems(request: RegisterTaskDefinitionRequest) -> Iterator[Problem]:
    """Everything in `request` that Fargate does not take."""
    if request.network_mode != "awsvpc":
        yield "networkMode", "Fargate only supports network mode 'awsvpc'."
    yield from fargate_size_problems(request.cpu, request.memory)
    if request.placement_constraints:
        yield "placementConstraints", "Fargate does not support placementConstraints."
    if request.pid_mode == "host":
        yield "pidMode", "Fargate only supports pid mode 'task'."
    if request.ipc_mode is not None:
        yield "ipcMode", "Fargate does not support ipcMode."
    for index, volume in enumerate(request.volumes or []):
        if volume.host is not None and volume.host.source_path:
            yield f"volumes[{index}].host.sourcePath", "Fargate does not support host.sourcePath."
        if volume.docker_volume_configuration is not None:
            yield f"volumes[{index}].dockerVolumeConfiguration", "Fargate does not support docker volumes."
    for index, container in enumerate(request.container_definitions):
        for field, sentence in _container(container):
            yield f"containerDefinitions[{index}].{field}", sentence


def _container(container: ContainerDefinition) -> Iterator[Problem]:
    unsupported: dict[str, object] = {
        "privileged": container.privileged,
        "links": container.links,
        "disableNetworking": container.disable_networking,
        "dnsServers": container.dns_servers,
        "dnsSearchDomains": container.dns_search_domains,
        "dockerSecurityOptions": container.docker_security_options,
    }
    linux = container.linux_parameters or LinuxParameters()
    unsupported |= {
        "linuxParameters.devices": linux.devices,
        "linuxParameters.sharedMemorySize": linux.shared_memory_size,
        "linuxParameters.tmpfs": linux.tmpfs,
        "linuxParameters.maxSwap": linux.max_swap,
        "linuxParameters.swappiness": linux.swappiness,
    }
    for field, value in unsupported.items():
        if value is not None and value is not False and value != []:
            yield field, f"Fargate does not support {field.rpartition('.')[2]}."
    if linux.capabilities is not None and set(linux.capabilities.add or []) - {"SYS_PTRACE"}:
        yield "linuxParameters.capabilities.add", "Fargate only supports adding SYS_PTRACE."
    if any(one.type == "GPU" for one in container.resource_requirements or []):
        yield "resourceRequirements", FARGATE_GPU
    log = container.log_configuration
    if log is not None and log.log_driver not in _LOG_DRIVERS:
        yield "logConfiguration.logDriver", f"Fargate only supports log drivers {', '.join(_LOG_DRIVERS)}."
    for field, seconds in (("startTimeout", container.start_timeout), ("stopTimeout", container.stop_timeout)):
        if seconds is not None and not 2 <= seconds <= 120:
            yield field, f"{seconds} is out of range: write 2 to 120 seconds for Fargate."
