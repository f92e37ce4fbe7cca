"""Who asks (STS API reference)."""

from __future__ import annotations

from ecsctl.model.arn import last_part
from ecsctl.model.iam import key_of
from ecsctl.model.neighbours.sts import GetCallerIdentityRequest, GetCallerIdentityResponse
from ecsctl.operations.context import Context
from ecsctl.store.tables import USERS


def get_caller_identity(ctx: Context, _: GetCallerIdentityRequest) -> GetCallerIdentityResponse:
    """The account, and who asks: a user by its id, the account itself by its number."""
    account = ctx.scope.account
    with ctx.store.read() as view:
        user = view.get(USERS, key_of(account, last_part(ctx.caller)))
    user_id = user.id if user is not None and user.arn == ctx.caller else account
    return GetCallerIdentityResponse(user_id=user_id, account=account, arn=ctx.caller)
