"""Each request of ECS is judged by its own resources."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecsctl.model.errors import ApiError
from ecsctl.model.record import decode
from ecsctl.operations.access import authorize
from ecsctl.operations.actions import ROOMS, shape_of
from ecsctl.operations.authorization import RULES, needs_of
from ecsctl.operations.authorization_keys import KEYS
from ecsctl.operations.authorization_resources import RESOURCES
from ecsctl.operations.context import Context
from ecsctl.server import protocol
from tests.controller.world import World
from tests.operations.iam_calls import HERE, asks, call, may, register, statement, user
from tests.server.test_fuzz import requests


@pytest.fixture
def ctx(world: World) -> Context:
    return world.process()


ID = "0" * 31 + "1"

REQUESTS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("CreateCapacityProvider", {"name": "spare"}, ["capacity-provider/spare"]),
    ("CreateCluster", {}, ["cluster/default"]),
    ("CreateCluster", {"clusterName": "prod"}, ["cluster/prod"]),
    ("CreateService", {"serviceName": "web", "cluster": "prod"}, ["service/prod/web"]),
    (
        "CreateTaskSet",
        {"cluster": "prod", "service": "web", "taskDefinition": "app"},
        ["task-set/prod/web/*"],
    ),
    (
        "ContinueServiceDeployment",
        {"serviceDeploymentArn": f"{HERE}service-deployment/prod/web/1", "hookId": "h"},
        ["service/prod/web", "service-deployment/prod/web/1"],
    ),
    ("DeleteAccountSetting", {"name": "containerInsights"}, ["*"]),
    ("DeleteAttributes", {"attributes": [{"name": "a", "targetId": "x"}]}, ["container-instance/default/x"]),
    ("DeleteCapacityProvider", {"capacityProvider": "spare"}, ["capacity-provider/spare"]),
    ("DeleteCluster", {"cluster": f"{HERE}cluster/prod"}, ["cluster/prod"]),
    ("DeleteService", {"service": "web"}, ["service/default/web"]),
    (
        "DeleteTaskDefinitions",
        {"taskDefinitions": ["app:1", "no:2"]},
        ["task-definition/app:1", "task-definition/no:2"],
    ),
    (
        "DeleteTaskSet",
        {"cluster": "prod", "service": "web", "taskSet": f"{HERE}task-set/other/other/ecs-svc/7"},
        ["task-set/prod/web/7"],
    ),
    ("DeregisterContainerInstance", {"containerInstance": "x", "cluster": "prod"}, ["cluster/prod"]),
    ("DeregisterTaskDefinition", {"taskDefinition": "app:1"}, ["*"]),
    ("DescribeCapacityProviders", {}, ["capacity-provider/*"]),
    ("DescribeCapacityProviders", {"capacityProviders": ["a", "b"]}, ["capacity-provider/a", "capacity-provider/b"]),
    ("DescribeClusters", {}, ["cluster/default"]),
    ("DescribeClusters", {"clusters": ["a", f"{HERE}cluster/b"]}, ["cluster/a", "cluster/b"]),
    ("DescribeContainerInstances", {"containerInstances": ["x"], "cluster": "p"}, ["container-instance/p/x"]),
    (
        "DescribeServiceDeployments",
        {"serviceDeploymentArns": [f"{HERE}service-deployment/p/w/{n}" for n in "12"]},
        ["service/p/w", "service-deployment/p/w/1", "service-deployment/p/w/2"],
    ),
    (
        "DescribeServiceRevisions",
        {"serviceRevisionArns": [f"{HERE}service-revision/p/w/1"]},
        ["service/p/w", "service-revision/p/w/1"],
    ),
    (
        "DescribeServices",
        {"services": ["web", f"{HERE}service/other/web"]},
        ["service/default/web", "service/other/web"],
    ),
    ("DescribeServices", {"services": [f"{HERE}service/web"], "cluster": "p"}, ["service/p/web"]),
    ("DescribeTaskDefinition", {"taskDefinition": "app"}, ["*"]),
    ("DescribeTaskSets", {"cluster": "p", "service": "w"}, ["task-set/p/w/*"]),
    ("DescribeTasks", {"tasks": [ID, f"{HERE}task/other/{ID}"]}, [f"task/default/{ID}", f"task/other/{ID}"]),
    ("DescribeTasks", {"tasks": [f"{HERE}task/{ID}"], "cluster": "p"}, [f"task/p/{ID}"]),
    ("ExecuteCommand", {"task": ID, "command": "ls", "interactive": True}, ["cluster/default", f"task/default/{ID}"]),
    ("GetTaskProtection", {"cluster": "p"}, ["task/p/*"]),
    ("ListAccountSettings", {}, ["*"]),
    ("ListAttributes", {"targetType": "container-instance"}, ["cluster/default"]),
    ("ListClusters", {}, ["*"]),
    ("ListContainerInstances", {"cluster": "p"}, ["cluster/p"]),
    ("ListServiceDeployments", {"service": "web"}, ["service/default/web"]),
    ("ListServices", {}, ["*"]),
    ("ListServicesByNamespace", {"namespace": "shop"}, ["*"]),
    ("ListTagsForResource", {"resourceArn": f"{HERE}cluster/p"}, ["cluster/p"]),
    ("ListTaskDefinitionFamilies", {}, ["*"]),
    ("ListTaskDefinitions", {}, ["*"]),
    ("ListTasks", {"cluster": "p"}, ["container-instance/p/*"]),
    ("ListTasks", {"containerInstance": "x"}, ["container-instance/default/x"]),
    ("PutAccountSetting", {"name": "containerInsights", "value": "enabled"}, ["*"]),
    ("PutAccountSettingDefault", {"name": "containerInsights", "value": "enabled"}, ["*"]),
    ("PutAttributes", {"attributes": [{"name": "a", "targetId": "x"}]}, ["container-instance/default/x"]),
    (
        "PutClusterCapacityProviders",
        {"cluster": "p", "capacityProviders": [], "defaultCapacityProviderStrategy": []},
        ["cluster/p"],
    ),
    ("RegisterContainerInstance", {"cluster": "p"}, ["cluster/p"]),
    ("RegisterTaskDefinition", {"family": "new", "containerDefinitions": []}, ["task-definition/new:*"]),
    ("RunTask", {"taskDefinition": "app"}, ["task-definition/app:2"]),
    ("RunTask", {"taskDefinition": "app:1"}, ["task-definition/app:1"]),
    ("RunTask", {"taskDefinition": "no"}, ["task-definition/no:*"]),
    ("StartTask", {"taskDefinition": "app", "containerInstances": ["x"]}, ["task-definition/app:2"]),
    (
        "StopServiceDeployment",
        {"serviceDeploymentArn": f"{HERE}service-deployment/p/w/1"},
        ["service/p/w", "service-deployment/p/w/1"],
    ),
    ("StopTask", {"task": ID, "cluster": "p"}, [f"task/p/{ID}"]),
    ("SubmitContainerStateChange", {"cluster": "p"}, ["cluster/p"]),
    ("SubmitTaskStateChange", {"cluster": "p"}, ["cluster/p"]),
    ("TagResource", {"resourceArn": f"{HERE}task/p/1", "tags": []}, ["task/p/1"]),
    ("UntagResource", {"resourceArn": f"{HERE}task/p/1", "tagKeys": []}, ["task/p/1"]),
    ("UpdateCapacityProvider", {"name": "spare"}, ["capacity-provider/spare"]),
    ("UpdateCluster", {"cluster": "p"}, ["cluster/p"]),
    ("UpdateClusterSettings", {"cluster": "p", "settings": []}, ["cluster/p"]),
    ("UpdateContainerAgent", {"containerInstance": "x"}, ["container-instance/default/x"]),
    (
        "UpdateContainerInstancesState",
        {"containerInstances": ["x", "y"], "status": "DRAINING"},
        ["container-instance/default/x", "container-instance/default/y"],
    ),
    ("UpdateService", {"service": "web"}, ["service/default/web"]),
    ("UpdateServicePrimaryTaskSet", {"cluster": "p", "service": "w", "primaryTaskSet": "7"}, ["service/p/w"]),
    ("UpdateTaskProtection", {"cluster": "p", "tasks": [ID], "protectionEnabled": True}, [f"task/p/{ID}"]),
    (
        "UpdateTaskSet",
        {"cluster": "p", "service": "w", "taskSet": "7", "scale": {"value": 1.0}},
        ["task-set/p/w/7"],
    ),
]


def test_every_action_of_ecs_has_a_rule_and_is_tried() -> None:
    assert ROOMS.keys() <= RULES.keys()
    assert {action for action, _, _ in REQUESTS} >= ROOMS.keys()
    of_tags = {"aws:RequestTag", "aws:TagKeys", "ecs:CreateAction"}
    for rule in RULES.values():
        assert set(rule.kinds) <= RESOURCES.keys()
        assert set(rule.keys) <= KEYS.keys() | of_tags


@pytest.mark.parametrize(("action", "request_", "resources"), [case for case in REQUESTS if case[0] in ROOMS])
def test_each_resource_of_a_request_has_to_be_allowed(
    ctx: Context, action: str, request_: dict[str, Any], resources: list[str]
) -> None:
    for _ in range(2):
        register(ctx)
    request = decode(shape_of(action, "Request"), request_)
    with ctx.store.read() as view:
        needs = list(needs_of(ctx, view, action, request))
    arns = ["*" if name == "*" else HERE + name for name in resources]
    assert [(need.action, need.resource.arn) for need in needs] == [(f"ecs:{action}", arn) for arn in arns]
    who = user(ctx)
    for arn in arns:
        rest = [other for other in arns if other != arn]
        may(ctx, statement(Action=f"ecs:{action}", Resource=rest or [HERE + "nothing"]))
        assert "because no identity-based policy allows" in asks(ctx, who, action, **request_)
    may(ctx, statement(Action=f"ecs:{action}", Resource=arns))
    assert asks(ctx, who, action, **request_) == ""


def test_whatever_is_asked_is_judged_or_refused_in_the_words_of_ecs(ctx: Context) -> None:
    register(ctx)
    call(ctx, "CreateService", serviceName="web", taskDefinition="app", desiredCount=0)
    who = user(ctx, statement(Action="ecs:*", Condition={"StringLike": {"ecs:cluster": f"{HERE}cluster/d*"}}))
    protocol.prepare()

    @given(
        st.sampled_from(sorted(ROOMS)).flatmap(
            lambda name: st.tuples(st.just(name), requests(shape_of(name, "Request")))
        )
    )
    @settings(max_examples=200, deadline=None)
    def judged(asked: tuple[str, dict[str, Any]]) -> None:
        action, data = asked
        try:
            request = protocol.request_in(action, json.dumps(data).encode())
        except ApiError:
            return
        with suppress(ApiError):
            authorize(ctx, who, f"ecs:{action}", request)

    judged()
