"""Every mistake is one clear line and a non-zero exit, and changes nothing."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import unprivileged
from tests.scenarios.conftest import SLEEP, Cli

pytestmark = pytest.mark.docker
File = Callable[..., str]


def nothing_happened(cli: Cli) -> bool:
    return (
        cli.json("list-tasks")["taskArns"] == []
        and cli.json("list-tasks", "--desired-status", "STOPPED")["taskArns"] == []
        and cli.json("list-task-definitions")["taskDefinitionArns"] == []
        and cli.containers() == []
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", ["app.json:1"]),
        ("[1, 2]", ["app.json"]),
        ('{"family": "app", "containerDefinitions": [{"nmae": "x"}]}', ["containerDefinitions[0].nmae", '"name"']),
        (
            '{"family": "app", "containerDefinitions": [{"name": "x", "image": "i", "memory": "64"}]}',
            ["containerDefinitions[0].memory", "whole number"],
        ),
        (
            '{"family": "app", "containerDefinitions": [{"name": "x", "image": "i", "memory": 64},'
            ' {"name": "x", "image": "i", "memory": 64}]}',
            ["x"],
        ),
        (
            '{"family": "app", "containerDefinitions": ['
            '{"name": "a", "image": "i", "memory": 64, "dependsOn": [{"containerName": "b", "condition": "START"}]},'
            '{"name": "b", "image": "i", "memory": 64, "dependsOn": [{"containerName": "a", "condition": "START"}]}]}',
            ["a", "b", "cycle"],
        ),
        ('{"family": "../etc", "containerDefinitions": [{"name": "x", "image": "i", "memory": 64}]}', ["family"]),
        ('{"family": "a\\nb", "containerDefinitions": [{"name": "x", "image": "i", "memory": 64}]}', ["family"]),
        ('{"family": "-f", "containerDefinitions": [{"name": "x", "image": "i", "memory": 64}]}', ["family"]),
        ('{"family": "app", "containerDefinitions": [{"name": "../x", "image": "i", "memory": 64}]}', ["name"]),
        ('{"family": "app", "containerDefinitions": [{"name": "x", "image": "i"}]}', ["memory"]),
        ('{"family": "app", "containerDefinitions": []}', ["container"]),
    ],
)
def test_definitions_that_cannot_be(cli: Cli, tmp_path: Path, text: str, words: list[str]) -> None:
    path = tmp_path / "app.json"
    path.write_text(text)
    for command in (["run-task", "--task-definition", str(path)], ["register-task-definition", str(path)]):
        done = cli(*command, code=None)
        assert done.returncode in (252, 254)
        assert len([line for line in done.stderr.splitlines() if line]) == 1, done.stderr
        for word in words:
            assert word in done.stderr, done.stderr
    assert nothing_happened(cli)


def test_a_definition_of_20_megabytes_is_refused_before_it_is_parsed(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "big.json"
    path.write_text('{"family": "' + "x" * 20_000_000 + '"}')
    begin = time.monotonic()
    said = cli.error("register-task-definition", str(path), code=252)
    assert time.monotonic() - begin < 10
    assert "big.json" in said
    assert len(said) < 300


def test_more_memory_than_any_host_has(cli: Cli, file: File) -> None:
    """A failure, as on ECS, and no error; a dry run says what would help."""
    words = ("run-task", "--task-definition", file({**SLEEP, "memory": 9_999_999}))
    answer = cli.json(*words)
    assert (answer["tasks"], [failure["reason"] for failure in answer["failures"]]) == ([], ["RESOURCE:MEMORY"])
    assert "never: it has" in cli(*words, "--dry-run", code=1).stdout
    assert cli.json("list-tasks")["taskArns"] == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["run-task", "--task-definition", "nothing"], 254, ["ClientException", "nothing"]),
        (["run-task", "--task-definition", "app", "--cluster", "nowhere"], 254, ["ClusterNotFoundException"]),
        (["describe-task-definition", "--task-definition", "app:9"], 254, ["ClientException", "app:9"]),
        (["describe-task-definition", "--task-definition", "app:x"], 254, ["ClientException"]),
        (["deregister-task-definition", "--task-definition", "app"], 254, ["ClientException"]),
        (["stop-task", "--task", "0" * 32], 254, ["InvalidParameterException", "not found"]),
        (["run-task"], 252, ["--task-definition"]),
        (["run-tsk"], 252, ["run-tsk", "run-task"]),
        (["run-task", "--task-definition", "app", "--cuont", "1"], 252, ["--cuont", "--count"]),
        (["run-task", "--task-definition", "app", "--count", "many"], 252, ["--count", "many"]),
        (["run-task", "--task-definition", "app", "--count", "11"], 254, ["count"]),
        (["run-task", "--task-definition", "none.json"], 252, ["none.json"]),
        (["run-task", "--task-definition", "-x"], 252, ["--task-definition"]),
        (["create-cluster", "--cluster-name", "../x"], 254, ["../x"]),
        (["create-cluster", "--cluster-name", "a\nb"], 254, ["a\\nb"]),
        (["list-clusters", "--region", "not a region"], 253, ["region"]),
        (["list-clusters", "--account", "12"], 253, ["account"]),
        (["list-clusters", "--query", "]["], 252, ["]["]),
        (["list-clusters", "--output", "xml"], 252, ["xml"]),
        (["register-container-instance", "--host", "ssh://h/path;id"], 252, ["ssh://"]),
        (["register-container-instance", "--host", "ssh://-oProxyCommand=id"], 252, ["ssh://"]),
        (["register-container-instance", "--host", "tcp://example.com:2375"], None, ["TLS"]),
        (["register-container-instance", "--context", "no-such"], None, ["no-such"]),
        (["ps", "--cluster", "nowhere"], 1, ["Cluster not found"]),
        (["logs", "0" * 32], 1, ["there is no task"]),
        (["check", "none.json"], None, ["none.json"]),
        (["reconcile", "--timeout", "soon"], 2, ["soon"]),
    ],
)
def test_mistakes_on_the_command_line(cli: Cli, arguments: list[str], code: int | None, words: list[str]) -> None:
    done = cli(*arguments, code=code)
    assert done.returncode not in (0, None)
    assert done.stdout == ""
    assert len([line for line in done.stderr.splitlines() if line]) == 1, done.stderr
    for word in words:
        assert word in done.stderr
    assert nothing_happened(cli)


def test_the_same_engine_is_not_registered_twice(cli: Cli) -> None:
    cli("list-container-instances")
    said = cli.error("register-container-instance", "--host", "unix:///var/run/docker.sock", code=254)
    assert "registered already" in said


def test_a_host_that_does_not_answer_is_not_registered(cli: Cli, tmp_path: Path) -> None:
    said = cli.error("register-container-instance", "--host", f"unix://{tmp_path}/none.sock", code=255)
    assert "none.sock" in said
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert str(port) in cli.error("register-container-instance", "--host", f"tcp://127.0.0.1:{port}", code=255)


@pytest.mark.parametrize("spoil", ["newer", "text", "theirs", "readable", "directory"])
def test_a_state_file_that_cannot_be_used_is_left_as_it_is(cli: Cli, spoil: str) -> None:
    cli("list-clusters")
    path = cli.state
    if spoil == "newer":
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA user_version = 999")
        connection.close()
    elif spoil == "readable":
        path.chmod(0o644)
    else:
        path.unlink()
        if spoil == "text":
            path.write_text("hello" * 500)
            path.chmod(0o600)
        elif spoil == "theirs":
            connection = sqlite3.connect(path)
            connection.execute("CREATE TABLE theirs (x)")
            connection.close()
            path.chmod(0o600)
        else:
            path.mkdir()
    before = path.read_bytes() if path.is_file() else b""
    said = cli.error("list-clusters", code=255)
    assert str(path) in said
    assert (path.read_bytes() if path.is_file() else b"") == before
    path.rmdir() if path.is_dir() else path.unlink()


def test_a_state_that_can_only_be_read(cli: Cli) -> None:
    """What there is is shown, what would change it is refused in one line."""
    cli("list-clusters")
    command = unprivileged.python()
    unprivileged.give_away(cli.home, "state.db*", 0o400)
    (cli.home / "config.toml").chmod(0o644)
    cli.home.chmod(0o555)

    def as_nobody(*arguments: str) -> subprocess.CompletedProcess[str]:
        process = subprocess.run(
            [*command, "-m", "ecsctl", *arguments],
            capture_output=True,
            text=True,
            env=cli.environment,
            cwd=Path(__file__).parents[2],
        )
        assert "Traceback" not in process.stderr
        return process

    shown, refused = as_nobody("list-clusters"), as_nobody("create-cluster", "--cluster-name", "x")
    cli.home.chmod(0o755)
    assert json.loads(shown.stdout)["clusterArns"] != [], shown.stderr
    assert refused.returncode == 255
    assert "cannot be written" in refused.stderr
    for path in cli.home.glob("state.db*"):
        os.chown(path, os.geteuid(), -1)
        path.chmod(0o600)
