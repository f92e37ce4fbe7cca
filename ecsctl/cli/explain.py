"""`explain TASK|SERVICE`: why it is as it is; and how the plan of a placement is shown to people."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ecsctl.cli.commands import Entry
from ecsctl.cli.own import Own
from ecsctl.cli.problems import printable
from ecsctl.model.arn import last_part
from ecsctl.model.record import to_wire

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation
    from ecsctl.model.explanation import Explanation, HostVerdict, PlacementPlan


def command(entry: Entry) -> Own:
    return Own(entry, explain)


def explain(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="TASK|SERVICE", help="A task's id, a service's name, or an ARN.")],
    cluster: Annotated[str | None, typer.Option(help="The cluster; without it, `default`.")] = None,
) -> int:
    """Say why a task or a service is as it is, and where one more task of it would go.

    Of each host: its rank and what the placement strategies say of it, or the first reason why it does not fit and what
    would have to change. Nothing is started.
    """
    from ecsctl.operations.explain import explain_resource

    invocation: Invocation = ctx.obj
    with invocation.open() as context:
        explanation = explain_resource(context, name, cluster)
    if invocation.for_scripts:
        invocation.show(to_wire(explanation), "Explanation")
    else:
        _print(explanation)
    return 0


def _print(explanation: Explanation) -> None:
    lines = [explanation.summary, *(f"  {fact}" for fact in explanation.facts)]
    if explanation.happened:
        lines += ["", "What happened:"]
    for happening in explanation.happened:
        lines.append(f"  {happening.at.astimezone():%Y-%m-%d %H:%M:%S}  {happening.what}")
    _write(lines)
    if explanation.next is not None:
        _write(["", f"One more task of {explanation.next.task_definition} now:"])
        print_hosts(explanation.next)


def print_plan(plan: PlacementPlan) -> None:
    """Where the copies of a task would go, and the verdict on each host."""
    where: dict[str, int] = {}
    for task in plan.tasks:
        provider = f", of {task.capacity_provider}" if task.capacity_provider else ""
        name = f"{task.name} ({task.availability_zone}{provider})"
        where[name] = where.get(name, 0) + 1
    lines = [f"{plan.task_definition}: {len(plan.tasks)} of {plan.count} would start; nothing was started"]
    lines += [f"  {count} on {name}" for name, count in where.items()]
    lines += [f"  image {image}: {other} takes its place" for image, other in (plan.image_map or {}).items()]
    if victims := [arn for task in plan.tasks for arn in task.instead_of or []]:
        lines.append(f"To make room, {len(victims)} of a lower preemption priority would be stopped:")
        lines += [f"  {last_part(arn)}" for arn in victims]
    _write([*lines, "", "Each host, for the first of them:"])
    print_hosts(plan)


def print_hosts(plan: PlacementPlan) -> None:
    """A line per host: its rank and scores, or why not and what would help."""
    from ecsctl.cli.people import print_table

    if not plan.hosts:
        _write(["no container instance is registered in the cluster"])
        return
    print_table(("HOST", "ZONE", "FITS", "WHY", "WHAT WOULD HELP"), [_row(host) for host in plan.hosts])


def _row(host: HostVerdict) -> list[str]:
    zone = host.availability_zone or ""
    if host.fits:
        scores = "; ".join(f"{score.strategy}: {score.text}" for score in host.scores or [])
        return [host.name, zone, f"{host.rank}.", scores or "any that fits will do", ""]
    return [host.name, zone, "no", f"{host.reason}: {host.detail}", host.advice or ""]


def _write(lines: list[str]) -> None:
    sys.stdout.writelines(printable(line) + "\n" for line in lines)
    sys.stdout.flush()
