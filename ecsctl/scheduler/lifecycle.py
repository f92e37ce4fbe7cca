"""The stages of a blue/green deployment, and the lifecycle hooks that hold it at them. Pure.

Source: ECS developer guide, "Amazon ECS blue/green deployments" and "Continuing Amazon ECS service deployments", ECS
API_DeploymentLifecycleHook. Without a load balancer no traffic is shifted: the stages of that pass at once, but for
their hooks.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import get_args

from ecsctl.model.deployment_configuration import DeploymentConfiguration, DeploymentLifecycleHook
from ecsctl.model.deployment_lifecycle import DeploymentLifecycleHookDetail, ServiceDeploymentLifecycleStage
from ecsctl.model.record import evolve
from ecsctl.model.stored import DeploymentRecord
from ecsctl.scheduler.rollout import bake_time

STAGES = (
    "RECONCILE_SERVICE",
    "PRE_SCALE_UP",
    "SCALE_UP",
    "POST_SCALE_UP",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
    "BAKE_TIME",
)
BEFORE_SCALE_UP = STAGES[:2]
DEFAULT_PAUSE = 1440
"""Minutes until a hook that nobody answers times out."""


def go_through(
    green: DeploymentRecord, configuration: DeploymentConfiguration, now: datetime, *, ready: bool, several: bool
) -> None:
    """Find the stage that a deployment is at, in place. CLEAN_UP is not taken back.

    `ready`: its tasks are all there and healthy. `several`: it replaces more than one service revision.
    """
    if green.stage == "CLEAN_UP":
        return
    for stage in STAGES if several else STAGES[1:]:
        if stage == "SCALE_UP":
            stays = not ready
        elif stage == "BAKE_TIME":
            green.ready_at = green.ready_at or now
            stays = now - green.ready_at < bake_time(configuration)
        else:
            stays = _is_held(green, configuration, stage, now)
        if stays:
            green.stage = _shown(stage)
            break
    else:
        green.stage = "CLEAN_UP"
    if green.stage not in ("BAKE_TIME", "CLEAN_UP"):
        green.ready_at = None


def own_time(configuration: DeploymentConfiguration | None) -> timedelta:
    """How long a deployment may take at the most beside starting tasks: the bake time, and every pause."""
    hooks = (configuration.lifecycle_hooks if configuration else None) or []
    minutes = sum(_longest(hook) * len(hook.lifecycle_stages or ()) for hook in hooks)
    return bake_time(configuration) + timedelta(minutes=minutes)


def awaited(deployment: DeploymentRecord) -> list[DeploymentLifecycleHookDetail]:
    """The hooks that hold it, and wait for somebody's word."""
    return [hook for hook in deployment.hooks if hook.status == "AWAITING_ACTION"]


def refused(deployment: DeploymentRecord) -> DeploymentLifecycleHookDetail | None:
    """The hook because of which it is to be rolled back."""
    return next((h for h in deployment.hooks if h.status == "TIMED_OUT" and h.timeout_action == "ROLLBACK"), None)


def answered(deployment: DeploymentRecord, hook_id: str, *, go_on: bool) -> None:
    """Note what somebody said about a hook, in place."""
    deployment.hooks = [
        evolve(hook, status="SUCCEEDED" if go_on else "FAILED") if hook.hook_id == hook_id else hook
        for hook in deployment.hooks
    ]


def _shown(stage: str) -> ServiceDeploymentLifecycleStage:
    """The stage as ECS shows it, which has no word of its own for the one before production traffic is shifted."""
    known: dict[str, ServiceDeploymentLifecycleStage] = {
        name: name for name in get_args(ServiceDeploymentLifecycleStage)
    }
    return known.get(stage, "POST_TEST_TRAFFIC_SHIFT")


def _is_held(green: DeploymentRecord, configuration: DeploymentConfiguration, stage: str, now: datetime) -> bool:
    """Whether hooks hold the deployment at a stage; those that are reached for the first time begin to wait."""
    held = False
    for number, hook in enumerate(configuration.lifecycle_hooks or (), start=1):
        if stage not in (hook.lifecycle_stages or ()):
            continue
        hook_id = f"{number}-{stage}"
        known = next((one for one in green.hooks if one.hook_id == hook_id), None)
        if known is None:
            known = _begun(hook, hook_id, now)
            green.hooks = [*green.hooks, known]
        elif known.status == "AWAITING_ACTION" and known.expires_at is not None and known.expires_at <= now:
            known = evolve(known, status="TIMED_OUT")
            green.hooks = [known if one.hook_id == hook_id else one for one in green.hooks]
        passed = known.status == "SUCCEEDED" or (known.status == "TIMED_OUT" and known.timeout_action == "CONTINUE")
        held = held or not passed
    return held


def _begun(hook: DeploymentLifecycleHook, hook_id: str, now: datetime) -> DeploymentLifecycleHookDetail:
    timeout = hook.timeout_configuration
    return DeploymentLifecycleHookDetail(
        hook_id=hook_id,
        target_type=hook.target_type,
        status="AWAITING_ACTION",
        expires_at=now + timedelta(minutes=_longest(hook)),
        timeout_action=(timeout.action if timeout else None) or "ROLLBACK",
    )


def _longest(hook: DeploymentLifecycleHook) -> int:
    timeout = hook.timeout_configuration
    return (timeout.timeout_in_minutes if timeout else None) or DEFAULT_PAUSE
