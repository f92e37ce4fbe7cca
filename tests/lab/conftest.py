"""Three machines for all tests of the lab, each whole and empty when a test begins."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.images import IMAGE
from tests.lab.machines import Machine, machines
from tests.scenarios.conftest import Cli

QUICK = 'healthy_after = "1s"\nloss_grace = "2s"\nloss_contacts = 2\n'
GRACE = 2.0
File = Callable[..., str]


class Fleet(Cli):
    """The command, with a state of its own, in which the machines are container instances of three zones."""

    def __init__(self, home: Path, made: list[Machine], runtime: Path) -> None:
        super().__init__(home)
        self.machines = made
        self.runtime = runtime
        self.environment |= {"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(runtime)}
        self.configure(QUICK)
        for machine in made:
            self.mend(machine)

    def __getitem__(self, name: str) -> Machine:
        return next(machine for machine in self.machines if machine.name == name)

    def register(self, way: str, *, only: str | None = None) -> None:
        """Make container instances of the machines, reached by `unix` or `ssh`."""
        for machine, zone in zip(self.machines, "abc", strict=True):
            if only in (None, machine.name):
                address = machine.ssh if way == "ssh" else f"unix://{self._link(machine)}"
                words = ["--host", address, "--name", machine.name]
                self("register-container-instance", *words, "--availability-zone", f"us-east-1{zone}")

    def _link(self, machine: Machine) -> Path:
        return self.runtime / f"{machine.name}.sock"

    def cut(self, machine: Machine) -> None:
        """A partition for who reaches the machine by `unix`: told at once, where ssh takes its time."""
        self._link(machine).unlink()

    def mend(self, machine: Machine) -> None:
        self._link(machine).symlink_to(machine.unix.removeprefix("unix://"))

    def serve(self, file: str, desired: int, *more: str) -> None:
        """A service `web` that has settled."""
        self("register-task-definition", file)
        family = Path(file).stem
        words = ["--service-name", "web", "--task-definition", family, "--desired-count", str(desired)]
        # Else tasks would move back to a host that has returned.
        self("create-service", *words, "--availability-zone-rebalancing", "DISABLED", *more)
        self.until(self.is_steady)
        self.kill_background()

    def is_steady(self) -> bool:
        """Whether the service has settled."""
        events = self.service("web")["events"]
        return bool(events) and events[0]["message"].endswith("has reached a steady state.")

    def until(self, condition: Callable[[], Any], seconds: float = 60.0) -> float:  # type: ignore[override]
        """Reconcile as from cron, and often, until it is so; how many seconds it took."""
        begin = time.monotonic()
        while not condition():
            assert time.monotonic() < begin + seconds, self.ups()
            self("reconcile", code=None)
            time.sleep(0.1)
        return time.monotonic() - begin

    def ups(self) -> dict[str, int]:
        """How many containers run on each machine that is on."""
        return {machine.name: len(machine.containers()) for machine in self.machines if machine.is_up}

    def events(self, kind: str) -> list[str]:
        """The journal's lines of a kind."""
        entries = json.loads(self("events", "--output", "json", "--tail", "1000").stdout)
        return [str(entry["message"]) for entry in entries if entry["kind"] == kind]

    def cut_ssh(self) -> None:
        """Kill the ssh processes that hold connections."""
        subprocess.run(["pkill", "-KILL", "-f", f"{self.runtime}/ecsctl"], check=False)


@pytest.fixture(scope="session")
def lab() -> Iterator[list[Machine]]:
    if os.getuid() or not shutil.which("dockerd"):
        pytest.skip("the lab needs root and dockerd")
    with machines(3) as made:
        yield made


@pytest.fixture
def fleet(lab: list[Machine], tmp_path: Path) -> Iterator[Fleet]:
    runtime = Path(tempfile.mkdtemp(prefix="ecs", dir="/tmp"))  # short, as sockets' paths must be
    made = Fleet(tmp_path, lab, runtime)
    yield made
    made.kill_background()
    made.cut_ssh()
    for machine in lab:
        machine.heal()
        machine.clear()
    shutil.rmtree(runtime)


@pytest.fixture
def file(tmp_path: Path) -> File:
    """Writes a task definition of one container that runs until it is told to end."""

    def write(family: str = "app", **more: Any) -> str:
        script = "trap 'exit 0' TERM; while :; do sleep 0.1; done"
        main = {"name": "main", "image": IMAGE, "memory": 16, "entryPoint": ["sh", "-c"], "command": [script], **more}
        path = tmp_path / f"{family}.json"
        path.write_text(json.dumps({"family": family, "containerDefinitions": [main]}))
        return str(path)

    return write
