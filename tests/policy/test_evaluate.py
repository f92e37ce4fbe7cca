"""Policies decide as IAM's do (IAM user guide, "Policy evaluation logic" and the pages on each element)."""

from __future__ import annotations

from typing import Any

import pytest

from ecsctl.policy.document import Policy
from ecsctl.policy.evaluate import Decision, Policies
from tests.policy.documents import TASK, allows, decide, policy

ALLOW = policy({"Action": "ecs:*"})
DENY_STOP = {"Effect": "Deny", "Action": "ecs:StopTask"}


def test_a_deny_wins_over_every_allow() -> None:
    both = policy({"Action": "ecs:*"}, DENY_STOP)
    assert decide(both) == Decision(allowed=False, explicit=True)
    assert allows(both, "ecs:RunTask")


def test_without_a_policy_nothing_is_allowed() -> None:
    assert decide(Policies(())) == Decision(allowed=False)


def test_a_deny_of_another_policy_counts_too() -> None:
    assert decide(Policies((ALLOW, policy(DENY_STOP)))).explicit


@pytest.mark.parametrize("kind", ["boundary", "session"])
def test_a_boundary_and_a_session_policy_allow_nothing_by_themselves_and_limit_what_is_allowed(kind: str) -> None:
    name = {"boundary": "permissions boundary", "session": "session policy"}[kind]

    def limited(identity: tuple[Policy, ...], *limit: Policy) -> Decision:
        if kind == "boundary":
            return decide(Policies(identity, boundary=limit))
        return decide(Policies(identity, session=limit))

    assert limited((ALLOW,), ALLOW).allowed
    assert limited((), ALLOW) == Decision(allowed=False)
    assert limited((ALLOW,), policy({"Action": "s3:*"})) == Decision(allowed=False, by=name)  # type: ignore[arg-type]
    assert limited((ALLOW,)) == Decision(allowed=False, by=name)  # type: ignore[arg-type]
    assert limited((ALLOW,), ALLOW, policy(DENY_STOP)) == Decision(allowed=False, explicit=True, by=name)  # type: ignore[arg-type]


ACTIONS = [
    ("ECS:STOPTASK", True),
    ("ecs:stop*", True),
    ("ecs:*Task", True),
    ("ecs:St?pTask", True),
    ("*", True),
    ("*:*", True),
    ("ecs:Stop", False),
    ("ecs:StopTask?", False),
    ("s3:*", False),
]


@pytest.mark.parametrize(("pattern", "allowed"), ACTIONS)
def test_actions_match_whatever_their_case(pattern: str, allowed: bool) -> None:
    assert allows(policy({"Action": pattern})) is allowed


RESOURCES = [
    ("*", TASK, True),
    ("arn:aws:ecs:*:*:task/prod/*", TASK, True),
    ("arn:aws:ecs:*:*:task/prod/*", TASK + "/b", True),
    ("arn:aws:ecs:*:*:task/prod/*", "arn:aws:ecs:us-east-1:000000000000:task/prod2/x", False),
    ("arn:aws:ecs:*:*:task/prod?/x", "arn:aws:ecs:us-east-1:000000000000:task/prod2/x", True),
    ("arn:aws:ecs:*:*:*/a", TASK, True),
    ("arn:aws:ecs:*:*:TASK/prod/a", TASK, False),
    ("arn:aws:ecs:*:*:task/prod/a*a", TASK, False),
    ("arn:aws:ecs:*:*:t*k/*o*/a", TASK, True),
    ("arn:aws:ecs:us-*:*:task/prod/a", TASK, True),
    ("arn:aws:ecs:*:111111111111:task/prod/a", TASK, False),
    # A wildcard of one part does not reach into the next one.
    ("arn:aws:ecs:*:task/prod/a:*", TASK, False),
    ("arn:aws:ecs:us-east-1:*:a", "arn:aws:ecs:us-east-1:000000000000:task/prod:a", False),
    ("arn:aws:ecs:*:*:task-definition/f:3", "arn:aws:ecs:us-east-1:000000000000:task-definition/f:3", True),
    ("arn:aws:ecs:*:*:task-definition/f:*", "arn:aws:ecs:us-east-1:000000000000:task-definition/f:3", True),
    ("arn:aws:ecs:*:*:task-definition/f", "arn:aws:ecs:us-east-1:000000000000:task-definition/f:3", False),
    ("arn:aws:ecs:*:*:task-definition/f:3", "arn:aws:ecs:us-east-1:000000000000:task-definition/f:*", False),
    # An action without resources is allowed by `*` alone.
    ("arn:aws:ecs:*:*:*", "*", False),
    ("*", "*", True),
]


@pytest.mark.parametrize(("pattern", "resource", "allowed"), RESOURCES)
def test_resources_match_part_by_part(pattern: str, resource: str, allowed: bool) -> None:
    assert allows(policy({"Resource": pattern}), resource=resource) is allowed
    assert allows(policy({"NotResource": pattern}), resource=resource) is not allowed


def test_a17_not_action_is_about_all_others() -> None:
    assert allows(policy({"NotAction": "iam:*"}))
    assert not allows(policy({"NotAction": ["iam:*", "ecs:Stop*"]}))
    denied = policy({}, {"Effect": "Deny", "NotAction": "ecs:Describe*"})
    assert decide(denied).explicit
    assert allows(denied, "ecs:DescribeTasks")


def when(operator: str, value: Any, **keys: Any) -> bool:
    """Whether a condition on the key a:b holds: an Allow and a Deny that have it agree."""
    condition = {"Condition": {operator: {"a:b": value}}}
    allowed = allows(policy(condition), **keys)
    assert allows(policy({}, {"Effect": "Deny", **condition}), **keys) is not allowed
    return allowed


CONDITIONS: list[tuple[str, Any, str | list[str] | None, bool]] = [
    ("StringEquals", ["x", "y"], "y", True),
    ("StringEquals", ["x", "y"], "z", False),
    ("StringEquals", "x*", "xy", False),
    ("StringEquals", "X", "x", False),
    ("StringEqualsIgnoreCase", "X", "x", True),
    ("StringLike", "x*", "xy", True),
    ("StringLike", "${*}", "*", True),
    ("StringLike", "${*}", "x", False),
    ("StringEquals", "${$}{", "${", True),
    # Values of negated operators are NOR.
    ("StringNotEquals", ["x", "y"], "y", False),
    ("StringNotEquals", ["x", "y"], "z", True),
    ("StringNotEqualsIgnoreCase", "X", "x", False),
    ("StringNotLike", ["x*", "y*"], "ya", False),
    ("StringNotLike", ["x*", "y*"], "za", True),
    ("NumericEquals", 256, "256.0", True),
    ("NumericNotEquals", "256", "256", False),
    ("NumericLessThan", "10", "9", True),
    ("NumericLessThanEquals", "10", "10", True),
    ("NumericGreaterThan", "9", "10", True),
    ("NumericGreaterThanEquals", "10", "9", False),
    ("DateLessThan", "2026-01-02T00:00:00Z", "2026-01-01T12:00:00+00:00", True),
    ("DateGreaterThan", "2026", "2026-01-01T12:00:00Z", True),
    ("DateEquals", "1767225600", "2026-01-01T00:00:00Z", True),
    ("DateNotEquals", "2026-01-01", "2026-01-01T00:00:00Z", False),
    ("Bool", True, "TRUE", True),
    ("Bool", "false", "true", False),
    ("BinaryEquals", "YQ==", "YQ==", True),
    ("IpAddress", "203.0.113.0/24", "203.0.113.9", True),
    ("IpAddress", "203.0.113.9", "203.0.113.10", False),
    ("IpAddress", "2001:db8::/32", "2001:db8::1", True),
    ("IpAddress", "0.0.0.0/0", "2001:db8::1", False),
    ("NotIpAddress", ["203.0.113.0/24", "10.0.0.0/8"], "10.1.1.1", False),
    ("ArnEquals", "arn:aws:ecs:*:*:cluster/p*", "arn:aws:ecs:us-east-1:0:cluster/prod", True),
    ("ArnLike", "arn:aws:*:cluster/p*:*:*", "arn:aws:ecs:us-east-1:0:cluster/prod", False),
    ("ArnNotLike", "arn:aws:ecs:*:*:cluster/p*", "arn:aws:ecs:us-east-1:0:cluster/prod", False),
    ("ArnNotEquals", "arn:aws:ecs:*:*:cluster/q*", "arn:aws:ecs:us-east-1:0:cluster/prod", True),
    # A key that is absent.
    ("StringEquals", "x", None, False),
    ("StringNotEquals", "x", None, True),
    ("StringEqualsIfExists", "x", None, True),
    ("StringEqualsIfExists", "x", "y", False),
    ("StringNotEqualsIfExists", "x", "x", False),
    ("NumericLessThan", "1", None, False),
    ("NumericLessThanIfExists", "1", None, True),
    ("IpAddress", "0.0.0.0/0", None, False),
    ("NotIpAddress", "10.0.0.0/8", None, True),
    ("ArnNotLike", "*", None, True),
    ("Null", "true", None, True),
    ("Null", "false", None, False),
    ("Null", "true", "x", False),
    ("Null", False, "", True),
    ("Null", "true", [], True),
    # Sets of values.
    ("ForAllValues:StringEquals", ["x", "y"], ["x", "y"], True),
    ("ForAllValues:StringEquals", ["x", "y"], ["x", "z"], False),
    ("ForAllValues:StringEquals", "x", None, True),
    ("ForAllValues:StringEquals", "x", [], True),
    ("ForAllValues:StringNotEquals", ["x", "y"], ["z", "x"], False),
    ("ForAllValues:StringNotEquals", ["x", "y"], ["z"], True),
    ("ForAllValues:StringNotEquals", "x", None, True),
    ("ForAnyValue:StringEquals", ["x", "y"], ["z", "x"], True),
    ("ForAnyValue:StringEquals", "x", ["z"], False),
    ("ForAnyValue:StringEquals", "x", None, False),
    ("ForAnyValue:StringEquals", "x", [], False),
    ("ForAnyValue:StringNotEquals", "x", ["x", "y"], True),
    ("ForAnyValue:StringNotEquals", "x", None, False),
    ("ForAnyValue:StringEqualsIfExists", "x", None, True),
]


@pytest.mark.parametrize(("operator", "wanted", "given", "holds"), CONDITIONS)
def test_conditions_hold_as_iam_has_it(operator: str, wanted: Any, given: str | list[str] | None, holds: bool) -> None:
    assert when(operator, wanted, **({} if given is None else {"a__b": given})) is holds


def test_operators_and_keys_are_all_to_hold_and_names_of_keys_have_no_case() -> None:
    both = policy({"Condition": {"StringEquals": {"A:B": "x", "c:d": "y"}, "NumericLessThan": {"e:f": 3}}})
    assert allows(both, a__b="x", c__d="y", e__f="2")
    assert not allows(both, a__b="x", c__d="y", e__f="3")
    assert not allows(both, a__b="x", c__d="z", e__f="2")


UNCLEAR: list[tuple[str, Any, str | list[str]]] = [
    ("StringEquals", "x", ["x", "y"]),
    ("StringNotEquals", "x", ["x", "y"]),
    ("NumericLessThan", "3", "many"),
    ("NumericNotEquals", "3", "many"),
    ("DateLessThan", "2026", "soon"),
    ("IpAddress", "0.0.0.0/0", "here"),
    ("Bool", "true", "yes"),
    ("ForAllValues:NumericLessThan", "3", ["1", "many"]),
]


@pytest.mark.parametrize(("operator", "wanted", "given"), UNCLEAR)
def test_where_it_cannot_be_said_an_allow_does_not_count_and_a_deny_does(
    operator: str, wanted: Any, given: str | list[str]
) -> None:
    condition = {"Condition": {operator: {"a:b": wanted}}}
    assert not allows(policy(condition), a__b=given)
    assert decide(policy({}, {"Effect": "Deny", **condition}), a__b=given).explicit


MINE = {"Resource": "arn:aws:ecs:*:*:task/${aws:username}/*"}


def test_variables_are_what_the_request_says() -> None:
    assert allows(policy(MINE), aws__username="prod")
    assert not allows(policy(MINE), aws__username="dev")
    other = policy({"Condition": {"StringEquals": {"a:b": "${aws:PrincipalTag/team}"}}})
    assert allows(other, **{"a__b": "x", "aws__PrincipalTag/team": "x"})
    assert not allows(other, **{"a__b": "y", "aws__PrincipalTag/team": "x"})


def test_a_wildcard_in_the_value_of_a_variable_stands_for_itself() -> None:
    assert not allows(policy(MINE), aws__username="*")
    assert not allows(policy(MINE), aws__username="pro?")
    like = policy({"Condition": {"StringLike": {"a:b": "${aws:username}*"}}})
    assert not allows(like, a__b="prod", aws__username="*")
    assert allows(like, a__b="*prod", aws__username="*")


def test_a_colon_in_the_value_of_a_variable_does_not_shift_the_parts() -> None:
    sly = policy({"Resource": "arn:aws:ecs:us-east-1:${aws:username}:*"})
    assert not allows(sly, aws__username="000000000000:task/prod/a")
    assert allows(sly, aws__username="000000000000")


@pytest.mark.parametrize("keys", [{}, {"aws__username": ["a", "b"]}])
def test_a_statement_whose_variable_has_no_value_does_not_match(keys: dict[str, Any]) -> None:
    assert not allows(policy(MINE), **keys)
    assert not allows(policy({"NotResource": MINE["Resource"]}), **keys)
    arn = "arn:a:b:c:d:${aws:username}"
    for operator, value in (
        ("StringEquals", ["true", "${aws:username}"]),
        ("StringNotEquals", "${aws:username}"),
        ("ForAnyValue:StringLike", ["true", "${aws:username}"]),
        ("ArnNotLike", ["arn:a:b:c:d:e", arn]),
        ("Bool", ["true", "${aws:username}"]),
    ):
        condition = {"Condition": {operator: {"a:b": value}}}
        assert not allows(policy(condition), a__b="true", **keys)
        assert allows(policy({}, {"Effect": "Deny", **condition}), a__b="true", **keys)


def test_a_variable_may_have_a_value_in_case_that_there_is_none() -> None:
    one = policy({"Resource": "arn:aws:ecs:*:*:task/${aws:PrincipalTag/team, 'prod'}/*"})
    assert allows(one)
    assert not allows(one, **{"aws__PrincipalTag/team": "dev"})


def test_in_the_older_version_of_the_language_a_variable_is_text() -> None:
    old = policy(MINE, version="2008-10-17")
    assert not allows(old, aws__username="prod")
    literal = "arn:aws:ecs:us-east-1:000000000000:task/${aws:username}/a"
    assert allows(old, resource=literal, aws__username="prod")
    same = policy({"Condition": {"StringEquals": {"a:b": "${aws:username}"}}}, version="2008-10-17")
    assert allows(same, a__b="${aws:username}", aws__username="prod")


def test_tag_keys_that_differ_in_case_only_are_one_key_with_two_values() -> None:
    mine = policy({"Condition": {"StringEquals": {"aws:RequestTag/team": "a"}}})
    tags = {"aws__RequestTag/team": "a", "aws__RequestTag/Team": "b"}
    assert not allows(mine, **tags)
    assert not allows(mine, **dict(reversed(tags.items())))
