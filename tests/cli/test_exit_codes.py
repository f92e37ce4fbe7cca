"""Every error is one line on stderr, nothing on stdout, and the exit code that scripts know."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ecsctl.cli.commands import COMMANDS
from ecsctl.cli.failures import report
from ecsctl.cli.invocation import Invocation
from ecsctl.cli.problems import WaiterError, printable
from ecsctl.model.errors import (
    ApiError,
    ConfigError,
    EngineError,
    EngineTimeout,
    EngineUnreachable,
    InputError,
    StateError,
)
from tests.cli.running import Runner, environment, process


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        ([], 252, "the following arguments are required: command"),
        (["list-clustres"], 252, "unknown command 'list-clustres'; did you mean list-clusters"),
        (["--foo"], 252, "Unknown options: --foo"),
        (["--foo", "list-clusters"], 252, "Unknown options: --foo"),
        (["list-clusters", "--foo", "x"], 252, "Unknown options: --foo, x"),
        (["list-clusters", "x"], 252, "Unknown options: x"),
        (["stop-task", "--cluster", "a"], 252, "the following arguments are required: --task"),
        (["list-clusters", "--output", "xml"], 252, "argument --output: 'xml' is none of json"),
        (["list-clusters", "--query", "["], 252, "Bad value for --query ["),
        (["list-clusters", "--endpoint-url", "http://x"], 252, "--endpoint-url is not supported"),
        (["list-clusters", "--cli-auto-prompt"], 252, "--cli-auto-prompt is not supported"),
        (["list-clusters", "--page-size", "0"], 252, "--page-size takes a number above 0"),
        (
            ["list-clusters", "--max-items", "1", "--max-results", "1"],
            252,
            "along with pagination arguments: --max-items",
        ),
        (["list-clusters", "--region", "x"], 253, "--region: 'x' is not a region"),
        (["list-clusters", "--profile", "x"], 253, "The config profile (x) could not be found"),
        (["list-clusters", "--config", "/nowhere"], 253, "/nowhere cannot be read"),
        (["list-clusters", "--state", "/"], 255, "is a directory"),
        (["run-task", "--task-definition", "nowhere.json"], 252, "nowhere.json: no such file"),
        (["run-task", "--task-definition", "a\n.json"], 252, "a\\n.json"),
        (["run-task", "--wait", "5x", "--task-definition", "a"], 252, "Unknown options: 5x"),
        (["run-task", "--wait=5x", "--task-definition", "a"], 252, "argument --wait: '5x' is not a duration"),
        (["register-task-definition", "a", "b"], 252, "Unknown options: b"),
        (
            ["wait"],
            252,
            "wait: expected tasks-running, tasks-stopped, services-stable or",
        ),
        (["wait", "tasks-ready"], 252, "got 'tasks-ready'"),
        (["wait", "tasks-running"], 252, "the following arguments are required: --tasks"),
        (["list-clusters", "--query", "length(`1`)"], 255, "--query length(`1`): "),
        (["list-clusters", "--generate-cli-skeleton", "foo"], 252, "'foo' is none of input, output, yaml-input"),
        (["wait", "tasks-running", "--tasks", "0" * 32], 255, "Waiter TasksRunning failed: "),
        (["register-container-instance", "--context", "a", "--host", "b"], 252, "only one of --context and --host"),
        (["register-container-instance", "--host", "b"], 252, "argument --host: "),
        (["register-container-instance", "--cpu", "-1"], 252, "argument --cpu: expected a number above 0"),
        (["ps", "--foo"], 2, "No such option: --foo"),
        (["host"], 2, "host: expected add, ls, check, rm, fence or join-swarm, got nothing"),
        (["host", "join-swarm"], 2, "host join-swarm: name hosts, or take --all of the cluster"),
        (["host", "join-swarm", "a", "--advertise", "a"], 2, "--advertise a: write HOST=ADDRESS"),
        (["host", "add"], 2, "host add: give an address, -f FILE, or --all-contexts"),
        (["host", "add", "a", "--all-contexts"], 2, "host add: give an address, -f FILE, or --all-contexts"),
        (["host", "add", "--all-contexts", "--name", "a"], 2, "--name and --gpus are of one host"),
        (["host", "add", "-f", "x.toml", "--price", "1"], 2, "only --cluster may be given too"),
        (["host", "add", "a", "--attributes", "b"], 2, "argument --attributes: expected NAME=VALUE, got 'b'"),
        (["host", "add", "a b"], 1, "a b: not added: 'a b' is not the address of a Docker Engine"),
        (["host", "rm", "a", "--drain", "--force"], 2, "only one of --drain and --force"),
        (["host", "rm", "a"], 1, "there is no host 'a' in us-east-1: see `ecsctl host ls`"),
        (["ps", "x"], 2, "Got unexpected extra argument"),
        (["logs"], 2, "Missing argument 'TASK|SERVICE|GROUP'"),
        (["logs", "a", "--tail", "x"], 2, "'x' is not a valid int"),
        (["logs", "a", "--tail", "-1"], 2, "argument --tail: expected 0 or more"),
        (
            ["logs", "a"],
            1,
            "there is no task (by 4 digits of its id or more), service or log group 'a': see `ecsctl ps`",
        ),
        (["logs", "a", "--filter-pattern", "[a"], 1, "character 3: expected a ] at the end"),
        (["logs", "a", "--since", "yesterday"], 2, "argument --since: 'yesterday' is neither a duration"),
        (["events", "--tail", "-1"], 2, "argument --tail: expected 0 or more"),
        (["events", "--since", "x"], 2, "argument --since: 'x' is neither a duration"),
        (["events", "--task", "a", "--service", "b"], 2, "only one of --task, --service and --schedule"),
        (["events", "--schedule", "a", "--service", "b"], 2, "only one of --task, --service and --schedule"),
        (["events", "--cluster", "nope"], 1, "(ClusterNotFoundException)"),
        (["events", "--task", "0123456"], 1, "not found: 0123456 (InvalidParameterException)"),
        (["events", "--service", "nope"], 1, "Service not found: nope (ServiceNotFoundException)"),
        (["events", "--schedule", "nope"], 1, "there is no schedule 'nope': see `ecsctl scheduled-tasks`"),
        (["ps", "--cluster", "nope"], 1, "(ClusterNotFoundException)"),
        (["check", "nowhere.json"], 1, "nowhere.json: no such file"),
        (["reconcile", "--watch", "--dry-run"], 2, "--dry-run does not go with --watch"),
        (["reconcile", "--watch", "--timeout", "5s"], 2, "--timeout does not go with --watch"),
        (["reconcile", "--watch", "--interval", "0.1s"], 2, "argument --interval: at least 1s"),
        (["reconcile", "--detailed-exitcode", "--timeout", "x"], 1, "argument --timeout: 'x' is not a duration"),
        (["reconcile", "--detailed-exitcode", "--nonsense"], 1, "--nonsense"),
        (["unschedule-task"], 2, "say which schedule, once"),
        (["unschedule-task", "a", "--name", "b"], 2, "say which schedule, once"),
        (["unschedule-task", "--name", "b"], 1, "there is no schedule 'b'"),
        (["reconcile", "--interval", "5s"], 2, "--interval goes with --watch only"),
        (["reconcile", "--timeout", "x"], 2, "argument --timeout: 'x' is not a duration"),
        (["apply"], 2, "Missing option '--file'"),
        (["apply", "-f", "x.json"], 2, "this is no terminal: give --yes or --dry-run"),
        (["apply", "-f", "x.json", "--yes"], 1, "x.json: no such file"),
        (["apply", "-f", "x.json", "--yes", "--timeout", "soon"], 2, "'soon' is not a duration"),
        (["apply", "-f", "x.json", "--yes", "--set", "a b"], 2, "argument --set: 'a b'"),
        (["deploy"], 2, "the name of the service is missing"),
        (["deploy", "web"], 2, "nothing to deploy: give --image, --task-definition or --force-new-deployment"),
        (["deploy", "web", "--image", "nginx"], 2, "'nginx': write CONTAINER=IMAGE"),
        (["deploy", "web", "--image", "a=b", "a=c"], 2, "the container a is given twice"),
        (["deploy", "web", "--image", "a=b", "--timeout", "x"], 2, "'x' is not a duration"),
        (["deploy", "web", "--image", "a=b"], 1, "Service not found: web (ServiceNotFoundException)"),
        (["deploy", "web", "--image", "a=b", "--cluster", "no"], 1, "(ClusterNotFoundException)"),
        (["deploy", "web", "--task-definition", "./x.json"], 1, "x.json: no such file"),
        (
            ["deploy", "--service", "web", "--task-definition", "t.json", "--codedeploy-appspec", "a.yaml"],
            2,
            "CodeDeploy is not part of ecsctl: write `ecsctl deploy SERVICE --task-definition FILE`",
        ),
    ],
)
def test_what_is_wrong_is_one_line_and_a_code(ecsctl: Runner, words: list[str], code: int, line: str) -> None:
    ran = ecsctl(*words)
    assert (ran.code, ran.out) == (code, "")
    assert line in ran.err
    assert ran.err.startswith("ecsctl: ")
    assert ran.err.count("\n") == 1


BAD_WORD = '{"family": "a", "networkMode": "x", "containerDefinitions": [{"name": "a", "image": "b"}]}'


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["list-tasks", "--cluster", "nope"], "(ClusterNotFoundException) when calling the ListTasks operation: "),
        (["wait", "tasks-stopped", "--cluster", "nope", "--tasks", "a"], "when calling the DescribeTasks operation: "),
        (["wait", "tasks-stopped", "--tasks"], "DescribeTasks operation: Tasks cannot be empty."),
        (["describe-tasks", "--tasks"], "DescribeTasks operation: Tasks cannot be empty."),
        (["list-tasks", "--desired-status", "UP"], "desiredStatus: 'UP' is not one of "),
        (
            ["list-container-instances", "--filter", "attribute:rack  prod"],
            'filter: expected an operator after attribute:rack, at character 17: "attribute:rack  prod"\n',
        ),
        (["register-task-definition", "--cli-input-json", BAD_WORD], "networkMode: 'x' is not one of "),
        (["create-gateway", "--name", "a"], "CreateGateway operation: CreateGateway is not supported by ecsctl: "),
    ],
)
def test_an_error_of_the_service_reads_as_in_the_aws_cli(ecsctl: Runner, words: list[str], error: str) -> None:
    ran = ecsctl(*words)
    assert (ran.code, ran.out) == (254, "")
    assert ran.err.startswith("An error occurred (")
    assert error in ran.err


def test_global_options_may_stand_before_or_behind_the_command(ecsctl: Runner) -> None:
    wanted = "arn:aws:ecs:eu-west-1:000000000000:cluster/default\n"
    before = ecsctl("--region", "eu-west-1", "--output", "text", "--query", "clusterArns[0]", "list-clusters")
    behind = ecsctl("list-clusters", "--region", "eu-west-1", "--output=text", "--query", "clusterArns[0]")
    assert (before.code, before.out) == (behind.code, behind.out) == (0, wanted)
    rows = ecsctl("--output", "json", "ps", "--region", "eu-west-1")
    assert (rows.code, rows.out) == (0, '{\n    "containers": []\n}\n')


@pytest.mark.parametrize(
    "option",
    [
        "--no-cli-pager",
        "--color off",
        "--cli-read-timeout 0",
        "--cli-connect-timeout 5",
        "--no-sign-request",
        "--no-verify-ssl",
        "--ca-bundle x",
        "--cli-binary-format raw-in-base64-out",
        "--no-paginate",
        "--no-cli-auto-prompt",
    ],
)
def test_options_of_the_aws_cli_without_a_meaning_here_are_taken(ecsctl: Runner, option: str) -> None:
    plain = ecsctl("list-clusters").out
    for words in ([*option.split(), "list-clusters"], ["list-clusters", *option.split()]):
        ran = ecsctl(*words)
        assert (ran.code, ran.out, ran.err) == (0, plain, "")


CASES: list[tuple[BaseException, int, int]] = [
    (ApiError("ClientException", "x"), 254, 1),
    (InputError("x"), 252, 1),
    (ConfigError("x"), 253, 1),
    (StateError("x"), 255, 1),
    (WaiterError("x"), 255, 1),
    (EngineError("x"), 255, 1),
    (EngineUnreachable("x"), 255, 5),
    (EngineTimeout("x"), 255, 5),
    (TimeoutError("x"), 124, 124),
    (OSError(28, "No space left on device"), 255, 1),
    (RuntimeError("x\ny"), 255, 1),
    (MemoryError(), 255, 1),
]


@pytest.mark.parametrize(("error", "aws", "own"), CASES)
def test_every_kind_of_error_has_its_codes(
    error: BaseException, aws: int, own: int, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, code in (("run-task", aws), ("ps", own)):
        invocation = Invocation({})
        invocation.entry = COMMANDS[name]
        assert report(error, invocation) == code
        printed = capsys.readouterr()
        assert (printed.out, printed.err.count("\n")) == ("", 1)
        assert "Traceback" not in printed.err


def test_an_interruption_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(KeyboardInterrupt(), Invocation({})) == 130
    assert capsys.readouterr() == ("", "")


def test_an_unexpected_error_shows_its_traceback_when_asked(ecsctl: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("ecsctl.operations.clusters.list_clusters", broken)
    ran = ecsctl("list-clusters")
    assert ran.err == "ecsctl: this is a bug in ecsctl: RuntimeError: boom; set ECSCTL_DEBUG=1 for the traceback\n"
    assert "Traceback" in ecsctl("list-clusters", "--debug").err
    monkeypatch.setenv("ECSCTL_DEBUG", "1")
    assert "Traceback" in ecsctl("list-clusters").err


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\x1b[31mb", r"a\x1b[31mb"), ("a\nb", r"a\nb"), ("a\x9bb\u202e", r"a\x9bb\u202e"), ("ü✓", "ü✓")],
)
def test_messages_cannot_steer_the_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_reader_that_went_away_is_no_error(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run(
        [sys.executable, "-m", "ecsctl", "list-clusters"],
        env=environment(tmp_path),
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_said(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "ecsctl", "list-clusters"],
            env=environment(tmp_path),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (ran.returncode, ran.stderr) == (255, "ecsctl: No space left on device\n")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&-"])
def test_closed_streams_are_no_error(tmp_path: Path, closed: str) -> None:
    ran = subprocess.run(
        ["sh", "-c", f'exec "$0" -m ecsctl list-clusters {closed}', sys.executable],
        env=environment(tmp_path),
        capture_output=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, b"")


def test_words_that_are_not_utf_8_are_refused(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "ecsctl", "create-cluster", "--cluster-name", b"\xff"],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (252, "ecsctl: argument 3 is not UTF-8 text\n")


def test_sigint_is_130_without_a_word(tmp_path: Path) -> None:
    code = """
import os, signal, sys
from ecsctl.cli import main, dispatch
dispatch.load = lambda entry: os.kill(os.getpid(), signal.SIGINT)
sys.exit(main.run(["list-clusters"]))
"""
    ran = process(tmp_path, code=code)
    assert (ran.returncode, ran.stderr) == (128 + signal.SIGINT, "")


@pytest.mark.parametrize("number", [1, 2, 4, 7, 15, 21, 50, 100, 150, 200])
def test_an_interruption_in_the_middle_of_the_start_is_130_without_a_word(tmp_path: Path, number: int) -> None:
    code = f"""
import os, signal, sys
from ecsctl.cli.main import main
left = [{number}]
def hook(event, _):
    if event == "import":
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGINT)
sys.addaudithook(hook)
sys.argv = ["ecsctl", "ps"]
main()
"""
    ran = process(tmp_path, code=code)
    assert (ran.returncode, ran.stdout, ran.stderr) == (128 + signal.SIGINT, "", "")


def test_an_interruption_does_what_is_to_be_done_last(tmp_path: Path) -> None:
    code = """
import os, signal
from ecsctl.cli import interrupt
interrupt.listen()
with interrupt.doing_last(lambda: print("never")):
    pass
with interrupt.doing_last(lambda: print("last", flush=True)):
    os.kill(os.getpid(), signal.SIGINT)
print("never", flush=True)
"""
    ran = process(tmp_path, code=code)
    assert (ran.returncode, ran.stdout, ran.stderr) == (128 + signal.SIGINT, "last\n", "")


def test_ascii_terminals_get_escapes_instead_of_a_crash(tmp_path: Path) -> None:
    ran = process(tmp_path, "list-tags-for-resource", "--resource-arn", "ü", PYTHONIOENCODING="ascii")
    assert ran.returncode == 254
    assert "Traceback" not in ran.stderr
