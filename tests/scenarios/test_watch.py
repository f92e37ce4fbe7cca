"""`reconcile --watch` on a real engine: it acts on what happens, alone, and another takes its place when it dies."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.conftest import SLEEP, Cli, shell

pytestmark = pytest.mark.docker
File = Callable[..., str]


@contextmanager
def watching(cli: Cli, *more: str) -> Iterator[subprocess.Popen[str]]:
    """A controller, once it says that it keeps the state or stands by."""
    # A look at the hosts would find everything in the end: only what is told by events comes before the next one.
    process = cli.start("reconcile", "--watch", "--interval", "10m", *more)
    try:
        assert process.stderr is not None
        assert "ecsctl: " in process.stderr.readline()
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def running(cli: Cli, file: File) -> list[str]:
    """Two containers of a service, steady; nothing goes on in the background."""
    cli("register-task-definition", file(SLEEP))
    cli("create-service", "--service-name", "web", "--task-definition", "app", "--desired-count", "2")
    cli("reconcile", "--service", "web")
    cli.kill_background()
    return up(cli)


def up(cli: Cli) -> list[str]:
    return cli.containers("--filter", "status=running")


def until(condition: Callable[[], Any], seconds: float = 60.0) -> None:
    """It has to be so within the time, which is far less than the interval of `watching`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def replaced(cli: Cli, lost: str) -> Callable[[], bool]:
    return lambda: lost not in (found := up(cli)) and len(found) == 2


def test_what_dies_or_is_removed_is_replaced(cli: Cli, running: list[str]) -> None:
    with watching(cli):
        cli.docker("kill", running[0])
        until(replaced(cli, running[0]))
        cli.docker("rm", "-f", running[1])
        until(replaced(cli, running[1]))


def test_what_becomes_unhealthy_is_replaced(cli: Cli, file: File) -> None:
    check = {"command": ["CMD-SHELL", "test ! -e /tmp/ill"], "interval": 5, "retries": 1}
    script = "trap 'exit 0' TERM; while :; do sleep 0.1; done"
    cli("register-task-definition", file(shell(script, healthCheck=check)))
    cli("create-service", "--service-name", "web", "--task-definition", "app", "--desired-count", "1")
    with watching(cli):
        until(lambda: up(cli))
        (sick,) = up(cli)
        cli.docker("exec", sick, "touch", "/tmp/ill")
        until(lambda: up(cli) and sick not in up(cli), seconds=40)
    assert any("failed container health checks." in e["message"] for e in cli.service("web")["events"])


def test_another_takes_its_place_when_it_dies(cli: Cli, running: list[str]) -> None:
    with watching(cli) as first, watching(cli) as second:
        first.send_signal(signal.SIGSTOP)
        time.sleep(1.0)
        cli.docker("kill", running[0])
        time.sleep(1.0)
        assert len(up(cli)) == 1, "the one that stands by has acted"
        first.kill()
        until(replaced(cli, running[0]))
        assert second.poll() is None


def test_another_takes_its_place_when_it_hangs_and_it_stands_by_when_it_wakes(cli: Cli, running: list[str]) -> None:
    with watching(cli) as first, watching(cli):
        first.send_signal(signal.SIGSTOP)
        cli.docker("kill", running[0])
        until(replaced(cli, running[0]), seconds=40)
        first.send_signal(signal.SIGCONT)
        assert first.stderr is not None
        assert "keeps this state; standing by to take over" in first.stderr.readline()
        cli.docker("kill", running[1])
        until(replaced(cli, running[1]))
        time.sleep(1.0)
        assert len(up(cli)) == 2
        assert len(cli.containers()) == 4


def test_it_ends_on_sigterm_and_tells_its_service_manager(cli: Cli, running: list[str], tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.settimeout(10)
        cli.environment["NOTIFY_SOCKET"] = address
        with watching(cli, "--output", "json") as process:
            cli.docker("kill", running[0])
            until(replaced(cli, running[0]))
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=15)
        assert process.returncode == 0, err
        told = [manager.recv(100).decode() for _ in range(3)]
    assert told == ["READY=1", "STATUS=keeping the state", "STOPPING=1"]
    assert any("start container main" in json.loads(line)["action"] for line in out.splitlines())
    assert "Traceback" not in err
