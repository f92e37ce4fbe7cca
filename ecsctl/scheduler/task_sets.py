"""What a service needs that something else deploys, by task sets. Pure.

Source: ECS developer guide, "Deploy Amazon ECS services using a third-party controller", and ECS API_TaskSet.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from ecsctl.model.service import StabilityStatus
from ecsctl.model.stored import ServiceRecord, Starter, TaskRecord, TaskSetRecord
from ecsctl.scheduler.deployments import copied
from ecsctl.scheduler.service_work import ServiceStep, ServiceWork, Surroundings


def computed_count(record: ServiceRecord, task_set: TaskSetRecord) -> int:
    """How many tasks a task set is to have: its share of the service's desired count, rounded up."""
    if task_set.status == "DRAINING" or record.service.status != "ACTIVE":
        return 0
    share = (record.service.desired_count or 0) * task_set.scale / 100
    return ceil(round(share, 9))  # 0.07 * 100 is a little more than 7


def task_set_arn(record: ServiceRecord, task_set: str) -> str:
    """The ARN of one of a service's task sets (by id)."""
    return f"{record.arn}/{task_set}".replace(":service/", ":task-set/", 1)


def decide_task_sets(record: ServiceRecord, tasks: Sequence[TaskRecord], around: Surroundings) -> ServiceStep:
    """As decide_service, for a service of the EXTERNAL deployment controller."""
    work = _Work(copied(record), tasks, around)
    work.tally()
    # What serves comes first where there is not room for all.
    for task_set in sorted(work.record.task_sets, key=lambda one: one.status != "PRIMARY"):
        work.bring_to_scale(task_set)
    work.conclude()
    return work.step


class _Work(ServiceWork):
    """One decision in the making, about task sets."""

    def _mover(self, task: TaskRecord) -> Starter:
        return self.starters[str(task.task.started_by)]

    def bring_to_scale(self, task_set: TaskSetRecord) -> None:
        """Start and stop its tasks, and note whether it is stable."""
        mine = [task for task in self.unfinished if task.task.started_by == task_set.id]
        live = [task for task in mine if task in self.live]
        desired = computed_count(self.record, task_set)
        self.level(task_set, live, len(mine), desired)
        stability: StabilityStatus = "STEADY_STATE" if self._is_there(task_set, desired) else "STABILIZING"
        if task_set.stability != stability:
            task_set.stability, task_set.stability_at = stability, self.now

    def conclude(self) -> None:
        """Drop the task sets that are to go and have no task left."""
        left = {task.task.started_by for task in self.unfinished}
        self.record.task_sets = [one for one in self.record.task_sets if one.status != "DRAINING" or one.id in left]
        self.close(all(one.stability == "STEADY_STATE" for one in self.record.task_sets))
