"""Running Python as somebody for whom file modes count: root may read and write everything."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NOBODY = 65534


def python() -> list[str]:
    """The words that start this Python as an ordinary user. The test is skipped where that cannot be."""
    if os.geteuid() != 0:
        return [sys.executable]
    command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", sys.executable]
    if shutil.which("setpriv") is None or subprocess.run([*command, "-c", "pass"], capture_output=True).returncode:
        pytest.skip("becoming an ordinary user takes setpriv, and a Python outside of root's home")
    return command


def give_away(folder: Path, pattern: str, mode: int) -> None:
    """Make files readable, or not, for that user, and the folders above reachable."""
    for path in folder.glob(pattern):
        if os.geteuid() == 0:
            os.chown(path, NOBODY, NOBODY)
        path.chmod(mode)
    for above in (folder, *folder.parents):
        if above.parent != above and above.owner() == Path.home().owner() and str(above).startswith("/tmp/"):
            above.chmod(0o755)
