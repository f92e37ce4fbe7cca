"""Docker Engines of a test's own, beside the one that all tests share: more hosts than this machine has."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.images import ensure_image

OWN_CONFIGURATION = 'mkdir -p /etc/docker && mount -t tmpfs none /etc/docker && exec "$0" "$@"'
APART = ("unshare", "--mount", "--net", "sh", "-c", OWN_CONFIGURATION)
"""Away from this machine's network, where another engine would take the shared one's bridge for its own, and from
/etc/docker, where older engines keep what tells them apart: two that share it would be one and the same host."""


class Dockerd:
    """One engine. It has no network: its containers' networkMode has to be none."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.address = f"unix://{directory}/docker.sock"

    def start(self) -> None:
        """Returns when it answers."""
        places = {"--data-root": "data", "--exec-root": "exec", "--pidfile": "pid"}
        with (self._directory / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *APART,
                    *("dockerd", "--host", self.address),
                    *(f"{option}={self._directory / name}" for option, name in places.items()),
                    *("--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + 60
        while subprocess.run(["docker", "--host", self.address, "version"], capture_output=True).returncode:
            if self._process.poll() is not None or time.monotonic() > end:
                self._process.kill()
                raise RuntimeError((self._directory / "log").read_text())
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        return self._process.pid

    def containers(self, *more: str) -> list[str]:
        """Ids, by default of those that run."""
        return self.docker("ps", "-q", "--no-trunc", *more).split()

    def docker(self, *arguments: str) -> str:
        command = ["docker", "--host", self.address, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def end(self) -> None:
        """With all of its containers."""
        if left := self.containers("--all"):
            self.docker("rm", "--force", "--volumes", *left)
        self._process.terminate()
        self._process.wait(timeout=30)


@contextmanager
def engines(number: int) -> Iterator[list[Dockerd]]:
    """So many engines that have the tests' image."""
    if os.getuid() or not shutil.which("dockerd"):
        pytest.skip("a Docker Engine of one's own needs root and dockerd")
    made = []
    with ExitStack() as stack:
        for _ in range(number):
            # In /tmp and short, as sockets' paths must be.
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ecs", dir="/tmp")))
            engine = Dockerd(directory)
            engine.start()
            stack.callback(engine.end)
            ensure_image(host=engine.address)
            made.append(engine)
        yield made
