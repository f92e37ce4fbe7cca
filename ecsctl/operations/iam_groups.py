"""The actions on groups, and who is in them (IAM API CreateGroup, AddUserToGroup and so on)."""

from __future__ import annotations

from ecsctl.model.api.iam_groups import (
    AddUserToGroupRequest,
    AddUserToGroupResponse,
    CreateGroupRequest,
    CreateGroupResponse,
    DeleteGroupRequest,
    DeleteGroupResponse,
    GetGroupRequest,
    GetGroupResponse,
    Group,
    ListGroupsForUserRequest,
    ListGroupsForUserResponse,
    ListGroupsRequest,
    ListGroupsResponse,
    RemoveUserFromGroupRequest,
    RemoveUserFromGroupResponse,
)
from ecsctl.model.iam import GroupRecord
from ecsctl.model.record import evolve
from ecsctl.operations.context import Context
from ecsctl.operations.iam_lookup import (
    check_empty,
    exists,
    iam_name,
    iam_path,
    limit_exceeded,
    members_of,
    new_iam_id,
    prefix_of,
    the_group,
    the_user,
)
from ecsctl.operations.iam_users import brief_user
from ecsctl.store.iam_tables import GROUPS, USERS

LONGEST = 128
GROUPS_OF_A_USER = 10


def create_group(ctx: Context, request: CreateGroupRequest) -> CreateGroupResponse:
    name = iam_name(request.group_name, "groupName", LONGEST)
    group = GroupRecord(
        account=ctx.scope.account,
        name=name,
        path=iam_path(request.path),
        id=new_iam_id(ctx, "AGPA"),
        created_at=ctx.now(),
    )
    with ctx.store.write() as tx:
        if tx.get(GROUPS, group.key) is not None:
            raise exists(f"Group with name {name} already exists.")
        tx.put(GROUPS, group)
    return CreateGroupResponse(group=_shape(group))


def get_group(ctx: Context, request: GetGroupRequest) -> GetGroupResponse:
    """A group, and who is in it."""
    with ctx.store.read() as view:
        group = the_group(view, ctx, request.group_name)
        members = members_of(view, ctx, group.name)
    return GetGroupResponse(users=[brief_user(user) for user in members], group=_shape(group))


def list_groups(ctx: Context, request: ListGroupsRequest) -> ListGroupsResponse:
    prefix = prefix_of(request.path_prefix)
    with ctx.store.read() as view:
        groups = view.find(GROUPS, account=ctx.scope.account)
    return ListGroupsResponse(groups=[_shape(group) for group in groups if group.path.startswith(prefix)])


def delete_group(ctx: Context, request: DeleteGroupRequest) -> DeleteGroupResponse:
    """A group that nobody is in, and that has no policies."""
    with ctx.store.write() as tx:
        group = the_group(tx, ctx, request.group_name)
        check_empty(group, ("remove users from group", bool(members_of(tx, ctx, group.name))))
        tx.delete(GROUPS, key=group.key)
    return DeleteGroupResponse()


def add_user_to_group(ctx: Context, request: AddUserToGroupRequest) -> AddUserToGroupResponse:
    """One that is in it already stays so."""
    with ctx.store.write() as tx:
        group, user = the_group(tx, ctx, request.group_name), the_user(tx, ctx, request.user_name)
        if group.name not in user.groups:
            if len(user.groups) >= GROUPS_OF_A_USER:
                raise limit_exceeded(f"Cannot exceed quota for GroupsPerUser: {GROUPS_OF_A_USER}")
            tx.put(USERS, evolve(user, groups=[*user.groups, group.name]))
    return AddUserToGroupResponse()


def remove_user_from_group(ctx: Context, request: RemoveUserFromGroupRequest) -> RemoveUserFromGroupResponse:
    """One that is not in it stays so."""
    with ctx.store.write() as tx:
        group, user = the_group(tx, ctx, request.group_name), the_user(tx, ctx, request.user_name)
        if group.name in user.groups:
            tx.put(USERS, evolve(user, groups=[name for name in user.groups if name != group.name]))
    return RemoveUserFromGroupResponse()


def list_groups_for_user(ctx: Context, request: ListGroupsForUserRequest) -> ListGroupsForUserResponse:
    with ctx.store.read() as view:
        user = the_user(view, ctx, request.user_name)
        return ListGroupsForUserResponse(groups=[_shape(the_group(view, ctx, name)) for name in user.groups])


def _shape(group: GroupRecord) -> Group:
    return Group(path=group.path, group_name=group.name, group_id=group.id, arn=group.arn, create_date=group.created_at)
