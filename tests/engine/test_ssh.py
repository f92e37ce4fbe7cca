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
from contextlib import closing
from pathlib import Path

import pytest

from ecsctl.engine import ssh
from ecsctl.engine.address import SshAddress
from ecsctl.engine.connect import connect
from ecsctl.model.errors import EngineError, EngineTimeout, EngineUnreachable
from tests.engine.contract import docker_world
from tests.engine.sshd import HOST_ALIAS, Sshd, install_sshd

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
    for address, words in {
        "ssh://nosuch.invalid": "its name is not known (ssh: Could not resolve hostname nosuch.invalid",
        "ssh://127.0.0.1:1": "no sshd listens there (ssh: connect to host 127.0.0.1 port 1: Connection refused",
        f"ssh://{user_and_alias}": f"takes none of your keys; `ssh {user_and_alias} true` must work",
        f"ssh://localhost:{sshd.port}": f"host key is not the known one; run `ssh -p {sshd.port} localhost` once",
    }.items():
        began = time.monotonic()
        with pytest.raises(EngineUnreachable) as caught:
            connect(address).ping()
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)
        assert time.monotonic() - began < 10


@pytest.mark.docker
def test_a_host_without_docker_is_told_from_one_without_ssh(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "REMOTE_SOCKET", "/nowhere/docker.sock")
    for _ in range(2):
        with pytest.raises(EngineUnreachable, match=r"ssh works, but /nowhere/docker\.sock there cannot be opened"):
            connect(ADDRESS).ping()


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
    command = ssh.ssh_command(SshAddress("web1", "me", 2222), Path("/r/a.sock"), Path("/r/a.ctl"))
    assert command[:2] == ["ssh", "-fnNT"]
    assert command[-6:] == ["-l", "me", "-p", "2222", "--", "web1"]
    assert "BatchMode=yes" in command
    assert "/r/a.sock:/var/run/docker.sock" in command
