"""Secrets: what the store keeps of one, and how task definitions refer to them.

Source: ECS developer guide, "Pass sensitive data to an Amazon ECS container"; Secrets Manager user guide, "What's in a
Secrets Manager secret?" (versions and their stages).
"""

from __future__ import annotations

import re
from datetime import datetime

import msgspec

from ecsctl.model.record import Record

CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
LONGEST = 65536
"""Bytes of a value (Secrets Manager)."""
_NAME = re.compile(r"[A-Za-z0-9_.+=@-]+(/[A-Za-z0-9_.+=@-]+)*")
_LONGEST_NAME = 512
_SUFFIX = re.compile(r"-[A-Za-z0-9]{6}")
_MANAGED, _PARAMETER = ":secretsmanager:", ":ssm:"


class SecretVersion(Record):
    """One value of a secret, sealed. `stages`: the labels it has; those with none are the older ones."""

    id: str
    created_at: datetime
    sealed: str
    stages: list[str] = msgspec.field(default_factory=list)


class SecretRecord(Record):
    """A secret with its versions, newest first."""

    name: str
    created_at: datetime
    versions: list[SecretVersion]


class Reference(msgspec.Struct, frozen=True):
    """What a `valueFrom` asks for: a secret by one of these names, the best first; of it a version, by its id or its
    stage; of that a key of the JSON object that it is, or all."""

    names: tuple[str, ...]
    key: str | None = None
    stage: str = CURRENT
    version: str | None = None

    def __str__(self) -> str:
        return self.names[0]


def secret_name(text: str) -> str:
    """A name as secrets have them: without the slash that names of parameters begin with. ValueError for what is
    none."""
    name = text.removeprefix("/")
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME or ".." in name.split("/"):
        raise ValueError(
            f"{text!r} is not the name of a secret: letters, digits and _.+=@- in parts with / between, "
            f"at most {_LONGEST_NAME} characters"
        )
    return name


def parse_reference(value_from: str) -> Reference:
    """A `valueFrom`: the ARN of a secret of Secrets Manager, `:key:stage:version` behind it, or the name or ARN of a
    parameter of Systems Manager. ValueError for anything else."""
    if not value_from.startswith("arn:"):
        return Reference((secret_name(value_from),))
    parts = value_from.split(":")
    if _PARAMETER in value_from and len(parts) == 6 and parts[5].startswith("parameter/"):
        return Reference((secret_name(parts[5].removeprefix("parameter")),))
    if _MANAGED in value_from and len(parts) in (7, 10) and parts[5] == "secret":
        key, stage, version = (part or None for part in (*parts[7:], "", "", "")[:3])
        if stage and version:
            raise ValueError(f"{value_from}: a version stage or a version id, not both")
        name = secret_name(parts[6])
        bare = name[:-7] if _SUFFIX.fullmatch(name[-7:]) else ""  # AWS adds six characters of its own
        return Reference((name, bare) if bare else (name,), key, stage or CURRENT, version)
    raise ValueError(
        f"{value_from!r} refers to no secret: expected arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME, "
        "with or without :KEY:STAGE:VERSION, or the name or ARN of an SSM parameter"
    )
