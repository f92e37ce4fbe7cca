"""Who may do what: what the endpoint asks of an access key, and of a request before it is done."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ecsctl.operations.access_keys import status_of
from ecsctl.operations.context import Context
from ecsctl.store.generation import current
from ecsctl.store.tables import ACCESS_KEYS, USERS


class Principal(msgspec.Struct, frozen=True):
    """Who asks: a user of the account, or its root, who may do all. `user_id` is AIDA… of a user."""

    arn: str
    account: str
    user_id: str
    name: str

    @classmethod
    def root(cls, account: str) -> Principal:
        """Who comes by the Unix socket, or where no signature is asked for."""
        return cls(f"arn:aws:iam::{account}:root", account, account, "root")

    @property
    def is_root(self) -> bool:
        return self.arn == f"arn:aws:iam::{self.account}:root"


class HiddenStr(str):
    """A text that does not show in what is printed of what has it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


class Key(msgspec.Struct, frozen=True):
    """An access key that is honoured. `token` and `expires_at` are of temporary ones."""

    access_key_id: str
    secret: HiddenStr
    principal: Principal
    token: HiddenStr | None = None
    expires_at: datetime | None = None


def find_key(ctx: Context, access_key_id: str) -> Key | None:
    """The key of that id; None for one that is unknown, of another account, Inactive, or of an older generation."""
    with ctx.store.read() as view:
        found = view.get(ACCESS_KEYS, access_key_id)
        if found is None or found.account != ctx.scope.account:
            return None
        user = view.get(USERS, found.user_key)
        generation = current(ctx.store, view)
    if user is None or status_of(found, generation) != "Active":
        return None
    return Key(
        access_key_id=found.id,
        secret=HiddenStr(ctx.store.seal().open(found.sealed)),
        principal=Principal(user.arn, user.account, user.id, user.name),
    )
