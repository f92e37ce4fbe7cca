"""The plugin as `aws` starts it, at the other end of a server over a simulated world."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ecsctl.server.tcp_socket import tls_context
from tests.controller.world import world_in
from tests.server.running import Running, serving
from tests.server.test_tcp_socket import certificate
from tests.terminal import Terminal

PLUGIN = str(Path(sys.executable).parent / "session-manager-plugin")
REST = ("us-east-1", "StartSession", "", '{"Target": "ecs:default_1_2"}', "http://127.0.0.1:1")
VARIABLE = "AWS_SSM_START_SESSION_RESPONSE"


def run(*words: str, typed: bytes = b"", **environment: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [PLUGIN, *words], input=typed, capture_output=True, env={**os.environ, **environment}, timeout=30
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


class Offering:
    """A server with a task, reached by TCP."""

    def __init__(self, server: Running, url: str, task: str) -> None:
        self.server = server
        self._url = url
        self._task = task

    def session(self, command: str = "cat") -> dict[str, str]:
        """What ExecuteCommand answers of a session."""
        answer = self.server.call("ExecuteCommand", task=self._task, command=command, interactive=True)
        session: dict[str, str] = answer.json["session"]
        return {**session, "streamUrl": session["streamUrl"].replace("ws://localhost", self._url)}


@contextmanager
def offered(folder: Path, tls: ssl.SSLContext | None = None) -> Iterator[Offering]:
    with world_in(folder, hosts=1) as world, serving(world.process(), folder / "s", tls=tls) as server:
        world.define({})
        ran = server.call("RunTask", taskDefinition="app", enableExecuteCommand=True).json
        url = f"{'wss' if tls else 'ws'}://127.0.0.1:{server.port}"
        yield Offering(server, url, ran["tasks"][0]["taskArn"])


@pytest.fixture(scope="module")
def offering(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Offering]:
    folder = tmp_path_factory.mktemp("plugin")
    with offered(folder) as made:
        yield made


@contextmanager
def at_a_terminal(session: dict[str, str]) -> Iterator[Terminal]:
    made = Terminal([PLUGIN, json.dumps(session), *REST], dict(os.environ))
    try:
        yield made
    finally:
        made.close()


def test_what_is_asked_before_a_session_is_answered_as_aws_expects() -> None:
    code, out, err = run()
    assert (code, err) == (0, "")
    assert "The Session Manager plugin was installed successfully" in out
    code, out, err = run("--version")
    assert (code, err) == (0, "")
    assert [int(part) for part in out.split(".")] > [1, 2, 497, 0], "aws passes the token by the environment then"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nonsense",), "Unknown operation nonsense"),
        (("{}", "us-east-1", "StartPortForwarding"), "Invalid operation StartPortForwarding"),
        (("{}", *REST), "the first argument is no session"),
        (("[]", *REST), "the first argument is no session"),
        (("{", *REST), "the first argument is no session"),
        (('{"sessionId": 1, "streamUrl": 1, "tokenValue": 1}', *REST), "the first argument is no session"),
        ((VARIABLE, *REST), "the first argument is no session"),
        (('{"sessionId": "a", "streamUrl": "ws://127.0.0.1:1/x", "tokenValue": "t"}', *REST), "Cannot perform start"),
        (('{"sessionId": "a", "streamUrl": "ftp://x", "tokenValue": "t"}', *REST), "Cannot perform start session"),
    ],
)
def test_what_is_no_session_is_said_and_fails(words: tuple[str, ...], said: str) -> None:
    code, _, err = run(*words)
    assert code == 1
    assert said in err
    assert "Traceback" not in err


def test_without_its_packages_it_says_which(tmp_path: Path) -> None:
    (tmp_path / "websockets.py").write_text("raise ImportError('there is no websockets')")
    session = '{"sessionId": "a", "streamUrl": "ws://127.0.0.1:1/x", "tokenValue": "t"}'
    code, out, err = run(session, *REST, PYTHONPATH=str(tmp_path))
    assert (code, out) == (1, "")
    said = "session-manager-plugin needs more packages (there is no websockets): pip install 'ecsctl-hosts[server]'\n"
    assert err == said


def test_a_reader_that_leaves_ends_it(offering: Offering) -> None:
    words = [PLUGIN, json.dumps(offering.session()), *REST]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin
    assert process.stdout
    assert process.stderr
    while process.stdout.readline() != b"cat\n":
        pass
    process.stdout.close()
    process.stdin.write(b"x")
    process.stdin.close()
    assert process.wait(10) == 1
    assert process.stderr.read() == b"\n\nCannot perform start session: [Errno 32] Broken pipe\n\n"
    process.stderr.close()


def test_a_pipe_is_typed_and_then_its_end(offering: Offering) -> None:
    data = os.urandom(200_000).replace(b"\x04", b"")
    session = offering.session()
    done = subprocess.run([PLUGIN, json.dumps(session), *REST], input=data, capture_output=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, b"")
    begin = f"\nStarting session with SessionId: {session['sessionId']}\n".encode()
    end = f"\n\nExiting session with sessionId: {session['sessionId']}.\n\n".encode()
    assert done.stdout == begin + b"cat\n" + data + end


def test_the_session_may_come_by_the_environment_in_the_words_of_aws_ssm(offering: Offering) -> None:
    session = {name[0].upper() + name[1:]: value for name, value in offering.session().items()}
    code, out, err = run(VARIABLE, *REST, typed=b"hi", **{VARIABLE: json.dumps(session)})
    assert (code, err) == (0, "")
    assert "cat\nhi\n\nExiting session" in out


def test_by_tls_the_server_has_to_be_the_one_that_is_named(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    with offered(tmp_path, tls_context(cert, key)) as offering:
        session = json.dumps(offering.session())
        code, _, err = run(session, *REST)
        assert code == 1
        assert "CERTIFICATE_VERIFY_FAILED" in err
        code, out, err = run(session, *REST, typed=b"hi", AWS_CA_BUNDLE=str(cert))
        assert (code, err) == (0, "")
        assert "cat\nhi\n\nExiting session" in out


def test_every_key_goes_to_the_command_and_the_terminal_is_as_before(offering: Offering) -> None:
    with at_a_terminal(offering.session()) as terminal:
        terminal.until(b"cat\n")
        terminal.type(b"\x03\x1a\x1c\r")
        terminal.until(b"cat\n\x03\x1a\x1c\r")
        terminal.type(b"\x04")
        terminal.until(b"Exiting session")
        assert terminal.process.wait(10) == 0
        assert termios.tcgetattr(terminal.slave) == terminal.before


def test_signals_are_keys_but_for_those_that_end_it(offering: Offering) -> None:
    with at_a_terminal(offering.session()) as terminal:
        terminal.until(b"cat\n")
        os.kill(terminal.process.pid, signal.SIGINT)
        terminal.until(b"\x03")
        os.kill(terminal.process.pid, signal.SIGTERM)
        assert terminal.process.wait(10) == 128 + signal.SIGTERM
        assert termios.tcgetattr(terminal.slave) == terminal.before


def test_a_token_that_is_used_up_opens_nothing(offering: Offering) -> None:
    session = offering.session()
    assert run(json.dumps(session), *REST)[0] == 0
    code, _, err = run(json.dumps(session), *REST)
    assert code == 1
    assert "HTTP 403" in err
    assert session["tokenValue"] not in err


def test_a_server_that_ends_is_told_of_and_the_terminal_is_as_before(tmp_path: Path) -> None:
    with offered(tmp_path) as offering, at_a_terminal(offering.session()) as terminal:
        terminal.until(b"cat\n")
        offering.server.stop()
        terminal.until(b"The server ends.")
        assert terminal.process.wait(10) == 1
        assert termios.tcgetattr(terminal.slave) == terminal.before
