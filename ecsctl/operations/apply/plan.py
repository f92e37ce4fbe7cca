"""The plan of an apply, made in one snapshot: what is to be created, updated and deleted, in that order."""

from __future__ import annotations

from typing import Any, NamedTuple

from ecsctl.operations.apply.change import Change, Ground
from ecsctl.operations.apply.clusters import plan_clusters, prune_clusters
from ecsctl.operations.apply.documents import Documents
from ecsctl.operations.apply.schedules import plan_schedules, prune_schedules, scheduled_definitions
from ecsctl.operations.apply.services import plan_services, prune_services
from ecsctl.operations.apply.task_definitions import plan_task_definitions, prune_task_definitions
from ecsctl.operations.context import Context
from ecsctl.store.store import View
from ecsctl.store.tables import SERVICES


class Plan(NamedTuple):
    """`changes` in the order in which they are carried out, what is unchanged among them. `notes` say what is not
    deleted and why. `services` are those of the documents: ARN and the ARN of the task definition each will have."""

    changes: tuple[Change, ...]
    notes: tuple[str, ...]
    services: tuple[tuple[str, str], ...]

    @property
    def pending(self) -> list[Change]:
        """What is to be done."""
        return [change for change in self.changes if change.action != "unchanged"]

    @property
    def summary(self) -> str:
        """As in `1 to create, 2 to update, 3 unchanged`."""
        words = {"create": "to create", "update": "to update", "delete": "to delete", "unchanged": "unchanged"}
        counts = {word: sum(change.action == action for change in self.changes) for action, word in words.items()}
        return ", ".join(f"{count} {word}" for word, count in counts.items() if count)

    def to_wire(self) -> dict[str, Any]:
        return {
            "changes": [change.to_wire() for change in self.changes],
            "changed": bool(self.pending),
            "notes": list(self.notes),
        }


def make_plan(ctx: Context, documents: Documents, set_name: str, *, prune: bool = False) -> Plan:
    """What to do so that the state says what the documents say.

    With `prune`, also what earlier applies of the set made and the documents no longer have is deleted. Raises
    InputError, one line that begins with file and place, for the first thing that cannot be.
    """
    with ctx.store.read() as view:
        ground = Ground(view, ctx, set_name)
        clusters = plan_clusters(ground, documents.clusters)
        definitions = plan_task_definitions(ground, documents.task_definitions)
        services = plan_services(ground, documents.services, clusters, definitions)
        schedules = plan_schedules(ground, documents.schedules, clusters, definitions)
        changes = [*clusters.changes, *definitions.changes, *services.changes, *schedules.changes]
        notes: list[str] = []
        if prune:
            # First what could start tasks of the rest.
            leaving = [*prune_schedules(ground, schedules.wanted), *prune_services(ground, services)]
            gone = {change.arn for change in leaving}
            scheduled = schedules.used | scheduled_definitions(ground, gone | set(schedules.wanted))
            served = {str(service.task_definition) for service in services.values()}
            served |= _served(view, gone | set(services))
            used = dict.fromkeys(scheduled, "schedule") | dict.fromkeys(served, "service")
            old_definitions, kept_definitions = prune_task_definitions(ground, definitions.wanted, used)
            places = {str(service.cluster_arn) for service in services.values()}
            places |= {record.cluster_arn for record in schedules.wanted.values()}
            old_clusters, kept_clusters = prune_clusters(ground, {*clusters.wanted, *places}, gone)
            changes += [*leaving, *old_definitions, *old_clusters]
            notes = [*kept_definitions, *kept_clusters]
    wanted = tuple((arn, str(service.task_definition)) for arn, service in services.items())
    return Plan(tuple(changes), tuple(notes), wanted)


def _served(view: View, besides: set[str]) -> set[str]:
    """The task definitions of the other services."""
    return {
        str(record.service.task_definition)
        for record in view.find(SERVICES, status="ACTIVE")
        if record.arn not in besides
    }
