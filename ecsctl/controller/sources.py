"""Where values come from that task definitions refer to, besides the state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from msgspec import Struct

from ecsctl.model.file_system import Storage


class Sources(Struct, frozen=True):
    """As configured: of secrets whose names begin with a prefix the command that prints one ({name} stands for the
    name), the directories that stand for S3 buckets, what stands for file systems, and of roles whose names are given,
    or how their ARNs begin, the command that prints credentials. `endpoint_image`: of what answers tasks on their
    hosts; None for none. `subnets`: by name or pattern, which are `private`, those without a way out. `registry`: the
    address of the one that stands for ECR, `registry_login` the secret that has its username and password."""

    commands: Mapping[str, Sequence[str]] = {}
    buckets: Mapping[str, Path] = {}
    storage: Storage = Storage()
    roles: Mapping[str, Sequence[str]] = {}
    endpoint_image: str | None = None
    subnets: Mapping[str, str] = {}
    registry: str | None = None
    registry_login: str | None = None

    def is_private(self, subnet: str) -> bool:
        """By its name, or the first pattern that it matches."""
        kind = self.subnets.get(subnet) or next((k for p, k in self.subnets.items() if fnmatchcase(subnet, p)), None)
        return kind == "private"
