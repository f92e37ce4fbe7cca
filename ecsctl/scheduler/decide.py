"""The task state machine: what one task needs now. Pure; same input, same step.

Source: ECS developer guide, "Amazon ECS task lifecycle", "Container dependency" and "Stopped tasks error codes".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from ecsctl.model import identity
from ecsctl.model.container_definition import ContainerDefinition, PortMapping
from ecsctl.model.record import evolve
from ecsctl.model.stored import ContainerState, Endpoint, Intent, Operation, TaskRecord
from ecsctl.model.task import HealthStatus, ManagedAgent, NetworkBinding, TaskStopCode
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.placement.port_ranges import firsts_of, ports_of
from ecsctl.scheduler.container_spec import effective, stop_timeout
from ecsctl.scheduler.discovery import names_of
from ecsctl.scheduler.firelens import router_of, uses_router
from ecsctl.scheduler.images import is_another
from ecsctl.scheduler.metadata import has_endpoint
from ecsctl.scheduler.namespaces import attachments, interfaces, network_of
from ecsctl.scheduler.observe import copy_of
from ecsctl.scheduler.plan import Action, Happening, Step
from ecsctl.scheduler.restart import has_restart_policy, is_restarted
from ecsctl.scheduler.volumes import attachment

ORDER = (
    "PROVISIONING",
    "PENDING",
    "ACTIVATING",
    "RUNNING",
    "DEACTIVATING",
    "STOPPING",
    "DEPROVISIONING",
    "STOPPED",
)
STOP_GRACE = timedelta(seconds=5)
"""How long after its time-out a stop that got no answer may still be under way."""
NAMING_PAUSE = timedelta(minutes=1)
"""After which names are given or taken again where the engine would not."""
MAX_STOPS = 5
"""A stop that got no answer this often is followed by a forced removal."""


def decide(record: TaskRecord, definition: TaskDefinition, now: datetime, busy: Collection[str] = ()) -> Step:
    """The next step of a task. A STOPPED task needs none.

    `busy`: containers that a call is being made for; nothing more is asked of them before it is answered.
    """
    if record.is_stopped:
        return Step(record)
    work = _Work(copy_of(record), definition, now, busy)
    work.judge()
    if work.task.desired_status == "STOPPED":
        work.bring_down()
    else:
        work.bring_up()
    work.publish()
    return Step(work.record, tuple(work.actions), tuple(work.happenings), work.waiting and not work.actions)


def hear_of_end(record: TaskRecord, definition: TaskDefinition, container_id: str, now: datetime) -> Step:
    """What it means for a task that its engine tells of the end of a container, by the engine's id.

    When that ends the task, it is to stop. How the container ended is for the next look to find out.
    """
    work = _Work(copy_of(record), definition, now, ())
    for state in record.containers:
        # With a restart policy it may come back: how it ended decides.
        may_come_back = has_restart_policy(work.containers[state.name])
        if state.engine_id == container_id and state.stage == "started" and not may_come_back:
            work.note_end(state.name)
    return Step(work.record, happenings=tuple(work.happenings))


def request_stop(record: TaskRecord, code: TaskStopCode, reason: str, now: datetime) -> TaskRecord:
    """The record of a task that is to stop. The first cause stays."""
    if record.task.desired_status == "STOPPED":
        return record
    record = copy_of(record)
    record.task.desired_status = "STOPPED"
    record.task.stop_code = code
    record.task.stopped_reason = reason
    record.task.stopping_at = now
    return record


class _Work:
    """One decision in the making."""

    def __init__(self, record: TaskRecord, definition: TaskDefinition, now: datetime, busy: Collection[str]) -> None:
        self.record = record
        self.busy = busy
        self.task = record.task
        self.definition = definition
        self.now = now
        self.states = {state.name: state for state in record.containers}
        self.containers: dict[str, ContainerDefinition] = {
            state.name: effective(record, definition, state.name) for state in record.containers
        }
        self.actions: list[Action] = []
        self.happenings: list[Happening] = []
        self.waiting = False

    # What has to end

    def judge(self) -> None:
        """Whether the task can go on; if not, it is to stop from here on."""
        if self.task.desired_status == "STOPPED":
            return
        for _ in self.states:  # a failure may fail what depends on it, and so on
            for state in self.states.values():
                if state.stage in ("none", "created") and not state.failed and (why := self._hopeless(state.name)):
                    state.failed, state.reason, state.intent = True, why, None
        for state in self.states.values():
            if state.stage in ("exited", "fenced"):
                if not self._comes_back(state):
                    self.note_end(state.name)
            elif state.failed and self.containers[state.name].essential is not False:
                self._stop("TaskFailedToStart", str(state.reason))

    def _comes_back(self, state: ContainerState) -> bool:
        """Whether a container that has ended is to be started again, by its restart policy, while its task goes on."""
        return self.task.desired_status == "RUNNING" and is_restarted(self.containers[state.name], state)

    def note_end(self, name: str) -> None:
        """A container has ended for good; if it is essential, so does its task."""
        if self.containers[name].essential is not False:
            self._stop("EssentialContainerExited", "Essential container in task exited")

    def _stop(self, code: TaskStopCode, reason: str) -> None:
        if self.task.desired_status == "STOPPED":
            return
        self.task.desired_status = "STOPPED"
        self.task.stop_code = code
        self.task.stopped_reason = reason
        self.task.stopping_at = self.now
        self._note("TaskToStop", f"{code}: {reason}")

    def _hopeless(self, name: str) -> str | None:
        """Why a container that waits can never start (ECS API_ContainerDependency); None while it may."""
        for dependency in self.containers[name].depends_on or []:
            other = self.states[dependency.container_name]
            condition = dependency.condition
            said = f"Task failed to start: container {name} depends on {other.name} ({condition}), which "
            if other.failed:
                return f"{said}failed: {other.reason}"
            ended = other.stage in ("exited", "fenced") and not self._comes_back(other)
            if condition == "SUCCESS" and ended and other.exit_code != 0:
                return f"{said}{_ending(other)}"
            if condition == "HEALTHY" and ended:
                return f"{said}{_ending(other)} before it was healthy"
            if condition == "HEALTHY" and other.health == "unhealthy":
                return f"{said}is unhealthy"
            limit = self.containers[other.name].start_timeout
            late = limit and other.started_at and self.now - other.started_at >= timedelta(seconds=limit)
            if late and not self._met(condition, other):
                return f"{said}did not get there within its startTimeout of {limit} s"
        return None

    @staticmethod
    def _met(condition: str, other: ContainerState) -> bool:
        ended = other.stage in ("exited", "fenced")
        if condition == "START":
            return ended or other.stage == "started"
        if condition == "COMPLETE":
            return ended
        if condition == "SUCCESS":
            return ended and other.exit_code == 0
        return other.stage == "started" and other.health == "healthy"

    # Upwards

    def bring_up(self) -> None:
        """Create every container, then start each as soon as what it depends on allows."""
        if self.record.waits_for:  # its room is not free yet
            self.waiting = True
            return
        if self.record.endpoint is None and self._awaits_endpoint():
            return
        for state in self.states.values():
            if state.failed:
                continue
            if state.intent and state.intent.op == "remove":
                why = "its deployment has another image" if is_another(state) else "the engine could not start it"
                self._act(state, "remove", state.engine_name, f"{why}; made anew")
            elif state.intent and state.intent.op == "network":
                self._network(state)
            elif state.stage == "none":
                self._make(state)
            elif state.stage == "created":
                self._start(state)
            elif self._comes_back(state):
                self._restart(state)
            elif state.stage == "started":
                self._keep_names(state)
        missing = [state for state in self.states.values() if state.stage == "none" and not state.failed]
        begun = [state.stage in ("started", "exited", "fenced") or state.failed for state in self.states.values()]
        self._advance("RUNNING" if all(begun) else "PENDING" if missing else "ACTIVATING")

    def _awaits_endpoint(self) -> bool:
        """Whether it is to be found out first what answers the task on its host: its containers are told at birth."""
        if not has_endpoint(self.definition) or any(state.stage != "none" for state in self.states.values()):
            self.record.endpoint = Endpoint(offered=False)
            return False
        state = next(s for s in self.states.values() if self.containers[s.name].essential is not False)
        if not state.failed:
            self._act(state, "endpoint", identity.ENDPOINT_NAME, "it is told where to ask about itself")
        return True

    def _make(self, state: ContainerState) -> None:
        container = self.containers[state.name]
        needed = {str(source.source_container) for source in container.volumes_from or []}
        needed |= {link.partition(":")[0] for link in container.links or []}
        needed |= self._owner_of_namespaces(state)
        if any(self.states[name].stage == "none" for name in needed):
            return
        if self._waits_for_router(container):
            self.waiting = True
            return
        is_missing = state.intent is not None and state.intent.op == "pull" and state.pull == "missing"
        if is_missing or (state.pull != "missing" and not state.pulled and state.pull_failed is None):
            if self._is_being_pulled(container):
                return  # one pull serves all containers of that image
            self.task.pull_started_at = self.task.pull_started_at or self.now
            why = "is not on the host" if is_missing else "may be newer in its registry"
            self._act(state, "pull", str(container.image), f"image {container.image} {why}")
        else:
            self._act(state, "create", state.engine_name, "the task is to run")

    def _waits_for_router(self, container: ContainerDefinition) -> bool:
        """Whether it is told, as it is created, where the task's log router is, which has not started yet."""
        router = router_of(self.definition) if uses_router(container) else None
        if router is None or router.name == container.name:
            return False
        needs = any(dependency.container_name == router.name for dependency in container.depends_on or [])
        return needs and not self._met("START", self.states[router.name])

    def _is_being_pulled(self, container: ContainerDefinition) -> bool:
        pulling = {action.container for action in self.actions if action.op == "pull"}
        pulling |= {s.name for s in self.states.values() if s.name in self.busy and s.intent and s.intent.op == "pull"}
        return any(self.containers[name].image == container.image for name in pulling - {container.name})

    def _start(self, state: ContainerState) -> None:
        depends_on = self.containers[state.name].depends_on or []
        linked = [link.partition(":")[0] for link in self.containers[state.name].links or []]
        if (
            all(self._met(d.condition, self.states[d.container_name]) for d in depends_on)
            and all(self.states[name].stage != "created" for name in linked)
            and all(self.states[name].stage == "started" for name in self._owner_of_namespaces(state))
        ):
            self._act(state, "start", str(state.engine_id), "what it depends on is there" if depends_on else "created")
        else:
            self.waiting = True

    def _restart(self, state: ContainerState) -> None:
        if state.intent is None:
            self._note("ContainerRestarted", f"container {state.name} {_ending(state)}")
        self._act(state, "start", str(state.engine_id), f"it {_ending(state)}; its restart policy")

    def _network(self, state: ContainerState) -> None:
        subnet = network_of(self.record) if state.name == identity.PAUSE else None
        if subnet is None and self.record.discovery is not None:
            self._act(state, "network", f"of {self.record.discovery.namespace}", "the host has none of its namespace")
        else:
            self._act(state, "network", str(subnet), "the host has no network of its subnet's name")

    def _keep_names(self, state: ContainerState) -> None:
        """Others find what is not UNHEALTHY."""
        is_sick = self._task_health() == "UNHEALTHY"
        is_open = state.intent is not None and state.intent.op in ("name", "unname")  # it may be in neither state
        if (state.nameless == is_sick and not is_open) or not names_of(self.record, state.name):
            return
        op: Operation = "unname" if is_sick else "name"
        if state.intent and state.intent.op == op and timedelta() <= self.now - state.intent.at < NAMING_PAUSE:
            return  # the engine refused it a moment ago
        self._act(state, op, str(state.engine_id), "the task is UNHEALTHY" if is_sick else "the task is well again")

    def _owner_of_namespaces(self, state: ContainerState) -> set[str]:
        return {identity.PAUSE} & self.states.keys() - {state.name}

    # Downwards

    def bring_down(self) -> None:
        """Stop in reverse dependency order, then take every name away from whatever may still want it."""
        running = [state for state in self.states.values() if state.stage == "started"]
        for state in running:
            if not any(self._needs(other.name, state.name) for other in running):
                self._end(state)
        for state in self.states.values():
            if state.stage == "none" and (state.intent is None or state.intent.op == "endpoint"):
                state.stage = "fenced"  # nothing was ever asked of the engine
            elif state.stage in ("none", "created"):
                self._act(state, "remove", state.engine_name, "it never ran")
            elif state.stage == "exited" and state.engine_id is None:
                self._act(state, "remove", state.engine_name, "it is gone; nothing may come up under its name")
            elif state.stage == "exited" and (
                state.late_start or (state.intent and state.intent.op in ("start", "remove"))
            ):
                self._act(state, "remove", state.engine_name, "it may be about to start again")
            elif state.stage == "exited":
                new = identity.dead_name(state.engine_name)
                self._act(state, "rename", str(state.engine_id), "it has ended; kept for its logs", new_name=new)
        if running:
            self._advance("STOPPING")
            return
        self.task.execution_stopped_at = self.task.execution_stopped_at or self.now
        if all(state.stage == "fenced" for state in self.states.values()):
            self.task.stopped_at = self.now
            self._advance("STOPPED")
        else:
            self._advance("DEPROVISIONING")

    def _needs(self, name: str, other: str) -> bool:
        if other == identity.PAUSE and name != other:
            return True
        return any(d.container_name == other for d in self.containers[name].depends_on or [])

    def _end(self, state: ContainerState) -> None:
        why = self.task.stopped_reason or "the task is to stop"
        timeout = stop_timeout(self.containers[state.name])
        sent = state.intent.at if state.intent and state.intent.op == "stop" else None
        if sent and timedelta() <= self.now - sent < timedelta(seconds=timeout) + STOP_GRACE:
            self.waiting = (
                True  # the engine is at it, whoever asked: a second signal may cut short what the first began
            )
        elif state.stops >= MAX_STOPS:
            state.reason = state.reason or "CannotStopContainerError: it did not stop; it was removed"
            self._act(state, "remove", state.engine_name, "it did not stop")
        else:
            self._act(state, "stop", str(state.engine_id), why, timeout=timeout)

    # Writing down

    def _act(
        self, state: ContainerState, op: Operation, target: str, cause: str, timeout: int = 0, new_name: str = ""
    ) -> None:
        if state.name in self.busy:
            return
        state.starts += op == "start"
        state.stops += op == "stop"
        tries = state.intent.tries + 1 if state.intent and state.intent.op == op else 1
        state.intent = Intent(op=op, at=self.now, tries=tries)
        self.actions.append(Action(op, state.name, target, cause, timeout, new_name))

    def _advance(self, status: str) -> None:
        before = self.task.last_status or ORDER[0]
        if ORDER.index(status) <= ORDER.index(before):
            return
        self.task.last_status = status
        if status == "RUNNING":
            self.task.started_at = self.now
        self._note(f"Task{status.title()}", self.task.stopped_reason or "")

    def _note(self, kind: str, message: str) -> None:
        self.task.version = (self.task.version or 0) + 1  # ECS: with every change that sends an event
        self.happenings.append(Happening(kind, message))

    def publish(self) -> None:
        """The ECS shape of what is known."""
        pause = self.states.get(identity.PAUSE)
        shared = interfaces(self.record)
        if pause is not None:
            others = [one for one in self.task.attachments or [] if one.type != "ElasticNetworkInterface"]
            self.task.attachments = [*attachments(self.record), *others]
        if (volume := attachment(self.record, self.definition)) is not None:
            others = [one for one in self.task.attachments or [] if one.type != volume.type]
            self.task.attachments = [*others, volume]
        self.task.containers = [
            evolve(
                shape,
                last_status="RUNNING" if self._comes_back(state) else _status(state),
                exit_code=None if self._comes_back(state) else state.exit_code,
                reason=state.reason,
                runtime_id=state.engine_id or shape.runtime_id,
                image_digest=state.image_digest or None,
                network_bindings=self._bindings(state),
                network_interfaces=[] if self.containers[state.name].disable_networking else shared,
                health_status=self._health(state),
                managed_agents=_agents(state) if self.task.enable_execute_command else None,
            )
            for shape in self.task.containers or []
            for state in [self.states[str(shape.name)]]
        ]
        self.task.health_status = self._task_health()

    def _bindings(self, state: ContainerState) -> list[NetworkBinding]:
        """The container's own, and of those of the task's network interface the ones of its ports; ranges as such."""
        pause = self.states.get(identity.PAUSE)
        container = self.containers[state.name]
        mappings = container.port_mappings or []
        ports = {(port, mapping.protocol or "tcp") for mapping in mappings for port in ports_of(mapping)}
        lent = pause.bindings if pause else []
        found = [*state.bindings, *(b for b in lent if (b.container_port, b.protocol) in ports)]
        for mapping, first in firsts_of(self.definition, container, self.record.port_rows):
            found = _in_a_row(found, mapping, first)
        return found

    def _health(self, state: ContainerState) -> HealthStatus:
        if not self.containers[state.name].has_health_check or state.stage != "started":
            return "UNKNOWN"
        return "HEALTHY" if state.health == "healthy" else "UNHEALTHY" if state.health == "unhealthy" else "UNKNOWN"

    def _task_health(self) -> HealthStatus:
        """Of the essential containers with a health check: UNHEALTHY before UNKNOWN before HEALTHY."""
        seen = list(self._essential_health())
        if "UNHEALTHY" in seen:
            return "UNHEALTHY"
        return "HEALTHY" if seen and all(health == "HEALTHY" for health in seen) else "UNKNOWN"

    def _essential_health(self) -> Iterator[HealthStatus]:
        for name, container in self.containers.items():
            if container.essential is not False and container.has_health_check:
                yield self._health(self.states[name])


def _in_a_row(found: list[NetworkBinding], mapping: PortMapping, first: int) -> list[NetworkBinding]:
    """Network bindings with those of a port range as one, once the engine has published them."""
    wanted = dict(enumerate(ports_of(mapping), first))
    protocol = mapping.protocol or "tcp"
    of_range = [b for b in found if wanted.get(b.host_port or 0) == b.container_port and b.protocol == protocol]
    if len(of_range) != len(wanted):
        return found
    one = NetworkBinding(
        bind_ip=of_range[0].bind_ip,
        container_port_range=mapping.container_port_range,
        host_port_range=f"{first}-{first + len(wanted) - 1}",
        protocol=protocol,
    )
    return [*(binding for binding in found if binding not in of_range), one]


def _status(state: ContainerState) -> str:
    if state.failed or state.stage in ("exited", "fenced"):
        return "STOPPED"
    return "RUNNING" if state.stage == "started" else "PENDING"


def _agents(state: ContainerState) -> list[ManagedAgent]:
    """What clients of ExecuteCommand wait for; here no agent has to come up first."""
    status = _status(state)
    started = state.started_at if status == "RUNNING" else None
    return [ManagedAgent(name="ExecuteCommandAgent", last_status=status, last_started_at=started)]


def _ending(state: ContainerState) -> str:
    return "ended without an exit code" if state.exit_code is None else f"exited with code {state.exit_code}"
