"""The neighbours of ECS and their actions, on one page.

Of an action the request and the response are `ecsctl.model.neighbours.<room>.<Action>Request` and `…Response`, the work
is the function `ecsctl.operations.neighbours.<room>.<action>`, and which resources it is about, where it is about any,
says `resources` there. Those that are commands too are in the table of `ecsctl.operations.actions`. Nothing is
imported to read it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from ecsctl.model.record import Record
from ecsctl.operations import actions

if TYPE_CHECKING:
    from ecsctl.operations.context import Context


class Neighbour(NamedTuple):
    """A service: what people call it, how its actions are called in policies, what its clients sign for, its room, its
    actions, and the code of its errors for what is wrong with a request, and for what is wrong here."""

    title: str
    prefix: str
    signs_for: str
    room: str
    actions: frozenset[str]
    invalid: str = "ValidationError"
    failed: str = "InternalFailure"


def _neighbour(title: str, prefix: str, room: str, actions: str, *, signs_for: str = "", **codes: str) -> Neighbour:
    return Neighbour(title, prefix, signs_for or prefix, room, frozenset(actions.split()), **codes)


NEIGHBOURS = {
    one.room: one
    for one in (
        _neighbour("STS", "sts", "sts", "AssumeRole GetCallerIdentity"),
        _neighbour(
            "EC2",
            "ec2",
            "ec2",
            """
            DescribeAccountAttributes DescribeAvailabilityZones DescribeNetworkInterfaces DescribeRegions
            DescribeSecurityGroups DescribeSubnets DescribeVpcs
            """,
            invalid="InvalidParameterValue",
            failed="InternalError",
        ),
        _neighbour(
            "CloudWatch Logs",
            "logs",
            "logs",
            """
            CreateLogGroup DescribeLogGroups DescribeLogStreams FilterLogEvents GetLogEvents ListTagsForResource
            ListTagsLogGroup StartLiveTail
            """,
            invalid="InvalidParameterException",
            failed="ServiceUnavailableException",
        ),
        _neighbour(
            "Systems Manager",
            "ssm",
            "ssm",
            "GetParameter GetParameters GetParametersByPath",
            invalid="ValidationException",
            failed="InternalServerError",
        ),
        _neighbour(
            "Secrets Manager",
            "secretsmanager",
            "secretsmanager",
            "GetSecretValue ListSecrets",
            invalid="InvalidParameterException",
            failed="InternalServiceError",
        ),
        _neighbour(
            "ECR",
            "ecr",
            "ecr",
            """
            DescribeImageScanFindings DescribeImages DescribeRegistry DescribeRepositories GetAuthorizationToken
            ListImages
            """,
            invalid="InvalidParameterException",
            failed="ServerException",
        ),
        _neighbour(
            "Application Auto Scaling",
            "application-autoscaling",
            "application_autoscaling",
            "DescribeScalableTargets DescribeScalingActivities DescribeScalingPolicies DescribeScheduledActions",
            invalid="ValidationException",
            failed="InternalServiceException",
        ),
        _neighbour(
            "CodeDeploy",
            "codedeploy",
            "codedeploy",
            "CreateDeployment GetApplication GetDeployment GetDeploymentGroup",
            invalid="InvalidInputException",
            failed="ServiceUnavailableException",
        ),
        _neighbour(
            "Elastic Load Balancing",
            "elasticloadbalancing",
            "elbv2",
            """
            DescribeAccountLimits DescribeListenerAttributes DescribeListeners DescribeLoadBalancerAttributes
            DescribeLoadBalancers DescribeRules DescribeSSLPolicies DescribeTags DescribeTargetGroupAttributes
            DescribeTargetGroups DescribeTargetHealth
            """,
        ),
    )
}
"""By room."""

_COMMANDS = {*actions.OF_EC2, *actions.OF_STS}
FOR_ALL = frozenset({"sts:GetCallerIdentity"})
"""Actions that no policy allows or denies."""


def request_of(neighbour: Neighbour, action: str) -> type[Record]:
    """The record of an action's request."""
    if action in _COMMANDS:
        return actions.shape_of(action, "Request")
    shape: type[Record] = getattr(import_module(f"ecsctl.model.neighbours.{neighbour.room}"), f"{action}Request")
    return shape


def operation_of(neighbour: Neighbour, action: str) -> Callable[[Context, Any], Any]:
    """The function that does it."""
    if action in _COMMANDS:
        return actions.operation_of(action)
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", action).lower()
    found: Callable[[Context, Any], Any] = getattr(_room(neighbour), name)
    return found


def resources_of(neighbour: Neighbour, ctx: Context, request: Record) -> list[str]:
    """The ARNs that a request is about; `*` where it is about none in particular."""
    told: Callable[[Context, Record], list[str]] | None = getattr(_room(neighbour), "resources", None)
    return told(ctx, request) if told else ["*"]


def _room(neighbour: Neighbour) -> Any:
    return import_module(f"ecsctl.operations.neighbours.{neighbour.room}")
