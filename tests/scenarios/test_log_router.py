"""FireLens on a real engine: a log router of our own, which speaks the forward protocol as far as to show it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.conftest import SLEEP, Cli, shell

pytestmark = pytest.mark.docker
File = Callable[..., str]

ROUTER = """
import os, socket, sys, threading
text = open("/fluent-bit/etc/fluent-bit.conf").read()
lines = [line.split(None, 1) for line in text.splitlines() if line.startswith("    ")]
path = next(value for key, value in lines if key == "unix_path")
listening = [socket.socket(socket.AF_UNIX)]
listening[0].bind(path)
for (key, value), (_, port) in zip(lines, lines[1:]):
    if key == "Listen" and port == "24224":
        listening.append(socket.create_server((value, 24224)))
def serve(server):
    server.listen()
    while True:
        one, _ = server.accept()
        threading.Thread(target=show, args=(one,)).start()
def show(one):
    while data := one.recv(65536):
        print(data, flush=True)
print(text, "KEY", os.environ.get("key_1"), flush=True)
for server in listening:
    threading.Thread(target=serve, args=(server,)).start()
"""
"""Listens where its configuration says, and prints what comes: MessagePack, in which text is as it was."""

PLACES = sorted({Path(place).resolve() for place in ("/usr", sys.base_prefix)})
"""Of the host, so that its Python runs in a container whose image has none."""


def router(folder: Path, **more: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A container definition and its volumes."""
    (folder / "router").mkdir()
    (folder / "router" / "router.py").write_text(ROUTER)
    places = {**{str(place): str(place) for place in PLACES}, "/lib": "/lib", "/lib64": "/lib64"}
    places[str(folder / "router")] = "/router"
    volumes = [{"name": f"v{n}", "host": {"sourcePath": path}} for n, path in enumerate(places)]
    points = [
        {"sourceVolume": f"v{n}", "containerPath": path, "readOnly": True} for n, path in enumerate(places.values())
    ]
    program = [str(Path(sys.executable).resolve()), "/router/router.py"]
    container = {
        "name": "router",
        "memory": 64,
        "entryPoint": program,
        "stopTimeout": 1,
        "mountPoints": points,
        "firelensConfiguration": {"type": "fluentbit"},
        **more,
    }
    return container, volumes


def logs_until(cli: Cli, task: str, *words: str) -> str:
    """What the router has printed when all the words are in it."""
    end = time.monotonic() + 30
    while True:
        said = cli("logs", task, "--container", "router").stdout
        if all(word in said for word in words):
            return said
        assert time.monotonic() < end, said
        time.sleep(0.2)


def firelens(name: str = "null", **more: Any) -> dict[str, Any]:
    return {"logConfiguration": {"logDriver": "awsfirelens", "options": {"Name": name}, **more}}


def test_what_containers_print_gets_to_the_router_under_their_tag(cli: Cli, file: File, tmp_path: Path) -> None:
    cli("secret", "put", "prod/key", "--file", _written(tmp_path / "value", "k4n4ry"))
    secret = firelens(secretOptions=[{"name": "key", "valueFrom": "prod/key"}])
    by_hand = "sleep 1; echo spoken; echo by hand | nc $FLUENT_HOST $FLUENT_PORT & "
    container, volumes = router(tmp_path)
    definition = file(container, {**shell(by_hand + SLEEP["command"][0]), **secret}, volumes=volumes)
    task = cli.json("run-task", "--task-definition", definition)["tasks"][0]["taskArn"]
    cli.until(task, lambda t: t["lastStatus"] == "RUNNING")
    said = logs_until(cli, task, "spoken", "by hand")
    assert f"main-firelens-{task[-32:]}" in said
    assert f"Record ecs_task_arn {task}" in said
    assert "Match main-firelens*" in said
    assert "key ${key_1}" in said
    assert "KEY k4n4ry" in said
    inside = cli.container_of(task, "main")
    assert "k4n4ry" not in cli.docker("inspect", inside)
    assert cli("logs", task, "--container", "main").stdout == "spoken\n"  # the engine keeps a copy

    cli("stop-task", "--task", task)
    cli.until(task, lambda t: t["lastStatus"] == "STOPPED")
    times = {
        name: cli.docker("inspect", "-f", f"{{{{.State.{when}}}}}", cli.container_of(task, name))
        for name, when in (("main", "FinishedAt"), ("router", "FinishedAt"))
    }
    assert times["main"] < times["router"]


def test_in_a_network_interface_of_their_own_they_meet_at_home(cli: Cli, file: File, tmp_path: Path) -> None:
    container, volumes = router(tmp_path)
    by_hand = "sleep 1; echo at $FLUENT_HOST; echo by hand | nc $FLUENT_HOST $FLUENT_PORT & "
    app = {**shell(by_hand + SLEEP["command"][0]), **firelens()}
    definition = file(container, app, volumes=volumes, networkMode="awsvpc")
    network = "awsvpcConfiguration={subnets=[bridge]}"
    answer = cli.json("run-task", "--task-definition", definition, "--network-configuration", network)
    said = logs_until(cli, answer["tasks"][0]["taskArn"], "by hand", "at 127.0.0.1")
    assert "Listen 127.0.0.1" in said


def test_the_end_of_the_router_is_the_end_of_the_task_and_holds_nothing_up(
    cli: Cli, file: File, tmp_path: Path
) -> None:
    container, volumes = router(tmp_path)
    busy = shell("trap 'exit 0' TERM; while :; do echo more; sleep 0.05; done")
    definition = file(container, {**busy, **firelens()}, volumes=volumes)
    task = cli.json("run-task", "--task-definition", definition)["tasks"][0]["taskArn"]
    logs_until(cli, task, "more")
    cli.docker("kill", cli.container_of(task, "router"))
    began = time.monotonic()
    stopped = cli.until(task, lambda t: t["lastStatus"] == "STOPPED")
    assert stopped["stopCode"] == "EssentialContainerExited"
    assert time.monotonic() - began < 15


def test_a_router_that_can_write_nowhere_gets_what_a_bucket_has(cli: Cli, file: File, tmp_path: Path) -> None:
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    (bucket / "more.conf").write_text("# more\n")
    (cli.home / "config.toml").write_text(f'[buckets]\nlogs = "{bucket}"\n')
    options = {"config-file-type": "s3", "config-file-value": "arn:aws:s3:::logs/more.conf"}
    container, volumes = router(
        tmp_path, readonlyRootFilesystem=True, firelensConfiguration={"type": "fluentbit", "options": options}
    )
    definition = file(container, {**SLEEP, **firelens()}, volumes=volumes)
    task = cli.json("run-task", "--task-definition", definition)["tasks"][0]["taskArn"]
    cli.until(task, lambda t: t["lastStatus"] == "RUNNING")
    assert "@INCLUDE /fluent-bit/etc/external.conf" in logs_until(cli, task, "KEY")
    inside = cli.container_of(task, "router")
    assert cli.docker("exec", inside, "cat", "/fluent-bit/etc/external.conf") == "# more"


def test_a_bucket_that_nothing_stands_for_fails_the_task(cli: Cli, file: File, tmp_path: Path) -> None:
    options = {"config-file-type": "s3", "config-file-value": "arn:aws:s3:::logs/more.conf"}
    container, volumes = router(tmp_path, firelensConfiguration={"type": "fluentbit", "options": options})
    definition = file(container, {**SLEEP, **firelens()}, volumes=volumes)
    task = cli.json("run-task", "--task-definition", definition)["tasks"][0]["taskArn"]
    stopped = cli.until(task, lambda t: t["lastStatus"] == "STOPPED")
    assert stopped["stopCode"] == "TaskFailedToStart"
    assert '[buckets] "logs" = "/path"' in stopped["stoppedReason"]


def _written(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)
