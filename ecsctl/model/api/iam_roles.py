"""Requests and responses of the actions on roles."""

from datetime import datetime
from typing import Any

from ecsctl.model.api.iam_users import AttachedPermissionsBoundary
from ecsctl.model.iam import IamShape, IamTag


class Role(IamShape):
    """IAM API_Role."""

    path: str
    role_name: str
    role_id: str
    arn: str
    create_date: datetime
    assume_role_policy_document: dict[str, Any]
    description: str | None = None
    max_session_duration: int | None = None
    permissions_boundary: AttachedPermissionsBoundary | None = None
    tags: list[IamTag] | None = None


class CreateRoleRequest(IamShape):
    """IAM API_CreateRole."""

    role_name: str
    assume_role_policy_document: str
    path: str | None = None
    description: str | None = None
    max_session_duration: int | None = None
    permissions_boundary: str | None = None
    tags: list[IamTag] | None = None


class CreateRoleResponse(IamShape):
    """IAM API_CreateRole."""

    role: Role


class GetRoleRequest(IamShape):
    """IAM API_GetRole."""

    role_name: str


class GetRoleResponse(IamShape):
    """IAM API_GetRole."""

    role: Role


class ListRolesRequest(IamShape):
    """IAM API_ListRoles."""

    path_prefix: str | None = None


class ListRolesResponse(IamShape):
    """IAM API_ListRoles."""

    roles: list[Role]


class DeleteRoleRequest(IamShape):
    """IAM API_DeleteRole."""

    role_name: str


class DeleteRoleResponse(IamShape):
    """IAM API_DeleteRole."""


class UpdateAssumeRolePolicyRequest(IamShape):
    """IAM API_UpdateAssumeRolePolicy."""

    role_name: str
    policy_document: str


class UpdateAssumeRolePolicyResponse(IamShape):
    """IAM API_UpdateAssumeRolePolicy."""


class PutRolePermissionsBoundaryRequest(IamShape):
    """IAM API_PutRolePermissionsBoundary."""

    role_name: str
    permissions_boundary: str


class PutRolePermissionsBoundaryResponse(IamShape):
    """IAM API_PutRolePermissionsBoundary."""


class DeleteRolePermissionsBoundaryRequest(IamShape):
    """IAM API_DeleteRolePermissionsBoundary."""

    role_name: str


class DeleteRolePermissionsBoundaryResponse(IamShape):
    """IAM API_DeleteRolePermissionsBoundary."""
