"""What a service's deploymentConfiguration may be: ECS's rules, and what this release does not honour, refused by name.

Source: ECS API_DeploymentConfiguration.
"""

from __future__ import annotations

from ecsctl.model.deployment_configuration import (
    DeploymentCircuitBreaker,
    DeploymentConfiguration,
    DeploymentEarlySuccessCriteria,
    DeploymentLifecycleHook,
)
from ecsctl.model.errors import client_exception, invalid_parameter
from ecsctl.model.record import evolve
from ecsctl.scheduler.lifecycle import STAGES
from ecsctl.scheduler.rollout import DEFAULT_PERCENT

WHERE = "deploymentConfiguration"
LONGEST_BAKE, LONGEST_PAUSE = 1440, 20160
"""Minutes."""

HONOURED = (
    "deployment_circuit_breaker",
    "maximum_percent",
    "minimum_healthy_percent",
    "strategy",
    "bake_time_in_minutes",
    "lifecycle_hooks",
    "early_success_criteria",
    "alarms",  # that are switched off: others are refused
)
_UNSERVED = {
    "alarms": "CloudWatch alarms",
    "linear_configuration": "linear deployments",
    "canary_configuration": "canary deployments",
}


def check_deployments(given: DeploymentConfiguration | None, known: DeploymentConfiguration, scheduling: str) -> None:
    """Whether a service can have this configuration on top of what is `known`; InvalidParameterException, and
    ClientException for what this release does not honour."""
    for field, what in _UNSERVED.items():
        asked = getattr(given, field, None)
        if asked and getattr(asked, "enable", True):  # what is switched off asks for nothing
            raise client_exception(f"{WHERE}: {what} are not honoured by this release; leave them out.")
    if given is None:
        return
    configuration = merged(known, given)
    _check_strategy(configuration, scheduling)
    _check_percents(configuration, scheduling)
    if configuration.deployment_circuit_breaker is not None:
        _check_breaker(configuration.deployment_circuit_breaker)
    for number, hook in enumerate(configuration.lifecycle_hooks or ()):
        _check_hook(hook, f"{WHERE}.lifecycleHooks[{number}]")
    if configuration.early_success_criteria is not None:
        _check_early_success(configuration, configuration.early_success_criteria, scheduling)


def merged(known: DeploymentConfiguration, given: DeploymentConfiguration | None) -> DeploymentConfiguration:
    """What is known, with what is given in its place."""
    changes = {field: value for field in HONOURED if (value := getattr(given, field, None)) is not None}
    return evolve(known, **changes)


def _check_percents(configuration: DeploymentConfiguration, scheduling: str) -> None:
    low, high = DEFAULT_PERCENT[scheduling]
    if configuration.minimum_healthy_percent is not None:
        low = configuration.minimum_healthy_percent
    if configuration.maximum_percent is not None:
        high = configuration.maximum_percent
    if not 0 <= low <= 100:
        raise invalid_parameter(f"{WHERE}.minimumHealthyPercent: {low} is not between 0 and 100.")
    if not 100 <= high <= 1000:
        raise invalid_parameter(f"{WHERE}.maximumPercent: {high} is not between 100 and 1000.")
    if scheduling == "DAEMON" and high > 100:
        raise invalid_parameter(
            "The daemon scheduling strategy does not support values above 100 for maximumPercent on services. "
            "Change the value of maximumPercent, and try again."
        )
    if low == high == 100:
        raise invalid_parameter(
            "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments."
        )


def _check_strategy(configuration: DeploymentConfiguration, scheduling: str) -> None:
    if configuration.strategy in ("LINEAR", "CANARY"):
        raise client_exception(f"{WHERE}.strategy: {configuration.strategy} is not honoured by this release.")
    if configuration.strategy == "BLUE_GREEN" and scheduling == "DAEMON":
        raise invalid_parameter(f"{WHERE}.strategy: BLUE_GREEN is not for the daemon scheduling strategy.")
    bake = configuration.bake_time_in_minutes
    if bake is not None and not 0 <= bake <= LONGEST_BAKE:
        raise invalid_parameter(f"{WHERE}.bakeTimeInMinutes: {bake} is not between 0 and {LONGEST_BAKE}.")
    if configuration.lifecycle_hooks and configuration.strategy != "BLUE_GREEN":
        raise invalid_parameter(f"{WHERE}.lifecycleHooks: are for the strategy BLUE_GREEN.")


def _check_breaker(breaker: DeploymentCircuitBreaker) -> None:
    given = breaker.threshold_configuration
    if given is None:
        return
    where = f"{WHERE}.deploymentCircuitBreaker.thresholdConfiguration.value"
    highest = 10_000 if given.type == "COUNT" else 100
    if not 1 <= given.value <= highest:
        raise invalid_parameter(f"{where}: {given.value} is not between 1 and {highest}.")


def _check_hook(hook: DeploymentLifecycleHook, where: str) -> None:
    if hook.target_type != "PAUSE":
        raise client_exception(f"{where}: Lambda functions are not honoured by this release; use targetType PAUSE.")
    for field, name in (("hook_target_arn", "hookTargetArn"), ("role_arn", "roleArn"), ("hook_details", "hookDetails")):
        if getattr(hook, field) is not None:
            raise invalid_parameter(f"{where}.{name}: is not for hooks of the targetType PAUSE.")
    if not hook.lifecycle_stages:
        raise invalid_parameter(f"{where}.lifecycleStages: say at which stages to pause.")
    for stage in hook.lifecycle_stages:
        if stage not in STAGES:
            raise invalid_parameter(f"{where}.lifecycleStages: PAUSE hooks cannot be configured at {stage}.")
    timeout = hook.timeout_configuration
    minutes = timeout.timeout_in_minutes if timeout else None
    if minutes is not None and not 1 <= minutes <= LONGEST_PAUSE:
        raise invalid_parameter(
            f"{where}.timeoutConfiguration.timeoutInMinutes: {minutes} is not between 1 and {LONGEST_PAUSE}."
        )


def _check_early_success(
    configuration: DeploymentConfiguration, criteria: DeploymentEarlySuccessCriteria, scheduling: str
) -> None:
    where = f"{WHERE}.earlySuccessCriteria"
    if not criteria.enable:
        return
    if configuration.strategy not in (None, "ROLLING") or scheduling == "DAEMON":
        raise invalid_parameter(f"{where}: is for the strategy ROLLING of REPLICA services.")
    if criteria.healthy_percent is None or criteria.source_service_revision_cleanup is None:
        raise invalid_parameter(f"{where}: needs healthyPercent and sourceServiceRevisionCleanup.")
    low = configuration.minimum_healthy_percent
    low = DEFAULT_PERCENT[scheduling][0] if low is None else low
    if not low <= criteria.healthy_percent <= 100:
        raise invalid_parameter(
            f"{where}.healthyPercent: {criteria.healthy_percent} is not between minimumHealthyPercent ({low}) and 100."
        )


def check_external_deployments(configuration: DeploymentConfiguration | None) -> None:
    """InvalidParameterException for what only the service scheduler's own deployments have."""
    for field, name in (
        ("deployment_circuit_breaker", "deploymentCircuitBreaker"),
        ("strategy", "strategy"),
        ("bake_time_in_minutes", "bakeTimeInMinutes"),
        ("lifecycle_hooks", "lifecycleHooks"),
        ("early_success_criteria", "earlySuccessCriteria"),
    ):
        if getattr(configuration, field, None) is not None:
            raise invalid_parameter(
                f"deploymentConfiguration.{name}: can only be given with the ECS deployment controller."
            )
