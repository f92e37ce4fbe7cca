"""Services against Docker Swarm on the same engine, and a quiet reconcile against `docker ps -a`."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measuring import ECSCTL, IMAGE, MEMORY, SLEEP, Figure, compare, containers, run, succeeds
from benchmarks.tasks import definition

NAME = "ecsctl-benchmark"
SWARM = f"label=com.docker.swarm.service.name={NAME}"
REPLICAS = 50
KEPT = 5
"""Replicas while one after the other is killed."""
QUIET = 100
RUNNING = "status=running"


def measure(folder: Path, label: str, samples: int) -> Iterator[Figure]:
    """One figure after the other. `label` is that of this state's containers."""
    ours = f"label={label}"
    run(ECSCTL, "register-task-definition", definition(folder, "served", 1))
    run(ECSCTL, "create-service", "--service-name", NAME, "--task-definition", "served", "--desired-count", "0")
    with swarm(), watching(folder):
        scaling = compare(
            max(1, samples // 5),
            lambda: until(ours, scale, REPLICAS),
            lambda: until(SWARM, scale_swarm, REPLICAS),
            lambda: empty(ours),
        )
        yield Figure(f"0 to {REPLICAS} tasks RUNNING / Docker Swarm", *scaling, is_ratio=True, limit=0.9)
        until(ours, scale, KEPT)
        until(SWARM, scale_swarm, KEPT)
        killing = compare(samples, lambda: kill_one(ours), lambda: kill_one(SWARM), lambda: time.sleep(1.0))
        yield Figure("a killed task, until another RUNS / Docker Swarm", *killing, is_ratio=True, limit=0.7)
        empty(ours)
    until(ours, scale, QUIET)
    run(ECSCTL, "reconcile", "--service", NAME)
    time.sleep(45)  # without a health check a task counts as healthy after 40 seconds
    run(ECSCTL, "reconcile")
    quiet = compare(samples, quiet_reconcile, list_all)
    yield Figure(f"reconcile, {QUIET} tasks and nothing to do / docker ps -a", *quiet, is_ratio=True, limit=3.0)
    run(ECSCTL, "delete-service", "--service", NAME, "--force")


def scale(count: int) -> None:
    run(ECSCTL, "update-service", "--service", NAME, "--desired-count", str(count))


def scale_swarm(count: int) -> None:
    run("docker", "service", "scale", "--detach", f"{NAME}={count}")


def until(found_by: str, scaled: Callable[[int], None], count: int) -> None:
    """Scale, and wait until so many containers run."""
    scaled(count)
    while len(containers(found_by, RUNNING)) != count:
        time.sleep(0.05)


def kill_one(found_by: str) -> None:
    """Kill a container, and wait for another in its place."""
    victim = containers(found_by, RUNNING)[-1]
    run("docker", "kill", victim)
    while victim in (left := containers(found_by, RUNNING)) or len(left) != KEPT:
        time.sleep(0.02)


def empty(found_by: str) -> None:
    """Both sides back to nothing; what is stopped is removed, so that no side runs on a fuller host."""
    scale(0)
    scale_swarm(0)
    for one in (found_by, SWARM):
        while containers(one, RUNNING):
            time.sleep(0.2)
    time.sleep(1.0)
    if stopped := containers(found_by) + containers(SWARM):
        run("docker", "rm", "-f", *stopped)
    time.sleep(1.0)  # the engine goes on cleaning up when it has answered


def quiet_reconcile() -> None:
    said = run(ECSCTL, "reconcile", "--output", "json", "--query", "changed")
    if said.strip() != "false":
        raise SystemExit(f"the reconcile was not quiet: {said}")


def list_all() -> None:
    if len(run("docker", "ps", "-a").splitlines()) <= QUIET:
        raise SystemExit("the tasks to be listed are not there")


@contextmanager
def swarm() -> Iterator[None]:
    """A service of Docker Swarm without replicas; a swarm is made of this engine for it unless it is in one."""
    networks = run("docker", "network", "ls", "--format", "{{.Name}}").split()
    joined = run("docker", "info", "--format", "{{.Swarm.LocalNodeState}}").strip() == "active"
    if not joined:
        run("docker", "swarm", "init", "--advertise-addr", "127.0.0.1")
    try:
        options = ["--limit-memory", f"{MEMORY}m", "--restart-delay", "0s", "--stop-grace-period", "2s"]
        run(
            *("docker", "service", "create", "--detach", "--no-resolve-image", "--name", NAME, "--replicas", "0"),
            *options,
            IMAGE,
            *SLEEP,
        )
        yield
    finally:
        succeeds("docker", "service", "rm", NAME)
        if not joined:
            succeeds("docker", "swarm", "leave", "--force")
            if "docker_gwbridge" not in networks:
                succeeds("docker", "network", "rm", "docker_gwbridge")


@contextmanager
def watching(folder: Path) -> Iterator[None]:
    """The controller, as a process that stays. As Swarm is told to, it replaces at once what has not run for long."""
    configuration = folder / "watch.toml"
    configuration.write_text('healthy_after = "0s"\n')
    command = [ECSCTL, "reconcile", "--watch", "--config", str(configuration)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        if process.stderr is not None:
            process.stderr.readline()
        yield
    finally:
        process.terminate()
        process.wait()
