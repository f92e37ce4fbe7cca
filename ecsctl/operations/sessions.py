"""Sessions of roles: temporary credentials, of which the secret and the token are told once and kept sealed.

Source: STS API AssumeRole.
"""

from __future__ import annotations

import re
from datetime import timedelta

from ecsctl.model.api.sessions import AssumedRoleUser, AssumeRoleRequest, AssumeRoleResponse, Credentials
from ecsctl.model.arn import last_part
from ecsctl.model.errors import ApiError
from ecsctl.model.iam import AccessKeyRecord, RoleRecord, RoleSession, key_of
from ecsctl.operations.context import Context
from ecsctl.operations.iam_lookup import invalid, limit_exceeded, new_iam_id
from ecsctl.operations.policy_documents import checked_policy, kept_trust, size_of
from ecsctl.operations.principal_policies import keys_of_now, keys_of_session, keys_of_user
from ecsctl.operations.secrets import seal_in
from ecsctl.policy.evaluate import context_of, trusts
from ecsctl.store.generation import current
from ecsctl.store.iam_tables import ACCESS_KEYS, ROLES, USERS
from ecsctl.store.store import Transaction, View

SHORTEST, DEFAULT = 900, 3600
"""Seconds that credentials are good for; the longest is the role's."""
MOST_CHARACTERS = 2048
_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{2,64}")
_KEPT = timedelta(days=1)
"""How long it is known of credentials that they have expired."""


def assume_role(ctx: Context, request: AssumeRoleRequest) -> AssumeRoleResponse:
    """Credentials for who asks, if the role's trust policy lets them. Who is the root of the account may have those of
    any of its roles."""
    from base64 import b64encode
    from secrets import token_bytes, token_urlsafe

    name, seconds = request.role_session_name, request.duration_seconds
    if not _NAME.fullmatch(name):
        raise invalid(f"roleSessionName: {name[:64]!r}: use 2 to 64 letters, digits and _+=,.@-.")
    if request.policy is not None:
        checked_policy(ctx, request.policy)
        if size_of(request.policy) > MOST_CHARACTERS:
            raise limit_exceeded(f"Maximum policy size of {MOST_CHARACTERS} bytes exceeded for the session {name}")
    now = ctx.now()
    with ctx.store.write() as tx:
        role = _the_role(tx, ctx, request)
        if seconds is not None and not SHORTEST <= seconds <= role.longest:
            raise invalid(f"durationSeconds: {seconds} is not between {SHORTEST} and the role's {role.longest}.")
        secret, token, seal = b64encode(token_bytes(30)).decode(), token_urlsafe(96), seal_in(ctx, tx)
        session = RoleSession(
            role=role.name,
            role_id=role.id,
            name=name,
            token=seal.seal(token),
            expires_at=now + timedelta(seconds=seconds or DEFAULT),
            policy=request.policy,
        )
        made = AccessKeyRecord(
            id=new_iam_id(ctx, "ASIA", 16),
            account=role.account,
            user="",
            sealed=seal.seal(secret),
            status="Active",
            created_at=now,
            generation=current(ctx.store, tx),
            session=session,
        )
        _forget_old(tx, ctx, made.owner)
        tx.put(ACCESS_KEYS, made)
    return AssumeRoleResponse(
        credentials=Credentials(
            access_key_id=made.id, secret_access_key=secret, session_token=token, expiration=session.expires_at
        ),
        assumed_role_user=AssumedRoleUser(assumed_role_id=f"{role.id}:{name}", arn=arn_of(role.account, session)),
    )


def arn_of(account: str, session: RoleSession) -> str:
    """What a session is called."""
    return f"arn:aws:sts::{account}:assumed-role/{session.role}/{session.name}"


def _the_role(view: View, ctx: Context, request: AssumeRoleRequest) -> RoleRecord:
    """AccessDenied alike for a role that one may not assume and for one that there is not."""
    caller, account = ctx.caller, ctx.scope.account
    root = f"arn:aws:iam::{account}:root"
    found = view.get(ROLES, key_of(account, request.role_arn.rpartition("/")[2]))
    if found is not None and found.arn == request.role_arn:
        names = [caller, root]
        keys = {**keys_of_now(ctx), "aws:PrincipalArn": caller}
        if caller.startswith(f"arn:aws:sts::{account}:assumed-role/"):
            of = view.get(ROLES, key_of(account, caller.split("/")[1]))
            if of is not None:
                names.append(of.arn)
                keys = keys_of_session(ctx, of, last_part(caller))
        else:
            user = view.get(USERS, key_of(account, last_part(caller)))
            if user is not None and user.arn == caller:
                keys = keys_of_user(ctx, user)
        keys = {**keys, **ctx.asked_with, "sts:RoleSessionName": request.role_session_name}
        if request.external_id is not None:
            keys["sts:ExternalId"] = request.external_id
        if caller == root or trusts(kept_trust(found.trust), names, "sts:AssumeRole", context_of(keys)):
            return found
    raise ApiError(
        "AccessDenied",
        f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {request.role_arn}",
    )


def _forget_old(tx: Transaction, ctx: Context, owner: str) -> None:
    for key in tx.find(ACCESS_KEYS, owner=owner):
        if key.session is not None and key.session.expires_at < ctx.now() - _KEPT:
            tx.delete(ACCESS_KEYS, id=key.id)
