"""`run-task`: AWS's, and a file as the definition, `--wait [DURATION]`, `--logs`, `--all-or-nothing`, `--dry-run`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ecsctl.cli.action import Action
from ecsctl.cli.argv import Flag, Parsed
from ecsctl.cli.flags import build
from ecsctl.cli.image_map import HELP, image_map
from ecsctl.cli.interrupt import doing_last
from ecsctl.cli.problems import FAILED, TIMED_OUT, say
from ecsctl.cli.register_task_definition import definition_given
from ecsctl.cli.wait_flag import seconds_of, wait_flag
from ecsctl.model.arn import last_part
from ecsctl.model.record import evolve, to_wire
from ecsctl.scheduler.outcome import Outcome, outcome_of

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation
    from ecsctl.model.api.task_definitions import RegisterTaskDefinitionRequest
    from ecsctl.model.api.tasks import RunTaskRequest, RunTaskResponse
    from ecsctl.model.task import Task
    from ecsctl.operations.context import Context

FOREVER = 10 * 365 * 86400.0


class RunTask(Action):
    """The action; with `--wait` it stays until the tasks run or have ended, with `--logs` until they ended."""

    additions = (
        wait_flag("Wait until the tasks run or have ended; fail at once with the reason."),
        Flag(
            "--logs",
            "logs",
            "none",
            own=True,
            help="Print what the containers print, until they end; exit with the essential container's exit code.",
        ),
        Flag(
            "--all-or-nothing",
            "allOrNothing",
            "none",
            own=True,
            help="Start no task at all when there is no room for each of --count.",
        ),
        Flag(
            "--dry-run",
            "dryRun",
            "none",
            own=True,
            help="Start nothing: say where the tasks would go, and of each host why or why not.",
        ),
        Flag(
            "--image-map",
            "imageMap",
            "many",
            metavar="FROM=TO ...",
            own=True,
            help=HELP,
        ),
    )

    def run(self, invocation: Invocation, parsed: Parsed) -> int:
        values = dict(parsed.values)
        wait, logs = "wait" in values or "logs" in values, "logs" in values
        timeout = seconds_of(values.get("wait") or "", FOREVER)
        images = image_map(values.pop("imageMap", ()))
        definition = definition_given(values.get("taskDefinition", ""))
        if definition is not None:
            values["taskDefinition"] = definition.family
        request: Any = build(self.request_type, values, self.own_flags)
        if "dryRun" in values:
            return _dry_run(invocation, request, definition, images)
        with invocation.open(images) as context:
            if definition is not None:
                from ecsctl.operations.task_definitions import register_if_changed

                registered = register_if_changed(context, definition)
                request = evolve(request, task_definition=f"{registered.family}:{registered.revision}")
            all_or_nothing = "allOrNothing" in values
            if wait:
                from ecsctl.cli.transfers import Transfers

                context.controller.pulling = Transfers().pulling
            response = _run(context, request, stay=wait, all_or_nothing=all_or_nothing)
            if not wait:
                invocation.show(to_wire(response), self.entry.action)
                return FAILED if all_or_nothing and response.failures else 0
            return _stay(invocation, context, response, logs, timeout)


def _dry_run(
    invocation: Invocation,
    request: RunTaskRequest,
    definition: RegisterTaskDefinitionRequest | None,
    images: dict[str, str],
) -> int:
    from ecsctl.cli.explain import print_plan
    from ecsctl.operations.explain import plan_tasks

    with invocation.open(images) as context:
        plan = plan_tasks(context, request, definition)
    if invocation.for_scripts:
        invocation.show(to_wire(plan), "Plan")
    else:
        print_plan(plan)
    return 0 if len(plan.tasks) == plan.count else FAILED


def _run(context: Context, request: RunTaskRequest, *, stay: bool, all_or_nothing: bool) -> RunTaskResponse:
    from ecsctl.operations.tasks import run_task

    return run_task(context, request, stay=stay, all_or_nothing=all_or_nothing)


def _stay(
    invocation: Invocation,
    context: Context,
    response: RunTaskResponse,
    logs: bool,
    timeout: float,
) -> int:
    """Wait for the tasks, and pass on what they print; the exit code."""
    arns = [str(task.task_arn) for task in response.tasks or []]
    for failure in response.failures or []:
        say(f"ecsctl: not placed: {failure.reason}{f' ({failure.detail})' if failure.detail else ''}: {failure.arn}")

    def leave() -> None:
        context.hand_over(arns)
        if arns:
            say(f"ecsctl: {_named(arns)} on: see `ecsctl ps`, end with `ecsctl stop-task`")

    try:
        with doing_last(leave):
            tasks = _wait(context, arns, logs, timeout)
    except BaseException:
        leave()
        raise
    if not logs:
        invocation.show(to_wire(evolve(response, tasks=tasks)), "RunTask")
    if any(task.last_status not in (("STOPPED",) if logs else ("RUNNING", "STOPPED")) for task in tasks):
        context.hand_over(arns)
        say(f"ecsctl: timed out after {timeout:g} s: {_states(tasks)}; they go on, see `ecsctl ps`")
        return TIMED_OUT
    outcomes = [_outcome(context, task) for task in tasks if task.last_status == "STOPPED"]
    for outcome in outcomes:
        if outcome.problem:
            say(f"ecsctl: {outcome.problem}")
    codes = [outcome.code if logs else min(outcome.code, FAILED) for outcome in outcomes]
    return next((code for code in codes if code), FAILED if response.failures or not arns else 0)


def _named(arns: list[str]) -> str:
    names = ", ".join(map(last_part, arns))
    return f"task {names} goes" if len(arns) == 1 else f"tasks {names} go"


def _states(tasks: list[Task]) -> str:
    return ", ".join(f"task {last_part(str(task.task_arn))} is {task.last_status}" for task in tasks)


def _wait(context: Context, arns: list[str], logs: bool, timeout: float) -> list[Task]:
    """The tasks as they are at the end of the wait."""
    from ecsctl.operations.waiting import wait_tasks

    if not arns:
        return []
    if not logs:
        return wait_tasks(context, arns, "RUNNING", timeout)
    from ecsctl.cli.streams import Follower
    from ecsctl.operations.tasks import shapes

    begun = time.monotonic()
    containers = {str(task.task_arn): [str(c.name) for c in task.containers or []] for task in shapes(context, arns)}
    Follower(context, containers).follow(timeout)
    return wait_tasks(context, arns, "STOPPED", max(0.0, timeout - (time.monotonic() - begun)))


def _outcome(context: Context, task: Task) -> Outcome:
    from ecsctl.model.api.task_definitions import DescribeTaskDefinitionRequest
    from ecsctl.operations.task_definitions import describe_task_definition

    request = DescribeTaskDefinitionRequest(str(task.task_definition_arn))
    definition = describe_task_definition(context, request).task_definition
    return outcome_of(task, (definition.container_definitions if definition else None) or [])
