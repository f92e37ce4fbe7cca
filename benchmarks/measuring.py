"""How both sides are measured: in turns, by the median, so that a busy neighbour slows both."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
ECSCTL = str(Path(sys.executable).parent / "ecsctl")
IMAGE = "busybox:stable"
SLEEP = ["sleep", "1000"]
MEMORY = 32
"""MiB that each container gets, on both sides."""


class Figure(NamedTuple):
    """One line of the result: ours and the peer's median in milliseconds, and what is to be reached of them."""

    what: str
    ours: float
    peer: float
    is_ratio: bool
    limit: float

    @property
    def value(self) -> float:
        return self.ours / self.peer if self.is_ratio else self.ours - self.peer

    def __str__(self) -> str:
        shown, limit = (
            (f"{self.value:.2f} x", f"{self.limit:g} x")
            if self.is_ratio
            else (f"{self.value:+.0f} ms", f"+{self.limit:g} ms")
        )
        missed = "" if self.value <= self.limit else "   MISSED"
        return f"{self.what:48}{self.ours:8.0f}{self.peer:8.0f}{shown:>11}{'<= ' + limit:>13}{missed}"


def heading(samples: int) -> str:
    return f"{f'median of {samples}, in ms':48}{'ecsctl':>8}{'peer':>8}{'':11}{'to reach':>13}"


def compare(
    samples: int, ours: Callable[[], object], peer: Callable[[], object], between: Callable[[], object] = lambda: None
) -> tuple[float, float]:
    """The two medians, in milliseconds. Each begins every other time; the first time does not count."""
    times: dict[Callable[[], object], list[float]] = {ours: [], peer: []}
    for sample in range(samples + 1):
        for call in (ours, peer) if sample % 2 else (peer, ours):
            begin = time.perf_counter()
            call()
            times[call].append((time.perf_counter() - begin) * 1000)
        between()
    return statistics.median(times[ours][1:]), statistics.median(times[peer][1:])


def containers(*filters: str) -> list[str]:
    """The ids of the containers that docker lists."""
    options = [word for one in filters for word in ("--filter", one)]
    return subprocess.check_output(["docker", "ps", "-aq", "--no-trunc", *options], text=True).split()


def remove_containers(*labels: str) -> None:
    """Between samples, so that no side runs on a fuller host."""
    found = [container for label in labels for container in containers(f"label={label}")]
    if found:
        run("docker", "rm", "-fv", *found)
        time.sleep(0.5)  # the engine goes on cleaning up when it has answered


def succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True).returncode == 0


def run(*command: str) -> str:
    """What it printed; when it fails, the benchmark ends with its words."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout
