"""Processes: which this one is, and whether another of this machine is there still."""

from __future__ import annotations

import os
from pathlib import Path


class ThisProcess:
    """What tells this process from every other, on this machine and elsewhere."""

    def __init__(self) -> None:
        self.boot_id = _read("/proc/sys/kernel/random/boot_id")
        self.namespace = _link("/proc/self/ns/pid")
        self.pid = os.getpid()
        self.started = _process_start(self.pid)

    def knows_gone(self, boot_id: str, namespace: str, pid: int, started: int) -> bool:
        """Whether a process is of this machine, and can be looked up from here, and is gone."""
        if not self.boot_id or boot_id != self.boot_id or namespace != self.namespace:
            return False
        return _process_start(pid) != started


def _process_start(pid: int) -> int:
    """When a process began, in clock ticks since boot; 0 when there is no such process, or no /proc."""
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return int(fields[19]) if len(fields) > 19 and fields[0] != "Z" else 0


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""
