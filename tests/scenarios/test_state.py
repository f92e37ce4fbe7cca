"""The state is lost, damaged, old or in use, and the containers live on: nothing is touched, and all comes back."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ecsctl.engine.contexts import current_address
from ecsctl.model import identity
from ecsctl.store.store import Store
from tests.scenarios.conftest import SLEEP, Cli, shell
from tests.scenarios.test_watch import watching

pytestmark = pytest.mark.docker
File = Callable[..., str]


@pytest.fixture
def fleet(cli: Cli, file: File) -> Iterator[str]:
    """A service with two tasks and a task of its own, steady; the id of the install. They are gone after the test,
    whatever became of the state."""
    (cli.home / "config.toml").write_text('healthy_after = "1s"\n')
    container = shell(str(SLEEP["command"][0]), environment=[{"name": "MODE", "value": "a=b c"}], cpu=2)
    cli("register-task-definition", file(container))
    cli("create-service", "--service-name", "web", "--task-definition", "app", "--desired-count", "2")
    cli("reconcile", "--service", "web")
    overrides = json.dumps({"containerOverrides": [{"name": "main", "environment": [{"name": "X", "value": "y"}]}]})
    cli("run-task", "--task-definition", "app", "--wait", "--started-by", "me", "--overrides", overrides)
    cli("reconcile")
    cli.kill_background()
    with closing(Store.open(cli.state)) as store:
        install = store.install
    yield install
    cli.kill_background()
    cli.docker("rm", "-fv", *of(cli, install), check=False)


def of(cli: Cli, install: str) -> dict[str, str]:
    """The containers of an install, and since when each has been what it is."""
    lines = cli.docker("ps", "-aq", "--no-trunc", "--filter", f"label={identity.INSTALL}={install}").split()
    return {one: cli.docker("inspect", "-f", "{{.State.StartedAt}} {{.State.Status}}", one) for one in lines}


def told(cli: Cli) -> list[Any]:
    """describe-tasks of all, but for what counts and times looks."""
    arns = cli.json("list-tasks")["taskArns"]
    tasks = sorted(cli.json("describe-tasks", "--tasks", *arns)["tasks"], key=lambda task: str(task["taskArn"]))
    return [{key: value for key, value in task.items() if key not in ("startedAt", "version")} for task in tasks]


def lose(cli: Cli, *endings: str) -> None:
    for ending in ("", "-wal", "-shm", *endings):
        cli.state.with_name(cli.state.name + ending).unlink(missing_ok=True)


HERE = ("--host", current_address())


def test_a_lost_state_is_rebuilt_and_its_service_heals_again(cli: Cli, fleet: str) -> None:
    before, tasks = of(cli, fleet), told(cli)
    definition = cli.json("describe-task-definition", "--task-definition", "app")
    lose(cli)
    for command in (["reconcile"], ["ps"], ["run-task", "--task-definition", "app"], ["reconcile", "--watch"]):
        done = cli(*command, code=None)
        assert done.returncode in (1, 255)
        assert "ecsctl recover" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert not cli.state.exists()

    shown = cli("recover", *HERE)
    assert "nothing was written" in shown.stderr
    assert not cli.state.exists()
    done = cli("recover", *HERE, "--yes")
    assert done.stdout == shown.stdout
    assert "3 tasks and 1 services recovered" in done.stderr
    assert of(cli, fleet) == before
    assert sorted(path.name for path in cli.home.iterdir() if path.name.startswith(".")) == []

    assert told(cli) == tasks
    assert cli.json("describe-task-definition", "--task-definition", "app") == definition
    assert cli("reconcile", "--dry-run").stdout == ""
    assert cli("reconcile", "--detailed-exitcode").stdout == ""
    assert of(cli, fleet) == before
    assert cli("state", "check").stdout == ""

    serving = next(task for task in tasks if task["group"] == "service:web")
    lost = serving["containers"][0]["runtimeId"]
    cli.docker("kill", lost)
    cli("recover", "--confirm")
    cli.until_service("web", lambda found: found["runningCount"] == 2 and lost not in cli.docker("ps", "-q"))
    up = cli.containers("--filter", "status=running")
    assert len(up) == 3
    assert lost not in up
    assert all("MODE=a=b c" in cli.docker("inspect", "-f", "{{.Config.Env}}", one) for one in up)


def test_with_the_key_lost_too_a_new_state_is_empty_and_touches_nothing(cli: Cli, fleet: str) -> None:
    before = of(cli, fleet)
    key = cli.state.with_name("state.db.key").read_bytes()
    lose(cli, ".key")
    assert cli.json("list-tasks")["taskArns"] == []
    cli("register-container-instance", *HERE)
    assert cli("reconcile").stdout == ""
    assert of(cli, fleet) == before

    line = cli.error("recover", *HERE, code=1)
    assert "--trust-labels" in line
    assert "--key" in line
    cli("recover", *HERE, "--trust-labels", "--install", fleet)
    (cli.home / "key").write_bytes(key)
    (cli.home / "key").chmod(0o600)
    done = cli("recover", *HERE, "--key", str(cli.home / "key"), "--yes")
    assert "what was there is in" in done.stderr  # the empty one
    assert cli("reconcile", "--detailed-exitcode").stdout == ""
    assert of(cli, fleet) == before
    assert len(cli.json("list-tasks", "--service-name", "web")["taskArns"]) == 2
    assert "there is a state" in cli.error("recover", *HERE, "--yes", code=1)


def test_without_the_key_labels_can_be_trusted(cli: Cli, fleet: str) -> None:
    before, tasks = of(cli, fleet), told(cli)
    lose(cli, ".key")
    cli("recover", *HERE, "--trust-labels", "--install", fleet, "--yes")
    assert told(cli) == tasks
    assert cli("reconcile", "--detailed-exitcode").stdout == ""
    assert of(cli, fleet) == before


def test_a_copy_of_a_container_is_not_taken_for_it_when_a_state_is_rebuilt(
    cli: Cli, fleet: str, run_copy: Callable[[str], str]
) -> None:
    tasks = told(cli)
    for task in tasks:
        run_copy(task["containers"][0]["runtimeId"])
    lose(cli)
    assert cli("recover", *HERE, "--yes").stderr.count("may be a copy") == 3
    assert told(cli) == tasks
    assert cli("reconcile", "--detailed-exitcode").stdout == ""


def test_a_host_that_does_not_answer_holds_recover_up(cli: Cli, fleet: str) -> None:
    lose(cli)
    nobody = f"unix://{cli.home}/nobody.sock"
    done = cli("recover", *HERE, nobody, "--yes", code=5)
    assert "nobody.sock does not answer" in done.stderr
    assert "--partial" in done.stderr
    assert not cli.state.exists()
    cli("recover", *HERE, nobody, "--yes", "--partial", code=5)
    assert len(told(cli)) == 3


def test_a_damaged_state_is_one_line_and_is_restored(cli: Cli, fleet: str, tmp_path: Path) -> None:
    before, tasks = of(cli, fleet), told(cli)
    done = cli("state", "backup", str(tmp_path / "b"))
    assert done.stdout == f"{tmp_path / 'b'}\n"
    assert "state.db.key" in done.stderr
    assert "exists" in cli.error("state", "backup", str(tmp_path / "b"), code=1)
    content = bytearray(cli.state.read_bytes())
    for place in range(20, len(content), 97):
        content[place] ^= 0x55
    cli.state.write_bytes(content)
    for command in ("reconcile", "ps"):
        line = cli.error(command, code=1)
        assert "ecsctl state restore" in line
        assert "ecsctl recover" in line
    assert "ecsctl state restore" in cli("state", "check", code=1).stdout
    assert of(cli, fleet) == before
    assert "damaged" in cli("state", "restore", str(tmp_path / "b")).stderr
    assert told(cli) == tasks
    assert cli("reconcile", "--detailed-exitcode").stdout == ""
    assert of(cli, fleet) == before

    cli.state.write_bytes(content)
    assert "3 tasks and 1 services recovered" in cli("recover", *HERE, "--yes").stderr
    assert told(cli) == tasks
    assert of(cli, fleet) == before


def test_what_is_newer_than_a_backup_is_left_alone_until_it_is_merged(cli: Cli, fleet: str) -> None:
    backup = cli("state", "backup").stdout.strip()
    cli("run-task", "--task-definition", "app", "--wait")
    before, tasks = of(cli, fleet), told(cli)
    assert "recover --merge" in cli("state", "restore", backup).stderr
    assert len(told(cli)) == 3
    done = cli("reconcile", "--detailed-exitcode")
    assert "belongs to a task this state does not know: see ecsctl recover --merge" in done.stderr
    assert of(cli, fleet) == before
    cli("recover", "--merge", *HERE, "--yes")
    assert told(cli) == tasks
    assert "left alone" not in cli("reconcile").stderr
    assert of(cli, fleet) == before
    assert "nothing to recover" in cli("recover", "--merge", *HERE, "--yes").stderr


def test_restore_and_recover_wait_for_nobody_who_keeps_the_state(cli: Cli, fleet: str) -> None:
    backup = cli("state", "backup").stdout.strip()
    with watching(cli):
        assert "reconcile --watch" in cli.error("state", "restore", backup, code=1)
        lose(cli)
        assert "reconcile --watch" in cli.error("recover", *HERE, "--yes", code=1)
    cli("state", "restore", backup)


def test_backups_while_commands_write_are_each_whole(cli: Cli, file: File, tmp_path: Path) -> None:
    over = threading.Event()

    def write() -> None:
        while not over.is_set():
            cli("create-cluster", "--cluster-name", "c")
            cli("delete-cluster", "--cluster", "c")

    writer = threading.Thread(target=write)
    cli("register-task-definition", file(SLEEP))
    writer.start()
    try:
        for number in range(4):
            cli("state", "backup", str(tmp_path / f"b{number}"), "--with-keys")
    finally:
        over.set()
        writer.join()
    for number in range(4):
        copy = tmp_path / f"b{number}"
        assert cli("state", "check", "--state", str(copy)).stdout == ""
        with closing(sqlite3.connect(copy)) as opened:
            assert opened.execute("SELECT count(*) FROM task_definition").fetchone() == (1,)


def test_a_recover_that_is_killed_leaves_no_state_or_all_of_it(cli: Cli, fleet: str) -> None:
    tasks = told(cli)
    lose(cli)
    for seconds in (0.2, 0.5, 0.8, 1.1):
        process = cli.start("recover", *HERE, "--yes")
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        if cli.state.exists():
            break
    else:
        cli("recover", *HERE, "--yes")
    assert told(cli) == tasks
    assert cli("reconcile", "--detailed-exitcode").stdout == ""


def test_what_was_wanted_goes_from_one_state_to_another_by_a_file(cli: Cli, fleet: str, tmp_path: Path) -> None:
    cli("create-cluster", "--cluster-name", "blue")
    for name, output in (("export.json", "json"), ("export.yaml", "yaml")):
        (tmp_path / name).write_text(cli("state", "export", "--output", output).stdout)
    document = json.loads((tmp_path / "export.json").read_text())
    assert [one["serviceName"] for one in document["services"]] == ["web"]
    done = cli("state", "import", str(tmp_path / "export.yaml"), "--yes")
    assert "nothing to do" in done.stderr
    before = of(cli, fleet)
    other = str(tmp_path / "other.db")
    shown = cli("state", "import", str(tmp_path / "export.yaml"), "--dry-run", "--state", other)
    assert "+ service default/web" in shown.stdout
    assert "--yes" in cli.error("state", "import", str(tmp_path / "export.json"), "--state", other, code=2)
    document["services"][0]["desiredCount"] = 0  # its tasks are the other state's
    (tmp_path / "export.json").write_text(json.dumps(document))
    cli("state", "import", str(tmp_path / "export.json"), "--yes", "--state", other)
    assert json.loads(cli("state", "export", "--state", other).stdout) == document
    assert "nothing to do" in cli("state", "import", str(tmp_path / "export.json"), "--yes", "--state", other).stderr
    assert of(cli, fleet) == before
