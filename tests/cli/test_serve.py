"""`serve` as it is typed: what would let in who does not belong does not start, and what it says where it answers."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import boto3
import pytest

from ecsctl.cli.invocation import Invocation
from ecsctl.cli.serve import _teller
from ecsctl.model.errors import StateError
from ecsctl.store.files import check_nobody_elses
from tests.cli.running import Runner, environment, process
from tests.server.test_tcp_socket import certificate

NOWHERE = ("--socket", "/nowhere/ecs.sock")
"""Where no socket can be made: what is not refused for what is tested ends all the same."""


@pytest.fixture
def short() -> Iterator[Path]:
    """The path of a socket is short."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--bind", "0.0.0.0:0"),
            "--bind 0.0.0.0:0 can be reached from elsewhere and needs TLS: give --tls-cert and --tls-key, or bind to "
            "127.0.0.1 and let people in by ssh -L",
        ),
        (("--bind", "127.0.0.1:0", "[::]:0"), "--bind [::]:0 can be reached from elsewhere and needs TLS"),
        (("--bind", "127.0.0.1:0", "--bind", "192.0.2.1:0"), "--bind 192.0.2.1:0 can be reached from elsewhere"),
        (("--bind", "0.0.0.0:0", "--insecure-no-auth"), "would let in whoever reaches it: loopback only"),
        (("--bind", "nonsense"), "--bind nonsense: write HOST:PORT"),
        (("--bind", "127.0.0.1:0", "--tls-cert", "x"), "--tls-cert and --tls-key belong together: give both"),
        (("--no-tcp", "--bind", "127.0.0.1:0"), "--no-tcp leaves nothing for --bind"),
        (("--no-tcp", "--insecure-no-auth"), "--no-tcp leaves nothing for --insecure-no-auth"),
        (("--bind", "127.0.0.1:0", "--host-name", "http://x/"), "--host-name http://x/: write a name of this server"),
    ],
)
def test_a37_what_would_let_in_who_does_not_belong_does_not_start(
    ecsctl: Runner, words: tuple[str, ...], said: str
) -> None:
    ran = ecsctl("serve", "--no-controller", *NOWHERE, *words)
    assert ran.code != 0
    assert ran.out == ""
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_a37_tls_without_signatures_is_for_nobody_else_either(ecsctl: Runner, short: Path) -> None:
    cert, key = certificate(short)
    tls = ("--tls-cert", str(cert), "--tls-key", str(key))
    ran = ecsctl("serve", *NOWHERE, "--bind", "0.0.0.0:0", "--insecure-no-auth", *tls)
    assert "would let in whoever reaches it: loopback only" in ran.err
    assert ran.code != 0


def _link(state: Path) -> None:
    real = state.rename(state.with_name("real.db"))
    state.symlink_to(real)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        (lambda state: state.chmod(0o644), "state.db can be read by others (mode 0644): run chmod 600 "),
        (lambda state: state.parent.chmod(0o777), "run chmod go-w "),
        (lambda state: state.parent.chmod(0o1777), "is for everybody: move the state to a directory of your own"),
        (_link, "is a symbolic link: give the path of the state itself, "),
    ],
)
def test_a42_a_state_that_others_could_change_is_not_served(
    ecsctl: Runner, short: Path, monkeypatch: pytest.MonkeyPatch, setting: Callable[[Path], object], said: str
) -> None:
    state = short / "home" / "state.db"
    monkeypatch.setenv("ECSCTL_STATE", str(state))
    assert ecsctl("list-clusters").code == 0
    setting(state)
    ran = ecsctl("serve", "--no-controller", "--no-tcp", "--socket", str(short / "s"))
    assert ran.code == 1
    assert said in ran.err
    assert ran.err.count("\n") == 1
    state.parent.chmod(0o700)


def test_a42_what_leads_to_a_state_is_nobody_elses_to_exchange(
    ecsctl: Runner, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (short / "free").mkdir()
    own = short / "free" / "own"
    own.mkdir(mode=0o700)
    (short / "open").symlink_to("free/../free")
    for state in (own / "state.db", short / "open" / "own" / "state.db", own / "not" / "yet" / "state.db"):
        monkeypatch.setenv("ECSCTL_STATE", str(state))
        for mode, said in ((0o755, ""), (0o1777, ""), (0o777, f"others may write to {short}/free: run chmod go-w")):
            (short / "free").chmod(mode)
            if said:
                ran = ecsctl("serve", "--no-controller", "--no-tcp", *NOWHERE)
                assert (ran.code, said in ran.err, ran.err.count("\n")) == (1, True, 1)
            else:
                check_nobody_elses(state)


def test_a42_a_link_to_a_state_is_followed_where_nobody_else_could_have_made_it(short: Path) -> None:
    home, free = short / "home", short / "free"
    for directory in (home, free):
        directory.mkdir(mode=0o700)
    for link in (short / "link", free / "link"):
        link.symlink_to(home)
        check_nobody_elses(link / "state.db")
    free.chmod(0o1777)
    with pytest.raises(StateError, match=f"{free}/link is a symbolic link where others may write: .* by {home}"):
        check_nobody_elses(free / "link" / "state.db")
    home.chmod(0o777)
    with pytest.raises(StateError, match=f"others may write to {home}: "):
        check_nobody_elses(short / "link" / "state.db")
    (short / "circle").symlink_to("circle")
    with pytest.raises(StateError, match=r"circle.*: Too many levels of symbolic links"):
        check_nobody_elses(short / "circle" / "state.db")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_a42_a_directory_or_link_of_another_user_leads_to_no_state(short: Path) -> None:
    (short / "theirs" / "home").mkdir(parents=True)
    (short / "link").symlink_to("theirs/home")
    for place, path in ((short / "theirs", short / "theirs/home"), (short / "link", short / "link")):
        os.chown(place, 65534, 65534, follow_symlinks=False)
        with pytest.raises(StateError, match=f"{place} is another user's"):
            check_nobody_elses(path / "state.db")
        os.chown(place, 0, 0, follow_symlinks=False)


def test_the_directories_of_a_new_state_are_its_owners_whatever_the_umask(ecsctl: Runner, short: Path) -> None:
    state = short / "new" / "home" / "state.db"
    before = os.umask(0o002)
    try:
        assert ecsctl("--state", str(state), "list-clusters").code == 0
    finally:
        os.umask(before)
    check_nobody_elses(state)


def test_a42_a_state_of_another_user_is_not_served(
    ecsctl: Runner, short: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert ecsctl("list-clusters").code == 0
    monkeypatch.setattr("ecsctl.store.files.os.geteuid", lambda: os.getuid() + 1)
    ran = ecsctl("serve", "--no-controller", "--no-tcp", "--socket", str(short / "s"))
    assert ran.code == 1
    assert f"is another user's (uid {os.getuid()}): run chown " in ran.err


def test_a_port_in_use_is_told_in_a_line(ecsctl: Runner, short: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        ran = ecsctl("serve", "--no-controller", "--socket", str(short / "s"), "--bind", address)
    why = "is in use by another process: end that one, or give another address by --bind"
    assert (ran.code, ran.err) == (1, f"ecsctl: {address} {why}\n")
    assert not (short / "s").exists()


@contextmanager
def served(home: Path, *words: str, lines: int) -> Iterator[tuple[list[str], subprocess.Popen[str]]]:
    """The server, and what it says at first."""
    command = [sys.executable, "-m", "ecsctl", "serve", "--no-controller", "--socket", "s", *words]
    with subprocess.Popen(command, env=environment(home), cwd=home, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr
        try:
            yield [running.stderr.readline().rstrip("\n") for _ in range(lines)], running
        finally:
            running.terminate()
            running.wait(30)


def test_a_port_that_the_system_chose_is_said_and_a_key_made_beside_it_opens_it(tmp_path: Path) -> None:
    def iam(*words: str) -> str:
        ran = process(tmp_path, "iam", *words)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    with served(tmp_path, "--bind", "127.0.0.1:0", "localhost:0", lines=3) as (said, _):
        assert said[0] == "ecsctl: answering on s"
        assert [line.rpartition(":")[0] for line in said[1:]] == ["ecsctl: answering on http://127.0.0.1"] * 2
        iam("create-user", "--user-name", "ci")
        policy = "arn:aws:iam::aws:policy/AmazonECS_FullAccess"
        iam("attach-user-policy", "--user-name", "ci", "--policy-arn", policy)
        key = json.loads(iam("create-access-key", "--user-name", "ci"))["AccessKey"]
        for line in said[1:]:
            with closing(
                boto3.client(
                    "ecs",
                    "us-east-1",
                    endpoint_url=line.split()[-1],
                    aws_access_key_id=key["AccessKeyId"],
                    aws_secret_access_key=key["SecretAccessKey"],
                )
            ) as ecs:
                assert len(ecs.list_clusters()["clusterArns"]) == 1


def test_without_signatures_it_says_so_loudly_and_without_tcp_there_is_the_socket_alone(tmp_path: Path) -> None:
    with served(tmp_path, "--bind", "127.0.0.1:0", "--insecure-no-auth", lines=2) as (said, _):
        assert said[1].endswith(", WITHOUT SIGNATURES: every user of this machine may do all that you may")
    with served(tmp_path, "--no-tcp", lines=1) as (said, running):
        assert said == ["ecsctl: answering on s"]
        inodes = {os.readlink(f"/proc/{running.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{running.pid}/fd")}
        by_tcp = [line.split()[9] for line in Path(f"/proc/{running.pid}/net/tcp").read_text().splitlines()[1:]]
        assert not inodes & {f"socket:[{inode}]" for inode in by_tcp}


def test_that_nobody_reads_what_the_controller_does_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    tell = _teller(Invocation({}))
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "w") as gone:
        monkeypatch.setattr(sys, "stdout", gone)
        tell("web:1 is RUNNING")
        tell("web:1 is STOPPED")
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        tell("web:1 is RUNNING")
        monkeypatch.undo()
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())
