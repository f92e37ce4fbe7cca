"""Task definitions in a plan: a new revision where the family's newest says something else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from ecsctl.controller.wishes import find_task_definition, newest_of
from ecsctl.model.api.task_definitions import DeregisterTaskDefinitionRequest, RegisterTaskDefinitionRequest
from ecsctl.model.record import evolve, to_wire
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.operations.apply.change import Change, Ground
from ecsctl.operations.apply.difference import Difference, differences
from ecsctl.operations.apply.documents import Placed, at, note_place
from ecsctl.operations.apply.mark import (
    check_given_tags,
    check_set,
    is_made_by,
    marked,
    tag_changes,
    unmarked_tags,
)
from ecsctl.operations.definition_document import OUTPUT_ONLY
from ecsctl.operations.definition_rules import validate
from ecsctl.operations.registered_definition import registered_again
from ecsctl.operations.task_definitions import next_revision
from ecsctl.store.tables import TASK_DEFINITIONS

KIND = "task definition"


class Definitions(NamedTuple):
    """The revisions that the documents stand for, by family, and how they come about."""

    wanted: dict[str, TaskDefinition]
    changes: list[Change]

    def find(self, ground: Ground, name: str) -> TaskDefinition:
        """By family, family:revision or ARN, one of the documents or of the state; ClientException.

        A family of the documents is the revision that this apply registers, or its newest.
        """
        for family, definition in self.wanted.items():
            if name in (family, f"{family}:{definition.revision}", definition.task_definition_arn):
                return definition
        return find_task_definition(ground.view, ground.ctx.scope, name)


def plan_task_definitions(ground: Ground, requests: Placed[RegisterTaskDefinitionRequest]) -> Definitions:
    """What to do so that the newest revision of each family says what is asked."""
    planned = Definitions({}, [])
    places: dict[str, str] = {}
    for where, request in requests:
        with at(where):
            validate(request)
            check_given_tags(request.tags, ground.set_name)
            definition, change = _plan(ground, request)
        note_place(places, ground.ctx.scope.arn(f"task-definition/{request.family}"), where)
        planned.wanted[request.family] = definition
        planned.changes.append(change)
    return planned


def _plan(ground: Ground, request: RegisterTaskDefinitionRequest) -> tuple[TaskDefinition, Change]:
    old = newest_of(ground.view, ground.ctx.scope, request.family)
    if old is None:
        said = to_wire(evolve(request, family=""))
        return _registration(ground, request, "create", differences(None, {**said, "family": None}))
    arn = str(old.task_definition_arn)
    check_set(ground.view, arn, ground.set_name)
    found = differences(_asked(old), _asked(registered_again(request, old)))
    tags, tagging = tag_changes(ground.view, arn, request.tags)
    if not found:
        return old, Change.of(KIND, f"{old.family}:{old.revision}", arn, tags, tagging)
    kept = request.tags if request.tags is not None else unmarked_tags(ground.view, arn)
    return _registration(ground, evolve(request, tags=kept), "update", [*found, *tags], old.revision)


def _registration(
    ground: Ground,
    request: RegisterTaskDefinitionRequest,
    action: Any,
    found: list[Difference],
    old: int | None = None,
) -> tuple[TaskDefinition, Change]:
    definition = next_revision(ground.view, ground.ctx, request)
    if old is not None:
        found = [Difference("revision", old, definition.revision), *found]
    given = evolve(request, tags=marked(request.tags, ground.set_name))
    name, arn = f"{request.family}:{definition.revision}", str(definition.task_definition_arn)
    return definition, Change(action, KIND, name, arn, tuple(found), (given,))


def _asked(definition: TaskDefinition) -> dict[str, Any]:
    """What somebody asked for of a revision, without what followed from it."""
    return {name: value for name, value in to_wire(definition).items() if name not in OUTPUT_ONLY}


def prune_task_definitions(
    ground: Ground, kept: Collection[str], used: Mapping[str, str]
) -> tuple[list[Change], list[str]]:
    """The deregistration of this set's revisions whose family is not to be kept, and notes on those that something
    still has (`used`: what, by their ARN)."""
    changes, notes = [], []
    for definition in ground.view.find(TASK_DEFINITIONS, scope=ground.ctx.scope.key, status="ACTIVE"):
        arn = str(definition.task_definition_arn)
        if definition.family in kept or not is_made_by(ground.view, arn, ground.set_name):
            continue
        name = f"{definition.family}:{definition.revision}"
        if arn in used:
            notes.append(f"task definition {name} is kept: a {used[arn]} uses it")
        else:
            request = DeregisterTaskDefinitionRequest(task_definition=arn)
            changes.append(Change("delete", KIND, name, arn, (), (request,)))
    return changes, notes
