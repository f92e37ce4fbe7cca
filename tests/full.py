"""A task definition and overrides with every field set, built from the record types."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

from ecsctl.model.api.task_definitions import RegisterTaskDefinitionRequest
from ecsctl.model.record import Record, fields_of, unwrap
from ecsctl.model.task import TaskOverride

_OTHER = "other"
_ROLE = "arn:aws:iam::000000000000:role/some"
_FILE = "arn:aws:s3:::bucket/web.env"

_VALUES: dict[str, Any] = {
    "networkMode": "bridge",
    "taskRoleArn": _ROLE,
    "executionRoleArn": _ROLE,
    "cpu": "1024",
    "memory": "2048",
    "placementConstraints[].expression": "attribute:rack == 7",
    "runtimePlatform.operatingSystemFamily": "LINUX",
    "proxyConfiguration.containerName": "main",
    "ephemeralStorage.sizeInGiB": 21,
    "containerDefinitions[].name": "main",
    "containerDefinitions[].memory": 64,
    "containerDefinitions[].memoryReservation": 32,
    "containerDefinitions[].links": ["other:alias"],
    "containerDefinitions[].portMappings[].containerPortRange": "8000-8010",
    "containerDefinitions[].restartPolicy.restartAttemptPeriod": 60,
    "containerDefinitions[].environmentFiles[].value": _FILE,
    "containerDefinitions[].mountPoints[].sourceVolume": "host",
    "containerDefinitions[].mountPoints[].containerPath": "/data",
    "containerDefinitions[].volumesFrom[].sourceContainer": _OTHER,
    "containerDefinitions[].linuxParameters.capabilities.add": ["NET_ADMIN"],
    "containerDefinitions[].linuxParameters.capabilities.drop": ["MKNOD"],
    "containerDefinitions[].linuxParameters.devices[].hostPath": "/dev/null",
    "containerDefinitions[].linuxParameters.devices[].containerPath": "/dev/nothing",
    "containerDefinitions[].linuxParameters.tmpfs[].containerPath": "/tmp",
    "containerDefinitions[].linuxParameters.tmpfs[].mountOptions": ["noexec"],
    "containerDefinitions[].secrets[].name": "SECRET",
    "containerDefinitions[].dependsOn[].containerName": _OTHER,
    "containerDefinitions[].extraHosts[].ipAddress": "10.0.0.1",
    "containerDefinitions[].dnsServers": ["10.0.0.2"],
    "containerDefinitions[].healthCheck.command": ["CMD", "true"],
    "containerDefinitions[].healthCheck.interval": 5,
    "containerDefinitions[].healthCheck.timeout": 2,
    "containerDefinitions[].systemControls[].namespace": "net.core.somaxconn",
    "volumes[].host.sourcePath": "/srv",
    "volumes[].efsVolumeConfiguration.rootDirectory": "/",
    "volumes[].s3filesVolumeConfiguration.rootDirectory": "/",
    "overrides.ephemeralStorage.sizeInGiB": 22,
    "overrides.cpu": "512",
    "overrides.memory": "1024",
    "overrides.containerOverrides[].name": "main",
    "overrides.containerOverrides[].memory": 48,
    "overrides.containerOverrides[].memoryReservation": 24,
    "overrides.containerOverrides[].environmentFiles[].value": _FILE,
}
"""What cannot be any value: path → value. Numbers are 1 otherwise, texts the field's name, words the first there is."""

_EXCLUSIVE: dict[str, tuple[set[str], ...]] = {
    "containerDefinitions[].portMappings": ({"containerPortRange"}, {"containerPort", "hostPort"}),
    "volumes": (
        {"host"},
        {"dockerVolumeConfiguration"},
        {"efsVolumeConfiguration"},
        {"s3filesVolumeConfiguration"},
        {"fsxWindowsFileServerVolumeConfiguration"},
        {"configuredAtLaunch"},
    ),
}
"""Fields of which only one may be there: a list gets an item for each."""


def full_definition() -> dict[str, Any]:
    """What register-task-definition takes, on the wire. The second container has nothing that it need not have."""
    made = _record(RegisterTaskDefinitionRequest, "")
    made["containerDefinitions"].append({"name": _OTHER, "image": "image", "memory": 64})
    return made


def full_overrides() -> dict[str, Any]:
    """What run-task takes as overrides of tasks of the `full_definition`."""
    return _record(TaskOverride, "overrides")


def paths_of(value: Any, path: str = "") -> set[str]:
    """The fields that are set and that have none of their own, as `containerDefinitions[].name`."""
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return {found for item in value for found in paths_of(item, f"{path}[]")}
    if isinstance(value, dict) and path.rpartition(".")[2] not in ("options", "driverOpts", "labels", "dockerLabels"):
        return {f for name, inner in value.items() for f in paths_of(inner, f"{path}.{name}" if path else name)}
    return {path}


def _record(kind: type[Record], path: str) -> dict[str, Any]:
    return {name: _value(inner, name, f"{path}.{name}" if path else name) for name, inner in fields_of(kind).items()}


def _value(kind: Any, name: str, path: str) -> Any:
    if path in _VALUES:
        return _VALUES[path]
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    if get_origin(kind) is dict:
        return {"some": name}
    if get_origin(kind) is list:
        item = _value(unwrap(get_args(kind)[0]), name, f"{path}[]")
        return [_without(item, path, own) for own in _EXCLUSIVE.get(path, (set(),))]
    if isinstance(kind, type) and issubclass(kind, Record):
        return _record(kind, path)
    return {str: name, int: 1, bool: True}[kind]


def _without(item: Any, path: str, own: set[str]) -> Any:
    """The item of a list without what its `own` fields exclude; a name tells it from the other items."""
    if not own:
        return item
    others = set().union(*_EXCLUSIVE[path]) - own
    return {name: value for name, value in item.items() if name not in others} | {"name": min(own).lower()}
