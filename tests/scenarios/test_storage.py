"""Volumes of every kind on a real engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.conftest import SLEEP, Cli, shell

pytestmark = pytest.mark.docker
File = Callable[..., str]


@pytest.fixture
def volume(cli: Cli) -> Iterator[str]:
    """A name for a volume that outlives tasks."""
    name = f"ecsctl-test-{cli.home.name}"[:80]
    yield name
    cli.kill_background()
    if cli.state.exists() and (left := cli.containers()):
        cli.docker("rm", "-fv", *left, check=False)
    cli.docker("volume", "rm", name, check=False)


def mounted(volume: str, container_path: str = "/data", **more: Any) -> dict[str, Any]:
    return {"mountPoints": [{"sourceVolume": volume, "containerPath": container_path, **more}]}


def said(cli: Cli, definition: str, *more: str) -> str:
    return cli("run-task", "--task-definition", definition, "--wait", "--logs", *more).stdout


def stopped_reason(cli: Cli, definition: str) -> str:
    task = cli.json("run-task", "--task-definition", definition)["tasks"][0]["taskArn"]
    stopped = cli.until(task, lambda t: t["lastStatus"] == "STOPPED")
    assert stopped["stopCode"] == "TaskFailedToStart"
    return str(stopped["stoppedReason"])


def test_a_shared_volume_is_made_once_and_outlives_its_tasks(cli: Cli, file: File, volume: str) -> None:
    docker = {
        "scope": "shared",
        "autoprovision": True,
        "driver": "local",
        "driverOpts": {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"},
        "labels": {"mine": "1"},
    }
    volumes = [{"name": volume, "dockerVolumeConfiguration": docker}]
    keeper = {**SLEEP, **mounted(volume)}
    cli("run-task", "--task-definition", file(keeper, family="keeper", volumes=volumes))
    found = json.loads(cli.docker("volume", "inspect", volume))[0]
    assert (found["Driver"], found["Labels"], found["Options"]) == ("local", {"mine": "1"}, docker["driverOpts"])
    script = "grep ' /data ' /proc/mounts | cut -d' ' -f1; echo here > /data/x"
    assert said(cli, file({**shell(script), **mounted(volume)}, volumes=volumes)) == "tmpfs\n"
    assert said(cli, file({**shell("cat /data/x"), **mounted(volume)}, volumes=volumes)) == "here\n"


def test_a_volume_that_is_not_provisioned_has_to_be_there(cli: Cli, file: File, volume: str) -> None:
    volumes = [{"name": volume, "dockerVolumeConfiguration": {"scope": "shared", "autoprovision": False}}]
    definition = file({**shell("echo there"), **mounted(volume)}, volumes=volumes)
    why = stopped_reason(cli, definition)
    assert f"CannotCreateVolumeError: there is no volume {volume} on the host" in why
    assert volume not in cli.docker("volume", "ls", "-q").split()
    cli.docker("volume", "create", volume)
    assert said(cli, definition) == "there\n"


def test_a_volume_of_a_task_is_shared_by_its_containers_and_goes_with_it(cli: Cli, file: File) -> None:
    docker = {"scope": "task", "driver": "local", "labels": {"mine": "2"}}
    volumes = [{"name": "scratch", "dockerVolumeConfiguration": docker}]
    wait = [{"containerName": "main", "condition": "SUCCESS"}]
    first = {**shell("echo one > /data/x"), "essential": False, **mounted("scratch")}
    readers = [
        {
            **shell("cat /other/x", name="reader", essential=False, dependsOn=wait),
            **mounted("scratch", "/other", readOnly=True),
        },
        shell(
            "cat /data/x; touch /data/y 2>/dev/null || echo read-only",
            name="from",
            dependsOn=[{"containerName": "reader", "condition": "COMPLETE"}, *wait],
            volumesFrom=[{"sourceContainer": "main", "readOnly": True}],
        ),
    ]
    cli.configure('stopped_container_retention = "0s"\n')
    out = said(cli, file(first, *readers, volumes=volumes))
    assert sorted(line.split("| ")[1] for line in out.splitlines()) == ["one", "one", "read-only"]
    (task,) = cli.json("list-tasks", "--desired-status", "STOPPED")["taskArns"]
    (name,) = cli.docker("volume", "ls", "-q", "--filter", f"name={task[-32:]}").split()
    assert json.loads(cli.docker("volume", "inspect", name))[0]["Labels"] == {"mine": "2"}
    cli("reconcile")
    cli("reconcile")
    assert cli.docker("volume", "ls", "-q", "--filter", f"name={task[-32:]}") == ""


def test_a_path_that_is_not_there_is_not_made(cli: Cli, file: File, tmp_path: Path) -> None:
    volumes = [{"name": "host", "host": {"sourcePath": str(tmp_path / "missing")}}]
    why = stopped_reason(cli, file({**SLEEP, **mounted("host")}, volumes=volumes))
    assert "CannotCreateContainerError" in why
    assert "missing" in why
    assert not (tmp_path / "missing").exists()


def test_a_read_only_file_system_leaves_volumes_and_memory_to_write_to(cli: Cli, file: File) -> None:
    script = "for place in / /data /memory; do touch $place/x 2>/dev/null && echo $place; done; df -m /memory | tail -1"
    tmpfs = {"containerPath": "/memory", "size": 7, "mountOptions": ["noexec", "mode=1777"]}
    container = {
        **shell(script),
        **mounted("scratch"),
        "readonlyRootFilesystem": True,
        "linuxParameters": {"tmpfs": [tmpfs]},
    }
    lines = said(cli, file(container, volumes=[{"name": "scratch"}])).splitlines()
    assert lines[:2] == ["/data", "/memory"]
    assert lines[2].split()[1] == "7"


S3FILES = "arn:aws:s3files:us-east-1:000000000000:file-system"
LOG_IN = {"credentialsParameter": "arn:aws:ssm:us-east-1:000000000000:parameter/fsx", "domain": "corp.example"}


@pytest.mark.parametrize(
    ("kind", "directory", "whole"),
    [
        (
            "efsVolumeConfiguration",
            {"fileSystemId": "fs-1", "rootDirectory": "/app"},
            {
                "fileSystemId": "fs-3",
                "transitEncryption": "ENABLED",
                "authorizationConfig": {"accessPointId": "fs-2"},
            },
        ),
        (
            "s3filesVolumeConfiguration",
            {"fileSystemArn": f"{S3FILES}/fs-1", "rootDirectory": "/app"},
            {"fileSystemArn": f"{S3FILES}/fs-3", "accessPointArn": f"{S3FILES}/fs-3/access-point/fs-2"},
        ),
        (
            "fsxWindowsFileServerVolumeConfiguration",
            {"fileSystemId": "fs-1", "rootDirectory": "\\app", "authorizationConfig": LOG_IN},
            {"fileSystemId": "fs-2", "rootDirectory": "\\", "authorizationConfig": LOG_IN},
        ),
    ],
)
def test_a_directory_or_a_volume_stands_for_a_file_system(
    cli: Cli, file: File, tmp_path: Path, volume: str, kind: str, directory: dict[str, Any], whole: dict[str, Any]
) -> None:
    (tmp_path / "files" / "app").mkdir(parents=True)
    (tmp_path / "files" / "app" / "x").write_text("of the files\n")
    cli.docker("volume", "create", volume)
    cli.configure(f'[file_systems]\nfs-1 = {{path = "{tmp_path}/files"}}\nfs-2 = {{volume = "{volume}"}}\n')
    volumes = [{"name": "one", kind: directory}, {"name": "two", kind: whole}]
    points = [*mounted("one", "/one")["mountPoints"], *mounted("two", "/two")["mountPoints"]]
    definition = file({**shell("cat /one/x; cp /one/x /two/y"), "mountPoints": points}, volumes=volumes)
    assert said(cli, definition) == "of the files\n"
    place = cli.docker("volume", "inspect", "-f", "{{.Mountpoint}}", volume)
    assert (Path(place) / "y").read_text() == "of the files\n"


def test_an_export_is_mounted_by_the_engine_and_one_that_is_silent_fails_the_task(cli: Cli, file: File) -> None:
    options = "nfsvers=4,soft,timeo=1,retrans=0,port=1"
    cli.configure(f'[file_systems]\nfs-1 = {{nfs = "127.0.0.1:/export", mount_options = "{options}"}}\n')
    volumes = [{"name": "efs", "efsVolumeConfiguration": {"fileSystemId": "fs-1", "rootDirectory": "/app"}}]
    definition = file({**SLEEP, **mounted("efs")}, volumes=volumes)
    why = stopped_reason(cli, definition)
    assert "CannotStartContainerError" in why
    assert "addr=127.0.0.1" in why
    assert ":/export/app" in why


def test_without_configuration_a_file_system_is_refused_and_nothing_is_started(cli: Cli, file: File) -> None:
    volumes = [{"name": "efs", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}]
    definition = file({**SLEEP, **mounted("efs")}, volumes=volumes)
    error = cli.error("run-task", "--task-definition", definition, code=254)
    assert "volumes[0].efsVolumeConfiguration.fileSystemId" in error
    assert '[file_systems] "fs-1" = {nfs = "HOST:/EXPORT"}' in error
    assert cli("check", definition, code=1).stdout.count("refused") == 2
    assert cli.json("list-tasks")["taskArns"] == []
    cli("register-task-definition", definition)
    service = ("--service-name", "web", "--task-definition", "app", "--desired-count", "1")
    assert "efsVolumeConfiguration.fileSystemId" in cli.error("create-service", *service, code=254)


@pytest.mark.parametrize("delete", [True, False])
def test_a_volume_configured_at_launch_is_the_tasks_own(cli: Cli, file: File, delete: bool) -> None:
    cli.configure('stopped_container_retention = "0s"\n[file_systems]\nebs = {driver = "local"}\n')
    definition = file(
        {**shell("echo kept > /data/x; cat /data/x"), **mounted("ebs")},
        volumes=[{"name": "ebs", "configuredAtLaunch": True}],
    )
    managed = {
        "roleArn": "arn:aws:iam::000000000000:role/ebs",
        "sizeInGiB": 10,
        "terminationPolicy": {"deleteOnTermination": delete},
    }
    given = json.dumps([{"name": "ebs", "managedEBSVolume": managed}])
    assert said(cli, definition, "--volume-configurations", given) == "kept\n"
    (arn,) = cli.json("list-tasks", "--desired-status", "STOPPED")["taskArns"]
    (attachment,) = cli.task(arn)["attachments"]
    name = next(detail["value"] for detail in attachment["details"] if detail["name"] == "volumeId")
    assert attachment["status"] == "DELETED"
    cli("reconcile")
    cli("reconcile")
    try:
        assert (name in cli.docker("volume", "ls", "-q").split()) is not delete
    finally:
        cli.docker("volume", "rm", name, check=False)


def test_a_size_that_the_engine_cannot_limit_is_refused_unless_it_is_only_recorded(
    cli: Cli, file: File, engine_image: str
) -> None:
    definition = file(shell("echo ran"), ephemeralStorage={"sizeInGiB": 25})
    if limited := cli.docker("create", "--storage-opt", "size=25G", engine_image, check=False):
        cli.docker("rm", limited)
        assert said(cli, definition) == "ran\n"
        return
    why = stopped_reason(cli, definition)
    assert "ephemeralStorage: this engine cannot limit the size of a container" in why
    assert "storage-opt" in why
    cli.configure('ephemeral_storage = "recorded"\n')
    assert said(cli, definition) == "ran\n"
    for arn in cli.json("list-tasks", "--desired-status", "STOPPED")["taskArns"]:
        assert cli.task(arn)["ephemeralStorage"] == {"sizeInGiB": 25}
