"""The actions on managed policies and their versions (IAM API CreatePolicy, CreatePolicyVersion and so on)."""

from __future__ import annotations

from ecsctl.model.api.iam_policies import (
    CreatePolicyRequest,
    CreatePolicyResponse,
    CreatePolicyVersionRequest,
    CreatePolicyVersionResponse,
    DeletePolicyRequest,
    DeletePolicyResponse,
    DeletePolicyVersionRequest,
    DeletePolicyVersionResponse,
    GetPolicyRequest,
    GetPolicyResponse,
    GetPolicyVersionRequest,
    GetPolicyVersionResponse,
    ListPoliciesRequest,
    ListPoliciesResponse,
    ListPolicyVersionsRequest,
    ListPolicyVersionsResponse,
    Policy,
    PolicyVersion,
    SetDefaultPolicyVersionRequest,
    SetDefaultPolicyVersionResponse,
)
from ecsctl.model.errors import ApiError
from ecsctl.model.iam import PolicyRecord, StoredVersion
from ecsctl.model.record import evolve
from ecsctl.operations.aws_policies import AWS_POLICIES, OF_AWS
from ecsctl.operations.context import Context
from ecsctl.operations.iam_lookup import (
    conflict,
    exists,
    iam_name,
    iam_path,
    iam_tags,
    invalid,
    limit_exceeded,
    new_iam_id,
    no_such,
    prefix_of,
    the_policy,
)
from ecsctl.operations.policy_documents import checked_policy, plain, size_of
from ecsctl.store.iam_tables import GROUPS, POLICIES, ROLES, USERS
from ecsctl.store.store import Transaction, View

LONGEST, LONGEST_DESCRIPTION = 128, 1000
MOST_CHARACTERS, MOST_VERSIONS = 6144, 5


def create_policy(ctx: Context, request: CreatePolicyRequest) -> CreatePolicyResponse:
    name = iam_name(request.policy_name, "policyName", LONGEST)
    if len(request.description or "") > LONGEST_DESCRIPTION:
        raise invalid(f"description: it has more than {LONGEST_DESCRIPTION} characters.")
    now = ctx.now()
    policy = PolicyRecord(
        account=ctx.scope.account,
        name=name,
        path=iam_path(request.path),
        id=new_iam_id(ctx, "ANPA"),
        created_at=now,
        updated_at=now,
        versions=[StoredVersion(id="v1", document=_document(ctx, request.policy_document), created_at=now)],
        default="v1",
        description=request.description,
        tags=iam_tags(request.tags),
    )
    with ctx.store.write() as tx:
        if any(one.name.lower() == name.lower() for one in tx.find(POLICIES, account=policy.account)):
            raise exists(f"A policy called {name} already exists. Duplicate names are not allowed.")
        tx.put(POLICIES, policy)
        return CreatePolicyResponse(policy=evolve(_brief(tx, ctx, policy), tags=policy.tags or None))


def get_policy(ctx: Context, request: GetPolicyRequest) -> GetPolicyResponse:
    with ctx.store.read() as view:
        policy = the_policy(view, ctx, request.policy_arn)
        brief = _brief(view, ctx, policy)
    return GetPolicyResponse(policy=evolve(brief, description=policy.description, tags=policy.tags or None))


def list_policies(ctx: Context, request: ListPoliciesRequest) -> ListPoliciesResponse:
    """Those of the account, and of AWS's those that are here; as in IAM, without descriptions and tags."""
    prefix = prefix_of(request.path_prefix)
    with ctx.store.read() as view:
        found: list[PolicyRecord] = []
        if request.scope != "AWS":
            found += view.find(POLICIES, account=ctx.scope.account)
        if request.scope != "Local":
            found += AWS_POLICIES.values()
        shown = [_brief(view, ctx, policy) for policy in found if policy.path.startswith(prefix)]
    kept = [policy for policy in shown if policy.attachment_count or not request.only_attached]
    return ListPoliciesResponse(policies=kept)


def delete_policy(ctx: Context, request: DeletePolicyRequest) -> DeletePolicyResponse:
    """A policy that nobody has, and that has one version."""
    with ctx.store.write() as tx:
        policy = _own(tx, ctx, request.policy_arn)
        attached, bounds = _uses(tx, ctx, policy.arn)
        if attached or bounds:
            raise conflict("Cannot delete a policy attached to entities.")
        if len(policy.versions) > 1:
            raise conflict(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's "
                "versions. The default version is deleted with the policy."
            )
        tx.delete(POLICIES, arn=policy.arn)
    return DeletePolicyResponse()


def create_policy_version(ctx: Context, request: CreatePolicyVersionRequest) -> CreatePolicyVersionResponse:
    """A new version, which counts from here on if it is to be the default."""
    document = _document(ctx, request.policy_document)
    with ctx.store.write() as tx:
        policy = _own(tx, ctx, request.policy_arn)
        if len(policy.versions) >= MOST_VERSIONS:
            raise limit_exceeded(
                f"A managed policy can have up to {MOST_VERSIONS} versions. Before you create a new version, you must "
                "delete an existing version."
            )
        number = max(int(version.id[1:]) for version in policy.versions) + 1
        new = StoredVersion(id=f"v{number}", document=document, created_at=ctx.now())
        default = new.id if request.set_as_default else policy.default
        changed = evolve(policy, versions=[*policy.versions, new], default=default, updated_at=ctx.now())
        tx.put(POLICIES, changed)
    return CreatePolicyVersionResponse(policy_version=_version(changed, new))


def get_policy_version(ctx: Context, request: GetPolicyVersionRequest) -> GetPolicyVersionResponse:
    with ctx.store.read() as view:
        policy = the_policy(view, ctx, request.policy_arn)
    found = _the_version(policy, request.version_id)
    return GetPolicyVersionResponse(policy_version=evolve(_version(policy, found), document=plain(found.document)))


def list_policy_versions(ctx: Context, request: ListPolicyVersionsRequest) -> ListPolicyVersionsResponse:
    """The versions, the newest first."""
    with ctx.store.read() as view:
        policy = the_policy(view, ctx, request.policy_arn)
    return ListPolicyVersionsResponse(versions=[_version(policy, one) for one in reversed(policy.versions)])


def delete_policy_version(ctx: Context, request: DeletePolicyVersionRequest) -> DeletePolicyVersionResponse:
    with ctx.store.write() as tx:
        policy = _own(tx, ctx, request.policy_arn)
        gone = _the_version(policy, request.version_id)
        if gone.id == policy.default:
            raise conflict("Cannot delete the default version of a policy.")
        tx.put(POLICIES, evolve(policy, versions=[one for one in policy.versions if one.id != gone.id]))
    return DeletePolicyVersionResponse()


def set_default_policy_version(
    ctx: Context, request: SetDefaultPolicyVersionRequest
) -> SetDefaultPolicyVersionResponse:
    """Say which version counts."""
    with ctx.store.write() as tx:
        policy = _own(tx, ctx, request.policy_arn)
        default = _the_version(policy, request.version_id).id
        tx.put(POLICIES, evolve(policy, default=default, updated_at=ctx.now()))
    return SetDefaultPolicyVersionResponse()


def _document(ctx: Context, text: str) -> str:
    checked_policy(ctx, text)
    if size_of(text) > MOST_CHARACTERS:
        raise limit_exceeded(f"Cannot exceed quota for PolicySize: {MOST_CHARACTERS}")
    return text


def _own(tx: Transaction, ctx: Context, arn: str) -> PolicyRecord:
    """A policy of the account: those of AWS's stay as they are."""
    policy = the_policy(tx, ctx, arn)
    if policy.account == OF_AWS:
        raise ApiError("AccessDenied", f"{arn} is a policy of AWS's: it cannot be changed.")
    return policy


def _the_version(policy: PolicyRecord, version: str) -> StoredVersion:
    found = next((one for one in policy.versions if one.id == version), None)
    if found is None:
        raise no_such(f"Policy {policy.arn} version {version} does not exist or is not attachable.")
    return found


def _uses(view: View, ctx: Context, arn: str) -> tuple[int, int]:
    """How many users, groups and roles have a policy, and of how many it is the boundary."""
    users, roles = (view.find(table, account=ctx.scope.account) for table in (USERS, ROLES))
    holders = [*users, *roles, *view.find(GROUPS, account=ctx.scope.account)]
    return sum(arn in one.attached for one in holders), sum(one.boundary == arn for one in (*users, *roles))


def _brief(view: View, ctx: Context, policy: PolicyRecord) -> Policy:
    attached, bounds = _uses(view, ctx, policy.arn)
    return Policy(
        policy_name=policy.name,
        policy_id=policy.id,
        arn=policy.arn,
        path=policy.path,
        default_version_id=policy.default,
        attachment_count=attached,
        permissions_boundary_usage_count=bounds,
        is_attachable=True,
        create_date=policy.created_at,
        update_date=policy.updated_at,
    )


def _version(policy: PolicyRecord, one: StoredVersion) -> PolicyVersion:
    return PolicyVersion(version_id=one.id, is_default_version=one.id == policy.default, create_date=one.created_at)
