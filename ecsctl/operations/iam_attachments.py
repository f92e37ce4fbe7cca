"""Managed policies of users, groups and roles (IAM API AttachUserPolicy and so on)."""

from __future__ import annotations

from ecsctl.model.api.iam_attachments import (
    AttachedPolicy,
    AttachGroupPolicyRequest,
    AttachGroupPolicyResponse,
    AttachRolePolicyRequest,
    AttachRolePolicyResponse,
    AttachUserPolicyRequest,
    AttachUserPolicyResponse,
    DetachGroupPolicyRequest,
    DetachGroupPolicyResponse,
    DetachRolePolicyRequest,
    DetachRolePolicyResponse,
    DetachUserPolicyRequest,
    DetachUserPolicyResponse,
    ListAttachedGroupPoliciesRequest,
    ListAttachedGroupPoliciesResponse,
    ListAttachedRolePoliciesRequest,
    ListAttachedRolePoliciesResponse,
    ListAttachedUserPoliciesRequest,
    ListAttachedUserPoliciesResponse,
)
from ecsctl.model.record import evolve
from ecsctl.operations.context import Context
from ecsctl.operations.iam_lookup import (
    Kind,
    limit_exceeded,
    managed_policy,
    no_such,
    prefix_of,
    the_holder,
    the_policy,
)

MOST_POLICIES = 10
"""Managed policies of one user, group or role."""


def attach_user_policy(ctx: Context, request: AttachUserPolicyRequest) -> AttachUserPolicyResponse:
    _attach(ctx, "user", request.user_name, request.policy_arn)
    return AttachUserPolicyResponse()


def detach_user_policy(ctx: Context, request: DetachUserPolicyRequest) -> DetachUserPolicyResponse:
    _detach(ctx, "user", request.user_name, request.policy_arn)
    return DetachUserPolicyResponse()


def list_attached_user_policies(
    ctx: Context, request: ListAttachedUserPoliciesRequest
) -> ListAttachedUserPoliciesResponse:
    return ListAttachedUserPoliciesResponse(
        attached_policies=_attached(ctx, "user", request.user_name, request.path_prefix)
    )


def attach_group_policy(ctx: Context, request: AttachGroupPolicyRequest) -> AttachGroupPolicyResponse:
    _attach(ctx, "group", request.group_name, request.policy_arn)
    return AttachGroupPolicyResponse()


def detach_group_policy(ctx: Context, request: DetachGroupPolicyRequest) -> DetachGroupPolicyResponse:
    _detach(ctx, "group", request.group_name, request.policy_arn)
    return DetachGroupPolicyResponse()


def list_attached_group_policies(
    ctx: Context, request: ListAttachedGroupPoliciesRequest
) -> ListAttachedGroupPoliciesResponse:
    return ListAttachedGroupPoliciesResponse(
        attached_policies=_attached(ctx, "group", request.group_name, request.path_prefix)
    )


def attach_role_policy(ctx: Context, request: AttachRolePolicyRequest) -> AttachRolePolicyResponse:
    _attach(ctx, "role", request.role_name, request.policy_arn)
    return AttachRolePolicyResponse()


def detach_role_policy(ctx: Context, request: DetachRolePolicyRequest) -> DetachRolePolicyResponse:
    _detach(ctx, "role", request.role_name, request.policy_arn)
    return DetachRolePolicyResponse()


def list_attached_role_policies(
    ctx: Context, request: ListAttachedRolePoliciesRequest
) -> ListAttachedRolePoliciesResponse:
    return ListAttachedRolePoliciesResponse(
        attached_policies=_attached(ctx, "role", request.role_name, request.path_prefix)
    )


def _attach(ctx: Context, kind: Kind, name: str, policy: str) -> None:
    """One that is attached already stays so."""
    with ctx.store.write() as tx:
        holder, table = the_holder(tx, ctx, kind, name)
        arn = the_policy(tx, ctx, policy, missing=f"Policy {policy} does not exist or is not attachable.").arn
        if arn in holder.attached:
            return
        if len(holder.attached) >= MOST_POLICIES:
            raise limit_exceeded(f"Cannot exceed quota for PoliciesPer{kind.capitalize()}: {MOST_POLICIES}")
        tx.put(table, evolve(holder, attached=[*holder.attached, arn]))


def _detach(ctx: Context, kind: Kind, name: str, policy: str) -> None:
    with ctx.store.write() as tx:
        holder, table = the_holder(tx, ctx, kind, name)
        if policy not in holder.attached:
            raise no_such(f"Policy {policy} was not found.")
        tx.put(table, evolve(holder, attached=[arn for arn in holder.attached if arn != policy]))


def _attached(ctx: Context, kind: Kind, name: str, path_prefix: str | None) -> list[AttachedPolicy]:
    prefix = prefix_of(path_prefix)
    with ctx.store.read() as view:
        holder, _ = the_holder(view, ctx, kind, name)
        found = [policy for arn in holder.attached if (policy := managed_policy(view, arn)) is not None]
    return [
        AttachedPolicy(policy_name=policy.name, policy_arn=policy.arn)
        for policy in found
        if policy.path.startswith(prefix)
    ]
