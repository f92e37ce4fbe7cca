"""Requests and responses of the actions that attach managed policies to users, groups and roles."""

from ecsctl.model.iam import IamShape


class AttachedPolicy(IamShape):
    """IAM API_AttachedPolicy."""

    policy_name: str
    policy_arn: str


class AttachUserPolicyRequest(IamShape):
    """IAM API_AttachUserPolicy."""

    user_name: str
    policy_arn: str


class AttachUserPolicyResponse(IamShape):
    """IAM API_AttachUserPolicy."""


class DetachUserPolicyRequest(IamShape):
    """IAM API_DetachUserPolicy."""

    user_name: str
    policy_arn: str


class DetachUserPolicyResponse(IamShape):
    """IAM API_DetachUserPolicy."""


class ListAttachedUserPoliciesRequest(IamShape):
    """IAM API_ListAttachedUserPolicies."""

    user_name: str
    path_prefix: str | None = None


class ListAttachedUserPoliciesResponse(IamShape):
    """IAM API_ListAttachedUserPolicies."""

    attached_policies: list[AttachedPolicy]


class AttachGroupPolicyRequest(IamShape):
    """IAM API_AttachGroupPolicy."""

    group_name: str
    policy_arn: str


class AttachGroupPolicyResponse(IamShape):
    """IAM API_AttachGroupPolicy."""


class DetachGroupPolicyRequest(IamShape):
    """IAM API_DetachGroupPolicy."""

    group_name: str
    policy_arn: str


class DetachGroupPolicyResponse(IamShape):
    """IAM API_DetachGroupPolicy."""


class ListAttachedGroupPoliciesRequest(IamShape):
    """IAM API_ListAttachedGroupPolicies."""

    group_name: str
    path_prefix: str | None = None


class ListAttachedGroupPoliciesResponse(IamShape):
    """IAM API_ListAttachedGroupPolicies."""

    attached_policies: list[AttachedPolicy]


class AttachRolePolicyRequest(IamShape):
    """IAM API_AttachRolePolicy."""

    role_name: str
    policy_arn: str


class AttachRolePolicyResponse(IamShape):
    """IAM API_AttachRolePolicy."""


class DetachRolePolicyRequest(IamShape):
    """IAM API_DetachRolePolicy."""

    role_name: str
    policy_arn: str


class DetachRolePolicyResponse(IamShape):
    """IAM API_DetachRolePolicy."""


class ListAttachedRolePoliciesRequest(IamShape):
    """IAM API_ListAttachedRolePolicies."""

    role_name: str
    path_prefix: str | None = None


class ListAttachedRolePoliciesResponse(IamShape):
    """IAM API_ListAttachedRolePolicies."""

    attached_policies: list[AttachedPolicy]
