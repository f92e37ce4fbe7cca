"""References to secrets, and environment files."""

from __future__ import annotations

import pytest

from ecsctl.model.env_file import parse_env_file
from ecsctl.model.secret import Reference, parse_reference

ARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:"


@pytest.mark.parametrize(
    ("value_from", "reference"),
    [
        ("password", Reference(("password",))),
        ("/prod/db/password", Reference(("prod/db/password",))),
        ("arn:aws:ssm:us-east-1:000000000000:parameter/prod/db", Reference(("prod/db",))),
        ("arn:aws:ssm:us-east-1:000000000000:parameter/db", Reference(("db",))),
        (f"{ARN}prod/db", Reference(("prod/db",))),
        (f"{ARN}prod/db-AbC123", Reference(("prod/db-AbC123", "prod/db"))),
        (f"{ARN}db:user::", Reference(("db",), "user")),
        (f"{ARN}db-AbC123:user:AWSPREVIOUS:", Reference(("db-AbC123", "db"), "user", "AWSPREVIOUS")),
        (f"{ARN}db:::d4f2", Reference(("db",), None, "AWSCURRENT", "d4f2")),
    ],
)
def test_what_a_value_is_from(value_from: str, reference: Reference) -> None:
    assert parse_reference(value_from) == reference


@pytest.mark.parametrize(
    ("value_from", "words"),
    [
        ("", "not the name of a secret"),
        ("a b", "not the name of a secret"),
        ("a/../b", "not the name of a secret"),
        ("x" * 513, "at most 512"),
        ("arn:aws:s3:::bucket/key", "refers to no secret"),
        (f"{ARN}db:user", "refers to no secret"),
        (f"{ARN}db::AWSPREVIOUS:d4f2", "not both"),
        ("arn:aws:ssm:us-east-1:000000000000:document/x", "refers to no secret"),
        (f"{ARN}$(id)", "not the name of a secret"),
    ],
)
def test_what_is_no_reference(value_from: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_reference(value_from)


def test_an_environment_file_is_read_as_ecs_reads_it() -> None:
    text = '# a comment\n\nA=1\n B=two words \nC="quoted"\nD=x=y\nA=again\nEMPTY=\r\n  # another\n'
    assert parse_env_file(text, "f") == {"A": "1", "B": "two words ", "C": '"quoted"', "D": "x=y", "EMPTY": ""}


@pytest.mark.parametrize("text", ["A=1\nB", "=x", "A=1\nB=\0"])
def test_a_line_that_is_none_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"^x\.env, line \d: expected NAME=value$"):
        parse_env_file(text, "x.env")
