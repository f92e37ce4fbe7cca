"""Token buckets of ECS's sizes, and failures by source; what is remembered is bounded."""

from __future__ import annotations

import botocore.session
import pytest

from ecsctl.model.errors import ApiError
from ecsctl.server.throttle import FAILURES, MOST, RATES, Failures, Rate, Throttle

MODEL = botocore.session.get_session().get_service_model("ecs")
CI, OPS = "arn:aws:iam::000000000000:user/ci", "arn:aws:iam::000000000000:user/ops"


class Clock:
    """Moves when told."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def taken(throttle: Throttle, action: str, principal: str = CI, tries: int = 10_000) -> int:
    """How many are let through before the first is not."""
    number = 0
    try:
        while number < tries:
            throttle.take(principal, action)
            number += 1
    except ApiError as error:
        assert (error.code, error.message) == ("ThrottlingException", "Rate exceeded")
    return number


def test_the_rates_are_of_operations_that_ecs_has() -> None:
    assert set(RATES) < set(MODEL.operation_names)
    assert RATES["RunTask"][1] == Rate(100, 40)
    assert RATES["RegisterTaskDefinition"][1] == Rate(20, 1)


@pytest.mark.parametrize("times", [1, 3])
def test_a_bucket_is_as_large_as_ecs_has_it_times_what_is_configured_and_fills_up_again(times: int) -> None:
    clock = Clock()
    throttle = Throttle(times, clock)
    assert taken(throttle, "DescribeTasks") == 100 * times
    clock.seconds += 2
    assert taken(throttle, "DescribeTasks") == 40 * times
    clock.seconds += 3600
    assert taken(throttle, "DescribeTasks") == 100 * times


def test_actions_of_a_group_share_a_bucket_and_others_and_other_principals_do_not() -> None:
    throttle = Throttle(1, Clock())
    assert taken(throttle, "DescribeTasks") == 100
    assert taken(throttle, "ListTasks") == 0
    assert taken(throttle, "StopTask") == 100
    assert taken(throttle, "DescribeTasks", OPS) == 100
    assert taken(throttle, "CreateDaemon") == 50  # of which ECS's table says nothing


def test_0_is_no_limit() -> None:
    assert taken(Throttle(0, Clock()), "DeleteTaskDefinitions") == 10_000


def test_failures_are_counted_by_source_for_a_minute() -> None:
    clock = Clock()
    failures = Failures(clock)
    assert [failures.add("192.0.2.1") for _ in range(FAILURES + 5)] == [False] * FAILURES + [True] * 5
    assert not failures.add("192.0.2.2")
    clock.seconds += 61
    assert not failures.add("192.0.2.1")


def test_the_addresses_of_one_ipv6_network_are_one_source() -> None:
    failures = Failures(Clock())
    for number in range(FAILURES):
        assert not failures.add(f"2001:db8::{number:x}")
    assert failures.add("2001:db8::ffff")
    assert not failures.add("2001:db8:0:1::1")
    assert not failures.add("fe80::1%eth0")


def test_what_is_remembered_is_bounded() -> None:
    failures, throttle = Failures(Clock()), Throttle(1, Clock())
    for number in range(MOST + 500):
        failures.add(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        throttle.take(f"arn:aws:iam::000000000000:user/{number}", "RunTask")
    assert len(failures._sources) == len(throttle._buckets) == MOST
