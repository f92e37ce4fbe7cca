#!/usr/bin/env python3
"""How many requests a second `ecsctl serve` answers, against moto's server in the same run.

    make bench-endpoint

moto imitates AWS in the memory of one process: it keeps no state and runs no containers. Both are asked over 64
connections by the same client (wrk), one after the other, with as many tasks in their state.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from botocore.config import Config

from benchmarks.measuring import ECSCTL, run
from ecsctl.model.api.tasks import RunTaskRequest
from ecsctl.model.record import evolve
from ecsctl.operations.tasks import run_task
from ecsctl.store.tables import INSTANCES
from tests.controller.world import World

TASKS, AT_ONCE = 1_000, 10
CONNECTIONS, SECONDS = 64, 10
FASTER = 5.0
"""How many times as many requests a second as moto."""
MANY = 100_000
"""Requests after which the server takes no more memory than before."""
GROWTH_MIB = 16.0
FAMILY = "served"
DEFINITION = {"family": FAMILY, "containerDefinitions": [{"name": "main", "image": "up", "memory": 16}]}
KEYS = {"aws_access_key_id": "any", "aws_secret_access_key": "any", "region_name": "us-east-1"}


class Load(NamedTuple):
    """What wrk says: requests a second, and in milliseconds how long the slowest hundredth took at least."""

    rate: float
    p99: float


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--check", action="store_true", help="exit with 1 when a figure is not reached")
    given = options.parse_args()
    print(f"{f'{TASKS} tasks, {CONNECTIONS} connections':34}{'ecsctl':>9}{'p99':>9}{'moto':>9}{'p99':>9}")
    missed = False
    with tempfile.TemporaryDirectory() as name, ours(Path(name)) as (own, process), moto() as peer:
        script = Path(name) / "request.lua"
        asked = requests(own, peer)
        for operation, request in asked.items():
            mine, theirs = (load(url, operation, body, script) for url, body in zip((own, peer), request, strict=True))
            ratio = mine.rate / theirs.rate
            missed = missed or ratio < FASTER
            print(
                f"{operation:34}{mine.rate:7.0f}/s{mine.p99:6.0f} ms{theirs.rate:7.0f}/s{theirs.p99:6.0f} ms"
                f"{ratio:9.1f} x  >= {FASTER:g} x{'' if ratio >= FASTER else '   MISSED'}",
                flush=True,
            )
        before = memory(process)
        done = 0
        while done < MANY:
            done += int(load(own, "DescribeTasks", asked["DescribeTasks"][0], script).rate * SECONDS)
        growth = memory(process) - before
        missed = missed or growth > GROWTH_MIB
        print(f"{f'memory after {done} requests':34}{growth:+7.1f} MiB  <= {GROWTH_MIB:+g} MiB")
    return 1 if missed and given.check else 0


def requests(*urls: str) -> dict[str, list[dict[str, Any]]]:
    """The requests to be repeated, by operation: one for each server."""
    found = [client(url).list_tasks()["taskArns"][:AT_ONCE] for url in urls]
    return {
        "DescribeTasks": [{"tasks": tasks} for tasks in found],
        "ListTasks": [{} for _ in urls],
        "RegisterTaskDefinition": [DEFINITION for _ in urls],
    }


def load(url: str, operation: str, body: Mapping[str, Any], script: Path) -> Load:
    """Ask as often as it answers, for some seconds."""
    script.write_text(
        'wrk.method = "POST"\n'
        f"wrk.body = {json.dumps(json.dumps(body))}\n"
        'wrk.headers["Content-Type"] = "application/x-amz-json-1.1"\n'
        f'wrk.headers["X-Amz-Target"] = "AmazonEC2ContainerServiceV20141113.{operation}"\n'
        # moto tells services apart by the scope of the signature
        'wrk.headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=any/20300101/us-east-1/ecs/aws4_request, '
        'SignedHeaders=host, Signature=0"\n'
    )
    said = run(
        "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--timeout", "30s", "--latency", "-s", str(script), url
    )
    if refused := re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors.*", said):
        raise SystemExit(f"{operation}: {refused[0]}")
    rate, p99 = re.search(r"Requests/sec:\s+([\d.]+)", said), re.search(r"99%\s+([\d.]+)(us|ms|s)\b", said)
    if rate is None or p99 is None:
        raise SystemExit(f"wrk said: {said}")
    return Load(float(rate[1]), float(p99[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[p99[2]])


@contextmanager
def ours(folder: Path) -> Iterator[tuple[str, int]]:
    """The URL of `ecsctl serve`, and its process."""
    fill(folder)
    (folder / "config.toml").write_text("throttle = 0\n")
    port = free_port()
    where = ("--socket", str(folder / "serve.sock"), "--bind", f"127.0.0.1:{port}")
    words = (ECSCTL, "serve", "--no-controller", "--insecure-no-auth", *where)
    environment = {"ECSCTL_STATE": str(folder / "state.db"), "ECSCTL_CONFIG": str(folder / "config.toml")}
    with serving(*words, **environment) as process:
        yield answering(port), process


def fill(folder: Path) -> None:
    """A state with tasks that run on hosts which do not answer."""
    with closing(World(folder, hosts=10)) as world:
        definition = world.define({})
        for _ in range(TASKS // AT_ONCE):
            run_task(world.process(), RunTaskRequest(definition, count=AT_ONCE))
        assert {record.task.last_status for record in world.tasks()} == {"RUNNING"}
        with world.store.write() as tx:
            for instance in tx.find(INSTANCES):
                tx.put(INSTANCES, evolve(instance, address=f"unix://{folder}/{instance.name}.sock"))


@contextmanager
def moto() -> Iterator[str]:
    """The URL of moto's server, with as many tasks."""
    port = free_port()
    with serving(str(Path(sys.executable).parent / "moto_server"), "-H", "127.0.0.1", "-p", str(port)):
        url = answering(port)
        ecs = client(url)
        ecs.create_cluster()
        ecs.register_task_definition(
            **DEFINITION, requiresCompatibilities=["FARGATE"], networkMode="awsvpc", cpu="256", memory="512"
        )
        (subnet, *_) = boto3.client("ec2", endpoint_url=url, **KEYS).describe_subnets()["Subnets"]
        network = {"awsvpcConfiguration": {"subnets": [subnet["SubnetId"]], "securityGroups": []}}
        for _ in range(TASKS // AT_ONCE):
            ecs.run_task(taskDefinition=FAMILY, count=AT_ONCE, launchType="FARGATE", networkConfiguration=network)
        yield url


@contextmanager
def serving(*command: str, **environment: str) -> Iterator[int]:
    process = subprocess.Popen(
        command,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def client(url: str) -> Any:
    return boto3.client("ecs", endpoint_url=url, config=Config(retries={"total_max_attempts": 1}), **KEYS)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answering(port: int) -> str:
    """The URL of a port, as soon as something listens there."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return f"http://127.0.0.1:{port}"
        time.sleep(0.1)
    raise SystemExit(f"nothing listens on port {port}")


def memory(process: int) -> float:
    """MiB that a process has in memory."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


if __name__ == "__main__":
    sys.exit(main())
