"""What the state remembers of IAM: users, groups, roles, managed policies and access keys, by account.

Source: IAM user guide, "IAM identifiers"; "IAM and AWS STS quotas".
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

import msgspec

from ecsctl.model.record import Record

KeyStatus = Literal["Active", "Inactive"]


class IamShape(Record, rename="pascal"):
    """Base of what is named as in IAM's API: `UserName`."""


class IamTag(IamShape):
    """IAM API_Tag."""

    key: str
    value: str


class Holder(Record, kw_only=True):
    """Who policies are attached to. `inline`: of each policy of its own, by name, the text. `attached`: ARNs."""

    kind: ClassVar[str]
    account: str
    name: str
    path: str
    id: str
    created_at: datetime
    inline: dict[str, str] = msgspec.field(default_factory=dict)
    attached: list[str] = msgspec.field(default_factory=list)

    @property
    def key(self) -> str:
        return key_of(self.account, self.name)

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account}:{self.kind}{self.path}{self.name}"


class UserRecord(Holder, kw_only=True):
    """A user. `groups`: their names; `boundary`: the ARN of the policy that says what it may have at most."""

    kind: ClassVar[str] = "user"
    groups: list[str] = msgspec.field(default_factory=list)
    boundary: str | None = None
    tags: list[IamTag] = msgspec.field(default_factory=list)


class GroupRecord(Holder, kw_only=True):
    """A group of users."""

    kind: ClassVar[str] = "group"


class RoleRecord(Holder, kw_only=True):
    """A role. `trust`: the text of the policy that says who may assume it; `longest`: seconds of a session."""

    kind: ClassVar[str] = "role"
    trust: str
    description: str | None = None
    longest: int = 3600
    boundary: str | None = None
    tags: list[IamTag] = msgspec.field(default_factory=list)


class StoredVersion(Record):
    """One version of a managed policy, e.g. `v1`."""

    id: str
    document: str
    created_at: datetime


class PolicyRecord(Record, kw_only=True):
    """A managed policy with its versions, oldest first; `default` is the id of the one that counts."""

    account: str
    name: str
    path: str
    id: str
    created_at: datetime
    updated_at: datetime
    versions: list[StoredVersion]
    default: str
    description: str | None = None
    tags: list[IamTag] = msgspec.field(default_factory=list)

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account}:policy{self.path}{self.name}"

    @property
    def document(self) -> str:
        return next(version.document for version in self.versions if version.id == self.default)


class RoleSession(Record):
    """What temporary credentials are of: a role by name and id, the session's name; the token is sealed. `policy`: the
    text of the one that limits it."""

    role: str
    role_id: str
    name: str
    token: str
    expires_at: datetime
    policy: str | None = None


class AccessKeyRecord(Record):
    """An access key of a user, or of a `session` of a role; the secret is sealed. One of an older `generation` than the
    state has come to is not honoured: see ecsctl.store.generation."""

    id: str
    account: str
    user: str
    sealed: str
    status: KeyStatus
    created_at: datetime
    generation: int
    session: RoleSession | None = None

    @property
    def owner(self) -> str:
        """The key of its user, or what stands for its role; names have no `/`."""
        if self.session is not None:
            return f"{self.account}/role/{self.session.role.lower()}"
        return key_of(self.account, self.user)


def key_of(account: str, name: str) -> str:
    """What a user, a group or a role is found by: names that differ in case only are one."""
    return f"{account}/{name.lower()}"
