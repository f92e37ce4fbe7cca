"""What cannot start, what ends badly, and what is done to tasks behind ecsctl's back."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ecsctl.model import identity
from tests.scenarios.conftest import SLEEP, Cli, shell

pytestmark = pytest.mark.docker
File = Callable[..., str]


def run(cli: Cli, definition: str) -> str:
    return str(cli.json("run-task", "--task-definition", definition)["tasks"][0]["taskArn"])


def failed(cli: Cli, definition: str) -> Any:
    """The stopped task, after run-task --wait failed at once and said why."""
    done = cli("run-task", "--task-definition", definition, "--wait", code=1)
    (task,) = json.loads(done.stdout)["tasks"]
    assert task["stoppedReason"] in done.stderr
    assert (task["lastStatus"], task["stopCode"]) == ("STOPPED", "TaskFailedToStart")
    assert cli.containers("--filter", "status=running") == []
    return task


def test_an_image_that_does_not_exist(cli: Cli, file: File) -> None:
    task = failed(cli, file({"image": "127.0.0.1:1/no/such:image"}))
    assert task["stoppedReason"].startswith("CannotPullContainerError: ")
    assert task["containers"][0]["reason"] == task["stoppedReason"]


def test_run_task_does_not_wait_for_a_pull(cli: Cli, file: File) -> None:
    with socket.create_server(("127.0.0.1", 0)) as registry:  # takes connections and never answers
        task = run(cli, file({"image": f"127.0.0.1:{registry.getsockname()[1]}/slow:1"}))
        registry.settimeout(20)
        asked, _ = registry.accept()  # so the background is at it
        assert cli.task(task)["lastStatus"] == "PENDING"
        answer = cli.json("stop-task", "--task", task)["task"]
        assert answer["desiredStatus"] == "STOPPED"
        cli.until(task, lambda t: t["lastStatus"] == "STOPPED", 30)
        asked.close()


def test_a_command_that_does_not_exist(cli: Cli, file: File) -> None:
    task = failed(cli, file({"command": ["/no/such"]}))
    assert task["stoppedReason"].startswith("CannotStartContainerError: ")
    assert "/no/such" in task["stoppedReason"]
    assert cli.containers() == []


def test_a_port_that_somebody_else_has_taken(cli: Cli, file: File) -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        task = failed(cli, file({**SLEEP, "portMappings": [{"containerPort": 80, "hostPort": port}]}))
    assert task["stoppedReason"].startswith("CannotStartContainerError: ")
    assert str(port) in task["stoppedReason"]


def test_a_port_that_another_task_has_taken(cli: Cli, file: File) -> None:
    definition = file({**SLEEP, "portMappings": [{"containerPort": 80, "hostPort": 18096}]})
    first = run(cli, definition)
    answer = cli.json("run-task", "--task-definition", definition)
    assert (answer["tasks"], answer["failures"][0]["reason"]) == ([], "RESOURCE:PORTS")
    cli("stop-task", "--task", first)
    cli("wait", "tasks-stopped", "--tasks", first)
    run(cli, definition)


def test_a_name_that_a_stranger_holds(cli: Cli, file: File, engine_image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The task's id is not known before; so the stranger takes the name while the image is being looked for.
    definition = file(shell("exit 0", name="first", essential=False), shell("exit 0"))
    assert definition
    cli("register-task-definition", definition)
    task = "f" * 32
    name = identity.container_name("app", 1, "main", task)
    stranger = cli.docker("create", "--name", name, engine_image)
    try:
        cli.environment["PYTHONPATH"] = str(Path(__file__).parent / "fixed_ids")
        said = cli("run-task", "--task-definition", "app", "--wait", code=1).stderr
        assert "name in use by a container that is not ours" in said
        assert cli.docker("inspect", "-f", "{{.State.Status}}", stranger) == "created"
    finally:
        cli.docker("rm", "-f", stranger)


def test_reconcile_notices_what_was_killed_and_what_was_removed(cli: Cli, file: File) -> None:
    killed, removed = run(cli, file(SLEEP)), run(cli, "app")
    cli.docker("kill", cli.container_of(killed, "main"))
    cli.docker("rm", "-f", cli.container_of(removed, "main"))
    plan = cli("reconcile", "--dry-run").stdout
    assert f"task {killed[-32:][:12]} (app:1): rename container main: it has ended" in plan
    assert f"task {removed[-32:][:12]} (app:1) is to stop: EssentialContainerExited" in plan
    assert plan == cli("reconcile", "--dry-run").stdout
    done = cli("reconcile", "--detailed-exitcode", code=2)
    assert "ContainerVanishedError" not in done.stderr
    assert cli("reconcile", "--detailed-exitcode", code=0).stdout == ""
    first, second = cli.task(killed), cli.task(removed)
    assert (first["lastStatus"], first["containers"][0]["exitCode"]) == ("STOPPED", 137)
    assert second["lastStatus"] == "STOPPED"
    assert second["containers"][0]["reason"].startswith("ContainerVanishedError")
    assert "exitCode" not in second["containers"][0]


def test_a_quiet_reconcile_writes_nothing(cli: Cli, file: File) -> None:
    run(cli, file(SLEEP))
    cli("reconcile")
    before = [p.read_bytes() for p in sorted(cli.home.glob("state.db*")) if p.suffix != ".db-shm"]
    cli("reconcile")
    assert [p.read_bytes() for p in sorted(cli.home.glob("state.db*")) if p.suffix != ".db-shm"] == before


@pytest.mark.parametrize("after", [0.12, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5])
def test_what_a_killed_run_task_left_is_finished_by_reconcile(cli: Cli, file: File, after: float) -> None:
    cli("register-task-definition", file(SLEEP, {**SLEEP, "name": "second"}))
    cli("list-container-instances")
    process = cli.start("run-task", "--task-definition", "app")
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    cli("reconcile")
    tasks = cli.json("list-tasks")["taskArns"]
    assert len(tasks) <= 1
    for task in tasks:
        assert cli.task(task)["lastStatus"] == "RUNNING"
    assert len(cli.containers("--filter", "status=running")) == 2 * len(tasks)
    assert len(cli.containers()) == 2 * len(tasks)


def test_reconcile_goes_on_with_what_waits_for_another_container(cli: Cli, file: File) -> None:
    first = {**shell("sleep 3"), "name": "first", "essential": False}
    after_it = {**SLEEP, "dependsOn": [{"containerName": "first", "condition": "SUCCESS"}]}
    task = run(cli, file(first, after_it))
    cli.kill_background()
    assert cli.task(task)["lastStatus"] == "ACTIVATING"
    assert "start container main" in cli("reconcile").stdout
    assert cli.task(task)["lastStatus"] == "RUNNING"


def test_an_interrupted_wait_leaves_the_task_to_the_background(cli: Cli, file: File) -> None:
    process = cli.start(
        "run-task", "--task-definition", file(shell("echo on; sleep 4; echo off; sleep 60")), "--wait", "--logs"
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "on\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    task = cli.json("list-tasks")["taskArns"][0]
    assert (process.returncode, out) == (130, "")
    assert err == f"ecsctl: task {task.rpartition('/')[2]} goes on: see `ecsctl ps`, end with `ecsctl stop-task`\n"
    follower = cli.start("logs", "-f", task)
    assert follower.stdout is not None
    assert [follower.stdout.readline() for _ in range(2)] == ["on\n", "off\n"]
    follower.send_signal(signal.SIGINT)
    assert follower.communicate(timeout=10) == ("", "")
    assert follower.returncode == 130
    assert cli.task(task)["lastStatus"] == "RUNNING"


def test_several_reconciles_at_once_do_nothing_twice(cli: Cli, file: File) -> None:
    for _ in range(3):
        run(cli, file(SLEEP))
    cli.docker("kill", *cli.containers())
    runs = [cli.start("reconcile") for _ in range(4)]
    out = [process.communicate(timeout=60) for process in runs]
    assert [process.returncode for process in runs] == [0] * 4, out
    renames = [line for text, _ in out for line in text.splitlines() if "rename container" in line]
    assert len(renames) == 3
    assert cli.json("list-tasks")["taskArns"] == []


def test_a_container_that_is_started_by_hand_after_its_task_ended_is_stopped(cli: Cli, file: File) -> None:
    task = run(cli, file(SLEEP))
    container = cli.container_of(task, "main")
    cli("stop-task", "--task", task)
    cli("wait", "tasks-stopped", "--tasks", task)
    cli.docker("start", container)
    assert "its task is STOPPED" in cli("reconcile").stdout
    assert cli.containers("--filter", "status=running") == []


def test_a26_containers_with_forged_or_copied_labels_are_left_alone(
    cli: Cli, file: File, engine_image: str, run_copy: Callable[[str], str]
) -> None:
    task = run(cli, file(SLEEP))
    labels = json.loads(cli.docker("inspect", "-f", "{{json .Config.Labels}}", cli.container_of(task, "main")))
    forged = {**labels, identity.TASK: "0" * 32}
    arguments = [word for key, value in forged.items() for word in ("--label", f"{key}={value}")]
    stranger = cli.docker("run", "-d", *arguments, engine_image, "sleep", "60")
    copy = run_copy(cli.container_of(task, "main"))
    for _ in range(2):
        assert f"carries the labels of ecs-app-1-main-{task[-32:]}: it is a copy" in cli("reconcile").stderr
    assert cli("events").stdout.count("ForeignLabel") == 2
    cli.configure('stopped_container_retention = "0s"\n')
    cli("stop-task", "--task", task)
    cli("wait", "tasks-stopped", "--tasks", task)
    cli("reconcile")
    assert sorted(cli.containers()) == sorted([stranger, copy])
    for one in (stranger, copy):
        assert cli.docker("inspect", "-f", "{{.State.Running}}", one) == "true"


def test_stopped_containers_and_their_volumes_are_collected_when_old(cli: Cli, file: File) -> None:
    mount = [{"sourceVolume": "scratch", "containerPath": "/scratch"}]
    task = run(cli, file(shell("true", mountPoints=mount), volumes=[{"name": "scratch"}]))
    cli("wait", "tasks-stopped", "--tasks", task)
    cli("reconcile")
    assert len(cli.containers()) == 1
    volumes = ["volume", "ls", "-q", "--filter", f"name={task[-32:]}"]
    assert cli.docker(*volumes) != ""
    cli.configure('stopped_container_retention = "0s"\n')
    assert "remove container" in cli("reconcile", "--dry-run").stdout
    assert len(cli.containers()) == 1
    cli("reconcile")
    assert (cli.containers(), cli.docker(*volumes)) == ([], "")
    assert cli.task(task)["lastStatus"] == "STOPPED"
    assert cli("reconcile", "--detailed-exitcode").stdout == ""


def test_the_volumes_of_a_task_whose_containers_somebody_removed_are_collected(cli: Cli, file: File) -> None:
    mount = [{"sourceVolume": "scratch", "containerPath": "/scratch"}]
    task = run(cli, file({**SLEEP, "mountPoints": mount}, volumes=[{"name": "scratch"}]))
    cli.docker("rm", "-f", *cli.containers())
    cli("reconcile")
    volumes = ["volume", "ls", "-q", "--filter", f"name={task[-32:]}"]
    assert cli.docker(*volumes) != ""
    cli.configure('stopped_container_retention = "0s"\n')
    cli("reconcile")
    assert cli.docker(*volumes) == ""


def test_tasks_leave_the_history_when_their_time_is_up(cli: Cli, file: File) -> None:
    task = run(cli, file(shell("true")))
    cli("wait", "tasks-stopped", "--tasks", task)
    assert cli.json("list-tasks", "--desired-status", "STOPPED")["taskArns"] == [task]
    cli.configure('stopped_container_retention = "0s"\nhistory = "0s"\n')
    cli("reconcile")
    cli("reconcile")
    assert cli.json("list-tasks", "--desired-status", "STOPPED")["taskArns"] == []
    assert [f["reason"] for f in cli.json("describe-tasks", "--tasks", task)["failures"]] == ["MISSING"]


def test_a_hung_engine_is_one_clear_line_in_time(cli: Cli, file: File, tmp_path: Path) -> None:
    definition = file(SLEEP)
    path = tmp_path / "hung.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        cli.environment["DOCKER_HOST"] = f"unix://{path}"
        begin = time.monotonic()
        said = cli.error("run-task", "--task-definition", definition, code=255)
        assert time.monotonic() - begin < 15
    assert "hung.sock" in said


def test_an_engine_that_is_not_there_is_one_clear_line(cli: Cli, file: File, tmp_path: Path) -> None:
    cli.environment["DOCKER_HOST"] = f"unix://{tmp_path}/none.sock"
    said = cli.error("run-task", "--task-definition", file(SLEEP), code=255)
    assert "none.sock" in said
    assert "dockerd" in said
    assert cli.json("list-tasks")["taskArns"] == []


def test_an_engine_that_went_away_leaves_tasks_as_they_were_seen(cli: Cli, file: File, tmp_path: Path) -> None:
    proxy = tmp_path / "proxy.sock"
    with Proxy(proxy):
        cli.environment["DOCKER_HOST"] = f"unix://{proxy}"
        task = run(cli, file(SLEEP))
    done = cli("describe-tasks", "--tasks", task)
    found = json.loads(done.stdout)["tasks"][0]
    assert (found["lastStatus"], found["connectivity"]) == ("RUNNING", "DISCONNECTED")
    assert "does not answer" in done.stderr
    assert cli("reconcile", code=5).stdout == ""
    assert cli("reconcile", "--detailed-exitcode", code=1).stdout == ""
    said = cli.error("run-task", "--task-definition", "app", code=255)
    assert "proxy.sock" in said
    with Proxy(proxy):
        assert cli.task(task)["lastStatus"] == "RUNNING"
        assert cli.task(task)["connectivity"] == "CONNECTED"


class Proxy:
    """A socket that passes on to the real engine while it is open."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(self._path))
        self._listening.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        os.unlink(self._path)
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            engine = socket.socket(socket.AF_UNIX)
            engine.connect("/var/run/docker.sock")
            for source, target in ((client, engine), (engine, client)):
                threading.Thread(target=_pass_on, args=(source, target), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with source, suppress(OSError):  # the other direction may have closed it
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
