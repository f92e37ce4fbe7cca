"""Tasks against `docker run`, and the start of the command against bare Python."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.measuring import ECSCTL, IMAGE, MEMORY, SLEEP, Figure, compare, remove_containers, run

PEER = "made-by=ecsctl-benchmark"
"""The label of the containers that docker itself runs here."""


def measure(folder: Path, ours: str, samples: int) -> Iterator[Figure]:
    """One figure after the other. `ours` is the label of this state's containers."""
    for family, containers in (("one-container", 1), ("three-containers", 3)):
        run(ECSCTL, "register-task-definition", definition(folder, family, containers))
    clean = partial(remove_containers, PEER, ours)
    comparisons: list[tuple[str, Callable[[], object], Callable[[], object], bool, float]] = [
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
    try:
        for what, call, peer, is_ratio, limit in comparisons:
            yield Figure(what, *compare(samples, call, peer, clean), is_ratio, limit)
    finally:
        clean()


def task(family: str) -> None:
    run(ECSCTL, "run-task", "--task-definition", family, "--wait")


def containers_of_docker(count: int) -> None:
    for _ in range(count):
        run("docker", "run", "-d", "--label", PEER, "--memory", f"{MEMORY}m", IMAGE, *SLEEP)


def bare_python() -> None:
    run(sys.executable, "-c", "pass")


def definition(folder: Path, family: str, containers: int) -> str:
    """The path of a task definition of so many containers."""
    made = [
        {"name": f"c{number}", "image": IMAGE, "memory": MEMORY, "command": SLEEP, "stopTimeout": 2}
        for number in range(containers)
    ]
    path = folder / f"{family}.json"
    path.write_text(json.dumps({"family": family, "containerDefinitions": made}))
    return str(path)
