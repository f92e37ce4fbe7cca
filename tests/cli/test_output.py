"""Answers are printed as AWS CLI v2 prints them."""

from __future__ import annotations

import io
import time
from datetime import datetime, timezone
from typing import Any

import pytest

from ecsctl.cli.output import as_text_times, render, search, show
from ecsctl.cli.problems import UsageError
from ecsctl.cli.table_output import table_lines
from ecsctl.cli.text_output import text_lines
from ecsctl.model.errors import EcsctlError, InputError

TASKS = {
    "tasks": [
        {"taskArn": "arn:1", "lastStatus": "RUNNING", "containers": [{"name": "a", "exitCode": 0}, {"name": "b"}]},
        {"taskArn": "arn:2", "lastStatus": "STOPPED", "stoppedReason": "x", "containers": []},
    ],
    "failures": [],
}


def rendered(data: Any, output: str, title: str = "DescribeTasks") -> str:
    stream = io.StringIO()
    render(data, output, title, stream)
    return stream.getvalue()


@pytest.fixture
def new_york(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("new_york")
def test_times_are_iso_8601_in_the_local_zone() -> None:
    at = datetime(2026, 1, 2, 15, 4, 5, 123000, timezone.utc)
    assert as_text_times({"a": [at]}) == {"a": ["2026-01-02T10:04:05.123000-05:00"]}
    assert as_text_times(at.replace(microsecond=0)) == "2026-01-02T10:04:05-05:00"


def test_json_has_four_spaces_and_its_letters_as_they_are() -> None:
    assert rendered({"a": [1, "ü"], "b": [], "c": None}, "json") == (
        '{\n    "a": [\n        1,\n        "ü"\n    ],\n    "b": [],\n    "c": null\n}\n'
    )


@pytest.mark.parametrize("output", ["json", "yaml", "text", "table", "off", "yaml-stream"])
def test_an_action_that_answers_nothing_prints_nothing(output: str, capsys: pytest.CaptureFixture[str]) -> None:
    show({}, output)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("data", "printed"), [(None, "null\n"), ([], "[]\n"), ("a", '"a"\n'), (3, "3\n")])
def test_other_empty_answers_are_printed(data: Any, printed: str) -> None:
    assert rendered(data, "json") == printed


def test_yaml_keeps_the_order_and_quotes_what_would_change_its_type() -> None:
    assert rendered({"b": "1", "a": ["x"], "c": "yes"}, "yaml") == "b: '1'\na:\n- x\nc: 'yes'\n"
    assert rendered("default", "yaml") == "default\n"
    assert rendered({"a": 1}, "yaml-stream") == "- a: 1\n"


def test_text_has_a_line_per_structure_with_its_key_in_capitals() -> None:
    assert list(text_lines(TASKS)) == [
        "TASKS\tRUNNING\t\tarn:1",
        "CONTAINERS\t0\ta",
        "CONTAINERS\t\tb",
        "TASKS\tSTOPPED\tx\tarn:2",
    ]


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        ({"clusterArns": ["a", "b"]}, ["CLUSTERARNS\ta", "CLUSTERARNS\tb"]),
        (["a", "b"], ["a\tb"]),
        ([["a", "b"], ["c", "d"]], ["a\tb", "c\td"]),
        ({"cluster": {"name": "a", "count": 0}, "z": True}, ["True", "CLUSTER\t0\ta"]),
        (None, ["None"]),
        ("a", ["a"]),
        ([], []),
        ({}, []),
        ([None, 1], ["None\t1"]),
    ],
)
def test_text_of_other_shapes(data: Any, lines: list[str]) -> None:
    assert list(text_lines(data)) == lines


def test_a_table_is_drawn_as_aws_draws_it() -> None:
    assert "\n".join(table_lines({"clusterArns": ["arn:a", "arn:bcd"]}, "ListClusters")) == (
        "---------------\n"
        "|ListClusters |\n"
        "+-------------+\n"
        "||clusterArns||\n"
        "|+-----------+|\n"
        "||  arn:a    ||\n"
        "||  arn:bcd  ||\n"
        "|+-----------+|"
    )


def test_the_lines_of_a_table_are_equally_long() -> None:
    lines = list(table_lines(TASKS, "DescribeTasks"))
    assert len({len(line) for line in lines}) == 1
    assert any("exitCode" in line for line in lines)


def test_a_table_shows_control_characters_as_escapes() -> None:
    assert "\x1b" not in "".join(table_lines({"a": "\x1b[31m", "b": 1}, "T"))


@pytest.mark.parametrize("data", [{}, [], None, "", {"a": []}, {"a": {}}, [[]], [["a"], "b"], [{"a": 1}, "b"], 5])
def test_any_shape_can_be_drawn(data: Any) -> None:
    assert isinstance(list(table_lines(data, "T")), list)


def test_query_selects_before_the_format_applies(capsys: pytest.CaptureFixture[str]) -> None:
    show(TASKS, "text", "tasks[?lastStatus=='RUNNING'].taskArn")
    assert capsys.readouterr().out == "arn:1\n"
    show(TASKS, "json", "nothing")
    assert capsys.readouterr().out == "null\n"


@pytest.mark.parametrize("query", ["", "tasks[", "foo(", "length(tasks"])
def test_a_bad_query_is_a_usage_error_of_one_line(query: str) -> None:
    with pytest.raises(UsageError, match=r"^Bad value for --query [^\n]*$"):
        search(query, TASKS)


@pytest.mark.parametrize("query", ["unknown(@)", "length(`1`)"])
def test_a_query_that_does_not_fit_the_data_is_no_usage_error(query: str) -> None:
    with pytest.raises(EcsctlError, match=r"^--query [^\n]*$") as caught:
        search(query, TASKS)
    assert not isinstance(caught.value, InputError)


@pytest.mark.parametrize("query", [None, "tasks[].taskArn"])
def test_in_text_the_token_is_the_last_line_whatever_the_query(
    query: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    show({"tasks": [{"taskArn": "arn:1"}], "NextToken": "abc"}, "text", query)
    first = "TASKS\tarn:1" if query is None else "arn:1"
    assert capsys.readouterr().out == f"{first}\nNEXTTOKEN\tabc\n"
