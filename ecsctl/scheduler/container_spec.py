"""From a container definition to the body of the engine's create call, as the ECS agent would have made it.

Source: ECS API_ContainerDefinition ("maps to … in the docker container create command") and the Engine API 1.41.
"""

from __future__ import annotations

from typing import Any

from ecsctl.model import identity
from ecsctl.model.container_definition import ContainerDefinition, HealthCheck, LinuxParameters, PortMapping
from ecsctl.model.file_system import Storage
from ecsctl.model.identity import Signature
from ecsctl.model.observed import LogPlace
from ecsctl.model.overrides import containers_of
from ecsctl.model.record import evolve, to_wire
from ecsctl.model.service import Service
from ecsctl.model.sizes import task_cpu_units, task_memory_mib
from ecsctl.model.stored import TaskRecord
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.placement.port_ranges import firsts_of, ports_of
from ecsctl.scheduler import firelens
from ecsctl.scheduler.labels import labels_of
from ecsctl.scheduler.metadata import environment
from ecsctl.scheduler.namespaces import MIB, PAUSE, is_of_network, joined, needs_pause, pause_body
from ecsctl.scheduler.volumes import mounts

SECOND = 10**9
DEFAULT_STOP_TIMEOUT = 30
"""Seconds between the stop signal and SIGKILL (ECS: ECS_CONTAINER_STOP_TIMEOUT)."""
DEFAULT_PIDS_LIMIT = 4096

Body = dict[str, Any]


def create_body(
    record: TaskRecord,
    definition: TaskDefinition,
    name: str,
    signature: Signature,
    storage: Storage = Storage(),  # noqa: B008 it holds nothing that changes
    socket: str = "",
    service: Service | None = None,
) -> Body:
    """The create body of one container of a task, which may be a service's, with its labels. VolumeUnavailable where
    `storage` does not say what stands for a file system of Amazon's. `socket`: the path, on the host, of the task's log
    router's."""
    container = effective(record, definition, name)
    labels = labels_of(record, definition, name, digest_of(record, definition, name), signature, service)
    if name == identity.PAUSE:
        body = pause_body(record, definition)
    else:
        body = _without_labels(record, definition, container)
        ours = environment(record, definition, container, signature.key)
        body["Env"] = [*body["Env"], *(f"{variable}={value}" for variable, value in ours.items())]
        host = body["HostConfig"]
        host["Mounts"] = mounts(record, definition, container, storage.file_systems)
        if size := _own_size(record, definition, storage):
            host["StorageOpt"] = {"size": f"{size}G"}
        if logs := _log_config(record, container, socket):
            host["LogConfig"] = logs
    return {**body, "Labels": labels}


def digest_of(record: TaskRecord, definition: TaskDefinition, name: str) -> str:
    """What the label `ecsctl.spec` of a container of a task says, if it was made from this definition and the task's
    overrides: what else is added to it or takes the place of something (its image by another name, variables of the
    endpoint and of the log router, what stands for a file system) has no part in it."""
    if name == identity.PAUSE:
        return identity.spec_digest(pause_body(record, definition))
    container = _overridden(record, definition, name)
    logs = container.log_configuration
    said = logs and to_wire(evolve(logs, options=logs.options or None))
    return identity.spec_digest({**_without_labels(record, definition, container), "Logs": said})


def effective(record: TaskRecord, definition: TaskDefinition, name: str) -> ContainerDefinition:
    """The container definition with the task's overrides in it (ECS API_ContainerOverride), and the image that it gets,
    once that is settled."""
    if name == identity.PAUSE:
        return PAUSE
    container = _overridden(record, definition, name)
    image = next((state.image for state in record.containers if state.name == name), None)
    if image is not None:
        container = evolve(container, image=image)
    if container.firelens_configuration is not None or firelens.uses_router(container):
        return firelens.settled(record, definition, container)
    return container


def _overridden(record: TaskRecord, definition: TaskDefinition, name: str) -> ContainerDefinition:
    return next(c for c in containers_of(definition, record.task.overrides) if c.name == name)


def is_confidential(container: ContainerDefinition) -> bool:
    """Whether it gets values that its definition only refers to."""
    logs = container.log_configuration
    return bool(container.secrets or container.environment_files or (logs and logs.secret_options))


def stop_timeout(container: ContainerDefinition) -> int:
    """Seconds."""
    return DEFAULT_STOP_TIMEOUT if container.stop_timeout is None else container.stop_timeout


def _without_labels(record: TaskRecord, definition: TaskDefinition, container: ContainerDefinition) -> Body:
    network = "none" if container.disable_networking else definition.network_mode or "bridge"
    body: Body = {
        "Image": container.image,
        "Env": [f"{entry.name}={entry.value or ''}" for entry in container.environment or []],
        "Healthcheck": _health(container.health_check),
        "StopTimeout": stop_timeout(container),
        "HostConfig": _host_config(record, definition, container, network),
    }
    optional: Body = {
        "Cmd": container.command or None,
        "Entrypoint": container.entry_point or None,
        "User": container.user,
        "WorkingDir": container.working_directory,
        "Hostname": container.hostname,
        "OpenStdin": container.interactive,
        "Tty": container.pseudo_terminal,
    }
    if network == "bridge" and container.port_mappings:
        body["ExposedPorts"] = {port: {} for mapping in container.port_mappings for port in _port_keys(mapping)}
    return {**body, **{key: value for key, value in optional.items() if value}}


def _host_config(record: TaskRecord, definition: TaskDefinition, container: ContainerDefinition, network: str) -> Body:
    config: Body = {
        "NetworkMode": network,
        # ECS passes no less than the kernel's minimum of 2.
        "CpuShares": max(2, container.cpu or 0),
        "PidsLimit": DEFAULT_PIDS_LIMIT,
        "RestartPolicy": {"Name": "no"},  # reconcile restarts; an engine that does it too would do it twice
        **_memory(record, definition, container),
        **_linux(container.linux_parameters or LinuxParameters()),
    }
    gpus = next((c.gpu_ids for c in record.task.containers or [] if c.name == container.name), None)
    cpu = _task_cpu(record, definition)
    optional: Body = {
        "NanoCpus": cpu * SECOND // 1024 if cpu else None,
        "DeviceRequests": [{"Driver": "nvidia", "DeviceIDs": gpus, "Capabilities": [["gpu"]]}] if gpus else None,
        "Links": [_link(record, link) for link in container.links or []],
        "VolumesFrom": [
            f"{_engine_name(record, source.source_container)}:{'ro' if source.read_only else 'rw'}"
            for source in container.volumes_from or []
        ],
        "Privileged": container.privileged,
        "ReadonlyRootfs": container.readonly_root_filesystem,
        "Dns": container.dns_servers,
        "DnsSearch": container.dns_search_domains,
        "ExtraHosts": [f"{entry.hostname}:{entry.ip_address}" for entry in container.extra_hosts or []],
        "SecurityOpt": container.docker_security_options,
        "Ulimits": [
            {"Name": limit.name, "Soft": limit.soft_limit, "Hard": limit.hard_limit}
            for limit in container.ulimits or []
        ],
        "Sysctls": {str(control.namespace): control.value or "" for control in container.system_controls or []},
        "PidMode": "host" if definition.pid_mode == "host" else None,
        "IpcMode": definition.ipc_mode if definition.ipc_mode in ("host", "none") else None,
    }
    if needs_pause(definition):
        optional |= joined(definition, _engine_name(record, identity.PAUSE))
        if network == "awsvpc":  # the network's are the pause container's
            optional |= dict.fromkeys(("Dns", "DnsSearch"))
            optional["Sysctls"] = {n: v for n, v in optional["Sysctls"].items() if not is_of_network(n)}
        elif container.disable_networking:
            optional["NetworkMode"] = network
    if network == "bridge" and container.port_mappings:
        bindings: dict[str, list[Body]] = {}
        for mapping in container.port_mappings:
            if mapping.container_port_range is None:
                host_port = str(mapping.host_port) if mapping.host_port else ""
                bindings.setdefault(_port_keys(mapping)[0], []).append({"HostPort": host_port})
        for mapping, first in firsts_of(definition, container, record.port_rows):
            for number, port in enumerate(_port_keys(mapping), first):
                bindings.setdefault(port, []).append({"HostPort": str(number)})
        config["PortBindings"] = bindings
    return {**config, **{key: value for key, value in optional.items() if value}}


def _task_cpu(record: TaskRecord, definition: TaskDefinition) -> int:
    text = (record.task.overrides and record.task.overrides.cpu) or definition.cpu
    return task_cpu_units(text) if text else 0


def _memory(record: TaskRecord, definition: TaskDefinition, container: ContainerDefinition) -> Body:
    text = (record.task.overrides and record.task.overrides.memory) or definition.memory
    limit = container.memory or (task_memory_mib(text) if text else None)
    config: Body = {}
    if limit:
        config["Memory"] = limit * MIB
    if container.memory_reservation:
        config["MemoryReservation"] = container.memory_reservation * MIB
    linux = container.linux_parameters
    if linux and linux.max_swap is not None and limit:
        config["MemorySwap"] = (limit + linux.max_swap) * MIB
    if linux and linux.swappiness is not None and linux.max_swap is not None:
        config["MemorySwappiness"] = linux.swappiness
    return config


def _linux(linux: LinuxParameters) -> Body:
    config: Body = {}
    if linux.capabilities:
        config["CapAdd"] = linux.capabilities.add or []
        config["CapDrop"] = linux.capabilities.drop or []
    if linux.devices:
        config["Devices"] = [
            {
                "PathOnHost": device.host_path,
                "PathInContainer": device.container_path or device.host_path,
                "CgroupPermissions": "".join(p[0] for p in device.permissions or ["read", "write", "mknod"]),
            }
            for device in linux.devices
        ]
    if linux.init_process_enabled:
        config["Init"] = True
    if linux.shared_memory_size:
        config["ShmSize"] = linux.shared_memory_size * MIB
    if linux.tmpfs:
        config["Tmpfs"] = {
            mount.container_path: ",".join([*(mount.mount_options or []), f"size={mount.size}m"])
            for mount in linux.tmpfs
        }
    return config


def _health(check: HealthCheck | None) -> Body:
    if check is None:
        return {"Test": ["NONE"]}  # ECS does not use the image's own HEALTHCHECK
    return {
        "Test": check.command,
        "Interval": (check.interval or 30) * SECOND,
        "Timeout": (check.timeout or 5) * SECOND,
        "Retries": check.retries or 3,
        "StartPeriod": (check.start_period or 0) * SECOND,
    }


def _own_size(record: TaskRecord, definition: TaskDefinition, storage: Storage) -> int | None:
    """How large a container's own file system may grow, in GiB; None without a limit."""
    asked = (record.task.overrides and record.task.overrides.ephemeral_storage) or definition.ephemeral_storage
    return asked.size_in_gib if asked and storage.is_limited else None


def _log_config(record: TaskRecord, container: ContainerDefinition, socket: str) -> Body | None:
    config = container.log_configuration
    if config is None:
        return None
    if config.log_driver == firelens.DRIVER:
        return {"Type": "fluentd", "Config": firelens.driver_options(record, container, socket)}
    options = {**({"mode": record.log_mode} if record.log_mode else {}), **(config.options or {})}
    if config.log_driver == "awslogs":  # how the engine hands lines on is the same for every driver
        own = {name: value for name, value in options.items() if name in ("mode", "max-buffer-size")}
        return {"Type": "json-file", "Config": own}
    return {"Type": config.log_driver, "Config": options}


def log_place(container: ContainerDefinition, task_id: str, engine_id: str) -> LogPlace | None:
    """Where CloudWatch Logs would have its log; None for other drivers (ECS developer guide, "Send Amazon ECS logs to
    CloudWatch")."""
    config = container.log_configuration
    if config is None or config.log_driver != "awslogs":
        return None
    options = config.options or {}
    prefix, given = options.get("awslogs-stream-prefix"), options.get("awslogs-stream")
    stream = f"{prefix}/{container.name}/{task_id}" if prefix else given or engine_id
    return LogPlace(options.get("awslogs-group", ""), stream, engine_id)


def _engine_name(record: TaskRecord, container: str | None) -> str:
    return next(state.engine_name for state in record.containers if state.name == container)


def _link(record: TaskRecord, link: str) -> str:
    target, _, alias = link.partition(":")
    return f"{_engine_name(record, target)}:{alias or target}"


def _port_keys(mapping: PortMapping) -> list[str]:
    return [f"{port}/{mapping.protocol or 'tcp'}" for port in ports_of(mapping)]
