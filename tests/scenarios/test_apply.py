"""Files applied to a real engine: twice, changed, and pruned."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.conftest import SLEEP, Cli, shell
from tests.scenarios.test_services import HEALTHY

pytestmark = pytest.mark.docker


class Site:
    """A file with a cluster, a definition and a service, and the command that applies it."""

    def __init__(self, cli: Cli, path: Path, image: str) -> None:
        self.path = path
        self._cli = cli
        self._image = image

    def write(self, container: dict[str, Any], **service: Any) -> None:
        definition = {
            "family": "app",
            "containerDefinitions": [{"name": "main", "image": self._image, "memory": 16, **container}],
        }
        wanted = {"serviceName": "web", "taskDefinition": "app", "desiredCount": 2, **service}
        self.path.write_text(json.dumps({"taskDefinitions": [definition], "services": [wanted]}))

    def apply(self, *more: str, code: int = 0) -> Any:
        return self._cli("apply", "-f", str(self.path), "--yes", *more, code=code)


@pytest.fixture
def site(cli: Cli, tmp_path: Path, engine_image: str) -> Iterator[Site]:
    yield Site(cli, tmp_path / "site.json", engine_image)
    cli("delete-service", "--service", "web", "--force", code=None)


def test_applied_twice_changed_and_pruned(cli: Cli, site: Site) -> None:
    site.write(HEALTHY)
    done = site.apply("--wait", "--timeout", "60s")
    assert [line for line in done.stdout.splitlines() if line[0] != " "] == [
        "+ task definition app:1",
        "+ service default/web",
    ]
    assert "app:1: 2 of 2 running" in done.stderr.splitlines()
    assert any(line.startswith("(service web) has started 2 tasks: ") for line in done.stderr.splitlines())
    first = set(cli.containers("--filter", "status=running"))
    assert len(first) == 2

    again = site.apply("--wait", "--detailed-exitcode")
    assert (again.stdout, again.stderr) == ("", "nothing to do\n")
    assert set(cli.containers("--filter", "status=running")) == first

    site.write({**HEALTHY, "environment": [{"name": "RELEASE", "value": "two"}]}, desiredCount=1)
    configured = site.apply("--dry-run", "--detailed-exitcode", code=2)
    assert "desiredCount: 2 -> 1" in configured.stdout
    assert "two" not in configured.stdout
    assert cli.service("web")["desiredCount"] == 2
    assert site.apply("--wait", "--timeout", "90s").stdout == configured.stdout
    (only,) = cli.containers("--filter", "status=running")
    assert "RELEASE=two" in cli.docker("inspect", "-f", "{{.Config.Env}}", only)

    site.path.write_text('{"services": []}')
    assert site.apply("--prune").stdout.splitlines() == [
        "- service default/web",
        "- task definition app:1",
        "- task definition app:2",
    ]
    cli("wait", "services-inactive", "--services", "web")
    assert cli.containers("--filter", "status=running") == []
    assert cli.json("list-task-definitions")["taskDefinitionArns"] == []


def test_a_service_that_cannot_get_there_ends_the_wait(cli: Cli, site: Site) -> None:
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}}
    site.write(shell("exit 3"), desiredCount=1, deploymentConfiguration=breaker)
    done = site.apply("--wait", code=1)
    assert "ecsctl: service web: ECS deployment circuit breaker: tasks failed to start." in done.stderr


def test_without_a_circuit_breaker_as_many_failures_end_the_wait(cli: Cli, site: Site) -> None:
    site.write(shell("exit 3"), desiredCount=1)
    done = site.apply("--wait", code=1)
    # One more may have failed by the time that three are seen.
    assert re.search(r"^ecsctl: service web: [3-9] tasks of app:1 failed in a row$", done.stderr, re.MULTILINE)


def test_the_time_is_up(cli: Cli, site: Site) -> None:
    site.write({**SLEEP, "memory": 900_000}, desiredCount=1)
    done = site.apply("--wait", "--timeout", "2s", code=124)
    assert "ecsctl: service web is not stable after 2 s: 0 of 1 tasks run" in done.stderr
    again = site.apply("--wait", "--timeout", "2s", "--output", "json", code=124)
    now, why, end = again.stderr.splitlines()
    assert (now, end) == ("app:1: 0 of 1 running", done.stderr.splitlines()[-1])
    assert why.startswith("(service web) was unable to place a task because ")
    assert json.loads(again.stdout)["changed"] is False


def test_a_cluster_is_pruned_after_its_services(cli: Cli, site: Site) -> None:
    cli("create-cluster", "--cluster-name", "by-hand")
    site.write(SLEEP, cluster="mine")
    data = json.loads(site.path.read_text())
    site.path.write_text(json.dumps({**data, "clusters": [{"clusterName": "mine"}, {"clusterName": "by-hand"}]}))
    site.apply()
    site.path.write_text('{"clusters": []}')
    pruned = ["- service mine/web", "- task definition app:1", "- cluster mine"]
    assert site.apply("--prune").stdout.splitlines() == pruned
    names = [arn.rpartition("/")[2] for arn in cli.json("list-clusters")["clusterArns"]]
    assert names == ["by-hand", "default"]


def test_a_schedule_is_applied_runs_is_changed_and_pruned(cli: Cli, site: Site, engine_image: str) -> None:
    container = {"name": "main", "image": engine_image, "memory": 16, **shell("echo hello")}
    schedule = {"name": "job", "scheduleExpression": "rate(7 days)", "taskDefinition": "app"}
    files = {"taskDefinitions": [{"family": "app", "containerDefinitions": [container]}], "schedules": [schedule]}
    site.path.write_text(json.dumps(files))
    done = site.apply()
    assert [line for line in done.stdout.splitlines() if line[0] != " "] == [
        "+ task definition app:1",
        "+ schedule default/job",
    ]
    cli("reconcile")  # a rate runs at once for the first time
    (only,) = cli.json("scheduled-tasks", "--output", "json")["schedules"]
    (task,) = only["lastRun"]["taskArns"]
    cli("wait", "tasks-stopped", "--tasks", task)
    assert cli("logs", task).stdout == "hello\n"

    assert site.apply("--detailed-exitcode").stderr == "nothing to do\n"
    site.path.write_text(json.dumps({**files, "schedules": [{**schedule, "overlap": "allow"}]}))
    assert site.apply().stdout.splitlines() == ["~ schedule default/job", "    overlap: forbid -> allow"]
    assert cli("reconcile").returncode == 0
    assert len(cli.json("list-tasks", "--desired-status", "STOPPED")["taskArns"]) == 1  # it was not due again

    site.path.write_text('{"schedules": []}')
    assert site.apply("--prune").stdout.splitlines() == ["- schedule default/job", "- task definition app:1"]
    assert cli.json("scheduled-tasks", "--output", "json") == {"schedules": []}
