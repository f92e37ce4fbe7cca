"""`wait tasks-running`, `wait services-stable` and so on, as AWS's waiters decide, but told at once when it is so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from ecsctl.cli.action import Action
from ecsctl.cli.argv import Parsed
from ecsctl.cli.commands import WAITERS, Entry
from ecsctl.cli.flags import build
from ecsctl.cli.group import chosen
from ecsctl.cli.problems import WaiterError
from ecsctl.model.arn import last_part
from ecsctl.operations.actions import shape_of

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation
    from ecsctl.model.api.services import DescribeServicesResponse
    from ecsctl.model.api.tasks import DescribeTasksResponse
    from ecsctl.model.service import Service
    from ecsctl.operations.context import Context

LONGEST = 600.0
"""Seconds: 100 attempts, six seconds apart, or 40, fifteen apart, as botocore's waiters."""


class Waiter(Action):
    """One waiter. Its options are those of the describing action; a subclass says what is waited for, and how."""

    described = ""

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry)
        self.usage = f"ecsctl wait {entry.name}"

    def _shape(self, suffix: str) -> Any:
        return shape_of(self.described, suffix)

    def run(self, invocation: Invocation, parsed: Parsed) -> int:
        request: Any = build(self.request_type, parsed.values, self.own_flags)
        with invocation.open() as context:
            if not self.is_over(self.describe(context, request)):
                self.bring_on(context, self.describe(context, request))
                if not self.is_over(self.describe(context, request)):
                    raise WaiterError(f"Waiter {self.entry.action} failed: Max attempts exceeded")
        return 0

    def describe(self, context: Context, request: Any) -> Any:
        """What the describing action answers."""
        raise NotImplementedError

    def bring_on(self, context: Context, answer: Any) -> None:
        """Help it on its way, and return when it may be over, or the time is up."""
        raise NotImplementedError

    def is_over(self, answer: Any) -> bool:
        """Whether all is as it should be. Raises WaiterError when it cannot get there."""
        raise NotImplementedError

    def failed(self, acceptor: str, why: str) -> WaiterError:
        return WaiterError(
            f"Waiter {self.entry.action} failed: Waiter encountered a terminal failure state: {acceptor} ({why})"
        )

    def refuse_missing(self, answer: Any, what: str) -> None:
        """Raise WaiterError for what there is not."""
        missing = next((failure for failure in answer.failures or [] if failure.reason == "MISSING"), None)
        if missing is not None:
            raise self.failed(
                'For expression "failures[].reason" we matched expected path: "MISSING" at least once',
                f"there is no {what} {missing.arn}",
            )


class TasksWaiter(Waiter):
    """`tasks-running` and `tasks-stopped`."""

    described = "DescribeTasks"

    @property
    def _until(self) -> Literal["RUNNING", "STOPPED"]:
        return "RUNNING" if self.entry.name == "tasks-running" else "STOPPED"

    def describe(self, context: Context, request: Any) -> DescribeTasksResponse:
        from ecsctl.operations.tasks import describe_tasks

        return describe_tasks(context, request)

    def bring_on(self, context: Context, answer: DescribeTasksResponse) -> None:
        from ecsctl.operations.waiting import wait_tasks

        wait_tasks(context, [str(task.task_arn) for task in answer.tasks or []], self._until, LONGEST)

    def is_over(self, answer: DescribeTasksResponse) -> bool:
        tasks = answer.tasks or []
        if self._until == "RUNNING":
            stopped = next((task for task in tasks if task.last_status == "STOPPED"), None)
            if stopped is not None:
                raise self.failed(
                    'For expression "tasks[].lastStatus" we matched expected path: "STOPPED" at least once',
                    f"task {last_part(str(stopped.task_arn))}: {stopped.stopped_reason}",
                )
        if self._until == "RUNNING" or not tasks:
            self.refuse_missing(answer, "task")
        return bool(tasks) and all(task.last_status == self._until for task in tasks)


class ServicesWaiter(Waiter):
    """`services-stable` and `services-inactive`."""

    described = "DescribeServices"

    def describe(self, context: Context, request: Any) -> DescribeServicesResponse:
        from ecsctl.operations.services import describe_services

        return describe_services(context, request)

    def bring_on(self, context: Context, answer: DescribeServicesResponse) -> None:
        from ecsctl.operations.waiting import wait_services

        wait_services(context, [str(service.service_arn) for service in answer.services or []], self._is_so, LONGEST)

    def is_over(self, answer: DescribeServicesResponse) -> bool:
        self.refuse_missing(answer, "service")
        return all(self._is_so(service) for service in answer.services or [])

    def _is_so(self, service: Service) -> bool:
        if self.entry.name == "services-inactive":
            return service.status == "INACTIVE"
        if service.status in ("DRAINING", "INACTIVE"):
            raise self.failed(
                f'For expression "services[].status" we matched expected path: "{service.status}" at least once',
                f"service {service.service_name} is being deleted",
            )
        from ecsctl.operations.waiting import is_stable

        return is_stable(service)


class Wait:
    """`ecsctl wait`, with one command per waiter."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    def execute(self, invocation: Invocation, words: Sequence[str]) -> int:
        found = chosen(self._entry, WAITERS, "waiter", invocation, words)
        if found is None:
            return 0
        waiter, rest = found
        kind = ServicesWaiter if waiter.name.startswith("services-") else TasksWaiter
        return kind(waiter).execute(invocation, rest)
