"""Tasks with a network interface of their own, on a real engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.scenarios.conftest import SLEEP, Cli, fetched, shell

pytestmark = pytest.mark.docker
File = Callable[..., str]

WEB = shell("mkdir /tmp/w; echo hello > /tmp/w/index.html; exec httpd -f -p 80 -h /tmp/w")


def run(cli: Cli, definition: str, subnet: str, public: str = "DISABLED", *more: str) -> Any:
    network = f"awsvpcConfiguration={{subnets=[{subnet}],securityGroups=[sg-1],assignPublicIp={public}}}"
    answer = cli.json("run-task", "--task-definition", definition, "--network-configuration", network, *more)
    assert answer["failures"] == []
    return cli.until(answer["tasks"][0]["taskArn"], lambda task: task["lastStatus"] == "RUNNING")


def address(task: Any) -> str:
    return str(task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"])


def fetched_in(cli: Cli, container: str, other: Any) -> str:
    """What the web server of another task, which may just have begun, answers a container."""
    script = f"for n in $(seq 100); do wget -qO- http://{address(other)}/ && break; sleep 0.1; done"
    return cli.docker("exec", container, "sh", "-c", script)


def test_the_containers_of_a_task_share_one_network_interface(cli: Cli, file: File, subnet: str) -> None:
    client = shell(
        "until wget -qO /tmp/got http://127.0.0.1/; do sleep 0.1; done; cat /tmp/got; hostname -i; sleep 100",
        name="client",
        essential=False,
        dependsOn=[{"containerName": "main", "condition": "START"}],
    )
    definition = file(WEB | {"portMappings": [{"containerPort": 80}]}, client, networkMode="awsvpc")
    task = run(cli, definition, subnet)
    (attachment,) = task["attachments"]
    details = {detail["name"]: detail["value"] for detail in attachment["details"]}
    assert (attachment["type"], attachment["status"]) == ("ElasticNetworkInterface", "ATTACHED")
    assert details["subnetId"] == subnet
    assert details["networkInterfaceId"].startswith("eni-")
    assert details["privateIPv4Address"] == address(task)
    assert {c["name"] for c in task["containers"]} == {"main", "client"}
    for container in task["containers"]:
        assert container["networkInterfaces"] == [
            {"attachmentId": attachment["id"], "privateIpv4Address": address(task)}
        ]
        assert container["networkBindings"] == []
    assert fetched(f"{address(task)}/") == b"hello\n"
    assert len(cli.containers()) == 3
    assert "hello" in cli.until_logged(task["taskArn"])

    cli("stop-task", "--task", task["taskArn"])
    stopped = cli.until(task["taskArn"], lambda t: t["lastStatus"] == "STOPPED")
    assert stopped["attachments"][0]["status"] == "DELETED"
    assert cli.containers("--filter", "status=running") == []


def test_tasks_in_one_subnet_have_the_same_port_and_reach_each_other(cli: Cli, file: File, subnet: str) -> None:
    definition = file(WEB | {"portMappings": [{"containerPort": 80}]}, networkMode="awsvpc")
    one, other = run(cli, definition, subnet), run(cli, definition, subnet)
    assert address(one) != address(other)
    inside = one["containers"][0]["runtimeId"]
    assert fetched_in(cli, inside, other) == "hello"


def test_a_public_address_is_a_port_of_the_host(cli: Cli, file: File, subnet: str) -> None:
    definition = file(WEB | {"portMappings": [{"containerPort": 80}]}, networkMode="awsvpc")
    task = run(cli, definition, subnet, "ENABLED")
    (binding,) = task["containers"][0]["networkBindings"]
    assert binding["containerPort"] == 80
    assert fetched(f"127.0.0.1:{binding['hostPort']}/") == b"hello\n"


def test_the_end_of_the_network_is_the_end_of_the_task(cli: Cli, file: File, subnet: str) -> None:
    task = run(cli, file(SLEEP, networkMode="awsvpc"), subnet)
    (pause,) = set(cli.containers()) - {task["containers"][0]["runtimeId"]}
    cli.docker("kill", pause)
    stopped = cli.until(task["taskArn"], lambda t: t["lastStatus"] == "STOPPED")
    assert stopped["stopCode"] == "EssentialContainerExited"
    assert cli.containers("--filter", "status=running") == []


def test_a_network_that_is_there_already_is_used(cli: Cli, file: File, subnet: str) -> None:
    cli.docker("network", "create", "--subnet", "10.213.7.0/24", subnet)
    task = run(cli, file(SLEEP, networkMode="awsvpc"), subnet)
    assert address(task).startswith("10.213.7.")


def test_a_private_subnet_has_no_way_out(cli: Cli, file: File, subnet: str) -> None:
    cli.configure(f'[subnets]\n"{subnet}" = "private"\n')
    one, other = (run(cli, file(WEB, networkMode="awsvpc"), subnet) for _ in range(2))
    assert cli.docker("network", "inspect", "-f", "{{.Internal}}", subnet) == "true"
    inside = one["containers"][0]["runtimeId"]
    assert fetched_in(cli, inside, other) == "hello"
    outside = run(cli, file(WEB, networkMode="awsvpc"), "bridge")
    script = f"timeout 2 wget -qO- http://{address(outside)}/ || echo no way"
    assert cli.docker("exec", inside, "sh", "-c", script).endswith("no way")


def test_fargate_runs_on_any_host(cli: Cli, file: File, subnet: str) -> None:
    definition = file(SLEEP, networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256", memory="512")
    task = run(cli, definition, subnet, "ENABLED", "--launch-type", "FARGATE")
    assert (task["launchType"], task["platformVersion"], task["platformFamily"]) == ("FARGATE", "1.4.0", "Linux")


def test_a_kernel_parameter_of_the_network_holds_for_the_task(cli: Cli, file: File, subnet: str) -> None:
    control = {"namespace": "net.ipv4.ip_unprivileged_port_start", "value": "77"}
    task = run(cli, file(SLEEP | {"systemControls": [control]}, networkMode="awsvpc"), subnet)
    inside = task["containers"][0]["runtimeId"]
    assert cli.docker("exec", inside, "cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start") == "77"


@pytest.mark.parametrize("network_mode", ["bridge", "awsvpc"])
def test_the_containers_of_a_task_see_each_others_processes(
    cli: Cli, file: File, subnet: str, network_mode: str
) -> None:
    other = shell("exec sleep 7654", name="other", stopTimeout=0)
    definition = file(SLEEP, other, networkMode=network_mode, pidMode="task", ipcMode="task")
    if network_mode == "awsvpc":
        task = run(cli, definition, subnet)
    else:
        answer = cli.json("run-task", "--task-definition", definition)
        task = cli.until(answer["tasks"][0]["taskArn"], lambda t: t["lastStatus"] == "RUNNING")
    inside = cli.container_of(task["taskArn"], "main")
    assert "sleep 7654" in cli.docker("exec", inside, "ps", "-o", "args")
    spaces = {
        cli.docker("exec", cli.container_of(task["taskArn"], name), "readlink", "/proc/self/ns/ipc")
        for name in ("main", "other")
    }
    assert len(spaces) == 1


def test_what_is_wrong_with_a_network_is_said_in_one_line(cli: Cli, file: File) -> None:
    definition = file(SLEEP, networkMode="awsvpc")
    error = cli.error("run-task", "--task-definition", definition, code=254)
    assert "Network Configuration must be provided when networkMode 'awsvpc' is specified" in error
    for subnets, words in (("host", "cannot be the name of a network"), ("../x", "cannot be the name of a network")):
        given = json.dumps({"awsvpcConfiguration": {"subnets": [subnets]}})
        error = cli.error("run-task", "--task-definition", definition, "--network-configuration", given, code=254)
        assert words in error
    given = json.dumps({"awsvpcConfiguration": {"subnets": ["a1"]}})
    bridge = file(SLEEP, family="bridge")
    error = cli.error("run-task", "--task-definition", bridge, "--network-configuration", given, code=254)
    assert "Network Configuration is not valid for the given networkMode" in error


def test_a_service_rolls_to_another_subnet(cli: Cli, file: File, subnet: str) -> None:
    definition = file(SLEEP, networkMode="awsvpc")
    network = "awsvpcConfiguration={subnets=[%s]}"
    cli("register-task-definition", "--cli-input-json", f"file://{definition}")
    service = ("--service-name", "web", "--task-definition", "app", "--desired-count", "1")
    cli("create-service", *service, "--network-configuration", network % subnet)
    found = cli.until_service("web", lambda s: s["runningCount"] == 1)
    assert found["networkConfiguration"]["awsvpcConfiguration"]["subnets"] == [subnet]
    first = found["deployments"][0]["id"]
    cli("update-service", "--service", "web", "--network-configuration", network % "bridge")
    found = cli.until_service("web", lambda s: s["runningCount"] == 2)
    primary = next(d for d in found["deployments"] if d["status"] == "PRIMARY")
    assert primary["id"] != first
    assert primary["networkConfiguration"]["awsvpcConfiguration"]["subnets"] == ["bridge"]
    assert {d["networkConfiguration"]["awsvpcConfiguration"]["subnets"][0] for d in found["deployments"]} == {
        subnet,
        "bridge",
    }
