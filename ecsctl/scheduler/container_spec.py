"""From a container definition to the body of the engine's create call, as the ECS agent would have made it.

Source: ECS API_ContainerDefinition ("maps to … in the docker container create command") and the Engine API 1.41.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ecsctl.model import identity
from ecsctl.model.arn import last_part
from ecsctl.model.common import KeyValuePair
from ecsctl.model.container_definition import ContainerDefinition, HealthCheck, LinuxParameters, PortMapping
from ecsctl.model.identity import Signature
from ecsctl.model.observed import LogPlace
from ecsctl.model.service import Service
from ecsctl.model.sizes import task_cpu_units, task_memory_mib
from ecsctl.model.stored import TaskRecord
from ecsctl.model.task import ContainerOverride
from ecsctl.model.task_definition import TaskDefinition, Volume
from ecsctl.scheduler.labels import labels_of
from ecsctl.scheduler.namespaces import MIB, PAUSE, is_of_network, joined, needs_pause, pause_body

SECOND = 10**9
DEFAULT_STOP_TIMEOUT = 30
"""Seconds between the stop signal and SIGKILL (ECS: ECS_CONTAINER_STOP_TIMEOUT)."""
DEFAULT_PIDS_LIMIT = 4096

Body = dict[str, Any]


def create_body(
    record: TaskRecord, definition: TaskDefinition, name: str, signature: Signature, service: Service | None = None
) -> Body:
    """The create body of one container of a task, which may be a service's, with its labels."""
    body = _body(record, definition, name)
    return {**body, "Labels": labels_of(record, definition, name, identity.spec_digest(body), signature, service)}


def digest_of(record: TaskRecord, definition: TaskDefinition, name: str) -> str:
    """What the label `ecsctl.spec` of a container of a task says, if it was made from this definition."""
    return identity.spec_digest(_body(record, definition, name))


def _body(record: TaskRecord, definition: TaskDefinition, name: str) -> Body:
    if name == identity.PAUSE:
        return pause_body(record, definition)
    return _without_labels(record, definition, effective(record, definition, name))


def effective(record: TaskRecord, definition: TaskDefinition, name: str) -> ContainerDefinition:
    """The container definition with the task's overrides in it (ECS API_ContainerOverride)."""
    if name == identity.PAUSE:
        return PAUSE
    container = next(c for c in definition.container_definitions or [] if c.name == name)
    overrides = record.task.overrides.container_overrides if record.task.overrides else None
    for override in overrides or []:
        if override.name == name:
            container = _overridden(container, override)
    return container


def is_confidential(container: ContainerDefinition) -> bool:
    """Whether it gets values that its definition only refers to."""
    logs = container.log_configuration
    return bool(container.secrets or container.environment_files or (logs and logs.secret_options))


def stop_timeout(container: ContainerDefinition) -> int:
    """Seconds."""
    return DEFAULT_STOP_TIMEOUT if container.stop_timeout is None else container.stop_timeout


def _overridden(container: ContainerDefinition, override: ContainerOverride) -> ContainerDefinition:
    changes: dict[str, Any] = {
        field: value
        for field in ("command", "environment_files", "cpu", "memory", "memory_reservation", "resource_requirements")
        if (value := getattr(override, field)) is not None
    }
    if override.environment:
        merged = {entry.name: entry.value for entry in (*(container.environment or []), *override.environment)}
        changes["environment"] = [KeyValuePair(name=name, value=value) for name, value in merged.items()]
    return msgspec.structs.replace(container, **changes)


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
        body["ExposedPorts"] = {_port_key(mapping): {} for mapping in container.port_mappings}
    return {**body, **{key: value for key, value in optional.items() if value}}


def _host_config(record: TaskRecord, definition: TaskDefinition, container: ContainerDefinition, network: str) -> Body:
    config: Body = {
        "NetworkMode": network,
        # ECS passes no less than the kernel's minimum of 2.
        "CpuShares": max(2, container.cpu or 0),
        "PidsLimit": DEFAULT_PIDS_LIMIT,
        "RestartPolicy": {"Name": "no"},  # reconcile restarts; an engine that does it too would do it twice
        "Mounts": [*_mounts(record, definition, container)],
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
        "LogConfig": _log_config(container),
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
            host_port = str(mapping.host_port) if mapping.host_port else ""
            bindings.setdefault(_port_key(mapping), []).append({"HostPort": host_port})
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


def _mounts(record: TaskRecord, definition: TaskDefinition, container: ContainerDefinition) -> list[Body]:
    volumes = {volume.name: volume for volume in definition.volumes or []}
    mounts: list[Body] = []
    for point in container.mount_points or []:
        volume = volumes.get(point.source_volume) or Volume(name=point.source_volume)
        mount = {"Target": point.container_path, "ReadOnly": bool(point.read_only)}
        if volume.host and volume.host.source_path:
            mounts.append({"Type": "bind", "Source": volume.host.source_path, **mount})
        else:
            mounts.append({"Type": "volume", **_volume(record, definition, volume), **mount})
    return mounts


def _volume(record: TaskRecord, definition: TaskDefinition, volume: Volume) -> Body:
    config = volume.docker_volume_configuration
    shared = config is not None and config.scope == "shared"
    source = str(volume.name) if shared else task_volume_name(record, definition, volume)
    options: Body = {"Labels": dict(config.labels or {}) if config else {}}
    if config and (config.driver or config.driver_opts):
        options["DriverConfig"] = {"Name": config.driver or "local", "Options": config.driver_opts or {}}
    return {"Source": source, "VolumeOptions": options}


def task_volume_name(record: TaskRecord, definition: TaskDefinition, volume: Volume) -> str:
    """The engine's name of a volume that lives as long as the task."""
    return identity.volume_name(
        str(definition.family), definition.revision or 0, str(volume.name), last_part(record.arn)
    )


def task_volumes(record: TaskRecord, definition: TaskDefinition) -> list[str]:
    """The engine's names of the volumes that go with the task."""
    return [
        task_volume_name(record, definition, volume)
        for volume in definition.volumes or []
        if not (volume.host and volume.host.source_path)
        and not (volume.docker_volume_configuration and volume.docker_volume_configuration.scope == "shared")
    ]


def _log_config(container: ContainerDefinition) -> Body | None:
    config = container.log_configuration
    if config is None:
        return None
    if config.log_driver == "awslogs":  # how the engine hands lines on is the same for every driver
        own = {name: value for name, value in (config.options or {}).items() if name in ("mode", "max-buffer-size")}
        return {"Type": "json-file", "Config": own}
    return {"Type": config.log_driver, "Config": config.options or {}}


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


def _port_key(mapping: PortMapping) -> str:
    return f"{mapping.container_port}/{mapping.protocol or 'tcp'}"
