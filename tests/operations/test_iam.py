"""The actions of IAM answer and refuse in its words, and keep what they are given."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import xform_name  # type: ignore[import-untyped, unused-ignore]

from ecsctl.cli.commands import IAM as COMMANDS
from ecsctl.cli.flags import flag_name
from ecsctl.cli.iam import OfIam
from ecsctl.model.errors import ApiError
from ecsctl.model.record import fields_of
from ecsctl.operations.actions import OF_IAM, shape_of
from ecsctl.operations.context import Context
from ecsctl.store.iam_tables import ACCESS_KEYS
from tests.controller.world import World
from tests.operations.iam_calls import IAM, iam, statement

ALL = statement()
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
ACCOUNT = "arn:aws:iam::000000000000"


@pytest.fixture
def ctx(world: World) -> Context:
    return world.process()


def refused(ctx: Context, code: str, action: str, **request: Any) -> str:
    with pytest.raises(ApiError) as caught:
        iam(ctx, action, **request)
    assert caught.value.code == code
    return caught.value.message


@pytest.mark.parametrize("action", OF_IAM)
def test_requests_and_answers_are_of_iams_shapes(action: str) -> None:
    operation = IAM.operation_model(action)
    given, published = shape_of(action, "Request"), operation.input_shape
    assert fields_of(given).keys() <= published.members.keys()
    assert {"--" + xform_name(member, "-") for member in fields_of(given)} == set(map(flag_name, fields_of(given)))
    required = {flag.key for flag in OfIam(next(e for e in COMMANDS if e.action == action)).own_flags if flag.required}
    assert set(published.required_members) <= required
    assert required - set(published.required_members) <= {"UserName"}  # IAM knows whose key it is asked with
    answered = fields_of(shape_of(action, "Response")).keys()
    assert answered <= (operation.output_shape.members.keys() if operation.output_shape else set())


def test_every_action_is_a_command_and_every_command_an_action() -> None:
    assert {entry.action for entry in COMMANDS} == OF_IAM.keys()


def test_a_user_is_made_shown_and_deleted(ctx: Context) -> None:
    tags = [{"Key": "team", "Value": "a"}]
    made = iam(ctx, "CreateUser", UserName="ann", Path="/ops/", Tags=tags)["User"]
    assert made["Arn"] == f"{ACCOUNT}:user/ops/ann"
    assert made["UserId"].startswith("AIDA")
    assert made["Tags"] == tags
    assert iam(ctx, "GetUser", UserName="ann")["User"] == made
    iam(ctx, "CreateUser", UserName="bob")
    assert [one["UserName"] for one in iam(ctx, "ListUsers")["Users"]] == ["ann", "bob"]
    assert [one["UserName"] for one in iam(ctx, "ListUsers", PathPrefix="/ops")["Users"]] == ["ann"]
    assert refused(ctx, "EntityAlreadyExists", "CreateUser", UserName="ANN") == "User with name ANN already exists."
    iam(ctx, "DeleteUser", UserName="ann")
    assert refused(ctx, "NoSuchEntity", "GetUser", UserName="ann") == "The user with name ann cannot be found."


@pytest.mark.parametrize(
    ("action", "request_"),
    [
        ("CreateUser", {"UserName": "a b"}),
        ("CreateUser", {"UserName": "a\n"}),
        ("CreateUser", {"UserName": "\uff41"}),
        ("CreateUser", {"UserName": "a", "Path": "ops"}),
        ("CreateUser", {"UserName": "a", "Path": "/../é/"}),
        ("CreateUser", {"UserName": "a", "Tags": [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]}),
        ("CreateGroup", {"GroupName": "a/b"}),
        ("CreatePolicy", {"PolicyName": "a:b", "PolicyDocument": ALL}),
        ("CreateRole", {"RoleName": "a*", "AssumeRolePolicyDocument": TRUST}),
    ],
)
def test_names_and_paths_that_could_be_taken_for_something_else_are_refused(
    ctx: Context, action: str, request_: dict[str, Any]
) -> None:
    refused(ctx, "ValidationError", action, **request_)


def test_an_access_key_is_told_once_and_sealed(ctx: Context) -> None:
    iam(ctx, "CreateUser", UserName="ann")
    made = iam(ctx, "CreateAccessKey", UserName="ann")["AccessKey"]
    assert made["AccessKeyId"].startswith("AKIA")
    assert len(made["SecretAccessKey"]) == 40
    listed = iam(ctx, "ListAccessKeys", UserName="ann")["AccessKeyMetadata"]
    assert listed == [{key: value for key, value in made.items() if key != "SecretAccessKey"}]
    with ctx.store.read() as view:
        record = view.get(ACCESS_KEYS, made["AccessKeyId"])
    assert made["SecretAccessKey"] not in repr(record)
    assert made["SecretAccessKey"].encode() not in ctx.store.path.read_bytes()
    iam(ctx, "CreateAccessKey", UserName="ann")
    assert "AccessKeysPerUser: 2" in refused(ctx, "LimitExceeded", "CreateAccessKey", UserName="ann")


def test_a_key_of_another_user_is_not_found(ctx: Context) -> None:
    for name in ("ann", "bob"):
        iam(ctx, "CreateUser", UserName=name)
    key = iam(ctx, "CreateAccessKey", UserName="ann")["AccessKey"]["AccessKeyId"]
    refused(ctx, "NoSuchEntity", "DeleteAccessKey", UserName="bob", AccessKeyId=key)
    refused(ctx, "NoSuchEntity", "UpdateAccessKey", UserName="bob", AccessKeyId=key, Status="Inactive")
    iam(ctx, "DeleteAccessKey", UserName="ann", AccessKeyId=key)
    refused(ctx, "NoSuchEntity", "DeleteAccessKey", UserName="ann", AccessKeyId=key)


def test_groups_have_members(ctx: Context) -> None:
    iam(ctx, "CreateUser", UserName="ann")
    group = iam(ctx, "CreateGroup", GroupName="ops")["Group"]
    for _ in range(2):
        iam(ctx, "AddUserToGroup", GroupName="ops", UserName="ann")
    found = iam(ctx, "GetGroup", GroupName="ops")
    assert (found["Group"], [one["UserName"] for one in found["Users"]]) == (group, ["ann"])
    assert iam(ctx, "ListGroupsForUser", UserName="ann")["Groups"] == iam(ctx, "ListGroups")["Groups"] == [group]
    assert "remove users from group" in refused(ctx, "DeleteConflict", "DeleteGroup", GroupName="ops")
    assert "remove users from group" in refused(ctx, "DeleteConflict", "DeleteUser", UserName="ann")
    iam(ctx, "RemoveUserFromGroup", GroupName="ops", UserName="ann")
    iam(ctx, "DeleteGroup", GroupName="ops")
    iam(ctx, "DeleteUser", UserName="ann")
    assert iam(ctx, "ListGroups")["Groups"] == []


def test_a_role_is_made_with_who_may_assume_it(ctx: Context) -> None:
    made = iam(ctx, "CreateRole", RoleName="app", AssumeRolePolicyDocument=TRUST, MaxSessionDuration=7200)["Role"]
    assert made["AssumeRolePolicyDocument"] == TRUST
    assert (made["Arn"], made["MaxSessionDuration"]) == (f"{ACCOUNT}:role/app", 7200)
    other = {**TRUST, "Statement": [{**TRUST["Statement"][0], "Effect": "Deny"}]}  # type: ignore[dict-item]
    iam(ctx, "UpdateAssumeRolePolicy", RoleName="app", PolicyDocument=other)
    assert iam(ctx, "GetRole", RoleName="app")["Role"]["AssumeRolePolicyDocument"] == other
    assert [role["RoleName"] for role in iam(ctx, "ListRoles")["Roles"]] == ["app"]
    refused(ctx, "EntityAlreadyExists", "CreateRole", RoleName="App", AssumeRolePolicyDocument=TRUST)
    malformed = refused(ctx, "MalformedPolicyDocument", "CreateRole", RoleName="b", AssumeRolePolicyDocument=ALL)
    assert malformed == "Statement[0]: a role's trust policy has no Resource"
    iam(ctx, "DeleteRole", RoleName="app")
    refused(ctx, "NoSuchEntity", "GetRole", RoleName="app")


def make(ctx: Context, kind: str) -> dict[str, str]:
    """A user, a group or a role `x`; how requests name it."""
    trust = {"AssumeRolePolicyDocument": TRUST} if kind == "Role" else {}
    named = {f"{kind}Name": "x"}
    iam(ctx, f"Create{kind}", **named, **trust)
    return named


KINDS = ["User", "Group", "Role"]


@pytest.mark.parametrize("kind", KINDS)
def test_policies_of_its_own_are_put_shown_and_deleted(ctx: Context, kind: str) -> None:
    named = make(ctx, kind)
    for name in ("p", "q"):
        iam(ctx, f"Put{kind}Policy", **named, PolicyName=name, PolicyDocument=ALL)
    assert iam(ctx, f"List{kind}Policies", **named)["PolicyNames"] == ["p", "q"]
    shown = iam(ctx, f"Get{kind}Policy", **named, PolicyName="p")
    assert shown == {**named, "PolicyName": "p", "PolicyDocument": ALL}
    assert "must delete policies first" in refused(ctx, "DeleteConflict", f"Delete{kind}", **named)
    for name in ("p", "q"):
        iam(ctx, f"Delete{kind}Policy", **named, PolicyName=name)
    missing = refused(ctx, "NoSuchEntity", f"Get{kind}Policy", **named, PolicyName="p")
    assert missing == f"The {kind.lower()} policy with name p cannot be found."
    iam(ctx, f"Delete{kind}", **named)
    refused(ctx, "NoSuchEntity", f"List{kind}Policies", **named)


@pytest.mark.parametrize("kind", KINDS)
def test_managed_policies_are_attached_and_detached(ctx: Context, kind: str) -> None:
    named = make(ctx, kind)
    own = iam(ctx, "CreatePolicy", PolicyName="mine", PolicyDocument=ALL)["Policy"]["Arn"]
    theirs = "arn:aws:iam::aws:policy/AmazonECS_FullAccess"
    for arn in (own, theirs, own):
        iam(ctx, f"Attach{kind}Policy", **named, PolicyArn=arn)
    found = iam(ctx, f"ListAttached{kind}Policies", **named)["AttachedPolicies"]
    assert found == [
        {"PolicyName": "mine", "PolicyArn": own},
        {"PolicyName": "AmazonECS_FullAccess", "PolicyArn": theirs},
    ]
    assert iam(ctx, "GetPolicy", PolicyArn=own)["Policy"]["AttachmentCount"] == 1
    assert "must detach all policies first" in refused(ctx, "DeleteConflict", f"Delete{kind}", **named)
    refused(ctx, "DeleteConflict", "DeletePolicy", PolicyArn=own)
    for arn in (own, theirs):
        iam(ctx, f"Detach{kind}Policy", **named, PolicyArn=arn)
    refused(ctx, "NoSuchEntity", f"Detach{kind}Policy", **named, PolicyArn=own)
    gone = refused(ctx, "NoSuchEntity", f"Attach{kind}Policy", **named, PolicyArn=own + "x")
    assert gone == f"Policy {own}x does not exist or is not attachable."
    iam(ctx, "DeletePolicy", PolicyArn=own)
    iam(ctx, f"Delete{kind}", **named)


def test_a_managed_policy_has_versions(ctx: Context) -> None:
    arn = iam(ctx, "CreatePolicy", PolicyName="p", PolicyDocument=ALL, Description="d")["Policy"]["Arn"]
    assert iam(ctx, "GetPolicy", PolicyArn=arn)["Policy"]["Description"] == "d"
    refused(ctx, "EntityAlreadyExists", "CreatePolicy", PolicyName="P", Path="/x/", PolicyDocument=ALL)
    less = statement(Action="ecs:Describe*")
    made = iam(ctx, "CreatePolicyVersion", PolicyArn=arn, PolicyDocument=less)["PolicyVersion"]
    assert (made["VersionId"], made["IsDefaultVersion"]) == ("v2", False)
    iam(ctx, "SetDefaultPolicyVersion", PolicyArn=arn, VersionId="v2")
    assert iam(ctx, "GetPolicyVersion", PolicyArn=arn, VersionId="v2")["PolicyVersion"]["Document"] == less
    refused(ctx, "DeleteConflict", "DeletePolicyVersion", PolicyArn=arn, VersionId="v2")
    refused(ctx, "DeleteConflict", "DeletePolicy", PolicyArn=arn)
    iam(ctx, "DeletePolicyVersion", PolicyArn=arn, VersionId="v1")
    refused(ctx, "NoSuchEntity", "GetPolicyVersion", PolicyArn=arn, VersionId="v1")
    for number in range(3, 7):
        iam(ctx, "CreatePolicyVersion", PolicyArn=arn, PolicyDocument=ALL, SetAsDefault=True)
        assert iam(ctx, "GetPolicy", PolicyArn=arn)["Policy"]["DefaultVersionId"] == f"v{number}"
    refused(ctx, "LimitExceeded", "CreatePolicyVersion", PolicyArn=arn, PolicyDocument=ALL)
    assert [v["VersionId"] for v in iam(ctx, "ListPolicyVersions", PolicyArn=arn)["Versions"]][:2] == ["v6", "v5"]


def test_policies_of_awss_are_listed_and_stay_as_they_are(ctx: Context) -> None:
    iam(ctx, "CreatePolicy", PolicyName="mine", PolicyDocument=ALL)
    names = {
        scope: [one["PolicyName"] for one in iam(ctx, "ListPolicies", Scope=scope)["Policies"]]
        for scope in ("All", "AWS", "Local")
    }
    assert names["Local"] == ["mine"]
    assert names["AWS"] == ["AdministratorAccess", "AmazonECS_FullAccess", "ReadOnlyAccess"]
    assert names["All"] == names["Local"] + names["AWS"]
    assert iam(ctx, "ListPolicies", OnlyAttached=True)["Policies"] == []
    refused(ctx, "AccessDenied", "DeletePolicy", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")


@pytest.mark.parametrize("kind", ["User", "Role"])
def test_a_boundary_is_put_and_taken_away_and_its_policy_stays(ctx: Context, kind: str) -> None:
    named = make(ctx, kind)
    arn = iam(ctx, "CreatePolicy", PolicyName="most", PolicyDocument=ALL)["Policy"]["Arn"]
    refused(ctx, "NoSuchEntity", f"Put{kind}PermissionsBoundary", **named, PermissionsBoundary=arn + "x")
    iam(ctx, f"Put{kind}PermissionsBoundary", **named, PermissionsBoundary=arn)
    boundary = iam(ctx, f"Get{kind}", **named)[kind]["PermissionsBoundary"]
    assert boundary == {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}
    refused(ctx, "DeleteConflict", "DeletePolicy", PolicyArn=arn)
    iam(ctx, f"Delete{kind}PermissionsBoundary", **named)
    refused(ctx, "NoSuchEntity", f"Delete{kind}PermissionsBoundary", **named)
    assert "PermissionsBoundary" not in iam(ctx, f"Get{kind}", **named)[kind]


NO_DOCUMENTS = {
    "nothing": " ",
    "open": "{",
    "list": "[]",
    "twice": '{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": []}',
    "deep": "[" * 100 + "]" * 100,
}


@pytest.mark.parametrize("text", NO_DOCUMENTS.values(), ids=NO_DOCUMENTS)
def test_what_is_no_document_is_malformed(ctx: Context, text: str) -> None:
    iam(ctx, "CreateUser", UserName="ann")
    with pytest.raises(ApiError) as caught:
        iam(ctx, "PutUserPolicy", UserName="ann", PolicyName="p", PolicyDocument=text)
    assert caught.value.code == "MalformedPolicyDocument"
    assert "\n" not in caught.value.message


def test_policies_have_a_size_without_white_space(ctx: Context) -> None:
    iam(ctx, "CreateUser", UserName="ann")
    wide = statement(Resource=["*" + " " * 5000])
    refused(ctx, "MalformedPolicyDocument", "PutUserPolicy", UserName="ann", PolicyName="p", PolicyDocument=wide)
    long = statement(Action=[f"ecs:Run{number:04d}" for number in range(190)])
    said = refused(ctx, "LimitExceeded", "PutUserPolicy", UserName="ann", PolicyName="p", PolicyDocument=long)
    assert said == "Maximum policy size of 2048 bytes exceeded for user ann"
    iam(ctx, "CreateGroup", GroupName="ops")
    iam(ctx, "PutGroupPolicy", GroupName="ops", PolicyName="p", PolicyDocument=long)
    refused(ctx, "LimitExceeded", "PutGroupPolicy", GroupName="ops", PolicyName="q", PolicyDocument=long)


def test_a_simulation_says_what_policies_say(ctx: Context) -> None:
    arn = iam(ctx, "CreateUser", UserName="ann")["User"]["Arn"]
    condition = {"StringEquals": {"aws:RequestedRegion": "us-east-1", "ecs:privileged": "false"}}
    iam(ctx, "PutUserPolicy", UserName="ann", PolicyName="p", PolicyDocument=statement(Condition=condition))
    asked: dict[str, Any] = {"PolicySourceArn": arn, "ActionNames": ["ecs:RunTask"]}

    def decided(**more: Any) -> str:
        (found,) = iam(ctx, "SimulatePrincipalPolicy", **asked, **more)["EvaluationResults"]
        decision: str = found["EvalDecision"]
        return decision

    entry = {"ContextKeyName": "ecs:privileged", "ContextKeyValues": ["false"], "ContextKeyType": "string"}
    assert decided() == "implicitDeny"
    assert decided(ContextEntries=[entry]) == "allowed"
    assert decided(ContextEntries=[entry], PolicyInputList=['{"Version": "2012-10-17", "Statement": '
        '{"Effect": "Deny", "Action": "ecs:*", "Resource": "*"}}']) == "explicitDeny"  # fmt: skip
    refused(ctx, "NoSuchEntity", "SimulatePrincipalPolicy", **{**asked, "PolicySourceArn": arn + "x"})
    refused(ctx, "ValidationError", "SimulatePrincipalPolicy", **{**asked, "ActionNames": ["RunTask"]})
