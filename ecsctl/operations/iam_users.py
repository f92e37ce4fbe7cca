"""The actions on users (IAM API CreateUser, GetUser, ListUsers, DeleteUser, Put- and DeleteUserPermissionsBoundary)."""

from __future__ import annotations

from ecsctl.model.api.iam_users import (
    AttachedPermissionsBoundary,
    CreateUserRequest,
    CreateUserResponse,
    DeleteUserPermissionsBoundaryRequest,
    DeleteUserPermissionsBoundaryResponse,
    DeleteUserRequest,
    DeleteUserResponse,
    GetUserRequest,
    GetUserResponse,
    ListUsersRequest,
    ListUsersResponse,
    PutUserPermissionsBoundaryRequest,
    PutUserPermissionsBoundaryResponse,
    User,
)
from ecsctl.model.iam import UserRecord
from ecsctl.model.record import evolve
from ecsctl.operations.context import Context
from ecsctl.operations.iam_lookup import (
    check_empty,
    exists,
    iam_name,
    iam_path,
    iam_tags,
    new_iam_id,
    no_such,
    prefix_of,
    the_boundary,
    the_user,
)
from ecsctl.store.iam_tables import ACCESS_KEYS, USERS

LONGEST = 64


def create_user(ctx: Context, request: CreateUserRequest) -> CreateUserResponse:
    """A user that may do nothing yet."""
    name = iam_name(request.user_name, "userName", LONGEST)
    with ctx.store.write() as tx:
        user = UserRecord(
            account=ctx.scope.account,
            name=name,
            path=iam_path(request.path),
            id=new_iam_id(ctx, "AIDA"),
            created_at=ctx.now(),
            boundary=the_boundary(tx, ctx, request.permissions_boundary),
            tags=iam_tags(request.tags),
        )
        if tx.get(USERS, user.key) is not None:
            raise exists(f"User with name {name} already exists.")
        tx.put(USERS, user)
    return CreateUserResponse(user=user_shape(user))


def get_user(ctx: Context, request: GetUserRequest) -> GetUserResponse:
    with ctx.store.read() as view:
        return GetUserResponse(user=user_shape(the_user(view, ctx, request.user_name)))


def list_users(ctx: Context, request: ListUsersRequest) -> ListUsersResponse:
    """The users of the account whose paths begin so, by name. As in IAM, without tags and boundaries."""
    prefix = prefix_of(request.path_prefix)
    with ctx.store.read() as view:
        users = view.find(USERS, account=ctx.scope.account)
    return ListUsersResponse(users=[brief_user(user) for user in users if user.path.startswith(prefix)])


def delete_user(ctx: Context, request: DeleteUserRequest) -> DeleteUserResponse:
    """A user that has nothing any more."""
    with ctx.store.write() as tx:
        user = the_user(tx, ctx, request.user_name)
        check_empty(
            user,
            ("delete access keys", tx.count(ACCESS_KEYS, owner=user.key) > 0),
            ("remove users from group", bool(user.groups)),
        )
        tx.delete(USERS, key=user.key)
    return DeleteUserResponse()


def put_user_permissions_boundary(
    ctx: Context, request: PutUserPermissionsBoundaryRequest
) -> PutUserPermissionsBoundaryResponse:
    """From here on a user may do what that managed policy allows, at most."""
    with ctx.store.write() as tx:
        user = the_user(tx, ctx, request.user_name)
        tx.put(USERS, evolve(user, boundary=the_boundary(tx, ctx, request.permissions_boundary)))
    return PutUserPermissionsBoundaryResponse()


def delete_user_permissions_boundary(
    ctx: Context, request: DeleteUserPermissionsBoundaryRequest
) -> DeleteUserPermissionsBoundaryResponse:
    with ctx.store.write() as tx:
        user = the_user(tx, ctx, request.user_name)
        if user.boundary is None:
            raise no_such(f"The user with name {user.name} has no permissions boundary.")
        tx.put(USERS, evolve(user, boundary=None))
    return DeleteUserPermissionsBoundaryResponse()


def brief_user(user: UserRecord) -> User:
    """A user as lists have it."""
    return User(path=user.path, user_name=user.name, user_id=user.id, arn=user.arn, create_date=user.created_at)


def user_shape(user: UserRecord) -> User:
    """All of a user."""
    return evolve(brief_user(user), permissions_boundary=boundary_shape(user.boundary), tags=user.tags or None)


def boundary_shape(arn: str | None) -> AttachedPermissionsBoundary | None:
    if arn is None:
        return None
    return AttachedPermissionsBoundary(permissions_boundary_type="Policy", permissions_boundary_arn=arn)
