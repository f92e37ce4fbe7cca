"""Schedules: decide which are due, and write down their tasks and when they are due again in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ecsctl.controller.chance import Chance
from ecsctl.controller.hosts import hosts_of
from ecsctl.controller.new_tasks import Wish, put_task
from ecsctl.controller.room import occupancy_of
from ecsctl.controller.services import Advance
from ecsctl.controller.wishes import asked_of, wish
from ecsctl.model.arn import Scope, parse_arn
from ecsctl.model.errors import ApiError
from ecsctl.model.record import evolve
from ecsctl.model.schedule_record import ScheduleRecord
from ecsctl.placement.demand import demand_of
from ecsctl.scheduler.schedules import ScheduleStep, Surroundings, Wanted, decide_schedule
from ecsctl.store.schedule_table import SCHEDULES
from ecsctl.store.store import Store, Transaction, View, add_event


def run_due(
    store: Store, clusters: Iterable[str], now: datetime, chance: Chance, *, dry_run: bool = False
) -> list[Advance]:
    """Start the tasks of these clusters' schedules that are due, as far as recording them; a quiet one costs no write.

    A run and that it was started are one transaction: it is neither lost nor done twice, whoever else looks or dies.
    """
    with store.read() as view:
        due = [s.arn for cluster in clusters for s in view.find(SCHEDULES, cluster=cluster) if s.is_due(now)]
    return [_advance(store, arn, now, chance, dry_run=dry_run) for arn in due]


def wish_of(view: View, record: ScheduleRecord) -> Wish:
    """What a schedule asks of each task, as things are now; ClientException and InvalidParameterException."""
    where = parse_arn(record.cluster_arn)
    request = evolve(record.request, started_by=record.started_by)
    return wish(view, Scope(where.region, where.account), record.cluster_arn, request)


def _advance(store: Store, arn: str, now: datetime, chance: Chance, *, dry_run: bool) -> Advance:
    with store.read() as view:
        record = view.get(SCHEDULES, arn)
        if record is None:
            return Advance()
        _, step = _decide(view, record, now, chance)
    if step.record == record and not step.told:
        return Advance()
    if dry_run:
        return Advance(lines=_lines(step), changed=True)
    with store.write() as tx:
        record = tx.get(SCHEDULES, arn)
        if record is None:
            return Advance()
        wanted, step = _decide(tx, record, now, chance)
        return _apply(tx, record, wanted, step, now, chance)


def _decide(view: View, record: ScheduleRecord, now: datetime, chance: Chance) -> tuple[Wish | None, ScheduleStep]:
    """What each task is to be, if there is anything to start, and the step."""
    cluster = record.cluster_arn
    running = len(view.unfinished(cluster=cluster, started_by=record.started_by))
    try:
        wanted = wish_of(view, record)
    except ApiError as error:
        return None, decide_schedule(record, Surroundings(error.message, running, (), now, chance.draw))
    definition = f"{wanted.definition.family}:{wanted.definition.revision}"
    what = Wanted(definition, asked_of(wanted), wanted.strategy)
    hosts = hosts_of(view, cluster)
    occupancy = occupancy_of(view, cluster, now)
    return wanted, decide_schedule(record, Surroundings(what, running, hosts, now, chance.draw, occupancy))


def _apply(
    tx: Transaction, before: ScheduleRecord, wanted: Wish | None, step: ScheduleStep, now: datetime, chance: Chance
) -> Advance:
    record, cluster, begun = step.record, before.cluster_arn, list[str]()
    if wanted and step.placements:
        demand = demand_of(wanted.definition, wanted.overrides)
        begun = [
            put_task(tx, cluster, wanted.of(one.provider), demand, one.host, now, chance.new_id, one.victims).arn
            for one in step.placements
            if one.host
        ]
    if begun and record.last_run:
        record = evolve(record, last_run=evolve(record.last_run, tasks=begun))
    for kind, message in step.told:
        add_event(tx, now, cluster, record.arn, kind, message)
    if record != before:
        tx.put(SCHEDULES, record)
    going = tuple(victim.arn for one in step.placements for victim in one.victims)
    return Advance(tuple(begun), going, _lines(step), changed=record != before)


def _lines(step: ScheduleStep) -> tuple[str, ...]:
    return tuple(f"schedule {step.record.name}: {message}" for _, message in step.told)
