"""The managed policies of AWS's own that are here: by the same ARNs, with what they say of the services here.

Source: AWS managed policy reference, AdministratorAccess, AmazonECS_FullAccess, ReadOnlyAccess. Values of secrets and
parameters are not among what ReadOnlyAccess may read.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from ecsctl.model.iam import PolicyRecord, StoredVersion

OF_AWS = "aws"
"""What stands for the account in their ARNs."""

_BESIDE = (
    "application-autoscaling:Describe*",
    "codedeploy:CreateDeployment",
    "codedeploy:Get*",
    "ec2:Describe*",
    "elasticloadbalancing:Describe*",
    "logs:CreateLogGroup",
    "logs:Describe*",
    "logs:FilterLogEvents",
    "logs:Get*",
    "servicediscovery:Get*",
    "servicediscovery:List*",
)


def _policy(name: str, number: int, made: datetime, description: str, *statements: dict[str, Any]) -> PolicyRecord:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]}
    return PolicyRecord(
        account=OF_AWS,
        name=name,
        path="/",
        id=f"ANPAECSCTL{number:011d}",
        created_at=made,
        updated_at=made,
        versions=[StoredVersion(id="v1", document=json.dumps(document), created_at=made)],
        default="v1",
        description=description,
    )


_ALL = (
    _policy(
        "AdministratorAccess",
        1,
        datetime(2015, 2, 6, 18, 39, 46, tzinfo=timezone.utc),
        "Provides full access to AWS services and resources.",
        {"Action": "*", "Resource": "*"},
    ),
    _policy(
        "AmazonECS_FullAccess",
        2,
        datetime(2017, 11, 7, 21, 36, 54, tzinfo=timezone.utc),
        "Provides administrative access to Amazon ECS resources.",
        {"Action": ["ecs:*", *_BESIDE], "Resource": "*"},
        {
            "Action": "iam:PassRole",
            "Resource": "*",
            "Condition": {
                "StringLike": {"iam:PassedToService": ["ecs.amazonaws.com", "ecs-tasks.amazonaws.com"]},
            },
        },
    ),
    _policy(
        "ReadOnlyAccess",
        3,
        datetime(2015, 2, 6, 18, 39, 48, tzinfo=timezone.utc),
        "Provides read-only access to AWS services and resources.",
        {
            "Action": [
                "application-autoscaling:Describe*",
                "codedeploy:Get*",
                "ec2:Describe*",
                "ecr:BatchGet*",
                "ecr:Describe*",
                "ecr:Get*",
                "ecr:List*",
                "ecs:Describe*",
                "ecs:Get*",
                "ecs:List*",
                "elasticloadbalancing:Describe*",
                "iam:Get*",
                "iam:List*",
                "logs:Describe*",
                "logs:FilterLogEvents",
                "logs:Get*",
                "logs:StartLiveTail",
                "ssm:Describe*",
                "secretsmanager:Describe*",
                "secretsmanager:List*",
                "sts:GetCallerIdentity",
            ],
            "Resource": "*",
        },
    ),
)
AWS_POLICIES = {policy.arn: policy for policy in _ALL}
"""Each by its ARN."""
