"""execute-command, in containers on a real engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator

import pytest

from tests.scenarios.conftest import SLEEP, Cli
from tests.terminal import Terminal

pytestmark = pytest.mark.docker
File = Callable[..., str]


@pytest.fixture
def task(cli: Cli, file: File) -> str:
    other = {**SLEEP, "name": "other", "user": "1234"}
    cli("register-task-definition", file(SLEEP, other, networkMode="none"))
    ran = cli.json("run-task", "--task-definition", "app", "--enable-execute-command", "--wait")
    return str(ran["tasks"][0]["taskArn"])


def command(task: str, text: str, *more: str) -> list[str]:
    return ["execute-command", "--task", task, "--container", "main", "--command", text, *more]


@pytest.fixture
def terminal(cli: Cli, task: str) -> Iterator[Terminal]:
    made = Terminal([sys.executable, "-m", "ecsctl", *command(task, "sh", "--interactive")], cli.environment)
    yield made
    made.close()


def test_a_shell_at_a_real_terminal(terminal: Terminal) -> None:
    terminal.type(b"stty size; echo uid=$(id -u)\r")
    terminal.until(b"40 100")
    terminal.until(b"uid=0")
    terminal.resize(33, 77)
    os.kill(terminal.process.pid, signal.SIGWINCH)
    for _ in range(50):
        terminal.type(b"stty size\r")
        time.sleep(0.1)
        terminal.until(b"stty size")
        if b"33 77" in terminal.seen:
            break
    terminal.until(b"33 77")
    terminal.type(b"sleep 100\r")
    time.sleep(0.5)
    terminal.type(b"\x03")  # Ctrl-C ends what runs in the container, not the session
    terminal.type(b"echo still $((20+3))\r")
    terminal.until(b"still 23")
    terminal.type(b"exit 7\r")
    assert terminal.process.wait(20) == 7
    assert termios.tcgetattr(terminal.slave) == terminal.before


def test_a_killed_session_leaves_the_task_alone(cli: Cli, task: str, terminal: Terminal) -> None:
    terminal.type(b"echo here\r")
    terminal.until(b"here")
    terminal.process.kill()
    terminal.process.wait(10)
    cli("reconcile")
    assert cli.task(task)["lastStatus"] == "RUNNING"


def test_a_script_gets_output_errors_and_the_exit_code(cli: Cli, task: str) -> None:
    done = cli(*command(task, "sh -c 'echo out; echo err >&2; exit 3'", "--interactive"), code=3)
    assert (done.stdout, done.stderr) == ("out\n", "err\n")
    done = cli(*command(task, "id -u", "--non-interactive"))
    assert done.stdout == "0\n"
    agents = [container["managedAgents"] for container in cli.task(task)["containers"]]
    assert [(a["name"], a["lastStatus"]) for (a,) in agents] == [("ExecuteCommandAgent", "RUNNING")] * 2


def test_input_of_any_size_goes_through(cli: Cli, task: str) -> None:
    data = os.urandom(3_000_000)
    process = subprocess.Popen(
        [sys.executable, "-m", "ecsctl", *command(task, "cat", "--interactive")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=cli.environment,
    )
    out, _ = process.communicate(data, timeout=60)
    assert process.returncode == 0
    assert out == data


def test_what_cannot_be_executed(cli: Cli, file: File, task: str) -> None:
    said = cli.error(*command(task, "true", "--interactive")[:3], "--command", "true", "--interactive", code=254)
    assert "container: the task has several, say which one: main, other" in said
    assert "No closing quotation" in cli.error(*command(task, "sh 'x", "--interactive"), code=254)
    assert cli(*command(task, "/none/such", "--interactive"), code=None).returncode not in (0, 1)
    plain = cli.json("run-task", "--task-definition", "app", "--wait")["tasks"][0]["taskArn"]
    said = cli.error(*command(plain, "true", "--interactive"), code=254)
    assert "InvalidParameterException" in said
    assert "execute command was not enabled" in said
    cli("stop-task", "--task", task)
    cli.until(task, lambda found: found["lastStatus"] == "STOPPED")
    said = cli.error(*command(task, "true", "--interactive"), code=254)
    assert "TargetNotConnectedException" in said


def test_a_service_can_allow_it(cli: Cli, file: File) -> None:
    cli("register-task-definition", file(SLEEP, networkMode="none"))
    service = ("create-service", "--service-name", "web", "--task-definition", "app", "--desired-count", "1")
    assert cli.json(*service, "--enable-execute-command")["service"]["enableExecuteCommand"] is True
    cli.until_service("web", lambda found: found["runningCount"] == 1)
    (task,) = cli.json("list-tasks", "--service-name", "web")["taskArns"]
    done = cli("execute-command", "--task", task, "--command", "echo hello", "--interactive")
    assert done.stdout == "hello\n"
    cli("update-service", "--service", "web", "--disable-execute-command")
    assert cli.service("web")["enableExecuteCommand"] is False
