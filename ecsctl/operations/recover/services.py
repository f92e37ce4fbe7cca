"""The services that found tasks are of: what they asked for when the newest container was made, with as many tasks as
there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timezone

from ecsctl.controller.launch_volumes import as_of_service
from ecsctl.controller.progress import note_progress
from ecsctl.controller.services import with_event
from ecsctl.model.arn import last_part
from ecsctl.model.record import evolve
from ecsctl.model.service import Service, is_external
from ecsctl.model.stored import DeploymentRecord, ServiceRecord
from ecsctl.operations.context import Context
from ecsctl.operations.recover.found import FoundTask
from ecsctl.operations.service_deployments import begin_deployment, put_revision
from ecsctl.scheduler.service_work import Message
from ecsctl.scheduler.services import COMPLETED, IN_PROGRESS
from ecsctl.store.store import Transaction
from ecsctl.store.tables import SERVICES, TASKS

HELD = datetime(2999, 1, 1, tzinfo=timezone.utc)
"""Until when the tasks of recovered services are protected from scale-in, unless somebody confirms them before."""
SAID = "was recovered from {} tasks, which are protected until somebody confirms it (ecsctl recover --confirm)."


def adopt_services(
    tx: Transaction, ctx: Context, tasks: Sequence[FoundTask], note: Callable[[str], object]
) -> tuple[list[FoundTask], list[str]]:
    """Write down the services that the state does not know. The tasks that can be adopted, and a line for each
    service."""
    groups: dict[str, list[FoundTask]] = {}
    for task in tasks:
        if task.about.service is not None:
            groups.setdefault(str(task.about.service.service_arn), []).append(task)
    left, lines = set(), []
    for arn, group in sorted(groups.items()):
        newest = group[-1].about.service
        known = tx.get(SERVICES, arn)
        wanted = [task for task in group if not task.is_over]
        if newest is None:
            continue
        if known is not None and known.service.status != "INACTIVE":
            there = tx.unfinished(service=arn)
            for other in there:  # or those would go, as there are more than before
                if other.is_wanted and other.protected_until != HELD:
                    tx.put(TASKS, evolve(other, protected_until=HELD, seq=tx.seq))
            _compare(known, len(there) + len(wanted), note)
        elif not wanted:
            note(f"service {last_part(arn)} is not recovered: none of its tasks is left")
        elif is_external(newest):
            note(f"service {last_part(arn)} is left alone: labels do not tell its task sets")
            left.add(arn)
        else:
            lines.append(_put(tx, ctx, newest, wanted))
    keeps = [task for task in tasks if task.about.service is None or str(task.about.service.service_arn) not in left]
    return keeps, lines


def _compare(known: ServiceRecord, count: int, note: Callable[[str], object]) -> None:
    service = known.service
    if not known.is_daemon and count > (service.desired_count or 0):
        note(
            f"service {service.service_name} wants {service.desired_count} tasks and will have {count}: set its "
            "desired count (ecsctl update-service) before you confirm (ecsctl recover --confirm), or the others are "
            "stopped then"
        )


def _put(tx: Transaction, ctx: Context, asked: Service, tasks: Sequence[FoundTask]) -> str:
    now = ctx.now()
    starters = {str(task.about.started_by): task for task in tasks}  # of each the newest task
    newest = next((t for t in reversed(starters.values()) if _definition(t) == asked.task_definition), tasks[-1])
    alone = len(starters) == 1
    deployments = [
        _deployment(task, now, is_primary=task is newest, is_completed=alone or task is not newest)
        for task in sorted(starters.values(), key=lambda task: (task is newest, task.seq), reverse=True)
    ]
    service = evolve(
        asked,
        status="ACTIVE",
        desired_count=len(tasks),
        task_definition=_definition(newest),
        network_configuration=deployments[0].network,
        service_connect_configuration=deployments[0].connect,
        service_registries=deployments[0].registries,
    )
    steady = alone and all(task.is_up for task in tasks)
    record = ServiceRecord(service=service, deployments=deployments, steady=steady, seq=tx.seq)
    tx.put(SERVICES, record)
    begin_deployment(tx, ctx, record, deployments[1:])
    for other in deployments[1:]:
        put_revision(tx, service, other)
    note_progress(tx, record, now)
    record = with_event(tx, record, Message(SAID.format(len(tasks))), now, ctx.controller.chance)
    tx.put(SERVICES, record)
    return f"service {service.service_name}: {len(tasks)} tasks of {last_part(str(service.task_definition))}"


def _deployment(task: FoundTask, now: datetime, *, is_primary: bool, is_completed: bool) -> DeploymentRecord:
    asked = task.about.service
    starter = str(task.about.started_by)
    return DeploymentRecord(
        id=starter,
        task_definition_arn=_definition(task),
        created_at=task.about.created_at or now,
        updated_at=now,
        network=asked.network_configuration if asked else None,
        connect=asked.service_connect_configuration if asked else None,
        registries=(asked.service_registries if asked else None) or [],
        volumes=[as_of_service(task.about.volume)] if task.about.volume else None,
        image_map=task.about.image_map,
        status="PRIMARY" if is_primary else "ACTIVE",
        rollout_state="COMPLETED" if is_completed else "IN_PROGRESS",
        rollout_state_reason=(COMPLETED if is_completed else IN_PROGRESS).format(starter),
        completed=is_completed,
    )


def _definition(task: FoundTask) -> str:
    return str(task.definition.task_definition_arn)
