"""Policies for tests, from as little as a test says."""

from __future__ import annotations

from typing import Any

from ecsctl.policy.document import Policy, parse_policy
from ecsctl.policy.evaluate import Decision, Policies, context_of, evaluate

TASK = "arn:aws:ecs:us-east-1:000000000000:task/prod/a"


def document(*statements: dict[str, Any], version: str = "2012-10-17") -> dict[str, Any]:
    """A document of statements, each an Allow of everything but for what it says."""
    whole = [
        {
            "Effect": "Allow",
            **({} if "NotAction" in one else {"Action": "*"}),
            **({} if "NotResource" in one else {"Resource": "*"}),
            **one,
        }
        for one in statements
    ]
    return {"Version": version, "Statement": whole}


def policy(*statements: dict[str, Any], version: str = "2012-10-17") -> Policy:
    return parse_policy(document(*statements, version=version))


def decide(
    given: Policy | Policies, action: str = "ecs:StopTask", resource: str = TASK, **keys: str | list[str]
) -> Decision:
    """What comes of it. `ecs__cluster` is the key ecs:cluster; `_` in a name is `-`."""
    context = {name.replace("__", ":", 1).replace("_", "-"): value for name, value in keys.items()}
    policies = given if isinstance(given, Policies) else Policies((given,))
    return evaluate(policies, action, resource, context_of(context))


def allows(given: Policy | Policies, action: str = "ecs:StopTask", resource: str = TASK, **keys: Any) -> bool:
    return decide(given, action, resource, **keys).allowed
