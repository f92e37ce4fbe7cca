"""`schedule-task`: what `run-task` takes, and when; a file as the definition too."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ecsctl.cli.action import Action
from ecsctl.cli.argv import Flag, Parsed
from ecsctl.cli.flags import build
from ecsctl.cli.problems import UsageError, say
from ecsctl.cli.register_task_definition import definition_given
from ecsctl.model.errors import ApiError, InputError
from ecsctl.model.record import evolve, to_wire
from ecsctl.model.schedule import Schedule, ScheduleTaskRequest

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation

_NOT_TO_GIVE = ("startedBy", "clientToken", "referenceId")
"""What is RunTask's, and every run's own."""
_MEANING = {
    "name": "1 to 64 letters, digits, hyphens, underscores and dots. One of that name is replaced.",
    "scheduleExpression": "cron(0 12 * * ? *), rate(5 minutes) or at(2026-01-02T03:04:05), as in EventBridge.",
    "scheduleExpressionTimezone": "The time zone of cron and at, e.g. Europe/Zurich; UTC when it is not given.",
    "scheduleState": "ENABLED or DISABLED. (--state is the state file.)",
    "missed": "What becomes of runs that nobody was there for: run-once (one run makes up for all) or skip.",
    "overlap": "Whether a run may begin while tasks of the one before still run: forbid (it is skipped) or allow.",
}

_COMES = {"now": "a run is due: the next reconcile starts it", "never": "its time is over: nothing will run"}


class ScheduleTask(Action):
    """The command."""

    reference = "https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html"

    @cached_property
    def request_type(self) -> type[ScheduleTaskRequest]:
        return ScheduleTaskRequest

    @cached_property
    def response_type(self) -> type[Schedule]:
        return Schedule

    @cached_property
    def own_flags(self) -> list[Flag]:
        flags = [flag for flag in super().own_flags if flag.key not in _NOT_TO_GIVE]
        return [evolve(flag, own=True, help=_MEANING[flag.key]) if flag.key in _MEANING else flag for flag in flags]

    def run(self, invocation: Invocation, parsed: Parsed) -> int:
        values = dict(parsed.values)
        if (given := invocation.options.get("state")) in ("ENABLED", "DISABLED"):
            raise UsageError(f"--state names the state file; write --schedule-state {given}")
        definition = definition_given(values.get("taskDefinition", ""))
        if definition is not None:
            values["taskDefinition"] = definition.family
        try:
            request = build(self.request_type, values, self.own_flags)
            _check(request)
        except (ApiError, InputError) as error:
            raise UsageError(str(error)) from None
        with invocation.open() as context:
            from ecsctl.operations.schedules import schedule_task

            if definition is not None:
                from ecsctl.operations.task_definitions import register_if_changed

                register_if_changed(context, definition)
            made = schedule_task(context, request)
        say(f"schedule {request.name} {'replaced' if made.replaced else 'created'}")
        if made.comes in _COMES:
            say(_COMES[made.comes])
        if invocation.for_scripts:
            invocation.show(to_wire(made.schedule), "Schedule")
        else:
            from ecsctl.cli.scheduled_tasks import print_schedules

            print_schedules([made.schedule])
        return 0


def _check(request: ScheduleTaskRequest) -> None:
    from ecsctl.scheduler.expressions import parse_expression, parse_timezone

    try:
        zone = parse_timezone(request.schedule_expression_timezone or "UTC")
    except InputError as error:
        raise UsageError(f"argument --schedule-expression-timezone: {error}") from None
    try:
        parse_expression(request.schedule_expression, zone)
    except InputError as error:
        raise UsageError(f"argument --schedule-expression: {error}") from None
