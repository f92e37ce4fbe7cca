"""What somebody sees who waits for services: how far their deployments are, and how long it may take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ecsctl.cli.problems import say
from ecsctl.model.arn import last_part

if TYPE_CHECKING:
    from ecsctl.model.service import Deployment, Service

PATIENCE = "10m, and what it bakes and pauses"


def patience(given: float | None, services: Iterable[Service]) -> float:
    """Seconds: those that were given, else PATIENCE for these services."""
    if given is not None:
        return given
    from ecsctl.scheduler.lifecycle import own_time

    longest = max((own_time(service.deployment_configuration).total_seconds() for service in services), default=0.0)
    return 600.0 + longest


class Progress:
    """Tells what is new of services: their events, and how far their deployments are. One line each, on stderr."""

    def __init__(self, services: Sequence[Service]) -> None:
        self._told = {event.id for service in services for event in service.events or []}
        self._last = {service.service_arn: _line(service) for service in services}
        self._names_them = len(services) > 1

    def begin(self, service: Service) -> None:
        """Tells where one that is waited for is, and the last that its deployment met: what is in the way is told once
        when it comes, which may be long ago."""
        self._tell(service)
        primary, last = _primary(service), next(iter(service.events or []), None)
        if primary and last and primary.created_at and last.created_at and last.created_at >= primary.created_at:
            say(str(last.message))

    def show(self, service: Service) -> None:
        for event in reversed(service.events or []):
            if event.id not in self._told:
                self._told.add(event.id)
                say(str(event.message))
        if self._last.get(service.service_arn) != _line(service):
            self._tell(service)

    def _tell(self, service: Service) -> None:
        line = self._last[service.service_arn] = _line(service)
        say(f"{service.service_name}: {line}" if self._names_them else line)


def _primary(service: Service) -> Deployment | None:
    return next((found for found in service.deployments or [] if found.status == "PRIMARY"), None)


def _line(service: Service) -> str:
    primary = _primary(service)
    if primary is None:  # something else deploys it
        return f"{service.running_count} of {service.desired_count} running"
    line = f"{last_part(str(primary.task_definition))}: {primary.running_count} of {primary.desired_count} running"
    line += f", {primary.pending_count} pending" if primary.pending_count else ""
    return line + (f", {primary.failed_tasks} failed" if primary.failed_tasks else "")
