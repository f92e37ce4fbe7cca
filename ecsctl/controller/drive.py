"""Driving one task: look, decide, record, act, and again until there is nothing to do now.

The order is the one that survives a kill at any instruction: the intent is committed before the call, the
answer is recorded only while the claim is ours, and what got no answer is left for the next look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from ecsctl.controller.claims import Claimant
from ecsctl.controller.clock import Clock
from ecsctl.controller.hands import PARALLEL, perform, together
from ecsctl.controller.look import Sight, closely, of_task
from ecsctl.engine.port import Engine, Observed
from ecsctl.model.arn import last_part
from ecsctl.model.errors import EngineTimeout, EngineUnreachable
from ecsctl.model.record import evolve
from ecsctl.model.stored import TaskRecord
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.scheduler.container_spec import Signature, create_body
from ecsctl.scheduler.decide import decide
from ecsctl.scheduler.observe import fold_outcomes, fold_seen
from ecsctl.scheduler.plan import Action, Outcome, Step
from ecsctl.store.store import Store, add_event
from ecsctl.store.tables import PORTS, TASK_DEFINITIONS, TASKS

POLL = (0.05, 0.5)
"""Seconds between looks while a dependency has to end or become healthy: the first, and the most."""


@dataclass(frozen=True)
class Limits:
    """How far to go now. `until` is in seconds since boot; `pull` and `wait`: may images be fetched, dependencies
    be waited for, here and now."""

    until: float | None = None
    pull: bool = True
    wait: bool = True


@dataclass
class Drive:
    """How it went. `unfinished`: there is more to do than the limits allowed. `trouble`: the host's silence."""

    arn: str
    unfinished: bool = False
    changed: bool = False
    trouble: str | None = None
    lines: list[str] = field(default_factory=list)


class Driver:
    """Drives a task whose containers are on one engine."""

    def __init__(self, store: Store, engine: Engine, claimant: Claimant, clock: Clock, signature: Signature) -> None:
        self._store = store
        self._engine = engine
        self._claimant = claimant
        self._clock = clock
        self._signature = signature

    def drive(self, arn: str, sight: Sight | None, limits: Limits) -> Drive:
        """Bring one task as far as the limits allow. Without a sight the task is taken to be new."""
        report = Drive(arn)
        try:
            self._drive(report, sight, limits)
        except (EngineUnreachable, EngineTimeout) as error:
            report.trouble, report.unfinished = str(error), True
            self._release(arn)
        return report

    def plan(self, arn: str, sight: Sight) -> list[str]:
        """What drive would do first, in words; nothing is done."""
        found = self._read(arn)
        if found is None or found[0].is_stopped or found[0].seq > sight.sequence:
            return []
        record, definition = found
        seen = of_task(sight, record, self._engine)
        step = decide(fold_seen(record, seen, self._clock.now(), complete=True), definition, self._clock.now())
        return _lines(step, definition)

    def _drive(self, report: Drive, sight: Sight | None, limits: Limits) -> None:
        seen: dict[str, Observed] | None = None
        outcomes: list[Outcome] = []
        pause = POLL[0]
        while found := self._read(report.arn):
            record, definition = found
            if record.is_stopped or not self._claimant.may_take(record):
                return
            if sight is not None:
                if record.seq > sight.sequence:
                    return  # changed since we looked: the listing proves nothing
                seen = of_task(sight, record, self._engine)
            step = self._decide(record, definition, seen, outcomes)
            actions = self._allowed(step, limits)
            wait = step.waiting and limits.wait and self._time_left(limits)
            if not self._record(report, record, definition, step, claim=bool(actions) or wait):
                continue  # somebody changed the task meanwhile: decide again on what it is now
            sight, seen, outcomes = None, None, []
            if actions:
                outcomes = self._act(step.record, definition, actions, limits)
                if any(outcome.result == "unknown" for outcome in outcomes):
                    self._give_up(report, outcomes)
                    return
                if any(action.op in ("start", "stop") for action in actions):
                    # Neither answer tells ports or exit codes.
                    known = fold_outcomes(step.record, outcomes, self._clock.now())
                    seen = closely(known, self._engine)
                pause = POLL[0]
            elif wait:
                self._clock.sleep(pause)
                pause = min(pause * 1.5, POLL[1])
                seen = closely(step.record, self._engine)
            else:
                report.unfinished = bool(step.actions) or step.waiting
                return

    def _read(self, arn: str) -> tuple[TaskRecord, TaskDefinition] | None:
        with self._store.read() as view:
            record = view.get(TASKS, arn)
            if record is None:
                return None
            definition = view.get(TASK_DEFINITIONS, str(record.task.task_definition_arn))
        return None if definition is None else (record, definition)

    def _decide(
        self,
        record: TaskRecord,
        definition: TaskDefinition,
        seen: dict[str, Observed] | None,
        outcomes: Sequence[Outcome],
    ) -> Step:
        now = self._clock.now()
        if outcomes:
            record = fold_outcomes(record, outcomes, now)
        if seen is not None:
            record = fold_seen(record, seen, now, complete=True)
        return decide(record, definition, now)

    def _allowed(self, step: Step, limits: Limits) -> list[Action]:
        if not self._time_left(limits):
            return []
        return [action for action in step.actions if limits.pull or action.op != "pull"]

    def _record(
        self, report: Drive, before: TaskRecord, definition: TaskDefinition, step: Step, *, claim: bool
    ) -> bool:
        """Commit the step, unless the task changed since it was read. What changes nothing is not written."""
        held = self._claimant.is_ours(before.claim)
        if not step.actions and not step.happenings and claim == held and _same(before, step.record):
            return True
        with self._store.write() as tx:
            current = tx.get(TASKS, report.arn)
            if current is None or current.seq != before.seq:
                return False
            record = step.record
            record.seq = tx.seq
            record.claim = self._claimant.claim() if claim else None
            tx.put(TASKS, record)
            for kind, message in step.happenings:
                add_event(tx, self._clock.now(), str(record.task.cluster_arn), record.arn, kind, message)
            if record.is_stopped:
                tx.delete(PORTS, task=record.arn)
        report.changed = report.changed or bool(step.actions or step.happenings)
        report.lines += _lines(step, definition)
        return True

    def _act(
        self, record: TaskRecord, definition: TaskDefinition, actions: Sequence[Action], limits: Limits
    ) -> list[Outcome]:
        def call(action: Action) -> Outcome:
            body = partial(create_body, record, definition, action.container, self._signature)
            return perform(self._engine, action, body, self._signature.key)

        left = None if limits.until is None else max(0.0, limits.until - self._clock.since_boot())
        answers = together([partial(call, action) for action in actions], PARALLEL, left)
        return [
            answer or Outcome(action.op, action.container, "unknown", "")
            for action, answer in zip(actions, answers, strict=True)
        ]

    def _give_up(self, report: Drive, outcomes: Sequence[Outcome]) -> None:
        """Record what is known, leave the rest for the next look, and let go of the task."""
        report.unfinished = True
        report.trouble = next((o.value for o in outcomes if o.result == "unknown" and o.value), None)
        with self._store.write() as tx:
            record = tx.get(TASKS, report.arn)
            if record is not None and self._claimant.is_ours(record.claim):
                record = fold_outcomes(record, outcomes, self._clock.now())
                tx.put(TASKS, evolve(record, seq=tx.seq, claim=None))

    def _release(self, arn: str) -> None:
        with self._store.write() as tx:
            record = tx.get(TASKS, arn)
            if record is not None and self._claimant.is_ours(record.claim):
                tx.put(TASKS, evolve(record, claim=None))

    def _time_left(self, limits: Limits) -> bool:
        return limits.until is None or self._clock.since_boot() < limits.until


def _same(one: TaskRecord, other: TaskRecord) -> bool:
    return evolve(one, claim=None) == evolve(other, claim=None)


def _lines(step: Step, definition: TaskDefinition) -> list[str]:
    task = f"task {last_part(step.record.arn)[:12]} ({definition.family}:{definition.revision})"
    said = [str(happening) for happening in step.happenings]
    return [f"{task} {what}" for what in said] + [f"{task}: {action}" for action in step.actions]
