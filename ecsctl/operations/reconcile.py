"""Reconcile: make reality match what was asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from ecsctl.controller.limits import Limits
from ecsctl.controller.passes import Pass
from ecsctl.model.errors import EngineError
from ecsctl.model.record import Record
from ecsctl.operations.context import Context
from ecsctl.operations.lookup import find_cluster, the_service, the_task
from ecsctl.store.store import Store, View
from ecsctl.store.tables import CLUSTERS, INSTANCES, SERVICES, TASKS

if TYPE_CHECKING:
    from ecsctl.controller.leadership import Leadership
    from ecsctl.controller.watch import Watch


class Report(Record):
    """What a reconcile did, or in a dry run would do, and why, line by line.

    `unreachable` says which hosts did not answer, `errors` what an engine refused, `left_alone` what is not ours.
    """

    lines: list[str]
    changed: bool
    unreachable: list[str]
    errors: list[str]
    unfinished: list[str]
    left_alone: list[str]
    timed_out: bool = False

    @property
    def failed(self) -> bool:
        return bool(self.errors)

    def to_wire(self) -> dict[str, Any]:
        return {
            "actions": self.lines,
            "changed": self.changed,
            "unreachable": self.unreachable,
            "errors": self.errors,
            "unfinished": self.unfinished,
            "leftAlone": self.left_alone,
            "timedOut": self.timed_out,
        }


def reconcile(
    ctx: Context,
    cluster: str | None = None,
    tasks: Sequence[str] = (),
    services: Sequence[str] = (),
    timeout: float = 50.0,
    dry_run: bool = False,
) -> Report:
    """One pass over a cluster, or over all of this state's; or only over some tasks (ids or ARNs) and services.

    Ends when all that is under way has arrived, or after `timeout` seconds. Named services are waited for until they
    have what was asked of them.
    """
    clock = ctx.controller.clock
    end = clock.since_boot() + timeout
    limits = Limits(until=end)
    with ctx.store.read() as view:
        arns = [_task(view, ctx, cluster, task) for task in tasks]
        kept = [_service(view, ctx, cluster, service) for service in services]
        if tasks or services:
            clusters = []
        elif cluster is not None:
            clusters = [str(find_cluster(view, ctx, cluster).cluster_arn)]
        else:
            clusters = view.keys(CLUSTERS, "arn")
    if tasks or services:
        result = ctx.controller.converge(arns, limits, dry_run=dry_run)
        result.add(ctx.controller.converge_services(kept, limits, dry_run=dry_run))
    else:
        result = ctx.controller.reconcile(clusters, limits, dry_run=dry_run)
        if result.endpoints and not dry_run:
            result.add(Pass(_answer_what_waits(ctx, result.endpoints)))
    return _report(ctx, result, timed_out=bool(result.unfinished) and clock.since_boot() >= end)


def _answer_what_waits(ctx: Context, endpoints: Mapping[str, str]) -> list[str]:
    """Answer what containers wait for, by the ids of the endpoints of hosts (by ARN); what was done, line by line."""
    from ecsctl.controller.requests import pending

    lines: list[str] = []
    for host, run in endpoints.items():
        with ctx.store.read() as view:
            instance = view.get(INSTANCES, host)
        if instance is None:
            continue
        with suppress(EngineError):  # the endpoint is gone, or does not answer: so does who asked
            for request in pending(ctx.controller.engine(instance.address), run, ctx.controller.clock):
                from ecsctl.operations.endpoint import answer  # mostly nobody asks

                lines += answer(ctx, host, request)
    return lines


def leadership(
    ctx: Context,
    own: Store,
    cluster: str | None,
    changed: Callable[[], object],
    failed: Callable[[Exception], object],
) -> Leadership:
    """What this process leads of a cluster, or of all of this state's, among the controllers that stay.

    `changed` is told, in a thread of its own, when that is something else, `failed` when it ends by a fault. That
    thread alone reads by `own`, so that it says in time that this process is there, whoever waits for the state.
    """
    from ecsctl.controller.leadership import Leadership
    from ecsctl.controller.processes import ThisProcess
    from ecsctl.store.leases import leases_of

    with ctx.store.read() as view:
        named = None if cluster is None else [str(find_cluster(view, ctx, cluster).cluster_arn)]

    def clusters() -> list[str]:
        with own.read() as view:
            return view.keys(CLUSTERS, "arn")

    leases = leases_of(ctx.store.place, ThisProcess().boot_id)
    return Leadership(leases, ctx.controller.clock, clusters, named, changed, failed)


def controller(
    ctx: Context,
    cluster: str | None,
    told: Callable[[str], object],
    interval: float,
    leads: Callable[[str], bool] = lambda _: True,
) -> Watch:
    """The controller of a cluster, or of all of this state's, as a process that stays.

    `told` is given each line of what is done, `interval` is in seconds between looks at hosts that tell nothing;
    `leads`: whether a cluster (by ARN) is this process's to keep.
    """
    with ctx.store.read() as view:
        named = str(find_cluster(view, ctx, cluster).cluster_arn) if cluster is not None else None

    def clusters() -> list[str]:
        with ctx.store.read() as view:
            there = [named] if named else view.keys(CLUSTERS, "arn")
        return [arn for arn in there if leads(arn)]

    from ecsctl.controller.watch import Watch  # a reconcile that does not stay has no need of it
    from ecsctl.operations.endpoint import answer

    answers = partial(answer, ctx) if ctx.controller.has_endpoints else None
    return Watch(ctx.controller, ctx.store, clusters, told, interval, answers)


def _task(view: View, ctx: Context, cluster: str | None, task: str) -> str:
    if task.startswith("arn:") and view.get(TASKS, task):
        return task  # of whatever cluster, region and account
    return the_task(view, find_cluster(view, ctx, cluster), task).arn


def _service(view: View, ctx: Context, cluster: str | None, service: str) -> str:
    if service.startswith("arn:") and view.get(SERVICES, service):
        return service
    return the_service(view, find_cluster(view, ctx, cluster), service).arn


def _report(ctx: Context, result: Pass, *, timed_out: bool) -> Report:
    with ctx.store.read() as view:
        names = {arn: record.name for arn in result.unreachable if (record := view.get(INSTANCES, arn))}
    return Report(
        lines=result.lines,
        changed=result.changed,
        unreachable=[
            f"host {names.get(arn, arn)} does not answer: {why}" for arn, why in sorted(result.unreachable.items())
        ],
        errors=result.errors,
        unfinished=result.unfinished,
        left_alone=result.left_alone,
        timed_out=timed_out,
    )
