"""What is no policy is refused before it is kept, with the place where it stands; what may not be meant is told."""

from __future__ import annotations

from typing import Any

import pytest

from ecsctl.policy.document import Policy, PolicyProblem, parse_policy, unknown_actions, unknown_keys, warnings
from ecsctl.policy.evaluate import trusts
from tests.policy.documents import document, policy

BAD: list[tuple[Any, str]] = [
    ([], "the policy: expected an object"),
    ({"Statement": []}, "Statement: is required, and has at least one statement"),
    ({"Version": "2012-10-17"}, "Statement: is required, and has at least one statement"),
    ({"Version": "2020-01-01", "Statement": []}, "Version: expected 2012-10-17, or the older 2008-10-17"),
    ({"Version": "2012-10-17", "Id": 1, "Statement": []}, "Id: expected a string"),
    ({"version": "2012-10-17", "Statement": []}, "the policy: unknown element 'version'; did you mean Version?"),
    (document({"Effect": "allow"}), "Statement[0].Effect: expected Allow or Deny"),
    (document({}, {"Effect": "Maybe"}), "Statement[1].Effect: expected Allow or Deny"),
    (document({"Resources": "*"}), "Statement[0]: unknown element 'Resources'"),
    (document({"Sid": "a"}, {"Sid": "a"}), "Statement[1].Sid: a is that of another statement too"),
    (document({"Sid": "a b"}), "Statement[0].Sid: expected letters and digits"),
    (document({"Principal": "*"}), "Statement[0]: a policy of users, groups and roles has no Principal"),
    (document({"NotAction": "ecs:*", "Action": "*"}), "Statement[0]: Action or NotAction, not both"),
    (document({"NotResource": "*", "Resource": "*"}), "Statement[0]: Resource or NotResource, not both"),
    (
        {"Statement": {"Effect": "Allow", "Resource": "*"}},
        "Statement[0]: Action or NotAction, one of them is required",
    ),
    (document({"Action": []}), "Statement[0].Action: expected a string, or a list of at least one"),
    (document({"Action": [1]}), "Statement[0].Action: expected a string, or a list of at least one"),
    (document({"Action": "RunTask"}), "Statement[0].Action: 'RunTask' is not an action like ecs:RunTask"),
    (document({"Action": "e*:RunTask"}), "Statement[0].Action: 'e*:RunTask' is not an action like ecs:RunTask"),
    (document({"Action": "ecs:Run Task"}), "Statement[0].Action: 'ecs:Run Task' is not an action"),
    (
        document({"Resource": "arn:aws:ecs:*:cluster/x"}),
        "Statement[0].Resource: 'arn:aws:ecs:*:cluster/x' must be in ARN format",
    ),
    (document({"Resource": "cluster/x"}), "Statement[0].Resource: 'cluster/x' must be in ARN format"),
    (document({"Resource": "arn:aws:ecs:*:*:"}), "Statement[0].Resource: 'arn:aws:ecs:*:*:' must be in ARN format"),
    (document({"Resource": "arn:aws:e*:*:*:x"}), "the service of an ARN is a word, without wildcards"),
    (document({"Resource": "arn:aws:ecs:*:*:task/${aws:username"}), "Statement[0].Resource: ${ without a closing }"),
    (document({"Resource": "arn:aws:ecs:*:*:task/${username}"}), "${username} is no variable"),
    (document({"Condition": []}), "Statement[0].Condition: expected an object of operators"),
    (document({"Condition": {"StringEqual": {"a:b": "c"}}}), "'StringEqual' is not a condition operator"),
    (document({"Condition": {"ForSome:StringEquals": {"a:b": "c"}}}), "'ForSome' is not ForAllValues or ForAnyValue"),
    (document({"Condition": {"NullIfExists": {"a:b": "true"}}}), "Null takes neither"),
    (document({"Condition": {"ForAnyValue:Null": {"a:b": "true"}}}), "Null takes neither"),
    (document({"Condition": {"StringEquals": {}}}), "StringEquals: expected an object of condition keys"),
    (document({"Condition": {"StringEquals": {"cluster": "c"}}}), "is not a condition key like ecs:cluster"),
    (document({"Condition": {"StringEquals": {"a:b": "c", "A:B": "d"}}}), "the key is there twice"),
    (document({"Condition": {"StringEquals": {"a:b": []}}}), "expected at least one value"),
    (document({"Condition": {"StringEquals": {"a:b": None}}}), "expected a string, a number, true or false"),
    (document({"Condition": {"NumericEquals": {"a:b": "many"}}}), "'many' is not a number"),
    (document({"Condition": {"NumericEquals": {"a:b": "NaN"}}}), "'NaN' is not a number"),
    (document({"Condition": {"DateLessThan": {"a:b": "soon"}}}), "'soon' is not a date"),
    (document({"Condition": {"Bool": {"a:b": "yes"}}}), "'yes' is not true or false"),
    (document({"Condition": {"Null": {"a:b": "absent"}}}), "'absent' is not true or false"),
    (document({"Condition": {"IpAddress": {"aws:SourceIp": "1.2.3"}}}), "'1.2.3' is not an address or a network"),
    (document({"Condition": {"ArnLike": {"ecs:cluster": "cluster/x"}}}), "'cluster/x' is not an ARN of six parts"),
    (document({"Condition": {"BinaryEquals": {"a:b": "?"}}}), "'?' is not in base64"),
]


@pytest.mark.parametrize(("data", "problem"), BAD)
def test_a14_what_is_no_policy_is_refused_with_its_place(data: Any, problem: str) -> None:
    with pytest.raises(PolicyProblem) as refused:
        parse_policy(data)
    assert problem in str(refused.value)
    assert "\n" not in str(refused.value)


def trust(principal: Any, **elements: Any) -> Policy:
    one = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **elements}
    return parse_policy({"Version": "2012-10-17", "Statement": one}, trust=True)


BAD_TRUST: list[tuple[dict[str, Any], str]] = [
    ({"principal": "*", "Resource": "*"}, "Statement[0]: a role's trust policy has no Resource"),
    ({"principal": "*", "NotPrincipal": "*"}, "which has no NotPrincipal"),
    ({"principal": {}}, "Statement[0].Principal: expected who is meant, e.g. AWS"),
    ({"principal": "ann"}, "Statement[0].Principal: expected an object"),
    ({"principal": {"Aws": "*"}}, "unknown element 'Aws'; did you mean AWS?"),
    ({"principal": {"AWS": []}}, "Principal.AWS: expected a string, or a list of at least one"),
    ({"principal": {"AWS": "ann"}}, "'ann' is neither an account nor the ARN of a user or a role"),
    ({"principal": {"AWS": "arn:aws:iam::000000000000:user/*"}}, "is neither an account nor the ARN"),
    ({"principal": {"AWS": "arn:aws:iam::*:root"}}, "is neither an account nor the ARN"),
]


@pytest.mark.parametrize(("given", "problem"), BAD_TRUST)
def test_a_trust_policy_says_who_and_not_what(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(PolicyProblem) as refused:
        trust(**given)
    assert problem in str(refused.value)


def test_a_trust_policy_says_who_is_meant_at_all() -> None:
    with pytest.raises(PolicyProblem, match="Principal: is required"):
        parse_policy({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*"}}, trust=True)


ANN = "arn:aws:iam::000000000000:user/ann"
ROOT = "arn:aws:iam::000000000000:root"
TRUSTED: list[tuple[Any, bool]] = [
    ("*", True),
    ({"AWS": "*"}, True),
    ({"AWS": "000000000000"}, True),
    ({"AWS": ["111111111111", ROOT]}, True),
    ({"AWS": ANN}, True),
    ({"AWS": ANN + "e"}, False),
    ({"AWS": "111111111111"}, False),
    ({"Service": "ecs-tasks.amazonaws.com"}, False),
    ({"Federated": "*"}, False),
]


@pytest.mark.parametrize(("principal", "trusted"), TRUSTED)
def test_who_is_meant_is_trusted_and_nobody_else(principal: Any, trusted: bool) -> None:
    assert trusts(trust(principal), [ANN, ROOT], "sts:AssumeRole", {}) is trusted
    assert not trusts(trust(principal, Effect="Deny"), [ANN, ROOT], "sts:AssumeRole", {})
    assert not trusts(trust(principal, Action="sts:TagSession"), [ANN, ROOT], "sts:AssumeRole", {})


def test_trust_may_depend_on_conditions() -> None:
    given = trust("*", Condition={"StringEquals": {"sts:ExternalId": "7"}})
    assert trusts(given, [ANN], "sts:AssumeRole", {"sts:externalid": ("7",)})
    assert not trusts(given, [ANN], "sts:AssumeRole", {"sts:externalid": ("8",)})
    assert not trusts(given, [ANN], "sts:AssumeRole", {})


def test_a_lone_statement_and_lone_values_are_lists_of_one() -> None:
    one = {"Effect": "Allow", "Action": "ecs:*", "Resource": "*", "Condition": {"Bool": {"a:b": True}}}
    many = {**one, "Action": ["ecs:*"], "Resource": ["*"], "Condition": {"Bool": {"a:b": ["true"]}}}
    assert parse_policy({"Statement": one}) == parse_policy({"Statement": [many]})


LINTS: list[tuple[dict[str, Any], str]] = [
    ({"NotAction": "iam:*"}, "Statement[0]: NotAction with Allow allows all other actions"),
    ({"NotResource": "*"}, "Statement[0]: NotResource with Allow allows all other resources"),
    (
        {"Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": "team"}}},
        'is true where aws:tagkeys is absent: add "Null": {"aws:tagkeys": "false"}',
    ),
    ({"Condition": {"StringEquals": {"aws:TagKeys": "team"}}}, "may have several values: use ForAnyValue or ForAll"),
    ({"Condition": {"ForAnyValue:ArnLike": {"ecs:cluster": "*"}}}, "ecs:cluster has one value"),
]


@pytest.mark.parametrize(("statement", "warning"), LINTS)
def test_a16_a17_what_may_not_be_meant_is_told(statement: dict[str, Any], warning: str) -> None:
    (line,) = warnings(policy(statement))
    assert warning in line


def test_what_is_meant_is_not_warned_of() -> None:
    sure = {"ForAllValues:StringEquals": {"aws:TagKeys": "team"}, "Null": {"aws:TagKeys": "false"}}
    quiet = policy(
        {"Condition": sure},
        {"Effect": "Deny", "NotAction": "iam:*"},
        {"Effect": "Deny", "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": "team"}}},
    )
    assert list(warnings(quiet)) == []


def test_an_action_that_there_is_not_is_told() -> None:
    known = ["ecs:RunTask", "ecs:StopTask"]
    given = policy({"Action": ["ecs:RunTsk", "ECS:runtask", "ecs:*Task", "s3:GetObject", "*"]})
    assert list(unknown_actions(given, known)) == ["Statement[0]: there is no action ecs:runtsk"]


def test_a_key_that_no_request_has_is_told() -> None:
    there = {"ecs:cluster": "a", "ECS:CreateAction": "RunTask", "ecs:ResourceTag/team": "a", "iam:PassedToService": "a"}
    missing = {"ecs:clusters": "a", "ecs:ResourceTag": "a", "ecsctl:host-paths": "a"}
    given = policy({"Condition": {"StringEquals": {**there, **missing}}})
    found = list(unknown_keys(given, ["ecs:cluster", "ecs:CreateAction", "ecs:ResourceTag/", "ecsctl:host-path"]))
    keys = ("ecs:clusters", "ecs:resourcetag", "ecsctl:host-paths")
    assert found == [f"Statement[0]: there is no key {key}" for key in keys]
