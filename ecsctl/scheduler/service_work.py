"""What a decision about a service is made with: its tasks as they are, starting and stopping them, telling. Pure.

Source: ECS developer guide, "Amazon ECS services" and "Amazon ECS scale-in"; the words of the events as in "Amazon ECS
service event messages".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from ecsctl.model.api.tasks import PlacementStrategy
from ecsctl.model.arn import last_part
from ecsctl.model.stored import DeploymentRecord, ServiceRecord, TaskRecord
from ecsctl.model.task import TaskStopCode
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.placement.place import ZONE, Demand, Host, demand_of, place
from ecsctl.scheduler.obstacle import cannot_place
from ecsctl.scheduler.rollout import FREE_STARTS, SETTLE

UNHEALTHY = "Task failed container health checks"
SPREAD = (
    PlacementStrategy(type="spread", field=f"attribute:{ZONE}"),
    PlacementStrategy(type="spread", field="instanceId"),
)
"""Where a service's tasks go when it does not say: the emptiest zone, then the emptiest instance."""


class Surroundings(NamedTuple):
    """What a decision about a service depends on besides the service and its tasks.

    `hosts` are all of the cluster's, with what is free on them; `draw(n)` is in 0..n-1.
    """

    definitions: Mapping[str, TaskDefinition]
    hosts: Sequence[Host]
    now: datetime
    draw: Callable[[int], int]
    settle: timedelta = SETTLE


class Launch(NamedTuple):
    """A task to start for a deployment, and where."""

    deployment: DeploymentRecord
    definition: TaskDefinition
    demand: Demand
    host: Host


class Stop(NamedTuple):
    """A task to stop, and why in ECS's words."""

    task: TaskRecord
    code: TaskStopCode
    reason: str


class ServiceWork:
    """One decision in the making."""

    def __init__(self, record: ServiceRecord, tasks: Sequence[TaskRecord], around: Surroundings) -> None:
        self.record = record
        self.service = record.service
        self.around = around
        self.now = around.now
        self.over = [task for task in tasks if task.is_stopped]
        self.unfinished = [task for task in tasks if not task.is_stopped]
        self.live = [task for task in self.unfinished if task.task.desired_status != "STOPPED"]
        self.deployments = {deployment.id: deployment for deployment in record.deployments}
        self.hosts = {host.arn: host for host in around.hosts}
        self.marked: dict[str, TaskRecord] = {}
        self.launches: list[Launch] = []
        self.stops: list[Stop] = []
        self.messages: list[str] = []

    @property
    def desired(self) -> int:
        return self.service.desired_count or 0

    # Starting and stopping

    def _may_start(self, deployment: DeploymentRecord) -> bool:
        if self.service.status != "ACTIVE":
            return False
        if deployment.rollout_state == "FAILED" and deployment.status == "PRIMARY":
            return False
        return deployment.next_attempt_at is None or deployment.next_attempt_at <= self.now

    def _start(self, deployment: DeploymentRecord, count: int, room: int) -> int:
        """Place up to `count` tasks; how many that were."""
        count = min(count, room)
        if count <= 0 or not self._may_start(deployment):
            return 0
        if deployment.start_failures >= FREE_STARTS:
            count = 1  # one attempt at a time while it fails
        return sum(self._launch(deployment, list(self.hosts.values())) for _ in range(count))

    def _launch(self, deployment: DeploymentRecord, hosts: list[Host]) -> bool:
        definition, demand = self._demand(deployment)
        if definition is None:
            return False
        strategies = self.service.placement_strategy or SPREAD
        constraints = self.service.placement_constraints or ()
        choice = place(demand, hosts, strategies, constraints, self.around.draw)
        if choice.host is None:
            self._tell(deployment, cannot_place(choice.rejections))
            return False
        self.hosts[choice.host.arn] = choice.host.with_task(demand)
        self.launches.append(Launch(deployment, definition, demand, choice.host))
        return True

    def _demand(self, deployment: DeploymentRecord) -> tuple[TaskDefinition | None, Demand]:
        definition = self.around.definitions.get(deployment.task_definition_arn)
        return definition, demand_of(definition, None) if definition else Demand(0, 0)

    def _stop(self, tasks: Iterable[TaskRecord]) -> None:
        for task in tasks:
            if self._is_unhealthy(task):
                self.stops.append(Stop(task, "ServiceSchedulerInitiated", UNHEALTHY))
                self.messages.append(f"(task {last_part(task.arn)}) failed container health checks.")
            else:
                reason = f"Scaling activity initiated by (deployment {self.record.primary.id})"
                self.stops.append(Stop(task, "ServiceSchedulerInitiated", reason))

    def _in_stopping_order(self, tasks: Iterable[TaskRecord]) -> list[TaskRecord]:
        """Those that do not serve first, then of the fullest zone and instance, the newest first; protected never."""
        left = [task for task in tasks if not task.is_protected(self.now) or self._is_unhealthy(task)]
        left.sort(key=lambda task: (task.task.created_at or self.now, task.arn), reverse=True)
        zones: dict[str | None, int] = {}
        instances: dict[str | None, int] = {}
        for task in left:
            zones[task.task.availability_zone] = zones.get(task.task.availability_zone, 0) + 1
            instances[task.task.container_instance_arn] = instances.get(task.task.container_instance_arn, 0) + 1
        ordered = []
        while left:
            task = max(
                left,
                key=lambda t: (
                    not self._serves(t),
                    zones[t.task.availability_zone],
                    instances[t.task.container_instance_arn],
                ),
            )
            left.remove(task)
            zones[task.task.availability_zone] -= 1
            instances[task.task.container_instance_arn] -= 1
            ordered.append(task)
        return ordered

    # What a task is

    def _serves(self, task: TaskRecord) -> bool:
        return task.task.last_status == "RUNNING" and not self._is_unhealthy(task)

    def _is_checked(self, task: TaskRecord) -> bool:
        definition = self.around.definitions.get(str(task.task.task_definition_arn))
        return any(
            c.health_check is not None and c.essential is not False
            for c in (definition.container_definitions if definition else None) or []
        )

    def _is_healthy(self, task: TaskRecord) -> bool:
        """HEALTHY by its health checks; without any, RUNNING for a while."""
        if task.task.last_status != "RUNNING" or task.task.desired_status == "STOPPED":
            return False
        if self._is_checked(task):
            return task.task.health_status == "HEALTHY"
        return self.now - (task.task.started_at or self.now) >= self.around.settle

    def _counts(self, task: TaskRecord) -> bool:
        """Whether it counts towards minimumHealthyPercent."""
        return self._is_healthy(task) or (task.settled and self._serves(task))

    def _is_unhealthy(self, task: TaskRecord) -> bool:
        if task.task.health_status != "UNHEALTHY" or task.task.last_status != "RUNNING":
            return False
        grace = timedelta(seconds=self.service.health_check_grace_period_seconds or 0)
        return self.now - (task.task.started_at or self.now) >= grace

    def _is_draining(self, task: TaskRecord) -> bool:
        host = self.hosts.get(str(task.task.container_instance_arn))
        return host is None or not host.active

    # What to tell

    def _tell(self, deployment: DeploymentRecord, obstacle: str) -> None:
        """Say what is in the way; not again while it stays the same."""
        if deployment.obstacle != obstacle:
            deployment.obstacle = obstacle
            self.messages.append(obstacle)
