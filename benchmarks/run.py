#!/usr/bin/env python3
"""How quick ecsctl is, against docker and bare Python in the same run.

    make bench                        print the figures beside what is to be reached
    .venv/bin/python benchmarks/run.py --check    the same, and exit with 1 when one is not reached

Both sides run the same image with the same memory limit on the bridge network. They take turns, and the median is
taken, so that a busy neighbour slows both.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ecsctl.model.identity import INSTALL
from ecsctl.store.store import Store

ROOT = Path(__file__).resolve().parent.parent
ECSCTL = str(Path(sys.executable).parent / "ecsctl")
IMAGE = "busybox:stable"
SLEEP = ["sleep", "1000"]
PEER = "made-by=ecsctl-benchmark"
"""The label of the containers that docker itself runs here."""


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


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--samples", type=int, default=15, help="how often each side runs (default: 15)")
    options.add_argument("--check", action="store_true", help="exit with 1 when a figure is not reached")
    given = options.parse_args()
    had_image = succeeds("docker", "image", "inspect", IMAGE)
    run(str(ROOT / "scripts" / "make-image"))
    try:
        with tempfile.TemporaryDirectory() as folder:
            figures = measure(Path(folder), max(2, given.samples))
    finally:
        if not had_image:
            run(str(ROOT / "scripts" / "make-image"), "--remove")
    missed = any(figure.value > figure.limit for figure in figures)
    return 1 if missed and given.check else 0


def measure(folder: Path, samples: int) -> list[Figure]:
    """Everything, printed as it comes."""
    state = folder / "state.db"
    os.environ |= {"ECSCTL_STATE": str(state), "ECSCTL_CONFIG": os.devnull}
    run(sys.executable, "-m", "compileall", "-q", str(ROOT / "ecsctl"))  # an installed package is compiled
    for family, containers in (("one-container", 1), ("three-containers", 3)):
        run(ECSCTL, "register-task-definition", definition(folder, family, containers))
    store = Store.open(state)
    labels = [PEER, f"{INSTALL}={store.install}"]
    store.close()
    print(f"median of {samples}, in ms{'':29}{'ecsctl':>8}{'peer':>8}{'':11}{'to reach':>13}")
    comparisons: list[tuple[str, Callable[[], None], Callable[[], None], bool, float]] = [
        (
            "run-task, until RUNNING / docker run -d",
            lambda: task("one-container"),
            lambda: containers_of_docker(1),
            True,
            1.7,
        ),
        (
            "a task of 3 / docker run -d, 3 times",
            lambda: task("three-containers"),
            lambda: containers_of_docker(3),
            True,
            0.8,
        ),
        ("list-clusters / python -c pass", lambda: run(ECSCTL, "list-clusters"), bare_python, False, 150),
        ("--version / python -c pass", lambda: run(ECSCTL, "--version"), bare_python, False, 150),
    ]
    figures = []
    try:
        for what, ours, peer, is_ratio, limit in comparisons:
            figures.append(Figure(what, *compare(samples, ours, peer, labels), is_ratio, limit))
            print(figures[-1], flush=True)
    finally:
        remove_containers(labels)
    return figures


def compare(samples: int, ours: Callable[[], None], peer: Callable[[], None], labels: list[str]) -> tuple[float, float]:
    """The two medians, in milliseconds. Each begins every other time; the first time does not count."""
    times: dict[Callable[[], None], list[float]] = {ours: [], peer: []}
    for sample in range(samples + 1):
        for call in (ours, peer) if sample % 2 else (peer, ours):
            begin = time.perf_counter()
            call()
            times[call].append((time.perf_counter() - begin) * 1000)
        remove_containers(labels)
    return statistics.median(times[ours][1:]), statistics.median(times[peer][1:])


def task(family: str) -> None:
    run(ECSCTL, "run-task", "--task-definition", family, "--wait")


def containers_of_docker(count: int) -> None:
    for _ in range(count):
        run("docker", "run", "-d", "--label", PEER, "--memory", "32m", IMAGE, *SLEEP)


def bare_python() -> None:
    run(sys.executable, "-c", "pass")


def definition(folder: Path, family: str, containers: int) -> str:
    made = [{"name": f"c{number}", "image": IMAGE, "memory": 32, "command": SLEEP} for number in range(containers)]
    path = folder / f"{family}.json"
    path.write_text(json.dumps({"family": family, "containerDefinitions": made}))
    return str(path)


def remove_containers(labels: list[str]) -> None:
    """Between samples, so that no side runs on a fuller host."""
    listings = [["docker", "ps", "-aq", "--filter", f"label={label}"] for label in labels]
    found = [line for listing in listings for line in subprocess.check_output(listing, text=True).split()]
    if found:
        run("docker", "rm", "-fv", *found)
        time.sleep(0.5)  # the engine goes on cleaning up when it has answered


def succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True).returncode == 0


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr}")


if __name__ == "__main__":
    sys.exit(main())
