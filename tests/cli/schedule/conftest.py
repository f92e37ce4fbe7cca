"""A machine of the test's own: its crontab and its systemctl are small programs on a PATH with nothing else."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from ecsctl.cli.schedule import systemd

_CRONTAB = """#!/bin/sh
cd {home}
if [ -f crontab.denied ]; then echo "You (me) are not allowed to use this program (crontab)" >&2; exit 1; fi
case $1 in
-l) [ -f crontab.txt ] || {{ echo "no crontab for me" >&2; exit 1; }}; /bin/cat crontab.txt ;;
-)  /bin/cat >crontab.new
    if [ -f crontab.broken ]; then echo "crontab.txt: No space left on device" >&2; exit 1; fi
    /bin/mv crontab.new crontab.txt ;;
*)  exit 2 ;;
esac
"""
_SYSTEMCTL = """#!/bin/sh
cd {home}
echo "$*" >>systemctl.calls
if [ -f systemctl.fails ]; then
    case $* in *"$(/bin/cat systemctl.fails)"*) echo "Failed to do it:" >&2; echo "no bus" >&2; exit 1 ;; esac
fi
case $* in *show*.timer) /bin/cat timer.show ;; *show*.service) /bin/cat service.show ;; esac
"""


class Machine:
    """The programs, what they were told, and what they hold."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.bin = home / "bin"
        self.user_units = home / ".config/systemd/user"
        self.system_units = home / "etc"
        self.bin.mkdir()
        self._program("crontab", _CRONTAB)
        self._program("systemctl", _SYSTEMCTL)
        ahead = time.monotonic() + 50
        (home / "timer.show").write_text(f"ActiveState=active\nNextElapseUSecMonotonic={ahead / 60:.5f}min\n")
        (home / "service.show").write_text(
            "ActiveState=failed\nResult=exit-code\nExecMainStatus=5\n"
            "ExecMainExitTimestamp=Fri 2026-01-02 03:04:05 UTC\n"
        )

    def _program(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text.format(home=self.home))
        (self.bin / name).chmod(0o755)

    def fails(self, words: str) -> None:
        """systemctl fails from now on when it is told so; "" for never."""
        if words:
            (self.home / "systemctl.fails").write_text(words)
        else:
            (self.home / "systemctl.fails").unlink()

    @property
    def crontab(self) -> str:
        path = self.home / "crontab.txt"
        return path.read_bytes().decode() if path.exists() else ""

    @crontab.setter
    def crontab(self, text: str) -> None:
        (self.home / "crontab.txt").write_bytes(text.encode())

    def calls(self) -> list[str]:
        """What systemctl was told to change since it was last asked."""
        path = self.home / "systemctl.calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [line for line in lines if "show" not in line]

    def units(self, folder: Path | None = None) -> list[str]:
        folder = folder or self.user_units
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.fixture
def machine(ecsctl: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Without systemd, for an ordinary user."""
    for name in list(os.environ):
        if name.startswith(("DOCKER_", "SSH_")):
            monkeypatch.delenv(name)
    made = Machine(tmp_path)
    monkeypatch.setenv("PATH", str(made.bin))
    monkeypatch.setattr(sys, "argv", ["ecsctl"])
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    monkeypatch.setattr(systemd, "RUNS", tmp_path / "nothing")
    monkeypatch.setattr(systemd, "SYSTEM_UNITS", made.system_units)
    return made
