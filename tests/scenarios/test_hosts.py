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


def context(home: Path, name: str, address: str) -> None:
    """Make a Docker context."""
    meta = home / "docker" / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"Name": name, "Endpoints": {"docker": {"Host": address}}}))


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
    context(tmp_path, "edge", str(resolve(current_address()).where))
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


def test_people_add_a_host_by_its_alias_and_take_it_away(cli: Cli, file: File, ssh_host: Sshd) -> None:
    added = cli("host", "add", HOST_ALIAS, "--name", "one", "--zone", "us-east-1b", "--price", "0.2")
    assert added.stdout == f"one: added (ssh://{HOST_ALIAS})\n"
    assert "ecsctl: one: warning: live-restore: off: when dockerd ends" in added.stderr
    assert "registered already, as one" in cli.error("host", "add", HOST_ALIAS, code=1)
    cli.json("run-task", "--task-definition", file(SLEEP))
    assert "one has 1 task: --drain waits" in cli.error("host", "rm", "one", code=1)
    head, row = (line.split() for line in cli("host", "ls").stdout.splitlines())
    assert head == ["HOST", "CLUSTER", "ADDRESS", "ZONE", "STATE", "CONNECTED", "CPU", "MEMORY", "TASKS", "ENGINE"]
    assert row[:6] == ["one", "default", f"ssh://{HOST_ALIAS}", "us-east-1b", "ACTIVE", "yes"]
    assert (row[7].split("/")[0], row[8]) == ("16", "1")
    assert cli("host", "check").stdout.startswith(f"one: ok: ssh://{HOST_ALIAS}, engine ")
    assert cli.json("describe-availability-zones", "--query", "AvailabilityZones[].[ZoneName,State]") == [
        ["us-east-1b", "available"]
    ]
    assert cli("host", "rm", "one", "--force").stdout == f"one: taken away (ssh://{HOST_ALIAS})\n"
    assert cli.json("list-container-instances")["containerInstanceArns"] == []


def test_check_says_what_is_wrong_and_asks_nothing(cli: Cli, ssh_host: Sshd) -> None:
    addresses = [f"nobody-there@{HOST_ALIAS}", f"localhost:{ssh_host.port}", "127.0.0.1:1", "unix:///nowhere.sock"]
    done = cli("host", "check", HOST_ALIAS, *addresses, "--output", "json", code=5)
    hosts = json.loads(done.stdout)["hosts"]
    assert hosts[0]["answers"] is True
    assert hosts[0]["engineVersion"]
    assert [[(one["level"], one["check"]) for one in host["findings"]] for host in hosts[1:]] == [
        [("error", "key")],
        [("error", "host-key")],
        [("error", "port")],
        [("error", "docker")],
    ]
    assert done.stderr == ""
    lines = cli("host", "check", *addresses, code=5).stdout.splitlines()
    assert lines[0].startswith(f"ssh://nobody-there@{HOST_ALIAS}: key: it takes none of your keys; `ssh nobody")
    assert len(lines) == 4


def test_little_room_on_a_hosts_disk_is_found_over_ssh(cli: Cli, ssh_host: Sshd) -> None:
    df = Path(str(ssh_host.directory / "bin" / "df"))
    df.write_text(
        "#!/bin/sh\necho Filesystem 1024-blocks Used Available Capacity Mounted on; echo /dev/x 9 9 2048 99% /\n"
    )
    df.chmod(0o755)
    ssh_host.restart(f"SetEnv PATH={df.parent}:/usr/bin:/bin")
    said = cli("host", "check", HOST_ALIAS, code=1).stdout
    assert ": disk: 2 MiB are left for /var/lib/docker" in said
    assert "2 MiB are left" in cli.error("host", "add", HOST_ALIAS, code=1)


def test_an_inventory_adds_what_can_be_added_and_a_second_time_nothing(cli: Cli, tmp_path: Path) -> None:
    address = str(resolve(current_address()).where)
    inventory = tmp_path / "hosts.toml"
    inventory.write_text(
        f'''cluster = "default"

[[hosts]]
address = "{address}"
name = "here"
zone = "us-east-1c"
price = 0.1
attributes = {{rack = "7"}}

[[hosts]]
address = "unix:///nowhere.sock"
name = "gone"
'''
    )
    done = cli("host", "add", "-f", str(inventory), code=5)
    assert done.stdout == f"here: added ({address})\n"
    assert "ecsctl: gone: not added: there is no such socket" in done.stderr
    assert cli("host", "add", "-f", str(inventory), code=5).stdout == f"here: unchanged ({address})\n"
    inventory.write_text(inventory.read_text().replace("0.1", "0.2"))
    answer = json.loads(cli("host", "add", "-f", str(inventory), "--output", "json", code=5).stdout)
    assert [host["result"] for host in answer["hosts"]] == ["changed", "failed"]
    assert {"name": "ecsctl.hourly-price", "value": "0.2"} in only_instance(cli)["attributes"]
    inventory.write_text(inventory.read_text().replace("price", "prize"))
    assert "hosts[0].prize: unknown field; did you mean" in cli.error("host", "add", "-f", str(inventory), code=1)


def test_all_contexts_are_added_at_once_and_one_engine_once(cli: Cli, tmp_path: Path) -> None:
    address = str(resolve(current_address()).where)
    cli.environment |= {"DOCKER_CONFIG": str(tmp_path / "docker"), "DOCKER_CONTEXT": "edge"}
    cli.environment.pop("DOCKER_HOST", None)
    context(tmp_path, "edge", address)
    context(tmp_path, "gone", "unix:///nowhere.sock")
    done = cli("host", "add", "--all-contexts", code=5)
    assert done.stdout.splitlines()[0] == "edge: added (context:edge)"
    assert "unchanged: the same engine as edge at context:edge" in done.stdout.splitlines()[1]
    assert "ecsctl: gone: not added: there is no such socket" in done.stderr
    assert "edge: unchanged" in cli("host", "add", "--all-contexts", code=5).stdout
    assert only_instance(cli)["ec2InstanceId"] == "edge"


def test_a_host_with_tasks_is_taken_away_by_force_only(cli: Cli, file: File) -> None:
    task = cli.json("run-task", "--task-definition", file(SLEEP))["tasks"][0]
    host = task["containerInstanceArn"]
    assert "running tasks" in cli.error("deregister-container-instance", "--container-instance", host, code=254)
    cli("deregister-container-instance", "--container-instance", host, "--force")
    stopped = cli.until(task["taskArn"], lambda t: t["lastStatus"] == "STOPPED")
    assert stopped["stoppedReason"] == "Container instance deregistration forced by user"
    assert cli.containers("--filter", "status=running") == []
