"""CloudWatch's filter patterns, by the examples of its user guide and others."""

from __future__ import annotations

import time

import pytest

from ecsctl.model.errors import InputError
from ecsctl.operations.filter_pattern import parse_filter_pattern

ERRORS = [
    "[ERROR 400] BAD REQUEST",
    "[ERROR 401] UNAUTHORIZED REQUEST",
    "[ERROR 419] MISSING ARGUMENTS",
    "[ERROR 420] INVALID ARGUMENTS",
]
EVENT = """{"eventType": "UpdateTrail", "sourceIPAddress": "111.111.111.111", "arrayKey": ["value", "another value"],
 "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}], "SomeObject": null, "cluster.name": "c",
 "errorCode": 400, "errorMessage": "AccessDenied", "ok": true, "a": {"b": "x y"}, "latency": "12.5"}"""
ACCESS = '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'


@pytest.mark.parametrize(
    ("pattern", "lines"),
    [
        ("", [0, 1, 2, 3]),
        ("ERROR", [0, 1, 2, 3]),
        ("error", []),
        ("ERROR ARGUMENTS", [2, 3]),
        ("?400 ?401", [0, 1]),
        ("ERROR -400 -401", [2, 3]),
        ('"BAD REQUEST"', [0]),
        ('ERROR -"MISSING ARGUMENTS" ARGUMENTS', [3]),
        ("ARGUMENTS ?401", [2, 3]),
        (r"%4[0-9]9\]%", [2]),
        (r"-%4[01]%", [3]),
        (r'?"BAD REQUEST" ?%INV[A-Z]+%', [0, 3]),
    ],
)
def test_words(pattern: str, lines: list[int]) -> None:
    wanted = parse_filter_pattern(pattern)
    assert [number for number, line in enumerate(ERRORS) if wanted(line)] == lines


@pytest.mark.parametrize(
    ("pattern", "is_wanted"),
    [
        ('{ $.eventType = "UpdateTrail" }', True),
        ('{ $.eventType != "UpdateTrail" }', False),
        ("{ $.eventType = UpdateTrail }", True),
        ("{ $.sourceIPAddress != 123.123.* }", True),
        ("{ $.sourceIPAddress = 111.111.* }", True),
        ('{ $.arrayKey[0] = "value" }', True),
        ("{ $.objectList[1].id = 2 }", True),
        ("{ $.objectList[5].id = 2 }", False),
        ("{ $.SomeObject IS NULL }", True),
        ("{ $.eventType IS NULL }", False),
        ("{ $.SomeOtherObject NOT EXISTS }", True),
        ("{ $.SomeObject NOT EXISTS }", False),
        ("{ $.ok IS TRUE }", True),
        ("{ $.ok IS FALSE }", False),
        ("{ $.errorCode = 400 }", True),
        ("{ $.errorCode >= 400 && $.errorCode < 500 }", True),
        ("{ $.errorCode > 4e2 }", False),
        ("{ $.latency > 12 }", True),
        ("{ $.eventType > 1 }", False),
        ("{ $.errorMessage = %Access[A-Z]% && $.errorCode = 400 }", True),
        ('{ $.none = 1 || ($.a.b = "x y" && $.eventType = "Up*") }', True),
        ('{ ($.none = 1 || $.a.b = "x y") && $.eventType = "x" }', False),
        ("{ $['cluster.name'] = c }", True),
        ("{ $.none != 1 }", False),
    ],
)
def test_json(pattern: str, is_wanted: bool) -> None:
    assert parse_filter_pattern(pattern)(EVENT.replace("\n", "")) is is_wanted
    assert parse_filter_pattern(pattern)("no json") is False


@pytest.mark.parametrize(
    ("pattern", "is_wanted"),
    [
        ("[ip, server, username, timestamp, request, status_code, bytes]", True),
        ("[ip, server, username, timestamp, request, status_code]", False),
        ("[ip, server, username, timestamp, request, status_code=4*, bytes > 1000]", True),
        ("[..., status_code=4*, bytes]", True),
        ("[..., status_code=404 || status_code=410, bytes]", True),
        ("[ip, ..., bytes < 1000]", False),
        ("[ip != 127.0.0.1, ...]", False),
        ("[ip, server, username = frank, ...]", True),
        ("[..., request = *.html*, status, bytes]", True),
        ('[..., request = "GET /index*", status, bytes]', True),
        ("[a, b, c, d, e, f, g, h, ...]", False),
        ("[..., size]", True),
    ],
)
def test_fields(pattern: str, is_wanted: bool) -> None:
    assert parse_filter_pattern(pattern)(ACCESS) is is_wanted


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("{ $.a = 1", "character 10: expected a } at the end"),
        ("{ a = 1 }", "character 3: expected a selector"),
        ("{ $.a 1 }", "character 7: expected =, !="),
        ("{ $.a > x }", "character 9: expected a number"),
        ("{ $.a = 1 $.b = 2 }", "character 11: expected && or"),
        ("{ ($.a = 1 }", "expected a )"),
        ("{ $.a IS 1 }", "expected NULL, TRUE or FALSE"),
        ("{ $.a NOT NULL }", "expected EXISTS"),
        ("{ $.a = }", "expected a value"),
        ("%(%", "no regular expression"),
        ('"open', "expected a word"),
        ("[a, , b]", "expected the name of a field"),
        ("[..., ...]", "or ... once"),
        ("[a, b", "expected a ] at the end"),
        ("{ " + "(" * 5000 + "$.a = 1" + ")" * 5000 + " }", "more than 50 parentheses in one another"),
    ],
)
def test_what_is_no_pattern(pattern: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_filter_pattern(pattern)
    assert words in str(caught.value)


@pytest.mark.parametrize("pattern", ["%x%", "error -%x%", "{ $.a = %x% }", "[a = %x%]", "{ $.b = 1 && ($.a != %x%) }"])
def test_who_must_not_wait_for_ever_takes_no_regular_expressions(pattern: str) -> None:
    parse_filter_pattern(pattern)
    with pytest.raises(InputError, match="regular expressions are not taken here"):
        parse_filter_pattern(pattern, expressions=False)
    assert parse_filter_pattern('"%x%" 5%', expressions=False)("100 %x% 5%")


@pytest.mark.parametrize(
    ("like", "text", "is_wanted"),
    [
        ("a*c", "abc", True),
        ("a*c", "ac", True),
        ("a*a", "a", False),
        ("*b*c*", "abc", True),
        ("*c*b*", "abc", False),
        ("a*bc*c", "abc", False),
        ("a.c", "abc", False),
        ("*", "", True),
        ("a**", "a", True),
    ],
)
def test_a_star_is_anything(like: str, text: str, is_wanted: bool) -> None:
    assert parse_filter_pattern(f'{{ $.a = "{like}" }}')(f'{{"a": "{text}"}}') is is_wanted


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        ('{ $.a = "*a*a*a*a*a*a*b" }', '{"a": "' + "a" * 200_000 + '"}'),
        ("[x, y]", "[ " * 100_000),
        ("[x, y]", '" ' * 100_000),
        ("[x, y]", '"\\" ' * 100_000),
        ("{ $.a > 5 }", '{"a": ' + "9" * 400 + "}"),
        ("{ $.a = 5 }", '{"a": ' + "9" * 400 + "}"),
        ("{ $.a = 5 }", "[" * 100_000),
    ],
)
def test_a_hostile_line_takes_no_long_time(pattern: str, line: str) -> None:
    began = time.monotonic()
    assert not parse_filter_pattern(pattern, expressions=False)(line)
    assert time.monotonic() - began < 5
