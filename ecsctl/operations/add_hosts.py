"""Adding hosts, one or many: all are looked at first, at once, and those that nothing is wrong with are registered."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Literal

from msgspec import Struct

from ecsctl.controller.together import together
from ecsctl.engine.contexts import address_of, is_same
from ecsctl.engine.port import EngineInfo
from ecsctl.model.arn import REGION, Scope, last_part
from ecsctl.model.common import Attribute
from ecsctl.model.container_instance import ContainerInstance
from ecsctl.model.errors import ApiError, InputError, invalid_parameter
from ecsctl.model.host import AddedHost, HostWish, Result
from ecsctl.model.record import evolve
from ecsctl.model.stored import InstanceRecord
from ecsctl.operations.attributes import check_attributes
from ecsctl.operations.context import Context
from ecsctl.operations.default_cluster import ensure_default_cluster
from ecsctl.operations.host_check import AT_ONCE, Examined, examine
from ecsctl.operations.hosts import AlreadyRegistered, HostOptions, check_gpus, instance_record, put_new_host
from ecsctl.operations.lookup import find_cluster
from ecsctl.operations.provider_lookup import find_provider
from ecsctl.placement.host import INSTANCE_TYPE, PRICE, ZONE
from ecsctl.store.store import add_event
from ecsctl.store.tables import INSTANCES

_NAME = r"[A-Za-z0-9_.-]{1,255}"


Again = Literal["refuse", "change", "accept"]
"""What is to become of a host that is registered already: it is refused; it becomes what is said of it, if it is one
of this address in this cluster; the same, and by another address it is left as it is."""


class _Plan(Struct, frozen=True):
    """A host that is to be looked at, and registered in the scope of `ctx` and the cluster (an ARN)."""

    ctx: Context
    cluster_arn: str
    options: HostOptions
    attributes: list[Attribute]


def add_hosts(ctx: Context, wishes: Sequence[HostWish], again: Again) -> list[AddedHost]:
    """Look at hosts, all at once, and register those that nothing is wrong with. A second time there is nothing to
    do."""
    plans = [_plan(ctx, wish) for wish in wishes]
    calls = [partial(examine, plan.ctx, plan.options.address) for plan in plans if isinstance(plan, _Plan)]
    looked = iter([one for one in together(calls, AT_ONCE) if one])
    done: list[AddedHost] = []
    for plan in plans:
        done.append(_add(plan, next(looked), again, done) if isinstance(plan, _Plan) else plan)
    return done


def _plan(ctx: Context, wish: HostWish) -> _Plan | AddedHost:
    try:
        return _understood(ctx, wish)
    except (InputError, ApiError) as error:
        return AddedHost(wish.name or wish.address, wish.address, "failed", answers=True, reason=str(error))


def _understood(ctx: Context, wish: HostWish) -> _Plan:
    options = HostOptions(
        address=address_of(wish.address),
        name=wish.name,
        availability_zone=wish.zone,
        cpu=wish.cpu,
        memory=wish.memory,
        provider=wish.capacity_provider,
        gpus=tuple(wish.gpus),
    )
    check_gpus(options.gpus)
    attributes = _attributes(wish)
    for what, number in (("cpu", wish.cpu), ("memory", wish.memory)):
        if number is not None and number < 1:
            raise InputError(f"{what}: expected a number above 0, got {number}")
    if wish.name is not None and not re.fullmatch(_NAME, wish.name):
        raise InputError(f"{wish.name!r} is no name of a host: use up to 255 letters, digits and - _ .")
    scoped = _scoped(ctx, wish.region)
    ensure_default_cluster(scoped)
    with ctx.store.read() as view:
        cluster_arn = str(find_cluster(view, scoped, wish.cluster).cluster_arn)
        if wish.capacity_provider is not None:
            find_provider(view, scoped, wish.capacity_provider)
    return _Plan(scoped, cluster_arn, options, attributes)


def _add(plan: _Plan, looked: Examined, again: Again, done: Sequence[AddedHost]) -> AddedHost:
    """`done`: what became of those before it."""
    options, info = plan.options, looked.info
    name = options.name or (info.name if info else options.address)
    answer = AddedHost(name, options.address, "failed", info is not None, looked.findings)
    if info is None or looked.error:
        return evolve(answer, reason=looked.error.message if looked.error else None)
    try:
        _check_name(plan, name, info)
        return _put(plan, info, answer, again, done)
    except ApiError as refused:
        return evolve(answer, reason=str(refused))


def _put(plan: _Plan, info: EngineInfo, answer: AddedHost, again: Again, done: Sequence[AddedHost]) -> AddedHost:
    try:
        record = put_new_host(plan.ctx, plan.cluster_arn, plan.options, info, plan.attributes)
    except AlreadyRegistered as known:
        is_twice = known.record.arn in {one.container_instance_arn for one in done}
        return _known(plan, info, answer, known, again, is_twice=is_twice)
    return evolve(answer, result="added", container_instance_arn=record.arn)


def _known(
    plan: _Plan, info: EngineInfo, answer: AddedHost, known: AlreadyRegistered, again: Again, *, is_twice: bool
) -> AddedHost:
    record = known.record
    is_here = record.cluster_arn == plan.cluster_arn and is_same(record.address, plan.options.address)
    if again != "refuse" and is_here and not is_twice:
        changed = _change(plan, record, info)
        result: Result = "unchanged" if changed == record else "changed"
        return evolve(answer, host=changed.name, result=result, container_instance_arn=record.arn)
    if again == "accept":
        reason = f"the same engine as {record.name} at {record.address}"
        return evolve(answer, result="unchanged", reason=reason, container_instance_arn=record.arn)
    if is_here and is_twice:
        return evolve(answer, reason=f"it is named twice: it is {record.name} already, at {record.address}")
    return evolve(answer, reason=str(known))


def _scoped(ctx: Context, region: str | None) -> Context:
    if region is None or region == ctx.scope.region:
        return ctx
    if not re.fullmatch(REGION, region):
        raise InputError(f"{region!r} is not a region, like eu-central-1")
    return evolve(ctx, scope=Scope(region, ctx.scope.account))


def _attributes(wish: HostWish) -> list[Attribute]:
    price = None if wish.price is None else f"{wish.price:.6f}".rstrip("0").rstrip(".")
    said = {INSTANCE_TYPE: wish.instance_type, PRICE: price, **wish.attributes}
    attributes = [Attribute(name=name, value=value) for name, value in said.items() if value is not None]
    check_attributes([*attributes, *([Attribute(name=ZONE, value=wish.zone)] if wish.zone else [])])
    return attributes


def _check_name(plan: _Plan, name: str, info: EngineInfo) -> None:
    """Hosts of a cluster are told apart by their names."""
    with plan.ctx.store.read() as view:
        for other in view.find(INSTANCES, cluster=plan.cluster_arn, status=("ACTIVE", "DRAINING")):
            if other.name == name and other.engine_id != info.id:
                raise invalid_parameter(
                    f"A host of this cluster is called {name} already, at {other.address}: give this another name."
                )


def _change(plan: _Plan, known: InstanceRecord, info: EngineInfo) -> InstanceRecord:
    """Make a registered host what is said of it; what nothing is said of stays."""
    options = plan.options
    wanted = instance_record(plan.ctx, known.cluster_arn, last_part(known.arn), options, info, plan.attributes)
    with plan.ctx.store.write() as tx:
        record = tx.get(INSTANCES, known.arn) or known
        changed = evolve(
            record, name=options.name or record.name, instance=_told(record.instance, wanted.instance, plan)
        )
        if changed != record:
            changed.seq = tx.seq
            tx.put(INSTANCES, changed)
            add_event(tx, plan.ctx.now(), changed.cluster_arn, changed.arn, "ContainerInstanceChanged", changed.address)
    return changed


def _told(now: ContainerInstance, wanted: ContainerInstance, plan: _Plan) -> ContainerInstance:
    options = plan.options
    attributes = {a.name: a.value for a in now.attributes or []}
    attributes |= {a.name: a.value for a in plan.attributes}
    if options.availability_zone:
        attributes[ZONE] = options.availability_zone
    sized = options.cpu or options.memory or options.gpus
    return evolve(
        now,
        ec2_instance_id=options.name or now.ec2_instance_id,
        capacity_provider_name=options.provider or now.capacity_provider_name,
        registered_resources=wanted.registered_resources if sized else now.registered_resources,
        attributes=[Attribute(name=name, value=value) for name, value in attributes.items()],
    )
