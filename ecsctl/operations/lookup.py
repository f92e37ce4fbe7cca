"""Finding what a request names: clusters, container instances, task definitions, tasks, services."""

from __future__ import annotations

import re

from ecsctl.model.arn import ID, check_name, last_part, parse_arn
from ecsctl.model.cluster import Cluster
from ecsctl.model.common import Tag
from ecsctl.model.errors import ApiError, InputError, invalid_parameter
from ecsctl.model.loss import grace_problem
from ecsctl.model.stored import InstanceRecord, ServiceRecord, TagSet, TaskRecord
from ecsctl.model.tag_text import may_be_in_tag
from ecsctl.operations.context import Context
from ecsctl.store.store import Transaction, View
from ecsctl.store.tables import CLUSTERS, INSTANCES, SERVICES, TAGS, TASKS

SHORTEST = 4
"""How much of a task's id has to be given."""


def cluster_arn(ctx: Context, cluster: str | None) -> str:
    """The ARN of a cluster named by name or ARN; `default` when it is not named.

    InvalidParameterException for one of another region or account.
    """
    if cluster and cluster.startswith("arn:"):
        parsed = parse_arn(cluster)
        if parsed.kind != "cluster":
            raise invalid_parameter(f"Identifier is for {parsed.kind}. Cluster expected")
        ctx.scope.check(parsed)
        return cluster
    return ctx.scope.cluster(check_name(cluster or "default", "Cluster name", "InvalidParameterException"))


def find_cluster(view: View, ctx: Context, cluster: str | None) -> Cluster:
    """An ACTIVE cluster; ClusterNotFoundException."""
    found = view.get(CLUSTERS, cluster_arn(ctx, cluster))
    if found is None or found.status != "ACTIVE":
        raise ApiError("ClusterNotFoundException", "Cluster not found.")
    return found


def long_arn(cluster: Cluster, arn: str) -> str:
    """An ARN of a task, a service or a container instance with its cluster's name in it, as all are that are made here.
    Those of the short format that ECS had until 2018 lack it: what names one means the cluster of the request."""
    if arn.count("/") != 1:
        return arn
    kind, _, name = arn.partition("/")
    return f"{kind}/{cluster.cluster_name}/{name}"


def find_instance(view: View, cluster: Cluster, name: str) -> InstanceRecord | None:
    """A container instance by ARN, by id, or by the name of its host."""
    if name.startswith("arn:"):
        record = view.get(INSTANCES, long_arn(cluster, name))
        return record if record and record.cluster_arn == cluster.cluster_arn else None
    for record in view.find(INSTANCES, cluster=cluster.cluster_arn):
        if last_part(record.arn) == name or (record.name == name and record.instance.status != "INACTIVE"):
            return record
    return None


def find_task(view: View, cluster: Cluster, name: str) -> TaskRecord | None:
    """A task of a cluster by ARN, by id, or by the beginning of its id (four digits or more) if only one has it."""
    prefix = str(cluster.cluster_arn).replace(":cluster/", ":task/")
    record = view.get(TASKS, long_arn(cluster, name) if name.startswith("arn:") else f"{prefix}/{name}")
    if record is not None:
        return record if record.task.cluster_arn == cluster.cluster_arn else None
    if not SHORTEST <= len(name) < 32 or not re.fullmatch(ID, name.ljust(32, "0")):
        return None
    found = [r for r in view.find(TASKS, cluster=cluster.cluster_arn) if last_part(r.arn).startswith(name)]
    return found[0] if len(found) == 1 else None


def the_task(view: View, cluster: Cluster, name: str) -> TaskRecord:
    """As find_task; InvalidParameterException when there is none."""
    found = find_task(view, cluster, name)
    if found is None:
        hint = f"; give {SHORTEST} digits of its id or more" if 0 < len(name) < SHORTEST else ""
        raise invalid_parameter(f"The referenced task was not found: {name}{hint}")
    return found


def service_arn(cluster: Cluster, name: str) -> str:
    """The ARN of a cluster's service of that name."""
    return f"{cluster.cluster_arn}/{name}".replace(":cluster/", ":service/")


def schedule_arn(cluster: Cluster, name: str) -> str:
    """The ARN of a cluster's schedule of that name."""
    return f"{cluster.cluster_arn}/{name}".replace(":cluster/", ":schedule/")


def no_schedule(name: str) -> InputError:
    """What is said of one that is not there."""
    return InputError(f"there is no schedule {name!r}: see `ecsctl scheduled-tasks`")


def find_service(view: View, cluster: Cluster, name: str) -> ServiceRecord | None:
    """A service of a cluster by name or ARN; also one that is INACTIVE."""
    record = view.get(SERVICES, long_arn(cluster, name) if name.startswith("arn:") else service_arn(cluster, name))
    return record if record is not None and record.service.cluster_arn == cluster.cluster_arn else None


def the_service(view: View, cluster: Cluster, name: str) -> ServiceRecord:
    """As find_service; ServiceNotFoundException when there is none, or it is INACTIVE."""
    record = find_service(view, cluster, name)
    if record is None or record.service.status == "INACTIVE":
        raise ApiError("ServiceNotFoundException", f"Service not found: {name}")
    return record


def tags_of(view: View, arn: str | None) -> list[Tag]:
    """The tags of a resource."""
    found = view.get(TAGS, arn or "")
    return found.tags if found else []


def put_tags(tx: Transaction, arn: str, tags: list[Tag] | None) -> None:
    """Make these the tags of a resource."""
    if tags:
        tx.put(TAGS, TagSet(arn=arn, tags=tags))
    else:
        tx.delete(TAGS, arn=arn)


def check_tags(tags: list[Tag] | None) -> None:
    """At most 50, keys of 1 to 128 characters, values of up to 256, of letters, digits, spaces and `_ . : / = + - @`,
    none under `aws:` (ECS API_Tag)."""
    if len(tags or []) > 50:
        raise invalid_parameter("Tags can not have more than 50 elements.")
    for tag in tags or []:
        key = tag.key or ""
        if not 1 <= len(key) <= 128:
            raise invalid_parameter(f"Tag key {key!r} must have 1 to 128 characters.")
        if len(tag.value or "") > 256:
            raise invalid_parameter(f"The value of tag {key!r} has more than 256 characters.")
        if not may_be_in_tag(key + (tag.value or "")):
            raise invalid_parameter(f"Tag key {key!r}: use letters, digits, spaces and _ . : / = + - @ in tags.")
        if key.lower().startswith("aws:"):
            raise invalid_parameter(f"Tag key {key!r}: the prefix aws: is reserved.")
        if wrong := grace_problem(key, tag.value):
            raise invalid_parameter(f"Tag {key}: {wrong}.")
    keys = [tag.key for tag in tags or []]
    if len(set(keys)) < len(keys):
        raise invalid_parameter("Duplicate tag keys found.")
