"""Driving one task: look, decide, record, act, and again until there is nothing to do now.

The order is the one that survives a kill at any instruction: the intent is committed before the call, the
answer is recorded only while the claim is ours, and what got no answer is left for the next look.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ecsctl.controller import images
from ecsctl.controller.claims import Claimant
from ecsctl.controller.clock import Clock
from ecsctl.controller.hands import Calls, perform
from ecsctl.controller.keep_logs import keep_log
from ecsctl.controller.limits import POLL, Limits
from ecsctl.controller.look import Sight, closely, of_task
from ecsctl.controller.task_networks import TaskNetworks
from ecsctl.engine.port import CreateBody, Engine, Observed, PullProgress, RegistryLogin
from ecsctl.model.arn import last_part
from ecsctl.model.container_definition import ContainerDefinition
from ecsctl.model.errors import (
    EcsctlError,
    EngineError,
    EngineTimeout,
    EngineUnreachable,
    SecretUnavailable,
    VolumeUnavailable,
)
from ecsctl.model.file_system import Storage
from ecsctl.model.identity import PAUSE, PAUSE_IMAGE, Signature
from ecsctl.model.image import ImagePolicy
from ecsctl.model.record import evolve
from ecsctl.model.service import Service
from ecsctl.model.stored import Endpoint, TaskRecord
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.scheduler import firelens
from ecsctl.scheduler.container_spec import create_body, effective, is_confidential
from ecsctl.scheduler.decide import decide
from ecsctl.scheduler.namespaces import network_of
from ecsctl.scheduler.observe import fold_outcomes, fold_seen
from ecsctl.scheduler.plan import Action, Outcome, Step
from ecsctl.scheduler.volumes import provided, sockets_volume
from ecsctl.store.store import Store, add_event
from ecsctl.store.tables import PORTS, SERVICES, TASK_DEFINITIONS, TASKS

if TYPE_CHECKING:
    from ecsctl.controller.endpoints import Endpoints
    from ecsctl.controller.secrets import Secrets

UNLIMITED = (
    "ephemeralStorage: this engine cannot limit the size of a container; "
    'ephemeral_storage = "recorded" in the configuration runs it without a limit'
)
Call = tuple[Action, TaskRecord, TaskDefinition]


class Look(NamedTuple):
    """What was seen of a task's containers, and which of them were looked for."""

    seen: Mapping[str, Observed] = {}
    asked: Sequence[str] = ()


class Planned(NamedTuple):
    """What would be done first, in words, and the task as it would be then."""

    lines: list[str]
    record: TaskRecord


class Drive:
    """How it went. `unfinished`: there is more to do than the limits allowed. `trouble`: what is wrong with the host,
    `is_silent`: that it does not answer."""

    def __init__(self, arn: str) -> None:
        self.arn = arn
        self.unfinished = False
        self.changed = False
        self.trouble: str | None = None
        self.is_silent = False
        self.lines: list[str] = []


def put_off(arn: str, why: str) -> Drive:
    """Of a task that was not looked at, as its host has just not answered."""
    report = Drive(arn)
    report.unfinished, report.trouble = True, why
    return report


class Driver:
    """Drives a task whose containers are on one engine."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        claimant: Claimant,
        clock: Clock,
        signature: Signature,
        ending: Callable[[str], object],
        secrets: Callable[[], Secrets],
        storage: Storage,
        policy: ImagePolicy,
        pulling: Callable[[str, PullProgress | None], object],
        endpoints: Callable[[], Endpoints] | None,
        networks: TaskNetworks,
    ) -> None:
        """`ending` is told of a task (by ARN) as soon as it is to stop; `secrets` are asked for where one is needed,
        `endpoints` where a task may have one; `pulling` is told how far the pull of an image is, None when it is over.
        """
        self._store = store
        self._engine = engine
        self._claimant = claimant
        self._clock = clock
        self._signature = signature
        self._ending = ending
        self._secrets = secrets
        self._storage = storage
        self._policy = policy
        self._pulling = pulling
        self._endpoints = endpoints
        self._networks = networks

    def drive(self, arn: str, sight: Sight | None, limits: Limits) -> Drive:
        """Bring one task as far as the limits allow. Without a sight the task is taken to be new."""
        report = Drive(arn)
        calls, outcomes = Calls(self._call_in_time), list[Outcome]()
        try:
            try:
                self._drive(report, sight, limits, calls, outcomes)
            except EngineError as error:
                report.trouble, report.is_silent = str(error), isinstance(error, (EngineTimeout, EngineUnreachable))
                self._give_up(report, calls, outcomes, limits)
        except EcsctlError:  # the state cannot be used: others may work on the task when we have done
            calls.abandon()
            raise
        finally:
            self._claimant.done()
        return report

    def plan(self, arn: str, sight: Sight) -> Planned | None:
        """What drive would do first; nothing is done."""
        found = self._read(arn)
        if found is None or found[0].is_stopped or found[0].seq > sight.sequence:
            return None
        record, definition = found
        seen = of_task(sight, record, self._engine)
        names = [state.name for state in record.containers]
        now = self._clock.now()
        step = decide(fold_seen(record, seen, now, asked=names), definition, now)
        return Planned(lines_of(step, definition), step.record)

    def _drive(
        self, report: Drive, sight: Sight | None, limits: Limits, calls: Calls[Call], outcomes: list[Outcome]
    ) -> None:
        """`outcomes` are those that are not recorded yet."""
        look = Look()
        pause = POLL[0]
        run = sight.endpoint if sight else None
        while found := self._read(report.arn):
            record, definition = found
            if record.is_stopped or not self._claimant.may_take(record):
                return
            if sight is not None:
                if record.seq > sight.sequence:
                    return  # changed since we looked: the listing proves nothing
                look = Look(of_task(sight, record, self._engine), [state.name for state in record.containers])
            step = self._decide(record, definition, look, outcomes, calls.busy)
            actions = self._allowed(step, limits)
            wait = step.waiting and limits.wait and self._time_left(limits)
            if not self._record(report, record, definition, step, claim=bool(actions or calls.busy) or wait):
                continue  # somebody changed the task meanwhile: decide again on what it is now
            sight, look = None, Look()
            outcomes.clear()
            calls.add([(action, step.record, definition) for action in actions])
            run = self._publish(report, step, definition, run, busy=bool(calls.busy))
            if calls.busy:
                outcomes += self._answers(calls, limits)
                if not outcomes or any(outcome.result in ("unknown", "unsent") for outcome in outcomes):
                    self._give_up(report, calls, outcomes, limits)
                    return
                # Neither a start's answer nor a stop's tells ports or exit codes.
                changed = [outcome.container for outcome in outcomes if outcome.op in ("start", "stop")]
                known = fold_outcomes(step.record, outcomes, self._clock.now())
                look = Look(closely(known, self._engine, changed), changed)
                pause = POLL[0]
            elif wait:
                self._clock.sleep(pause)
                pause = min(pause * 1.5, POLL[1])
                names = [state.name for state in step.record.containers if state.stage not in ("none", "fenced")]
                look = Look(closely(step.record, self._engine, names), names)
            else:
                report.unfinished = bool(step.actions) or step.waiting
                return

    def _read(self, arn: str) -> tuple[TaskRecord, TaskDefinition] | None:
        with self._store.read() as view:
            record = view.get(TASKS, arn)
            if record is None:
                return None
            definition = view.get(TASK_DEFINITIONS, str(record.task.task_definition_arn))
            if record.endpoint is None and self._endpoints is None:
                record = evolve(record, endpoint=Endpoint(offered=False))
            if record.waits_for:
                there = [arn for arn in record.waits_for if (other := view.get(TASKS, arn)) and not other.is_stopped]
                record = evolve(record, waits_for=there)
            return None if definition is None else (images.settle(view, record, definition, self._policy), definition)

    def _decide(
        self,
        record: TaskRecord,
        definition: TaskDefinition,
        look: Look,
        outcomes: Sequence[Outcome],
        busy: Collection[str],
    ) -> Step:
        now = self._clock.now()
        if outcomes:
            record = fold_outcomes(record, outcomes, now)
        if look.asked:
            record = fold_seen(record, look.seen, now, asked=look.asked)
        return decide(images.resolve(self._store, self._engine, record, now), definition, now, busy)

    def _publish(
        self, report: Drive, step: Step, definition: TaskDefinition, run: str | None, *, busy: bool
    ) -> str | None:
        """Let the endpoint know what there is to say of the task; which one knows it, as far as that is known.

        Of a new task it learns while the first container starts; of one that comes to rest, when it has.
        """
        endpoint = step.record.endpoint
        if self._endpoints is None or endpoint is None or not endpoint.offered:
            return run
        begins = not endpoint.run and any(action.op == "start" for action in step.actions)
        ends = any(action.op in ("rename", "remove") for action in step.actions)
        if busy and not begins and not ends:
            return run
        try:
            changed = self._endpoints().publish(self._engine, step.record, definition, self._signature.key, run)
        except (SecretUnavailable, EngineError) as error:
            report.lines.append(f"{name_of(step.record, definition)}: the endpoint is not up to date: {error}")
            return run
        if changed is None:
            return run
        with self._store.write() as tx:
            current = tx.get(TASKS, report.arn)
            if current is not None and current.endpoint is not None:
                tx.put(TASKS, evolve(current, endpoint=changed))
        return changed.run or run

    def _allowed(self, step: Step, limits: Limits) -> list[Action]:
        if not self._time_left(limits):
            return []
        # What is loaded needs no registry, and takes no time.
        return [a for a in step.actions if limits.pull or a.op != "pull" or a.target == PAUSE_IMAGE]

    def _record(
        self, report: Drive, before: TaskRecord, definition: TaskDefinition, step: Step, *, claim: bool
    ) -> bool:
        """Commit the step, unless the task changed since it was read. What changes nothing is not written."""
        held = self._claimant.is_ours(before.claim)
        if not step.actions and not step.happenings and claim == held and _same(before, step.record):
            return True
        with self._store.write() as tx:
            current = tx.get(TASKS, report.arn)
            if current is None or current.seq != before.seq or not images.agree(tx, step.record, definition):
                return False
            record = step.record
            if record.endpoint and not _same(before, record):
                record.endpoint = evolve(record.endpoint, digest="")  # it is not up to date any more
            record.seq = tx.seq
            record.claim = self._claimant.claim() if claim else None
            tx.put(TASKS, record)
            for kind, message in step.happenings:
                add_event(tx, self._clock.now(), str(record.task.cluster_arn), record.arn, kind, message)
            if record.is_stopped:
                tx.delete(PORTS, task=record.arn)
        if record.task.desired_status != before.task.desired_status:
            self._ending(report.arn)
        if record.is_stopped:
            self._keep_logs(record, definition)
        report.changed = report.changed or bool(step.actions or step.happenings)
        report.lines += lines_of(step, definition)
        return True

    def _keep_logs(self, record: TaskRecord, definition: TaskDefinition) -> None:
        """What cannot be kept now is tried again before the containers are removed."""
        for state in record.containers:
            if state.engine_id and state.started_at:
                with suppress(EcsctlError):
                    keep_log(self._store, self._engine, record, definition, state.name, state.engine_id)

    def _call_in_time(self, task: Call) -> Outcome:
        """Make a call, unless this process was held up for so long that others may work on the task."""
        action = task[0]
        return self._call(task) if self._claimant.may_act() else Outcome(action.op, action.container, "unsent")

    def _call(self, task: Call) -> Outcome:
        action, record, definition = task
        container = effective(record, definition, action.container)

        def body() -> CreateBody:
            for name in provided(definition, container):
                if not self._engine.has_volume(name):
                    raise VolumeUnavailable(f"there is no volume {name} on the host, and autoprovision is not on")
            socket = self._socket(record, definition) if firelens.uses_router(container) else ""
            service = self._service_of(record)
            made = create_body(record, definition, action.container, self._signature, self._storage, socket, service)
            return self._secrets().of_container(container).added_to(made) if is_confidential(container) else made

        def login() -> RegistryLogin | None:
            return self._secrets().login(container) if container.repository_credentials else None

        def fetch(image: str) -> None:
            instance = str(record.task.container_instance_arn)
            try:
                images.pull(self._store, self._engine, self._clock, instance, image, partial(self._fetch, image, login))
            finally:
                self._pulling(image, None)

        def offer() -> str:
            return self._endpoints().offer(self._engine, record, definition) if self._endpoints else ""

        def prepare() -> None:
            # Each time: whoever created it may not have come to this.
            if container.firelens_configuration and (router := firelens.router_of(definition)):
                self._configure(action.target, record, definition, router)
            self._networks.join(action.target, record, definition, action.container)
            if action.container == PAUSE and network_of(record) and record.endpoint and record.endpoint.offered:
                from ecsctl.controller.endpoint_container import join

                join(self._engine, action.target)

        network = partial(self._networks.carry_out, action, record)
        outcome = perform(self._engine, action, body, self._signature.key, fetch, offer, prepare, network)
        if outcome.result == "refused" and "storage-opt" in outcome.value:
            outcome = outcome._replace(value=f"{UNLIMITED}: {outcome.value}")
        if outcome.result == "refused" and is_confidential(container):
            outcome = outcome._replace(value=self._redacted(container, outcome.value))
        return outcome

    def _redacted(self, container: ContainerDefinition, said: str) -> str:
        """The words of an engine, which may repeat what it was given."""
        try:
            return self._secrets().of_container(container).redact(said)
        except SecretUnavailable:
            return "the engine refused it; its words are left out, as they may have secrets in them"

    def _fetch(self, image: str, login: Callable[[], RegistryLogin | None]) -> None:
        """Pull an image; the one that is made here is loaded."""
        if image != PAUSE_IMAGE:
            self._pulling(image, PullProgress())
            self._engine.pull(image, login(), partial(self._pulling, image))
            return
        from ecsctl.engine.pause_image import pause_image  # once on each host

        self._engine.load([pause_image(self._engine.info().architecture)])

    def _socket(self, record: TaskRecord, definition: TaskDefinition) -> str:
        """Where on the host the log router of a task listens: the engine itself connects to it."""
        return f"{self._engine.create_volume(sockets_volume(record, definition), None, {}, {})}/fluent.sock"

    def _configure(
        self, container_id: str, record: TaskRecord, definition: TaskDefinition, router: firelens.Router
    ) -> None:
        """Put the configuration of a task's log router into its container."""
        from ecsctl.engine.archive import tar_of  # few tasks have one

        external = self._secrets().of_bucket(router.s3_object) if router.s3_object else None
        made = firelens.files(record, definition, router, external)
        if router.is_read_only:  # a volume is mounted there
            self._engine.put_archive(container_id, router.directory, tar_of(made))
        else:
            files = {f"{router.directory[1:]}/{name}": content for name, content in made.items()}
            self._engine.put_archive(container_id, "/", tar_of(files))

    def _service_of(self, record: TaskRecord) -> Service | None:
        if record.service is None:
            return None
        with self._store.read() as view:
            found = view.get(SERVICES, record.service)
        return found.service if found else None

    def _give_up(self, report: Drive, calls: Calls[Call], outcomes: list[Outcome], limits: Limits) -> None:
        """Record what is known, leave the rest for the next look, and let go of the task."""
        outcomes += calls.drop()
        while calls.busy and (more := self._answers(calls, limits)):
            outcomes += more
        report.unfinished = True
        silent = (o.value for o in outcomes if o.result in ("unknown", "unsent") and o.value)
        if (why := next(silent, None)) is not None:
            report.trouble, report.is_silent = report.trouble or why, True
        with self._store.write() as tx:
            record = tx.get(TASKS, report.arn)
            if record is not None and self._claimant.is_ours(record.claim):
                record = fold_outcomes(record, outcomes, self._clock.now())
                tx.put(TASKS, evolve(record, seq=tx.seq, claim=None))

    def _answers(self, calls: Calls[Call], limits: Limits) -> list[Outcome]:
        return calls.answers(None if calls.is_starting else self._seconds_left(limits))

    def _time_left(self, limits: Limits) -> bool:
        return limits.until is None or self._clock.since_boot() < limits.until

    def _seconds_left(self, limits: Limits) -> float | None:
        return None if limits.until is None else max(0.0, limits.until - self._clock.since_boot())


def _same(one: TaskRecord, other: TaskRecord) -> bool:
    return evolve(one, claim=None) == evolve(other, claim=None)


def lines_of(step: Step, definition: TaskDefinition) -> list[str]:
    """A step in words."""
    task = name_of(step.record, definition)
    said = [str(happening) for happening in step.happenings]
    return [f"{task} {what}" for what in said] + [f"{task}: {action}" for action in step.actions]


def name_of(record: TaskRecord, definition: TaskDefinition) -> str:
    """What a line for people calls a task."""
    return f"task {last_part(record.arn)[:12]} ({definition.family}:{definition.revision})"
