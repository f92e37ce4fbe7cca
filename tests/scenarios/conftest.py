"""The command as a user types it, on the real engine, each test with a state of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ecsctl.model import identity
from ecsctl.model.state_place import SharedState, StatePlace, home_of
from ecsctl.store.store import Store, is_there
from tests.engine.dockerd import Dockerd, engines
from tests.images import IMAGE
from tests.postgresql import Server


class Cli:
    """Runs ecsctl in processes of its own."""

    def __init__(self, home: Path, shared: SharedState | None = None) -> None:
        """With a state in a file of `home`, or with a shared one."""
        self.home = home
        self.state = home / "state.db"
        self.place: StatePlace = shared or self.state
        self.configure()
        self.environment = {
            **os.environ,
            "ECSCTL_STATE": shared.url if shared else str(self.state),
            "ECSCTL_KEYS": str(home_of(self.place).parent),
            "ECSCTL_CONFIG": str(home / "config.toml"),
            "AWS_REGION": "us-east-1",
        }

    def configure(self, text: str = "", *, endpoint: bool = False) -> None:
        """Write the configuration. All who use an engine share one metadata endpoint, which tests of it end and remove:
        others have none."""
        word = "true" if endpoint else "false"
        first = f'endpoint_image = "{IMAGE}"\nmetadata_endpoint = {word}\n'
        (self.home / "config.toml").write_text(first + text)

    def start(self, *arguments: str, **more: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "ecsctl", *arguments]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment, **more
        )

    def __call__(self, *arguments: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run it; its exit code has to be `code` (None: any)."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=120)
        done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
        assert "Traceback" not in err, err
        if code is not None:
            assert done.returncode == code, f"exit {done.returncode}\n{out}\n{err}"
        return done

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments).stdout)

    def error(self, *arguments: str, code: int) -> str:
        """The one line it says when it fails, with nothing on stdout."""
        done = self(*arguments, code=code)
        lines = [line for line in done.stderr.splitlines() if line]
        assert len(lines) == 1, done.stderr
        assert done.stdout == ""
        return lines[0]

    def task(self, task: str) -> Any:
        """describe-tasks of one task."""
        return self.json("describe-tasks", "--tasks", task)["tasks"][0]

    def until(self, task: str, condition: Callable[[Any], bool], seconds: float = 60.0) -> Any:
        """The task when the condition holds; it has to within the time."""
        end = time.monotonic() + seconds
        while True:
            found = self.task(task)
            if condition(found):
                return found
            assert time.monotonic() < end, found
            time.sleep(0.1)

    def service(self, name: str) -> Any:
        """describe-services of one service."""
        return self.json("describe-services", "--services", name)["services"][0]

    def until_service(self, name: str, condition: Callable[[Any], bool], seconds: float = 120.0) -> Any:
        """The service when the condition holds, with a reconcile now and then, as from cron."""
        end = time.monotonic() + seconds
        while True:
            self("reconcile")
            found = self.service(name)
            if condition(found):
                return found
            assert time.monotonic() < end, found
            time.sleep(0.3)

    def until_logged(self, *arguments: str, lines: int = 1) -> str:
        """What `logs` shows once it is so many lines: the engine may have what was just said a moment later."""
        end = time.monotonic() + 30
        while len((said := self("logs", *arguments).stdout).splitlines()) < lines:
            assert time.monotonic() < end, said
            time.sleep(0.1)
        return said

    def docker(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout.strip()

    def kill_background(self) -> None:
        """End what goes on with this state's tasks and services, as a crash would."""
        for process in self.processes():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def processes(self) -> list[int]:
        """Those of ecsctl that use this state."""
        ours = f"ECSCTL_CONFIG={self.environment['ECSCTL_CONFIG']}\0".encode()
        found = []
        for process in Path("/proc").iterdir():
            with suppress(OSError):
                if process.name.isdecimal() and ours in (process / "environ").read_bytes():
                    found.append(int(process.name))
        return [process for process in found if process != os.getpid()]

    def containers(self, *more: str) -> list[str]:
        """Ids of this state's containers, running or not."""
        store = Store.open(self.place)
        label = f"label={identity.INSTALL}={store.install}"
        store.close()
        return self.docker("ps", "-aq", "--no-trunc", "--filter", label, *more).split()

    def container_of(self, task: str, name: str) -> str:
        """The engine's id of a task's container."""
        return next(str(c["runtimeId"]) for c in self.task(task)["containers"] if c["name"] == name)


def fetched(place: str) -> bytes:
    """What a web server at HOST:PORT/PATH answers; it may just have begun."""
    end = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(f"http://{place}", timeout=5) as answer:
                return bytes(answer.read())
        except OSError:
            assert time.monotonic() < end
        time.sleep(0.1)


class Watch:
    """What a number was, at the least and at the most, while it was watched."""

    def __init__(self, number: Callable[[], int]) -> None:
        self.least = self.most = number()
        self._number = number
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.1):
            number = self._number()
            self.least, self.most = min(self.least, number), max(self.most, number)


HOSTS = 3


@pytest.fixture(scope="module")
def hosts() -> Iterator[list[Dockerd]]:
    """Several engines, for a module whose tests have `nothing_left` on them."""
    with engines(HOSTS) as made:
        yield made


@pytest.fixture
def nothing_left(cli: Cli, hosts: list[Dockerd]) -> Iterator[None]:
    yield
    cli.kill_background()  # it would make anew what is removed
    for host in hosts:
        if left := host.containers("--all"):
            host.docker("rm", "--force", "--volumes", *left)


def register(cli: Cli, host: Dockerd, name: str, *more: str) -> str:
    """The ARN of the container instance that the host has become."""
    made = cli.json("register-container-instance", "--host", host.address, "--name", name, *more)
    return str(made["containerInstance"]["containerInstanceArn"])


def set_status(cli: Cli, instance: str, status: str) -> None:
    cli("update-container-instances-state", "--container-instances", instance, "--status", status)


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Cli]:
    runner = Cli(tmp_path)
    yield runner
    clean_up(runner)


@pytest.fixture
def run_copy(cli: Cli) -> Iterator[Callable[[str], str]]:
    """Runs what somebody does who looks into an image of a container, which has all its labels; gives its id."""
    containers, images = list[str](), list[str]()

    def run(container: str) -> str:
        images.append(cli.docker("commit", container))
        containers.append(cli.docker("run", "-d", "--init", "--entrypoint", "sleep", images[-1], "300"))
        return containers[-1]

    yield run
    cli.docker("rm", "-f", *containers)
    cli.docker("rmi", *images)


@pytest.fixture
def shared(tmp_path: Path, postgres: Server) -> Iterator[Cli]:
    """With a state in PostgreSQL."""
    name = postgres.new_database()
    runner = Cli(tmp_path, SharedState(postgres.url(name), tmp_path / name))
    yield runner
    clean_up(runner)


def clean_up(runner: Cli) -> None:
    """Remove what a test has left on the engine."""
    if not is_there(runner.place):
        return
    # What goes on with a service in the background would make its tasks anew.
    runner.kill_background()
    for _ in range(3):  # a process in the background may still be making one
        try:
            found = runner.containers()
        except Exception:
            return
        if not found:
            return
        tasks = runner.docker("inspect", "-f", '{{index .Config.Labels "ecsctl.task"}}', *found, check=False).split()
        runner.docker("rm", "-fv", *found, check=False)
        for task in set(tasks):
            volumes = runner.docker("volume", "ls", "-q", "--filter", f"name={task}").split()
            runner.docker("volume", "rm", *volumes, check=False)


@pytest.fixture
def subnet(cli: Cli) -> Iterator[str]:
    """The name of a network that awsvpc tasks make, and that is removed after the test."""
    name = f"subnet-{cli.home.name.replace('_', '-')[-40:]}-{cli.home.parent.name}"
    yield name
    cli.kill_background()
    if cli.state.exists() and (left := cli.containers()):
        cli.docker("rm", "-fv", *left, check=False)
    cli.docker("network", "rm", name, check=False)


@pytest.fixture
def file(tmp_path: Path, engine_image: str) -> Callable[..., str]:
    """Writes a task definition; containers get the tests' image and 16 MiB unless they say otherwise."""

    def write(*containers: dict[str, Any], family: str = "app", **fields: Any) -> str:
        path = tmp_path / f"{family}.json"
        filled = [{"name": "main", "image": engine_image, "memory": 16, **c} for c in containers]
        path.write_text(json.dumps({"family": family, "containerDefinitions": filled, **fields}))
        return str(path)

    return write


def shell(script: str, **more: Any) -> dict[str, Any]:
    """A container that runs a shell script."""
    return {"entryPoint": ["sh", "-c"], "command": [script], "stopTimeout": 2, **more}


SLEEP = shell("trap 'exit 0' TERM; while :; do sleep 0.1; done")
