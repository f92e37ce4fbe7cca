"""Where tasks go, over several real engines, each a zone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from tests.engine.dockerd import Dockerd
from tests.scenarios.conftest import Cli, Watch, register, set_status, shell
from tests.scenarios.test_services import HEALTHY

pytestmark = [
    pytest.mark.docker,
    pytest.mark.usefixtures("nothing_left"),
    pytest.mark.xdist_group("placement"),  # one worker makes the engines
]
File = Callable[..., str]
SMALL = {**HEALTHY, "memory": 32}


def zoned(cli: Cli, hosts: list[Dockerd], *more: str) -> list[str]:
    """The container instances, in the zones a, b and c, as dear as the second is cheap."""
    found = []
    for zone, host, price in zip("abc", hosts, ("0.40", "0.10", "0.40"), strict=True):
        arn = register(cli, host, f"host-{zone}", "--availability-zone", zone, *more)
        cli("put-attributes", "--attributes", f"name=ecsctl.hourly-price,value={price},targetId={arn}")
        found.append(arn)
    return found


def counts(hosts: list[Dockerd]) -> list[int]:
    return [len(host.containers()) for host in hosts]


def running_on(hosts: list[Dockerd]) -> int:
    """How many run on all of them. They are asked one after the other: a task that moved meanwhile counts twice, or not
    at all, unless it was the same the second time."""
    while (found := counts(hosts)) != counts(hosts):
        pass
    return sum(found)


def test_tasks_go_where_cost_or_availability_sends_them(cli: Cli, file: File, hosts: list[Dockerd]) -> None:
    zoned(cli, hosts)
    cli("register-task-definition", file(SMALL, networkMode="none"))
    three = ("run-task", "--task-definition", "app", "--count", "3", "--priority")
    plan = json.loads(cli(*three, "cost", "--dry-run", "--output", "json").stdout)
    assert [task["name"] for task in plan["tasks"]] == ["host-b"] * 3
    cli(*three, "cost", "--wait")
    assert counts(hosts) == [0, 3, 0]
    cli(*three, "availability", "--group", "spread", "--wait")
    assert counts(hosts) == [1, 4, 1]
    assert "host-b" in cli("explain", cli.json("list-tasks", "--family", "app")["taskArns"][0]).stdout


def test_tasks_are_divided_among_capacity_providers(cli: Cli, file: File, hosts: list[Dockerd]) -> None:
    for name, host in zip(("fast", "fast", "slow"), hosts, strict=True):
        if name not in str(cli.json("describe-capacity-providers")):
            cli("create-capacity-provider", "--name", name)
        register(cli, host, f"{name}-{hosts.index(host)}", "--capacity-provider", name)
    cli(
        *("put-cluster-capacity-providers", "--cluster", "default", "--capacity-providers", "fast", "slow"),
        *("--default-capacity-provider-strategy", "capacityProvider=fast,weight=2", "capacityProvider=slow,weight=1"),
    )
    cli("register-task-definition", file(SMALL, networkMode="none"))
    cli("create-service", "--service-name", "web", "--task-definition", "app", "--desired-count", "6")
    service = cli.until_service("web", lambda s: s["deployments"][0]["rolloutState"] == "COMPLETED")
    assert [item["capacityProvider"] for item in service["capacityProviderStrategy"]] == ["fast", "slow"]
    assert counts(hosts) == [2, 2, 2]
    cli("update-service", "--service", "web", "--desired-count", "3")
    cli.until_service("web", lambda s: s["runningCount"] == 3 and sum(counts(hosts)) == 3)
    assert counts(hosts) == [1, 1, 1]


def test_a_service_is_balanced_again_when_a_zone_is_back(cli: Cli, file: File, hosts: list[Dockerd]) -> None:
    *_, third = zoned(cli, hosts)
    set_status(cli, third, "DRAINING")
    cli("register-task-definition", file(SMALL, networkMode="none"))
    cli("create-service", "--service-name", "web", "--task-definition", "app", "--desired-count", "4")
    cli.until_service("web", lambda s: s["deployments"][0]["rolloutState"] == "COMPLETED")
    assert counts(hosts) == [2, 2, 0]
    set_status(cli, third, "ACTIVE")
    with Watch(lambda: running_on(hosts)) as running:
        cli.until_service("web", lambda s: "is AZ balanced with" in str(s["events"]))
    assert sorted(counts(hosts)) == [1, 1, 2]
    assert counts(hosts)[2] >= 1
    assert (running.least, running.most) == (4, 5)
    assert "nothing to do" in cli("reconcile", "--detailed-exitcode").stderr


def test_what_is_used_is_shown_beside_what_is_reserved(cli: Cli, file: File, hosts: list[Dockerd]) -> None:
    arns = zoned(cli, hosts)
    busy = shell("while :; do :; done", cpu=64, memory=32, memoryReservation=16)
    cli("register-task-definition", file(busy, networkMode="none"))
    cli("start-task", "--task-definition", "app", "--container-instances", arns[1])
    cli("wait", "tasks-running", "--tasks", *cli.json("list-tasks")["taskArns"])
    end = time.monotonic() + 60
    while True:
        shown = json.loads(cli("stats", "--output", "json").stdout)
        (container,) = shown["containers"]
        if container["cpuUsed"] > 100:  # more than is reserved, once nobody else wants it
            break
        assert time.monotonic() < end, container
    by_name = {host["name"]: host for host in shown["hosts"]}
    assert {name: (host["cpuReserved"], host["memoryReserved"]) for name, host in by_name.items()} == {
        "host-a": (0, 0),
        "host-b": (64, 16),
        "host-c": (0, 0),
    }
    assert by_name["host-b"]["cpuUsed"] == container["cpuUsed"]
    assert 0 < container["memoryUsed"] < container["memoryLimit"]
    table = cli("stats").stdout
    assert "host-b" in table
    assert "64 (" in table
