"""The cluster query language: what is meant by a query, what is said of one that is none, and why a host is not meant.

Source: ECS developer guide, "Create expressions to define container instances for Amazon ECS tasks" (the query page
below) and "Define which container instances Amazon ECS uses for tasks" (the constraints page).
"""

from __future__ import annotations

import re
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecsctl.placement.query import DEEPEST, LONGEST, QueryError, Subject, parse
from ecsctl.placement.query_subjects import ATTRIBUTE, KINDS, OPERATORS
from ecsctl.placement.query_terms import Query

SUBJECTS = (
    "there are agentConnected, agentVersion, attribute:NAME, ec2InstanceId, registeredAt, runningTasksCount, task:group"
)
DATE = "registeredAt is compared with a date such as 2018-06-18 or 2018-06-18T22:28:28Z"
HOSTS = {
    "small": Subject(
        {"ecs.instance-type": "t2.small", "ecs.availability-zone": "us-east-1a", "stack": "prod"},
        ["service:production", "database"],
        2,
        datetime(2018, 2, 12, 23, 59, 59, 999_999, timezone.utc),
        True,
        "1.14.4",
        "i-abcd1234",
    ),
    "medium": Subject(
        {"ecs.instance-type": "t2.medium", "ecs.availability-zone": "us-east-1b", "stack": "test", "color": None},
        ["database"],
        1,
        datetime(2018, 2, 13, tzinfo=timezone.utc),
        False,
        "1.14.5",
        "i-wxyx7890",
    ),
    "graphics": Subject(
        {"ecs.instance-type": "g2.2xlarge", "ecs.availability-zone": "us-east-1d"},
        [],
        0,
        datetime(2018, 6, 18, 22, 28, 28, 500_000, timezone.utc),
        True,
        "1.100.0",
        "i-ffff0000",
    ),
}


def meant(text: str) -> list[str]:
    query = parse(text)
    return [name for name, host in HOSTS.items() if query.matches(host)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # The query page, "Example expressions".
        ("attribute:ecs.instance-type == t2.small", ["small"]),
        ("attribute:ecs.availability-zone in [us-east-1a, us-east-1b]", ["small", "medium"]),
        ("attribute:ecs.instance-type =~ g2.* and attribute:ecs.availability-zone != us-east-1d", []),
        ("task:group == service:production", ["small"]),
        ("not(task:group == database)", ["graphics"]),
        ("runningTasksCount == 1", ["medium"]),
        ("agentVersion < 1.14.5", ["small"]),
        ("registeredAt < 2018-02-13", ["small"]),
        ("ec2InstanceId in ['i-abcd1234', 'i-wxyx7890']", ["small", "medium"]),
        # The constraints page, "Filtering by attribute": != lists "the instances with the custom attribute" unless …
        ("attribute:ecs.instance-type == g2.2xlarge", ["graphics"]),
        ("attribute:stack == prod", ["small"]),
        ("attribute:stack != prod", ["medium"]),
        ("attribute:ecs.instance-type in [t2.small, t2.medium]", ["small", "medium"]),
        ("attribute:ecs.instance-type =~ t2.* and attribute:ecs.availability-zone == us-east-1a", ["small"]),
        ("task:group == databases", []),
        # As they are found in other people's definitions and scripts.
        ("attribute:ecs.instance-type==t2.small", ["small"]),
        ("attribute:ecs.availability-zone in [us-east-1d,us-east-1a]", ["small", "graphics"]),
        ('attribute:ecs.availability-zone in ["us-east-1a", "us-east-1b"]', ["small", "medium"]),
        ("ec2InstanceId in ['i-abcd1234'] and agentConnected==true", ["small"]),
        ("attribute:ecs.instance-type matches t2.*", ["small", "medium"]),
        ("attribute:ecs.instance-type =~ (p[2,3]|g[2,3]|f[1]).*", ["graphics"]),
        ("(attribute:ecs.instance-type =~ (p|g)2.*)&&runningTasksCount<1", ["graphics"]),
        ("task:group in [service:production,service:web]", ["small"]),
    ],
)
def test_published_examples(text: str, expected: list[str]) -> None:
    assert meant(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("attribute:stack equals prod", ["small"]),
        ("attribute:stack not_equals prod", ["medium"]),
        ("attribute:stack exists", ["small", "medium"]),
        ("attribute:stack !exists", ["graphics"]),
        ("attribute:stack not_exists", ["graphics"]),
        ("attribute:stack not_in [prod, x]", ["medium"]),
        ("attribute:stack !in [prod]", ["medium"]),
        ("attribute:stack !in[prod]", ["medium"]),
        ("attribute:stack NOT_IN [prod]", ["medium"]),
        ("attribute:stack !~ p.*", ["medium"]),
        ("attribute:stack not_matches p.*", ["medium"]),
        ("attribute:stack =~ pro", []),
        ("attribute:stack == Prod", []),
        ("attribute:Stack exists", []),
        ("attribute:stack > prod", ["medium"]),
        ("attribute:stack less_than_equal prod", ["small"]),
        ("runningTasksCount greater_than 0", ["small", "medium"]),
        ("runningTasksCount greater_than_equal 2", ["small"]),
        ("runningTasksCount less_than 1", ["graphics"]),
        ("runningTasksCount != 01", ["small", "graphics"]),
        ("agentConnected == false", ["medium"]),
        ("agentConnected != true", ["medium"]),
        ("agentConnected in [true, False]", ["small", "medium", "graphics"]),
        ("agentConnected not_in [true]", ["medium"]),
        ("agentConnected =~ t.*", ["small", "graphics"]),
        ("agentConnected !~ t.*", ["medium"]),
        ("agentVersion >= 1.14.5", ["medium", "graphics"]),
        ("agentVersion == 1.14.5.0", ["medium"]),
        ("agentVersion != 1.100", ["small", "medium"]),
        ("ec2InstanceId == i-abcd1234", ["small"]),
        ("ec2InstanceId !~ i-[a-z]+[0-9]{4}", []),
        ("task:group exists", ["small", "medium"]),
        ("task:group !exists", ["graphics"]),
        ("task:group =~ service:.*", ["small"]),
        ("task:group !~ service:.*", ["small", "medium"]),
        ("task:group not_in [service:production]", ["small", "medium"]),
    ],
)
def test_every_operator_in_both_spellings(text: str, expected: list[str]) -> None:
    assert meant(text) == expected


@pytest.mark.parametrize("operator", ["== x", "!= x", "> 0", "<= x", "in [x]", "not_in [x]", "=~ .*", "!~ x"])
def test_what_is_not_there_meets_no_operator_but_not_exists(operator: str) -> None:
    """So does ECS (issue 486 of its roadmap): `attribute:retiring != true` lists none that has no such attribute.

    Who wants those too asks for not(attribute:retiring == true).
    """
    assert not parse(f"attribute:none {operator}").matches(Subject())
    assert parse(f"not(attribute:none {operator})").matches(Subject())
    for subject in ("ec2InstanceId == x", "registeredAt != 2018-01-01", "agentVersion != 1", "task:group != x"):
        assert not parse(subject).matches(Subject())


def test_an_attribute_without_a_value_exists_and_is_empty() -> None:
    """The constraints page: an attribute has "a name and an optional string value"."""
    for text in ("exists", "!= prod", "== ''", "=~ ''", "not_in [prod]"):
        assert meant(f"attribute:color {text}") == ["medium"]
    assert meant("attribute:color == prod") == []


def test_a_query_asks_for_some_task_that_is_of_the_group_or_of_another() -> None:
    """The query page keeps away from a group by not(task:group == database): != is not that."""
    assert meant("task:group != database") == ["small"], "it has a task of another group too"
    assert meant("task:group == database and task:group != database") == ["small"]
    assert meant("not(task:group in [database])") == ["graphics"]


@pytest.mark.parametrize(
    ("value", "operator", "argument", "expected"),
    [
        ("10", ">", "9", True),
        ("10", "<=", "9.5", False),
        ("-1", "<", "0", True),
        ("1.0", ">=", "1", True),
        ("1.0", "==", "1", False),
        ("rack", ">", "9", False),
        ("rack", "<=", "9", False),
        ("b", ">", "a", True),
        ("10", "<", "9a", True),
        ("1e3", ">", "5", False),
        ("1_0", ">", "5", False),
        ("\u0661", ">", "0", False),
        ("9" * 128, ">", "9" * 127, True),
    ],
)
def test_attributes_are_compared_as_numbers_with_a_number_else_as_texts(
    value: str, operator: str, argument: str, expected: bool
) -> None:
    assert parse(f"attribute:a {operator} {argument}").matches(Subject({"a": value})) is expected


@pytest.mark.parametrize(
    ("found", "text", "expected"),
    [
        ("1.14.5", "== 1.14.5", True),
        ("1.14", "== 1.14.0", True),
        ("1.9.0", "< 1.14.0", True),
        ("1.14.5-rc1", "== 1.14.5", True),
        ("1.14.5rc1", ">= 1.14.5", True),
        ("0.1.0.dev3", "> 0.0.9", True),
        ("DEV", "!= 1", False),
        (None, "< 9", False),
        ("2", "!= 1", True),
    ],
)
def test_versions_are_compared_number_by_number(found: str | None, text: str, expected: bool) -> None:
    assert parse(f"agentVersion {text}").matches(Subject(agent_version=found)) is expected


@pytest.mark.parametrize(
    ("argument", "before", "at", "after"),
    [
        # "Valid date formats" of the query page.
        ("2018-06-18T22:28:28+00:00", "22:28:27.999999", "22:28:28.5", "22:28:29"),
        ("2018-06-18T22:28:28Z", "22:28:27.999999", "22:28:28", "22:28:29"),
        ("2018-06-18T22:28:28", "22:28:27.999999", "22:28:28.999999", "22:28:29"),
        ("2018-06-19T00:28:28+02:00", "22:28:27", "22:28:28", "22:28:29"),
        ("2018-06-18T22:28:28.123456+00:00", "22:28:27", "22:28:28", "22:28:29"),
        ("'2018-06-18T22:28:28Z'", "22:28:27", "22:28:28", "22:28:29"),
    ],
)
def test_a_time_is_a_second_and_without_a_zone_in_utc(argument: str, before: str, at: str, after: str) -> None:
    for moment, fitting in ((before, "!= < <="), (at, "== >= <="), (after, "!= > >=")):
        pieces = (*map(float, moment.split(":")),)
        micro = round(pieces[2] % 1 * 1_000_000)
        registered = datetime(2018, 6, 18, int(pieces[0]), int(pieces[1]), int(pieces[2]), micro, timezone.utc)
        host = Subject(registered_at=registered)
        found = [
            sign for sign in KINDS["registeredAt"].operators if parse(f"registeredAt {sign} {argument}").matches(host)
        ]
        assert sorted(found) == sorted(fitting.split())


def test_a_date_is_a_day() -> None:
    """ "Instances that were registered before February 13, 2018" are meant by < 2018-02-13; so > is after that day."""
    assert meant("registeredAt == 2018-02-13") == ["medium"]
    assert meant("registeredAt <= 2018-02-12") == ["small"]
    assert meant("registeredAt > 2018-02-13") == ["graphics"]
    assert meant("registeredAt >= 2018-02-13") == ["medium", "graphics"]
    assert meant("registeredAt != 2018-06-18") == ["small", "medium"]
    assert meant("registeredAt <= 9999-12-30") == list(HOSTS)


@pytest.mark.parametrize("kind", KINDS)
def test_an_operator_that_makes_no_sense_is_refused_with_those_that_do(kind: str) -> None:
    """The "Valid operators" of the query page, and for attributes and groups what can be said of a text."""
    subject = f"{kind}a" if kind == ATTRIBUTE else kind
    argument = {"registeredAt": "2018-06-18", "agentConnected": "true"}.get(kind, "1")
    taken = KINDS[kind].operators
    for operator in dict.fromkeys(OPERATORS.values()):
        ending = {"exists": "", "not_exists": "", "in": f" [{argument}]", "not_in": f" [{argument}]"}
        text = f"{subject} {operator}{ending.get(operator, f' {argument}')}"
        if operator in taken:
            assert str(parse(text)) == text
        else:
            with pytest.raises(QueryError) as caught:
                parse(text)
            assert caught.value.message == f"{subject} takes {', '.join(taken[:-1])} or {taken[-1]}, not {operator}"
            assert caught.value.position == len(subject) + 1


def test_subjects_and_operators_are_those_of_the_page() -> None:
    in_order = "== != > >= < <="
    as_text = "== != in not_in =~ !~"
    assert {kind: " ".join(found.operators) for kind, found in KINDS.items()} == {
        "agentConnected": as_text,
        "agentVersion": in_order,
        "attribute:": f"{in_order} in not_in =~ !~ exists not_exists",
        "ec2InstanceId": as_text,
        "registeredAt": in_order,
        "runningTasksCount": in_order,
        "task:group": f"{as_text} exists not_exists",
    }


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("a or b and c", "a or (b and c)"),
        ("a and b or c", "(a and b) or c"),
        ("not a and b", "(not a) and b"),
        ("not a or b", "(not a) or b"),
        ("! a && b || c", "((not(a)) and b) or c"),
        ("!!a", "not(not(a))"),
        ("not not(a)", "!(!a)"),
        ("a and (b and c)", "(a and b) and c"),
        ("a or (b or c) or d", "a or b or c or d"),
        ("A AND NOT b OR c", "(A and (not b)) or c"),
        ("a&&b||c", "a and b or c"),
        ("(((a)))", "a"),
        ("a\n\tand\nb", "a and b"),
    ],
)
def test_not_binds_closer_than_and_that_closer_than_or(text: str, same: str) -> None:
    def written(short: str) -> str:
        return re.sub(r"\b[abcdA]\b", lambda found: f"attribute:{found[0]} exists", short)

    assert parse(written(text)) == parse(written(same))


def test_what_is_alike_in_nothing_but_its_parts_is_not_equal() -> None:
    queries = ["attribute:a exists", "attribute:b exists", "attribute:a == b", "attribute:a in [b]", "task:group == b"]
    joined = [f"{queries[0]} and {queries[1]}", f"{queries[0]} or {queries[1]}", f"not({queries[0]})"]
    found = [parse(text) for text in (*queries, *joined)]
    assert len(set(found)) == len(found)
    assert all(one != other for one in found for other in found if one is not other)
    assert parse(queries[2]) != queries[2]
    assert repr(found[2]) == "Clause('attribute:a == b')"


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("attribute:rack  prod", 16, "expected an operator after attribute:rack"),
        ("attribute:rack", 14, "expected an operator after attribute:rack"),
        ("attribute:rack = a", 15, "expected an operator after attribute:rack (did you mean ==?)"),
        ("attribute:rack not in [a]", 15, "expected an operator after attribute:rack (did you mean not_in?)"),
        ("attribute:rack equal a", 15, "expected an operator after attribute:rack (did you mean equals?)"),
        ("attribute:rack !a", 15, "expected an operator after attribute:rack"),
        ("attribute:rack ==", 17, "expected a value after =="),
        ("attribute:rack == (a)", 18, "expected a value after =="),
        ("attribute:rack == [a]", 18, "expected a value after == (a list is for in and not_in)"),
        ("attribute:rack == and", 21, ""),
        ("attribute:rack =~", 17, "expected a regular expression after =~"),
        ("(attribute:rack =~ )", 19, "expected a regular expression after =~"),
        ("attribute:rack in a", 18, "expected a list such as [a, b] after in"),
        ("attribute:rack in []", 19, "expected a value after ["),
        ("attribute:rack in [a,]", 21, "expected a value after ,"),
        ("attribute:rack in [a b]", 21, "expected , or ] after a"),
        ("attribute:rack in ['a' 'b']", 23, "expected , or ] after 'a'"),
        ("attribute:rack in [a", 20, "expected , or ] after a"),
        ("attribute:rack == 'a", 18, "there is a ' without a second one"),
        ('attribute:rack =~ "a', 18, 'there is a " without a second one'),
        ("attribute:rack == a b", 20, "expected and, or, or the end after a (a value with spaces needs quotes)"),
        ("attribute:rack == 'a' b", 22, "expected and, or, or the end after 'a'"),
        ("attribute:rack == a & b", 20, "expected and, or, or the end after a"),
        ("attribute:rack exists a", 22, "expected and, or, or the end after exists"),
        ("attribute:rack == a)", 19, "there is a ) without its ("),
        ("(attribute:rack == a", 20, "expected and, or, or ) after a"),
        ("(attribute:rack == a b)", 21, "expected and, or, or ) after a (a value with spaces needs quotes)"),
        ("attribute: == a", 10, "expected the name of an attribute after attribute:"),
        ("attribute:a:b == c", 11, "names of attributes have letters, digits and - _ . / \\ only"),
        ("attribute:ä == c", 10, "names of attributes have letters, digits and - _ . / \\ only"),
        ("runningtaskscount == 1", 0, "runningtaskscount is no subject: did you mean runningTasksCount?"),
        ("taskgroup == 1", 0, "taskgroup is no subject: did you mean task:group?"),
        ("ecs.os-type == linux", 0, "ecs.os-type is no subject: did you mean attribute:ecs.os-type?"),
        ("rack == a", 0, f"rack is no subject: {SUBJECTS}"),
        ("and rack == a", 0, f"and is no subject: {SUBJECTS}"),
        ("", 0, f"expected a subject: {SUBJECTS}"),
        (" \n", 2, f"expected a subject: {SUBJECTS}"),
        ("not", 3, f"expected a subject after not: {SUBJECTS}"),
        ("()", 1, f"expected a subject after (: {SUBJECTS}"),
        ("attribute:rack == a and ", 24, f"expected a subject after and: {SUBJECTS}"),
        ("== a", 0, f"expected a subject: {SUBJECTS}"),
        ("runningTasksCount == one", 21, "runningTasksCount is compared with a whole number"),
        ("runningTasksCount == -1", 21, "runningTasksCount is compared with a whole number"),
        ("runningTasksCount == 1.5", 21, "runningTasksCount is compared with a whole number"),
        ("agentConnected in [true, yes]", 25, "agentConnected is compared with true or false"),
        ("agentVersion < 'v1'", 16, "agentVersion is compared with a version such as 1.14.5"),
        ("agentVersion < 1..2", 15, "agentVersion is compared with a version such as 1.14.5"),
        ("registeredAt < today", 15, DATE),
        ("registeredAt < 2018-02-30", 15, DATE),
        ("registeredAt < 2018-02-13T24:00:00", 15, DATE),
        ("registeredAt < 20180213", 15, DATE),
        ("registeredAt < 2018-02-13T10:00", 15, DATE),
        ("registeredAt < 9999-12-31", 15, DATE),
        ("registeredAt < 0001-01-01T00:00:00+01:00", 15, DATE),
        ("attribute:a =~ t(2", 16, "there is a ( without its )"),
        ("attribute:a =~ 't**'", 18, "there is nothing before * that could be repeated"),
        ("attribute:a exists or attribute:a !~ (t2 t3)", 37, "there is a ( without its )"),
    ],
)
def test_what_is_no_query_is_told_with_its_place_in_one_line(text: str, position: int, message: str) -> None:
    if not message:
        assert str(parse(text)) == text, "and is a value where one is expected"
        return
    with pytest.raises(QueryError) as caught:
        parse(text)
    error = caught.value
    assert (error.message, error.position) == (message, position)
    where = "at the end" if position == len(text) else f"at character {position + 1}"
    assert error.short == f"{message}, {where}"
    assert str(error) == (f'{error.short}: "{text}"' if text.strip() else error.short)


def test_a_long_query_is_shown_around_the_place() -> None:
    text = " or ".join(["attribute:rack == a"] * 20 + ["attribute:rack"] + ["attribute:rack == b\n"] * 20)
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert str(caught.value) == (
        "expected an operator after attribute:rack, at character 476: "
        '"…r attribute:rack == a or attribute:rack or attribute:rack == b  or attribute:rac…"'
    )


def test_a_query_has_a_length_and_a_depth() -> None:
    """The length as in ECS API_PlacementConstraint; the depth is our own, so that no query is a RecursionError."""
    longest = "attribute:a == " + "a" * (LONGEST - 15)
    assert str(parse(longest)) == longest
    too_deep = f"parentheses and not can be nested {DEEPEST} deep"
    for text, position, message in (
        (longest + "a", LONGEST, f"an expression can have {LONGEST} characters, this one has {LONGEST + 1}"),
        ("(" * (DEEPEST + 1), DEEPEST, too_deep),
        ("!" * (DEEPEST + 1), DEEPEST + 1, too_deep),
        ("not(" * (DEEPEST + 1), 4 * DEEPEST + 3, too_deep),
    ):
        with pytest.raises(QueryError) as caught:
            parse(text)
        assert (caught.value.message, caught.value.position) == (message, position)
    deep = "(" * DEEPEST + "attribute:a exists" + ")" * DEEPEST
    assert parse(deep) == parse("attribute:a exists")
    denied = parse("!" * DEEPEST + "attribute:a exists")
    assert denied.matches(Subject({"a": ""}))
    assert parse(str(denied)) == denied
    assert parse(" and ".join(["(attribute:a exists)"] * 80)).matches(Subject({"a": ""}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("attribute:stack == prod", None),
        ("attribute:stack == test", "needs attribute:stack == test, has prod"),
        ("attribute:rack == 7", "needs attribute:rack == 7, has no such attribute"),
        ("attribute:empty == 7", "needs attribute:empty == 7, has ''"),
        ("attribute:stack not_exists", "needs attribute:stack not_exists, has prod"),
        ("task:group == web", "needs task:group == web, has tasks of database and service:production"),
        ("runningTasksCount < 2", "needs runningTasksCount < 2, has 2"),
        ("agentVersion > 2", "needs agentVersion > 2, has 1.14.4"),
        ("agentConnected == false", "needs agentConnected == false, has true"),
        ("ec2InstanceId =~ x.*", "needs ec2InstanceId =~ x.*, has i-abcd1234"),
        ("registeredAt > 2020-01-01", "needs registeredAt > 2020-01-01, has 2018-02-12T23:59:59Z"),
        (
            "attribute:stack == prod and runningTasksCount > 3 and attribute:x == 1",
            "needs runningTasksCount > 3, has 2",
        ),
        (
            "attribute:stack == a or (runningTasksCount > 3 and attribute:x == 1)",
            "needs attribute:stack == a, has prod; or needs runningTasksCount > 3, has 2",
        ),
        ("attribute:stack == a or runningTasksCount > 1", None),
        ("not(attribute:stack == a)", None),
        (
            "not task:group == database",
            "needs not(task:group == database), has tasks of database and service:production",
        ),
        (
            "!(attribute:stack == prod and (runningTasksCount > 1 or attribute:stack == prod))",
            "needs not(attribute:stack == prod and (runningTasksCount > 1 or attribute:stack == prod)),"
            " has attribute:stack prod, runningTasksCount 2",
        ),
    ],
)
def test_the_first_thing_that_is_not_met_is_the_reason(text: str, expected: str | None) -> None:
    small = HOSTS["small"]
    query = parse(text)
    assert query.reason(small._replace(attributes={**small.attributes, "empty": None})) == expected
    assert query.matches(small) == (expected is None)


def test_without_tasks_there_is_no_group() -> None:
    assert parse("task:group exists").reason(Subject()) == "needs task:group exists, has no task"
    assert parse("agentVersion > 1").reason(Subject()) == "needs agentVersion > 1, has none"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("attribute:a == b and not(ec2InstanceId == c or registeredAt < 2018-01-01) and agentVersion > 1", True),
        ("agentConnected == true", False),
        ("attribute:a == b or not(runningTasksCount > 1)", False),
        ("attribute:a == b and (attribute:b == c or task:group exists)", False),
    ],
)
def test_a_query_is_static_that_reads_nothing_that_placing_changes(text: str, expected: bool) -> None:
    assert parse(text).is_static is expected


def test_a_query_tells_what_it_reads() -> None:
    assert parse("attribute:a == b and not(task:group == c) or attribute:a > 1").subjects == {
        "attribute:a",
        "task:group",
    }


LETTERS = "abz019 -_.@/\\:+*%()[],!=<>&|~^$?#\0\n\t\x7f\xa0\xe4\u0301\u2028\ufeff\u6f22\U0001f600"
"""Some of each kind. (A table of all that there are takes Hypothesis seconds to make, on a busy machine too many.)"""
VALUES = st.one_of(
    st.text(LETTERS + '"', max_size=12).map("'{}'".format),
    st.text(LETTERS + "'", max_size=12).map('"{}"'.format),
    st.text("abz019-_.@/\\:+*%", min_size=1, max_size=12),
    st.sampled_from(["and", "or", "not", "in", "exists", "2018-06-18", "''", '"it\'s"', "'a\\'", "'\"'"]),
)
PATTERNS = st.one_of(
    st.sampled_from(["t2.*", "(a|b)", "[)]", r"\(", "'a b'", '"it\'s"', "(?!x).*", "a{2,3}", r"a\\", "(||)"]),
    st.text("ab.*", min_size=1, max_size=9).filter(lambda text: "**" not in text and not text.startswith("*")),
)
SPACE = st.sampled_from(["", " ", "\n", " \t "])


@st.composite
def clauses(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(list(KINDS)))
    subject = kind + draw(st.text("abz09-_./\\", min_size=1, max_size=9)) if kind == ATTRIBUTE else kind
    spelled = draw(st.sampled_from([word for word, found in OPERATORS.items() if found in KINDS[kind].operators]))
    values = {
        "agentConnected": st.sampled_from(["true", "'false'", "TRUE"]),
        "agentVersion": st.lists(st.integers(0, 99), min_size=1, max_size=4).map(lambda n: ".".join(map(str, n))),
        "registeredAt": st.dates().map(str)
        | st.datetimes(max_value=datetime(9990, 1, 1)).map(  # noqa: DTZ001
            lambda moment: f"'{moment.isoformat(timespec='seconds')}Z'"
        ),
        "runningTasksCount": st.integers(0, 10**30).map(str),
    }.get(kind, VALUES)
    operator = OPERATORS[spelled]
    if operator in ("exists", "not_exists"):
        argument = ""
    elif operator in ("in", "not_in"):
        listed = draw(st.lists(values, min_size=1, max_size=3))
        argument = f"[{draw(SPACE)}{f'{draw(SPACE)},{draw(SPACE)}'.join(listed)}{draw(SPACE)}]"
    else:
        argument = draw(PATTERNS if operator in ("=~", "!~") else values)
    between = draw(SPACE) if spelled[0] in "=!<>" else " "
    after = draw(SPACE) if not spelled[-1].isalpha() else " "
    return f"{subject}{between}{spelled}{after}{argument}"


QUERIES = st.recursive(
    clauses(),
    lambda inner: st.one_of(
        st.builds("({}{}{})".format, SPACE, inner, SPACE),
        st.builds("not({})".format, inner),
        st.builds("! {}".format, inner),
        st.builds("{} {} {}".format, inner, st.sampled_from(["and", "or", "&&", "||", "AND"]), inner),
    ),
    max_leaves=6,
)


@given(QUERIES)
def test_the_text_of_a_query_is_the_same_query(text: str) -> None:
    query = parse(text)
    again = parse(str(query))
    assert again == query
    assert str(again) == str(query)
    assert hash(again) == hash(query)


@given(QUERIES, st.sampled_from(list(HOSTS.values())))
def test_there_is_a_reason_where_a_query_is_not_met_and_nowhere_else(text: str, host: Subject) -> None:
    query = parse(text)
    reason = query.reason(host)
    assert (reason is None) == query.matches(host)
    assert reason is None or reason.startswith("needs ")


@given(
    st.recursive(
        st.sampled_from(["True", "False"]),
        lambda inner: st.one_of(
            st.builds("({})".format, inner),
            st.builds("not {}".format, inner),
            st.builds("{} {} {}".format, inner, st.sampled_from(["and", "or"]), inner),
        ),
        max_leaves=12,
    )
)
def test_compound_queries_are_decided_as_python_decides_them(text: str) -> None:
    query = parse(text.replace("True", "attribute:yes exists").replace("False", "attribute:no exists"))
    assert query.matches(Subject({"yes": None})) == eval(text)  # noqa: S307 made of these five words only


@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(
                [
                    *KINDS,
                    *OPERATORS,
                    "a",
                    "1",
                    "(",
                    ")",
                    "[",
                    "]",
                    ",",
                    "'",
                    '"',
                    "and",
                    "or",
                    "not",
                    "!",
                    "&&",
                    "||",
                    " ",
                ]
            ),
            max_size=2 * DEEPEST,
        ).map("".join),
        st.sampled_from(["(", "!", "not ", "not(", "attribute:a=~(", "attribute:a=~["]).map(lambda text: text * 400),
    )
)
def test_whatever_is_written_is_a_query_or_refused_in_one_line(text: str) -> None:
    try:
        query = parse(text)
    except QueryError as error:
        assert 0 <= error.position <= len(text)
        assert str(error).isprintable()
        assert len(str(error)) < 500
    else:
        assert isinstance(query, Query)
        assert parse(str(query)) == query
