"""Differences: field by field, named members in any order, secrets never."""

from __future__ import annotations

from typing import Any

import pytest

from ecsctl.operations.apply.difference import differences


def said(old: Any, new: Any) -> list[str]:
    return [str(found) for found in differences(old, new)]


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, ["a: 1 -> 2"]),
        ({}, {"a": {"b": True}}, ["a.b: true"]),
        ({"a": {"b": "x y"}}, {}, ['a.b: "x y" -> none']),
        ({"a": []}, {}, ["a: [] -> none"]),
        ({"command": ["a"]}, {"command": ["a", "b c"]}, ['command: ["a"] -> ["a", "b c"]']),
        ({"c": [{"name": "a", "n": 1}, {"name": "b"}]}, {"c": [{"name": "b"}, {"name": "a", "n": 1}]}, []),
        ({"c": [{"name": "a", "n": 1}]}, {"c": [{"name": "a", "n": 2}]}, ["c[a].n: 1 -> 2"]),
        ({"c": [{"name": "a"}]}, {"c": [{"name": "a"}, {"name": "b"}]}, ["c[b]: {}"]),
        (
            {"p": [{"port": 1}, {"port": 2}]},
            {"p": [{"port": 2}, {"port": 1}]},
            ["p[0].port: 1 -> 2", "p[1].port: 2 -> 1"],
        ),
        ({"t": [{"name": "a", "n": 1}, {"name": "a", "n": 2}]}, {"t": [{"name": "a", "n": 2}]}, None),
        ({"tags": [{"key": "a", "value": "1"}]}, {"tags": [{"key": "a", "value": "2"}]}, ["tags[a]: 1 -> 2"]),
    ],
)
def test_each_field_that_differs_is_named(old: Any, new: Any, lines: list[str] | None) -> None:
    if lines is None:
        assert said(old, new)  # two of the same name are told apart by their place
    else:
        assert said(old, new) == lines


@pytest.mark.parametrize(
    "new",
    [
        {"environment": [{"name": "A", "value": "swordfish"}]},
        {"environment": [{"name": "A", "value": "swordfish"}, {"name": "A", "value": "swordfish"}]},
        {"containerDefinitions": [{"name": "c", "environment": [{"name": "A", "value": "swordfish"}]}]},
        {"tags": [{"key": "api-key", "value": "swordfish"}]},
        {"options": {"splunk-token": "swordfish"}},
        {"dockerLabels": {"db.password": "swordfish"}},
        {"command": ["serve", "--password=swordfish"]},
        {"command": ["serve", "--token", "swordfish"]},
        {"command": ["sh", "-c", "PASSWORD=swordfish serve"]},
        {"command": ["serve", "postgres://me:swordfish@db/x"]},
        {"options": {"syslog-address": "tcp://me:swordfish@logs"}},
    ],
)
def test_a_secret_is_hidden_whether_it_comes_goes_or_changes(new: Any) -> None:
    for lines in (said({}, new), said(new, {}), said(None, new), said(_emptied(new), new)):
        assert lines
        assert "swordfish" not in "".join(lines)
        assert "(hidden)" in "".join(lines)


def _emptied(data: dict[str, Any]) -> dict[str, Any]:
    return {name: type(value)() for name, value in data.items()}


def test_what_only_names_a_secret_is_shown() -> None:
    new = {"secrets": [{"name": "DB_PASSWORD", "valueFrom": "arn:aws:ssm:x"}]}
    assert said({}, new) == ["secrets[DB_PASSWORD].valueFrom: arn:aws:ssm:x"]
    assert said({}, {"image": "me/tokenizer:1"}) == ["image: me/tokenizer:1"]
