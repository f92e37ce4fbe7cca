"""Who may do what over the wire: policies and the requests of ECS, attack by attack."""

from __future__ import annotations

from typing import Any

import pytest

from ecsctl.model.errors import ApiError
from ecsctl.model.record import decode
from ecsctl.model.stored import InstanceRecord
from ecsctl.operations.access import Principal, authorize, authorize_plain
from ecsctl.operations.actions import shape_of
from ecsctl.operations.context import Context
from ecsctl.operations.reconcile import reconcile
from ecsctl.store.iam_tables import POLICIES, USERS
from ecsctl.store.tables import INSTANCES
from tests.controller.world import World
from tests.operations.iam_calls import HERE, asks, call, iam, may, policy_of, register, statement, user

ALL = statement()
ID = "0" * 31 + "1"


@pytest.fixture
def ctx(world: World) -> Context:
    return world.process()


def first_host(ctx: Context) -> InstanceRecord:
    with ctx.store.read() as view:
        return view.find(INSTANCES, limit=1)[0]


def test_the_root_of_the_account_may_do_all(ctx: Context) -> None:
    root = Principal.root("000000000000")
    assert root.is_root
    assert asks(ctx, root, "ListClusters") == ""
    authorize_plain(ctx, root, "logs:GetLogEvents", [])


# Attacks, by their numbers.


def test_a10_an_explicit_deny_wins(ctx: Context) -> None:
    who = user(ctx, policy_of(statement(Action="ecs:*"), statement(Effect="Deny", Action="ecs:StopTask")))
    assert asks(ctx, who, "StopTask", task=ID) == (
        "User: arn:aws:iam::000000000000:user/ann is not authorized to perform: ecs:StopTask on resource: "
        f"{HERE}task/default/{ID} with an explicit deny in an identity-based policy"
    )
    assert asks(ctx, who, "DescribeTasks", tasks=[ID]) == ""


def test_a11_without_a_policy_nothing_is_allowed(ctx: Context) -> None:
    assert asks(ctx, user(ctx), "ListClusters") == (
        "User: arn:aws:iam::000000000000:user/ann is not authorized to perform: ecs:ListClusters on resource: * "
        "because no identity-based policy allows the ecs:ListClusters action"
    )


def test_a12_the_case_of_an_action_does_not_matter(ctx: Context) -> None:
    who = user(ctx, statement(Action="ECS:RUNTASK"))
    assert asks(ctx, who, "RunTask", taskDefinition="app") == ""


def test_a13_a_pattern_of_tasks_does_not_reach_into_another_cluster(ctx: Context) -> None:
    who = user(ctx, statement(Action="ecs:StopTask", Resource=f"{HERE}task/prod/*"))
    assert asks(ctx, who, "StopTask", task="x", cluster="prod2")
    assert asks(ctx, who, "StopTask", task=f"{HERE}task/prod2/x", cluster="prod")
    assert asks(ctx, who, "StopTask", task="a/b", cluster="prod") == ""  # there is none of that name


def test_a15_whether_it_is_privileged_is_always_said(ctx: Context) -> None:
    register(ctx)
    ban = statement(Effect="Deny", Condition={"StringNotEquals": {"ecs:privileged": "false"}})
    who = user(ctx, policy_of(ALL, ban))
    assert asks(ctx, who, "RunTask", taskDefinition="app") == ""
    assert asks(ctx, who, "CreateService", serviceName="web", taskDefinition="app") == ""
    assert "explicit deny" in asks(ctx, who, "ListClusters")  # no such key: the negated operator holds


def test_a18_a_privileged_revision_from_before_a_ban_does_not_run(ctx: Context, world: World) -> None:
    register(ctx, privileged=True)
    call(ctx, "CreateService", serviceName="web", taskDefinition="app", desiredCount=0)
    ban = statement(Effect="Deny", Condition={"StringEquals": {"ecs:privileged": "true"}})
    who = user(ctx, policy_of(ALL, ban))
    for action, request in (
        ("RunTask", {"taskDefinition": "app"}),
        ("RunTask", {"taskDefinition": "app:1"}),
        ("RunTask", {"taskDefinition": f"{HERE}task-definition/app:1"}),
        ("StartTask", {"taskDefinition": "app", "containerInstances": ["host-1"]}),
        ("CreateService", {"serviceName": "other", "taskDefinition": "app"}),
        ("UpdateService", {"service": "web", "desiredCount": 1}),
        ("UpdateService", {"service": f"{HERE}service/default/web", "forceNewDeployment": True}),
        (
            "RegisterTaskDefinition",
            {"family": "x", "containerDefinitions": [{"name": "a", "image": "b"}, {"name": "c", "privileged": True}]},
        ),
    ):
        assert "explicit deny" in asks(ctx, who, action, **request), action
    register(ctx)
    assert asks(ctx, who, "RunTask", taskDefinition="app") == ""
    assert asks(ctx, who, "UpdateService", service="web", taskDefinition="app", desiredCount=1) == ""


def test_a18_a_deployment_is_not_rolled_back_to_a_privileged_revision_from_before_a_ban(
    ctx: Context, world: World
) -> None:
    register(ctx, privileged=True)
    register(ctx)
    call(ctx, "CreateService", serviceName="web", taskDefinition="app:1", desiredCount=1)
    for _ in range(30):
        world.clock.seconds += 5
        reconcile(world.process())
    call(ctx, "UpdateService", service="web", taskDefinition="app:2")
    deployment = call(ctx, "DescribeServices", services=["web"]).services[0].current_service_deployment
    ban = statement(Effect="Deny", Condition={"StringEquals": {"ecs:privileged": "true"}})
    who = user(ctx, policy_of(ALL, ban))
    going = {"serviceDeploymentArn": deployment}
    held = {**going, "hookId": "1-POST_SCALE_UP"}
    assert "explicit deny" in asks(ctx, who, "StopServiceDeployment", **going)
    assert "explicit deny" in asks(ctx, who, "StopServiceDeployment", **going, stopType="ROLLBACK")
    assert "explicit deny" in asks(ctx, who, "ContinueServiceDeployment", **held, action="ROLLBACK")
    assert asks(ctx, who, "StopServiceDeployment", **going, stopType="ABORT") == ""
    assert asks(ctx, who, "ContinueServiceDeployment", **held) == ""


OWN_KEYS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("ecsctl:host-network", {"StringEquals": "true"}, {"networkMode": "host"}),
    (
        "ecsctl:host-path",
        {"ForAnyValue:StringLike": "/srv/*"},
        {"volumes": [{"name": "v", "host": {"sourcePath": "/srv/x"}}]},
    ),
    (
        "ecsctl:image-registry",
        {"ForAnyValue:StringNotEquals": "docker.io"},
        {"containerDefinitions": [{"name": "a", "image": "evil.example/x", "memory": 16}]},
    ),
    (
        "ecsctl:device",
        {"ForAnyValue:StringLike": "/dev/*"},
        {
            "containerDefinitions": [
                {"name": "a", "image": "b", "memory": 16, "linuxParameters": {"devices": [{"hostPath": "/dev/fuse"}]}}
            ]
        },
    ),
]


@pytest.mark.parametrize(("key", "condition", "fields"), OWN_KEYS)
def test_what_reaches_the_host_can_be_denied_when_it_is_registered_and_when_it_runs(
    ctx: Context, key: str, condition: dict[str, Any], fields: dict[str, Any]
) -> None:
    register(ctx, "plain")
    register(ctx, "bold", **fields)
    ((operator, value),) = condition.items()
    who = user(ctx, policy_of(ALL, statement(Effect="Deny", Condition={operator: {key: value}})))
    plain = {"family": "x", "containerDefinitions": [{"name": "a", "image": "busybox", "memory": 16}]}
    assert "explicit deny" in asks(ctx, who, "RegisterTaskDefinition", **{**plain, **fields})
    assert asks(ctx, who, "RegisterTaskDefinition", **plain) == ""
    for action, request in (("RunTask", {}), ("CreateService", {"serviceName": "s"})):
        assert "explicit deny" in asks(ctx, who, action, taskDefinition="bold", **request)
        assert asks(ctx, who, action, taskDefinition="plain", **request) == ""


def test_a19_lists_of_a_cluster_that_one_may_not_see_are_refused_whole(ctx: Context) -> None:
    mine = {"ArnEquals": {"ecs:cluster": f"{HERE}cluster/mine"}}
    who = user(ctx, statement(Action=["ecs:ListTasks", "ecs:ListServices"], Condition=mine))
    for action in ("ListTasks", "ListServices"):
        assert asks(ctx, who, action, cluster="mine") == ""
        assert asks(ctx, who, action, cluster="other")
        assert asks(ctx, who, action)


def test_deployments_of_several_clusters_are_each_judged_by_their_own(ctx: Context) -> None:
    mine = {"ArnEquals": {"ecs:cluster": f"{HERE}cluster/mine"}}
    who = user(ctx, statement(Action="ecs:DescribeServiceDeployments", Condition=mine))
    arns = [f"{HERE}service-deployment/{cluster}/web/1" for cluster in ("mine", "other")]
    assert asks(ctx, who, "DescribeServiceDeployments", serviceDeploymentArns=arns[:1]) == ""
    assert asks(ctx, who, "DescribeServiceDeployments", serviceDeploymentArns=arns)


def test_a20_and_a50_what_one_may_not_see_is_denied_alike_whether_it_is_there_or_not(
    ctx: Context, world: World
) -> None:
    register(ctx, "there")
    task = call(ctx, "RunTask", taskDefinition="there").tasks[0].task_arn.rpartition("/")[2]
    call(ctx, "CreateService", serviceName="there", taskDefinition="there", desiredCount=0)
    who = user(ctx, statement(Action="ecs:*", Resource=f"{HERE}cluster/mine"))
    for action, request in (
        ("RunTask", {"taskDefinition": "NAME"}),
        ("UpdateService", {"service": "NAME", "desiredCount": 1}),
        ("DescribeServices", {"services": ["NAME"]}),
        ("CreateService", {"serviceName": "s", "taskDefinition": "NAME"}),
    ):
        said = [asks(ctx, who, action, **_with(request, name)).replace(name, "NAME") for name in ("there", "nowhere")]
        assert said[0] == said[1] != ""
    for prefix in (task, task[:8]):
        denied = asks(ctx, who, "StopTask", task=prefix)
        assert denied.replace(prefix, "f" * len(prefix)) == asks(ctx, who, "StopTask", task="f" * len(prefix))
    host = first_host(ctx).name
    denied = asks(ctx, who, "DescribeContainerInstances", containerInstances=[host])
    assert denied.replace(host, "nowhere") == asks(
        ctx, who, "DescribeContainerInstances", containerInstances=["nowhere"]
    )


def _with(request: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: [name] if value == ["NAME"] else name if value == "NAME" else value for key, value in request.items()}


def test_what_is_named_by_less_than_its_id_is_judged_by_what_it_is(ctx: Context, world: World) -> None:
    register(ctx)
    arn = call(ctx, "RunTask", taskDefinition="app").tasks[0].task_arn
    who = user(ctx, policy_of(ALL, statement(Effect="Deny", Action="ecs:StopTask", Resource=arn)))
    assert "explicit deny" in asks(ctx, who, "StopTask", task=arn.rpartition("/")[2][:6])
    instance = first_host(ctx)
    may(ctx, policy_of(ALL, statement(Effect="Deny", Action="ecs:*", Resource=instance.arn)))
    assert "explicit deny" in asks(ctx, who, "DescribeContainerInstances", containerInstances=[instance.name])


def test_a_service_by_an_arn_of_the_short_format_is_judged_as_what_it_is(ctx: Context) -> None:
    register(ctx)
    call(ctx, "CreateService", serviceName="web", taskDefinition="app", desiredCount=0)
    deny = statement(Effect="Deny", Action="ecs:*", Resource=f"{HERE}service/default/web")
    who = user(ctx, policy_of(ALL, deny))
    for name in ("web", f"{HERE}service/web", f"{HERE}service/default/web"):
        assert call(ctx, "DescribeServices", services=[name]).services
        assert "explicit deny" in asks(ctx, who, "UpdateService", service=name, desiredCount=1)


def test_a21_tags_are_not_given_to_reach_what_they_open(ctx: Context) -> None:
    open_ = statement(Condition={"StringEquals": {"aws:ResourceTag/team": "a"}})
    on_creation = statement(
        Action="ecs:TagResource", Condition={"StringEquals": {"ecs:CreateAction": ["CreateCluster", "RunTask"]}}
    )
    create = statement(Action=["ecs:CreateCluster", "ecs:RunTask"])
    call(ctx, "CreateCluster", clusterName="prod")
    who = user(ctx, policy_of(open_, on_creation, create))
    tags = [{"key": "team", "value": "a"}]
    prod = {"resourceArn": f"{HERE}cluster/prod", "tags": tags}
    assert asks(ctx, who, "TagResource", **prod)
    assert asks(ctx, who, "DescribeClusters", clusters=["prod"])
    call(ctx, "TagResource", **prod)
    assert asks(ctx, who, "DescribeClusters", clusters=["prod"]) == ""
    assert asks(ctx, who, "CreateCluster", clusterName="new", tags=tags) == ""
    assert asks(ctx, who, "RunTask", taskDefinition="app", tags=tags) == ""
    may(ctx, create)
    assert asks(ctx, who, "CreateCluster", clusterName="new") == ""
    assert "ecs:TagResource on resource" in asks(ctx, who, "CreateCluster", clusterName="new", tags=tags)
    assert f"{HERE}task/default/*" in asks(ctx, who, "RunTask", taskDefinition="app", tags=tags)


def test_tags_that_are_asked_for_can_be_a_condition(ctx: Context) -> None:
    needed = {
        "StringEquals": {"aws:RequestTag/team": "${aws:username}"},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]},
    }
    who = user(ctx, policy_of(statement(Action="ecs:TagResource"), statement(Condition=needed)))
    assert asks(ctx, who, "CreateCluster", tags=[{"key": "team", "value": "ann"}]) == ""
    assert asks(ctx, who, "CreateCluster", tags=[{"key": "team", "value": "bob"}])
    assert asks(ctx, who, "CreateCluster", tags=[{"key": "team", "value": "ann"}, {"key": "x", "value": "y"}])
    assert asks(ctx, who, "CreateCluster")


ROLE = "arn:aws:iam::000000000000:role/app"


def test_roles_are_passed_by_who_may_pass_them(ctx: Context) -> None:
    register(ctx, "with", taskRoleArn=ROLE, executionRoleArn="arn:aws:iam::000000000000:role/start")
    register(ctx, "without")
    to_tasks = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    who = user(ctx, statement(Action="ecs:*"))
    asked: list[tuple[str, dict[str, Any]]] = [
        ("RunTask", {"taskDefinition": "with"}),
        ("RunTask", {"taskDefinition": "without", "overrides": {"taskRoleArn": "app"}}),
        ("StartTask", {"taskDefinition": "with", "containerInstances": ["x"]}),
        ("CreateService", {"serviceName": "s", "taskDefinition": "with"}),
        ("UpdateService", {"service": "s", "taskDefinition": "with"}),
        ("RegisterTaskDefinition", {"family": "x", "containerDefinitions": [], "taskRoleArn": ROLE}),
    ]
    for action, request in asked:
        assert asks(ctx, who, action, **request) == (
            f"User: arn:aws:iam::000000000000:user/ann is not authorized to perform: iam:PassRole on resource: {ROLE} "
            "because no identity-based policy allows the iam:PassRole action"
        )
    passes = statement(Action="iam:PassRole", Resource="arn:aws:iam::*:role/*", Condition=to_tasks)
    may(ctx, policy_of(statement(Action="ecs:*"), passes))
    for action, request in asked:
        assert asks(ctx, who, action, **request) == ""
    assert asks(ctx, who, "RunTask", taskDefinition="without") == ""
    assert "role/lb" in asks(ctx, who, "CreateService", serviceName="s", taskDefinition="without", role="lb")
    may(ctx, statement(Action="ecs:*"))
    override = {"taskRoleArn": ROLE, "executionRoleArn": ROLE}
    assert ROLE in asks(ctx, who, "RunTask", taskDefinition="without", overrides=override)


def test_keys_of_a_service_can_be_conditions(ctx: Context) -> None:
    register(ctx, cpu="256", memory="512")
    service: dict[str, Any] = {"serviceName": "web", "taskDefinition": "app", "cluster": "prod"}
    network = {"awsvpcConfiguration": {"subnets": ["a", "b"], "assignPublicIp": "ENABLED"}}
    cases: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
        ({"ArnLike": {"ecs:cluster": f"{HERE}cluster/prod"}}, {}, True),
        ({"ArnLike": {"ecs:task-definition": f"{HERE}task-definition/app:1"}}, {}, True),
        ({"ArnLike": {"ecs:task-definition": f"{HERE}task-definition/app:2"}}, {}, False),
        ({"NumericLessThanEquals": {"ecs:task-cpu": 256, "ecs:task-memory": 512}}, {}, True),
        ({"NumericLessThan": {"ecs:task-cpu": "256"}}, {}, False),
        ({"StringEquals": {"ecs:enable-execute-command": "false"}}, {}, True),
        ({"StringEquals": {"ecs:enable-execute-command": "false"}}, {"enableExecuteCommand": True}, False),
        ({"Bool": {"ecs:auto-assign-public-ip": "false"}}, {}, True),
        ({"Bool": {"ecs:auto-assign-public-ip": "false"}}, {"networkConfiguration": network}, False),
        ({"ForAllValues:StringEquals": {"ecs:subnet": ["a", "b"]}}, {"networkConfiguration": network}, True),
        ({"ForAllValues:StringEquals": {"ecs:subnet": ["a"]}}, {"networkConfiguration": network}, False),
        (
            {"ForAnyValue:ArnLike": {"ecs:capacity-provider": f"{HERE}capacity-provider/spare"}},
            {"capacityProviderStrategy": [{"capacityProvider": "spare"}]},
            True,
        ),
        (
            {"StringEquals": {"ecs:namespace": "shop"}},
            {"serviceConnectConfiguration": {"enabled": True, "namespace": "shop"}},
            True,
        ),
        ({"StringEquals": {"ecs:enable-service-connect": "true"}}, {}, False),
        ({"StringEquals": {"aws:RequestedRegion": "us-east-1", "aws:PrincipalType": "User"}}, {}, True),
        ({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01"}, "NumericGreaterThan": {"aws:EpochTime": 1}}, {}, True),
        ({"DateLessThan": {"aws:CurrentTime": "2020-01-01"}}, {}, False),
        ({"IpAddress": {"aws:SourceIp": "127.0.0.1"}}, {}, False),  # not known unless the door says so
    ]
    who = user(ctx)
    for condition, more, allowed in cases:
        may(ctx, statement(Condition=condition))
        assert (asks(ctx, who, "CreateService", **{**service, **more}) == "") is allowed, condition
    may(ctx, statement(Condition={"IpAddress": {"aws:SourceIp": "127.0.0.1"}}))
    request = decode(shape_of("ListClusters", "Request"), {})
    authorize(ctx, who, "ecs:ListClusters", request, {"aws:SourceIp": "127.0.0.1"})


def test_a_command_without_a_container_is_judged_by_the_one_that_it_would_be_executed_in(ctx: Context) -> None:
    register(ctx)
    main, side = ({"name": name, "image": "up", "memory": 16} for name in ("main", "side"))
    call(ctx, "RegisterTaskDefinition", family="two", containerDefinitions=[main, side])
    ran = [call(ctx, "RunTask", taskDefinition=family).tasks[0].task_arn for family in ("app", "two")]
    asked = {"command": "sh", "interactive": True}
    who = user(ctx, statement(Condition={"StringEquals": {"ecs:container-name": "main"}}))
    assert asks(ctx, who, "ExecuteCommand", task=ran[0], **asked) == ""
    assert asks(ctx, who, "ExecuteCommand", task=ran[1], **asked)  # which of them is not said
    assert asks(ctx, who, "ExecuteCommand", task=ran[1], container="main", **asked) == ""
    assert asks(ctx, who, "ExecuteCommand", task=ran[1], container="side", **asked)
    deny = statement(Effect="Deny", Condition={"StringEquals": {"ecs:container-name": "main"}})
    may(ctx, policy_of(ALL, deny))
    assert "explicit deny" in asks(ctx, who, "ExecuteCommand", task=ran[0], **asked)


def test_groups_managed_policies_and_boundaries_count(ctx: Context) -> None:
    who = user(ctx)
    iam(ctx, "CreateGroup", GroupName="ops")
    iam(ctx, "PutGroupPolicy", GroupName="ops", PolicyName="p", PolicyDocument=statement(Action="ecs:List*"))
    iam(ctx, "AddUserToGroup", GroupName="ops", UserName="ann")
    assert asks(ctx, who, "ListClusters") == ""
    assert asks(ctx, who, "DescribeClusters")
    iam(ctx, "AttachUserPolicy", UserName="ann", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    assert asks(ctx, who, "DescribeClusters") == ""
    assert asks(ctx, who, "CreateCluster")
    most = iam(ctx, "CreatePolicy", PolicyName="most", PolicyDocument=statement(Action="ecs:Describe*"))["Policy"]
    iam(ctx, "PutUserPermissionsBoundary", UserName="ann", PermissionsBoundary=most["Arn"])
    assert asks(ctx, who, "DescribeClusters") == ""
    assert asks(ctx, who, "ListClusters").endswith("because no permissions boundary allows the ecs:ListClusters action")
    denies = policy_of(ALL, statement(Effect="Deny", Action="ecs:Describe*"))
    iam(ctx, "CreatePolicyVersion", PolicyArn=most["Arn"], PolicyDocument=denies, SetAsDefault=True)
    assert asks(ctx, who, "DescribeClusters").endswith("with an explicit deny in a permissions boundary")


def test_a_boundary_that_is_not_there_allows_nothing(ctx: Context) -> None:
    who = user(ctx, ALL)
    arn = iam(ctx, "CreatePolicy", PolicyName="most", PolicyDocument=ALL)["Policy"]["Arn"]
    iam(ctx, "PutUserPermissionsBoundary", UserName="ann", PermissionsBoundary=arn)
    with ctx.store.write() as tx:  # as an older release, or a hand, may leave it
        tx.delete(POLICIES, arn=arn)
    assert "no permissions boundary allows" in asks(ctx, who, "ListClusters")


def test_a_policy_that_cannot_be_read_lets_nobody_do_anything(ctx: Context) -> None:
    who = user(ctx, ALL)
    with ctx.store.write() as tx:
        record = tx.get(USERS, "000000000000/ann")
        assert record is not None
        record.inline["later"] = '{"Version": "2030-01-01"}'
        tx.put(USERS, record)
    assert asks(ctx, who, "ListClusters").startswith("A policy that applies cannot be read: Version: expected ")


def test_a_user_that_was_made_anew_has_nothing_of_the_old_one(ctx: Context) -> None:
    old = user(ctx, ALL)
    key = iam(ctx, "ListAccessKeys", UserName="ann")["AccessKeyMetadata"][0]["AccessKeyId"]
    iam(ctx, "DeleteAccessKey", UserName="ann", AccessKeyId=key)
    iam(ctx, "DeleteUserPolicy", UserName="ann", PolicyName="p")
    iam(ctx, "DeleteUser", UserName="ann")
    assert asks(ctx, old, "ListClusters")
    new = user(ctx, ALL)
    assert asks(ctx, old, "ListClusters")
    assert asks(ctx, new, "ListClusters") == ""


def test_a49_what_is_revoked_is_refused_from_the_next_request_on(ctx: Context) -> None:
    who = user(ctx, ALL)
    assert asks(ctx, who, "ListClusters") == ""
    may(ctx, statement(Effect="Deny"))
    assert "explicit deny" in asks(ctx, who, "ListClusters")


def test_other_services_ask_by_action_and_resources(ctx: Context) -> None:
    group = "arn:aws:logs:us-east-1:000000000000:log-group:/ecs/web:*"
    who = user(ctx, statement(Action="logs:Get*", Resource=group))
    stream = group.removesuffix("*") + "log-stream:a"
    authorize_plain(ctx, who, "logs:GetLogEvents", [stream])
    for action, resources in (
        ("logs:GetLogEvents", [stream, stream.replace("web", "other")]),
        ("logs:GetLogEvents", []),
        ("logs:FilterLogEvents", [stream]),
    ):
        with pytest.raises(ApiError, match="is not authorized to perform"):
            authorize_plain(ctx, who, action, resources)
