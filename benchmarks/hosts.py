"""A quiet pass over one, three and five machines of the lab, and a call by ssh against one by unix socket."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from benchmarks.measuring import ECSCTL, Figure, compare, run
from ecsctl.engine.connect import connect
from tests.images import IMAGE
from tests.lab.machines import Machine, machines

MOST = 5
EACH = 4
"""Tasks on each machine."""


def measure(folder: Path, samples: int) -> Iterator[Figure]:
    """One figure after the other; none where the lab cannot be."""
    if os.getuid() or not shutil.which("dockerd"):
        print("the lab's figures need root and dockerd")
        return
    runtime = tempfile.mkdtemp(prefix="ecs", dir="/tmp")  # short, as sockets' paths must be
    before = {name: os.environ.get(name) for name in ("XDG_RUNTIME_DIR", "ECSCTL_STATE", "ECSCTL_CONFIG")}
    os.environ["XDG_RUNTIME_DIR"] = runtime
    config = folder / "lab.toml"
    config.write_text('healthy_after = "1s"\nmetadata_endpoint = false\n')
    os.environ["ECSCTL_CONFIG"] = str(config)
    try:
        with machines(MOST) as made:
            states = {count: fill(folder / f"lab{count}.db", made[:count]) for count in (1, 3, MOST)}
            for count in (3, MOST):
                times = compare(samples, lambda n=count: quiet(states[n]), lambda: quiet(states[1]))  # type: ignore[misc]
                yield Figure(f"reconcile over {count} hosts by ssh / over 1", *times, is_ratio=True, limit=1.5)
            yield second_call(made[0], samples * 10)
    finally:
        subprocess.run(["pkill", "-f", f"{runtime}/ecsctl"], check=False)
        shutil.rmtree(runtime)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def second_call(machine: Machine, samples: int) -> Figure:
    """What a listing costs when the connection is there already: at most twice that by unix socket, and the network's
    way there and back."""
    by_ssh, by_unix = connect(machine.ssh), connect(machine.unix)
    ours, unix = compare(samples, lambda: by_ssh.list(None), lambda: by_unix.list(None))
    by_ssh.close()
    by_unix.close()
    trips = []
    for _ in range(samples):
        begin = time.perf_counter()
        socket.create_connection((machine.address, 22)).close()
        trips.append((time.perf_counter() - begin) * 1000)
    allowed = 2 * unix + median(trips)
    return Figure("a second call by ssh / 2 by unix + a round trip", ours, allowed, is_ratio=True, limit=1.0)


def fill(state: Path, made: list[Machine]) -> Path:
    """A state with these machines, and a service that has settled on them."""
    os.environ["ECSCTL_STATE"] = str(state)
    for machine in made:
        run(ECSCTL, "register-container-instance", "--host", machine.ssh, "--name", machine.name)
    main = {"name": "main", "image": IMAGE, "memory": 16, "command": ["sleep", "100000"], "stopTimeout": 2}
    document = state.with_suffix(".json")
    document.write_text(json.dumps({"family": "app", "containerDefinitions": [main]}))
    run(ECSCTL, "register-task-definition", str(document))
    count = str(EACH * len(made))
    run(ECSCTL, "create-service", "--service-name", "app", "--task-definition", "app", "--desired-count", count)
    run(ECSCTL, "wait", "services-stable", "--services", "app")
    until(lambda: said(state) == "false")
    return state


def quiet(state: Path) -> None:
    if (found := said(state)) != "false":
        raise SystemExit(f"the reconcile was not quiet: {found}")


def said(state: Path) -> str:
    return run(ECSCTL, "--state", str(state), "reconcile", "--output", "json", "--query", "changed").strip()


def until(condition: Callable[[], bool]) -> None:
    for _ in range(60):
        time.sleep(1.0)
        if condition():
            return
    raise SystemExit("the service did not settle")
