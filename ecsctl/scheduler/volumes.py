"""The volumes of a task: what is mounted where in its containers, and what goes when the task has gone. Pure.

Source: ECS API_Volume, ECS developer guide, "Storage options for Amazon ECS tasks"; Engine API 1.41, HostConfig.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ecsctl.model import identity
from ecsctl.model.api.task_definitions import RegisterTaskDefinitionRequest
from ecsctl.model.arn import last_part
from ecsctl.model.cluster import Attachment
from ecsctl.model.common import KeyValuePair
from ecsctl.model.container_definition import ContainerDefinition
from ecsctl.model.errors import VolumeUnavailable
from ecsctl.model.file_system import EBS, FileSystem
from ecsctl.model.stored import TaskRecord
from ecsctl.model.task_definition import TaskDefinition, Volume
from ecsctl.scheduler.firelens import SOCKETS, router_of

Body = dict[str, Any]

NFS_OPTIONS = "nfsvers=4.1,rsize=1048576,wsize=1048576,hard,timeo=600,retrans=2,noresvport"
"""What AWS recommends for EFS (EFS user guide, "Recommended NFS mount options")."""
_SOCKETS = "internal.firelens"
_ROUTER = "internal.firelens-configuration"
"""Volumes of ours: a dot, as no volume of a task definition has one in its name."""


_SHARED = '{nfs = "HOST:/EXPORT"}, {volume = "NAME"} or {path = "/PATH"}'
_OWN = '{driver = "local"}'


class Reference(NamedTuple):
    """A file system that a volume refers to: the field that names it, the id that the configuration knows, and a
    directory of it."""

    field: str
    id: str
    directory: str = "/"


def mounts(
    record: TaskRecord,
    definition: TaskDefinition,
    container: ContainerDefinition,
    file_systems: Mapping[str, FileSystem],
) -> list[Body]:
    """A container's, as its create body has them. VolumeUnavailable names what the configuration knows nothing of."""
    volumes = {volume.name: volume for volume in definition.volumes or []}
    found: list[Body] = []
    for point in container.mount_points or []:
        volume = volumes.get(point.source_volume) or Volume(name=point.source_volume)
        source = _source(record, definition, volume, file_systems)
        found.append({**source, "Target": point.container_path, "ReadOnly": bool(point.read_only)})
    return [*found, *_of_router(record, definition, container)]


def reference_of(volume: Volume) -> Reference | None:
    """The file system of Amazon's that a volume is of; None for those of the host. An access point has an id too."""
    if efs := volume.efs_volume_configuration:
        point = efs.authorization_config.access_point_id if efs.authorization_config else None
        field = "authorizationConfig.accessPointId" if point else "fileSystemId"
        return Reference(f"efsVolumeConfiguration.{field}", point or efs.file_system_id, efs.root_directory or "/")
    if files := volume.s3files_volume_configuration:
        field = "accessPointArn" if files.access_point_arn else "fileSystemArn"
        arn = files.access_point_arn or files.file_system_arn
        return Reference(f"s3filesVolumeConfiguration.{field}", arn.rpartition("/")[2], files.root_directory or "/")
    if fsx := volume.fsx_windows_file_server_volume_configuration:
        directory = fsx.root_directory.replace("\\", "/")
        return Reference("fsxWindowsFileServerVolumeConfiguration.fileSystemId", fsx.file_system_id, directory)
    return Reference("configuredAtLaunch", EBS) if volume.configured_at_launch else None


def problem(reference: Reference, file_systems: Mapping[str, FileSystem]) -> str | None:
    """Why a volume cannot be had; None when something stands for its file system."""
    found = file_systems.get(reference.id)
    if found is None:
        example = _OWN if reference.id == EBS else _SHARED
        return f'nothing stands for it here; say what in the configuration: [file_systems] "{reference.id}" = {example}'
    if found.volume and reference.directory.strip("/"):
        return (
            f"{reference.directory} of {reference.id}: a Docker volume, {found.volume}, stands for it, "
            "and of one no directory can be mounted; let a path or an NFS export stand for it"
        )
    return None


def problems(
    definition: TaskDefinition | RegisterTaskDefinitionRequest, file_systems: Mapping[str, FileSystem]
) -> Iterator[tuple[str, str]]:
    """The volumes of a definition that cannot be had: the path of the field that names them, and why."""
    for index, volume in enumerate(definition.volumes or []):
        reference = reference_of(volume)
        if reference is not None and (why := problem(reference, file_systems)):
            yield f"volumes[{index}].{reference.field}", why


def attachment(record: TaskRecord, definition: TaskDefinition) -> Attachment | None:
    """The volume of a task that is configured at launch, as ECS describes EBS volumes; None where there is none."""
    asked = record.volume
    if asked is None or asked.managed_ebs_volume is None:
        return None
    stages = {state.stage for state in record.containers}
    details = {
        "volumeName": asked.name,
        "volumeId": _task_volume(record, definition, asked.name),
        "roleArn": asked.managed_ebs_volume.role_arn,
        "sizeInGiB": str(asked.managed_ebs_volume.size_in_gib),
        "deleteOnTermination": str(_goes(record)).lower(),
    }
    digits = hashlib.sha256(f"volume {last_part(record.arn)}".encode()).hexdigest()
    return Attachment(
        id="-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32])),
        type="AmazonElasticBlockStorage",
        status="DELETED" if record.is_stopped else "PRECREATED" if stages == {"none"} else "ATTACHED",
        details=[KeyValuePair(name=name, value=value) for name, value in details.items()],
    )


def task_volumes(record: TaskRecord, definition: TaskDefinition) -> list[str]:
    """The engine's names of the volumes that go with the task."""
    kept = record.volume is not None and not _goes(record)
    names = [
        _task_volume(record, definition, str(volume.name))
        for volume in definition.volumes or []
        if not (volume.host and volume.host.source_path)
        and not (volume.docker_volume_configuration and volume.docker_volume_configuration.scope == "shared")
        and not (volume.configured_at_launch and kept)
    ]
    if router_of(definition) is not None:
        names += [sockets_volume(record, definition), _task_volume(record, definition, _ROUTER)]
    return names


def provided(definition: TaskDefinition, container: ContainerDefinition) -> list[str]:
    """The names of the Docker volumes that a container mounts, and that have to be there already."""
    volumes = {volume.name: volume.docker_volume_configuration for volume in definition.volumes or []}
    return [
        str(point.source_volume)
        for point in container.mount_points or []
        if (config := volumes.get(point.source_volume)) and config.scope == "shared" and not config.autoprovision
    ]


def sockets_volume(record: TaskRecord, definition: TaskDefinition) -> str:
    """The engine's name of the volume that the socket of a task's log router is in."""
    return _task_volume(record, definition, _SOCKETS)


def _source(
    record: TaskRecord, definition: TaskDefinition, volume: Volume, file_systems: Mapping[str, FileSystem]
) -> Body:
    if volume.host and volume.host.source_path:
        return {"Type": "bind", "Source": volume.host.source_path}
    if (reference := reference_of(volume)) is not None:
        if why := problem(reference, file_systems):
            raise VolumeUnavailable(f"{volume.name}: {why}")
        return _file_system(record, definition, volume, reference, file_systems[reference.id])
    config = volume.docker_volume_configuration
    shared = config is not None and config.scope == "shared"
    options: Body = {"Labels": dict(config.labels or {}) if config else {}}
    if config and (config.driver or config.driver_opts):
        options["DriverConfig"] = {"Name": config.driver or "local", "Options": config.driver_opts or {}}
    source = str(volume.name) if shared else _task_volume(record, definition, str(volume.name))
    return {"Type": "volume", "Source": source, "VolumeOptions": options}


def _file_system(
    record: TaskRecord, definition: TaskDefinition, volume: Volume, reference: Reference, found: FileSystem
) -> Body:
    directory = reference.directory.strip("/")
    if found.path:
        return {"Type": "bind", "Source": f"{found.path.rstrip('/')}/{directory}".rstrip("/") or "/"}
    if found.volume:
        return {"Type": "volume", "Source": found.volume, "VolumeOptions": {"Labels": {}}}
    driver, options = found.driver or "local", dict(found.driver_options)
    if found.nfs:
        server, _, export = found.nfs.partition(":/")
        device = f":/{export}".rstrip("/") + (f"/{directory}" if directory else "")
        options = {"type": "nfs", "o": f"addr={server},{found.mount_options or NFS_OPTIONS}", "device": device}
        options["device"] = ":/" if device == ":" else device
    config = {"Name": driver, "Options": options}
    source = _task_volume(record, definition, str(volume.name))
    return {"Type": "volume", "Source": source, "VolumeOptions": {"Labels": {}, "DriverConfig": config}}


def _of_router(record: TaskRecord, definition: TaskDefinition, container: ContainerDefinition) -> Iterator[Body]:
    """Of the log router: the directory of its socket, and that of its configuration where it cannot be put."""
    router = router_of(definition) if container.firelens_configuration else None
    if router is None:
        return
    # What the image has there is none of the tasks' business; of its configuration it is.
    yield {
        "Type": "volume",
        "Source": sockets_volume(record, definition),
        "Target": SOCKETS,
        "VolumeOptions": {"NoCopy": True},
    }
    if router.is_read_only:
        yield {"Type": "volume", "Source": _task_volume(record, definition, _ROUTER), "Target": router.directory}


def _goes(record: TaskRecord) -> bool:
    """Whether the volume that was configured at launch goes with its task."""
    managed = record.volume.managed_ebs_volume if record.volume else None
    policy = managed.termination_policy if managed else None
    return policy is None or policy.delete_on_termination


def _task_volume(record: TaskRecord, definition: TaskDefinition, volume: str) -> str:
    return identity.volume_name(str(definition.family), definition.revision or 0, volume, last_part(record.arn))
