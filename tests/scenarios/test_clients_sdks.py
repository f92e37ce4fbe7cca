"""SDKs and a tool for deployments, unmodified, do their work on `ecsctl serve`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scenarios.clients import BIN, clients_of
from tests.scenarios.conftest import SLEEP, Cli

pytestmark = pytest.mark.docker
File = Callable[..., str]


def test_the_javascript_sdk(cli: Cli, engine_image: str) -> None:
    with clients_of(cli) as clients:
        clients.environment["SDK"] = str(BIN.parent / "javascript")
        script = Path(__file__).with_name("client.mjs")
        assert clients.run("node", str(script), engine_image, json.dumps(SLEEP)).endswith("all is well\n")


def test_ecs_deploy(cli: Cli, file: File) -> None:
    cli("register-task-definition", file(SLEEP, networkMode="none"))
    with clients_of(cli) as clients:
        cli("create-service", "--service-name", "web", "--task-definition", "app", "--desired-count", "1")
        said = clients.run("ecs", "deploy", "default", "web", "-e", "main", "COLOUR", "blue", "--timeout", "60")
        assert "Successfully created revision: 2" in said
        assert "Successfully deregistered revision: 1" in said
        assert "Deployment successful" in said
        (task,) = cli.json("list-tasks", "--service-name", "web")["taskArns"]
        assert "COLOUR=blue" in cli.docker("inspect", "-f", "{{.Config.Env}}", cli.container_of(task, "main"))

        clients.run("ecs", "scale", "default", "web", "2", "--timeout", "60")
        assert cli.service("web")["runningCount"] == 2
        said = clients.run("ecs", "run", "default", "app", "1", "-c", "main", "true")
        assert "Successfully started 1 instances of task: app:2" in said
        said = clients.run("ecs", "update", "app", "-e", "main", "COLOUR", "red", "--no-deregister")
        assert "Successfully created revision: 3" in said

        broken = ("-c", "main", "false", "--timeout", "8", "--rollback", "--no-diff")
        said = clients.run("ecs", "deploy", "default", "web", *broken, code=1)
        assert "Rolling back to task definition: app:2" in said
        assert cli.service("web")["taskDefinition"].endswith("app:2")


def test_a_workflow_of_luigi(cli: Cli, engine_image: str) -> None:
    script = Path(__file__).with_name("client_luigi.py")
    with clients_of(cli) as clients:
        said = clients.run(sys.executable, str(script), engine_image, '["sleep", "1"]')
        assert "This progress looks :)" in said
    (task,) = cli.json("list-tasks", "--family", "luigi", "--desired-status", "STOPPED")["taskArns"]
    assert cli.task(task)["containers"][0]["exitCode"] == 0


def test_ecs_session_finds_a_container_and_opens_a_shell(cli: Cli, file: File, subnet: str) -> None:
    cli("register-task-definition", file(SLEEP, networkMode="awsvpc"))
    network = ("--network-configuration", f"awsvpcConfiguration={{subnets=[{subnet}]}}")
    ran = cli.json("run-task", "--task-definition", "app", "--enable-execute-command", "--wait", *network)
    task = ran["tasks"][0]["taskArn"].rpartition("/")[2]
    with clients_of(cli) as clients:
        listed = clients.run("ecs-session", "--list")
        assert f"default         {task}  family:app    main" in listed
        said = clients.run("ecs-session", task, "main", "--command", "echo one two")
        assert "\none two" in said
