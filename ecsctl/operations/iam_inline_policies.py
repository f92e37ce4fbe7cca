"""The policies that users, groups and roles have of their own (IAM API PutUserPolicy and so on)."""

from __future__ import annotations

from ecsctl.model.api.iam_inline_policies import (
    DeleteGroupPolicyRequest,
    DeleteGroupPolicyResponse,
    DeleteRolePolicyRequest,
    DeleteRolePolicyResponse,
    DeleteUserPolicyRequest,
    DeleteUserPolicyResponse,
    GetGroupPolicyRequest,
    GetGroupPolicyResponse,
    GetRolePolicyRequest,
    GetRolePolicyResponse,
    GetUserPolicyRequest,
    GetUserPolicyResponse,
    ListGroupPoliciesRequest,
    ListGroupPoliciesResponse,
    ListRolePoliciesRequest,
    ListRolePoliciesResponse,
    ListUserPoliciesRequest,
    ListUserPoliciesResponse,
    PutGroupPolicyRequest,
    PutGroupPolicyResponse,
    PutRolePolicyRequest,
    PutRolePolicyResponse,
    PutUserPolicyRequest,
    PutUserPolicyResponse,
)
from ecsctl.model.errors import ApiError
from ecsctl.model.record import evolve
from ecsctl.operations.context import Context
from ecsctl.operations.iam_lookup import Kind, iam_name, limit_exceeded, no_such, the_holder
from ecsctl.operations.policy_documents import checked_policy, plain, size_of

LONGEST_NAME = 128
MOST_CHARACTERS = {"user": 2048, "group": 5120, "role": 10240}
"""Of all such policies of one, white space not counted."""


def put_user_policy(ctx: Context, request: PutUserPolicyRequest) -> PutUserPolicyResponse:
    _put(ctx, "user", request.user_name, request.policy_name, request.policy_document)
    return PutUserPolicyResponse()


def get_user_policy(ctx: Context, request: GetUserPolicyRequest) -> GetUserPolicyResponse:
    text = _get(ctx, "user", request.user_name, request.policy_name)
    return GetUserPolicyResponse(
        user_name=request.user_name, policy_name=request.policy_name, policy_document=plain(text)
    )


def list_user_policies(ctx: Context, request: ListUserPoliciesRequest) -> ListUserPoliciesResponse:
    return ListUserPoliciesResponse(policy_names=_list(ctx, "user", request.user_name))


def delete_user_policy(ctx: Context, request: DeleteUserPolicyRequest) -> DeleteUserPolicyResponse:
    _delete(ctx, "user", request.user_name, request.policy_name)
    return DeleteUserPolicyResponse()


def put_group_policy(ctx: Context, request: PutGroupPolicyRequest) -> PutGroupPolicyResponse:
    _put(ctx, "group", request.group_name, request.policy_name, request.policy_document)
    return PutGroupPolicyResponse()


def get_group_policy(ctx: Context, request: GetGroupPolicyRequest) -> GetGroupPolicyResponse:
    text = _get(ctx, "group", request.group_name, request.policy_name)
    return GetGroupPolicyResponse(
        group_name=request.group_name, policy_name=request.policy_name, policy_document=plain(text)
    )


def list_group_policies(ctx: Context, request: ListGroupPoliciesRequest) -> ListGroupPoliciesResponse:
    return ListGroupPoliciesResponse(policy_names=_list(ctx, "group", request.group_name))


def delete_group_policy(ctx: Context, request: DeleteGroupPolicyRequest) -> DeleteGroupPolicyResponse:
    _delete(ctx, "group", request.group_name, request.policy_name)
    return DeleteGroupPolicyResponse()


def put_role_policy(ctx: Context, request: PutRolePolicyRequest) -> PutRolePolicyResponse:
    _put(ctx, "role", request.role_name, request.policy_name, request.policy_document)
    return PutRolePolicyResponse()


def get_role_policy(ctx: Context, request: GetRolePolicyRequest) -> GetRolePolicyResponse:
    text = _get(ctx, "role", request.role_name, request.policy_name)
    return GetRolePolicyResponse(
        role_name=request.role_name, policy_name=request.policy_name, policy_document=plain(text)
    )


def list_role_policies(ctx: Context, request: ListRolePoliciesRequest) -> ListRolePoliciesResponse:
    return ListRolePoliciesResponse(policy_names=_list(ctx, "role", request.role_name))


def delete_role_policy(ctx: Context, request: DeleteRolePolicyRequest) -> DeleteRolePolicyResponse:
    _delete(ctx, "role", request.role_name, request.policy_name)
    return DeleteRolePolicyResponse()


def _put(ctx: Context, kind: Kind, name: str, policy: str, document: str) -> None:
    iam_name(policy, "policyName", LONGEST_NAME)
    checked_policy(ctx, document)
    with ctx.store.write() as tx:
        holder, table = the_holder(tx, ctx, kind, name)
        inline = {**holder.inline, policy: document}
        most = MOST_CHARACTERS[kind]
        if sum(map(size_of, inline.values())) > most:
            raise limit_exceeded(f"Maximum policy size of {most} bytes exceeded for {kind} {name}")
        tx.put(table, evolve(holder, inline=inline))


def _get(ctx: Context, kind: Kind, name: str, policy: str) -> str:
    with ctx.store.read() as view:
        holder, _ = the_holder(view, ctx, kind, name)
    if policy not in holder.inline:
        raise _none(kind, policy)
    return holder.inline[policy]


def _list(ctx: Context, kind: Kind, name: str) -> list[str]:
    with ctx.store.read() as view:
        return sorted(the_holder(view, ctx, kind, name)[0].inline)


def _delete(ctx: Context, kind: Kind, name: str, policy: str) -> None:
    with ctx.store.write() as tx:
        holder, table = the_holder(tx, ctx, kind, name)
        if policy not in holder.inline:
            raise _none(kind, policy)
        tx.put(table, evolve(holder, inline={key: text for key, text in holder.inline.items() if key != policy}))


def _none(kind: Kind, policy: str) -> ApiError:
    return no_such(f"The {kind} policy with name {policy} cannot be found.")
