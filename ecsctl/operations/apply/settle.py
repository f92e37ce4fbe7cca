"""Waiting until services have what was applied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ecsctl.model.arn import last_part
from ecsctl.model.service import Service, is_external
from ecsctl.operations.context import Context
from ecsctl.operations.deployment_state import primary_of, why_failed
from ecsctl.operations.services import service_shapes
from ecsctl.operations.waiting import is_stable, watch_services


class Settled(NamedTuple):
    """What is wrong, per service: its deployment failed, or it is not stable yet."""

    failed: list[str]
    unfinished: list[str]


def settle(ctx: Context, wanted: Sequence[tuple[str, str]], show: Callable[[Service], None], timeout: float) -> Settled:
    """Wait until each service (ARN, ARN of its task definition) is stable, one failed, or for `timeout` seconds;
    `show` sees each at each look."""
    definitions = dict(wanted)

    def failed(services: list[Service]) -> list[str]:
        return [why for service in services if (why := _failure(service, definitions[str(service.service_arn)]))]

    def is_over(services: list[Service]) -> bool:
        for service in services:
            show(service)
        return bool(failed(services)) or all(map(is_there, services))

    watch_services(ctx, list(definitions), is_over, timeout)
    services = service_shapes(ctx, list(definitions))
    unfinished = [
        f"service {service.service_name} is not stable after {timeout:g} s: "
        f"{service.running_count} of {service.desired_count} tasks run"
        for service in services
        if not is_there(service)
    ]
    found = failed(services)
    return Settled(found, [] if found else unfinished)


def is_there(service: Service) -> bool:
    """Whether it needs no waiting for."""
    return is_stable(service) and all(found.rollout_state == "COMPLETED" for found in service.deployments or [])


def _failure(service: Service, definition_arn: str) -> str:
    """Why the service does not get what was asked of it; empty while it may."""
    if service.status != "ACTIVE":
        return f"service {service.service_name} is {service.status}"
    if is_external(service):  # what it runs is not applied
        return ""
    primary = primary_of(service)
    if primary.task_definition != definition_arn:
        return (
            f"service {service.service_name} does not go on with {last_part(definition_arn)}: "
            f"{primary.rollout_state_reason}"
        )
    why = why_failed(service)
    return f"service {service.service_name}: {why}" if why else ""
