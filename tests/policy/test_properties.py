"""What holds for every policy and every request, against a second reading of the rules that is as plain as can be."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ecsctl.policy import pattern as patterns
from ecsctl.policy.document import Policy, parse_policy
from ecsctl.policy.evaluate import Policies, context_of, evaluate, is_meant, narrowed

TEXTS = st.text("ab:/*?", max_size=7)
WORDS = st.text("ab", max_size=3)
ACTIONS = ["ecs:RunTask", "ecs:StopTask", "iam:PassRole"]
PATTERNS = ["*", "ecs:*", "ECS:runTASK", "ecs:Stop*", "iam:*", "*:*"]
RESOURCES = ["*", *(f"arn:aws:ecs:r:0:{name}" for name in ("task/a/1", "task/b/1", "cluster/a"))]
RESOURCE_PATTERNS = ["*", "arn:aws:ecs:*:*:task/a/*", "arn:aws:ecs:r:0:*", "arn:aws:ecs:x:*:*", "arn:aws:ecs:*:*:*/a*"]
OPERATORS = [
    prefix + name + suffix
    for prefix in ("", "ForAllValues:", "ForAnyValue:")
    for name in ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike")
    for suffix in ("", "IfExists")
]
KEYS = st.sampled_from(["k:a", "k:b"])
CONDITIONS = st.dictionaries(
    st.sampled_from(OPERATORS), st.dictionaries(KEYS, st.lists(WORDS, min_size=1, max_size=2), min_size=1), max_size=2
)
STATEMENTS = st.builds(
    lambda effect, action, actions, resource, resources, condition: {
        "Effect": effect,
        action: actions,
        resource: resources,
        "Condition": condition,
    },
    st.sampled_from(["Allow", "Deny"]),
    st.sampled_from(["Action", "NotAction"]),
    st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=2),
    st.sampled_from(["Resource", "NotResource"]),
    st.lists(st.sampled_from(RESOURCE_PATTERNS), min_size=1, max_size=2),
    CONDITIONS,
)
DOCUMENTS = st.builds(
    lambda statements: {"Version": "2012-10-17", "Statement": statements}, st.lists(STATEMENTS, min_size=1, max_size=3)
)
KEYS_GIVEN = st.dictionaries(KEYS, st.lists(WORDS, max_size=3))


def regex(pattern: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern)


@given(pattern=TEXTS, text=TEXTS)
@settings(max_examples=500)
def test_wildcards_match_what_a_regular_expression_of_them_matches(pattern: str, text: str) -> None:
    parsed = patterns.parse(pattern, wildcards=True, variables=True)
    assert patterns.matches(parsed, text, {}) is bool(re.fullmatch(regex(pattern), text))


@given(parts=st.lists(st.text("ab*?", max_size=3), min_size=6, max_size=6), arn=st.lists(WORDS, min_size=6, max_size=6))
def test_an_arn_matches_when_each_of_its_parts_does(parts: list[str], arn: list[str]) -> None:
    parsed = patterns.parse(":".join(parts), wildcards=True, variables=True)
    each = all(re.fullmatch(regex(part), name) for part, name in zip(parts, arn, strict=True))
    assert patterns.matches_arn(parsed, ":".join(arn), {}) is each


@given(value=st.text("ab*?:$/{}", max_size=6), text=TEXTS)
def test_the_value_of_a_variable_stands_for_itself(value: str, text: str) -> None:
    parsed = patterns.parse("${a:b}", wildcards=True, variables=True)
    assert patterns.matches(parsed, text, {"a:b": (value,)}) is (text == value)
    assert patterns.matches(parsed, value, {"a:b": (value,)})


def plainly(operator: str, wanted: list[str], given: list[str] | None) -> bool | None:
    """Whether a condition holds, from the tables of the user guide. None: it cannot be said."""
    every, any_one = operator.startswith("ForAllValues:"), operator.startswith("ForAnyValue:")
    name = operator.rpartition(":")[2]
    if not given:
        if name.endswith("IfExists"):
            return True
        return every or (not any_one and "Not" in name)
    like = "Like" in name

    def single(value: str) -> bool:
        found = any(re.fullmatch(regex(one) if like else re.escape(one), value) for one in wanted)
        return not found if "Not" in name else found

    answers = [single(value) for value in given]
    if every or any_one:
        return all(answers) if every else any(answers)
    return answers[0] if len(set(answers)) == 1 else None


def meant(statement: dict[str, Any], action: str, resource: str, keys: dict[str, list[str]]) -> bool:
    of_action, of_resource = (statement.get(name) or statement[f"Not{name}"] for name in ("Action", "Resource"))
    actions = any(re.fullmatch(regex(one), action, re.IGNORECASE) for one in of_action)
    resources = any(
        one == "*"
        or (
            len(resource.split(":", 5)) == 6
            and all(re.fullmatch(regex(a), b) for a, b in zip(one.split(":", 5), resource.split(":", 5), strict=True))
        )
        for one in of_resource
    )
    if actions is ("NotAction" in statement) or resources is ("NotResource" in statement):
        return False
    answers = [
        plainly(operator, wanted, keys.get(key))
        for operator, named in statement["Condition"].items()
        for key, wanted in named.items()
    ]
    return False not in answers and (None not in answers or statement["Effect"] == "Deny")


@given(DOCUMENTS, st.sampled_from(ACTIONS), st.sampled_from(RESOURCES), KEYS_GIVEN)
@settings(max_examples=500, deadline=None)
def test_statements_are_about_a_request_as_the_guide_has_it(
    document: dict[str, Any], action: str, resource: str, keys: dict[str, list[str]]
) -> None:
    parsed = parse_policy(document)
    for statement, plain in zip(parsed.statements, document["Statement"], strict=True):
        assert is_meant(statement, action, resource, context_of(keys)) is meant(plain, action, resource, keys)


@given(
    st.lists(DOCUMENTS, max_size=3),
    st.none() | DOCUMENTS,
    st.none() | DOCUMENTS,
    st.sampled_from(ACTIONS),
    st.sampled_from(RESOURCES),
    KEYS_GIVEN,
)
@settings(max_examples=300, deadline=None)
def test_a_decision_is_what_the_effects_of_all_policies_add_up_to(
    identity: list[dict[str, Any]],
    boundary: dict[str, Any] | None,
    session: dict[str, Any] | None,
    action: str,
    resource: str,
    keys: dict[str, list[str]],
) -> None:
    def parsed(document: dict[str, Any] | None) -> tuple[Policy, ...] | None:
        return None if document is None else (parse_policy(document),)

    policies = Policies(tuple(map(parse_policy, identity)), parsed(boundary), parsed(session))
    found = evaluate(policies, action, resource, context_of(keys))
    kinds = [identity, *([one] for one in (boundary, session) if one is not None)]
    effects = [
        {s["Effect"] for document in kind for s in document["Statement"] if meant(s, action, resource, keys)}
        for kind in kinds
    ]
    assert found.explicit is any("Deny" in kind for kind in effects)
    assert found.allowed is (not found.explicit and all("Allow" in kind for kind in effects))


@given(DOCUMENTS, DOCUMENTS, st.sampled_from(ACTIONS), st.sampled_from(RESOURCES), KEYS_GIVEN)
@settings(deadline=None)
def test_a_boundary_never_allows_more(
    one: dict[str, Any], limit: dict[str, Any], action: str, resource: str, keys: dict[str, list[str]]
) -> None:
    identity = (parse_policy(one),)
    without = evaluate(Policies(identity), action, resource, context_of(keys))
    within = evaluate(Policies(identity, (parse_policy(limit),)), action, resource, context_of(keys))
    assert without.allowed or not within.allowed


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=5,
)
NAMES = ["Effect", "Action", "NotAction", "Resource", "Condition", "Sid"]


@given(
    st.dictionaries(st.sampled_from(["Version", "Statement", "Id"]), JSON)
    | st.builds(
        lambda statement: {"Statement": statement},
        st.dictionaries(st.sampled_from(NAMES), JSON | st.sampled_from(["Allow", "*", "ecs:*"])),
    )
)
@settings(max_examples=500)
def test_whatever_is_given_is_a_policy_or_refused_in_one_line(data: Any) -> None:
    try:
        parse_policy(data)
    except ValueError as error:
        assert str(error)
        assert "\n" not in str(error)


@given(DOCUMENTS, st.none() | DOCUMENTS, st.sampled_from(ACTIONS), st.sampled_from(RESOURCES), KEYS_GIVEN)
@settings(deadline=None)
def test_what_is_about_other_actions_may_be_left_out(
    one: dict[str, Any], limit: dict[str, Any] | None, action: str, resource: str, keys: dict[str, list[str]]
) -> None:
    policies = Policies((parse_policy(one),), None if limit is None else (parse_policy(limit),))
    found = evaluate(policies, action, resource, context_of(keys))
    assert evaluate(narrowed(policies, action), action, resource, context_of(keys)) == found
