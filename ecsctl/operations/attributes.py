"""The attribute actions. Only container instances have attributes, as in ECS."""

from __future__ import annotations

import re

from ecsctl.model.api.attributes import (
    DeleteAttributesRequest,
    DeleteAttributesResponse,
    ListAttributesRequest,
    ListAttributesResponse,
    PutAttributesRequest,
    PutAttributesResponse,
)
from ecsctl.model.cluster import Cluster
from ecsctl.model.common import Attribute
from ecsctl.model.errors import ApiError, invalid_parameter
from ecsctl.model.loss import grace_problem
from ecsctl.model.record import evolve
from ecsctl.model.stored import InstanceRecord
from ecsctl.operations.context import Context
from ecsctl.operations.lookup import find_cluster, find_instance
from ecsctl.operations.pages import Text, page, window
from ecsctl.placement.host import figure_problem
from ecsctl.store.store import View
from ecsctl.store.tables import INSTANCES

_NAME = re.compile(r"[A-Za-z0-9_./\\-]{1,128}")
_VALUE = re.compile(r"(\S([A-Za-z0-9_.@:/\\ -]*\S)?)?")


def check_attributes(attributes: list[Attribute] | None) -> None:
    """Names of 1 to 128 letters, digits and -_./\\; values of up to 128 (ECS API_Attribute); of ours, figures."""
    for attribute in attributes or []:
        if not _NAME.fullmatch(attribute.name):
            raise invalid_parameter(f"Attribute name {attribute.name!r}: use 1 to 128 letters, digits and - _ . / \\.")
        value = attribute.value or ""
        if len(value) > 128 or not _VALUE.fullmatch(value) or not value.isprintable():
            raise invalid_parameter(f"The value of attribute {attribute.name!r} is longer than 128 or not plain text.")
        if wrong := figure_problem(attribute.name, attribute.value) or grace_problem(attribute.name, attribute.value):
            raise invalid_parameter(f"Attribute {attribute.name}: {wrong}.")


def put_attributes(ctx: Context, request: PutAttributesRequest) -> PutAttributesResponse:
    """Create attributes, or change their values (ECS API_PutAttributes); at most 10 in one call."""
    if len(request.attributes) > 10:
        raise invalid_parameter("At most 10 attributes can be put in one call.")
    check_attributes(request.attributes)
    with ctx.store.write() as tx:
        cluster = find_cluster(tx, ctx, request.cluster)
        for attribute in request.attributes:
            record = _target(tx, cluster, attribute)
            kept = [a for a in record.instance.attributes or [] if a.name != attribute.name]
            changed = [*kept, Attribute(name=attribute.name, value=attribute.value)]
            tx.put(INSTANCES, evolve(record, instance=evolve(record.instance, attributes=changed), seq=tx.seq))
    return PutAttributesResponse(attributes=request.attributes)


def delete_attributes(ctx: Context, request: DeleteAttributesRequest) -> DeleteAttributesResponse:
    """Take attributes away (ECS API_DeleteAttributes); at most 10 in one call."""
    if len(request.attributes) > 10:
        raise invalid_parameter("At most 10 attributes can be deleted in one call.")
    with ctx.store.write() as tx:
        cluster = find_cluster(tx, ctx, request.cluster)
        for attribute in request.attributes:
            record = _target(tx, cluster, attribute)
            kept = [
                a
                for a in record.instance.attributes or []
                if a.name != attribute.name or (attribute.value is not None and a.value != attribute.value)
            ]
            tx.put(INSTANCES, evolve(record, instance=evolve(record.instance, attributes=kept), seq=tx.seq))
    return DeleteAttributesResponse(attributes=request.attributes)


def list_attributes(ctx: Context, request: ListAttributesRequest) -> ListAttributesResponse:
    """The attributes of a cluster's container instances (ECS API_ListAttributes)."""
    if request.attribute_value is not None and request.attribute_name is None:
        raise invalid_parameter("attributeValue: give the name of the attribute too.")
    with ctx.store.read() as view:
        cluster = find_cluster(view, ctx, request.cluster)
        found = [
            Attribute(name=a.name, value=a.value, target_id=record.arn)
            for record in view.find(INSTANCES, cluster=cluster.cluster_arn, status=("ACTIVE", "DRAINING"))
            for a in record.instance.attributes or []
            if request.attribute_name in (None, a.name) and request.attribute_value in (None, a.value)
        ]
    part = window(request.next_token, request.max_results, kind=tuple[Text, Text, Text])
    attributes, token = page(found, lambda a: (a.target_id or "", a.name, a.value or ""), part)
    return ListAttributesResponse(attributes=attributes, next_token=token)


def _target(view: View, cluster: Cluster, attribute: Attribute) -> InstanceRecord:
    if not attribute.target_id:
        raise invalid_parameter(f"Attribute {attribute.name!r}: targetId is missing: name a container instance.")
    found = find_instance(view, cluster, attribute.target_id)
    if found is None:
        raise ApiError("TargetNotFoundException", f"The container instance {attribute.target_id} was not found.")
    return found
