"""Elastic Load Balancing: there are no load balancers here, so its lists are empty."""

from ecsctl.model.neighbours.pascal import PascalRecord


class PagedRequest(PascalRecord):
    """What all that come in pages take."""

    marker: str | None = None
    page_size: int | None = None


class DescribeLoadBalancersRequest(PagedRequest):
    """What DescribeLoadBalancers takes."""

    load_balancer_arns: list[str] | None = None
    names: list[str] | None = None


class DescribeLoadBalancersResponse(PascalRecord):
    """What DescribeLoadBalancers answers."""

    load_balancers: list[str]


class DescribeTargetGroupsRequest(PagedRequest):
    """What DescribeTargetGroups takes."""

    load_balancer_arn: str | None = None
    target_group_arns: list[str] | None = None
    names: list[str] | None = None


class DescribeTargetGroupsResponse(PascalRecord):
    """What DescribeTargetGroups answers."""

    target_groups: list[str]


class TargetDescription(PascalRecord):
    """API_TargetDescription."""

    id: str
    port: int | None = None
    availability_zone: str | None = None
    quic_server_id: str | None = None


class DescribeTargetHealthRequest(PascalRecord):
    """What DescribeTargetHealth takes."""

    target_group_arn: str
    targets: list[TargetDescription] | None = None
    include: list[str] | None = None


class DescribeTargetHealthResponse(PascalRecord):
    """What DescribeTargetHealth would answer."""

    target_health_descriptions: list[str]


class DescribeListenersRequest(PagedRequest):
    """What DescribeListeners takes."""

    load_balancer_arn: str | None = None
    listener_arns: list[str] | None = None


class DescribeListenersResponse(PascalRecord):
    """What DescribeListeners would answer."""

    listeners: list[str]


class DescribeRulesRequest(PagedRequest):
    """What DescribeRules takes."""

    listener_arn: str | None = None
    rule_arns: list[str] | None = None


class DescribeRulesResponse(PascalRecord):
    """What DescribeRules would answer."""

    rules: list[str]


class DescribeTagsRequest(PascalRecord):
    """What DescribeTags takes."""

    resource_arns: list[str]


class DescribeTagsResponse(PascalRecord):
    """What DescribeTags would answer."""

    tag_descriptions: list[str]


class DescribeLoadBalancerAttributesRequest(PascalRecord):
    """What DescribeLoadBalancerAttributes takes."""

    load_balancer_arn: str


class DescribeTargetGroupAttributesRequest(PascalRecord):
    """What DescribeTargetGroupAttributes takes."""

    target_group_arn: str


class DescribeListenerAttributesRequest(PascalRecord):
    """What DescribeListenerAttributes takes."""

    listener_arn: str


class AttributesResponse(PascalRecord):
    """What those that describe attributes would answer."""

    attributes: list[str]


class DescribeAccountLimitsRequest(PagedRequest):
    """What DescribeAccountLimits takes."""


class DescribeAccountLimitsResponse(PascalRecord):
    """What DescribeAccountLimits answers."""

    limits: list[str]


class DescribeSSLPoliciesRequest(PagedRequest):
    """What DescribeSSLPolicies takes."""

    names: list[str] | None = None
    load_balancer_type: str | None = None


class DescribeSSLPoliciesResponse(PascalRecord):
    """What DescribeSSLPolicies answers."""

    ssl_policies: list[str]
