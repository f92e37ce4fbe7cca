"""Credentials of the roles of tasks: what a configured command prints, in the form of `credential_process`.

Source: AWS CLI user guide, "Sourcing credentials with an external process"; ECS developer guide, "Amazon ECS task IAM
role".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import NamedTuple

import msgspec

from ecsctl.controller.clock import Clock
from ecsctl.controller.commands import printed_by
from ecsctl.model.errors import SecretUnavailable
from ecsctl.scheduler.metadata import lines_of, time_text

RENEWED_BEFORE = timedelta(minutes=15)
"""How long before they end credentials are renewed, if they hold for long: SDKs ask 15 to 10 minutes before."""
LIFE = timedelta(hours=1)
"""How long those hold that do not say it."""


class _Printed(msgspec.Struct, rename="pascal"):
    """What the command prints."""

    version: int
    access_key_id: str
    secret_access_key: str
    session_token: str = ""
    expiration: datetime | None = None


class Credentials(NamedTuple):
    """The file of the endpoint that has them, and when they are to be renewed."""

    file: str
    renew_at: datetime

    def __repr__(self) -> str:
        return f"Credentials(***, {self.renew_at})"


class Roles:
    """The credentials of roles, by the commands that are configured; those of one role are for all its tasks."""

    def __init__(self, commands: Mapping[str, Sequence[str]], clock: Clock) -> None:
        """`commands`: by the name of a role, or how its ARN begins."""
        self._commands = commands
        self._clock = clock
        self._known: dict[str, Credentials] = {}
        self._asking = Lock()

    def command(self, role: str | None) -> Sequence[str] | None:
        """What prints the credentials of a role, given by its ARN; None where nothing is configured."""
        if role is None:
            return None
        named = self._commands.get(role.rpartition("/")[2])
        prefixes = [prefix for prefix in self._commands if prefix.startswith("arn:") and role.startswith(prefix)]
        return named or (self._commands[max(prefixes, key=len)] if prefixes else None)

    def credentials(self, role: str) -> Credentials:
        """SecretUnavailable says why they cannot be had."""
        with self._asking:
            known = self._known.get(role)
            if known is None or known.renew_at <= self._clock.now():
                known = self._known[role] = self._ask(role)
            return known

    def _ask(self, role: str) -> Credentials:
        command = self.command(role)
        if command is None:
            raise SecretUnavailable(f"nothing is configured for the role {role}")
        words = [word.replace("{role}", role) for word in command]
        output = printed_by(words, f"role {role}")
        try:
            printed = msgspec.json.decode(output, type=_Printed)
        except msgspec.DecodeError:  # its text may have parts of a value
            raise SecretUnavailable(
                f"role {role}: {words[0]} does not print credentials as a credential_process does: "
                "Version, AccessKeyId, SecretAccessKey, SessionToken, Expiration"
            ) from None
        now = self._clock.now()
        expires_at = printed.expiration or now + LIFE
        if expires_at.tzinfo is None:
            raise SecretUnavailable(f"role {role}: the Expiration that {words[0]} prints has no time zone")
        document = {
            "RoleArn": role,
            "AccessKeyId": printed.access_key_id,
            "SecretAccessKey": printed.secret_access_key,
            "Token": printed.session_token,
            "Expiration": time_text(expires_at.replace(microsecond=0)),
        }
        return Credentials(lines_of(document), expires_at - min(RENEWED_BEFORE, (expires_at - now) / 2))
