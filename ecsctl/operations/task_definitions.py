"""The task definition actions. Revisions are immutable, and their numbers never given twice."""

from __future__ import annotations

from ecsctl.controller.collect import is_used
from ecsctl.controller.wishes import find_task_definition, newest_of
from ecsctl.model.api.task_definitions import (
    DeleteTaskDefinitionsRequest,
    DeleteTaskDefinitionsResponse,
    DeregisterTaskDefinitionRequest,
    DeregisterTaskDefinitionResponse,
    DescribeTaskDefinitionRequest,
    DescribeTaskDefinitionResponse,
    ListTaskDefinitionFamiliesRequest,
    ListTaskDefinitionFamiliesResponse,
    ListTaskDefinitionsRequest,
    ListTaskDefinitionsResponse,
    RegisterTaskDefinitionRequest,
    RegisterTaskDefinitionResponse,
)
from ecsctl.model.arn import last_part
from ecsctl.model.common import Failure, Tag
from ecsctl.model.errors import ApiError, client_exception
from ecsctl.model.record import evolve
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.operations.context import Context
from ecsctl.operations.definition_rules import validate
from ecsctl.operations.families import last_revision, note_given, note_last
from ecsctl.operations.lookup import put_tags, tags_of
from ecsctl.operations.pages import Number, Text, itself, keys_page, page, window
from ecsctl.operations.registered_definition import register, registered_again
from ecsctl.store.store import Place, Transaction, View
from ecsctl.store.tables import TASK_DEFINITIONS


def register_task_definition(ctx: Context, request: RegisterTaskDefinitionRequest) -> RegisterTaskDefinitionResponse:
    """A new revision (ECS API_RegisterTaskDefinition)."""
    validate(request)
    with ctx.store.write() as tx:
        definition = _register(tx, ctx, request)
        return RegisterTaskDefinitionResponse(task_definition=definition, tags=request.tags)


def register_if_changed(ctx: Context, request: RegisterTaskDefinitionRequest) -> TaskDefinition:
    """The family's newest ACTIVE revision if it says the same, else a new one."""
    validate(request)
    with ctx.store.write() as tx:
        return _unchanged(tx, ctx, request) or _register(tx, ctx, request)


def as_registered(view: View, ctx: Context, request: RegisterTaskDefinitionRequest) -> TaskDefinition:
    """What `register_if_changed` would answer. Nothing is registered."""
    validate(request)
    return _unchanged(view, ctx, request) or next_revision(view, ctx, request)


class Revision(RegisterTaskDefinitionRequest, kw_only=True):
    """A revision of a task definition in an export, with its number."""

    revision: int


def register_revision(ctx: Context, revision: Revision) -> None:
    """Register what an export says, under the number that it had."""
    with ctx.store.write() as tx:
        put_revision(tx, ctx, revision)


def put_revision(tx: Transaction, ctx: Context, revision: Revision) -> None:
    """Write a revision under its number, which has to be free."""
    arn = ctx.scope.task_definition(revision.family, revision.revision)
    note_given(tx, ctx.scope.key, revision.family, revision.revision)
    _put(tx, register(revision, revision.revision, arn, ctx.now(), ctx.caller), revision.tags)


def _unchanged(view: View, ctx: Context, request: RegisterTaskDefinitionRequest) -> TaskDefinition | None:
    """The family's newest ACTIVE revision, if it says the same."""
    old = newest_of(view, ctx.scope, request.family)
    if old is None or registered_again(request, old) != old:
        return None
    return old if tags_of(view, old.task_definition_arn) == (request.tags or []) else None


def next_revision(view: View, ctx: Context, request: RegisterTaskDefinitionRequest) -> TaskDefinition:
    """What registering it now would make of a valid request."""
    revision = last_revision(view, ctx.scope.key, request.family) + 1
    return register(request, revision, ctx.scope.task_definition(request.family, revision), ctx.now(), ctx.caller)


def _register(tx: Transaction, ctx: Context, request: RegisterTaskDefinitionRequest) -> TaskDefinition:
    definition = next_revision(tx, ctx, request)
    note_last(tx, ctx.scope.key, request.family, definition.revision or 0)
    _put(tx, definition, request.tags)
    return definition


def _put(tx: Transaction, definition: TaskDefinition, tags: list[Tag] | None) -> None:
    tx.put(TASK_DEFINITIONS, definition)
    if tags:
        put_tags(tx, str(definition.task_definition_arn), tags)


def describe_task_definition(ctx: Context, request: DescribeTaskDefinitionRequest) -> DescribeTaskDefinitionResponse:
    """By family, family:revision or ARN (ECS API_DescribeTaskDefinition)."""
    with ctx.store.read() as view:
        found = find_task_definition(view, ctx.scope, request.task_definition)
        tags = tags_of(view, found.task_definition_arn)
    include = "TAGS" in (request.include or [])
    return DescribeTaskDefinitionResponse(task_definition=found, tags=tags if include else [])


def list_task_definitions(ctx: Context, request: ListTaskDefinitionsRequest) -> ListTaskDefinitionsResponse:
    """ARNs by family and revision, ACTIVE unless asked otherwise (ECS API_ListTaskDefinitions)."""
    filters = {"scope": ctx.scope.key, "status": request.status or "ACTIVE"}
    order: tuple[str, ...] = ("family", "revision")
    kind: type[Place] = tuple[Text, Number, Number]
    if request.family_prefix is not None:
        # By the revision alone: by both SQLite would go through all families from there on.
        filters["family"] = request.family_prefix
        order, kind = ("revision",), tuple[Number, Number]
    part = window(request.next_token, request.max_results, kind=kind)
    falling = request.sort == "DESC"
    with ctx.store.read() as view:
        arns, token = keys_page(view, TASK_DEFINITIONS, *order, part=part, falling=falling, **filters)
    return ListTaskDefinitionsResponse(task_definition_arns=arns, next_token=token)


def list_task_definition_families(
    ctx: Context, request: ListTaskDefinitionFamiliesRequest
) -> ListTaskDefinitionFamiliesResponse:
    """Family names with the prefix; without a status all of them (ECS API_ListTaskDefinitionFamilies)."""
    with ctx.store.read() as view:
        known = view.values(TASK_DEFINITIONS, "family", scope=ctx.scope.key)
        active = set(view.values(TASK_DEFINITIONS, "family", scope=ctx.scope.key, status="ACTIVE"))
    wanted = {"ACTIVE": (True,), "INACTIVE": (False,)}.get(request.status or "ALL", (True, False))
    names = [name for name in known if name.startswith(request.family_prefix or "") and (name in active) in wanted]
    families, token = page(names, itself, window(request.next_token, request.max_results))
    return ListTaskDefinitionFamiliesResponse(families=families, next_token=token)


def deregister_task_definition(
    ctx: Context, request: DeregisterTaskDefinitionRequest
) -> DeregisterTaskDefinitionResponse:
    """Make a revision INACTIVE: what runs goes on, nothing new runs from it (ECS API_DeregisterTaskDefinition)."""
    if ":" not in last_part(request.task_definition):
        raise client_exception("Revision is missing: name family:revision or the full ARN.")
    with ctx.store.write() as tx:
        found = find_task_definition(tx, ctx.scope, request.task_definition)
        if found.status == "ACTIVE":
            found = evolve(found, status="INACTIVE", deregistered_at=ctx.now())
            tx.put(TASK_DEFINITIONS, found)
    return DeregisterTaskDefinitionResponse(task_definition=found)


def delete_task_definitions(ctx: Context, request: DeleteTaskDefinitionsRequest) -> DeleteTaskDefinitionsResponse:
    """Delete INACTIVE revisions; one that tasks or services use stays, DELETE_IN_PROGRESS
    (ECS API_DeleteTaskDefinitions)."""
    if not 1 <= len(request.task_definitions) <= 10:
        raise client_exception("Between 1 and 10 task definitions can be deleted in one call.")
    deleted, failures = [], []
    with ctx.store.write() as tx:
        for name in request.task_definitions:
            try:
                found = find_task_definition(tx, ctx.scope, name)
            except ApiError as error:
                failures.append(Failure(arn=name, reason="TASK_DEFINITION_NOT_FOUND", detail=error.message))
                continue
            if found.status == "ACTIVE":
                detail = "The task definition must be in INACTIVE state: deregister it first."
                failures.append(Failure(arn=found.task_definition_arn, reason="TASK_DEFINITION_IN_USE", detail=detail))
                continue
            found = evolve(found, status="DELETE_IN_PROGRESS", delete_requested_at=ctx.now())
            deleted.append(found)
            if is_used(tx, str(found.task_definition_arn)):
                tx.put(TASK_DEFINITIONS, found)
            else:
                put_tags(tx, str(found.task_definition_arn), None)
                tx.delete(TASK_DEFINITIONS, arn=found.task_definition_arn)
    return DeleteTaskDefinitionsResponse(task_definitions=deleted, failures=failures)
