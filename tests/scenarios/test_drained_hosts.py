"""Several real hosts from one inventory, and one that is taken away when its service's tasks have moved."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.dockerd import Dockerd
from tests.scenarios.conftest import SLEEP, Cli

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("nothing_left")]
File = Callable[..., str]


def test_hosts_of_an_inventory_serve_and_one_goes_without_a_task_missing(
    cli: Cli, file: File, hosts: list[Dockerd], tmp_path: Path
) -> None:
    cli.configure('healthy_after = "1s"\n')  # what moves waits for it: 40 seconds of the sixty, else
    wishes = [{"address": host.address, "name": f"h{n}", "zone": f"z{n}"} for n, host in enumerate(hosts)]
    inventory = tmp_path / "hosts.json"
    inventory.write_text(json.dumps({"hosts": wishes}))
    assert cli("host", "add", "-f", str(inventory)).stdout.count(": added (") == len(hosts)
    cli("register-task-definition", file(SLEEP, networkMode="none"))
    cli("create-service", "--service-name", "web", "--task-definition", "app", "--desired-count", "3")
    cli.until_service("web", lambda service: service["runningCount"] == 3)
    assert [len(host.containers()) for host in hosts] == [1, 1, 1], "spread over the zones"

    assert "has 1 task: --drain waits" in cli.error("host", "rm", "h0", code=1)
    cli("host", "rm", "h0", "--drain", "--timeout", "60s")
    assert hosts[0].containers() == []
    assert sum(len(host.containers()) for host in hosts[1:]) == 3
    rows = cli.json("host", "ls", "--query", "hosts[].[host,zone,tasks]")
    assert [row[:2] for row in rows] == [["h1", "z1"], ["h2", "z2"]]
    assert sum(row[2] for row in rows) == 3


def test_a_hung_host_costs_its_own_time_limit_and_is_told(cli: Cli, hosts: list[Dockerd], tmp_path: Path) -> None:
    wishes = [{"address": host.address, "name": f"h{n}"} for n, host in enumerate(hosts)]
    inventory = tmp_path / "hosts.yaml"
    inventory.write_text(json.dumps({"hosts": wishes}))
    os.kill(hosts[0].pid, signal.SIGSTOP)
    try:
        done = cli("host", "add", "-f", str(inventory), code=5)
        assert done.stdout.count(": added (") == len(hosts) - 1
        assert "h0: not added: " in done.stderr
        assert "did not answer GET /info within 5 s" in done.stderr
        checked = cli.json("host", "check", "--query", "hosts[].host")
        assert checked == ["h1", "h2"]
    finally:
        os.kill(hosts[0].pid, signal.SIGCONT)
    assert cli("host", "add", "-f", str(inventory)).stdout.count(": unchanged (") == len(hosts) - 1
