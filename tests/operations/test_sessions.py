"""Sessions of roles: who may have temporary credentials, what they may do, and until when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import botocore.loaders
import botocore.model
import pytest

from ecsctl.model.errors import ApiError
from ecsctl.model.record import decode, evolve, fields_of, to_wire
from ecsctl.operations.access import Principal, find_key
from ecsctl.operations.actions import operation_of, shape_of
from ecsctl.operations.context import Context
from ecsctl.store.iam_tables import ACCESS_KEYS
from tests.controller.world import World
from tests.operations.iam_calls import asks, iam, policy_of, statement, user

STS = botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("sts", "service-2"), "sts")
ROLE = "arn:aws:iam::000000000000:role/app"
ALL = statement()


@pytest.fixture
def ctx(world: World) -> Context:
    return world.process()


def trust(principal: Any, **elements: Any) -> dict[str, Any]:
    one = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **elements}
    return {"Version": "2012-10-17", "Statement": [one]}


def make(ctx: Context, principal: Any = "*", policy: dict[str, Any] = ALL, **fields: Any) -> None:
    iam(ctx, "CreateRole", RoleName="app", AssumeRolePolicyDocument=trust(principal), **fields)
    iam(ctx, "PutRolePolicy", RoleName="app", PolicyName="p", PolicyDocument=policy)


def assumed(ctx: Context, **request: Any) -> Any:
    given = {"RoleArn": ROLE, "RoleSessionName": "ci", **request}
    return to_wire(operation_of("AssumeRole")(ctx, decode(shape_of("AssumeRole", "Request"), given)))


def refused(ctx: Context, code: str, **request: Any) -> str:
    with pytest.raises(ApiError) as caught:
        assumed(ctx, **request)
    assert caught.value.code == code
    return caught.value.message


def session(ctx: Context, **request: Any) -> Principal:
    found = find_key(ctx, assumed(ctx, **request)["Credentials"]["AccessKeyId"])
    assert found is not None
    return found.principal


def test_the_request_and_the_answer_are_of_stss_shapes() -> None:
    operation = STS.operation_model("AssumeRole")
    request, response = shape_of("AssumeRole", "Request"), shape_of("AssumeRole", "Response")
    assert fields_of(request).keys() <= operation.input_shape.members.keys()
    assert fields_of(response).keys() <= operation.output_shape.members.keys()


def test_credentials_are_of_the_session_and_told_once(ctx: Context) -> None:
    make(ctx)
    answer = assumed(ctx)
    credentials = answer["Credentials"]
    assert credentials["Expiration"] == ctx.now() + timedelta(hours=1)
    assert answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::000000000000:assumed-role/app/ci"
    key = find_key(ctx, credentials["AccessKeyId"])
    assert key is not None
    assert (key.secret, key.token) == (credentials["SecretAccessKey"], credentials["SessionToken"])
    assert key.expires_at == credentials["Expiration"]
    assert key.principal.arn == answer["AssumedRoleUser"]["Arn"]
    assert key.principal.user_id == answer["AssumedRoleUser"]["AssumedRoleId"]
    for told in (credentials["SecretAccessKey"], credentials["SessionToken"]):
        assert told not in repr(key)
        assert told.encode() not in ctx.store.path.read_bytes()


def test_a_session_may_do_what_its_role_may(ctx: Context) -> None:
    make(ctx, policy=statement(Action="ecs:List*"))
    who = session(ctx)
    assert asks(ctx, who, "ListClusters") == ""
    assert asks(ctx, who, "DescribeClusters") == (
        "User: arn:aws:sts::000000000000:assumed-role/app/ci is not authorized to perform: ecs:DescribeClusters on "
        "resource: arn:aws:ecs:us-east-1:000000000000:cluster/default because no identity-based policy allows the "
        "ecs:DescribeClusters action"
    )


def test_a_policy_of_the_session_limits_it(ctx: Context) -> None:
    make(ctx)
    text = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ecs:List*", "Resource": "*"}}'
    who = session(ctx, Policy=text)
    assert asks(ctx, who, "ListClusters") == ""
    assert asks(ctx, who, "DescribeClusters").endswith(
        "because no session policy allows the ecs:DescribeClusters action"
    )
    refused(ctx, "MalformedPolicyDocument", Policy="{}")


def test_conditions_know_the_session(ctx: Context) -> None:
    known = {
        "StringEquals": {"aws:PrincipalType": "AssumedRole", "aws:PrincipalTag/team": "a"},
        "ArnEquals": {"aws:PrincipalArn": ROLE},
        "StringLike": {"aws:userid": "AROA*:ci"},
        "Null": {"aws:username": "true"},
    }
    since = ctx.now() + timedelta(minutes=1)
    revoked = statement(Effect="Deny", Condition={"DateLessThan": {"aws:TokenIssueTime": since.isoformat()}})
    make(ctx, policy=statement(Condition=known), Tags=[{"Key": "team", "Value": "a"}])
    who = session(ctx)
    assert asks(ctx, who, "ListClusters") == ""
    iam(ctx, "PutRolePolicy", RoleName="app", PolicyName="q", PolicyDocument=revoked)
    assert "explicit deny" in asks(ctx, who, "ListClusters")


def test_a_session_ends(ctx: Context, world: World) -> None:
    make(ctx)
    ends = assumed(ctx, DurationSeconds=900)["Credentials"]
    found = find_key(ctx, ends["AccessKeyId"])
    assert found is not None
    world.clock.sleep(900)
    assert asks(ctx, found.principal, "ListClusters")
    key = find_key(ctx, ends["AccessKeyId"])
    assert key is not None  # that it has expired can be said
    assert key.expires_at is not None
    assert key.expires_at <= ctx.now()
    world.clock.sleep(2 * 86400)
    assumed(ctx)
    assert find_key(ctx, ends["AccessKeyId"]) is None
    with ctx.store.read() as view:
        assert view.count(ACCESS_KEYS) == 1


def test_a_session_of_a_role_that_was_made_anew_is_none(ctx: Context) -> None:
    make(ctx)
    who = session(ctx)
    iam(ctx, "DeleteRolePolicy", RoleName="app", PolicyName="p")
    iam(ctx, "DeleteRole", RoleName="app")
    assert find_key(ctx, who.session) is None
    assert asks(ctx, who, "ListClusters")
    make(ctx)
    assert find_key(ctx, who.session) is None
    assert asks(ctx, who, "ListClusters")


def test_only_whom_the_role_trusts_may_assume_it_and_a_role_that_is_not_there_looks_the_same(ctx: Context) -> None:
    ann, bob = user(ctx, ALL), user(ctx, ALL, "bob")
    make(ctx, {"AWS": ann.arn})
    as_ann, as_bob = (evolve(ctx, asked_by=who.arn) for who in (ann, bob))
    assert assumed(as_ann)
    assert refused(as_bob, "AccessDenied") == (
        f"User: {bob.arn} is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
    )
    assert refused(as_bob, "AccessDenied", RoleArn=ROLE + "x").replace("appx", "app") == refused(as_bob, "AccessDenied")
    refused(as_ann, "AccessDenied", RoleArn=ROLE.replace("role/app", "role/other/app"))
    refused(as_ann, "AccessDenied", RoleArn=ROLE.replace("000000000000", "111111111111"))
    assert assumed(ctx)  # whose the state is


def test_a_session_may_assume_another_role_that_trusts_its_own(ctx: Context) -> None:
    make(ctx)
    who = session(ctx)
    for name, trusted in (("next", ROLE), ("other", ROLE + "x")):
        iam(ctx, "CreateRole", RoleName=name, AssumeRolePolicyDocument=trust({"AWS": trusted}))
    as_session = evolve(ctx, asked_by=who.arn)
    assert assumed(as_session, RoleArn=ROLE.replace("app", "next"))
    refused(as_session, "AccessDenied", RoleArn=ROLE.replace("app", "other"))


def test_an_external_id_can_be_asked_for(ctx: Context) -> None:
    who = user(ctx, ALL)
    needed = trust("*", Condition={"StringEquals": {"sts:ExternalId": "7"}})
    iam(ctx, "CreateRole", RoleName="app", AssumeRolePolicyDocument=needed)
    as_user = evolve(ctx, asked_by=who.arn)
    assert assumed(as_user, ExternalId="7")
    refused(as_user, "AccessDenied")
    refused(as_user, "AccessDenied", ExternalId="8")


def test_the_conditions_of_the_trust_know_who_asks_and_from_where(ctx: Context) -> None:
    iam(ctx, "CreateUser", UserName="bob", Tags=[{"Key": "team", "Value": "contractors"}])
    near = evolve(ctx, asked_by="arn:aws:iam::000000000000:user/bob", asked_with={"aws:SourceIp": "10.0.0.7"})
    far = evolve(near, asked_with={"aws:SourceIp": "192.0.2.7"})
    conditions = {
        "team": ({"StringNotEquals": {"aws:PrincipalTag/team": "contractors"}}, False, False),
        "name": ({"StringEquals": {"aws:username": "bob"}}, True, True),
        "away": ({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, False, True),
        "here": ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, True, False),
    }
    for name, (condition, *expected) in conditions.items():
        iam(ctx, "CreateRole", RoleName=name, AssumeRolePolicyDocument=trust("*", Condition=condition))
        for asker, may in zip((near, far), expected, strict=True):
            if may:
                assert assumed(asker, RoleArn=ROLE.replace("app", name))
            else:
                refused(asker, "AccessDenied", RoleArn=ROLE.replace("app", name))


def test_the_conditions_of_the_trust_know_the_session_that_asks(ctx: Context) -> None:
    make(ctx, Tags=[{"Key": "team", "Value": "a"}])
    as_session = evolve(ctx, asked_by=session(ctx).arn)
    known = {"StringEquals": {"aws:PrincipalTag/team": "a"}, "ArnEquals": {"aws:PrincipalArn": ROLE}}
    for name, condition in (("next", known), ("other", {"StringNotEquals": known["StringEquals"]})):
        iam(ctx, "CreateRole", RoleName=name, AssumeRolePolicyDocument=trust("*", Condition=condition))
    assert assumed(as_session, RoleArn=ROLE.replace("app", "next"))
    refused(as_session, "AccessDenied", RoleArn=ROLE.replace("app", "other"))


@pytest.mark.parametrize(
    "request_",
    [{"RoleSessionName": "a/b"}, {"RoleSessionName": "a"}, {"DurationSeconds": 899}, {"DurationSeconds": 3601}],
)
def test_what_a_session_cannot_be_is_refused(ctx: Context, request_: dict[str, Any]) -> None:
    make(ctx)
    refused(ctx, "ValidationError", **request_)


def test_keys_of_sessions_are_not_among_those_of_users(ctx: Context) -> None:
    make(ctx)
    who = session(ctx)
    iam(ctx, "CreateUser", UserName="app")
    assert iam(ctx, "ListAccessKeys", UserName="app")["AccessKeyMetadata"] == []
    with pytest.raises(ApiError, match="cannot be found"):
        iam(ctx, "UpdateAccessKey", AccessKeyId=who.session, Status="Active")


def test_sessions_end_where_a_key_is_revoked_and_an_old_backup_put_back(ctx: Context) -> None:
    make(ctx)
    who = session(ctx)
    user(ctx, policy_of(ALL))
    key = iam(ctx, "ListAccessKeys", UserName="ann")["AccessKeyMetadata"][0]["AccessKeyId"]
    with ctx.store.read() as view:
        before = view.get(ACCESS_KEYS, who.session)
    iam(ctx, "DeleteAccessKey", AccessKeyId=key)
    assert find_key(ctx, who.session) is not None
    with ctx.store.write() as tx:
        assert before is not None
        tx.put(ACCESS_KEYS, before)  # as a backup has it
    assert find_key(ctx, who.session) is None
