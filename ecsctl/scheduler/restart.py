"""Restart policies of containers: which of those that have ended start again, while their task goes on.

Source: ECS developer guide, "Restart individual containers in Amazon ECS tasks with container restart policies".
"""

from __future__ import annotations

from ecsctl.model.container_definition import ContainerDefinition
from ecsctl.model.stored import ContainerState

ATTEMPT_PERIOD = 300
"""Seconds that a container has to have run to be restarted, where its policy does not say."""


def has_restart_policy(container: ContainerDefinition) -> bool:
    return container.restart_policy is not None and bool(container.restart_policy.enabled)


def is_restarted(container: ContainerDefinition, state: ContainerState) -> bool:
    """Whether a container that has ended is to be started again."""
    policy = container.restart_policy
    if policy is None or not policy.enabled or state.stage != "exited" or state.engine_id is None or state.failed:
        return False
    if state.exit_code is None or state.exit_code in (policy.ignored_exit_codes or ()):
        return False
    return state.ran is not None and state.ran >= (policy.restart_attempt_period or ATTEMPT_PERIOD)
