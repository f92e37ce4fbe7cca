"""What stands on the hosts for a file system of Amazon's (EFS, FSx, S3 Files, EBS), as the configuration says."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

EBS = "ebs"
"""The key, in place of an id, of what stands for EBS volumes: these have none before they are made."""


class FileSystem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of: an export of an NFS server (`HOST:/PATH`, with mount options), a Docker volume by name, a directory of
    the host, or, for EBS, a volume of its own for each task, made by a driver with its options."""

    nfs: str | None = None
    mount_options: str = ""
    volume: str | None = None
    path: str | None = None
    driver: str | None = None
    driver_options: dict[str, str] = {}

    @property
    def kinds(self) -> list[str]:
        """Which of them it is; a good one is one."""
        return [kind for kind in ("nfs", "volume", "path", "driver") if getattr(self, kind)]


class Storage(msgspec.Struct, frozen=True):
    """What the configuration says of storage: what stands for which file system, by its id; and whether a container
    that is to have a certain size is refused where the engine cannot limit it."""

    file_systems: Mapping[str, FileSystem] = {}
    is_limited: bool = True
