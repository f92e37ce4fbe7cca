"""The driver awslogs without AWS: logs by group and stream that outlive their containers, on a real engine."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.scenarios.conftest import SLEEP, Cli, shell
from tests.scenarios.test_watch import until

pytestmark = pytest.mark.docker
File = Callable[..., str]

OPTIONS = {"awslogs-group": "/ecs/app", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "app"}
AWSLOGS = {"logDriver": "awslogs", "options": OPTIONS}


def says(text: str, **more: Any) -> Any:
    return shell(text, logConfiguration=AWSLOGS, **more)


def ended(cli: Cli, *arguments: str) -> str:
    """The ARN of a task that has run and stopped."""
    task = cli.json("run-task", *arguments)["tasks"][0]["taskArn"]
    cli("wait", "tasks-stopped", "--tasks", task)
    return str(task)


class Follower:
    """A `logs --follow`, and the lines that it has shown."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.lines.append(line)

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


@contextmanager
def following(cli: Cli, *more: str) -> Iterator[Follower]:
    made = Follower(cli.start("logs", "--follow", *more))
    try:
        yield made
    finally:
        made.end()


def test_a_log_outlives_its_container(cli: Cli, file: File) -> None:
    task = ended(cli, "--task-definition", file(says("echo one; echo two >&2; sleep 0.2; echo three")))
    cli.docker("rm", "-f", *cli.containers())
    read = cli("logs", task)
    assert (read.stdout, read.stderr) == ("one\nthree\n", "two\n")
    assert cli("logs", task, "--tail", "1").stdout == "three\n"
    assert cli("logs", task, "--filter-pattern", "o -two").stdout == "one\n"
    assert cli("logs", "/ecs/app").stdout == f"{task[-32:][:8]}/main | one\n{task[-32:][:8]}/main | three\n"


def test_what_was_not_kept_at_the_end_is_kept_before_the_container_goes(cli: Cli, file: File) -> None:
    task = ended(cli, "--task-definition", file(says("echo kept")))
    logs = cli.state.with_name(cli.state.name + ".logs")
    (log,) = logs.glob("*/*.log")
    log.unlink()  # as if the process had been killed before it
    cli.configure('stopped_container_retention = "0s"\n')
    cli("reconcile")
    assert cli.containers() == []
    assert cli("logs", task).stdout == "kept\n"


def test_a_container_stays_while_its_log_cannot_be_kept(cli: Cli, file: File) -> None:
    ended(cli, "--task-definition", file(says("echo precious")))
    logs = cli.state.with_name(cli.state.name + ".logs")
    logs.rename(logs.with_name("elsewhere"))
    logs.write_text("in the way")
    cli.configure('stopped_container_retention = "0s"\n')
    said = cli("reconcile")
    assert "cannot be kept" in said.stdout + said.stderr
    assert len(cli.containers()) == 1
    logs.unlink()
    cli("reconcile")
    assert cli.containers() == []


def test_other_drivers_keep_nothing(cli: Cli, file: File) -> None:
    ended(cli, "--task-definition", file(shell("echo gone")))
    assert not cli.state.with_name(cli.state.name + ".logs").exists()


def test_a_group_is_merged_by_time_and_read_by_container(cli: Cli, file: File) -> None:
    two = says("sleep 0.5; echo b1; sleep 1; echo b2", name="other", essential=False)
    definition = file(says("echo a1; sleep 1; echo a2; sleep 1.5"), two)
    first = ended(cli, "--task-definition", definition)
    cli.docker("rm", "-f", *cli.containers())
    second = ended(cli, "--task-definition", definition)
    lines = [line.split() for line in cli("logs", "/ecs/app").stdout.splitlines()]
    expected = [("main", "a1"), ("other", "b1"), ("main", "a2"), ("other", "b2")]
    assert [(line[0], line[2]) for line in lines] == [
        (f"{task[-32:][:8]}/{name}", text) for task in (first, second) for name, text in expected
    ]
    assert cli("logs", "/ecs/app", "--container", "other", "--tail", "1").stdout.split()[2::3] == ["b2", "b2"]


def test_a_service_is_followed_through_its_tasks(cli: Cli, file: File) -> None:
    cli("register-task-definition", file(shell("echo begin; trap 'exit 0' TERM; while :; do sleep 0.1; done")))
    cli("create-service", "--service-name", "web", "--task-definition", "app", "--desired-count", "1")
    cli.until_service("web", lambda service: service["runningCount"] == 1)
    with following(cli, "web") as follower:
        until(lambda: len(follower.lines) == 1)
        old = cli.json("list-tasks", "--service-name", "web")["taskArns"][0]
        cli("stop-task", "--task", old)
        cli.until_service("web", lambda service: service["runningCount"] == 1)
        until(lambda: len(follower.lines) >= 2)
        new = cli.json("list-tasks", "--service-name", "web")["taskArns"][0]
        time.sleep(1.5)  # more than between its looks: what it showed twice would be there
        follower.interrupt()
    assert [line.split()[0] for line in follower.lines] == [f"{task[-32:][:8]}/main" for task in (old, new)]
    assert follower.process.returncode == 130


def test_what_is_filtered_is_a_document(cli: Cli, file: File) -> None:
    lines = [json.dumps({"level": level, "ms": ms}) for level, ms in (("info", 3), ("error", 40), ("error", 5))]
    task = ended(cli, "--task-definition", file(says("; ".join(f"echo '{line}'" for line in lines))))
    found = cli("logs", task, "--filter-pattern", '{ $.level = "error" && $.ms > 9 }').stdout
    assert found == lines[1] + "\n"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nobody"], 1, "service or log group 'nobody'"),
        (["/ecs/ap"], 1, "did you mean /ecs/app?"),
        (["/ecs/app", "--filter-pattern", "{ $.a }"], 1, "character 7: expected"),
        (["/ecs/app", "--since", "never"], 2, "neither a duration"),
        (["/ecs/app", "--tail", "-1"], 2, "expected 0 or more"),
    ],
)
def test_what_cannot_be_read_is_one_line(cli: Cli, file: File, arguments: list[str], code: int, words: str) -> None:
    ended(cli, "--task-definition", file(says("true")))
    assert words in cli.error("logs", *arguments, code=code)


def test_following_with_no_last_lines_shows_what_comes(cli: Cli, file: File) -> None:
    new = "{ n=$((n+1)); echo new $n; rm /tmp/go; }"
    talk = f"echo old; n=0; trap 'exit 0' TERM; while :; do [ ! -e /tmp/go ] || {new}; sleep 0.1; done"
    cli("register-task-definition", file(shell(talk)))
    cli("create-service", "--service-name", "web", "--task-definition", "app", "--desired-count", "1")
    cli.until_service("web", lambda service: service["runningCount"] == 1)
    (container,) = cli.containers()
    with following(cli, "web", "-n", "0") as follower:

        def is_heard() -> bool:
            """It may not follow yet: what was said before is none of its lines."""
            cli.docker("exec", container, "touch", "/tmp/go")
            return bool(follower.lines)

        until(is_heard)
        time.sleep(1)
        follower.interrupt()
    said = [line.split()[-2:] for line in follower.lines]
    first = int(said[0][1])
    assert said == [["new", str(first + n)] for n in range(len(said))]


def test_a_task_that_runs_is_in_its_group(cli: Cli, file: File) -> None:
    talk = {**SLEEP, "command": ["echo here; " + SLEEP["command"][0]], "logConfiguration": AWSLOGS}
    cli("run-task", "--task-definition", file(talk), "--wait")
    assert cli.until_logged("/ecs/app").endswith("| here\n")
