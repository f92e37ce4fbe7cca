"""The tables of the configuration file, entry by entry: what stands for what on this machine and its hosts."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from ecsctl.model.errors import ConfigError
from ecsctl.model.file_system import EBS, FileSystem


def _directory(_: str, directory: Any, folder: Path, where: str) -> Path:
    if not isinstance(directory, str):
        raise ConfigError(f"{where}: expected the path of a directory, in quotes")
    return folder / os.path.expanduser(directory)


def _image(_: str, image: Any, __: Path, where: str) -> str:
    if not (isinstance(image, str) and image):
        raise ConfigError(f"{where}: expected the name of an image, in quotes")
    return image


def _command(_: str, words: Any, __: Path, where: str) -> list[str]:
    if not _is_command(words):
        raise ConfigError(f'{where}: expected the words of a command, ["pass", "show", "{{name}}"]')
    found: list[str] = words
    return found


def _file_system(name: str, entry: Any, _: Path, where: str) -> FileSystem:
    """What stands for a file system: exactly one thing, and of EBS a driver's volumes. Paths are the hosts'."""
    kinds = ("driver",) if name == EBS else ("nfs", "volume", "path")
    try:
        found = msgspec.convert(entry, FileSystem)
    except msgspec.ValidationError:
        found = FileSystem()
    if len(found.kinds) != 1 or found.kinds[0] not in kinds:
        wanted = " or ".join(f"{{{kind} = {_EXAMPLES[kind]}}}" for kind in kinds)
        raise ConfigError(f"{where}: expected {wanted}")
    if found.nfs and not re.fullmatch(r"[^\s:/,]+:/[^\s,]*|\[[0-9a-fA-F:]+\]:/[^\s,]*", found.nfs):
        raise ConfigError(f"{where}: {found.nfs!r} is no export of an NFS server; write it like 10.0.0.5:/export")
    if found.path and not found.path.startswith("/"):
        raise ConfigError(f"{where}: {found.path!r} is no absolute path; it is one of the hosts that run the tasks")
    return found


_EXAMPLES = {"nfs": '"10.0.0.5:/export"', "volume": '"name"', "path": '"/mnt/efs"', "driver": '"local"'}


def _credentials(_: str, role: Any, __: Path, where: str) -> list[str]:
    """The command that prints the credentials of a role."""
    if isinstance(role, dict) and role.keys() == {"profile"} and isinstance(role["profile"], str) and role["profile"]:
        return ["aws", "configure", "export-credentials", "--format", "process", "--profile", role["profile"]]
    if not _is_command(role):
        raise ConfigError(
            f'{where}: expected {{ profile = "NAME" }}, or the words of a command that prints credentials as a '
            "credential_process does"
        )
    words: list[str] = role
    return words


def _is_command(words: Any) -> bool:
    return isinstance(words, list) and bool(words) and all(isinstance(word, str) for word in words)


def _subnet(_: str, kind: Any, __: Path, where: str) -> str:
    if kind not in ("private", "public"):
        raise ConfigError(f'{where}: expected "private", for no way out of it, or "public"')
    return str(kind)


TABLES: dict[str, Callable[[str, Any, Path, str], Any]] = {
    "buckets": _directory,
    "file_systems": _file_system,
    "image_map": _image,
    "secrets": _command,
    "roles": _credentials,
    "subnets": _subnet,
}
"""What reads an entry: of its name, its value, the folder of the file, and where it stands. ConfigError."""
