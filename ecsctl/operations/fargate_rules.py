"""What Fargate asks on top, for definitions that say requiresCompatibilities FARGATE: what it refuses, we refuse."""

from __future__ import annotations

from collections.abc import Iterator

from ecsctl.model.api.task_definitions import RegisterTaskDefinitionRequest
from ecsctl.model.container_definition import ContainerDefinition, LinuxParameters
from ecsctl.model.sizes import task_cpu_units, task_memory_mib
from ecsctl.operations.container_rules import Problem

_GB = 1024
_MEMORY_BY_CPU: dict[int, range | tuple[int, ...]] = {
    256: (512, 1 * _GB, 2 * _GB),
    512: range(1 * _GB, 4 * _GB + 1, _GB),
    1024: range(2 * _GB, 8 * _GB + 1, _GB),
    2048: range(4 * _GB, 16 * _GB + 1, _GB),
    4096: range(8 * _GB, 30 * _GB + 1, _GB),
    8192: range(16 * _GB, 60 * _GB + 1, 4 * _GB),
    16384: range(32 * _GB, 120 * _GB + 1, 8 * _GB),
}
_LOG_DRIVERS = ("awslogs", "splunk", "awsfirelens")


def fargate_problems(request: RegisterTaskDefinitionRequest) -> Iterator[Problem]:
    """Everything in `request` that Fargate does not take."""
    if request.network_mode != "awsvpc":
        yield "networkMode", "Fargate only supports network mode 'awsvpc'."
    yield from _task_size(request)
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


def _task_size(request: RegisterTaskDefinitionRequest) -> Iterator[Problem]:
    for field, value in (("cpu", request.cpu), ("memory", request.memory)):
        if not value:
            yield field, f"Fargate requires that '{field}' be defined at the task level."
    if request.cpu and request.memory:
        cpu, memory = task_cpu_units(request.cpu), task_memory_mib(request.memory)
        if memory not in _MEMORY_BY_CPU.get(cpu, ()):
            pairs = _MEMORY_BY_CPU.get(cpu)
            hint = f"With {cpu} CPU, memory is {pairs[0]} to {pairs[-1]}" if pairs else _cpu_hint()
            yield "memory", f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. {hint}."


def _cpu_hint() -> str:
    return f"CPU is one of {', '.join(str(units) for units in _MEMORY_BY_CPU)}"


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
    log = container.log_configuration
    if log is not None and log.log_driver not in _LOG_DRIVERS:
        yield "logConfiguration.logDriver", f"Fargate only supports log drivers {', '.join(_LOG_DRIVERS)}."
    for field, seconds in (("startTimeout", container.start_timeout), ("stopTimeout", container.stop_timeout)):
        if seconds is not None and not 2 <= seconds <= 120:
            yield field, f"{seconds} is out of range: write 2 to 120 seconds for Fargate."
