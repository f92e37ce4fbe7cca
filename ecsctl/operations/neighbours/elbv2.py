"""Elastic Load Balancing, which has no load balancers here: what is named is not found (ELBv2 API reference)."""

from __future__ import annotations

from collections.abc import Sequence

from ecsctl.model.errors import ApiError, InputError
from ecsctl.model.neighbours.elbv2 import (
    AttributesResponse,
    DescribeAccountLimitsRequest,
    DescribeAccountLimitsResponse,
    DescribeListenerAttributesRequest,
    DescribeListenersRequest,
    DescribeListenersResponse,
    DescribeLoadBalancerAttributesRequest,
    DescribeLoadBalancersRequest,
    DescribeLoadBalancersResponse,
    DescribeRulesRequest,
    DescribeRulesResponse,
    DescribeSSLPoliciesRequest,
    DescribeSSLPoliciesResponse,
    DescribeTagsRequest,
    DescribeTagsResponse,
    DescribeTargetGroupAttributesRequest,
    DescribeTargetGroupsRequest,
    DescribeTargetGroupsResponse,
    DescribeTargetHealthRequest,
    DescribeTargetHealthResponse,
)
from ecsctl.operations.context import Context


def describe_load_balancers(_: Context, request: DescribeLoadBalancersRequest) -> DescribeLoadBalancersResponse:
    """None (DescribeLoadBalancers)."""
    _missing("LoadBalancer", request.load_balancer_arns, request.names)
    return DescribeLoadBalancersResponse(load_balancers=[])


def describe_target_groups(_: Context, request: DescribeTargetGroupsRequest) -> DescribeTargetGroupsResponse:
    """None (DescribeTargetGroups)."""
    _missing("LoadBalancer", request.load_balancer_arn)
    _missing("TargetGroup", request.target_group_arns, request.names)
    return DescribeTargetGroupsResponse(target_groups=[])


def describe_target_health(_: Context, request: DescribeTargetHealthRequest) -> DescribeTargetHealthResponse:
    """That there is no such group (DescribeTargetHealth)."""
    _missing("TargetGroup", request.target_group_arn)
    raise InputError("A target group ARN must be specified")


def describe_listeners(_: Context, request: DescribeListenersRequest) -> DescribeListenersResponse:
    """That there is no such listener or load balancer (DescribeListeners)."""
    _missing("LoadBalancer", request.load_balancer_arn)
    _missing("Listener", request.listener_arns)
    raise InputError("You must specify either listener ARNs or a load balancer ARN")


def describe_rules(_: Context, request: DescribeRulesRequest) -> DescribeRulesResponse:
    """That there is no such rule or listener (DescribeRules)."""
    _missing("Listener", request.listener_arn)
    _missing("Rule", request.rule_arns)
    raise InputError("You must specify either listener rule ARNs or a listener ARN")


def describe_tags(_: Context, request: DescribeTagsRequest) -> DescribeTagsResponse:
    """That there is no such resource (DescribeTags)."""
    for arn in request.resource_arns:
        kind = _OF_ARN.get(arn.rpartition(":")[2].partition("/")[0])
        if kind is None:
            raise InputError(f"'{arn[:300]}' is not a valid ARN of a load balancer or of what belongs to one")
        _missing(kind, arn)
    raise InputError("You must specify at least one resource ARN")


def describe_load_balancer_attributes(_: Context, request: DescribeLoadBalancerAttributesRequest) -> AttributesResponse:
    """That there is no such load balancer (DescribeLoadBalancerAttributes)."""
    _missing("LoadBalancer", request.load_balancer_arn)
    raise InputError("A load balancer ARN must be specified")


def describe_target_group_attributes(_: Context, request: DescribeTargetGroupAttributesRequest) -> AttributesResponse:
    """That there is no such group (DescribeTargetGroupAttributes)."""
    _missing("TargetGroup", request.target_group_arn)
    raise InputError("A target group ARN must be specified")


def describe_listener_attributes(_: Context, request: DescribeListenerAttributesRequest) -> AttributesResponse:
    """That there is no such listener (DescribeListenerAttributes)."""
    _missing("Listener", request.listener_arn)
    raise InputError("A listener ARN must be specified")


def describe_account_limits(_: Context, __: DescribeAccountLimitsRequest) -> DescribeAccountLimitsResponse:
    """None (DescribeAccountLimits)."""
    return DescribeAccountLimitsResponse(limits=[])


def describe_ssl_policies(_: Context, request: DescribeSSLPoliciesRequest) -> DescribeSSLPoliciesResponse:
    """None (DescribeSSLPolicies)."""
    _missing("SSLPolicy", request.names)
    return DescribeSSLPoliciesResponse(ssl_policies=[])


_OF_ARN = {
    "loadbalancer": "LoadBalancer",
    "targetgroup": "TargetGroup",
    "listener": "Listener",
    "listener-rule": "Rule",
    "truststore": "TrustStore",
}
"""What is not found, by how the last part of its ARN begins."""


def _missing(what: str, *named: str | Sequence[str] | None) -> None:
    """`…NotFound` if any is named."""
    for names in named:
        if names:
            shown = names if isinstance(names, str) else "', '".join(names)
            raise ApiError(f"{what}NotFound", f"{what} '{shown[:300]}' not found: ecsctl has no load balancers")
