"""What a service needs now: which tasks to start and where, which to stop, and what to tell. Pure.

Source: ECS developer guide, "Amazon ECS services", "Service definition parameters", "Amazon ECS deployment circuit
breaker", "Amazon ECS service throttle logic" and "Amazon ECS scale-in"; the words of the events as in "Amazon ECS
service event messages".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import ceil

from ecsctl.model.deployment_configuration import DeploymentConfiguration, DeploymentEarlySuccessCriteria
from ecsctl.model.record import evolve
from ecsctl.model.stored import DeploymentRecord, ServiceRecord, Starter, TaskRecord
from ecsctl.placement.demand import demand_of
from ecsctl.placement.fleet import MEMBER_OF, Fleet, Rejection
from ecsctl.placement.host import Host
from ecsctl.placement.port_ranges import Port
from ecsctl.placement.providers import names, shares
from ecsctl.scheduler.deployments import breaker_of, copied, last_good, roll_back
from ecsctl.scheduler.lifecycle import BEFORE_SCALE_UP, awaited, go_through, refused
from ecsctl.scheduler.obstacle import cannot_place
from ecsctl.scheduler.rebalance import BALANCED, NO_ROOM, STARTED, STOPPED, in_words, moves
from ecsctl.scheduler.rollout import bake_time, threshold
from ecsctl.scheduler.service_work import NO_ROOM_TO_MOVE, Launch, ServiceStep, ServiceWork, Surroundings
from ecsctl.scheduler.task_sets import decide_task_sets

IN_PROGRESS = "ECS deployment {} in progress."
COMPLETED = "ECS deployment {} completed."
TRIPPED = "ECS deployment circuit breaker: tasks failed to start."
TIMED_OUT = "Lifecycle hook timed out: nobody answered it."
PAUSED = (
    "(deployment {}) is paused at {} until {:%Y-%m-%dT%H:%M:%SZ}: continue it or roll it back with "
    "continue-service-deployment --hook-id {}."
)


def decide_service(record: ServiceRecord, tasks: Sequence[TaskRecord], around: Surroundings) -> ServiceStep:
    """The next step of a service. `tasks` are its tasks whose end is not yet tallied, oldest first."""
    if record.is_external:
        return decide_task_sets(record, tasks, around)
    work = _Work(copied(record), tasks, around)
    work.tally()
    work.judge()
    if record.service.scheduling_strategy == "DAEMON":
        work.place_daemons()
    elif (blue := work.blue) is not None:
        work.place_beside(blue)
    elif not work.rebalances():
        work.level(work.record.primary, work.live, len(work.unfinished), work.desired)
    work.conclude()
    return work.step


class _Work(ServiceWork):
    """One decision in the making, about deployments."""

    failed: str | None = None
    """The deployment that has failed just now."""
    fits_nowhere = False
    """Whether no host has room for what is being rolled out, of those that are to have a daemon."""

    def _mover(self, task: TaskRecord) -> Starter:  # noqa: ARG002 whatever it is of, it goes because of the newest
        return self.record.primary

    def _may_start(self, starter: Starter) -> bool:
        primary = self.record.primary
        if starter is primary and primary.rollout_state == "FAILED":
            return False
        return super()._may_start(starter)

    def judge(self) -> None:
        """The circuit breaker: a deployment that failed too often has failed, and may be rolled back."""
        primary, breaker = self.record.primary, breaker_of(self.service)
        if breaker is None or primary.rollout_state != "IN_PROGRESS":
            return
        if primary.failures < threshold(breaker, max(1, self.desired)):
            return
        self._fail(TRIPPED, "tasks failed to start", last_good(self.record) if breaker.rollback else None)

    def _fail(self, reason: str, said: str, back: DeploymentRecord | None) -> None:
        """The newest deployment has failed, and is rolled back if there is what to go back to."""
        primary = self.record.primary
        primary.rollout_state, primary.rollout_state_reason = "FAILED", reason
        primary.updated_at, self.failed = self.now, primary.id
        self._say(f"(deployment {primary.id}) deployment failed: {said}.", primary)
        if back is not None:
            roll_back(
                self.record, back, f"{reason.partition(':')[0]}: rolling back to deploymentId {back.id}.", self.now
            )
            self._say(f"(deployment {primary.id}) rolling back to deployment {back.id}.", back)

    @property
    def before(self) -> DeploymentRecord | None:
        return None if self.record.primary.rollout_state == "COMPLETED" else last_good(self.record)

    def _is_relied_on(self, task: TaskRecord) -> bool:
        """Of what was there before also what is still starting; of what is being rolled out only what is healthy."""
        is_old = self.before is not None and task.task.started_by == self.before.id
        return super()._is_relied_on(task) or (is_old and self._is_sound(task))

    @property
    def _is_in_trouble(self) -> bool:
        """Whether tasks of what is being rolled out have failed."""
        primary = self.record.primary
        return bool(primary.failures or primary.start_failures) or primary.rollout_state == "FAILED"

    # Early success, and time to think it over

    @property
    def _is_early(self) -> bool:
        """Whether so many of the new tasks are healthy that the rest does not matter."""
        criteria = self._early_criteria
        if criteria is None:
            return False
        healthy = sum(self._counts(task) for task in self.live if self._is_kept(task, self.record.primary))
        return healthy >= ceil(self.desired * (criteria.healthy_percent or 0) / 100)

    @property
    def _is_blocking(self) -> bool:
        """Whether the old tasks have to be gone all the same."""
        criteria = self._early_criteria
        return criteria is None or criteria.source_service_revision_cleanup != "DEFERRED"

    @property
    def _early_criteria(self) -> DeploymentEarlySuccessCriteria | None:
        configuration = self.service.deployment_configuration
        criteria = configuration.early_success_criteria if configuration else None
        return criteria if criteria is not None and criteria.enable else None

    def _may_all_go(self, leavers: Sequence[TaskRecord]) -> bool:
        return self._is_early and all(task.task.started_by != self.record.primary.id for task in leavers)

    def _has_baked(self, primary: DeploymentRecord, ready: bool) -> bool:
        """Whether it has been ready for the bake time. There is none where nothing can be gone back to."""
        bake = bake_time(self.service.deployment_configuration)
        if not bake or last_good(self.record) is None or primary.rollout_state != "IN_PROGRESS":
            return ready
        primary.ready_at = (primary.ready_at or self.now) if ready else None
        return primary.ready_at is not None and self.now - primary.ready_at >= bake

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
        new = [task for task in self.live if task.task.started_by == green.id]
        known = {hook.hook_id for hook in green.hooks}
        go_through(
            green,
            self.service.deployment_configuration or DeploymentConfiguration(),
            self.now,
            ready=sum(self._counts(task) for task in new if self._is_kept(task, green)) >= self.desired,
            several=len(self.record.deployments) > 2,
        )
        for hook in awaited(green):
            if hook.hook_id not in known:
                self._say(PAUSED.format(green.id, green.stage, hook.expires_at, hook.hook_id), green)
        if refused(green):
            self._fail(TIMED_OUT, "nobody answered its lifecycle hook in time", blue)
            return
        old = [task for task in self.live if task.task.started_by == blue.id]
        others = [task for task in self.unfinished if task.task.started_by not in (green.id, blue.id)]
        self._stop(self._in_stopping_order(task for task in others if task in self.live))
        if green.stage not in BEFORE_SCALE_UP:
            # Beside the blue tasks there is room for as many, and no more.
            self._keep_up(green, new, waits_for=sum(not task.is_protected(self.now) for task in others))
        if green.stage == "CLEAN_UP":
            self._stop(self._in_stopping_order(old))
        else:
            self._keep_up(blue, old)

    def _keep_up(self, deployment: DeploymentRecord, tasks: list[TaskRecord], waits_for: int = 0) -> None:
        """The desired number of a deployment's tasks; what is ill or on a host that drains is replaced first.

        So many of the tasks that are missing wait for others to be gone.
        """
        sound = [task for task in tasks if self._is_sound(task)]
        missing = self.desired - len(sound)
        self._start(deployment, missing, missing - waits_for)
        if missing < 0:
            self._stop(self._in_stopping_order(sound)[:-missing])
        poor = [task for task in tasks if task not in sound]
        self._let_go(poor, len(poor), tasks, self.desired)

    # Availability zones

    def rebalances(self) -> bool:
        """Take the next step of zone rebalancing, if the service is at rest otherwise; whether it is on its way.

        One task at a time is started in the emptiest zone, and when it counts as healthy one of the fullest stops.
        """
        counts = self._zones()
        if counts is None or len(self.live) not in (self.desired, self.desired + self.record.rebalancing):
            self._end_rebalancing(STOPPED, Counter(str(task.task.availability_zone) for task in self.live))
            return False
        if len(self.unfinished) > len(self.live) or not all(map(self._counts, self.live)):
            return self.record.rebalancing
        if len(self.live) > self.desired:
            movable = self._movable()
            fullest = max((counts[zone] for zone in movable), default=0)
            ordered = self._in_stopping_order(self.live)
            self._stop([task for task in ordered if counts[str(task.task.availability_zone)] == fullest][:1])
            return True
        return (self.record.steady or self.record.rebalancing) and self._move(counts)

    def _zones(self) -> dict[str, int] | None:
        """The tasks by zone, of the zones that could have some; None where nothing is to be rebalanced."""
        service, primary = self.service, self.record.primary
        definition = self.around.definitions.get(primary.task_definition_arn)
        is_resting = (
            service.availability_zone_rebalancing == "ENABLED"
            and service.status == "ACTIVE"
            and len(self.record.deployments) == 1
            and primary.rollout_state == "COMPLETED"
            and all(self._is_kept(task, primary) for task in self.live)
        )
        if definition is None or not is_resting:
            return None
        asked = self._asked(definition)
        kinds = [evolve(asked, provider=name) for name in names(self._strategy(primary))] or [asked]
        counts = dict.fromkeys(set().union(*map(self.fleet.zones, kinds)), 0)
        for task in self.live:
            zone = str(task.task.availability_zone)
            if zone not in counts:
                return None  # its hosts do not answer: what is there is not known
            counts[zone] += 1
        return counts

    def _move(self, counts: dict[str, int]) -> bool:
        """Start a task where there are fewest; whether it was started."""
        primary, unable = self.record.primary, ""
        definition = self.around.definitions[primary.task_definition_arn]
        targets = list(moves(counts, self._movable()))
        _, upper = self.limits(self.desired, "REPLICA")
        if targets and not (self._may_start(primary) and self.desired < upper):
            return self.record.rebalancing
        for zone in targets:
            fleet = Fleet(host for host in self.around.hosts if host.zone == zone)
            provider = next(iter(shares(self._strategy(primary), self._provided(primary), 1)))
            asked = evolve(self._asked(definition), provider=provider)
            unable = self._place(primary, definition, asked, 1, fleet) or ""
            if not unable:
                if not self.record.rebalancing:
                    self._say(STARTED.format(in_words(counts)), primary)
                self.record.rebalancing = True
                return True
        if unable:
            self._tell(primary, NO_ROOM.format(in_words(counts), unable))
        is_level = max(counts.values(), default=0) - min(counts.values(), default=0) <= 1
        self._end_rebalancing(BALANCED if is_level else STOPPED, counts)
        return False

    def _movable(self) -> Counter[str]:
        """By zone, the tasks that may be stopped."""
        return Counter(str(task.task.availability_zone) for task in self.live if not task.is_protected(self.now))

    def _end_rebalancing(self, said: str, counts: Mapping[str, int]) -> None:
        if self.record.rebalancing:
            self.record.rebalancing = False
            self._say(said.format(in_words(counts)), self.record.primary)

    # Daemons

    def place_daemons(self) -> None:
        """One task on each ACTIVE instance that can take it; during a deployment one host after the other, as many
        at once as minimumHealthyPercent leaves room for."""
        primary, before = self.record.primary, last_good(self.record)
        open_hosts, good_hosts = self._open_to(primary), self._open_to(before)
        # Where there is only room for what was there before, that goes on.
        old_hosts = {arn: host for arn, host in good_hosts.items() if arn not in open_hosts}
        self.service.desired_count = len(open_hosts) + len(old_hosts)
        lower, _ = self.limits(self.desired, "DAEMON")
        staying = [t for t in self.live if str(t.task.container_instance_arn) in {*open_hosts, *old_hosts}]
        spare = sum(self._counts(task) for task in staying) - lower
        surety = sum(map(self._is_relied_on, staying)) - lower
        there: dict[str, list[TaskRecord]] = {}
        for task in self.unfinished:
            there.setdefault(str(task.task.container_instance_arn), []).append(task)
        leavers = [task for task in self.live if task not in staying and self._is_last(task)]
        lost = self._lost(lower) if self._is_own_first(self.desired) else 0
        held = 0
        for arn, host in sorted({**old_hosts, **open_hosts}.items()):
            tasks = there.get(arn, [])
            if not tasks:
                is_old = arn in old_hosts or (lost > 0 and arn in good_hosts)
                surety, lost = surety + is_old, lost - is_old
                self._launch_on(host, before if is_old and before else primary)
                continue
            if arn in old_hosts:
                continue
            live = [task for task in tasks if task.task.desired_status != "STOPPED"]
            wanted = [t for t in live if t.task.started_by == primary.id and not self._is_unhealthy(t)]
            free = [t for t in live if not t.is_protected(self.now) or self._is_unhealthy(t)]
            surplus = [t for t in free if t not in wanted] + wanted[1:]
            for task in surplus if self._may_start(primary) or wanted else []:
                counts, relied_on = self._counts(task), self._is_relied_on(task)
                if not wanted and ((counts and spare <= 0) or (relied_on and surety <= 0)):
                    held += counts
                    continue
                spare, surety = spare - counts, surety - relied_on
                leavers.append(task)
        if held and lower >= self.desired:
            self._tell(primary, NO_ROOM_TO_MOVE)
        self._stop(leavers)
        self._keep_fewer(leavers)

    def _open_to(self, deployment: DeploymentRecord | None) -> dict[str, Host]:
        """The hosts that are to have a task of a deployment: those that could take it if the service's own task were
        gone, or have it.

        One whose task has come to break a placement constraint is to have none.
        """
        definition = self.around.definitions.get(deployment.task_definition_arn) if deployment else None
        if deployment is None or definition is None or self.service.status != "ACTIVE":
            return {}
        asked = evolve(self._asked(definition), is_distinct=False)
        own: dict[str, list[TaskRecord]] = {}
        for task in self.unfinished:
            own.setdefault(str(task.task.container_instance_arn), []).append(task)
        found, rejections = {}, list[Rejection]()
        for host in self.around.hosts:
            tasks = own.get(host.arn, [])
            rejection = Fleet([self._without(host, tasks, str(asked.group))]).rejection(0, asked)
            has_it = any(task.task.started_by == deployment.id for task in tasks)
            if host.active and (rejection is None or (has_it and rejection.reason != MEMBER_OF)):
                found[host.arn] = host
            elif host.active and rejection:
                rejections.append(rejection)
        if found:  # to leave some hosts out is what constraints are for
            rejections = [rejection for rejection in rejections if rejection.reason != MEMBER_OF]
        if rejections and deployment is self.record.primary:
            self._tell(deployment, cannot_place(rejections))
            self.fits_nowhere = not found and any(one.reason.startswith("RESOURCE:") for one in rejections)
        return found

    def _without(self, host: Host, tasks: Sequence[TaskRecord], group: str) -> Host:
        """A host as if the service had none of its tasks there."""
        definitions = (self.around.definitions.get(str(task.task.task_definition_arn)) for task in tasks)
        ports = frozenset[Port]().union(*(demand_of(one, None).ports for one in definitions if one))
        return evolve(
            host,
            cpu_free=host.cpu_free + sum(task.cpu for task in tasks),
            memory_free=host.memory_free + sum(task.memory for task in tasks),
            ports=host.ports - ports,
            groups={name: count for name, count in host.groups.items() if name != group},
            gpus=(*host.gpus, *(gpu for task in tasks for c in task.task.containers or [] for gpu in c.gpu_ids or [])),
        )

    def _launch_on(self, host: Host, deployment: DeploymentRecord) -> None:
        definition = self.around.definitions.get(deployment.task_definition_arn)
        if definition and self._may_start(deployment):
            self.launches.append(Launch(deployment, definition, demand_of(definition, None), host))

    def _is_last(self, task: TaskRecord) -> bool:
        """Whether a daemon may leave its host: where it drains it is the last to go (ECS: "the last to stop")."""
        arn = str(task.task.container_instance_arn)
        host = self.hosts.get(arn)
        if host is None or self.service.status != "ACTIVE" or host.active:
            return True
        return all(group in self.around.daemons for group in host.groups)

    # The end

    def conclude(self) -> None:
        """Drop deployments that are over, and note what has been reached."""
        begun = {task.task.started_by for task in self.unfinished} | {launch.starter.id for launch in self.launches}
        primary = self.record.primary
        others = [d for d in self.record.deployments if d.id != primary.id]
        alone = not any(d.id in begun for d in others)
        reached = self._is_there(primary, self.desired) and alone and not self.fits_nowhere
        ready = reached or (self._is_early and (alone or not self._is_blocking))
        baked = self._has_baked(primary, ready) if self.blue is None else reached
        if baked and primary.rollout_state == "IN_PROGRESS" and self.service.status == "ACTIVE":
            primary.rollout_state, primary.completed = "COMPLETED", True
            primary.rollout_state_reason, primary.updated_at = COMPLETED.format(primary.id), self.now
            primary.failures = 0
            self._say(f"(deployment {primary.id}) deployment completed.", primary)
        done = primary.rollout_state == "COMPLETED"
        good = last_good(self.record)
        # What has just failed stays for this once, so that it can be told.
        kept = begun | {primary.id, self.failed} | ({good.id} if good and not done else set())
        self.record.deployments = [d for d in self.record.deployments if d.id in kept]
        self.close(reached and done)
