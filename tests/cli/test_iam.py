"""`ecsctl iam` takes what `aws iam` takes, and ends as it does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from botocore.loaders import Loader

from ecsctl.cli.commands import IAM
from ecsctl.cli.iam import OfIam
from tests.cli.running import Runner

POLICY = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}}'


@pytest.mark.parametrize("name", [entry.name for entry in IAM])
def test_every_command_of_iam_has_a_page_and_skeletons(ecsctl: Runner, name: str) -> None:
    ran = ecsctl("iam", name, "help")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"Usage: ecsctl iam {name} ")
    assert name in ecsctl("iam", "--help").out
    for which in ("input", "output"):
        ran = ecsctl("iam", name, "--generate-cli-skeleton", which)
        assert (ran.code, ran.err) == (0, "")


def test_a_user_gets_a_policy_from_a_file_and_a_key(ecsctl: Runner, tmp_path: Path) -> None:
    (tmp_path / "policy.json").write_text(POLICY)
    made = ecsctl("iam", "create-user", "--user-name", "ann", "--tags", "Key=team,Value=a", "--query", "User.Arn")
    assert made.out == '"arn:aws:iam::000000000000:user/ann"\n'
    put = ecsctl(
        *("iam", "put-user-policy", "--user-name", "ann", "--policy-name", "p"),
        *("--policy-document", f"file://{tmp_path / 'policy.json'}"),
    )
    assert (put.code, put.out) == (0, "")
    assert "warning: Statement[0]: NotAction with Allow" in put.err
    shown = ecsctl("iam", "get-user-policy", "--user-name", "ann", "--policy-name", "p", "--query", "PolicyDocument")
    assert json.loads(shown.out) == json.loads(POLICY)
    key = json.loads(ecsctl("iam", "create-access-key", "--user-name", "ann").out)["AccessKey"]
    listed = ecsctl("iam", "list-access-keys", "--user-name", "ann").out
    assert key["AccessKeyId"] in listed
    assert key["SecretAccessKey"] not in listed


def test_lists_are_cut_as_the_aws_cli_cuts_them(ecsctl: Runner) -> None:
    for name in ("ann", "bob", "eve"):
        ecsctl("iam", "create-user", "--user-name", name)
    first = json.loads(ecsctl("iam", "list-users", "--max-items", "2").out)
    assert [user["UserName"] for user in first["Users"]] == ["ann", "bob"]
    rest = json.loads(ecsctl("iam", "list-users", "--starting-token", first["NextToken"], "--page-size", "1").out)
    assert ([user["UserName"] for user in rest["Users"]], "NextToken" in rest) == (["eve"], False)
    assert ecsctl("iam", "list-users", "--page-size", "0").code == 252


def test_the_lists_that_can_be_cut_are_those_of_the_aws_cli() -> None:
    known = Loader().load_service_model("iam", "paginators-1")["pagination"]
    cut = {entry.action for entry in IAM if any(flag.name == "--max-items" for flag in OfIam(entry).own_flags)}
    assert cut == known.keys() & {entry.action for entry in IAM}


REFUSED = [
    (("get-user", "--user-name", "no"), 254, "NoSuchEntity", "GetUser"),
    (("create-user", "--user-name", "a b"), 254, "ValidationError", "CreateUser"),
    (
        ("create-policy", "--policy-name", "p", "--policy-document", "file:///dev/null"),
        254,
        "MalformedPolicyDocument",
        "CreatePolicy",
    ),
]


@pytest.mark.parametrize(("words", "code", "error", "action"), REFUSED)
def test_what_is_refused_ends_as_with_aws(
    ecsctl: Runner, words: tuple[str, ...], code: int, error: str, action: str
) -> None:
    ran = ecsctl("iam", *words)
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith(f"An error occurred ({error}) when calling the {action} operation: ")
    assert ran.err.count("\n") == 1


def test_a_command_that_iam_does_not_have_is_a_usage_error_that_names_the_nearest(ecsctl: Runner) -> None:
    ran = ecsctl("iam", "list-userz")
    assert (ran.code, ran.err) == (252, "ecsctl: iam: expected a command, got 'list-userz'; did you mean list-users?\n")
    ran = ecsctl("iam")
    assert (ran.code, ran.err) == (252, "ecsctl: iam: expected a command, got nothing; see `ecsctl iam --help`\n")
    ran = ecsctl("iam", "create-user")
    assert (ran.code, "--user-name" in ran.err) == (252, True)
