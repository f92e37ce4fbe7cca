"""STS: who is it that asks?"""

from ecsctl.model.neighbours.pascal import PascalRecord


class GetCallerIdentityRequest(PascalRecord):
    """What GetCallerIdentity takes: nothing."""


class GetCallerIdentityResponse(PascalRecord):
    """What GetCallerIdentity answers."""

    user_id: str
    account: str
    arn: str
