"""The command line is read as the AWS CLI reads it."""

from __future__ import annotations

import pytest

from ecsctl.cli.argv import Flag, Parsed, parse, refuse_unknown, wants_help
from ecsctl.cli.durations import is_duration
from ecsctl.cli.problems import UsageError

FLAGS = (
    Flag("--cluster", "cluster"),
    Flag("--tasks", "tasks", "many"),
    Flag("--task-definition", "td"),
    Flag("--force", "force", "none"),
    Flag("--no-force", "force", "none", const=False),
    Flag("--wait", "wait", "maybe", const="", own=True, accepts=is_duration),
    Flag("--context", "context", own=True),
    Flag("--bind", "bind", "many", own=True),
)


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("--cluster a", {"cluster": "a"}),
        ("--cluster=a", {"cluster": "a"}),
        ("--cluster=a=b", {"cluster": "a=b"}),
        ("--cluster a --cluster b", {"cluster": "b"}),
        ("--tasks a b c --cluster d", {"tasks": ["a", "b", "c"], "cluster": "d"}),
        ("--tasks a --tasks b", {"tasks": ["b"]}),
        ("--tasks", {"tasks": []}),
        ("--cluster -1", {"cluster": "-1"}),
        ("--force --no-force", {"force": False}),
        ("--clu a", {"cluster": "a"}),
        ("--c a", {"cluster": "a"}),
        ("--wait 5m", {"wait": "5m"}),
        ("--wait --force", {"wait": "", "force": True}),
    ],
)
def test_options_are_read(words: str, values: dict[str, object]) -> None:
    assert parse(words.split(), FLAGS).values == values


def test_a_value_with_a_space_may_begin_with_a_hyphen() -> None:
    assert parse(["--cluster", "-a b"], FLAGS).values == {"cluster": "-a b"}


def test_an_empty_word_is_a_value() -> None:
    assert parse(["--cluster", ""], FLAGS).values == {"cluster": ""}


def test_wait_leaves_a_word_that_is_no_duration() -> None:
    parsed = parse(["--wait", "nginx"], FLAGS)
    assert parsed.values == {"wait": ""}
    assert parsed.unknown == ["nginx"]


def test_an_ambiguous_short_form_is_refused() -> None:
    with pytest.raises(UsageError, match="--task could match --tasks, --task-definition"):
        parse(["--task", "a"], FLAGS)


def test_options_that_aws_does_not_have_cannot_be_shortened() -> None:
    assert parse(["--cont", "a"], FLAGS).unknown == ["--cont", "a"]


@pytest.mark.parametrize("words", ["--cluster", "--cluster --force"])
def test_a_missing_value_is_refused(words: str) -> None:
    with pytest.raises(UsageError, match="argument --cluster: expected one argument"):
        parse(words.split(), FLAGS)


@pytest.mark.parametrize("words", ["--bind", "--bind a --bind --force"])
def test_a_list_of_ours_is_never_empty(words: str) -> None:
    with pytest.raises(UsageError, match="argument --bind: expected at least one argument"):
        parse(words.split(), FLAGS)


def test_a_switch_takes_no_value() -> None:
    with pytest.raises(UsageError, match="takes no value"):
        parse(["--force=yes"], FLAGS)


def test_words_beyond_those_the_command_takes_are_unknown() -> None:
    assert parse(["a", "b"], FLAGS, words=1) == Parsed({}, ["a"], ["b"])
    assert parse(["--", "--cluster"], FLAGS, words=1).words == ["--cluster"]


def test_reading_can_stop_at_the_command() -> None:
    assert parse(["--cluster", "a", "run", "--force"], FLAGS, stop=True) == Parsed(
        {"cluster": "a"}, ["run", "--force"], []
    )


def test_unknown_options_are_named_with_the_nearest_known_one() -> None:
    parsed = parse(["--clustr", "a"], FLAGS)
    with pytest.raises(UsageError, match=r"Unknown options: --clustr, a; did you mean --cluster\?"):
        refuse_unknown(parsed.unknown, FLAGS)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [(["--help"], True), (["help"], True), (["-h"], True), (["a", "help"], False), (["--", "--help"], False)],
)
def test_help_is_asked_for(words: list[str], wanted: bool) -> None:
    assert wants_help(words) is wanted
