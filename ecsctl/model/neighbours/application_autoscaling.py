"""Application Auto Scaling: nothing is registered with it here, so its lists are empty."""

from ecsctl.model.neighbours.pascal import PascalRecord


class OfService(PascalRecord):
    """What all take."""

    service_namespace: str
    scalable_dimension: str | None = None
    max_results: int | None = None
    next_token: str | None = None


class DescribeScalableTargetsRequest(OfService):
    """What DescribeScalableTargets takes."""

    resource_ids: list[str] | None = None


class DescribeScalableTargetsResponse(PascalRecord):
    """What DescribeScalableTargets answers."""

    scalable_targets: list[str]


class DescribeScalingPoliciesRequest(OfService):
    """What DescribeScalingPolicies takes."""

    policy_names: list[str] | None = None
    resource_id: str | None = None


class DescribeScalingPoliciesResponse(PascalRecord):
    """What DescribeScalingPolicies answers."""

    scaling_policies: list[str]


class DescribeScalingActivitiesRequest(OfService):
    """What DescribeScalingActivities takes."""

    resource_id: str | None = None
    include_not_scaled_activities: bool | None = None


class DescribeScalingActivitiesResponse(PascalRecord):
    """What DescribeScalingActivities answers."""

    scaling_activities: list[str]


class DescribeScheduledActionsRequest(OfService):
    """What DescribeScheduledActions takes."""

    scheduled_action_names: list[str] | None = None
    resource_id: str | None = None


class DescribeScheduledActionsResponse(PascalRecord):
    """What DescribeScheduledActions answers."""

    scheduled_actions: list[str]
