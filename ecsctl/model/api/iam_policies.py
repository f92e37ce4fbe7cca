"""Requests and responses of the actions on managed policies."""

from datetime import datetime
from typing import Any, Literal

from ecsctl.model.iam import IamShape, IamTag

PolicyScope = Literal["All", "AWS", "Local"]


class Policy(IamShape):
    """IAM API_Policy."""

    policy_name: str
    policy_id: str
    arn: str
    path: str
    default_version_id: str
    attachment_count: int
    permissions_boundary_usage_count: int
    is_attachable: bool
    create_date: datetime
    update_date: datetime
    description: str | None = None
    tags: list[IamTag] | None = None


class PolicyVersion(IamShape):
    """IAM API_PolicyVersion."""

    version_id: str
    is_default_version: bool
    create_date: datetime
    document: dict[str, Any] | None = None


class CreatePolicyRequest(IamShape):
    """IAM API_CreatePolicy."""

    policy_name: str
    policy_document: str
    path: str | None = None
    description: str | None = None
    tags: list[IamTag] | None = None


class CreatePolicyResponse(IamShape):
    """IAM API_CreatePolicy."""

    policy: Policy


class GetPolicyRequest(IamShape):
    """IAM API_GetPolicy."""

    policy_arn: str


class GetPolicyResponse(IamShape):
    """IAM API_GetPolicy."""

    policy: Policy


class ListPoliciesRequest(IamShape):
    """IAM API_ListPolicies."""

    scope: PolicyScope | None = None
    only_attached: bool | None = None
    path_prefix: str | None = None


class ListPoliciesResponse(IamShape):
    """IAM API_ListPolicies."""

    policies: list[Policy]


class DeletePolicyRequest(IamShape):
    """IAM API_DeletePolicy."""

    policy_arn: str


class DeletePolicyResponse(IamShape):
    """IAM API_DeletePolicy."""


class CreatePolicyVersionRequest(IamShape):
    """IAM API_CreatePolicyVersion."""

    policy_arn: str
    policy_document: str
    set_as_default: bool | None = None


class CreatePolicyVersionResponse(IamShape):
    """IAM API_CreatePolicyVersion."""

    policy_version: PolicyVersion


class GetPolicyVersionRequest(IamShape):
    """IAM API_GetPolicyVersion."""

    policy_arn: str
    version_id: str


class GetPolicyVersionResponse(IamShape):
    """IAM API_GetPolicyVersion."""

    policy_version: PolicyVersion


class ListPolicyVersionsRequest(IamShape):
    """IAM API_ListPolicyVersions."""

    policy_arn: str


class ListPolicyVersionsResponse(IamShape):
    """IAM API_ListPolicyVersions."""

    versions: list[PolicyVersion]


class DeletePolicyVersionRequest(IamShape):
    """IAM API_DeletePolicyVersion."""

    policy_arn: str
    version_id: str


class DeletePolicyVersionResponse(IamShape):
    """IAM API_DeletePolicyVersion."""


class SetDefaultPolicyVersionRequest(IamShape):
    """IAM API_SetDefaultPolicyVersion."""

    policy_arn: str
    version_id: str


class SetDefaultPolicyVersionResponse(IamShape):
    """IAM API_SetDefaultPolicyVersion."""
