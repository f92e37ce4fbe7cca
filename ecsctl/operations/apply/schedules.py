"""Schedules in a plan: those of schedule-task."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from typing import NamedTuple

from ecsctl.controller.providers import launch_types, strategy_of
from ecsctl.controller.wishes import check_startable, find_task_definition
from ecsctl.model.arn import last_part
from ecsctl.model.cluster import Cluster
from ecsctl.model.common import Tag
from ecsctl.model.errors import ApiError
from ecsctl.model.record import Record, to_wire
from ecsctl.model.schedule import ScheduleTaskRequest, UnscheduleTaskRequest
from ecsctl.model.schedule_record import ScheduleRecord
from ecsctl.operations.apply.change import Change, Ground
from ecsctl.operations.apply.clusters import Clusters
from ecsctl.operations.apply.difference import differences
from ecsctl.operations.apply.documents import Placed, at, note_place
from ecsctl.operations.apply.mark import check_set, is_made_by, marked
from ecsctl.operations.apply.task_definitions import Definitions
from ecsctl.operations.context import Context
from ecsctl.operations.lookup import cluster_arn
from ecsctl.operations.schedules import check_comes, schedule_asked, schedule_task
from ecsctl.store.schedule_table import SCHEDULES

KIND = "schedule"


class NewSchedule(Record):
    """A schedule that apply makes, with the tags of its own: those of the request are for the tasks that it starts."""

    request: ScheduleTaskRequest
    tags: list[Tag]


def create_schedule(ctx: Context, new: NewSchedule) -> None:
    """Make it, tags and all at once."""
    schedule_task(ctx, new.request, new.tags)


class Schedules(NamedTuple):
    """The schedules of the documents as they will be, by ARN, how they become so, and the ARNs of the task
    definitions that the next run of each takes."""

    wanted: dict[str, ScheduleRecord]
    changes: list[Change]
    used: set[str]


def plan_schedules(
    ground: Ground, requests: Placed[ScheduleTaskRequest], clusters: Clusters, definitions: Definitions
) -> Schedules:
    """What to do so that there are the schedules that are asked for."""
    planned = Schedules({}, [], set())
    places: dict[str, str] = {}
    for where, request in requests:
        with at(where):
            cluster = clusters.find(ground, cluster_arn(ground.ctx, request.cluster))
            wanted = schedule_asked(cluster, request, ground.ctx.now())
            definition = definitions.find(ground, request.task_definition)
            strategy = strategy_of(cluster, request.launch_type, request.capacity_provider_strategy)
            kinds = launch_types(request.launch_type, strategy)
            file_systems = ground.ctx.controller.file_systems
            check_startable(definition, kinds, request.network_configuration, request.overrides, file_systems)
            change = _change(ground, cluster, request, wanted)
        note_place(places, change.arn, where)
        planned.wanted[change.arn] = wanted
        planned.changes.append(change)
        planned.used.add(str(definition.task_definition_arn))
    return planned


def _change(ground: Ground, cluster: Cluster, request: ScheduleTaskRequest, wanted: ScheduleRecord) -> Change:
    arn, name = wanted.arn, f"{cluster.cluster_name}/{request.name}"
    current = ground.view.get(SCHEDULES, arn)
    if current is None:
        check_comes(wanted)
        said = {**to_wire(request), "name": None, "cluster": None}
        new = NewSchedule(wanted.request, marked((), ground.set_name))
        return Change("create", KIND, name, arn, tuple(differences(None, said)), (new,))
    check_set(ground.view, arn, ground.set_name)
    found = differences(to_wire(current.request), to_wire(wanted.request))
    if found:  # one whose last time is over stays as it is
        check_comes(wanted)
    return Change.of(KIND, name, arn, found, [wanted.request] if found else [])


def prune_schedules(ground: Ground, kept: Collection[str]) -> list[Change]:
    """The deletion of this set's schedules that are not to be kept (by ARN)."""
    return [
        Change(
            "delete",
            KIND,
            f"{last_part(record.cluster_arn)}/{record.name}",
            record.arn,
            (),
            (UnscheduleTaskRequest(name=record.name, cluster=record.cluster_arn),),
        )
        for record in _others(ground, kept)
        if is_made_by(ground.view, record.arn, ground.set_name)
    ]


def scheduled_definitions(ground: Ground, besides: Collection[str]) -> set[str]:
    """The task definitions that the other schedules' next runs take, by ARN."""
    found = set()
    for record in _others(ground, besides):
        with suppress(ApiError):  # one that is gone is not to be kept
            definition = find_task_definition(ground.view, ground.ctx.scope, record.request.task_definition)
            found.add(str(definition.task_definition_arn))
    return found


def _others(ground: Ground, besides: Collection[str]) -> list[ScheduleRecord]:
    here = ground.ctx.scope.arn("schedule/")
    return [s for s in ground.view.find(SCHEDULES) if s.arn.startswith(here) and s.arn not in besides]
