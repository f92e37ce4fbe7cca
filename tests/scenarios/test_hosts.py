"""Hosts by context and by SSH, found out, described, changed and taken away, from the command line."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ecsctl.engine.address import parse_address
from ecsctl.engine.contexts import current_address, resolve
from tests.engine.sshd import HOST_ALIAS, Sshd, install_sshd
from tests.scenarios.conftest import SLEEP, Cli, shell

pytestmark = pytest.mark.docker
File = Callable[..., str]


@pytest.fixture
def ssh_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli) -> Iterator[Sshd]:
    """An sshd on loopback; the command under test finds it by an alias of its ssh configuration."""
    found = install_sshd(tmp_path / "sshd", monkeypatch)
    found.start()
    runtime = Path(tempfile.mkdtemp(prefix="ecs", dir="/tmp"))  # short, as sockets' paths must be
    (runtime / "later").mkdir(mode=0o700)
    cli.environment |= {"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(runtime)}
    yield found
    for control in runtime.rglob("*.ctl"):
        subprocess.run(["ssh", "-o", f"ControlPath={control}", "-O", "exit", "any"], capture_output=True)
    found.kill()
    shutil.rmtree(runtime)


def only_instance(cli: Cli) -> Any:
    (arn,) = cli.json("list-container-instances")["containerInstanceArns"]
    return cli.json("describe-container-instances", "--container-instances", arn)["containerInstances"][0]


def test_the_current_context_is_there_without_being_asked_for(cli: Cli) -> None:
    host = only_instance(cli)
    engine = json.loads(cli.docker("info", "-f", "{{json .}}"))
    resources = {r["name"]: r.get("integerValue") for r in host["registeredResources"]}
    assert resources["CPU"] == engine["NCPU"] * 1024
    assert resources["MEMORY"] == engine["MemTotal"] // 2**20 - 256
    attributes = {a["name"]: a.get("value") for a in host["attributes"]}
    assert attributes["ecs.os-type"] == "linux"
    assert attributes["ecs.cpu-architecture"] in ("x86_64", "arm64")
    assert attributes["ecs.availability-zone"] == "us-east-1a"
    assert attributes["ecs.os-family"] == "LINUX"
    assert attributes["ecs.instance-type"] == f"docker.{engine['NCPU']}x{round(engine['MemTotal'] / 2**30)}"
    assert host["versionInfo"]["dockerVersion"] == f"DockerVersion: {engine['ServerVersion']}"


def test_an_instance_that_was_taken_away_does_not_come_back_by_itself(cli: Cli) -> None:
    host = only_instance(cli)
    cli("deregister-container-instance", "--container-instance", host["containerInstanceArn"])
    assert cli.json("list-container-instances")["containerInstanceArns"] == []
    cli("register-container-instance", "--attributes", "name=rack,value=7", "--cpu", "512", "--memory", "1024")
    back = only_instance(cli)
    assert {"name": "rack", "value": "7"} in back["attributes"]
    assert [r["integerValue"] for r in back["registeredResources"][:2]] == [512, 1024]


def test_a_host_by_context(cli: Cli, file: File, tmp_path: Path) -> None:
    where = resolve(current_address()).where
    name = hashlib.sha256(b"edge").hexdigest()
    meta = tmp_path / "docker" / "contexts" / "meta" / name / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"Name": "edge", "Endpoints": {"docker": {"Host": str(where), "SkipTLSVerify": False}}}))
    cli.environment["DOCKER_CONFIG"] = str(tmp_path / "docker")
    answer = cli.json("register-container-instance", "--context", "edge", "--availability-zone", "us-east-1b")
    assert {"name": "ecs.availability-zone", "value": "us-east-1b"} in answer["containerInstance"]["attributes"]
    done = cli("run-task", "--task-definition", file(shell("echo by context")), "--wait", "--logs")
    assert done.stdout == "by context\n"


def test_a_host_by_ssh(cli: Cli, file: File, ssh_host: Sshd) -> None:
    assert str(parse_address(f"ssh://{HOST_ALIAS}")) == f"ssh://{HOST_ALIAS}"
    cli("register-container-instance", "--host", f"ssh://{HOST_ALIAS}")
    done = cli("run-task", "--task-definition", file(shell("echo by ssh; exit 4")), "--wait", "--logs", code=4)
    assert done.stdout == "by ssh\n"
    assert ssh_host.connections() == 1, "one serves all commands"


def test_a_host_by_ssh_that_went_away_is_one_clear_line(cli: Cli, file: File, ssh_host: Sshd) -> None:
    cli("register-container-instance", "--host", f"ssh://{HOST_ALIAS}")
    definition = file(SLEEP)
    ssh_host.kill()
    cli.environment["XDG_RUNTIME_DIR"] += "/later"  # where no connection is open yet
    said = cli.error("run-task", "--task-definition", definition, code=255)
    assert HOST_ALIAS in said
    assert cli.json("list-tasks")["taskArns"] == []


def test_a_host_with_tasks_is_taken_away_by_force_only(cli: Cli, file: File) -> None:
    task = cli.json("run-task", "--task-definition", file(SLEEP))["tasks"][0]
    host = task["containerInstanceArn"]
    assert "running tasks" in cli.error("deregister-container-instance", "--container-instance", host, code=254)
    cli("deregister-container-instance", "--container-instance", host, "--force")
    stopped = cli.until(task["taskArn"], lambda t: t["lastStatus"] == "STOPPED")
    assert stopped["stoppedReason"] == "Container instance deregistration forced by user"
    assert cli.containers("--filter", "status=running") == []
