"""A process that finishes tasks and services after the command has answered: `ecsctl reconcile --task …`, detached.

It is why `run-task` need not wait for an image, nor `create-service` for its tasks. If it dies, the next reconcile
goes on.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ecsctl.cli.config import Config
from ecsctl.model.state_place import SharedState

LONGEST = "30m"
"""How long it may go on: the time limit of an image pull."""
_AT_ONCE = 200
"""ARNs per process: a command line has an end."""


def go_on_with(config: Config, arns: Sequence[str]) -> list[int]:
    """Start it and leave; the ids of its processes, for who stays long enough to see them end. It has no terminal and
    no output, and outlives this process and its session."""
    # The URL of a shared state may have a password in it, and everybody can read a command line.
    more = (
        {} if isinstance(config.state, Path) else {"ECSCTL_STATE": config.state.url, "ECSCTL_KEYS": _keys(config.state)}
    )
    starts = range(0, len(arns), _AT_ONCE)
    return [_spawn(command(config, arns[start : start + _AT_ONCE]), more) for start in starts]


def command(config: Config, arns: Sequence[str]) -> list[str]:
    """Its command line: this interpreter, this configuration, state, region and account."""
    state = ["--state", str(config.state.absolute())] if isinstance(config.state, Path) else []
    scope = [*config.chosen, *state, "--region", config.region, "--account", config.account]
    what = [word for arn in arns for word in ("--service" if ":service/" in arn else "--task", arn)]
    return [sys.executable, "-m", "ecsctl", *scope, "reconcile", "--timeout", LONGEST, *what]


def _keys(state: SharedState) -> str:
    return str(state.home.parent.absolute())


def _spawn(arguments: list[str], more: Mapping[str, str]) -> int:
    nowhere = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
    # The modules that this process runs, and none that happen to lie in the current directory.
    path = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONSAFEPATH": "1"}
    return os.posix_spawn(arguments[0], arguments, {**os.environ, **path, **more}, file_actions=nowhere, setsid=True)
