"""`update-container-instances-state`: AWS's, and `--wait [DURATION]` until a host that drains has no service's task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ecsctl.cli.action import Action
from ecsctl.cli.argv import Parsed
from ecsctl.cli.flags import build
from ecsctl.cli.problems import TIMED_OUT, say
from ecsctl.cli.wait_flag import seconds_of, wait_flag
from ecsctl.model.arn import last_part
from ecsctl.model.record import to_wire

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation

LONGEST = 600.0
"""Seconds, as the waiters have them."""


class UpdateContainerInstancesState(Action):
    """The action; with `--wait` it stays until the services' tasks have moved away."""

    additions = (
        wait_flag("Of hosts that drain: wait until no task of a service is left on them; 10m at most by default."),
    )

    def run(self, invocation: Invocation, parsed: Parsed) -> int:
        request: Any = build(self.request_type, parsed.values, self.own_flags)
        given = parsed.values.get("wait")
        timeout = seconds_of(given or "", LONGEST)
        with invocation.open() as context:
            from ecsctl.operations.container_instances import update_container_instances_state

            answer = update_container_instances_state(context, request, stay=given is not None)
            left = []
            if given is not None and request.status == "DRAINING":
                from ecsctl.operations.waiting import wait_drained

                arns = [str(one.container_instance_arn) for one in answer.container_instances or []]
                left = wait_drained(context, arns, timeout)
        invocation.show(to_wire(answer), self.entry.action)
        if left:
            named = ", ".join(last_part(arn)[:12] for arn in left)
            say(f"ecsctl: timed out after {timeout:g} s: still there: {named}; they go on to move, see `ecsctl events`")
            return TIMED_OUT
        return 0
