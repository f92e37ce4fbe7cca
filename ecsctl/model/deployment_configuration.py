"""How a service replaces its tasks (ECS API_DeploymentConfiguration)."""

from typing import Literal

from ecsctl.model.record import Record

ThresholdType = Literal["COUNT", "BOUNDED_PERCENT", "UNBOUNDED_PERCENT"]
DeploymentStrategy = Literal["ROLLING", "BLUE_GREEN", "LINEAR", "CANARY"]
DeploymentLifecycleHookTargetType = Literal["AWS_LAMBDA", "PAUSE"]
DeploymentLifecycleHookStage = Literal[
    "RECONCILE_SERVICE",
    "PRE_SCALE_UP",
    "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
]
DeploymentLifecycleHookAction = Literal["ROLLBACK", "CONTINUE"]
ServiceRevisionCleanup = Literal["BLOCKING", "DEFERRED"]
DeploymentControllerType = Literal["ECS", "CODE_DEPLOY", "EXTERNAL"]


class ThresholdConfiguration(Record):
    """ECS API_ThresholdConfiguration."""

    type: ThresholdType
    value: int


class DeploymentCircuitBreaker(Record):
    """ECS API_DeploymentCircuitBreaker."""

    enable: bool
    rollback: bool
    reset_on_healthy_task: bool | None = None
    threshold_configuration: ThresholdConfiguration | None = None


class DeploymentAlarms(Record):
    """ECS API_DeploymentAlarms."""

    alarm_names: list[str]
    rollback: bool
    enable: bool


class HookDetails(Record):
    """ECS API_HookDetails."""


class DeploymentLifecycleHookTimeoutConfiguration(Record):
    """ECS API_DeploymentLifecycleHookTimeoutConfiguration."""

    timeout_in_minutes: int | None = None
    action: DeploymentLifecycleHookAction | None = None


class DeploymentLifecycleHook(Record):
    """ECS API_DeploymentLifecycleHook."""

    target_type: DeploymentLifecycleHookTargetType | None = None
    hook_target_arn: str | None = None
    role_arn: str | None = None
    lifecycle_stages: list[DeploymentLifecycleHookStage] | None = None
    hook_details: HookDetails | None = None
    timeout_configuration: DeploymentLifecycleHookTimeoutConfiguration | None = None


class LinearConfiguration(Record):
    """ECS API_LinearConfiguration."""

    step_percent: float | None = None
    step_bake_time_in_minutes: int | None = None


class CanaryConfiguration(Record):
    """ECS API_CanaryConfiguration."""

    canary_percent: float | None = None
    canary_bake_time_in_minutes: int | None = None


class DeploymentEarlySuccessCriteria(Record):
    """ECS API_DeploymentEarlySuccessCriteria."""

    enable: bool
    healthy_percent: int | None = None
    source_service_revision_cleanup: ServiceRevisionCleanup | None = None


class DeploymentConfiguration(Record):
    """ECS API_DeploymentConfiguration."""

    deployment_circuit_breaker: DeploymentCircuitBreaker | None = None
    maximum_percent: int | None = None
    minimum_healthy_percent: int | None = None
    alarms: DeploymentAlarms | None = None
    strategy: DeploymentStrategy | None = None
    bake_time_in_minutes: int | None = None
    lifecycle_hooks: list[DeploymentLifecycleHook] | None = None
    linear_configuration: LinearConfiguration | None = None
    canary_configuration: CanaryConfiguration | None = None
    early_success_criteria: DeploymentEarlySuccessCriteria | None = None


class DeploymentController(Record):
    """ECS API_DeploymentController."""

    type: DeploymentControllerType
