#!/usr/bin/env python3
"""How quick ecsctl is, against docker, Docker Swarm and bare Python in the same run.

    make bench                                       print the figures beside what is to be reached
    .venv/bin/python -m benchmarks.run --check       the same, and exit with 1 when one is not reached

Both sides run the same image with the same memory limit on the same engine, and take turns.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from itertools import chain
from pathlib import Path

from benchmarks import fleet, hosts, services, tasks
from benchmarks.measuring import IMAGE, ROOT, heading, remove_containers, run, succeeds
from ecsctl.model.identity import INSTALL
from ecsctl.store.store import Store


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--samples", type=int, default=15, help="how often each side runs (default: 15)")
    options.add_argument("--check", action="store_true", help="exit with 1 when a figure is not reached")
    given = options.parse_args()
    had_image = succeeds("docker", "image", "inspect", IMAGE)
    run(str(ROOT / "scripts" / "make-image"))
    try:
        with tempfile.TemporaryDirectory() as folder:
            missed = measure(Path(folder), max(2, given.samples))
    finally:
        if not had_image:
            run(str(ROOT / "scripts" / "make-image"), "--remove")
    return 1 if missed and given.check else 0


def measure(folder: Path, samples: int) -> bool:
    """Everything, printed as it comes; whether something was not reached."""
    state = folder / "state.db"
    os.environ |= {"ECSCTL_STATE": str(state), "ECSCTL_CONFIG": os.devnull}
    run(sys.executable, "-m", "compileall", "-q", str(ROOT / "ecsctl"))  # an installed package is compiled
    store = Store.open(state)
    label = f"{INSTALL}={store.install}"
    store.close()
    print(heading(samples))
    missed = False
    try:
        figures = (
            *(suite.measure(folder, label, samples) for suite in (tasks, services)),
            hosts.measure(folder, samples),
            fleet.measure(folder / "fleet", max(2, samples // 5)),
        )
        for figure in chain.from_iterable(figures):
            print(figure, flush=True)
            missed = missed or figure.value > figure.limit
    finally:
        remove_containers(label)
    return missed


if __name__ == "__main__":
    sys.exit(main())
