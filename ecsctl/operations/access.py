"""Who may do what: what the endpoint asks of an access key, and of a request before it is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import msgspec

from ecsctl.model.errors import ApiError
from ecsctl.model.iam import AccessKeyRecord, key_of
from ecsctl.model.record import Record
from ecsctl.operations.access_keys import status_of
from ecsctl.operations.authorization import needs_of
from ecsctl.operations.context import Context
from ecsctl.operations.principal_policies import keys_of_session, keys_of_user, policies_of
from ecsctl.operations.sessions import arn_of
from ecsctl.policy.evaluate import Decision, Policies, context_of, evaluate, narrowed
from ecsctl.store.generation import current
from ecsctl.store.iam_tables import ACCESS_KEYS, ROLES, USERS
from ecsctl.store.sealing import Seal
from ecsctl.store.store import View


class Principal(msgspec.Struct, frozen=True):
    """Who asks: a user of the account, a session of a role, or the root, who may do all. `user_id` is AIDA… of a user;
    `session`: the access key's id of a session."""

    arn: str
    account: str
    user_id: str
    name: str
    session: str = ""

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
    """The key of that id; None for one that is unknown, of another account, Inactive, or of an older generation. One
    that has expired is still known for a while: see expires_at."""
    with ctx.store.read() as view:
        found = view.get(ACCESS_KEYS, access_key_id)
        if found is None or found.account != ctx.scope.account:
            return None
        principal = _principal(view, found)
        generation = current(ctx.store, view)
    if principal is None or status_of(found, generation) != "Active":
        return None
    session, keys = found.session, ctx.store.secrets_key_path
    return Key(
        access_key_id=found.id,
        secret=_opened(keys, found.sealed),
        principal=principal,
        token=_opened(keys, session.token) if session is not None else None,
        expires_at=session.expires_at if session is not None else None,
    )


def _principal(view: View, key: AccessKeyRecord) -> Principal | None:
    """Whose key it is; None where that user or role is no longer there."""
    if key.session is None:
        user = view.get(USERS, key.owner)
        return Principal(user.arn, user.account, user.id, user.name) if user is not None else None
    role = view.get(ROLES, key_of(key.account, key.session.role))
    if role is None or role.id != key.session.role_id:  # another one of that name
        return None
    arn, name = arn_of(key.account, key.session), key.session.name
    return Principal(arn, key.account, f"{role.id}:{name}", name, key.id)


@lru_cache(maxsize=256)
def _opened(keys: Path, sealed: str) -> HiddenStr:
    """Opening takes longer than the rest of a request does, and what a text opens to stays the same."""
    return HiddenStr(Seal(keys).open(sealed))


def authorize(
    ctx: Context, principal: Principal, action: str, request: Record, keys: Mapping[str, str | list[str]] | None = None
) -> None:
    """Nothing, where `principal` may do this `action` (`ecs:RunTask`); else AccessDeniedException, in AWS's words.

    All resources that the request names have to be allowed. `keys` are what the connection says, e.g. aws:SourceIp.
    """
    if principal.is_root:
        return
    with ctx.store.read() as view:
        rights = _Rights(ctx, view, principal, keys or {})
        for need in needs_of(ctx, view, action.partition(":")[2], request):
            rights.check(need.action, need.resource.arn, need.keys, shown=need.resource.shown)


def authorize_plain(
    ctx: Context,
    principal: Principal,
    action: str,
    resources: Sequence[str],
    keys: Mapping[str, str | list[str]] | None = None,
) -> None:
    """The same for an action of another service (`logs:GetLogEvents`), whose resources are known; none is `*`."""
    if principal.is_root:
        return
    with ctx.store.read() as view:
        rights = _Rights(ctx, view, principal, {})
        for resource in resources or ["*"]:
            rights.check(action, resource, keys or {}, shown=resource)


class _Rights:
    """What a principal may do, and what of it conditions may ask of every request."""

    def __init__(self, ctx: Context, view: View, principal: Principal, keys: Mapping[str, str | list[str]]) -> None:
        self._principal = principal
        self._policies = Policies(())
        self._narrowed: dict[str, Policies] = {}
        self._keys: dict[str, str | list[str]] = {}
        if principal.session:
            self._of_session(ctx, view, keys)
            return
        user = view.get(USERS, key_of(principal.account, principal.name))
        if user is not None and (user.arn, user.id) == (principal.arn, principal.user_id):  # not another of that name
            self._policies = policies_of(view, user)
            self._keys = {**keys_of_user(ctx, user), **keys}

    def _of_session(self, ctx: Context, view: View, keys: Mapping[str, str | list[str]]) -> None:
        key = view.get(ACCESS_KEYS, self._principal.session)
        if key is None or key.session is None or key.session.expires_at <= ctx.now():
            return
        role = view.get(ROLES, key_of(key.account, key.session.role))
        if role is not None and _principal(view, key) == self._principal:
            self._policies = policies_of(view, role, key.session.policy)
            self._keys = {**keys_of_session(ctx, role, key.session.name, key.created_at), **keys}

    def check(self, action: str, resource: str, keys: Mapping[str, str | list[str]], *, shown: str) -> None:
        if action not in self._narrowed:
            self._narrowed[action] = narrowed(self._policies, action)
        decision = evaluate(self._narrowed[action], action, resource, context_of({**self._keys, **keys}))
        if not decision.allowed:
            raise denied(self._principal, action, shown, decision)


def denied(principal: Principal, action: str, resource: str, decision: Decision) -> ApiError:
    """In the words of AWS (IAM user guide, "Troubleshoot access denied error messages")."""
    article = "an" if decision.by.startswith("i") else "a"
    why = (
        f"with an explicit deny in {article} {decision.by}"
        if decision.explicit
        else f"because no {decision.by} allows the {action} action"
    )
    return ApiError(
        "AccessDeniedException",
        f"User: {principal.arn} is not authorized to perform: {action} on resource: {resource} {why}",
    )
