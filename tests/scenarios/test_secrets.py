"""Secrets, from the command line to a container on a real engine."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scenarios.conftest import Cli, shell

pytestmark = pytest.mark.docker
File = Callable[..., str]
CANARY = "k4n4ry-v4lu3"
SHOW = shell('echo "token is $TOKEN, colour is $COLOUR"')


def typed(cli: Cli, text: str, *arguments: str) -> str:
    process = cli.start(*arguments, stdin=subprocess.PIPE)
    out, err = process.communicate(text, timeout=30)
    assert process.returncode == 0, err
    assert CANARY not in err
    return out


def test_a_secret_gets_into_its_container_and_nowhere_else(cli: Cli, file: File) -> None:
    typed(cli, f"{CANARY}\n", "secret", "put", "prod/token")
    (cli.home / "bucket").mkdir()
    (cli.home / "bucket/web.env").write_text("COLOUR=blue\nTOKEN=none\n")
    cli.configure('[buckets]\nconfig = "bucket"\n')
    definition = file(
        SHOW
        | {
            "secrets": [{"name": "TOKEN", "valueFrom": "/prod/token"}],
            "environmentFiles": [{"value": "arn:aws:s3:::config/web.env", "type": "s3"}],
        },
        networkMode="none",
    )
    ran = cli("run-task", "--task-definition", definition, "--wait", "--logs")
    assert f"token is {CANARY}, colour is blue" in ran.stdout + ran.stderr
    (task,) = cli.json("list-tasks", "--desired-status", "STOPPED")["taskArns"]
    for words in (
        ("describe-tasks", "--tasks", task),
        ("describe-task-definition", "--task-definition", "app"),
        ("events",),
        ("explain", task),
        ("check", definition),
        ("secret", "list"),
        ("secret", "list", "--output", "json"),
        ("run-task", "--task-definition", "app", "--dry-run"),
        ("reconcile", "--dry-run"),
    ):
        done = cli(*words)
        assert CANARY not in done.stdout + done.stderr
    assert "prod/token" in cli("secret", "list").stdout
    for path in cli.home.rglob("*"):
        assert not path.is_file() or CANARY.encode() not in path.read_bytes()
    labels = json.loads(cli.docker("inspect", "--format", "{{json .Config.Labels}}", *cli.containers()))
    assert CANARY not in str(labels)
    assert cli("secret", "get", "prod/token").stdout == CANARY


@pytest.mark.parametrize(
    ("driver", "options", "name", "value"),
    [
        ("splunk", {"splunk-url": "https://127.0.0.1:9", "splunk-verify-connection": "false"}, "splunk-token", CANARY),
        ("gelf", {"tag": "x"}, "gelf-address", "udp://127.0.0.1:12201"),
    ],
)
def test_an_option_of_a_log_driver_comes_from_a_secret(
    cli: Cli, file: File, driver: str, options: dict[str, str], name: str, value: str
) -> None:
    typed(cli, value, "secret", "put", "prod/option")
    secret_options = [{"name": name, "valueFrom": "prod/option"}]
    logs = {"logDriver": driver, "options": options, "secretOptions": secret_options}
    cli("run-task", "--task-definition", file({**shell("true"), "logConfiguration": logs}), "--wait")
    (container,) = cli.containers()
    config = json.loads(cli.docker("inspect", "--format", "{{json .HostConfig.LogConfig}}", container))
    assert config == {"Type": driver, "Config": {**options, name: value}}
    assert value not in cli("describe-task-definition", "--task-definition", "app").stdout


def test_what_becomes_of_a_task_without_its_secret_and_when_it_is_there(cli: Cli, file: File) -> None:
    definition = file(SHOW | {"secrets": [{"name": "TOKEN", "valueFrom": "token"}]}, networkMode="none")
    done = cli("run-task", "--task-definition", definition, "--wait", code=1)
    assert "ResourceInitializationError: unable to pull secrets or registry auth" in done.stderr + done.stdout
    assert "`ecsctl secret put token` adds it" in done.stderr + done.stdout
    typed(cli, "found", "secret", "put", "token")
    ran = cli("run-task", "--task-definition", "app", "--wait", "--logs")
    assert "token is found" in ran.stdout + ran.stderr


def test_secrets_of_files_variables_and_commands(cli: Cli, file: File, tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text("# comment\nONE=1\nTWO=2\n")
    assert "2 secrets put" in cli("secret", "import", str(tmp_path / "a.env"), "--prefix", "web/").stderr
    cli.environment["SOME"] = "of a variable"
    cli("secret", "put", "some", "--env", "SOME")
    (tmp_path / "key.pem").write_text("line\nline\n")
    cli("secret", "put", "key", "--file", str(tmp_path / "key.pem"))
    assert cli("secret", "get", "key").stdout == "line\nline\n"
    assert cli("secret", "get", "some").stdout == "of a variable"
    assert [s["name"] for s in cli.json("secret", "list", "--output", "json")["secrets"]] == [
        "key",
        "some",
        "web/ONE",
        "web/TWO",
    ]
    assert "4 secrets sealed with a new key" in cli("secret", "rotate").stderr
    assert cli("secret", "get", "web/ONE").stdout == "1"
    cli("secret", "delete", "web/ONE")
    cli.configure('[secrets]\n"web/" = ["printf", "printed %s", "{name}"]\n')
    definition = file(SHOW | {"secrets": [{"name": "TOKEN", "valueFrom": "web/ONE"}]}, networkMode="none")
    ran = cli("run-task", "--task-definition", definition, "--wait", "--logs")
    assert "token is printed web/ONE" in ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (["secret"], "expected put, get, list, delete, import or rotate", 2),
        (["secret", "get", "none"], "there is no secret none", 1),
        (["secret", "put", "a b", "--env", "HOME"], "is not the name of a secret", 1),
        (["secret", "put", "a", "--env", "NO_SUCH"], "there is no environment variable NO_SUCH", 1),
        (["secret", "put", "a", "--file", "/none/such"], "/none/such: No such file", 1),
        (["secret", "put", "a", "--file", "x", "--env", "HOME"], "--file or --env, not both", 2),
        (["secret", "delete", "none"], "there is no secret none", 1),
    ],
)
def test_what_is_wrong_is_said_in_one_line(cli: Cli, words: list[str], said: str, code: int) -> None:
    assert said in cli.error(*words, code=code)
