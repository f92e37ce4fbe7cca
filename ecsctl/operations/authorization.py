"""What each action of ECS has to be allowed: of which resources, with which keys for conditions.

Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon Elastic Container Service".
Keys that begin with `ecsctl:` are ours, and so is `ecs:privileged` of what runs tasks: a revision from before a ban is
refused when it is to run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ecsctl.model.record import Record
from ecsctl.operations.authorization_keys import KEYS, Value, tag_keys
from ecsctl.operations.authorization_resources import NONE, RESOURCES, Asked, Resource
from ecsctl.operations.context import Context
from ecsctl.operations.lookup import tags_of
from ecsctl.store.store import View

_OF_DEFINITION = "ecs:privileged ecsctl:device ecsctl:host-network ecsctl:host-path ecsctl:image-registry"
_TAGS = "aws:RequestTag aws:TagKeys"
_OF_SERVICE = f"""
    ecs:auto-assign-public-ip ecs:capacity-provider ecs:cluster ecs:enable-ebs-volumes ecs:enable-ecs-managed-tags
    ecs:enable-execute-command ecs:enable-service-connect ecs:enable-vpc-lattice ecs:namespace ecs:propagate-tags
    ecs:subnet ecs:task-cpu ecs:task-definition ecs:task-memory {_OF_DEFINITION}
"""


class Rule(NamedTuple):
    """The kinds of the resources, none for an action that is about none; the keys besides the tags of the resources."""

    kinds: tuple[str, ...]
    keys: tuple[str, ...]


def _rule(kinds: str, keys: str = "") -> Rule:
    return Rule(tuple(kinds.split()), tuple(keys.split()))


_DEPLOYMENT = _rule("service service-deployment", f"ecs:cluster ecs:service {_OF_DEFINITION}")
_IN_CLUSTER = "ecs:cluster"
_INSTANCE = _rule("container-instance", _IN_CLUSTER)
_TASK = _rule("task", _IN_CLUSTER)
_SERVICE = _rule("service", _IN_CLUSTER)
_CLUSTER = _rule("cluster")
_ALL = _rule("")
_TASK_SET = "ecs:cluster ecs:service"

RULES: dict[str, Rule] = {
    "ContinueServiceDeployment": _DEPLOYMENT,
    "CreateCapacityProvider": _rule("capacity-provider", f"ecs:propagate-tags {_TAGS}"),
    "CreateCluster": _rule("cluster", f"ecs:capacity-provider {_TAGS}"),
    "CreateService": _rule("service", f"{_OF_SERVICE} {_TAGS}"),
    "CreateTaskSet": _rule(
        "task-set", f"{_TASK_SET} ecs:capacity-provider ecs:task-definition {_OF_DEFINITION} {_TAGS}"
    ),
    "DeleteAccountSetting": _rule("", "ecs:account-setting"),
    "DeleteAttributes": _INSTANCE,
    "DeleteCapacityProvider": _rule("capacity-provider"),
    "DeleteCluster": _CLUSTER,
    "DeleteService": _SERVICE,
    "DeleteTaskDefinitions": _rule("task-definition"),
    "DeleteTaskSet": _rule("task-set", _TASK_SET),
    "DeregisterContainerInstance": _CLUSTER,
    "DeregisterTaskDefinition": _ALL,
    "DescribeCapacityProviders": _rule("capacity-provider"),
    "DescribeClusters": _CLUSTER,
    "DescribeContainerInstances": _INSTANCE,
    "DescribeServiceDeployments": _rule("service service-deployment", "ecs:cluster ecs:service"),
    "DescribeServiceRevisions": _rule("service service-revision", "ecs:cluster ecs:service"),
    "DescribeServices": _SERVICE,
    "DescribeTaskDefinition": _ALL,
    "DescribeTaskSets": _rule("task-set", _TASK_SET),
    "DescribeTasks": _TASK,
    "DiscoverPollEndpoint": _ALL,
    "ExecuteCommand": _rule("cluster task", "ecs:cluster ecs:container-name ecs:task"),
    "GetTaskProtection": _TASK,
    "ListAccountSettings": _ALL,
    "ListAttributes": _CLUSTER,
    "ListClusters": _ALL,
    "ListContainerInstances": _CLUSTER,
    "ListServiceDeployments": _SERVICE,
    "ListServices": _rule("", _IN_CLUSTER),
    "ListServicesByNamespace": _rule("", "ecs:namespace"),
    "ListTagsForResource": _rule("resource"),
    "ListTaskDefinitionFamilies": _ALL,
    "ListTaskDefinitions": _ALL,
    "ListTasks": _INSTANCE,
    "PutAccountSetting": _rule("", "ecs:account-setting"),
    "PutAccountSettingDefault": _rule("", "ecs:account-setting"),
    "PutAttributes": _INSTANCE,
    "PutClusterCapacityProviders": _rule("cluster", "ecs:capacity-provider"),
    "RegisterContainerInstance": _rule("cluster", _TAGS),
    "RegisterTaskDefinition": _rule(
        "task-definition", f"ecs:compute-compatibility ecs:task-cpu ecs:task-memory {_OF_DEFINITION} {_TAGS}"
    ),
    "RunTask": _rule(
        "task-definition",
        "ecs:auto-assign-public-ip ecs:capacity-provider ecs:cluster ecs:enable-ebs-volumes ecs:enable-ecs-managed-tags"
        f" ecs:enable-execute-command ecs:propagate-tags ecs:subnet {_OF_DEFINITION} {_TAGS}",
    ),
    "StartTask": _rule(
        "task-definition",
        "ecs:auto-assign-public-ip ecs:cluster ecs:container-instances ecs:enable-ebs-volumes"
        " ecs:enable-ecs-managed-tags ecs:enable-execute-command ecs:propagate-tags ecs:subnet"
        f" {_OF_DEFINITION} {_TAGS}",
    ),
    "StopServiceDeployment": _DEPLOYMENT,
    "StopTask": _TASK,
    "SubmitAttachmentStateChanges": _CLUSTER,
    "SubmitContainerStateChange": _CLUSTER,
    "SubmitTaskStateChange": _CLUSTER,
    "TagResource": _rule("resource", f"ecs:CreateAction {_TAGS}"),
    "UntagResource": _rule("resource", "aws:TagKeys"),
    "UpdateCapacityProvider": _rule("capacity-provider", "ecs:propagate-tags"),
    "UpdateCluster": _CLUSTER,
    "UpdateClusterSettings": _CLUSTER,
    "UpdateContainerAgent": _INSTANCE,
    "UpdateContainerInstancesState": _INSTANCE,
    "UpdateService": _rule("service", _OF_SERVICE),
    "UpdateServicePrimaryTaskSet": _rule("service", f"{_IN_CLUSTER} {_OF_DEFINITION}"),
    "UpdateTaskProtection": _TASK,
    "UpdateTaskSet": _rule("task-set", f"{_TASK_SET} {_OF_DEFINITION}"),
}
"""Of each action. One that is not among them is allowed by `"Resource": "*"` alone."""

_MADE = {
    "CreateCapacityProvider": "capacity-provider",
    "CreateCluster": "cluster",
    "CreateService": "service",
    "CreateTaskSet": "task-set",
    "RegisterContainerInstance": "container-instance",
    "RegisterTaskDefinition": "task-definition",
    "RunTask": "task",
    "StartTask": "task",
}
"""What an action makes: to give it tags, ecs:TagResource is needed too (ECS developer guide, "Grant permission to tag
resources on creation")."""
_PASSES = frozenset(
    {"CreateService", "CreateTaskSet", "RegisterTaskDefinition", "RunTask", "StartTask", "UpdateService"}
)
"""What gives roles to tasks and services."""


class Need(NamedTuple):
    """One thing that has to be allowed."""

    action: str
    resource: Resource
    keys: dict[str, str | list[str]]


def needs_of(ctx: Context, view: View, action: str, request: Record) -> Iterator[Need]:
    """All that has to be allowed for a request of an action of ECS (`RunTask`)."""
    asked = Asked(ctx, view, action, request)
    rule = RULES.get(action, _ALL)
    for resource in [found for kind in rule.kinds for found in RESOURCES[kind](asked)] or [NONE]:
        yield Need(f"ecs:{action}", resource, {**_keys(asked, rule, resource.arn), **_resource_tags(view, resource)})
    if action in _MADE and asked.member("tags"):
        keys = {**dict(_present(tag_keys(asked))), "ecs:CreateAction": action}
        for resource in _made(asked, _MADE[action]):
            yield Need("ecs:TagResource", resource, keys)
    if action in _PASSES:
        for role, service in _roles(asked):
            yield Need("iam:PassRole", Resource(role, role), {"iam:PassedToService": service})


def _keys(asked: Asked, rule: Rule, arn: str) -> dict[str, str | list[str]]:
    values = [(key, KEYS[key](asked, arn)) for key in rule.keys if key in KEYS]
    return dict(_present([*values, *(tag_keys(asked) if "aws:TagKeys" in rule.keys else ())]))


def _present(values: Iterable[tuple[str, Value]]) -> Iterator[tuple[str, str | list[str]]]:
    return ((key, value) for key, value in values if value is not None)


def _resource_tags(view: View, resource: Resource) -> dict[str, str | list[str]]:
    tags = tags_of(view, resource.arn)
    return {f"{prefix}:ResourceTag/{tag.key}": tag.value or "" for tag in tags for prefix in ("aws", "ecs")}


def _made(asked: Asked, kind: str) -> list[Resource]:
    if kind in ("task", "container-instance"):  # its id is not known before
        arn = asked.within(kind, "*")
        return [Resource(arn, arn)]
    return RESOURCES[kind](asked)


def _roles(asked: Asked) -> Iterator[tuple[str, str]]:
    """The ARNs of the roles that are passed on, and to what."""
    overrides = asked.member("overrides")
    definition = asked.definition if asked.member("task_definition", "family") else None
    for name in ("task_role_arn", "execution_role_arn"):
        role = getattr(overrides, name, None) or getattr(definition, name, None)
        if role:
            yield _role(asked, role), "ecs-tasks.amazonaws.com"
    connect = asked.member("service_connect_configuration")
    of_ecs = [
        asked.member("role"),
        *(v.managed_ebs_volume.role_arn for v in asked.member("volume_configurations") or [] if v.managed_ebs_volume),
        *(one.role_arn for one in asked.member("vpc_lattice_configurations") or []),
        *(one.tls.role_arn for one in (connect.services if connect else None) or [] if one.tls),
        *(
            one.advanced_configuration.role_arn
            for one in asked.member("load_balancers") or []
            if one.advanced_configuration
        ),
    ]
    for role in filter(None, of_ecs):
        yield _role(asked, role), "ecs.amazonaws.com"


def _role(asked: Asked, role: str) -> str:
    return role if role.startswith("arn:") else f"arn:aws:iam::{asked.ctx.scope.account}:role/{role.lstrip('/')}"
