"""What a decision about a service is made with: its tasks as they are, starting and stopping them, telling. Pure.

Source: ECS developer guide, "Amazon ECS services", "Amazon ECS service throttle logic" and "Amazon ECS scale-in"; the
words of the events as in "Amazon ECS service event messages".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property

from msgspec import Struct

from ecsctl.model.arn import last_part
from ecsctl.model.cluster import CapacityProviderStrategyItem
from ecsctl.model.loss import policy_of
from ecsctl.model.record import evolve
from ecsctl.model.service import Service
from ecsctl.model.stored import DeploymentRecord, ServiceRecord, Starter, TaskRecord, TaskSetRecord
from ecsctl.model.task import TaskStopCode
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.model.task_launch import PlacementStrategy
from ecsctl.placement.demand import Demand, demand_of
from ecsctl.placement.fleet import Fleet, Requirements, requirements
from ecsctl.placement.host import ZONE, Host
from ecsctl.placement.named_priority import parse_priority
from ecsctl.placement.preemption import Occupancy, Occupant
from ecsctl.placement.providers import shares
from ecsctl.scheduler.deployments import breaker_of
from ecsctl.scheduler.obstacle import cannot_place, obstacle_kind
from ecsctl.scheduler.rollout import FREE_STARTS, SETTLE, delay, limits
from ecsctl.scheduler.scale_in import stopping_order

UNHEALTHY = "Task failed container health checks"
SPREAD = (
    PlacementStrategy(type="spread", field=f"attribute:{ZONE}"),
    PlacementStrategy(type="spread", field="instanceId"),
)
"""Where a service's tasks go when it does not say: the emptiest zone, then the emptiest instance."""
NO_ROOM_TO_MOVE = (
    "was unable to stop or start tasks during a deployment because of the service deployment configuration. "
    "Update the minimumHealthyPercent or maximumPercent value and try again."
)
PROTECTED = (
    "was unable to reach steady state because task set ({}) was unable to scale in. "
    "Reason: The number of protected tasks are more than the desired count of tasks"
)


class Surroundings(Struct, frozen=True):
    """What a decision about a service depends on besides the service and its tasks.

    `hosts` are all of the cluster's, with what is free on them, `occupancy` the tasks there that might have to make
    room, `daemons` the groups of the cluster's daemons, where the service is one; `draw(n)` is in 0..n-1.
    """

    definitions: Mapping[str, TaskDefinition]
    hosts: Sequence[Host]
    now: datetime
    draw: Callable[[int], int]
    settle: timedelta = SETTLE
    occupancy: Occupancy | None = None
    daemons: frozenset[str] = frozenset()


class Launch(Struct, frozen=True):
    """A task to start, for what, and where; of which capacity provider, and who makes room for it."""

    starter: Starter
    definition: TaskDefinition
    demand: Demand
    host: Host
    provider: str | None = None
    victims: tuple[Occupant, ...] = ()


class Stop(Struct, frozen=True):
    """A task to stop, and why in ECS's words."""

    task: TaskRecord
    code: TaskStopCode
    reason: str


class Message(Struct, frozen=True):
    """What to tell of a service, or of one of its task sets (by id)."""

    text: str
    task_set: str | None = None

    def subject(self, service: str | None) -> str:
        """Whom it is about, in ECS's words."""
        return f"service {service}, taskSet {self.task_set}" if self.task_set else f"service {service}"


class ServiceStep(Struct, frozen=True):
    """The service as it is to be written, its tasks that start, stop, or changed in what is known of them, and what to
    tell."""

    record: ServiceRecord
    launches: tuple[Launch, ...] = ()
    stops: tuple[Stop, ...] = ()
    marked: tuple[TaskRecord, ...] = ()
    messages: tuple[Message, ...] = ()


def chain_of(service: Service) -> Sequence[PlacementStrategy]:
    """The strategies by which its tasks are spread or packed; of a priority what comes closest."""
    if service.priority is None:
        return service.placement_strategy or SPREAD
    availability = parse_priority(service.priority)
    packed = PlacementStrategy(type="binpack", field="memory")
    return SPREAD if availability == 1 else (SPREAD[0], packed) if availability else (packed,)


def asked_of_service(service: Service, definition: TaskDefinition) -> Requirements:
    """What the tasks of a service ask of where they go."""
    return requirements(
        demand_of(definition, None),
        f"service:{service.service_name}",
        chain_of(service),
        (*(definition.placement_constraints or ()), *(service.placement_constraints or ())),
        service.priority,
        service.preemption_priority,
    )


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
        self.starters = {starter.id: starter for starter in record.starters}
        self.hosts = {host.arn: host for host in around.hosts}
        self.marked: dict[str, TaskRecord] = {}
        self.launches: list[Launch] = []
        self.stops: list[Stop] = []
        self.messages: list[Message] = []

    @property
    def desired(self) -> int:
        return self.service.desired_count or 0

    @property
    def step(self) -> ServiceStep:
        """What has been decided."""
        return ServiceStep(
            self.record, tuple(self.launches), tuple(self.stops), tuple(self.marked.values()), tuple(self.messages)
        )

    # What happened

    def tally(self) -> None:
        """Account for the tasks that ended, and for those that have become healthy."""
        for task in self.unfinished:
            starter = self.starters.get(task.task.started_by or "")
            if starter is not None and not task.settled and self._is_healthy(task):
                self.marked[task.arn] = evolve(task, settled=True)
                starter.start_failures, starter.next_attempt_at = 0, None
                if self._resets() and starter is not self.before:
                    starter.failures = 0
        attempts: set[str] = set()
        running = {task.task.started_by for task in self.live if task.task.last_status == "RUNNING"}
        for task in self.over:
            self.marked[task.arn] = evolve(task, tallied=True)
            starter = self.starters.get(task.task.started_by or "")
            if starter is not None and (failed := self._failed(task)):
                if task.task.stop_code != "TaskFailedToStart" or starter.id not in running:
                    starter.failures += 1  # ECS: what does not start matters while none of them is RUNNING
                starter.updated_at = self.now
                # Tasks that were started together are one attempt, though they do not end at once.
                is_known = starter.failed_at is not None and (task.task.created_at or self.now) < starter.failed_at
                if failed == "start" and not is_known:
                    attempts.add(starter.id)
        for starter in (self.starters[name] for name in sorted(attempts)):
            self._throttle(starter)

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

    def _throttle(self, starter: Starter) -> None:
        starter.start_failures, starter.failed_at = starter.start_failures + 1, self.now
        seconds = delay(starter.start_failures, self.around.draw(1000) / 999)
        if seconds:
            starter.next_attempt_at = self.now + timedelta(seconds=seconds)
            self._say(
                "is unable to consistently start tasks successfully. The next attempt is at "
                f"{starter.next_attempt_at:%Y-%m-%dT%H:%M:%SZ}, later ones are further apart.",
                starter,
            )

    def _resets(self) -> bool:
        breaker = breaker_of(self.service)
        return breaker is None or breaker.reset_on_healthy_task is not False

    # As many tasks as there should be

    @cached_property
    def is_never_double(self) -> bool:
        """Whether there may never be more tasks than are desired, as far as anybody can know."""
        return policy_of(self.service.loss_policy, self.around.definitions.values()) == "never-double-run"

    def limits(self, desired: int, scheduling: str) -> tuple[int, int]:
        """How many tasks must stay healthy, and how many may be there."""
        lower, upper = limits(desired, self.service.deployment_configuration, scheduling)
        # Where none may be there twice, one has to go before another comes.
        return (min(lower, max(0, desired - 1)), min(upper, desired)) if self.is_never_double else (lower, upper)

    def level(self, starter: Starter, tasks: Sequence[TaskRecord], unfinished: int, desired: int) -> None:
        """Start what is missing, then stop what is not wanted, within minimumHealthyPercent and maximumPercent.

        `tasks` are those that are not to stop yet, `unfinished` counts with those that are. Whatever is not of
        `starter` is to go.
        """
        lower, upper = self.limits(desired, "REPLICA")
        keepers = [task for task in tasks if self._is_kept(task, starter)]
        leavers = [task for task in tasks if not self._is_kept(task, starter)]
        missing = max(0, desired - len(keepers))
        room = upper - unfinished
        lost = self._lost(lower)
        shored = self._start_before(lost, room) if self._is_own_first(desired) else 0
        started = self._start(starter, missing, room - shored)
        shored += self._start_before(lost - shored, room - shored - started)
        staying = list(tasks)
        if len(keepers) > desired:
            surplus = self._in_stopping_order(keepers)[: len(keepers) - desired]
            staying = [task for task in tasks if task not in surplus]
            self._stop(surplus)
        settled = min(desired, sum(self._counts(task) for task in keepers))
        excess = len(leavers) if self._may_all_go(leavers) else settled + len(leavers) - desired
        wanted_room = max(missing - started if self._may_start(starter) else 0, lost - shored)
        self._let_go(leavers, excess, staying, lower, wanted_room, self._ill_to_stop(desired))
        if sum(task.is_protected(self.now) for task in tasks) > desired:
            self._tell(starter, PROTECTED.format(starter.id.rpartition("/")[2]))
        if missing and not started + shored and leavers and lower >= desired >= upper:
            self._tell(starter, NO_ROOM_TO_MOVE)

    def _is_kept(self, task: TaskRecord, starter: Starter) -> bool:
        return task.task.started_by == starter.id and self._is_sound(task)

    @property
    def before(self) -> DeploymentRecord | None:
        """What was there before what is wanted now, while that is on its way: rolling deployments know."""
        return None

    def _lost(self, lower: int) -> int:
        """How many tasks are missing of what was there before, which are replaced by their own kind."""
        before = self.before
        if before is None or not self._may_start(before):
            return 0
        sound = [task for task in self.live if self._is_sound(task)]
        lost = max(0, lower - sum(map(self._is_relied_on, sound)))
        if before.keeps is None or self._is_in_trouble:
            return lost
        return max(0, min(lost, before.keeps - sum(task.task.started_by == before.id for task in sound)))

    def _is_own_first(self, desired: int) -> bool:
        """Whether those come before what is wanted now: that may be the cure where more fail than there were tasks."""
        return self.before is not None and self.before.failures < desired + FREE_STARTS

    @property
    def _is_in_trouble(self) -> bool:
        """Whether what is being rolled out cannot be relied on: rolling deployments know."""
        return False

    def _start_before(self, count: int, room: int) -> int:
        return self._start(self.before, count, room) if self.before else 0

    def _may_all_go(self, leavers: Sequence[TaskRecord]) -> bool:  # noqa: ARG002 rolling deployments do
        """Whether they need not wait for what replaces them."""
        return False

    def _let_go(
        self,
        leavers: Sequence[TaskRecord],
        replaced: int,
        tasks: Sequence[TaskRecord],
        lower: int,
        wanted_room: int = 0,
        ill: Counter[str] | None = None,
    ) -> None:
        """Stop as many tasks as others have replaced, or more where room is wanted; of `tasks` so many have to go on
        that count as healthy.

        What waits on a host that drains is stopped at once. `ill`: how many unhealthy ones may make room, by who
        started them.
        """
        spare = sum(map(self._counts, tasks)) - lower
        surety = sum(map(self._is_relied_on, tasks)) - lower
        chosen = [task for task in leavers if self._is_draining(task) and task.task.last_status != "RUNNING"]
        for task in self._in_stopping_order(task for task in leavers if task not in chosen):
            if len(chosen) >= max(replaced, wanted_room):
                break
            counts, relied_on = self._counts(task), self._is_relied_on(task)
            if (counts and spare <= 0) or (relied_on and surety <= 0):
                continue
            if ill is not None and self._is_unhealthy(task) and len(chosen) >= replaced:
                if ill[str(task.task.started_by)] <= 0:
                    continue
                ill[str(task.task.started_by)] -= 1
            spare, surety = spare - counts, surety - relied_on
            chosen.append(task)
        self._stop(chosen)
        self._keep_fewer(chosen)

    def _keep_fewer(self, gone: Sequence[TaskRecord]) -> None:
        """What others have taken the place of is not replaced any more."""
        before = self.before
        if before is not None and before.keeps is not None:
            mine = sum(task.task.started_by == before.id and self._is_sound(task) for task in gone)
            before.keeps = max(0, before.keeps - mine)

    def _ill_to_stop(self, desired: int) -> Counter[str]:
        """How many unhealthy tasks may stop before others have replaced them, by who started them: what each has beyond
        the desired tasks; else one, unless another is stopping or starting on a host that answers."""
        every = Counter(str(task.task.started_by) for task in self.live)
        in_flight = {launch.starter.id for launch in self.launches} | {
            str(task.task.started_by)
            for task in self.unfinished
            if self._is_within_reach(task)
            and (task.task.desired_status == "STOPPED" or (self._is_sound(task) and not self._counts(task)))
        }
        return Counter({starter: max(count - desired, starter not in in_flight) for starter, count in every.items()})

    def _is_within_reach(self, task: TaskRecord) -> bool:
        host = self.hosts.get(str(task.task.container_instance_arn))
        return host is not None and host.connected

    def _is_relied_on(self, task: TaskRecord) -> bool:
        """Whether it counts as healthy, or is on its way to."""
        return self._counts(task)

    # Starting and stopping

    def _may_start(self, starter: Starter) -> bool:
        if self.service.status != "ACTIVE":
            return False
        return starter.next_attempt_at is None or starter.next_attempt_at <= self.now

    def _start(self, starter: Starter, count: int, room: int) -> int:
        """Place up to `count` tasks; how many that were."""
        count = min(count, room)
        if count <= 0 or not self._may_start(starter):
            return 0
        if starter.start_failures >= FREE_STARTS:
            count = 1  # one attempt at a time while it fails
        definition = self.around.definitions.get(starter.task_definition_arn)
        if definition is None:
            return 0
        started = len(self.launches)
        for provider, share in shares(self._strategy(starter), self._provided(starter), count).items():
            asked = evolve(self._asked(definition), provider=provider)
            occupancy = self.around.occupancy
            if obstacle := self._place(starter, definition, asked, share, self.fleet, occupancy):
                self._tell(starter, obstacle)
        return len(self.launches) - started

    def _place(
        self,
        starter: Starter,
        definition: TaskDefinition,
        asked: Requirements,
        count: int,
        fleet: Fleet,
        occupancy: Occupancy | None = None,
    ) -> str | None:
        """Place up to `count` tasks of one capacity provider, or of none; what is in the way of more."""
        from ecsctl.placement.place import place_alike  # a quiet service places nothing

        for one in place_alike(fleet, asked, count, self.around.draw, occupancy):
            if one.host is None:
                return cannot_place(one.rejections)
            self.launches.append(Launch(starter, definition, asked.demand, one.host, one.provider, one.victims))
        return None

    def _strategy(self, starter: Starter | None) -> Sequence[CapacityProviderStrategyItem]:
        if isinstance(starter, TaskSetRecord):
            return starter.capacity_provider_strategy
        return self.service.capacity_provider_strategy or ()

    def _provided(self, starter: Starter) -> Mapping[str | None, int]:
        """How many tasks each capacity provider has of those that stay, with those that have been decided."""
        standing = Counter(task.task.capacity_provider_name for task in self.live if self._is_kept(task, starter))
        standing.update(launch.provider for launch in self.launches if launch.starter is starter)
        return standing

    @cached_property
    def fleet(self) -> Fleet:
        """The hosts, as they are with what has been decided."""
        return Fleet(self.around.hosts)

    def _asked(self, definition: TaskDefinition) -> Requirements:
        return asked_of_service(self.service, definition)

    def _stop(self, tasks: Iterable[TaskRecord]) -> None:
        for task in tasks:
            if self._is_unhealthy(task):
                self.stops.append(Stop(task, "ServiceSchedulerInitiated", UNHEALTHY))
                self._say(f"(task {last_part(task.arn)}) failed container health checks.", self._mover(task))
            else:
                reason = f"Scaling activity initiated by (deployment {self._mover(task).id})"
                self.stops.append(Stop(task, "ServiceSchedulerInitiated", reason))

    def _mover(self, task: TaskRecord) -> Starter:
        """On whose account a task is stopped."""
        raise NotImplementedError

    def _in_stopping_order(self, tasks: Iterable[TaskRecord]) -> list[TaskRecord]:
        """Which go first; protected ones never."""
        free = [task for task in tasks if not task.is_protected(self.now) or self._is_unhealthy(task)]
        starter = self.starters.get(str(free[0].task.started_by)) if free else None
        return stopping_order(free, self._serves, self.hosts, chain_of(self.service), self._strategy(starter))

    # What a task is

    def _serves(self, task: TaskRecord) -> bool:
        return task.task.last_status == "RUNNING" and not self._is_unhealthy(task)

    @cached_property
    def _checked(self) -> frozenset[str]:
        """The task definitions of which a container that counts has a health check."""
        return frozenset(
            arn
            for arn, definition in self.around.definitions.items()
            if any(c.has_health_check and c.essential is not False for c in definition.container_definitions or [])
        )

    def _is_healthy(self, task: TaskRecord) -> bool:
        """HEALTHY by its health checks; without any, RUNNING for a while."""
        if task.task.last_status != "RUNNING" or task.task.desired_status == "STOPPED":
            return False
        if str(task.task.task_definition_arn) in self._checked:
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

    def _is_sound(self, task: TaskRecord) -> bool:
        """Whether there is no reason to replace it by its like."""
        return not self._is_unhealthy(task) and not self._is_draining(task)

    def _is_there(self, starter: Starter, desired: int) -> bool:
        """Whether it has all its tasks, and each counts as healthy: one that ends at once has not come to stay."""
        mine = [task for task in self.unfinished if task.task.started_by == starter.id]
        good = [task for task in mine if self._counts(task)]
        return len(mine) == len(good) == desired and not any(self._is_draining(task) for task in mine)

    # What to tell

    def _say(self, text: str, starter: Starter) -> None:
        self.messages.append(Message(text, starter.id if isinstance(starter, TaskSetRecord) else None))

    def _tell(self, starter: Starter, obstacle: str) -> None:
        """Say what is in the way; not again while it stays the same, whatever the figures."""
        if obstacle_kind(starter.obstacle) != obstacle_kind(obstacle):
            starter.obstacle = obstacle
            self._say(obstacle, starter)

    def close(self, reached: bool) -> None:
        """Note whether the service has what was asked, and whether it is over."""
        steady = reached and not self.launches and not self.stops
        if steady and not self.record.steady and self.service.status == "ACTIVE":
            for starter in self.starters.values():
                starter.obstacle = ""
            self.messages.append(Message("has reached a steady state."))
        self.record.steady = steady
        if self.service.status == "DRAINING" and not self.unfinished:
            self.service.status, self.record.inactive_at = "INACTIVE", self.now
