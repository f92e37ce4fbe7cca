"""The shorthand, by the examples of the AWS CLI's user guide and what its users rely on."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecsctl.cli.shorthand import parse_shorthand
from ecsctl.model.errors import InputError


@pytest.mark.parametrize(
    ("text", "data"),
    [
        (
            "type=spread,field=attribute:ecs.availability-zone",
            {"type": "spread", "field": "attribute:ecs.availability-zone"},
        ),
        ("key=Name,value=", {"key": "Name", "value": ""}),
        ("a=,b=", {"a": "", "b": ""}),
        ("a=1,2,3", {"a": ["1", "2", "3"]}),
        ("a=1,2,b=3,4", {"a": ["1", "2"], "b": ["3", "4"]}),
        ("a=[]", {"a": []}),
        ("a=[1]", {"a": ["1"]}),
        ("a=[ 1 , 2 ]", {"a": ["1", "2"]}),
        ("a=[,,]", {"a": ["", ""]}),
        ("a=[x=1,y=2]", {"a": ["x=1", "y=2"]}),
        ("a={b=1,c={d=2}},e=3", {"a": {"b": "1", "c": {"d": "2"}}, "e": "3"}),
        ("a=[{b=[1,2]}, {c=3}]", {"a": [{"b": ["1", "2"]}, {"c": "3"}]}),
        ("a='x,y'", {"a": "x,y"}),
        ("a='x','y=z'", {"a": ["x", "y=z"]}),
        ('a="--option=x y"', {"a": "--option=x y"}),
        (r"a='it\'s'", {"a": "it's"}),
        (r"a='x\\y'", {"a": "x\\y"}),
        (r"a='x\y'", {"a": "x\\y"}),
        (r"a=x\,y", {"a": "x,y"}),
        (r"a=\,", {"a": ","}),
        (r"a=1,2\,3", {"a": ["1", "2,3"]}),
        ("a = b , c =  d", {"a": "b", "c": "d"}),
        ("a=with space,b=2", {"a": "with space", "b": "2"}),
        ("a=b,\nc=1,2\n", {"a": "b", "c": ["1", "2"]}),
        ("a=✓,🎉", {"a": ["✓", "🎉"]}),
        ("a=x=y", {"a": "x=y"}),
        ("a.b#c/d:e-f_g=1", {"a.b#c/d:e-f_g": "1"}),
    ],
)
def test_it_is_read(text: str, data: dict[str, Any]) -> None:
    assert parse_shorthand(text) == data


@pytest.mark.parametrize(
    "text",
    ["", "a", "=b", "a='b", 'a="b', "a=[b", "a={b", "a={b}", "a={b=c", "a=b,", "a=b,,c", "a=1,a=2", "a='" + "\\" * 99],
)
def test_what_is_malformed_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"at character \d+: "):
        parse_shorthand(text)


def test_the_place_is_shown() -> None:
    with pytest.raises(InputError, match=r"expected '=', received the end, at character 9: foo={bar⟨here⟩"):
        parse_shorthand("foo={bar")


def test_a_key_given_twice_says_how_items_are_separated() -> None:
    with pytest.raises(InputError, match="given twice; separate the items of a list by a space"):
        parse_shorthand("key=a,value=b,key=c,value=d")


def test_a_value_is_read_from_a_file() -> None:
    assert parse_shorthand("a@=file://x,b=file://y", lambda text: f"<{text}>") == {"a": "<file://x>", "b": "file://y"}
    assert parse_shorthand("a={b@=x}", str.upper) == {"a": {"b": "X"}}


def test_deep_nesting_is_refused_not_crashed_on() -> None:
    with pytest.raises(InputError, match="nested deeper"):
        parse_shorthand("a=" + "[" * 100_000)


_TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(_TEXT, _TEXT)
def test_quoted_values_come_back_as_they_were(one: str, other: str) -> None:
    def quoted(text: str) -> str:
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    assert parse_shorthand(f"a={quoted(one)},{quoted(other)}") == {"a": [one, other]}


@given(st.text(st.sampled_from("ab=,[]{}'\"\\ @\n")))
def test_anything_is_either_read_or_refused(text: str) -> None:
    try:
        assert isinstance(parse_shorthand(text), dict)
    except InputError as error:
        assert "at character" in str(error)
