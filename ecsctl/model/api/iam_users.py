"""Requests and responses of the actions on users."""

from datetime import datetime

from ecsctl.model.iam import IamShape, IamTag


class AttachedPermissionsBoundary(IamShape):
    """IAM API_AttachedPermissionsBoundary."""

    permissions_boundary_type: str
    permissions_boundary_arn: str


class User(IamShape):
    """IAM API_User."""

    path: str
    user_name: str
    user_id: str
    arn: str
    create_date: datetime
    permissions_boundary: AttachedPermissionsBoundary | None = None
    tags: list[IamTag] | None = None


class CreateUserRequest(IamShape):
    """IAM API_CreateUser."""

    user_name: str
    path: str | None = None
    permissions_boundary: str | None = None
    tags: list[IamTag] | None = None


class CreateUserResponse(IamShape):
    """IAM API_CreateUser."""

    user: User


class GetUserRequest(IamShape):
    """IAM API_GetUser."""

    user_name: str


class GetUserResponse(IamShape):
    """IAM API_GetUser."""

    user: User


class ListUsersRequest(IamShape):
    """IAM API_ListUsers."""

    path_prefix: str | None = None


class ListUsersResponse(IamShape):
    """IAM API_ListUsers."""

    users: list[User]


class DeleteUserRequest(IamShape):
    """IAM API_DeleteUser."""

    user_name: str


class DeleteUserResponse(IamShape):
    """IAM API_DeleteUser."""


class PutUserPermissionsBoundaryRequest(IamShape):
    """IAM API_PutUserPermissionsBoundary."""

    user_name: str
    permissions_boundary: str


class PutUserPermissionsBoundaryResponse(IamShape):
    """IAM API_PutUserPermissionsBoundary."""


class DeleteUserPermissionsBoundaryRequest(IamShape):
    """IAM API_DeleteUserPermissionsBoundary."""

    user_name: str


class DeleteUserPermissionsBoundaryResponse(IamShape):
    """IAM API_DeleteUserPermissionsBoundary."""
