"""Volumes: what the engine is told of each kind, and what goes when the task has gone."""

from __future__ import annotations

from typing import Any

import pytest

from ecsctl.model import identity
from ecsctl.model.errors import VolumeUnavailable
from ecsctl.model.file_system import FileSystem, Storage
from ecsctl.model.record import decode
from ecsctl.model.stored import TaskRecord
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.model.task_launch import TaskVolumeConfiguration
from ecsctl.scheduler.container_spec import create_body
from ecsctl.scheduler.field_support import refusals
from ecsctl.scheduler.volumes import NFS_OPTIONS, attachment, problems, task_volumes
from tests.making import TASK_ID, definition, task_of

SIGNATURE = identity.Signature("install", lambda: b"key")
OURS = f"ecs-app-1-data-{TASK_ID}"
EFS = {"efsVolumeConfiguration": {"fileSystemId": "fs-1"}}
POINT = {
    "efsVolumeConfiguration": {
        "fileSystemId": "fs-1",
        "transitEncryption": "ENABLED",
        "authorizationConfig": {"accessPointId": "fsap-1", "iam": "ENABLED"},
    }
}
S3_FILES = {"s3filesVolumeConfiguration": {"fileSystemArn": "arn:aws:s3files:us-east-1:0:file-system/fs-1"}}
FSX = {
    "fsxWindowsFileServerVolumeConfiguration": {
        "fileSystemId": "fs-1",
        "rootDirectory": "share\\data",
        "authorizationConfig": {"credentialsParameter": "c", "domain": "d"},
    }
}
EBS = {"configuredAtLaunch": True}
STANDS = {
    "fs-1": FileSystem(path="/mnt/efs"),
    "fsap-1": FileSystem(volume="shared"),
    "ebs": FileSystem(driver="local", driver_options={"type": "tmpfs", "device": "tmpfs"}),
}


def of(volume: dict[str, Any]) -> TaskDefinition:
    points = [{"sourceVolume": "data", "containerPath": "/data"}]
    return definition({"name": "main", "mountPoints": points}, volumes=[{"name": "data", **volume}])


def within(volume: dict[str, Any], root: str) -> dict[str, Any]:
    ((kind, fields),) = volume.items()
    return {kind: {**fields, "rootDirectory": root}}


def mounted(volume: dict[str, Any], stands: dict[str, FileSystem]) -> dict[str, Any]:
    made = of(volume)
    (mount,) = create_body(task_of(made), made, "main", SIGNATURE, Storage(stands))["HostConfig"]["Mounts"]
    assert (mount.pop("Target"), mount.pop("ReadOnly")) == ("/data", False)
    return dict(mount)


@pytest.mark.parametrize(
    ("volume", "mount"),
    [
        (EFS, {"Type": "bind", "Source": "/mnt/efs"}),
        (within(EFS, "/"), {"Type": "bind", "Source": "/mnt/efs"}),
        (within(EFS, "/a/b/"), {"Type": "bind", "Source": "/mnt/efs/a/b"}),
        (within(S3_FILES, "/a"), {"Type": "bind", "Source": "/mnt/efs/a"}),
        (FSX, {"Type": "bind", "Source": "/mnt/efs/share/data"}),
        (POINT, {"Type": "volume", "Source": "shared", "VolumeOptions": {"Labels": {}}}),
        (
            EBS,
            {
                "Type": "volume",
                "Source": OURS,
                "VolumeOptions": {
                    "Labels": {},
                    "DriverConfig": {"Name": "local", "Options": {"type": "tmpfs", "device": "tmpfs"}},
                },
            },
        ),
    ],
)
def test_a_file_system_is_what_the_configuration_says(volume: dict[str, Any], mount: dict[str, Any]) -> None:
    assert mounted(volume, STANDS) == mount


@pytest.mark.parametrize(
    ("found", "root", "options"),
    [
        (FileSystem(nfs="10.0.0.5:/export"), "/", ("10.0.0.5", NFS_OPTIONS, ":/export")),
        (FileSystem(nfs="nas:/export/", mount_options="nfsvers=3"), "/a", ("nas", "nfsvers=3", ":/export/a")),
        (FileSystem(nfs="[fd00::5]:/"), "/", ("[fd00::5]", NFS_OPTIONS, ":/")),
        (FileSystem(nfs="nas:/"), "/a/b", ("nas", NFS_OPTIONS, ":/a/b")),
    ],
)
def test_an_nfs_export_is_mounted_by_the_engine(found: FileSystem, root: str, options: tuple[str, str, str]) -> None:
    server, more, device = options
    assert mounted(within(EFS, root), {"fs-1": found}) == {
        "Type": "volume",
        "Source": OURS,
        "VolumeOptions": {
            "Labels": {},
            "DriverConfig": {
                "Name": "local",
                "Options": {"type": "nfs", "o": f"addr={server},{more}", "device": device},
            },
        },
    }


@pytest.mark.parametrize(
    ("volume", "stands", "path", "words"),
    [
        (EFS, {}, "efsVolumeConfiguration.fileSystemId", '"fs-1" = {nfs = "HOST:/EXPORT"}'),
        (POINT, {"fs-1"}, "efsVolumeConfiguration.authorizationConfig.accessPointId", '"fsap-1" = '),
        (S3_FILES, {}, "s3filesVolumeConfiguration.fileSystemArn", '"fs-1" = '),
        (FSX, {}, "fsxWindowsFileServerVolumeConfiguration.fileSystemId", '"fs-1" = '),
        (EBS, {}, "configuredAtLaunch", '"ebs" = {driver = "local"}'),
        (within(POINT, "/a"), {"fsap-1"}, "efsVolumeConfiguration.authorizationConfig.accessPointId", "no directory"),
    ],
)
def test_what_nothing_stands_for_is_refused_by_name(
    volume: dict[str, Any], stands: set[str], path: str, words: str
) -> None:
    made, found = of(volume), {name: STANDS[name] for name in stands}
    (refused,) = refusals(made, file_systems=found)
    assert refused.path == f"volumes[0].{path}"
    assert words in refused.note
    with pytest.raises(VolumeUnavailable, match="data: "):
        mounted(volume, found)


def test_where_it_is_not_asked_what_stands_for_it_nothing_is_refused() -> None:
    assert refusals(of(EFS)) == []
    assert list(problems(of(EFS), STANDS)) == []


@pytest.mark.parametrize(
    ("volume", "goes"),
    [
        ({}, True),
        ({"host": {"sourcePath": "/x"}}, False),
        ({"dockerVolumeConfiguration": {"scope": "task"}}, True),
        ({"dockerVolumeConfiguration": {"scope": "shared"}}, False),
        (EBS, True),
    ],
)
def test_volumes_go_with_their_task(volume: dict[str, Any], goes: bool) -> None:
    made = of(volume)
    assert task_volumes(task_of(made), made) == ([OURS] if goes else [])


def _with_ebs(delete: bool | None) -> TaskRecord:
    record = task_of(of(EBS))
    managed: dict[str, Any] = {"roleArn": "r", "sizeInGiB": 10}
    if delete is not None:
        managed["terminationPolicy"] = {"deleteOnTermination": delete}
    record.volume = decode(TaskVolumeConfiguration, {"name": "data", "managedEBSVolume": managed})
    return record


@pytest.mark.parametrize(("delete", "goes"), [(None, True), (True, True), (False, False)])
def test_an_ebs_volume_stays_when_it_is_told_to(delete: bool | None, goes: bool) -> None:
    record = _with_ebs(delete)
    assert task_volumes(record, of(EBS)) == ([OURS] if goes else [])
    shown = attachment(record, of(EBS))
    assert shown is not None
    assert (shown.type, shown.status) == ("AmazonElasticBlockStorage", "PRECREATED")
    details = {detail.name: detail.value for detail in shown.details or []}
    assert details == {
        "volumeName": "data",
        "volumeId": OURS,
        "roleArn": "r",
        "sizeInGiB": "10",
        "deleteOnTermination": str(goes).lower(),
    }


@pytest.mark.parametrize(("limited", "options"), [(True, {"size": "25G"}), (False, None)])
def test_ephemeral_storage_is_the_size_of_a_containers_own_file_system(limited: bool, options: Any) -> None:
    made = definition({"name": "main"}, ephemeralStorage={"sizeInGiB": 25})
    body = create_body(task_of(made), made, "main", SIGNATURE, Storage(is_limited=limited))
    assert body["HostConfig"].get("StorageOpt") == options
