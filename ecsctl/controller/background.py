"""Leaving work to another process, so that a command can answer while an image is fetched or a task stops."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PATIENCE = 1800
"""Seconds that the other process goes on at most: the time limit of an image pull."""


def hand_over(state: Path, arns: list[str]) -> None:
    """Start `ecsctl reconcile` for these tasks, detached. If it dies, the next reconcile goes on."""
    command = [sys.executable, "-m", "ecsctl", "reconcile", "--state", str(state.absolute())]
    command += ["--timeout", str(PATIENCE), "--task", *arns]
    with open(os.devnull, "r+b") as nothing:
        subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)
