"""Releases on a real engine: rolled out, taken back when they crash, and when they take too long."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.scenarios.conftest import Cli, shell
from tests.scenarios.test_services import BREAKER, HEALTHY, serve

pytestmark = pytest.mark.docker
File = Callable[..., str]

OTHER = "ecsctl/busybox:released"


@pytest.fixture(autouse=True)
def no_leftovers(cli: Cli) -> Iterator[None]:
    yield
    cli("delete-service", "--service", "web", "--force", code=None)


@pytest.fixture
def released(cli: Cli, engine_image: str) -> Iterator[str]:
    """Another name of the tests' image."""
    cli.docker("tag", engine_image, OTHER)
    yield OTHER
    cli("delete-service", "--service", "web", "--force", code=None)
    cli("wait", "services-inactive", "--services", "web", code=None)
    cli.docker("rmi", OTHER, check=False)


def up(cli: Cli) -> list[str]:
    found = cli.containers("--filter", "status=running")
    return cli.docker("inspect", "-f", "{{.Config.Image}}", *found).split() if found else []


def test_an_image_is_rolled_out(cli: Cli, file: File, released: str) -> None:
    serve(cli, file(HEALTHY), 2)
    done = cli("deploy", "web", "--image", f"main={released}")
    assert done.stdout == "service web runs app:2\n"
    said = done.stderr.splitlines()
    assert said[0] == "service web: app:1 -> app:2"
    assert "app:2: 2 of 2 running" in said
    assert any(line.endswith("deployment completed.") for line in said)
    assert up(cli) == [released, released]
    again = cli("deploy", "web", "--image", f"main={released}")
    assert (again.stdout, again.stderr) == ("", "nothing to do: service web runs app:2 already\n")
    assert len(cli.service("web")["deployments"]) == 1


def test_a_release_that_crashes_is_rolled_back(cli: Cli, file: File) -> None:
    serve(cli, file(HEALTHY), 1)
    done = cli("deploy", "web", "--task-definition", file(shell("exit 3")), code=1)
    assert done.stdout == ""
    assert "container main exited with 3: Essential container in task exited" in done.stderr
    assert "ecsctl: service web goes back to app:1" in done.stderr
    service = cli.service("web")
    assert service["taskDefinition"].endswith("app:1")
    assert (service["runningCount"], len(service["deployments"])) == (1, 1)


def test_the_circuit_breaker_of_the_service_rolls_back(cli: Cli, file: File) -> None:
    serve(cli, file(HEALTHY), 1, "--deployment-configuration", BREAKER)
    cli.until_service("web", lambda s: s["deployments"][0]["rolloutState"] == "COMPLETED")
    done = cli("deploy", "web", "--image", "main=ecsctl/no-such-image:1", code=1)
    assert "did not start: CannotPullContainerError" in done.stderr
    assert "rolling back to deployment" in done.stderr
    service = cli.service("web")
    assert service["taskDefinition"].endswith("app:1")
    assert len(service["deployments"]) == 1


def test_one_that_takes_too_long_is_rolled_back(cli: Cli, file: File) -> None:
    serve(cli, file(HEALTHY), 1)
    never = {**HEALTHY, "memory": 900_000}
    done = cli("deploy", "web", "--task-definition", file(never), "--timeout", "3", code=124)
    assert "app:2 not there after 3 s" in done.stderr
    assert "goes back to app:1" in done.stderr
    back = cli.until_service("web", lambda s: len(s["deployments"]) == 1)
    assert back["taskDefinition"].endswith("app:1")


def test_it_may_be_left_as_it_is(cli: Cli, file: File) -> None:
    serve(cli, file(HEALTHY), 1)
    broken = file(shell("exit 3"))
    done = cli("deploy", "web", "--task-definition", broken, "--no-rollback", "--output", "json", code=1)
    answer: Any = json.loads(done.stdout)
    assert answer["outcome"] == "FAILED"
    assert "service web is left as it is" in done.stderr
    assert cli.service("web")["taskDefinition"].endswith("app:2")


def is_completed(service: Any) -> bool:
    return bool(service["deployments"][0]["rolloutState"] == "COMPLETED")


def test_what_was_only_given_another_name_is_rolled_back(cli: Cli, file: File) -> None:
    serve(cli, file(HEALTHY), 1)
    cli.until_service("web", is_completed)
    cli("update-service", "--service", "web", "--service-registries", "registryArn=web.shop")
    cli.until_service("web", is_completed)
    done = cli("rollback", "web")
    assert done.stdout == "service web runs app:1\n"
    assert done.stderr.splitlines()[0] == "service web: app:1 with what it had before"
    assert cli.service("web")["serviceRegistries"] == []


def test_without_staying_and_with_ctrl_c_it_goes_on(cli: Cli, file: File) -> None:
    serve(cli, file(HEALTHY), 1)
    cli("deploy", "web", "--force-new-deployment", "--no-wait")
    assert len(cli.service("web")["deployments"]) == 2
    running = cli.start("deploy", "web", "--force-new-deployment")
    assert running.stderr is not None
    assert running.stderr.readline() == "service web: app:1 -> app:1\n"
    running.stderr.readline()
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "service web goes on with app:1" in err
    cli.until_service("web", lambda s: len(s["deployments"]) == 1)
