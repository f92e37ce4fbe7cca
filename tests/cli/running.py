"""Running the command: in this process where that is enough, else as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ecsctl.cli.main import run

ROOT = Path(__file__).resolve().parents[2]


class Ran:
    """What a run printed, and its exit code."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


class Runner:
    """`ecsctl …` in this process, with an environment and a state of the test's own."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str) -> Ran:
        self._capsys.readouterr()
        code = run(words)
        printed = self._capsys.readouterr()
        return Ran(code, printed.out, printed.err)


def environment(home: Path, **more: str) -> dict[str, str]:
    """A clean environment whose home is `home`. Byte code is kept, as it is for every installed program."""
    kept = {
        name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL", "PYTHONPYCACHEPREFIX")
    }
    return {**kept, "HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(home / "pyc"), **more}


def process(home: Path, *words: str, code: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """`python -m ecsctl …` or `python -c code` as a process."""
    start = ["-c", code] if code else ["-m", "ecsctl"]
    return subprocess.run(
        [sys.executable, *start, *words],
        env=environment(home, **more),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
