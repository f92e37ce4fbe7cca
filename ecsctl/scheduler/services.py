"""What a service needs now: which tasks to start and where, which to stop, and what to tell. Pure.

Source: ECS developer guide, "Amazon ECS services", "Service definition parameters", "Amazon ECS deployment circuit
breaker", "Amazon ECS service throttle logic" and "Amazon ECS scale-in"; the words of the events as in "Amazon ECS
service event messages".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from ecsctl.model.record import evolve
from ecsctl.model.stored import DeploymentRecord, ServiceRecord, TaskRecord
from ecsctl.placement.place import Host, Rejection, place
from ecsctl.scheduler.obstacle import cannot_place
from ecsctl.scheduler.rollout import FREE_STARTS, bake_time, delay, limits, threshold
from ecsctl.scheduler.service_deployments import ROLLING_BACK, breaker_of, copied, last_good, roll_back
from ecsctl.scheduler.service_work import UNHEALTHY, Launch, ServiceWork, Stop, Surroundings

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
    elif (blue := work.blue) is not None:
        work.place_beside(blue)
    else:
        work.place_replicas()
    work.close()
    return ServiceStep(
        work.record, tuple(work.launches), tuple(work.stops), tuple(work.marked.values()), tuple(work.messages)
    )


class _Work(ServiceWork):
    """One decision in the making."""

    failed: str | None = None
    """The deployment that has failed just now."""

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
        if primary.failures < threshold(breaker, max(1, self.desired)):
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

    # Blue and green

    @property
    def blue(self) -> DeploymentRecord | None:
        """What serves while a blue/green deployment is on its way; None when there is none."""
        configuration = self.service.deployment_configuration
        if configuration is None or configuration.strategy != "BLUE_GREEN" or self.service.status != "ACTIVE":
            return None
        return last_good(self.record)

    def place_beside(self, blue: DeploymentRecord) -> None:
        """Start all of the new tasks beside the old; these go when those have been healthy for the bake time."""
        green = self.record.primary
        old = [task for task in self.live if task.task.started_by != green.id]
        new = [task for task in self.live if task.task.started_by == green.id]
        self._keep_up(green, new)
        ready = sum(self._counts(task) for task in new if self._is_kept(task)) >= self.desired
        green.ready_at = (green.ready_at or self.now) if ready else None
        if green.stage != "CLEAN_UP":  # which is not taken back
            bake = bake_time(self.service.deployment_configuration)
            green.stage = "SCALE_UP" if not ready else "BAKE_TIME" if not self._has_passed(bake) else "CLEAN_UP"
        if green.stage == "CLEAN_UP":
            self._stop(self._in_stopping_order(old))
        else:
            self._keep_up(blue, [task for task in old if task.task.started_by == blue.id])

    def _has_passed(self, bake: timedelta) -> bool:
        ready_at = self.record.primary.ready_at
        return ready_at is not None and self.now - ready_at >= bake

    def _keep_up(self, deployment: DeploymentRecord, tasks: list[TaskRecord]) -> None:
        """The desired number of a deployment's tasks; what is ill or on a host that drains is replaced first."""
        sound = [task for task in tasks if not self._is_unhealthy(task) and not self._is_draining(task)]
        missing = self.desired - len(sound)
        self._start(deployment, missing, missing)
        if missing < 0:
            self._stop(self._in_stopping_order(sound)[:-missing])
        poor = [task for task in tasks if task not in sound]
        self._let_go(poor, len(poor), sum(self._counts(task) for task in tasks) - self.desired)

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
            self._tell(self.record.primary, cannot_place(rejections))
        return found

    # The end

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
        """Whether it has all its tasks, and each counts as healthy: one that ends at once has not come to stay."""
        mine = [task for task in self.unfinished if task.task.started_by == primary.id]
        good = [task for task in mine if self._counts(task)]
        return len(mine) == len(good) == self.desired and not any(self._is_draining(task) for task in mine)
