"""Requests and responses of the actions on groups."""

from datetime import datetime

from ecsctl.model.api.iam_users import User
from ecsctl.model.iam import IamShape


class Group(IamShape):
    """IAM API_Group."""

    path: str
    group_name: str
    group_id: str
    arn: str
    create_date: datetime


class CreateGroupRequest(IamShape):
    """IAM API_CreateGroup."""

    group_name: str
    path: str | None = None


class CreateGroupResponse(IamShape):
    """IAM API_CreateGroup."""

    group: Group


class GetGroupRequest(IamShape):
    """IAM API_GetGroup."""

    group_name: str


class GetGroupResponse(IamShape):
    """IAM API_GetGroup."""

    users: list[User]
    group: Group


class ListGroupsRequest(IamShape):
    """IAM API_ListGroups."""

    path_prefix: str | None = None


class ListGroupsResponse(IamShape):
    """IAM API_ListGroups."""

    groups: list[Group]


class DeleteGroupRequest(IamShape):
    """IAM API_DeleteGroup."""

    group_name: str


class DeleteGroupResponse(IamShape):
    """IAM API_DeleteGroup."""


class AddUserToGroupRequest(IamShape):
    """IAM API_AddUserToGroup."""

    group_name: str
    user_name: str


class AddUserToGroupResponse(IamShape):
    """IAM API_AddUserToGroup."""


class RemoveUserFromGroupRequest(IamShape):
    """IAM API_RemoveUserFromGroup."""

    group_name: str
    user_name: str


class RemoveUserFromGroupResponse(IamShape):
    """IAM API_RemoveUserFromGroup."""


class ListGroupsForUserRequest(IamShape):
    """IAM API_ListGroupsForUser."""

    user_name: str


class ListGroupsForUserResponse(IamShape):
    """IAM API_ListGroupsForUser."""

    groups: list[Group]
