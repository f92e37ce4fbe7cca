"""Room for tasks that find none: the tasks that could go.

Source: ECS developer guide, "Amazon ECS clusters for Fargate capacity providers" (what becomes of Spot tasks).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ecsctl.placement.demand import demand_of
from ecsctl.placement.preemption import Occupancy, Occupant
from ecsctl.store.store import View
from ecsctl.store.tables import SERVICES, TASK_DEFINITIONS


def occupancy_of(view: View, cluster: str, now: datetime) -> Occupancy:
    """The tasks of a cluster (an ARN) that could be asked to make room."""
    return Occupancy(lambda: _occupants(view, cluster, now))


def _occupants(view: View, cluster: str, now: datetime) -> Iterator[Occupant]:
    """Not those of daemons, which belong to their hosts, nor what is protected or on its way out."""
    daemons = {s.arn for s in view.find(SERVICES, cluster=cluster) if s.service.scheduling_strategy == "DAEMON"}
    for record in view.unfinished(cluster=cluster):
        task = record.task
        if not record.is_wanted or record.service in daemons or record.is_protected(now):
            continue
        definition = view.get(TASK_DEFINITIONS, str(task.task_definition_arn))
        if definition is not None:
            yield Occupant(
                arn=record.arn,
                host=str(task.container_instance_arn),
                demand=demand_of(definition, task.overrides),
                group=str(task.group),
                rank=record.rank,
                since=task.created_at.timestamp() if task.created_at else 0,
            )
