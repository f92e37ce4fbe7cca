"""Request and response of the question what policies say of an action."""

from typing import Literal

from ecsctl.model.iam import IamShape

EvalDecision = Literal["allowed", "explicitDeny", "implicitDeny"]


class ContextEntry(IamShape):
    """IAM API_ContextEntry."""

    context_key_name: str
    context_key_values: list[str]
    context_key_type: str | None = None


class PermissionsBoundaryDecisionDetail(IamShape):
    """IAM API_PermissionsBoundaryDecisionDetail."""

    allowed_by_permissions_boundary: bool


class EvaluationResult(IamShape):
    """IAM API_EvaluationResult."""

    eval_action_name: str
    eval_resource_name: str
    eval_decision: EvalDecision
    permissions_boundary_decision_detail: PermissionsBoundaryDecisionDetail | None = None


class SimulatePrincipalPolicyRequest(IamShape):
    """IAM API_SimulatePrincipalPolicy."""

    policy_source_arn: str
    action_names: list[str]
    policy_input_list: list[str] | None = None
    permissions_boundary_policy_input_list: list[str] | None = None
    resource_arns: list[str] | None = None
    context_entries: list[ContextEntry] | None = None


class SimulatePrincipalPolicyResponse(IamShape):
    """IAM API_SimulatePrincipalPolicy."""

    evaluation_results: list[EvaluationResult]
