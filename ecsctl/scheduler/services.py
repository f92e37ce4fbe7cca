"""What a service needs now: which tasks to start and where, which to stop, and what to tell. Pure.

Source: ECS developer guide, "Amazon ECS services", "Service definition parameters", "Amazon ECS deployment circuit
breaker", "Amazon ECS service throttle logic" and "Amazon ECS scale-in"; the words of the events as in "Amazon ECS
service event messages".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from ecsctl.model.api.tasks import PlacementStrategy
from ecsctl.model.arn import last_part
from ecsctl.model.record import evolve
from ecsctl.model.stored import DeploymentRecord, ServiceRecord, TaskRecord
from ecsctl.model.task import TaskStopCode
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.placement.place import ZONE, Demand, Host, Rejection, demand_of, place
from ecsctl.scheduler.rollout import FREE_STARTS, SETTLE, delay, limits, threshold
from ecsctl.scheduler.service_deployments import ROLLING_BACK, breaker_of, copied, last_good, roll_back

UNHEALTHY = "Task failed container health checks"
SPREAD = (
    PlacementStrategy(type="spread", field=f"attribute:{ZONE}"),
    PlacementStrategy(type="spread", field="instanceId"),
)
"""Where a service's tasks go when it does not say: the emptiest zone, then the emptiest instance."""

IN_PROGRESS = "ECS deployment {} in progress."
COMPLETED = "ECS deployment {} completed."
TRIPPED = "ECS deployment circuit breaker: tasks failed to start."
NO_ROOM_TO_MOVE = (
    "was unable to stop or start tasks during a deployment because of the service deployment configuration. "
    "Update the minimumHealthyPercent or maximumPercent value and try again."
)
PROTECTED = (
    "was unable to reach steady state because task set ({}) was unable to scale in. "
    "Reason: The number of protected tasks are more than the desired count of tasks"
)


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


class ServiceStep(NamedTuple):
    """The service as it is to be written, its tasks that start, stop, or changed in what is known of them; what to
    tell, each without the `(service NAME) ` in front."""

    record: ServiceRecord
    launches: tuple[Launch, ...] = ()
    stops: tuple[Stop, ...] = ()
    marked: tuple[TaskRecord, ...] = ()
    messages: tuple[str, ...] = ()


def decide_service(record: ServiceRecord, tasks: Sequence[TaskRecord], around: Surroundings) -> ServiceStep:
    """The next step of a service. `tasks` are its tasks whose end is not yet tallied, oldest first."""
    work = _Work(copied(record), tasks, around)
    work.tally()
    work.judge()
    if record.service.scheduling_strategy == "DAEMON":
        work.place_daemons()
    else:
        work.place_replicas()
    work.close()
    return ServiceStep(
        work.record, tuple(work.launches), tuple(work.stops), tuple(work.marked.values()), tuple(work.messages)
    )


class _Work:
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
        self.failed: str | None = None

    @property
    def desired(self) -> int:
        return self.service.desired_count or 0

    # What happened

    def tally(self) -> None:
        """Account for the tasks that ended, and for those that have become healthy."""
        for task in self.unfinished:
            deployment = self.deployments.get(task.task.started_by or "")
            if deployment is None or task.task.last_status != "RUNNING":
                continue
            deployment.ran = True
            if not task.settled and self._is_healthy(task):
                self.marked[task.arn] = evolve(task, settled=True)
                deployment.start_failures, deployment.next_attempt_at = 0, None
                if self._resets():
                    deployment.failures = 0
        for task in self.over:
            self.marked[task.arn] = evolve(task, tallied=True)
            deployment = self.deployments.get(task.task.started_by or "")
            if deployment is not None and (failed := self._failed(task)):
                deployment.failures += 1
                deployment.updated_at = self.now
                if failed == "start":
                    self._throttle(deployment)

    def _failed(self, task: TaskRecord) -> str | None:
        """Whether its end counts against its deployment.

        A container that ends before the task has counted as healthy has not started, as for the ECS agent, which
        tells RUNNING only after a while; a later end is the application's affair.
        """
        if task.task.stopped_reason == UNHEALTHY:
            return "health"
        if task.task.stop_code == "TaskFailedToStart":
            return "start"
        if task.task.stop_code == "EssentialContainerExited" and not task.settled and not self._lasted(task):
            return "start"
        return None

    def _lasted(self, task: TaskRecord) -> bool:
        began, ended = task.task.started_at, task.task.execution_stopped_at or task.task.stopping_at
        return bool(began and ended and ended - began >= self.around.settle)

    def _throttle(self, deployment: DeploymentRecord) -> None:
        deployment.start_failures += 1
        seconds = delay(deployment.start_failures, self.around.draw(1000) / 999)
        if seconds:
            deployment.next_attempt_at = self.now + timedelta(seconds=seconds)
            if deployment.start_failures == FREE_STARTS:
                self.messages.append(
                    "is unable to consistently start tasks successfully. The next attempt is at "
                    f"{deployment.next_attempt_at:%Y-%m-%dT%H:%M:%SZ}, later ones are further apart."
                )

    def _resets(self) -> bool:
        breaker = breaker_of(self.service)
        return breaker is None or breaker.reset_on_healthy_task is not False

    def judge(self) -> None:
        """The circuit breaker: a deployment that failed too often has failed, and may be rolled back."""
        primary, breaker = self.record.primary, breaker_of(self.service)
        if breaker is None or primary.rollout_state != "IN_PROGRESS":
            return
        if primary.failures < threshold(breaker, self._expected()):
            return
        primary.rollout_state, primary.rollout_state_reason = "FAILED", TRIPPED
        primary.updated_at, self.failed = self.now, primary.id
        self.messages.append(f"(deployment {primary.id}) deployment failed: tasks failed to start.")
        back = last_good(self.record)
        if breaker.rollback and back is not None:
            roll_back(self.record, back, ROLLING_BACK.format(back.id), self.now)
            self.messages.append(f"(deployment {primary.id}) rolling back to deployment {back.id}.")

    # Replicas

    def place_replicas(self) -> None:
        """Start what is missing, then stop what is not wanted, within the limits of the deployment."""
        lower, upper = limits(self.desired, self.service.deployment_configuration, "REPLICA")
        keepers = [task for task in self.live if self._is_kept(task)]
        leavers = [task for task in self.live if not self._is_kept(task)]
        missing = max(0, self.desired - len(keepers))
        started = self._start(self.record.primary, missing, upper - len(self.unfinished))
        started += self._shore_up(lower, upper - len(self.unfinished) - started)
        healthy = sum(self._counts(task) for task in self.live)
        if len(keepers) > self.desired:
            surplus = self._in_stopping_order(keepers)[: len(keepers) - self.desired]
            healthy -= sum(self._counts(task) for task in surplus)
            self._stop(surplus)
        settled = min(self.desired, sum(self._counts(task) for task in keepers))
        excess = settled + len(leavers) - self.desired
        wanted_room = missing - started if self._may_start(self.record.primary) else 0
        self._let_go(leavers, max(excess, wanted_room), healthy - lower)
        if sum(task.is_protected(self.now) for task in self.live) > self.desired:
            self._tell(self.record.primary, PROTECTED.format(self.record.primary.id.rpartition("/")[2]))
        if missing and not started and leavers and lower >= self.desired >= upper:
            self._tell(self.record.primary, NO_ROOM_TO_MOVE)

    def _is_kept(self, task: TaskRecord) -> bool:
        return (
            task.task.started_by == self.record.primary.id
            and not self._is_unhealthy(task)
            and not self._is_draining(task)
        )

    def _shore_up(self, lower: int, room: int) -> int:
        """While a deployment cannot start its tasks, tasks of the one before it are replaced by their own kind."""
        primary = self.record.primary
        if not primary.start_failures and primary.rollout_state != "FAILED":
            return 0
        before = last_good(self.record)
        if before is None:
            return 0
        standing = [
            task
            for task in self.live
            if not self._is_unhealthy(task) and (task.task.started_by != primary.id or self._counts(task))
        ]
        return self._start(before, lower - len(standing), room)

    def _let_go(self, leavers: Sequence[TaskRecord], number: int, spare: int) -> None:
        """Stop up to `number` tasks that others replace, of those that count as healthy no more than are to spare.

        What waits on a host that drains is stopped at once.
        """
        chosen = [task for task in leavers if self._is_draining(task) and task.task.last_status != "RUNNING"]
        for task in self._in_stopping_order(task for task in leavers if task not in chosen):
            if len(chosen) >= number:
                break
            if self._counts(task):
                if spare <= 0:
                    continue
                spare -= 1
            chosen.append(task)
        self._stop(chosen)

    # Daemons

    def place_daemons(self) -> None:
        """One task on each ACTIVE instance that can take it; during a deployment one host after the other, as many
        at once as minimumHealthyPercent leaves room for."""
        primary = self.record.primary
        open_hosts = self._daemon_hosts() if self.service.status == "ACTIVE" else {}
        self.service.desired_count = len(open_hosts)
        lower, _ = limits(len(open_hosts), self.service.deployment_configuration, "DAEMON")
        spare = sum(self._counts(task) for task in self.live) - lower
        there: dict[str, list[TaskRecord]] = {}
        for task in self.unfinished:
            there.setdefault(str(task.task.container_instance_arn), []).append(task)
        leavers = [t for t in self.live if str(t.task.container_instance_arn) not in open_hosts]
        for arn, host in sorted(open_hosts.items()):
            tasks = there.get(arn, [])
            if not tasks:
                if self._may_start(primary):
                    self._launch(primary, [host])
                continue
            live = [task for task in tasks if task.task.desired_status != "STOPPED"]
            wanted = [t for t in live if t.task.started_by == primary.id and not self._is_unhealthy(t)]
            surplus = [t for t in live if t not in wanted] + wanted[1:]
            for task in surplus if self._may_start(primary) or wanted else []:
                if self._counts(task) and not wanted:
                    if spare <= 0:
                        continue
                    spare -= 1
                leavers.append(task)
        self._stop(leavers)

    def _daemon_hosts(self) -> dict[str, Host]:
        """The hosts that are to have a task: those that could take it if the service's own task were gone."""
        definition, demand = self._demand(self.record.primary)
        if definition is None:
            return {}
        taken = {str(task.task.container_instance_arn) for task in self.unfinished}
        found, rejections = {}, list[Rejection]()
        for host in self.around.hosts:
            if not host.active:
                continue
            choice = place(demand, [host], (), (), self.around.draw)
            if choice.host or host.arn in taken:
                found[host.arn] = host
            rejections += choice.rejections if host.arn not in taken else ()
        if rejections:
            self._tell(self.record.primary, self._cannot_place(rejections))
        return found

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
            self._tell(deployment, self._cannot_place(choice.rejections))
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

    def _cannot_place(self, rejections: Sequence[Rejection]) -> str:
        """ECS's words, and by how much the best host is short."""
        if not rejections:
            return f"{_NOWHERE}. No Container Instances were found in your cluster."
        closest = max(rejections, key=lambda r: (_RANK.get(r.reason, 0), -r.short, r.arn))
        lacking = _LACKING.get(closest.reason, f"is not suitable ({closest.reason})")
        where = f"The closest matching (container-instance {last_part(closest.arn)})"
        return f"{_NOWHERE}. {where} {lacking}: {closest.detail}."

    def close(self) -> None:
        """Drop deployments that are over, and note what has been reached."""
        begun = {task.task.started_by for task in self.unfinished} | {launch.deployment.id for launch in self.launches}
        primary = self.record.primary
        others = [d for d in self.record.deployments if d.id != primary.id]
        reached = self._is_reached(primary) and not any(d.id in begun for d in others)
        if reached and primary.rollout_state == "IN_PROGRESS" and self.service.status == "ACTIVE":
            primary.rollout_state, primary.completed = "COMPLETED", True
            primary.rollout_state_reason, primary.updated_at = COMPLETED.format(primary.id), self.now
            primary.failures = 0
            self.messages.append(f"(deployment {primary.id}) deployment completed.")
        done = primary.rollout_state == "COMPLETED"
        good = last_good(self.record)
        # What has just failed stays for this once, so that it can be told.
        kept = begun | {primary.id, self.failed} | ({good.id} if good and not done else set())
        self.record.deployments = [d for d in self.record.deployments if d.id in kept]
        steady = reached and done and not self.launches and not self.stops
        if steady and not self.record.steady:
            primary.obstacle = ""
            self.messages.append("has reached a steady state.")
        self.record.steady = steady
        if self.service.status == "DRAINING" and not self.unfinished:
            self.service.status = "INACTIVE"

    def _is_reached(self, primary: DeploymentRecord) -> bool:
        """Whether it has all its tasks, each RUNNING and, where it has health checks, HEALTHY."""
        mine = [task for task in self.unfinished if task.task.started_by == primary.id]
        good = [t for t in mine if self._serves(t) and (not self._is_checked(t) or t.task.health_status == "HEALTHY")]
        return len(mine) == len(good) == self.desired and not any(self._is_draining(task) for task in mine)

    def _expected(self) -> int:
        return max(1, self.desired)


_NOWHERE = "was unable to place a task because no container instance met all of its requirements"
_RANK = {"INACTIVE": 0, "AGENT": 1, "ATTRIBUTE": 2, "RESOURCE:PORTS": 4, "RESOURCE:CPU": 5, "RESOURCE:MEMORY": 5}
_LACKING = {
    "RESOURCE:MEMORY": "has insufficient memory available",
    "RESOURCE:CPU": "has insufficient CPU units available",
    "RESOURCE:PORTS": "is already using a port required by your task",
    "ATTRIBUTE": "is missing an attribute required by your task",
    "AGENT": "encountered error AGENT",
    "INACTIVE": "is not ACTIVE",
}
