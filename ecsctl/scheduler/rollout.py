"""A deployment's limits, its circuit breaker and its throttle. Pure formulas.

Source: ECS developer guide, "Service definition parameters", "Amazon ECS deployment circuit breaker" and "Amazon ECS
service throttle logic".
"""

from __future__ import annotations

from datetime import timedelta
from math import ceil

from ecsctl.model.deployment_configuration import DeploymentCircuitBreaker, DeploymentConfiguration

DEFAULT_PERCENT = {"REPLICA": (100, 200), "DAEMON": (0, 100)}
"""minimumHealthyPercent and maximumPercent where they are not given."""

SETTLE = timedelta(seconds=40)
"""How long a task without a health check has been RUNNING before it counts as healthy."""

FREE_STARTS = 3
"""Failed starts in a row before attempts are delayed."""
LONGEST_DELAY = 27 * 60.0
"""Seconds. AWS publishes this, not the steps."""


def limits(desired: int, configuration: DeploymentConfiguration | None, scheduling: str) -> tuple[int, int]:
    """How many tasks must stay healthy, and how many may be there: minimumHealthyPercent of the desired count
    rounded up, maximumPercent of it rounded down."""
    low, high = DEFAULT_PERCENT[scheduling]
    if configuration is not None and configuration.minimum_healthy_percent is not None:
        low = configuration.minimum_healthy_percent
    if configuration is not None and configuration.maximum_percent is not None:
        high = configuration.maximum_percent
    return ceil(desired * low / 100), desired * high // 100


def bake_time(configuration: DeploymentConfiguration | None) -> timedelta:
    """How long the old tasks of a blue/green deployment stay when the new ones are healthy."""
    return timedelta(minutes=(configuration.bake_time_in_minutes if configuration else None) or 0)


def threshold(breaker: DeploymentCircuitBreaker, desired: int) -> int:
    """How many failures trip the circuit breaker: by default half the desired count, at least 3, at most 200."""
    given = breaker.threshold_configuration
    kind, value = (given.type, given.value) if given else ("BOUNDED_PERCENT", 50)
    if kind == "COUNT":
        return value
    share = ceil(value * desired / 100)
    return share if kind == "UNBOUNDED_PERCENT" else min(200, max(3, share))


def delay(failed_starts: int, draw: float) -> float:
    """Seconds until the next attempt after so many failed starts in a row; `draw` is in 0..1.

    None for the first two, then 10, 20, 40 …, each up to a fifth more or less, and 27 minutes at most.
    """
    if failed_starts < FREE_STARTS:
        return 0.0
    steps = min(failed_starts - FREE_STARTS, 10)
    return float(min(LONGEST_DELAY, 10.0 * 2**steps * (0.8 + 0.4 * draw)))
