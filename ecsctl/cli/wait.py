"""`wait tasks-running` and `wait tasks-stopped`, as AWS's waiters decide, but told at once when it is so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from ecsctl.cli import global_flags
from ecsctl.cli.action import Action
from ecsctl.cli.argv import Parsed, wants_help
from ecsctl.cli.commands import WAITERS, Entry
from ecsctl.cli.flags import build
from ecsctl.cli.problems import UsageError, WaiterError
from ecsctl.model.arn import last_part

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation
    from ecsctl.model.api.tasks import DescribeTasksResponse

LONGEST = 600.0
"""Seconds: 100 attempts, six seconds apart, as botocore's waiters."""


class Waiter(Action):
    """One waiter. Its options are those of DescribeTasks."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry)
        self.usage = f"ecsctl wait {entry.name}"

    def _shape(self, suffix: str) -> Any:
        from ecsctl.model.api.tasks import DescribeTasksRequest, DescribeTasksResponse

        return DescribeTasksRequest if suffix == "Request" else DescribeTasksResponse

    def run(self, invocation: Invocation, parsed: Parsed) -> int:
        from ecsctl.operations.tasks import describe_tasks
        from ecsctl.operations.waiting import wait_tasks

        request: Any = build(self.request_type, parsed.values, self.own_flags)
        until: Literal["RUNNING", "STOPPED"] = "RUNNING" if self.entry.name == "tasks-running" else "STOPPED"
        with invocation.open() as context:
            answer = describe_tasks(context, request)
            if not self._is_over(answer, until):
                wait_tasks(context, [str(task.task_arn) for task in answer.tasks or []], until, LONGEST)
                if not self._is_over(describe_tasks(context, request), until):
                    raise WaiterError(f"Waiter {self._waiter} failed: Max attempts exceeded")
        return 0

    @property
    def _waiter(self) -> str:
        return self.entry.action

    def _is_over(self, answer: DescribeTasksResponse, until: str) -> bool:
        """Whether all tasks are where they should be. Raises WaiterError when they cannot get there."""
        tasks = answer.tasks or []
        if until == "RUNNING":
            stopped = next((task for task in tasks if task.last_status == "STOPPED"), None)
            if stopped is not None:
                raise self._failed(
                    'For expression "tasks[].lastStatus" we matched expected path: "STOPPED" at least once',
                    f"task {last_part(str(stopped.task_arn))}: {stopped.stopped_reason}",
                )
        missing = next((failure for failure in answer.failures or [] if failure.reason == "MISSING"), None)
        if missing is not None and (until == "RUNNING" or not tasks):
            raise self._failed(
                'For expression "failures[].reason" we matched expected path: "MISSING" at least once',
                f"there is no task {missing.arn}",
            )
        return bool(tasks) and all(task.last_status == until for task in tasks)

    def _failed(self, acceptor: str, why: str) -> WaiterError:
        return WaiterError(
            f"Waiter {self._waiter} failed: Waiter encountered a terminal failure state: {acceptor} ({why})"
        )


class Wait:
    """`ecsctl wait`, with one command per waiter."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    def execute(self, invocation: Invocation, words: Sequence[str]) -> int:
        found, rest = global_flags.before_command(words)
        invocation.options |= found
        if wants_help(rest[:1]):
            from ecsctl.cli.help import print_page

            rows = [(waiter.name, waiter.help) for waiter in WAITERS]
            print_page("ecsctl wait WAITER [OPTIONS]", self._entry.help, [("Waiters", rows)])
            return 0
        waiter = next((waiter for waiter in WAITERS if waiter.name == rest[0]), None) if rest else None
        if waiter is None:
            given = repr(rest[0]) if rest else "nothing"
            raise UsageError(f"wait: expected {' or '.join(waiter.name for waiter in WAITERS)}, got {given}")
        return Waiter(waiter).execute(invocation, rest[1:])
