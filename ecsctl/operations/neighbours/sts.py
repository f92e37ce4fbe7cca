"""Who asks (STS API reference)."""

from __future__ import annotations

from ecsctl.model.arn import last_part
from ecsctl.model.iam import key_of
from ecsctl.model.neighbours.sts import GetCallerIdentityRequest, GetCallerIdentityResponse
from ecsctl.model.record import Record
from ecsctl.operations.context import Context
from ecsctl.store.iam_tables import ROLES, USERS
from ecsctl.store.store import View

_SESSION = ":assumed-role/"


def resources(_: Context, request: Record) -> list[str]:
    """The role that is to be assumed. That its trust policy lets the caller is another matter."""
    return [getattr(request, "role_arn", "*")]


def get_caller_identity(ctx: Context, _: GetCallerIdentityRequest) -> GetCallerIdentityResponse:
    """The account, and who asks."""
    account = ctx.scope.account
    with ctx.store.read() as view:
        user_id = _id(view, account, ctx.caller)
    return GetCallerIdentityResponse(user_id=user_id, account=account, arn=ctx.caller)


def _id(view: View, account: str, arn: str) -> str:
    """Of a user its id, of a session its role's and its name, of the account itself its number."""
    name = last_part(arn)
    if _SESSION in arn:
        role = view.get(ROLES, key_of(account, arn.split("/")[1]))
        return f"{role.id}:{name}" if role is not None else name
    user = view.get(USERS, key_of(account, name))
    return user.id if user is not None and user.arn == arn else account
