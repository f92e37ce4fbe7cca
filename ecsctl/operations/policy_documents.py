"""Policy documents as they are given and kept: checked before they are kept, with a word on what may not be meant."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ecsctl.model.errors import ApiError, InputError
from ecsctl.operations.actions import NOT_YET, ROOMS
from ecsctl.operations.authorization_keys import KEYS
from ecsctl.operations.context import Context
from ecsctl.operations.strict_json import parse_json
from ecsctl.policy.document import Policy, PolicyProblem, parse_policy, unknown_actions, unknown_keys, warnings


def checked_policy(ctx: Context, text: str) -> Policy:
    """A policy of a user, a group or a role. MalformedPolicyDocument, with the place; lints are told as warnings."""
    policy = _parsed(text, trust=False)
    known = {f"ecs:{action}" for action in (*ROOMS, *NOT_YET)}
    keys = {*KEYS, "ecs:CreateAction", "ecs:ResourceTag/"}
    for line in (*warnings(policy), *unknown_actions(policy, known), *unknown_keys(policy, keys)):
        ctx.warn(f"warning: {line}")
    return policy


def checked_trust(text: str) -> Policy:
    """The policy that says who may assume a role. MalformedPolicyDocument."""
    return _parsed(text, trust=True)


@lru_cache(maxsize=1024)
def kept_policy(text: str) -> Policy:
    """A policy that was kept, and so was read before. AccessDeniedException for one that cannot be read any more."""
    return _kept(text, trust=False)


@lru_cache(maxsize=1024)
def kept_trust(text: str) -> Policy:
    """The same of a role's trust policy."""
    return _kept(text, trust=True)


def _kept(text: str, *, trust: bool) -> Policy:
    try:
        return _parsed(text, trust=trust)
    except ApiError as error:
        raise ApiError("AccessDeniedException", f"A policy that applies cannot be read: {error.message}") from None


def plain(text: str) -> dict[str, Any]:
    """The document as plain data, as answers have it."""
    data: dict[str, Any] = parse_json(text, "the policy")
    return data


def size_of(text: str) -> int:
    """Its characters as IAM counts them: without white space."""
    return len("".join(text.split()))


def _parsed(text: str, *, trust: bool) -> Policy:
    try:
        return parse_policy(parse_json(text, "the policy"), trust=trust)
    except (PolicyProblem, InputError) as error:
        raise ApiError("MalformedPolicyDocument", f"{error}") from None
