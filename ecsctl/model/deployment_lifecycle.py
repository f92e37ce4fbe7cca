"""How far a deployment has come, and what it has waited for (ECS API_DeploymentLifecycleHookDetail)."""

from datetime import datetime
from typing import Literal

from ecsctl.model.deployment_configuration import DeploymentLifecycleHookAction, DeploymentLifecycleHookTargetType
from ecsctl.model.record import Record

ServiceDeploymentLifecycleStage = Literal[
    "RECONCILE_SERVICE",
    "PRE_SCALE_UP",
    "SCALE_UP",
    "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
    "BAKE_TIME",
    "CLEAN_UP",
]
DeploymentLifecycleHookStatus = Literal["AWAITING_ACTION", "IN_PROGRESS", "SUCCEEDED", "FAILED", "TIMED_OUT"]


class DeploymentLifecycleHookDetail(Record):
    """ECS API_DeploymentLifecycleHookDetail."""

    hook_id: str | None = None
    target_type: DeploymentLifecycleHookTargetType | None = None
    target_arn: str | None = None
    status: DeploymentLifecycleHookStatus | None = None
    expires_at: datetime | None = None
    timeout_action: DeploymentLifecycleHookAction | None = None
