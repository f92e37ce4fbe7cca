"""Requests and responses of the actions on the policies that users, groups and roles have of their own."""

from typing import Any

from ecsctl.model.iam import IamShape


class PutUserPolicyRequest(IamShape):
    """IAM API_PutUserPolicy."""

    user_name: str
    policy_name: str
    policy_document: str


class PutUserPolicyResponse(IamShape):
    """IAM API_PutUserPolicy."""


class GetUserPolicyRequest(IamShape):
    """IAM API_GetUserPolicy."""

    user_name: str
    policy_name: str


class GetUserPolicyResponse(IamShape):
    """IAM API_GetUserPolicy."""

    user_name: str
    policy_name: str
    policy_document: dict[str, Any]


class ListUserPoliciesRequest(IamShape):
    """IAM API_ListUserPolicies."""

    user_name: str


class ListUserPoliciesResponse(IamShape):
    """IAM API_ListUserPolicies."""

    policy_names: list[str]


class DeleteUserPolicyRequest(IamShape):
    """IAM API_DeleteUserPolicy."""

    user_name: str
    policy_name: str


class DeleteUserPolicyResponse(IamShape):
    """IAM API_DeleteUserPolicy."""


class PutGroupPolicyRequest(IamShape):
    """IAM API_PutGroupPolicy."""

    group_name: str
    policy_name: str
    policy_document: str


class PutGroupPolicyResponse(IamShape):
    """IAM API_PutGroupPolicy."""


class GetGroupPolicyRequest(IamShape):
    """IAM API_GetGroupPolicy."""

    group_name: str
    policy_name: str


class GetGroupPolicyResponse(IamShape):
    """IAM API_GetGroupPolicy."""

    group_name: str
    policy_name: str
    policy_document: dict[str, Any]


class ListGroupPoliciesRequest(IamShape):
    """IAM API_ListGroupPolicies."""

    group_name: str


class ListGroupPoliciesResponse(IamShape):
    """IAM API_ListGroupPolicies."""

    policy_names: list[str]


class DeleteGroupPolicyRequest(IamShape):
    """IAM API_DeleteGroupPolicy."""

    group_name: str
    policy_name: str


class DeleteGroupPolicyResponse(IamShape):
    """IAM API_DeleteGroupPolicy."""


class PutRolePolicyRequest(IamShape):
    """IAM API_PutRolePolicy."""

    role_name: str
    policy_name: str
    policy_document: str


class PutRolePolicyResponse(IamShape):
    """IAM API_PutRolePolicy."""


class GetRolePolicyRequest(IamShape):
    """IAM API_GetRolePolicy."""

    role_name: str
    policy_name: str


class GetRolePolicyResponse(IamShape):
    """IAM API_GetRolePolicy."""

    role_name: str
    policy_name: str
    policy_document: dict[str, Any]


class ListRolePoliciesRequest(IamShape):
    """IAM API_ListRolePolicies."""

    role_name: str


class ListRolePoliciesResponse(IamShape):
    """IAM API_ListRolePolicies."""

    policy_names: list[str]


class DeleteRolePolicyRequest(IamShape):
    """IAM API_DeleteRolePolicy."""

    role_name: str
    policy_name: str


class DeleteRolePolicyResponse(IamShape):
    """IAM API_DeleteRolePolicy."""
