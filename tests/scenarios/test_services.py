"""Services on a real engine: they heal, roll, and are rolled back."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.scenarios.conftest import SLEEP, Cli, Watch, shell

pytestmark = pytest.mark.docker
File = Callable[..., str]

BREAKER = "deploymentCircuitBreaker={enable=true,rollback=true}"
HEALTHY = {
    **shell("trap 'exit 0' TERM; touch /tmp/well; while :; do sleep 0.1; done"),
    "healthCheck": {"command": ["CMD-SHELL", "test -e /tmp/well"], "interval": 5, "retries": 1},
}


def serve(cli: Cli, definition: str, desired: int = 2, *more: str) -> Any:
    cli("register-task-definition", definition)
    cli("create-service", "--service-name", "web", "--task-definition", "app", "--desired-count", str(desired), *more)
    cli("wait", "services-stable", "--services", "web")
    return cli.service("web")


def release(cli: Cli, definition: str, *more: str) -> None:
    cli("register-task-definition", definition)
    cli("update-service", "--service", "web", "--task-definition", "app", *more)


def up(cli: Cli) -> list[str]:
    return cli.containers("--filter", "status=running")


def watched(cli: Cli) -> Watch:
    """The containers that run, counted."""
    return Watch(lambda: len(up(cli)))


@pytest.fixture(autouse=True)
def no_leftovers(cli: Cli) -> Iterator[None]:
    yield
    cli("delete-service", "--service", "web", "--force", code=None)


def test_a_service_heals(cli: Cli, file: File) -> None:
    assert serve(cli, file(SLEEP), 2)["runningCount"] == 2
    cli.kill_background()  # it would be the one that heals
    killed, removed = up(cli)
    cli.docker("kill", killed)
    cli.docker("rm", "-f", removed)
    said = cli("reconcile").stdout
    assert "has started 2 tasks" in said
    assert len(up(cli)) == 2
    assert not {killed, removed} & set(up(cli))
    assert cli.service("web")["runningCount"] == 2
    assert "nothing to do" in cli("reconcile", "--detailed-exitcode").stderr  # until they count as healthy


def test_when_a_task_counts_as_healthy_can_be_configured(cli: Cli, file: File) -> None:
    cli.configure('healthy_after = "1s"\n')
    serve(cli, file(SLEEP), 1)
    cli.until_service("web", lambda s: s["deployments"][0]["rolloutState"] == "COMPLETED", seconds=20)


def test_an_unhealthy_task_is_replaced(cli: Cli, file: File) -> None:
    serve(cli, file(HEALTHY), 1)
    (sick,) = up(cli)
    cli.until_service("web", lambda s: cli.docker("inspect", "-f", "{{.State.Health.Status}}", sick) == "healthy")
    cli.docker("exec", sick, "rm", "/tmp/well")
    with watched(cli) as watch:
        cli.until_service("web", lambda s: sick not in up(cli) and s["runningCount"] == 1)
    assert watch.least >= 1
    assert any("failed container health checks." in event["message"] for event in cli.service("web")["events"])


def test_what_falls_ill_during_a_deployment_is_replaced_by_its_own_revision(cli: Cli, file: File) -> None:
    serve(cli, file(HEALTHY), 2, "--deployment-configuration", "minimumHealthyPercent=100,maximumPercent=150")
    cli.until_service("web", lambda s: s["deployments"][0]["rolloutState"] == "COMPLETED")
    sick, other = up(cli)
    waiting = {"command": ["CMD", "false"], "startPeriod": 300}  # it is neither healthy nor ill for long
    release(cli, file({**HEALTHY, "healthCheck": waiting}))

    def is_half_way(service: dict[str, Any]) -> bool:
        running = [(found["taskDefinition"][-5:], found["runningCount"]) for found in service["deployments"]]
        return running == [("app:2", 1), ("app:1", 2)]

    cli.until_service("web", is_half_way)
    cli.docker("exec", sick, "rm", "/tmp/well")
    cli.until_service("web", lambda s: sick not in up(cli) and is_half_way(s))
    assert other in up(cli)


def test_scaled_to_nothing_to_twenty_and_to_three(cli: Cli, file: File) -> None:
    serve(cli, file({**SLEEP, "memory": 6}), 0)
    for desired in (20, 3, 0):
        cli("update-service", "--service", "web", "--desired-count", str(desired))
        cli("wait", "services-stable", "--services", "web")
        cli.until_service("web", lambda s: len(up(cli)) == s["desiredCount"])


def test_a_release_is_rolled_out_and_a_crashing_one_rolled_back(cli: Cli, file: File) -> None:
    configuration = "minimumHealthyPercent=100,maximumPercent=200," + BREAKER
    serve(cli, file(HEALTHY), 2, "--deployment-configuration", configuration)
    with watched(cli) as watch:
        release(cli, file({**HEALTHY, "environment": [{"name": "RELEASE", "value": "2"}]}))
        cli("wait", "services-stable", "--services", "web")
    assert watch.least >= 2
    with watched(cli) as watch:
        release(cli, file(shell("exit 3")))
        cli.until_service("web", lambda s: s["taskDefinition"].endswith("app:2"))
        cli("wait", "services-stable", "--services", "web")
    assert watch.least >= 2
    messages = [event["message"] for event in cli.service("web")["events"]]
    assert any("deployment failed: tasks failed to start." in message for message in messages)
    assert any("rolling back to deployment" in message for message in messages)


def test_killed_in_the_middle_it_goes_on(cli: Cli, file: File) -> None:
    cli("register-task-definition", file(SLEEP))
    cli("create-service", "--service-name", "web", "--task-definition", "app", "--desired-count", "6")
    for _ in range(3):
        time.sleep(0.4)
        subprocess.run(["pkill", "-KILL", "-f", f"{cli.state}.*reconcile"], check=False)
        with cli.start("reconcile", "--state", str(cli.state)) as doomed:
            time.sleep(0.4)
            doomed.kill()
    cli.until_service("web", lambda s: s["runningCount"] == 6)
    assert len(up(cli)) == 6


def test_a_deleted_service_leaves_nothing(cli: Cli, file: File) -> None:
    serve(cli, file(SLEEP), 2)
    assert "scaled above 0" in cli.error("delete-service", "--service", "web", code=254)
    cli("delete-service", "--service", "web", "--force")
    cli("wait", "services-inactive", "--services", "web")
    assert up(cli) == []
    assert cli.json("list-services")["serviceArns"] == []


def test_blue_green_keeps_every_old_task_until_all_the_new_ones_are_healthy(cli: Cli, file: File) -> None:
    strategy = ("--deployment-configuration", "strategy=BLUE_GREEN,bakeTimeInMinutes=0")
    serve(cli, file(HEALTHY), 2, *strategy)
    cli.until_service("web", lambda s: s["deployments"][0]["rolloutState"] == "COMPLETED")
    old = set(up(cli))
    with watched(cli) as watch:
        release(cli, file({**HEALTHY, "environment": [{"name": "RELEASE", "value": "2"}]}))
        cli.until_service("web", lambda s: not old & set(up(cli)) and len(s["deployments"]) == 1)
    assert watch.least >= 2
    newest, _ = cli.json("list-service-deployments", "--service", "web")["serviceDeployments"]
    assert newest["status"] == "SUCCESSFUL"
    (shown,) = cli.json("describe-service-deployments", "--service-deployment-arns", newest["serviceDeploymentArn"])[
        "serviceDeployments"
    ]
    assert shown["lifecycleStage"] == "CLEAN_UP"


def test_a_paused_deployment_waits_for_somebodys_word(cli: Cli, file: File) -> None:
    hook = "{targetType=PAUSE,lifecycleStages=[POST_SCALE_UP]}"
    strategy = f"strategy=BLUE_GREEN,bakeTimeInMinutes=0,lifecycleHooks=[{hook}]"
    serve(cli, file(HEALTHY), 1, "--deployment-configuration", strategy)
    cli.until_service("web", lambda s: s["deployments"][0]["rolloutState"] == "COMPLETED")
    release(cli, file({**HEALTHY, "environment": [{"name": "RELEASE", "value": "2"}]}))
    paused = cli.until_service("web", lambda s: any("is paused at POST_SCALE_UP" in e["message"] for e in s["events"]))
    assert len(up(cli)) == 2
    arn = paused["currentServiceDeployment"]
    (shown,) = cli.json("describe-service-deployments", "--service-deployment-arns", arn)["serviceDeployments"]
    (held,) = shown["lifecycleHookDetails"]
    assert (held["status"], held["timeoutAction"]) == ("AWAITING_ACTION", "ROLLBACK")
    cli("continue-service-deployment", "--service-deployment-arn", arn, "--hook-id", held["hookId"])
    service = cli.until_service("web", lambda s: len(s["deployments"]) == 1)
    assert service["taskDefinition"].endswith("app:2")
    assert len(up(cli)) == 1


def test_an_external_deployment_moves_from_one_task_set_to_the_next(cli: Cli, file: File) -> None:
    web = ("--cluster", "default", "--service", "web")
    cli("register-task-definition", file(HEALTHY))
    cli(
        *("create-service", "--service-name", "web", "--desired-count", "2"),
        *("--deployment-controller", "type=EXTERNAL"),
    )

    def add(definition: str, scale: int) -> str:
        made = cli.json(
            *("create-task-set", *web, "--task-definition", definition),
            *("--scale", f"value={scale},unit=PERCENT"),
        )
        return str(made["taskSet"]["id"])

    def promote(task_set: str) -> None:
        cli("update-service-primary-task-set", *web, "--primary-task-set", task_set)

    blue = add("app:1", 100)
    promote(blue)
    cli("wait", "services-stable", "--services", "web")
    cli("register-task-definition", file({**HEALTHY, "environment": [{"name": "RELEASE", "value": "2"}]}))
    with watched(cli) as watch:
        green = add("app:2", 50)
        cli("wait", "services-stable", "--services", "web")
        assert len(up(cli)) == 3
        cli("update-task-set", *web, "--task-set", green, "--scale", "value=100,unit=PERCENT")
        cli("wait", "services-stable", "--services", "web")
        promote(green)
        cli("delete-task-set", *web, "--task-set", blue, "--force")
        cli.until_service("web", lambda s: len(s["taskSets"]) == 1 and len(up(cli)) == 2)
    assert watch.least >= 2
    service = cli.service("web")
    assert service["taskDefinition"].endswith("app:2")
    assert [(one["id"], one["status"], one["runningCount"]) for one in service["taskSets"]] == [(green, "PRIMARY", 2)]


def test_a_protected_task_is_not_scaled_in(cli: Cli, file: File) -> None:
    serve(cli, file(SLEEP), 3)
    tasks = cli.json("list-tasks", "--service-name", "web")["taskArns"]
    cli("update-task-protection", "--cluster", "default", "--tasks", tasks[2], "--protection-enabled")
    cli("update-service", "--service", "web", "--desired-count", "1")
    cli.until_service("web", lambda s: s["runningCount"] == 1)
    assert cli.json("list-tasks", "--service-name", "web")["taskArns"] == [tasks[2]]
