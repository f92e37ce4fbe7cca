"""Waiting for tasks and services, and bringing them further meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from ecsctl.controller.limits import Limits
from ecsctl.controller.passes import Pass
from ecsctl.model.arn import last_part
from ecsctl.model.service import Service, is_external
from ecsctl.model.stored import TaskRecord
from ecsctl.model.task import Task
from ecsctl.operations.context import Context
from ecsctl.operations.services import service_shapes
from ecsctl.operations.tasks import shapes

POLL = (0.05, 0.5)
"""Seconds between looks, the first and the most."""


def wait_tasks(ctx: Context, arns: Sequence[str], until: Literal["RUNNING", "STOPPED"], timeout: float) -> list[Task]:
    """The tasks when each is RUNNING, or has STOPPED; or as they are after `timeout` seconds.

    With `until="RUNNING"` a task that STOPPED ends the wait for all.
    """
    _bring_on(
        ctx, lambda limits: ctx.controller.converge(arns, limits), lambda: _reached(shapes(ctx, arns), until), timeout
    )
    return shapes(ctx, arns)


def wait_services(ctx: Context, arns: Sequence[str], is_so: Callable[[Service], bool], timeout: float) -> None:
    """Return when it is so for each of the services, or after `timeout` seconds."""
    watch_services(ctx, arns, lambda services: all(map(is_so, services)), timeout)


def watch_services(ctx: Context, arns: Sequence[str], is_over: Callable[[list[Service]], bool], timeout: float) -> None:
    """Bring services on, showing them to `is_over` before each step; return when it says so, or after `timeout`
    seconds."""
    _bring_on(
        ctx,
        lambda limits: ctx.controller.converge_services(arns, limits),
        lambda: is_over(service_shapes(ctx, arns)),
        timeout,
    )


def wait_drained(ctx: Context, instances: Sequence[str], timeout: float) -> list[str]:
    """Bring services on until none has a task on these container instances (ARNs), or for `timeout` seconds; the ARNs
    of the tasks that are there then. Tasks of no service stay, as on ECS."""

    def there() -> list[TaskRecord]:
        with ctx.store.read() as view:
            return [task for arn in instances for task in view.unfinished(instance=arn) if task.service]

    def further(limits: Limits) -> Pass:
        return ctx.controller.converge_services(sorted({str(task.service) for task in there()}), limits)

    _bring_on(ctx, further, lambda: not there(), timeout)
    left = there()
    if left:
        ctx.hand_over(sorted({str(task.service) for task in left}))
    return [task.arn for task in left]


def is_stable(service: Service) -> bool:
    """As AWS's waiter `services-stable` has it: one deployment, and all its tasks run.

    That one waits in vain for services of the EXTERNAL deployment controller; they are when all task sets are stable.
    """
    if is_external(service):
        return all(task_set.stability_status == "STEADY_STATE" for task_set in service.task_sets or [])
    return len(service.deployments or []) == 1 and service.running_count == service.desired_count


def _bring_on(ctx: Context, further: Callable[[Limits], Pass], is_over: Callable[[], bool], timeout: float) -> None:
    clock = ctx.controller.clock
    end = clock.since_boot() + timeout
    pause, warned = POLL[0], set[str]()
    while not is_over():
        left = end - clock.since_boot()
        if left <= 0:
            return
        result = further(Limits(until=end, wait=False))
        for arn, why in result.unreachable.items():
            if arn not in warned:
                warned.add(arn)
                ctx.warn(f"container instance {last_part(arn)} does not answer, still trying: {why}")
        if not result.changed:
            clock.sleep(min(pause, left))
            pause = min(pause * 1.5, POLL[1])


def _reached(tasks: Sequence[Task], until: str) -> bool:
    stopped = [task.last_status == "STOPPED" for task in tasks]
    if until == "STOPPED":
        return all(stopped)
    return any(stopped) or all(task.last_status == "RUNNING" for task in tasks)
