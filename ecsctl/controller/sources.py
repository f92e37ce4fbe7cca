"""Where values come from that task definitions refer to, besides the state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ecsctl.model.file_system import Storage


class Sources(NamedTuple):
    """As configured: of secrets whose names begin with a prefix the command that prints one ({name} stands for the
    name), the directories that stand for S3 buckets, and what stands for file systems."""

    commands: Mapping[str, Sequence[str]] = {}
    buckets: Mapping[str, Path] = {}
    storage: Storage = Storage()
