"""The tag actions."""

from __future__ import annotations

from ecsctl.model.api.tags import (
    ListTagsForResourceRequest,
    ListTagsForResourceResponse,
    TagResourceRequest,
    TagResourceResponse,
    UntagResourceRequest,
    UntagResourceResponse,
)
from ecsctl.model.arn import parse_arn
from ecsctl.model.errors import ApiError, invalid_parameter
from ecsctl.operations.context import Context
from ecsctl.operations.lookup import check_tags, put_tags, tags_of
from ecsctl.operations.provider_lookup import check_provider_tags
from ecsctl.store.account_tables import CAPACITY_PROVIDERS
from ecsctl.store.schedule_table import SCHEDULES
from ecsctl.store.store import View
from ecsctl.store.tables import CLUSTERS, INSTANCES, SERVICES, TASK_DEFINITIONS, TASKS, Table

_TAGGABLE: dict[str, Table] = {  # type: ignore[type-arg]
    "capacity-provider": CAPACITY_PROVIDERS,
    "cluster": CLUSTERS,
    "container-instance": INSTANCES,
    "schedule": SCHEDULES,
    "service": SERVICES,
    "task": TASKS,
    "task-definition": TASK_DEFINITIONS,
}


def tag_resource(ctx: Context, request: TagResourceRequest) -> TagResourceResponse:
    """Add tags, or change their values (ECS API_TagResource)."""
    check_tags(request.tags)
    with ctx.store.write() as tx:
        if _check_exists(tx, ctx, request.resource_arn) == "capacity-provider":
            check_provider_tags(request.tags)
        merged = {tag.key: tag for tag in (*tags_of(tx, request.resource_arn), *request.tags)}
        check_tags(list(merged.values()))
        put_tags(tx, request.resource_arn, list(merged.values()))
    return TagResourceResponse()


def untag_resource(ctx: Context, request: UntagResourceRequest) -> UntagResourceResponse:
    """Take tags away (ECS API_UntagResource)."""
    with ctx.store.write() as tx:
        _check_exists(tx, ctx, request.resource_arn)
        kept = [tag for tag in tags_of(tx, request.resource_arn) if tag.key not in request.tag_keys]
        put_tags(tx, request.resource_arn, kept)
    return UntagResourceResponse()


def list_tags_for_resource(ctx: Context, request: ListTagsForResourceRequest) -> ListTagsForResourceResponse:
    """The tags of a resource (ECS API_ListTagsForResource)."""
    with ctx.store.read() as view:
        _check_exists(view, ctx, request.resource_arn)
        return ListTagsForResourceResponse(tags=tags_of(view, request.resource_arn))


def _check_exists(view: View, ctx: Context, arn: str) -> str:
    """The kind of the resource, which is of the region and the account that are asked."""
    parsed = parse_arn(arn)
    ctx.scope.check(parsed)
    kind = parsed.kind
    if kind not in _TAGGABLE:
        raise invalid_parameter(f"Tagging is not supported for resource type {kind!r}.")
    if view.get(_TAGGABLE[kind], arn) is None:
        raise ApiError("ResourceNotFoundException", "The specified resource could not be found.")
    return kind
