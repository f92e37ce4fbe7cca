"""What policies say of an action, without doing it (IAM API SimulatePrincipalPolicy)."""

from __future__ import annotations

from ecsctl.model.api.iam_simulation import (
    EvalDecision,
    EvaluationResult,
    PermissionsBoundaryDecisionDetail,
    SimulatePrincipalPolicyRequest,
    SimulatePrincipalPolicyResponse,
)
from ecsctl.model.iam import GroupRecord, RoleRecord, UserRecord
from ecsctl.operations.context import Context
from ecsctl.operations.iam_lookup import invalid, no_such
from ecsctl.operations.policy_documents import checked_policy
from ecsctl.operations.principal_policies import keys_of_now, keys_of_user, policies_of
from ecsctl.policy.evaluate import Decision, Policies, context_of, evaluate
from ecsctl.store.iam_tables import GROUPS, ROLES, USERS
from ecsctl.store.store import View


def simulate_principal_policy(ctx: Context, request: SimulatePrincipalPolicyRequest) -> SimulatePrincipalPolicyResponse:
    """Each action with each resource, `*` where none is named; conditions go by the context that is given."""
    for action in request.action_names:
        if action.count(":") != 1 or "*" in action:
            raise invalid(f"{action!r} is not the name of an action like ecs:RunTask.")
    with ctx.store.read() as view:
        holder = _holder(view, ctx, request.policy_source_arn)
        found = policies_of(view, holder)
    more = tuple(checked_policy(ctx, text) for text in request.policy_input_list or [])
    boundary = found.boundary
    if request.permissions_boundary_policy_input_list:
        boundary = tuple(checked_policy(ctx, text) for text in request.permissions_boundary_policy_input_list)
    policies = Policies((*found.identity, *more), boundary)
    keys = keys_of_user(ctx, holder) if isinstance(holder, UserRecord) else keys_of_now(ctx)
    keys |= {entry.context_key_name: entry.context_key_values for entry in request.context_entries or []}
    return SimulatePrincipalPolicyResponse(
        evaluation_results=[
            _result(policies, action, resource, evaluate(policies, action, resource, context_of(keys)))
            for action in request.action_names
            for resource in request.resource_arns or ["*"]
        ]
    )


def _holder(view: View, ctx: Context, arn: str) -> UserRecord | GroupRecord | RoleRecord:
    account = ctx.scope.account
    found: list[UserRecord | GroupRecord | RoleRecord] = [
        *view.find(USERS, account=account),
        *view.find(GROUPS, account=account),
        *view.find(ROLES, account=account),
    ]
    for holder in found:
        if holder.arn == arn:
            return holder
    raise no_such(f"{arn} cannot be found.")


def _result(policies: Policies, action: str, resource: str, decision: Decision) -> EvaluationResult:
    denied: EvalDecision = "explicitDeny" if decision.explicit else "implicitDeny"
    by_boundary = decision.by == "permissions boundary" and not decision.allowed
    return EvaluationResult(
        eval_action_name=action,
        eval_resource_name=resource,
        eval_decision="allowed" if decision.allowed else denied,
        permissions_boundary_decision_detail=PermissionsBoundaryDecisionDetail(
            allowed_by_permissions_boundary=not by_boundary
        )
        if policies.boundary is not None
        else None,
    )
