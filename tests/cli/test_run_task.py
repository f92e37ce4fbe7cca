"""`run-task` beyond AWS's: a file as the definition, waiting, output, and the exit code of the task."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Literal

import pytest

from ecsctl.cli.background import command
from ecsctl.cli.config import Config, load_config
from ecsctl.cli.logs import moment
from ecsctl.cli.problems import UsageError
from ecsctl.cli.register_task_definition import path_in
from ecsctl.cli.streams import Follower, Printer
from ecsctl.engine.port import LogChunk
from ecsctl.model.container_definition import ContainerDefinition
from ecsctl.model.errors import EngineUnreachable
from ecsctl.model.record import decode
from ecsctl.model.task import Task
from ecsctl.scheduler.outcome import outcome_of
from tests.cli.running import Runner, process

APP, SIDE, INIT = (
    ContainerDefinition(name="app"),
    ContainerDefinition(name="side", essential=True),
    ContainerDefinition(name="init", essential=False),
)


def stopped(*containers: dict[str, Any], code: str = "EssentialContainerExited", reason: str = "Essential …") -> Task:
    fields = {"taskArn": "arn:aws:ecs:r:a:task/c/1", "stopCode": code, "stoppedReason": reason}
    return decode(Task, {**fields, "containers": list(containers)})


@pytest.mark.parametrize(
    ("task", "code", "problem"),
    [
        (stopped({"name": "app", "exitCode": 0}), 0, ""),
        (stopped({"name": "app", "exitCode": 3}), 3, "container app exited with 3"),
        (stopped({"name": "init", "exitCode": 5}, {"name": "app", "exitCode": 0}), 0, ""),
        (stopped({"name": "app", "exitCode": 0}, {"name": "side", "exitCode": 143}), 0, ""),
        (stopped({"name": "app", "exitCode": 143}, {"name": "side", "exitCode": 2}), 2, "container side exited with 2"),
        (stopped({"name": "app", "exitCode": 0}, {"name": "side", "exitCode": 2}), 2, "container side exited with 2"),
        (stopped({"name": "app", "exitCode": 137, "reason": "OutOfMemoryError: x"}), 137, "app ran out of memory"),
        (stopped({"name": "app", "exitCode": 137}), 137, "container app exited with 137"),
        (stopped({"name": "app", "exitCode": 0}, code="UserInitiated", reason="enough"), 1, "exited with 0: enough"),
        (
            stopped({"name": "app", "reason": "CannotPullContainerError: x"}, reason=""),
            1,
            "CannotPullContainerError: x",
        ),
        (stopped({"name": "app"}, code="TaskFailedToStart", reason="no image"), 1, "task 1 did not start: no image"),
    ],
)
def test_the_exit_code_is_that_of_the_essential_container_that_ended_the_task(
    task: Task, code: int, problem: str
) -> None:
    found = outcome_of(task, [INIT, APP, SIDE])
    assert found.code == code
    assert problem in found.problem
    assert bool(found.problem) == bool(problem)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("web", None),
        ("web:3", None),
        ("arn:aws:ecs:us-east-1:000000000000:task-definition/web:3", None),
        ("web.json", "web.json"),
        ("web.YAML", "web.YAML"),
        ("web.yml", "web.yml"),
        ("web.toml", "web.toml"),
        ("./web", "web"),
        ("/tmp/web", "/tmp/web"),
        ("file://web.json", "web.json"),
        ("file:///tmp/web.json", "/tmp/web.json"),
    ],
)
def test_a_definition_that_looks_like_a_path_is_one(text: str, path: str | None) -> None:
    assert path_in(text) == (Path(path) if path else None)


def chunk(text: bytes, stream: Literal["stdout", "stderr"] = "stdout") -> LogChunk:
    return LogChunk(stream, "2026-01-02T03:04:05Z", text)


def test_output_goes_where_the_container_wrote_it(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    Printer(["a"], several=False).print_all([("a", chunk(b"one")), ("a", chunk(b"\xfftwo", "stderr"))])
    assert capfdbinary.readouterr() == (b"one\n", b"\xfftwo\n")


def test_several_containers_are_told_apart(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    Printer(["web", "db"], several=True, timestamps=True).print_all([("web", chunk(b"x")), ("db", chunk(b"y"))])
    out = capfdbinary.readouterr().out
    assert out == b"web | 2026-01-02T03:04:05Z x\ndb  | 2026-01-02T03:04:05Z y\n"


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Tasks whose output never ends, until the event is set."""
    done = threading.Event()

    def task_logs(*_: Any, **__: Any) -> Iterator[tuple[str, LogChunk]]:
        yield "a", chunk(b"x")
        done.wait(30)

    monkeypatch.setattr("ecsctl.operations.logs.task_logs", task_logs)
    yield done
    done.set()


@pytest.mark.usefixtures("endless")
def test_following_ends_when_the_time_is_up(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    follower: Any = Follower
    follower(None, {"arn:a/1": ["a"], "arn:a/2": ["a"]}).follow(0.3)
    assert sorted(capfdbinary.readouterr().out.splitlines()) == [b"1/a | x", b"2/a | x"]


def test_output_that_cannot_be_read_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def task_logs(*_: Any, **__: Any) -> None:
        raise EngineUnreachable("nobody answered")

    monkeypatch.setattr("ecsctl.operations.logs.task_logs", task_logs)
    follower: Any = Follower
    follower(None, {"arn:a/1": ["a"]}).follow(5)
    assert capsys.readouterr().err == "ecsctl: the output of task 1 could not be read: nobody answered\n"


def test_what_is_left_is_done_by_a_process_with_the_same_state_and_scope() -> None:
    words = command(Config(Path("/s/state.db"), "eu-west-1", "111111111111"), ["arn:1", "arn:2", "arn:x:service/3"])
    assert words[0] == sys.executable
    scope = "--state /s/state.db --region eu-west-1 --account 111111111111"
    assert (
        " ".join(words[1:])
        == f"-m ecsctl {scope} reconcile --timeout 30m --task arn:1 --task arn:2 --service arn:x:service/3"
    )


def test_what_is_left_is_done_with_the_same_configuration(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('[profile.staging]\nhealthy_after = "1s"\n')
    config = load_config({"config": str(path), "profile": "staging"}, {"HOME": str(tmp_path)})
    assert command(config, ["arn:1"])[3:7] == ["--config", str(path), "--profile", "staging"]


def test_since_is_a_duration_or_a_time() -> None:
    now = datetime(2026, 1, 2, tzinfo=timezone.utc)
    assert moment("10m", now) == now - timedelta(minutes=10)
    assert moment("2026-01-01T12:00:00Z", now) == datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
    assert moment("2026-01-01T12:00:00+02:00", now) == datetime(2026, 1, 1, 10, tzinfo=timezone.utc)
    with pytest.raises(UsageError):
        moment("yesterday", now)


HELLO = {"name": "hello", "memory": 16, "command": ["sh", "-c", "echo out; echo err >&2; exit $CODE"]}


@pytest.fixture
def hello(engine_image: str, tmp_path: Path) -> Iterator[Path]:
    """A definition in a directory of its own, whose containers are removed afterwards."""
    path = tmp_path / "hello.json"
    path.write_text(json.dumps({"family": "hello", "containerDefinitions": [HELLO | {"image": engine_image}]}))
    yield path
    (tmp_path / "config.toml").write_text('stopped_container_retention = "0s"')
    assert process(tmp_path, "reconcile", "--config", str(tmp_path / "config.toml")).returncode == 0


@pytest.mark.docker
def test_a_file_is_run_its_output_printed_and_its_code_returned(hello: Path) -> None:
    override = 'containerOverrides=[{name=hello,environment=[{name=CODE,value="7"}]}]'
    words = ("run-task", "--task-definition", hello.name, "--overrides", override)
    ran = process(hello.parent, *words, "--wait", "30s", "--logs")
    assert (ran.returncode, ran.stdout) == (7, "out\n")
    assert ran.stderr.splitlines()[0] == "err"
    again = process(hello.parent, *words, "--query", "tasks[0].[taskArn, taskDefinitionArn]", "--output", "text")
    arn, definition = again.stdout.split()
    assert definition.endswith("task-definition/hello:1"), "what did not change is not registered again"
    assert process(hello.parent, "wait", "tasks-stopped", "--tasks", arn).returncode == 0
    late = process(hello.parent, "wait", "tasks-running", "--tasks", arn)
    assert (late.returncode, late.stderr.count("\n")) == (255, 1)
    printed = process(hello.parent, "logs", arn.rpartition("/")[2][:8])
    assert (printed.returncode, printed.stdout, printed.stderr) == (0, "out\n", "err\n")


def test_a_file_is_registered_and_options_override_it(ecsctl: Runner, tmp_path: Path) -> None:
    (tmp_path / "td.yaml").write_text("containerDefinitions:\n- {name: a, image: b, memory: 8}\n")
    ran = ecsctl(
        "register-task-definition", str(tmp_path / "td.yaml"), "--family", "f", "--query", "taskDefinition.family"
    )
    assert (ran.code, ran.out, ran.err) == (0, '"f"\n', "")
    ran = ecsctl("register-task-definition", str(tmp_path / "td.yaml"), "--cli-input-json", "{}")
    assert (ran.code, ran.err.count("\n")) == (252, 1)
    ran = ecsctl("register-task-definition", "--cli-input-json", '{"famly": "x"}')
    assert (ran.code, ran.err.count("\n")) == (252, 1)


def test_check_says_what_is_refused(ecsctl: Runner, tmp_path: Path) -> None:
    good = {"family": "f", "containerDefinitions": [{"name": "a", "image": "b", "memory": 8}]}
    (tmp_path / "good.json").write_text(json.dumps(good))
    ran = ecsctl("check", str(tmp_path / "good.json"))
    assert ran.code == 0
    assert ran.out.splitlines()[0].split() == ["FIELD", "VERDICT", "NOTE"]
    assert ran.out.splitlines()[-1].endswith("good.json: 4 honoured fields")
    (tmp_path / "bad.json").write_text(json.dumps(good | {"enableFaultInjection": True}))
    ran = ecsctl("check", str(tmp_path / "bad.json"), "--output", "json")
    assert ran.code == 1
    assert json.loads(ran.out)["summary"] == {"honoured": 4, "mapped": 0, "refused": 1}
    (tmp_path / "invalid.json").write_text(json.dumps(good | {"family": "../x"}))
    ran = ecsctl("check", str(tmp_path / "invalid.json"))
    assert (ran.code, ran.err.count("\n")) == (1, 1)
