"""The formulas of the ECS documentation, with the documentation's own examples."""

from __future__ import annotations

import pytest

from ecsctl.model.deployment_configuration import (
    DeploymentCircuitBreaker,
    DeploymentConfiguration,
    ThresholdConfiguration,
)
from ecsctl.scheduler.rollout import delay, limits, threshold


@pytest.mark.parametrize(
    ("desired", "low", "high", "expected"),
    [
        (4, 50, 200, (2, 8)),
        (2, 75, 200, (2, 4)),
        (3, 100, 125, (3, 3)),
        (1, 50, 150, (1, 1)),
        (0, 100, 200, (0, 0)),
        (10, 33, 133, (4, 13)),
    ],
)
def test_the_minimum_is_rounded_up_and_the_maximum_down(
    desired: int, low: int, high: int, expected: tuple[int, int]
) -> None:
    configuration = DeploymentConfiguration(minimum_healthy_percent=low, maximum_percent=high)
    assert limits(desired, configuration, "REPLICA") == expected


def test_what_is_not_given_is_as_in_ecs() -> None:
    assert limits(4, None, "REPLICA") == (4, 8)
    assert limits(4, DeploymentConfiguration(maximum_percent=100), "REPLICA") == (4, 4)
    assert limits(4, None, "DAEMON") == (0, 4)


@pytest.mark.parametrize(
    ("kind", "value", "desired", "expected"),
    [
        (None, None, 1, 3),
        (None, None, 25, 13),
        (None, None, 400, 200),
        (None, None, 800, 200),
        ("UNBOUNDED_PERCENT", 50, 800, 400),
        ("UNBOUNDED_PERCENT", 50, 1, 1),
        ("BOUNDED_PERCENT", 10, 10, 3),
        ("COUNT", 7, 100, 7),
    ],
)
def test_what_trips_the_circuit_breaker(kind: str | None, value: int | None, desired: int, expected: int) -> None:
    given = ThresholdConfiguration(type=kind, value=value) if kind else None  # type: ignore[arg-type]
    breaker = DeploymentCircuitBreaker(enable=True, rollback=True, threshold_configuration=given)
    assert threshold(breaker, desired) == expected


def test_the_delay_grows_to_27_minutes_and_no_further() -> None:
    assert [delay(n, 0.5) for n in range(7)] == [0, 0, 0, 10, 20, 40, 80]
    assert delay(11, 0.5) == delay(1000, 0.5) == 27 * 60
    assert (delay(3, 0.0), delay(3, 1.0)) == pytest.approx((8.0, 12.0))
