"""Making a state what an exported document says: as apply does it, with the numbers and names that things had."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from ecsctl.model.account_records import CapacityProviderRecord
from ecsctl.model.api.capacity_providers import CreateCapacityProviderRequest
from ecsctl.model.errors import InputError
from ecsctl.model.record import Record, decode, evolve, to_wire
from ecsctl.operations.apply.change import Change, Ground
from ecsctl.operations.apply.clusters import plan_clusters
from ecsctl.operations.apply.difference import differences
from ecsctl.operations.apply.documents import Placed, R, at
from ecsctl.operations.apply.mark import tag_changes
from ecsctl.operations.apply.plan import Plan
from ecsctl.operations.apply.schedules import plan_schedules
from ecsctl.operations.apply.services import plan_services
from ecsctl.operations.apply.task_definitions import Definitions
from ecsctl.operations.context import Context
from ecsctl.operations.definition_rules import validate
from ecsctl.operations.export import StateDocument
from ecsctl.operations.hosts import HostDocument, host_document
from ecsctl.operations.registered_definition import registered_again
from ecsctl.operations.task_definitions import Revision, put_revision
from ecsctl.store.account_tables import CAPACITY_PROVIDERS
from ecsctl.store.store import Transaction
from ecsctl.store.tables import INSTANCES, TASK_DEFINITIONS


class _Planned(Exception):
    pass


def plan_import(ctx: Context, data: object, where: str) -> Plan:
    """What to do so that the state says what an exported document (plain data, read from `where`) says.

    What it does not name stays. Raises InputError, one line that begins with `where`.
    """
    with at(where):
        document = decode(StateDocument, data)
    plan = Plan((), (), ())
    # What is planned may name what is to be made before: it is planned as if that were there.
    with suppress(_Planned), ctx.store.write() as tx:
        ground = Ground(tx, ctx, None)
        providers = [_provider(tx, ctx, one) for one in document.capacity_providers]
        clusters = plan_clusters(ground, _placed(document.clusters, where, "clusters"))
        revisions = []
        for place, one in _placed(document.task_definitions, where, "taskDefinitions"):
            with at(place):
                revisions.append(_revision(tx, ctx, one))
        nothing = Definitions({}, [])
        services = plan_services(ground, _placed(document.services, where, "services"), clusters, nothing)
        schedules = plan_schedules(ground, _placed(document.schedules, where, "schedules"), clusters, nothing)
        hosts = []
        for place, host in _placed(document.container_instances, where, "containerInstances"):
            with at(place):
                hosts.append(_host(tx, ctx, host))
        changes = (*providers, *clusters.changes, *hosts, *revisions, *services.changes, *schedules.changes)
        wanted = tuple((arn, str(service.task_definition)) for arn, service in services.items())
        plan = Plan(changes, (), wanted)
        raise _Planned
    return plan


def _placed(items: Sequence[R], where: str, kind: str) -> Placed[R]:
    return [(f"{where}: {kind}[{index}]", item) for index, item in enumerate(items)]


def _provider(tx: Transaction, ctx: Context, request: CreateCapacityProviderRequest) -> Change:
    arn = ctx.scope.capacity_provider(request.name)
    if tx.get(CAPACITY_PROVIDERS, arn) is not None:
        tags, requests = tag_changes(tx, arn, request.tags)
        return Change.of("capacity provider", request.name, arn, tags, requests)
    tx.put(CAPACITY_PROVIDERS, CapacityProviderRecord(arn=arn, name=request.name))
    found = differences(None, {**to_wire(request), "name": None})
    return Change("create", "capacity provider", request.name, arn, tuple(found), (request,))


def _revision(tx: Transaction, ctx: Context, asked: Revision) -> Change:
    name = f"{asked.family}:{asked.revision}"
    arn = ctx.scope.task_definition(asked.family, asked.revision)
    validate(asked)
    known = tx.get(TASK_DEFINITIONS, arn)
    if known is None:
        put_revision(tx, ctx, asked)
        found = differences(None, {**to_wire(asked), "family": None, "revision": None})
        return Change("create", "task definition", name, arn, tuple(found), (asked,))
    again = evolve(registered_again(asked, known), status=known.status, deregistered_at=known.deregistered_at)
    if said := differences(to_wire(known), to_wire(again)):
        raise InputError(f"{name} is another one in this state ({said[0]}): a revision never changes")
    return Change.of("task definition", name, arn, *tag_changes(tx, arn, asked.tags))


def _host(tx: Transaction, ctx: Context, asked: HostDocument) -> Change:
    arn = ctx.scope.container_instance(asked.cluster, asked.container_instance)
    for other in tx.find(INSTANCES, engine_id=asked.engine_id, status=("ACTIVE", "DRAINING")):
        if other.arn != arn:
            raise InputError(f"the engine of {asked.name} is registered already, as {other.name} ({other.arn})")
    known, name = tx.get(INSTANCES, arn), f"{asked.cluster}/{asked.name}"
    if known is None:
        return Change("create", "host", name, arn, tuple(differences(None, _facts(asked))), (asked,))
    is_used = known.instance.status in ("ACTIVE", "DRAINING")
    found = differences(_facts(host_document(known)) if is_used else None, _facts(asked))
    tags, requests = tag_changes(tx, arn, asked.tags)
    changed: list[Record] = [evolve(asked, tags=None)] if found else []
    return Change.of("host", name, arn, [*found, *tags], [*changed, *requests])


def _facts(document: HostDocument) -> dict[str, Any]:
    return {**to_wire(evolve(document, tags=None)), "cluster": None, "containerInstance": None}
