"""Fields of a container definition, by what its process sees of them on a real engine."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.conftest import SLEEP, Cli, fetched, shell

pytestmark = pytest.mark.docker
File = Callable[..., str]
FOREVER = str(SLEEP["command"][0])
NET_ADMIN, NET_RAW = 12, 13
"""Numbers of capabilities (linux/capability.h)."""
SPLUNK = {"splunk-url": "https://127.0.0.1:9", "splunk-token": "0"}


def said(cli: Cli, definition: str, code: int = 0) -> str:
    return cli("run-task", "--task-definition", definition, "--wait", "--logs", code=code).stdout


def seen(cli: Cli, definition: str) -> dict[str, str]:
    """What a container says that prints `NAME VALUE` lines."""
    lines = (line.rpartition("| ")[2] for line in said(cli, definition).splitlines())  # another's name is before it
    return dict(line.partition(" ")[::2] for line in lines)


def running(cli: Cli, definition: str) -> str:
    task = cli.json("run-task", "--task-definition", definition)["tasks"][0]["taskArn"]
    cli.until(task, lambda t: t["lastStatus"] == "RUNNING")
    return str(task)


def test_a_container_sees_what_its_definition_says(cli: Cli, file: File) -> None:
    script = r"""
        grep -e CapBnd -e NoNewPrivs /proc/1/status | tr -d : | tr '\t' ' '
        echo init $(cat /proc/1/comm)
        echo shm $(df -m /dev/shm | tail -1)
        head -c 1 /dev/given >/dev/null 2>&1 && echo device readable
        echo files $(ulimit -n) $(ulimit -Hn)
        echo core $(ulimit -c)
        echo backlog $(cat /proc/sys/net/core/somaxconn)
        echo host $(hostname)
        echo resolver $(grep -v '^#' /etc/resolv.conf)
        echo hosts $(grep -e there /etc/hosts)
        echo linked $(grep -e db /etc/hosts | wc -l)
        echo place $(pwd)
        echo root $(touch /x 2>/dev/null || echo read-only)
        echo memory $(grep ' /memory ' /proc/mounts)
        echo tty $(test -t 1 && echo yes || echo no)
    """
    container = {
        **shell(script),
        "hostname": "named",
        "workingDirectory": "/tmp",
        "readonlyRootFilesystem": True,
        "dockerSecurityOptions": ["no-new-privileges"],
        "dnsServers": ["10.9.8.7", "10.9.8.6"],
        "dnsSearchDomains": ["one.test", "two.test"],
        "extraHosts": [{"hostname": "there", "ipAddress": "10.0.0.1"}],
        "links": ["other:db"],
        "systemControls": [{"namespace": "net.core.somaxconn", "value": "77"}],
        "ulimits": [
            {"name": "nofile", "softLimit": 64, "hardLimit": 128},
            {"name": "core", "softLimit": 0, "hardLimit": 0},
        ],
        "linuxParameters": {
            "initProcessEnabled": True,
            "capabilities": {"add": ["NET_ADMIN"], "drop": ["NET_RAW"]},
            "devices": [{"hostPath": "/dev/zero", "containerPath": "/dev/given", "permissions": ["read"]}],
            "sharedMemorySize": 16,
            "tmpfs": [{"containerPath": "/memory", "size": 8, "mountOptions": ["noexec"]}],
        },
    }
    other = {**SLEEP, "name": "other", "essential": False}
    found = seen(cli, file(container, other))
    capabilities = int(found.pop("CapBnd"), 16)
    assert capabilities >> NET_ADMIN & 1
    assert not capabilities >> NET_RAW & 1
    assert found.pop("init") in ("docker-init", "tini")
    assert found.pop("shm").split()[1] == "16"
    memory = found.pop("memory").split()[3].split(",")
    assert {"noexec", "size=8192k"} <= set(memory)
    assert found == {
        "NoNewPrivs": "1",
        "device": "readable",
        "files": "64 128",
        "core": "0",
        "backlog": "77",
        "host": "named",
        "resolver": "search one.test two.test nameserver 10.9.8.7 nameserver 10.9.8.6",
        "hosts": "10.0.0.1 there",
        "linked": "1",
        "place": "/tmp",
        "root": "read-only",
        "tty": "no",
    }


@pytest.mark.parametrize(("user", "ids"), [("nobody", "65534 65534"), ("7:8", "7 8"), ("root:nogroup", "0 65534")])
def test_the_user_is_who_runs_the_process(cli: Cli, file: File, user: str, ids: str) -> None:
    assert said(cli, file({**shell("echo $(id -u) $(id -g)"), "user": user})) == f"{ids}\n"


def test_a_terminal_and_an_open_input(cli: Cli, file: File) -> None:
    assert said(cli, file({**shell("test -t 1 && echo terminal"), "pseudoTerminal": True})).strip() == "terminal"
    task = running(cli, file({**shell("cat; echo over"), "interactive": True}, family="open"))
    time.sleep(0.5)
    assert cli.task(task)["lastStatus"] == "RUNNING"
    assert said(cli, file({**shell("cat; echo over")}, family="closed")) == "over\n"


def test_memory_and_swap_reach_the_engine(cli: Cli, file: File) -> None:
    linux = {"maxSwap": 16, "swappiness": 7}
    task = running(cli, file({**SLEEP, "memory": 32, "linuxParameters": linux}))
    host = json.loads(cli.docker("inspect", "-f", "{{json .HostConfig}}", cli.container_of(task, "main")))
    assert host["Memory"] == 32 << 20
    assert host["MemorySwap"] in (48 << 20, 0, -1)  # 0 or -1: the kernel does not count swap
    assert host["MemorySwappiness"] in (7, None)
    definition = file({**SLEEP, "memory": None, "memoryReservation": 32, "linuxParameters": linux})
    assert "linuxParameters.maxSwap: is added to the limit of memory" in cli("check", definition, code=1).stderr


def test_namespaces_of_the_host(cli: Cli, file: File) -> None:
    task = running(cli, file(SLEEP, pidMode="host", ipcMode="host"))
    inside = cli.container_of(task, "main")
    for kind in ("pid", "ipc"):
        mine = os.readlink(f"/proc/self/ns/{kind}")
        assert cli.docker("exec", inside, "readlink", f"/proc/self/ns/{kind}") == mine


def test_without_ipc_there_is_no_shared_memory(cli: Cli, file: File) -> None:
    assert said(cli, file(shell("grep -c /dev/shm /proc/mounts || true"), ipcMode="none")) == "0\n"


def test_a_container_without_network_has_none(cli: Cli, file: File) -> None:
    container = {**shell("ls /sys/class/net | grep -c eth || true"), "disableNetworking": True}
    assert said(cli, file(container)) == "0\n"


def test_containers_stop_in_reverse_order_each_in_its_own_time(cli: Cli, file: File, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.mkdir()
    mounts = {"mountPoints": [{"sourceVolume": "log", "containerPath": "/log"}]}

    def container(name: str, **more: Any) -> dict[str, Any]:
        end = f"trap 'echo {name} >> /log/order; sleep 0.5; exit 0' TERM; while :; do sleep 0.1; done"
        return {**shell(end), **mounts, "name": name, **more}

    deaf = shell("trap '' TERM; while :; do sleep 0.1; done", name="deaf", stopTimeout=1)
    after = [{"containerName": "first", "condition": "START"}]
    last = [{"containerName": "second", "condition": "START"}]
    definition = file(
        container("third", dependsOn=last),
        container("second", dependsOn=after),
        container("first"),
        {**deaf, "dependsOn": last},
        volumes=[{"name": "log", "host": {"sourcePath": str(log)}}],
    )
    task = running(cli, definition)
    cli("stop-task", "--task", task)
    stopped = cli.until(task, lambda t: t["lastStatus"] == "STOPPED")
    assert (log / "order").read_text().split() == ["third", "second", "first"]
    codes = {container["name"]: container["exitCode"] for container in stopped["containers"]}
    assert codes == {"first": 0, "second": 0, "third": 0, "deaf": 137}


def test_what_is_not_there_in_time_fails_what_waits_for_it(cli: Cli, file: File) -> None:
    slow = {
        **SLEEP,
        "name": "slow",
        "startTimeout": 2,
        "healthCheck": {"command": ["CMD", "false"], "interval": 30, "retries": 10},
    }
    waits = shell("echo never", dependsOn=[{"containerName": "slow", "condition": "HEALTHY"}])
    done = cli("run-task", "--task-definition", file(waits, slow), "--wait", "--logs", code=1)
    assert "slow (HEALTHY), which did not get there within its startTimeout of 2 s" in done.stderr


def test_another_architecture_is_refused_before_any_pull(cli: Cli, file: File) -> None:
    other = "ARM64" if os.uname().machine == "x86_64" else "X86_64"
    definition = file({**SLEEP, "image": "127.0.0.1:1/not/there"}, runtimePlatform={"cpuArchitecture": other})
    answer = cli.json("run-task", "--task-definition", definition)
    assert answer["tasks"] == []
    (failure,) = answer["failures"]
    assert (failure["reason"], failure["detail"].startswith(f"needs {other.lower()}")) == ("ATTRIBUTE", True)


@pytest.mark.parametrize(
    ("driver", "options", "read"),
    [
        ("json-file", {"max-size": "1m", "labels": "mine"}, True),
        ("local", {"max-size": "1m", "max-file": "2"}, True),
        ("syslog", {"syslog-address": "udp://127.0.0.1:9", "tag": "x"}, True),
        ("gelf", {"gelf-address": "udp://127.0.0.1:9"}, True),
        ("splunk", {**SPLUNK, "splunk-verify-connection": "false"}, True),
        ("fluentd", {"fluentd-address": "127.0.0.1:9", "fluentd-async": "true"}, True),
        ("syslog", {"syslog-address": "udp://127.0.0.1:9", "cache-disabled": "true"}, False),
    ],
)
def test_log_drivers_get_their_options(cli: Cli, file: File, driver: str, options: dict[str, str], read: bool) -> None:
    logs = {"logDriver": driver, "options": options}
    task = running(cli, file({**shell(f"echo printed; {FOREVER}"), "logConfiguration": logs}))
    config = cli.docker("inspect", "-f", "{{json .HostConfig.LogConfig}}", cli.container_of(task, "main"))
    assert json.loads(config) == {"Type": driver, "Config": options}
    if read:  # the engine keeps a copy of what it sends elsewhere
        assert cli.until_logged(task) == "printed\n"
    else:
        assert "does not support reading" in cli.error("logs", task, code=1)


def test_an_option_that_a_log_driver_does_not_know_fails_the_task(cli: Cli, file: File) -> None:
    logs = {"logDriver": "json-file", "options": {"nonsense": "1"}}
    task = cli.json("run-task", "--task-definition", file({**SLEEP, "logConfiguration": logs}))["tasks"][0]["taskArn"]
    stopped = cli.until(task, lambda t: t["lastStatus"] == "STOPPED")
    assert stopped["stopCode"] == "TaskFailedToStart"
    assert "unknown log opt 'nonsense' for json-file log driver" in stopped["stoppedReason"]


def test_a_log_driver_that_ecs_does_not_know_is_refused_by_name(cli: Cli, file: File) -> None:
    definition = file({**SLEEP, "logConfiguration": {"logDriver": "carrier-pigeon"}})
    error = cli.error("register-task-definition", definition, code=252)
    assert "containerDefinitions[0].logConfiguration.logDriver" in error
    assert "'carrier-pigeon' is not one of json-file, syslog" in error


def test_a_range_of_ports_is_published_in_a_row_and_shown_as_one(cli: Cli, file: File) -> None:
    web = "mkdir /tmp/w; echo second > /tmp/w/x; httpd -p 9001 -h /tmp/w; "
    ports = [{"containerPortRange": "9000-9002"}, {"containerPort": 80}]
    definition = file({**shell(web + FOREVER), "portMappings": ports})
    tasks = [running(cli, definition) for _ in range(2)]
    rows = []
    for task in tasks:
        (one, row) = cli.task(task)["containers"][0]["networkBindings"]
        assert (one["containerPort"], "hostPort" in one) == (80, True)
        assert (row["containerPortRange"], row["protocol"], row["bindIP"]) == ("9000-9002", "tcp", "0.0.0.0")
        first, last = map(int, row["hostPortRange"].split("-"))
        assert last == first + 2
        assert fetched(f"127.0.0.1:{first + 1}/x") == b"second\n"
        rows.append(set(range(first, last + 1)))
    assert rows[0].isdisjoint(rows[1])
    assert f":{min(rows[0])}-{max(rows[0])}->9000-9002/tcp" in cli("ps").stdout
    (instance,) = cli.json("list-container-instances")["containerInstanceArns"]
    (host,) = cli.json("describe-container-instances", "--container-instances", instance)["containerInstances"]
    held = {resource["name"]: resource for resource in host["remainingResources"]}["PORTS"]["stringSetValue"]
    assert set(map(int, held)) >= rows[0] | rows[1]


def test_privileges_are_asked_of_the_engine(cli: Cli, file: File) -> None:
    """Whether it can give them is the host's affair: where its own rights are limited, the container does not start."""
    task = cli.json("run-task", "--task-definition", file({**SLEEP, "privileged": True}))["tasks"][0]["taskArn"]
    found = cli.until(task, lambda task: task["lastStatus"] in ("RUNNING", "STOPPED"))
    if found["lastStatus"] == "RUNNING":
        assert cli.docker("inspect", "--format", "{{.HostConfig.Privileged}}", cli.container_of(task, "main")) == "true"
    else:
        assert "caps: operation not permitted" in found["stoppedReason"]
