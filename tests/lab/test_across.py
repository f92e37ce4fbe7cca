"""Tasks of different hosts in one network: hosts that become a swarm, subnets and names that reach across."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.engine.contract import World, docker_world
from tests.engine.swarm_contract import (
    a_manager_makes_networks_of_both,
    they_part,
    two_engines_become_one_swarm,
    without_a_manager_nothing_gets_into_a_network_of_both,
)
from tests.images import IMAGE
from tests.lab.conftest import Fleet
from tests.scenarios.conftest import shell

pytestmark = [pytest.mark.docker, pytest.mark.lab, pytest.mark.xdist_group("lab")]
File = Callable[..., str]

SAYS_ITS_NAME = "mkdir /tmp/w; hostname > /tmp/w/index.html; exec httpd -f -p 80 -h /tmp/w"
SUBNET = "awsvpcConfiguration={subnets=[net-a]}"


@pytest.fixture
def fleet(fleet: Fleet) -> Iterator[Fleet]:
    """What is in no swarm, and has no networks, before and after a test."""
    fleet.configure()
    yield fleet
    fleet.kill_background()
    for machine in fleet.machines:
        machine.heal()
        machine.clear()
    for machine in fleet.machines:
        if machine.docker("info", "--format", "{{.Swarm.LocalNodeState}}") != "inactive":
            machine.docker("swarm", "leave", "--force")
        machine.docker("network", "prune", "--force")


@pytest.fixture
def worlds(fleet: Fleet) -> Iterator[tuple[World, World]]:
    with ExitStack() as stack:
        one, other = (stack.enter_context(docker_world(IMAGE, machine.unix)) for machine in fleet.machines[:2])
        yield one, other


@pytest.fixture
def define(fleet: Fleet, tmp_path: Path) -> File:
    """Registers a task definition; containers get the tests' image and 16 MiB."""

    def register(family: str, *containers: dict[str, Any], **fields: Any) -> str:
        filled = [{"name": "main", "image": IMAGE, "memory": 16, **c} for c in containers]
        path = tmp_path / f"{family}.json"
        path.write_text(json.dumps({"family": family, "containerDefinitions": filled, **fields}))
        fleet("register-task-definition", str(path))
        return family

    return register


def test_real_engines_keep_the_contract_of_swarms(fleet: Fleet, worlds: tuple[World, World]) -> None:
    one, other = worlds
    two_engines_become_one_swarm(one, other)
    a_manager_makes_networks_of_both(one, other)
    fleet.machines[0].kill()
    without_a_manager_nothing_gets_into_a_network_of_both(one, other)
    fleet.machines[0].boot()
    they_part(one, other)


def joined(fleet: Fleet, *words: str) -> dict[str, tuple[str, str]]:
    """What `host join-swarm` says of each host."""
    said = json.loads(fleet("host", "join-swarm", *words, "--output", "json").stdout)
    return {one["host"]: (one["result"], one["role"]) for one in said["hosts"]}


def test_hosts_become_one_swarm_and_it_is_the_same_the_second_time(fleet: Fleet) -> None:
    fleet.register("unix")
    assert joined(fleet, "--all", "--dry-run") == {
        "host1": ("would begin", "manager"),
        "host2": ("would join", "manager"),
        "host3": ("would join", "manager"),
    }
    assert joined(fleet, "host2") == {"host2": ("began", "manager")}
    assert joined(fleet, "host1", "host2") == {"host1": ("joined", "worker"), "host2": ("there already", "manager")}
    assert joined(fleet, "--all") == {
        "host1": ("there already", "worker"),
        "host2": ("there already", "manager"),
        "host3": ("joined", "worker"),
    }
    assert {what for what, _ in joined(fleet, "--all").values()} == {"there already"}
    hosts = fleet.json("list-attributes", "--target-type", "container-instance", "--attribute-name", "ecsctl.swarm")
    assert len({found["value"] for found in hosts["attributes"]}) == 1
    assert len(hosts["attributes"]) == 3


def test_hosts_of_another_swarm_are_refused_by_name_and_nothing_is_done(fleet: Fleet) -> None:
    fleet.register("unix")
    fleet["host3"].docker("swarm", "init")
    said = fleet("host", "join-swarm", "--all", code=1).stderr
    assert "host3 is in another swarm already: nothing was done" in said
    assert fleet["host1"].docker("info", "--format", "{{.Swarm.LocalNodeState}}") == "inactive"


def run(fleet: Fleet, family: str, host: str, subnet: str = SUBNET) -> Any:
    """A task of its own on a host, once it runs."""
    instances = fleet.json("list-container-instances", "--filter", f"ec2InstanceId == {host}")
    words = ["--container-instances", *instances["containerInstanceArns"], "--task-definition", family]
    answer = fleet.json("start-task", *words, "--network-configuration", subnet)
    arn = answer["tasks"][0]["taskArn"]
    fleet("wait", "tasks-running", "--tasks", arn)
    return fleet.task(arn)


def inside(fleet: Fleet, host: str, task: Any, *command: str) -> str:
    return fleet[host].docker("exec", task["containers"][0]["runtimeId"], *command)


def test_tasks_of_one_subnet_reach_each_other_across_hosts(fleet: Fleet, define: File) -> None:
    fleet.register("unix")
    joined(fleet, "--all")
    web = define("web", shell(SAYS_ITS_NAME), networkMode="awsvpc")
    one, other = run(fleet, web, "host1"), run(fleet, web, "host2")
    address = other["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    assert address != one["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    got = inside(fleet, "host1", one, "wget", "-qO-", f"http://{address}/")
    assert got == inside(fleet, "host2", other, "hostname")
    ids = {
        fleet[host].docker("network", "inspect", "-f", "{{.Id}} {{.Driver}}", "net-a") for host in ("host1", "host2")
    }
    assert len(ids) == 1
    assert ids.pop().endswith(" overlay")


def test_a_name_leads_to_the_tasks_of_a_service_on_every_host(fleet: Fleet, define: File) -> None:
    fleet.register("unix")
    joined(fleet, "--all")
    web = define("web", shell(SAYS_ITS_NAME, portMappings=[{"name": "http", "containerPort": 80}]))
    fleet("update-cluster", "--cluster", "default", "--service-connect-defaults", "namespace=shop")
    connect = json.dumps({"enabled": True, "services": [{"portName": "http", "discoveryName": "web"}]})
    service = ["--service-name", "web", "--task-definition", web, "--desired-count", "3"]
    spread = ["--placement-strategy", "type=spread,field=instanceId"]
    fleet("create-service", *service, *spread, "--service-connect-configuration", connect)
    fleet("wait", "services-stable", "--services", "web")
    assert set(fleet.ups().values()) == {1}
    client = define("client", shell("exec sleep 1000"), networkMode="awsvpc")
    task = run(fleet, client, "host3")
    names = {machine.docker("exec", machine.containers()[0], "hostname") for machine in fleet.machines[:2]}
    script = "for n in $(seq 40); do wget -qO- http://web/; done"
    assert names < {*inside(fleet, "host3", task, "sh", "-c", script).split()}
    fleet.kill_background()
    fleet["host1"].clear()  # whatever DNS knew of it goes with it
    gone = {name for name in names if name not in inside(fleet, "host3", task, "sh", "-c", script).split()}
    assert len(gone) == 1


def test_without_a_manager_a_new_task_fails_with_that_reason_and_old_ones_go_on(fleet: Fleet, define: File) -> None:
    fleet.register("unix")
    joined(fleet, "host1")
    joined(fleet, "host1", "host2")
    web = define("web", shell(SAYS_ITS_NAME), networkMode="awsvpc")
    before = run(fleet, web, "host2")
    fleet["host1"].kill()
    instances = fleet.json("list-container-instances", "--filter", "ec2InstanceId == host2")["containerInstanceArns"]
    words = ["--container-instances", *instances, "--task-definition", web, "--network-configuration", SUBNET]
    task = fleet.json("start-task", *words)["tasks"][0]["taskArn"]
    fleet("wait", "tasks-stopped", "--tasks", task)
    stopped = fleet.task(task)
    assert stopped["stopCode"] == "TaskFailedToStart"
    assert "no manager of its swarm answers" in stopped["stoppedReason"]
    assert fleet.task(before["taskArn"])["lastStatus"] == "RUNNING"
    fleet["host1"].boot()
    run(fleet, web, "host2")


def test_tasks_move_over_when_those_in_networks_of_one_host_have_ended(fleet: Fleet, define: File) -> None:
    fleet.register("unix")
    web = define("web", shell(SAYS_ITS_NAME), networkMode="awsvpc")
    old = run(fleet, web, "host1")
    assert fleet["host1"].docker("network", "inspect", "-f", "{{.Driver}}", "net-a") == "bridge"
    said = fleet("host", "join-swarm", "host1", "host2").stderr
    assert "host1: tasks there are still in networks of the host alone (net-a)" in said
    assert fleet.task(old["taskArn"])["lastStatus"] == "RUNNING"
    fleet("stop-task", "--task", old["taskArn"])
    fleet("wait", "tasks-stopped", "--tasks", old["taskArn"])
    assert fleet("host", "join-swarm", "host1", "host2").stderr == ""
    one, other = run(fleet, web, "host1"), run(fleet, web, "host2")
    address = other["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    inside(fleet, "host1", one, "wget", "-qO-", f"http://{address}/")
