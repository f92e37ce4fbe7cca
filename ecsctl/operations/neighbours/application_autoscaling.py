"""Application Auto Scaling, which has nothing to scale here (Application Auto Scaling API reference)."""

from __future__ import annotations

from ecsctl.model.errors import ApiError
from ecsctl.model.neighbours.application_autoscaling import (
    DescribeScalableTargetsRequest,
    DescribeScalableTargetsResponse,
    DescribeScalingActivitiesRequest,
    DescribeScalingActivitiesResponse,
    DescribeScalingPoliciesRequest,
    DescribeScalingPoliciesResponse,
    DescribeScheduledActionsRequest,
    DescribeScheduledActionsResponse,
    OfService,
)
from ecsctl.operations.context import Context


def describe_scalable_targets(_: Context, request: DescribeScalableTargetsRequest) -> DescribeScalableTargetsResponse:
    """None (DescribeScalableTargets)."""
    _check(request)
    return DescribeScalableTargetsResponse(scalable_targets=[])


def describe_scaling_policies(_: Context, request: DescribeScalingPoliciesRequest) -> DescribeScalingPoliciesResponse:
    """None (DescribeScalingPolicies)."""
    _check(request)
    return DescribeScalingPoliciesResponse(scaling_policies=[])


def describe_scaling_activities(
    _: Context, request: DescribeScalingActivitiesRequest
) -> DescribeScalingActivitiesResponse:
    """None (DescribeScalingActivities)."""
    _check(request)
    return DescribeScalingActivitiesResponse(scaling_activities=[])


def describe_scheduled_actions(
    _: Context, request: DescribeScheduledActionsRequest
) -> DescribeScheduledActionsResponse:
    """None (DescribeScheduledActions)."""
    _check(request)
    return DescribeScheduledActionsResponse(scheduled_actions=[])


def _check(request: OfService) -> None:
    if request.next_token is not None:
        raise ApiError("InvalidNextTokenException", "The token of the next page is not one that was given.")
