"""One socket per host, forwarded by the system's ssh from a real sshd, shared and made again when it is gone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from ecsctl.engine import ssh
from ecsctl.engine.address import SshAddress
from ecsctl.engine.connect import connect
from ecsctl.model.errors import EngineError, EngineTimeout, EngineUnreachable
from tests.engine.contract import docker_world
from tests.engine.sshd import HOST_ALIAS, Sshd, install_sshd
from tests.terminal import Terminal

ADDRESS = f"ssh://{HOST_ALIAS}"


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Short, as sockets' paths must be; whatever ssh still runs in it is ended."""
    parent = Path(tempfile.mkdtemp(prefix="ecs", dir="/tmp"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(parent))
    yield parent / "ecsctl"
    for control in (parent / "ecsctl").glob("*.ctl"):
        end_ssh(control)
    shutil.rmtree(parent)


@pytest.fixture
def sshd(tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    found = install_sshd(tmp_path / "sshd", monkeypatch)
    found.start()
    yield found
    found.kill()


def stays(sshd: Sshd) -> int:
    """How many connections were made that stay, for all who come."""
    return (sshd.directory / "calls").read_text().count("-fnNT")


def end_ssh(control: Path) -> None:
    subprocess.run(["ssh", "-o", f"ControlPath={control}", "-O", "exit", "any"], capture_output=True)


@pytest.mark.docker
def test_every_call_and_every_engine_shares_one_ssh(sshd: Sshd, runtime: Path) -> None:
    for _ in range(2):
        with closing(connect(ADDRESS)) as engine:
            engine.ping()
            assert engine.info().os == "linux"
    assert sshd.connections() == 1
    assert runtime.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in runtime.glob("*.sock"))


@pytest.mark.docker
def test_nothing_is_opened_before_the_first_verb(sshd: Sshd) -> None:
    connect(ADDRESS).close()
    assert sshd.connections() == 0


@pytest.mark.docker
def test_containers_run_and_log_over_ssh(sshd: Sshd, engine_image: str) -> None:
    with docker_world(engine_image, ADDRESS) as world:
        container = world.run("prints")
        lines = [chunk.line for chunk in world.engine.logs(container, follow=True)]
        assert sorted(lines) == sorted([b"one", b"two", b"wrong", b"three", b"rest"])
        assert world.ended(container).exit_code == 0


@pytest.mark.docker
def test_many_who_come_at_once_make_one_ssh(sshd: Sshd) -> None:
    program = f"from ecsctl.engine.connect import connect; e = connect('{ADDRESS}'); e.ping(); e.close()"
    processes = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(3)]
    failed: list[EngineError] = []

    def work() -> None:
        with closing(connect(ADDRESS)) as engine:
            try:
                engine.ping()
            except EngineError as error:
                failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait(30) for process in processes] == [0, 0, 0]
    assert not failed
    assert sshd.connections() == 1


@pytest.mark.docker
def test_an_ssh_that_ended_is_made_again(sshd: Sshd, runtime: Path) -> None:
    with closing(connect(ADDRESS)) as engine:
        engine.ping()
        (control,) = runtime.glob("*.ctl")
        end_ssh(control)
        made = sshd.connections()
        engine.ping()
        engine.remove("ecsctl-nothing-of-that-name")
    assert sshd.connections() == made + 1


@pytest.mark.docker
def test_sockets_left_by_a_crash_are_no_obstacle(sshd: Sshd, runtime: Path) -> None:
    with closing(connect(ADDRESS)) as engine:
        engine.ping()
        (control,) = runtime.glob("*.ctl")
        said = subprocess.run(["ssh", "-o", f"ControlPath={control}", "-O", "check", "x"], capture_output=True).stderr
        os.kill(int(said.decode().partition("pid=")[2].partition(")")[0]), 9)
        end = time.monotonic() + 10
        while ssh._listens(control) and time.monotonic() < end:
            time.sleep(0.01)
        assert control.exists()
        engine.ping()


@pytest.mark.docker
def test_a_line_that_breaks_while_logs_are_followed_says_so(sshd: Sshd, runtime: Path, engine_image: str) -> None:
    with docker_world(engine_image, ADDRESS) as world:
        container = world.run("prints")
        chunks = world.engine.logs(container, follow=True)
        next(chunks)
        end_ssh(next(iter(runtime.glob("*.ctl"))))
        with pytest.raises(EngineTimeout):
            list(chunks)


@pytest.mark.docker
def test_what_ssh_says_is_told_in_one_line(sshd: Sshd) -> None:
    user_and_alias = f"nobody-there@{HOST_ALIAS}"
    stranger = (sshd.directory / "stranger.pub").read_text().split()[:2]
    with (sshd.directory / "known_hosts").open("a") as known:
        known.write(f"[127.0.0.2]:{sshd.port} {' '.join(stranger)}\n")
    sshd.restart("ListenAddress 127.0.0.2")
    for address, cause, words in (
        ("ssh://nosuch.invalid", "name", "its name is not known (ssh: Could not resolve hostname nosuch.invalid"),
        ("ssh://127.0.0.1:1", "port", "no sshd listens there (ssh: connect to host 127.0.0.1 port 1: Connection ref"),
        (f"ssh://{user_and_alias}", "key", f"takes none of your keys; `ssh {user_and_alias} true` must work"),
        (
            f"ssh://localhost:{sshd.port}",
            "host-key",
            f"host key is not the known one; run `ssh -p {sshd.port} localhost` once",
        ),
        (
            f"ssh://127.0.0.2:{sshd.port}",
            "host-key",
            f"another than the known one: if the machine was set up anew, `ssh-keygen -R '[127.0.0.2]:{sshd.port}'`",
        ),
    ):
        began = time.monotonic()
        with pytest.raises(EngineUnreachable) as caught:
            connect(address).ping()
        assert words in str(caught.value)
        assert caught.value.cause == cause
        assert "\n" not in str(caught.value)
        assert time.monotonic() - began < 10


@pytest.mark.docker
def test_where_sockets_are_not_forwarded_calls_are_sessions_of_one_connection(
    sshd: Sshd, runtime: Path, engine_image: str
) -> None:
    sshd.restart("AllowStreamLocalForwarding no", "MaxStartups 2:100:2")
    with docker_world(engine_image, ADDRESS) as world:
        container = world.run("prints")
        lines = [chunk.line for chunk in world.engine.logs(container, follow=True)]
        assert sorted(lines) == sorted([b"one", b"two", b"wrong", b"three", b"rest"])
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda _: world.engine.ping(), range(6)))
    assert stays(sshd) == 1
    (control,) = runtime.glob("*.ctl")
    end_ssh(control)
    sshd.restart("AllowStreamLocalForwarding yes")  # the first that is said counts
    with closing(connect(ADDRESS)) as engine:
        engine.ping()
    assert stays(sshd) == 2, "made anew"


@pytest.mark.docker
def test_sessions_are_as_many_as_one_connection_takes_and_streams_keep_no_call_waiting(
    sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh, "PLACE_SECONDS", 60)  # on a busy machine too

    def logged_in() -> int:
        return (sshd.directory / "sshd.log").read_text().count("Accepted publickey")

    sshd.restart("AllowStreamLocalForwarding no")
    address = SshAddress(HOST_ALIAS)
    assert ssh.tunnel(address) is None
    with ExitStack() as stack:
        for _ in range(ssh.STREAMS):
            stack.enter_context(ssh.session(address, lasting=True))
        with ThreadPoolExecutor(16) as pool, closing(connect(ADDRESS)) as engine, closing(connect(ADDRESS)) as other:
            list(pool.map(lambda number: (engine, other)[number % 2].ping(), range(32)))
        assert logged_in() == 1
        began = time.monotonic()
        one_more = stack.enter_context(ssh.session(address, lasting=True))
        assert time.monotonic() - began < 30
        one_more.sendall(ssh._PING)
        assert one_more.recv(4) == b"HTTP"
        assert logged_in() == 2


@pytest.mark.docker
def test_a_call_waits_for_its_place_but_not_for_ever(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    sshd.restart("AllowStreamLocalForwarding no")
    address = SshAddress(HOST_ALIAS)
    assert ssh.tunnel(address) is None
    monkeypatch.setattr(ssh, "PLACE_SECONDS", 0.3)
    with ExitStack() as stack, closing(connect(ADDRESS)) as engine:
        held = [stack.enter_context(ssh.session(address)) for _ in range(ssh.CALLS)]
        engine.ping()
        assert (sshd.directory / "sshd.log").read_text().count("Accepted publickey") == 2
        monkeypatch.setattr(ssh, "PLACE_SECONDS", 20)
        threading.Timer(0.5, held[0].close).start()
        engine.remove("ecsctl-nothing-of-that-name")
        assert (sshd.directory / "sshd.log").read_text().count("Accepted publickey") == 2


def test_a_session_that_cannot_begin_holds_no_place(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = SshAddress(HOST_ALIAS)
    monkeypatch.setenv("PATH", "/nowhere")
    for _ in range(ssh.CALLS + 1):
        with pytest.raises(FileNotFoundError):
            ssh.session(address)
    place = ssh._place(ssh._files(address).control, "call", ssh.CALLS, 0)
    assert place is not None
    os.close(place)


@pytest.mark.docker
def test_what_is_missing_beyond_ssh_is_told(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    sshd.restart("SetEnv PATH=/nowhere")
    for path, cause, words in (
        ("/nowhere/docker.sock", "docker", "it is not there; is Docker installed?"),
        ("/dev/null", "docker", "dockerd is not running there; or sshd forwards no sockets"),
    ):
        monkeypatch.setattr(ssh, "REMOTE_SOCKET", path)
        for _ in range(2):
            with pytest.raises(EngineUnreachable, match=f"ssh works, but {path} there cannot be opened") as caught:
                connect(ADDRESS).ping()
            assert (caught.value.cause, words in str(caught.value)) == (cause, True)


@pytest.mark.docker
@pytest.mark.skipif(os.getuid() != 0, reason="only root can log a user in as another")
def test_a_user_who_may_not_use_docker_is_told_what_to_do(sshd: Sshd) -> None:
    as_nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups sh -c"
    sshd.restart("AllowStreamLocalForwarding no", f'ForceCommand {as_nobody} "$SSH_ORIGINAL_COMMAND"')
    with pytest.raises(EngineUnreachable, match="its user may not use it; add it to the group docker there") as caught:
        connect(ADDRESS).ping()
    assert caught.value.cause == "permission"


@pytest.mark.docker
def test_jump_hosts_of_the_users_configuration_are_passed(sshd: Sshd) -> None:
    sshd.alias("behind", f"ProxyJump {HOST_ALIAS}")
    with closing(connect("ssh://behind")) as engine:
        engine.ping()
    assert (sshd.directory / "sshd.log").read_text().count("Accepted publickey") == 2


def at_a_terminal(program: str, **environment: str) -> Terminal:
    """A Python program whose controlling terminal it is, as that of whoever types it."""
    own = "import fcntl, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    return Terminal([sys.executable, "-c", own + program], {**os.environ, **environment})


@pytest.mark.docker
@pytest.mark.parametrize("by_window", [False, True])
def test_a_jump_host_that_takes_passwords_asks_for_none(sshd: Sshd, tmp_path: Path, by_window: bool) -> None:
    sshd.restart("Match all", "PasswordAuthentication yes")
    sshd.alias("jump", "PubkeyAuthentication no")
    sshd.alias("behind", "ProxyJump jump")
    window = tmp_path / "window"
    window.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\n")
    window.chmod(0o755)
    program = (
        "from ecsctl.engine.connect import connect; from ecsctl.model.errors import EngineUnreachable\n"
        "try: connect('ssh://behind').ping()\n"
        "except EngineUnreachable as error: print(error)\n"
    )
    windows = {"SSH_ASKPASS": str(window), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":9"}
    terminal = at_a_terminal(program, **windows if by_window else {})
    try:
        terminal.until(b"a jump host may take none of your keys: `ssh behind true` must work without a question")
    finally:
        terminal.close()
    assert b"assword:" not in terminal.seen
    assert not (tmp_path / "asked").exists()


def test_an_interruption_ends_the_ssh_that_is_connecting_and_what_it_started(runtime: Path, tmp_path: Path) -> None:
    stub = tmp_path / "ssh"
    stub.write_text(f"#!/bin/sh\nsleep 60 &\necho $! > {tmp_path}/jump\necho $$ > {tmp_path}/started\nwait\n")
    stub.chmod(0o755)
    program = "from ecsctl.cli.main import main; sys.argv[1:] = ['host', 'check', 'ssh://somewhere']; main()"
    state = str(tmp_path / "state.db")
    terminal = at_a_terminal(program, PATH=f"{tmp_path}:{os.environ['PATH']}", ECSCTL_STATE=state)
    try:
        end = time.monotonic() + 20
        while not (tmp_path / "started").exists():
            assert time.monotonic() < end
            time.sleep(0.02)
        terminal.type(b"\x03")
        assert terminal.process.wait(10) == 130
        processes = [Path("/proc") / (tmp_path / name).read_text().strip() for name in ("started", "jump")]
        while any(process.exists() and ") Z " not in (process / "stat").read_text() for process in processes):
            assert time.monotonic() < end
            time.sleep(0.02)
    finally:
        terminal.close()


@pytest.mark.docker
def test_a_key_of_the_users_agent_will_do(sshd: Sshd, runtime: Path) -> None:
    agent, key = runtime.parent / "agent", sshd.directory / "elsewhere"
    sshd.alias("by-agent", f"IdentityAgent {agent}")
    (sshd.directory / "user").rename(key)
    with pytest.raises(EngineUnreachable, match="takes none of your keys"):
        connect("ssh://by-agent").ping()
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(agent)], stdout=subprocess.DEVNULL)
    try:
        environment = {**os.environ, "SSH_AUTH_SOCK": str(agent)}
        while subprocess.run(["ssh-add", "-q", str(key)], env=environment, capture_output=True).returncode:
            assert process.poll() is None
        with closing(connect("ssh://by-agent")) as engine:
            engine.ping()
    finally:
        process.kill()
        process.wait()


@pytest.mark.docker
def test_forwards_and_commands_of_the_users_configuration_are_no_obstacle(sshd: Sshd) -> None:
    taken = f"127.0.0.1:{sshd.port}"
    sshd.alias("busy", f"LocalForward {taken} {taken}", "RemoteCommand tmux attach", "ExitOnForwardFailure yes")
    with closing(connect("ssh://busy")) as engine:
        engine.ping()


@pytest.mark.docker
def test_an_ssh_that_nobody_uses_ends_by_itself(sshd: Sshd, runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "ControlPersist=60s" in ssh.OPTIONS
    monkeypatch.setattr(ssh, "OPTIONS", (*ssh.OPTIONS[:-1], "ControlPersist=1s"))
    with closing(connect(ADDRESS)) as engine:
        engine.ping()
    assert list(runtime.glob("*.ctl"))
    end = time.monotonic() + 10
    while list(runtime.glob("*.ctl")):
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.docker
def test_a_host_that_went_away_is_unreachable(sshd: Sshd, runtime: Path) -> None:
    with closing(connect(ADDRESS)) as engine:
        engine.ping()
        sshd.kill()
        end_ssh(next(iter(runtime.glob("*.ctl"))))
        with pytest.raises(EngineUnreachable, match="no sshd listens there"):
            engine.ping()
        sshd.start()
        engine.ping()


def test_without_ssh_it_says_so(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(EngineUnreachable, match="needs the ssh command"):
        connect(ADDRESS).ping()


def test_a_runtime_directory_of_somebody_else_is_refused(runtime: Path, tmp_path: Path) -> None:
    runtime.symlink_to(tmp_path)
    with pytest.raises(EngineUnreachable, match="not a directory of yours"):
        connect(ADDRESS).ping()
    runtime.unlink()
    runtime.mkdir(mode=0o777)
    runtime.chmod(0o777)
    assert ssh.runtime_directory() == runtime
    assert runtime.stat().st_mode & 0o777 == 0o700
    if os.getuid() == 0:
        os.chown(runtime, 65534, 65534)
        with pytest.raises(EngineUnreachable, match="not a directory of yours"):
            connect(ADDRESS).ping()
        os.chown(runtime, 0, 0)


def test_a_runtime_directory_that_sockets_cannot_be_in_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("x" * 80, "a b", "a%h"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / name))
        assert ssh.runtime_directory() == Path(f"/tmp/ecsctl-{os.getuid()}")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "relative")
    assert ssh.runtime_directory() == Path(f"/tmp/ecsctl-{os.getuid()}")


def test_ssh_gets_options_user_and_port_and_the_host_last() -> None:
    command = ssh.ssh_command(SshAddress("web1", "me", 2222), Path("/r/a.ctl"))
    assert command[:2] == ["ssh", "-fnNT"]
    assert command[-6:] == ["-l", "me", "-p", "2222", "--", "web1"]
    assert "BatchMode=yes" in command
