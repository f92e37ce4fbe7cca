"""How much room an engine's host has left: Docker's API does not say it, the host does."""

from __future__ import annotations

import os
import shlex
import shutil

from ecsctl.engine.address import SshAddress, UnixAddress
from ecsctl.engine.contexts import resolve
from ecsctl.engine.port import EngineInfo
from ecsctl.model.errors import EngineError, InputError


def free_disk(address: str, info: EngineInfo) -> int | None:
    """Bytes left where the engine at an address, which says this of itself, keeps images and containers; None where
    that cannot be told: over `tcp://`, and where the socket leads to another machine."""
    try:
        where = resolve(address).where
        if isinstance(where, SshAddress):
            from ecsctl.engine.ssh import ask

            return _available(ask(where, f"df -Pk {shlex.quote(info.directory)}"))
        if isinstance(where, UnixAddress) and info.name == os.uname().nodename:
            return shutil.disk_usage(info.directory).free
    except (InputError, EngineError, OSError):
        pass
    return None


def _available(table: str | None) -> int | None:
    """What `df -Pk` says is available, in bytes."""
    columns = (table or "").strip().rpartition("\n")[2].split()
    return int(columns[3]) * 1024 if len(columns) >= 6 and columns[3].isdigit() else None
