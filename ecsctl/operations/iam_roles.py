"""The actions on roles (IAM API CreateRole, UpdateAssumeRolePolicy and so on)."""

from __future__ import annotations

from ecsctl.model.api.iam_roles import (
    CreateRoleRequest,
    CreateRoleResponse,
    DeleteRolePermissionsBoundaryRequest,
    DeleteRolePermissionsBoundaryResponse,
    DeleteRoleRequest,
    DeleteRoleResponse,
    GetRoleRequest,
    GetRoleResponse,
    ListRolesRequest,
    ListRolesResponse,
    PutRolePermissionsBoundaryRequest,
    PutRolePermissionsBoundaryResponse,
    Role,
    UpdateAssumeRolePolicyRequest,
    UpdateAssumeRolePolicyResponse,
)
from ecsctl.model.iam import RoleRecord
from ecsctl.model.record import evolve
from ecsctl.operations.context import Context
from ecsctl.operations.iam_lookup import (
    check_empty,
    exists,
    iam_name,
    iam_path,
    iam_tags,
    invalid,
    limit_exceeded,
    new_iam_id,
    no_such,
    prefix_of,
    the_boundary,
    the_role,
)
from ecsctl.operations.iam_users import boundary_shape
from ecsctl.operations.policy_documents import checked_trust, plain, size_of
from ecsctl.store.iam_tables import ROLES

LONGEST, LONGEST_DESCRIPTION, LONGEST_TRUST = 64, 1000, 2048
SHORTEST_SESSION, LONGEST_SESSION = 3600, 43200


def create_role(ctx: Context, request: CreateRoleRequest) -> CreateRoleResponse:
    """A role that may do nothing yet."""
    name = iam_name(request.role_name, "roleName", LONGEST)
    longest = SHORTEST_SESSION if request.max_session_duration is None else request.max_session_duration
    if not SHORTEST_SESSION <= longest <= LONGEST_SESSION:
        raise invalid(f"maxSessionDuration: {longest} is not between {SHORTEST_SESSION} and {LONGEST_SESSION}.")
    if len(request.description or "") > LONGEST_DESCRIPTION:
        raise invalid(f"description: it has more than {LONGEST_DESCRIPTION} characters.")
    with ctx.store.write() as tx:
        role = RoleRecord(
            account=ctx.scope.account,
            name=name,
            path=iam_path(request.path),
            id=new_iam_id(ctx, "AROA"),
            created_at=ctx.now(),
            trust=_trust(request.assume_role_policy_document, name),
            description=request.description,
            longest=longest,
            boundary=the_boundary(tx, ctx, request.permissions_boundary),
            tags=iam_tags(request.tags),
        )
        if tx.get(ROLES, role.key) is not None:
            raise exists(f"Role with name {name} already exists.")
        tx.put(ROLES, role)
    return CreateRoleResponse(role=_shape(role))


def get_role(ctx: Context, request: GetRoleRequest) -> GetRoleResponse:
    with ctx.store.read() as view:
        return GetRoleResponse(role=_shape(the_role(view, ctx, request.role_name)))


def list_roles(ctx: Context, request: ListRolesRequest) -> ListRolesResponse:
    """The roles of the account whose paths begin so, by name. As in IAM, without tags and boundaries."""
    prefix = prefix_of(request.path_prefix)
    with ctx.store.read() as view:
        roles = view.find(ROLES, account=ctx.scope.account)
    shown = [_shape(role) for role in roles if role.path.startswith(prefix)]
    return ListRolesResponse(roles=[evolve(role, permissions_boundary=None, tags=None) for role in shown])


def delete_role(ctx: Context, request: DeleteRoleRequest) -> DeleteRoleResponse:
    """A role that has no policies any more."""
    with ctx.store.write() as tx:
        role = the_role(tx, ctx, request.role_name)
        check_empty(role)
        tx.delete(ROLES, key=role.key)
    return DeleteRoleResponse()


def update_assume_role_policy(ctx: Context, request: UpdateAssumeRolePolicyRequest) -> UpdateAssumeRolePolicyResponse:
    """Who may assume a role."""
    with ctx.store.write() as tx:
        role = the_role(tx, ctx, request.role_name)
        tx.put(ROLES, evolve(role, trust=_trust(request.policy_document, role.name)))
    return UpdateAssumeRolePolicyResponse()


def put_role_permissions_boundary(
    ctx: Context, request: PutRolePermissionsBoundaryRequest
) -> PutRolePermissionsBoundaryResponse:
    """From here on a role may do what that managed policy allows, at most."""
    with ctx.store.write() as tx:
        role = the_role(tx, ctx, request.role_name)
        tx.put(ROLES, evolve(role, boundary=the_boundary(tx, ctx, request.permissions_boundary)))
    return PutRolePermissionsBoundaryResponse()


def delete_role_permissions_boundary(
    ctx: Context, request: DeleteRolePermissionsBoundaryRequest
) -> DeleteRolePermissionsBoundaryResponse:
    with ctx.store.write() as tx:
        role = the_role(tx, ctx, request.role_name)
        if role.boundary is None:
            raise no_such(f"The role with name {role.name} has no permissions boundary.")
        tx.put(ROLES, evolve(role, boundary=None))
    return DeleteRolePermissionsBoundaryResponse()


def _trust(document: str, role: str) -> str:
    checked_trust(document)
    if size_of(document) > LONGEST_TRUST:
        raise limit_exceeded(f"Maximum policy size of {LONGEST_TRUST} bytes exceeded for the trust policy of {role}")
    return document


def _shape(role: RoleRecord) -> Role:
    return Role(
        path=role.path,
        role_name=role.name,
        role_id=role.id,
        arn=role.arn,
        create_date=role.created_at,
        assume_role_policy_document=plain(role.trust),
        description=role.description,
        max_session_duration=role.longest,
        permissions_boundary=boundary_shape(role.boundary),
        tags=role.tags or None,
    )
