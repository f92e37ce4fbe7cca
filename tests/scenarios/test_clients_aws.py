"""The AWS CLI, unmodified, does its work on `ecsctl serve`."""

from __future__ import annotations

import json
import os
import re
import signal
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.clients import Clients, clients_of
from tests.scenarios.conftest import SLEEP, Cli
from tests.scenarios.test_serve import until
from tests.terminal import Terminal

pytestmark = pytest.mark.docker
File = Callable[..., str]


class Aws:
    """`aws ecs`."""

    def __init__(self, clients: Clients) -> None:
        self.clients = clients

    def __call__(self, *words: str, code: int | None = 0, stdin: str | None = None) -> str:
        return self.clients.run("aws", "ecs", *words, code=code, stdin=stdin)

    def json(self, *words: str) -> Any:
        return json.loads(self(*words))


@pytest.fixture
def aws(cli: Cli) -> Iterator[Aws]:
    with clients_of(cli) as clients:
        yield Aws(clients)


def test_tasks_and_services_from_their_definition_to_their_end(aws: Aws, cli: Cli, file: File) -> None:
    registered = aws.json("register-task-definition", "--cli-input-json", f"file://{file(SLEEP, networkMode='none')}")
    assert registered["taskDefinition"]["revision"] == 1
    run = aws.json("run-task", "--task-definition", "app", "--count", "2", "--enable-execute-command")
    tasks = [task["taskArn"] for task in run["tasks"]]
    assert run["failures"] == []
    aws("wait", "tasks-running", "--tasks", *tasks)
    query = ("--query", "tasks[].lastStatus", "--output", "text")
    assert aws("describe-tasks", "--tasks", *tasks, *query).split() == ["RUNNING"] * 2
    aws("stop-task", "--task", tasks[0])
    aws("wait", "tasks-stopped", "--tasks", tasks[0])

    aws("create-service", "--service-name", "web", "--task-definition", "app", "--desired-count", "1")
    aws("wait", "services-stable", "--services", "web")
    aws("update-service", "--service", "web", "--desired-count", "2")
    aws("wait", "services-stable", "--services", "web")
    assert len(aws.json("list-tasks", "--service-name", "web", "--page-size", "1")["taskArns"]) == 2
    said = aws("delete-service", "--service", "web", code=255)
    assert "An error occurred (InvalidParameterException) when calling the DeleteService operation" in said
    aws("delete-service", "--service", "web", "--force")
    aws("wait", "services-inactive", "--services", "web")
    assert "ClusterNotFoundException" in aws("list-tasks", "--cluster", "none", code=255)


APPSPEC = """
version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: <task definition>
        LoadBalancerInfo: {ContainerName: main, ContainerPort: 80}
"""


def test_deploy_registers_a_revision_and_waits_until_it_is_rolled_out(
    aws: Aws, cli: Cli, file: File, tmp_path: Path
) -> None:
    checked = {**SLEEP, "healthCheck": {"command": ["CMD", "true"], "interval": 5}}
    cli("register-task-definition", file(checked, networkMode="none"))
    aws("create-service", "--service-name", "web", "--task-definition", "app", "--desired-count", "1")
    appspec = tmp_path / "appspec.yaml"
    appspec.write_text(APPSPEC)
    aws.clients.environment["AWS_ENDPOINT_URL"] = aws.clients.url
    files = ("--task-definition", file(checked, networkMode="none"), "--codedeploy-appspec", str(appspec))
    said = aws("deploy", "--service", "web", *files)
    assert re.search(r"Successfully created deployment d-[0-9A-Za-z-]+\n", said)
    assert said.endswith("task-definition/app:2 to service 'web'\n")
    (deployment,) = cli.service("web")["deployments"]
    assert (deployment["taskDefinition"][-5:], deployment["rolloutState"]) == ("app:2", "COMPLETED")

    appspec.write_text(APPSPEC + "Hooks:\n  - BeforeInstall: a-function\n")
    said = aws("deploy", "--service", "web", *files, code=255)
    assert "The AppSpec file is not valid: hooks is not supported by ecsctl." in said


@pytest.fixture
def task(cli: Cli, file: File) -> str:
    cli("register-task-definition", file(SLEEP, networkMode="none"))
    ran = cli.json("run-task", "--task-definition", "app", "--enable-execute-command", "--wait")
    return str(ran["tasks"][0]["taskArn"])


@contextmanager
def shell_in(aws: Aws, task: str) -> Iterator[Terminal]:
    words = ["aws", "ecs", "execute-command", "--task", task, "--interactive", "--command", "sh"]
    terminal = Terminal(words, aws.clients.environment)
    try:
        terminal.until(b"Starting session with SessionId: ecs-execute-command-")
        yield terminal
    finally:
        with suppress(ProcessLookupError):
            os.killpg(terminal.process.pid, signal.SIGKILL)
        terminal.close()


def test_a_shell_in_a_container(aws: Aws, cli: Cli, task: str) -> None:
    with shell_in(aws, task) as terminal:
        terminal.type(b"stty size; echo uid=$(id -u)\r")
        terminal.until(b"uid=0")
        terminal.until(b"40 100")
        terminal.resize(33, 77)
        os.killpg(terminal.process.pid, signal.SIGWINCH)
        terminal.type(b"until stty size | grep '33 77'; do sleep 0.1; done\r")
        terminal.until(b"\n33 77")
        terminal.type(b"sleep 100\r")
        until(lambda: "sleep 100" in cli.docker("top", cli.container_of(task, "main")))
        terminal.type(b"\x03")
        terminal.type(b"echo still $((20+3))\r")
        terminal.until(b"still 23")
        terminal.type(b"head -c 3000000 /dev/zero | tr '\\0' x; echo all of it\r")
        terminal.until(b"xall of it")
        terminal.type(b"exit 7\r")
        terminal.until(b"Exiting session with sessionId: ecs-execute-command-")
        assert terminal.process.wait(20) == 0, "as with Amazon's plugin, which has no other"
        assert termios.tcgetattr(terminal.slave) == terminal.before
        assert terminal.seen.count(b"x") > 3_000_000
    (session, *_) = re.findall(rb"ecs-execute-command-[0-9a-f]{17}", terminal.seen)
    until(lambda: aws.clients.process.says(f"{session.decode()} ended after"))


def test_a_shell_ends_with_its_client_and_with_its_container(aws: Aws, cli: Cli, task: str) -> None:
    container = cli.container_of(task, "main")
    with shell_in(aws, task) as terminal:
        terminal.type(b"sleep 1234\r")
        until(lambda: "sleep 1234" in cli.docker("top", container))
        os.killpg(terminal.process.pid, signal.SIGKILL)
        until(lambda: len(cli.docker("top", container, "-o", "pid,comm").splitlines()) <= 3)
    with shell_in(aws, task) as terminal:
        terminal.until(b"# ")
        cli("stop-task", "--task", task)
        terminal.until(b"Exiting session")
        assert terminal.process.wait(20) == 0
    cli.until(task, lambda found: found["lastStatus"] == "STOPPED")
    words = ("execute-command", "--task", task, "--interactive", "--command")
    assert "TargetNotConnectedException" in aws(*words, "sh", code=255)


def test_a_script_has_its_input_done(aws: Aws, task: str) -> None:
    words = ("execute-command", "--task", task, "--interactive", "--command")
    assert "\nsum 42\n" in aws(*words, "sh", stdin="echo sum $((40 + 2))\n")
    said = aws(*words, "/none/such", code=None)  # engines differ in when they say it
    assert re.search('"/none/such".*no such file', said)
    said = aws(*words[:3], "--non-interactive", "--command", "sh", code=255)
    assert "InvalidParameterException" in said
