"""Who asks (STS API reference)."""

from __future__ import annotations

from ecsctl.model.neighbours.sts import GetCallerIdentityRequest, GetCallerIdentityResponse
from ecsctl.operations.context import Context


def get_caller_identity(ctx: Context, _: GetCallerIdentityRequest) -> GetCallerIdentityResponse:
    """The account, and who asks: of the account itself the id is its number."""
    return GetCallerIdentityResponse(user_id=ctx.scope.account, account=ctx.scope.account, arn=ctx.caller)
