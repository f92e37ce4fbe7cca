"""`serve` on a real engine: boto3, unmodified, drives it; it keeps the state, and ends as it should."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.conftest import SLEEP, Cli, shell
from tests.server.running import client

pytestmark = pytest.mark.docker


class Serving:
    """The process, and what it has said so far."""

    def __init__(self, cli: Cli, *more: str) -> None:
        self.path = cli.home / "ecs.sock"
        tcp = () if "--bind" in more else ("--no-tcp",)
        self.process: subprocess.Popen[str] = cli.start("serve", *tcp, "--socket", str(self.path), *more)
        self.lines: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=(stream,)) for stream in (self.process.stderr, self.process.stdout)
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: Any) -> None:
        self.lines.extend(iter(stream.readline, ""))

    def says(self, what: str) -> bool:
        return any(what in line for line in self.lines)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join()
        for stream in (self.process.stderr, self.process.stdout):
            assert stream
            stream.close()


@contextmanager
def serving(cli: Cli, *more: str) -> Iterator[Serving]:
    """Once it answers, and keeps the state if it is to."""
    process = Serving(cli, *more)
    try:
        until(lambda: process.says("answering on" if "--no-controller" in more else "keeping the state"))
        yield process
    finally:
        process.end()
    assert not process.says("Traceback"), process.lines
    assert not process.says("a bug in ecsctl"), process.lines


def until(condition: Callable[[], Any], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def definition(engine_image: str) -> dict[str, Any]:
    return {"family": "app", "containerDefinitions": [{"name": "main", "image": engine_image, "memory": 16, **SLEEP}]}


def test_boto3_runs_a_task_and_a_service_to_their_end(cli: Cli, definition: dict[str, Any]) -> None:
    with serving(cli), client(cli.home / "ecs.sock") as ecs:
        registered = ecs.register_task_definition(**definition)["taskDefinition"]
        given = definition["containerDefinitions"][0]
        assert given.items() <= registered["containerDefinitions"][0].items()

        (task,) = ecs.run_task(taskDefinition="app")["tasks"]
        ecs.get_waiter("tasks_running").wait(tasks=[task["taskArn"]], WaiterConfig={"Delay": 1})
        (found,) = ecs.describe_tasks(tasks=[task["taskArn"]])["tasks"]
        assert found["containers"][0]["runtimeId"] in cli.containers()
        ecs.stop_task(task=task["taskArn"], reason="enough")
        ecs.get_waiter("tasks_stopped").wait(tasks=[task["taskArn"]], WaiterConfig={"Delay": 1})
        (found,) = ecs.describe_tasks(tasks=[task["taskArn"]])["tasks"]
        assert (found["stopCode"], found["stoppedReason"]) == ("UserInitiated", "enough")
        assert found["containers"][0]["exitCode"] == 0

        service = ecs.create_service(serviceName="web", taskDefinition="app", desiredCount=1)["service"]
        assert service["deployments"][0]["rolloutState"] == "IN_PROGRESS"
        ecs.get_waiter("services_stable").wait(services=["web"], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        ecs.update_service(service="web", desiredCount=2)
        ecs.get_waiter("services_stable").wait(services=["web"], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        assert len(ecs.list_tasks(serviceName="web")["taskArns"]) == 2
        assert len(cli.containers("--filter", "status=running")) == 2

        ecs.delete_service(service="web", force=True)
        ecs.get_waiter("services_inactive").wait(services=["web"], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        until(lambda: not cli.containers("--filter", "status=running"))
        with pytest.raises(ecs.exceptions.ServiceNotActiveException):
            ecs.update_service(service="web", desiredCount=1)


def test_what_is_asked_is_gone_on_with_by_the_controller_and_by_no_other_process(cli: Cli, engine_image: str) -> None:
    first = {"name": "first", "image": engine_image, "memory": 16, "essential": False, **shell("sleep 4")}
    wait = [{"containerName": "first", "condition": "COMPLETE"}]
    second = {"name": "main", "image": engine_image, "memory": 16, "dependsOn": wait, **SLEEP}
    with serving(cli) as process, client(process.path) as ecs:
        ecs.register_task_definition(family="app", containerDefinitions=[first, second])
        (task,) = ecs.run_task(taskDefinition="app")["tasks"]
        assert cli.processes() == [process.process.pid]
        until(lambda: process.says("start container main"))
        ecs.get_waiter("tasks_running").wait(tasks=[task["taskArn"]], WaiterConfig={"Delay": 1})


def test_without_a_controller_others_go_on_and_are_not_left_as_zombies(cli: Cli, definition: dict[str, Any]) -> None:
    with serving(cli, "--no-controller") as process, client(process.path) as ecs:
        ecs.register_task_definition(**definition)
        ecs.create_service(serviceName="web", taskDefinition="app", desiredCount=1)
        ecs.create_service(serviceName="other", taskDefinition="app", desiredCount=1)
        until(lambda: len(cli.containers("--filter", "status=running")) == 2)
        assert not process.says("keeping the state")
        cli("state", "backup", str(cli.home / "copy.db"))
        said = cli.error("state", "restore", str(cli.home / "copy.db"), code=1)
        assert str(process.process.pid) in said, "a backup would take the state from under it"
        for background in set(cli.processes()) - {process.process.pid}:
            os.kill(background, signal.SIGKILL)
        until(lambda: cli.processes() == [process.process.pid])
        ecs.create_service(serviceName="third", taskDefinition="app", desiredCount=1)
        assert len(_children(process.process.pid)) <= 1, "the first two are not forgotten"


def _children(process: int) -> list[str]:
    """Those that run, and those that have ended and nobody has asked after."""
    threads = Path(f"/proc/{process}/task").glob("*/children")
    return [child for thread in threads for child in thread.read_text().split()]


@pytest.mark.parametrize("more", [(), ("--no-controller",)])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_on_a_signal_when_what_is_under_way_is_answered(
    cli: Cli, definition: dict[str, Any], number: signal.Signals, more: tuple[str, ...]
) -> None:
    with serving(cli, *more) as process, client(process.path) as ecs:
        ecs.register_task_definition(**definition)
        answers: list[Any] = []
        asking = threading.Thread(target=lambda: answers.append(ecs.run_task(taskDefinition="app", count=3)))
        asking.start()
        until(cli.containers)
        process.process.send_signal(number)
        asking.join(30)
        assert process.process.wait(30) == 0, process.lines
        assert [len(answer["tasks"]) for answer in answers] == [3]
        assert not process.path.exists()
    assert len(cli.json("list-tasks")["taskArns"]) == 3


@pytest.mark.parametrize("more", [(), ("--no-controller",)])
def test_it_ends_on_a_signal_that_another_of_its_threads_is_given(cli: Cli, more: tuple[str, ...]) -> None:
    with serving(cli, *more) as process:
        threads = {int(task.name) for task in Path(f"/proc/{process.process.pid}/task").iterdir()}
        os.kill(max(threads - {process.process.pid}), signal.SIGTERM)  # Linux prefers the one whose number it is
        assert process.process.wait(30) == 0, process.lines


def test_the_socket_of_a_killed_server_is_replaced_and_one_in_use_is_refused(cli: Cli) -> None:
    with serving(cli) as process:
        assert stat.S_IMODE(process.path.lstat().st_mode) == 0o600
        said = cli.error("serve", "--no-tcp", "--socket", str(process.path), code=1)
        assert said.startswith(f"ecsctl: {process.path} is in use by another process: end that one, or ")
    assert process.path.exists()
    with serving(cli) as process, client(process.path) as ecs:
        assert ecs.list_clusters()["clusterArns"]


@pytest.fixture
def runtime() -> Iterator[Path]:
    """A directory whose name is short: the address of a socket is."""
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def test_the_socket_is_in_the_runtime_directory_unless_it_is_named(cli: Cli, runtime: Path) -> None:
    cli.environment["XDG_RUNTIME_DIR"] = str(runtime)
    process = cli.start("serve", "--no-tcp", "--no-controller")
    try:
        assert process.stderr
        assert process.stderr.readline() == f"ecsctl: answering on {runtime}/ecsctl/serve.sock\n"
        with socket.socket(socket.AF_UNIX) as client_:
            client_.connect(str(runtime / "ecsctl" / "serve.sock"))
    finally:
        process.terminate()
        process.communicate()
    assert process.returncode == 0
