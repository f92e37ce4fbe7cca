"""A real sshd on loopback with its own keys, and an `ssh` on the PATH that knows them."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

HOST_ALIAS = "lab-host"


class Sshd:
    """One server."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory
        self.port = port
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it takes connections."""
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd insists when root
        binary = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin") or "sshd"
        with (self.directory / "sshd.log").open("ab") as log:
            self.process = subprocess.Popen(
                [binary, "-D", "-e", "-f", str(self.directory / "sshd_config")],
                stdin=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + 10
        while time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError((self.directory / "sshd.log").read_text())

    def connections(self) -> int:
        """How many ssh were started to connect and stay; what is asked of a running one is none."""
        calls = self.directory / "calls"
        return sum(" -O " not in line for line in calls.read_text().splitlines()) if calls.exists() else 0

    def restart(self, *lines: str) -> None:
        """With these lines at the end of its configuration."""
        with (self.directory / "sshd_config").open("a") as config:
            config.writelines(f"{line}\n" for line in lines)
        self.kill()
        self.start()

    def alias(self, name: str, *lines: str) -> None:
        """One more host of the user's configuration: this one by another name, with these lines of its own."""
        path = self.directory / "ssh_config"
        own = "".join(f" {line}\n" for line in lines)
        path.write_text(f"Host {name}\n{own} HostName 127.0.0.1\n Port {self.port}\n{path.read_text()}")

    def kill(self) -> None:
        """The listener; sessions that are open go on, as with the real thing."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def install_sshd(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Sshd:
    """Keys, configurations and the wrapper; not yet started, so that tests may add to `sshd_config`."""
    directory.mkdir(mode=0o700)
    for key in ("host", "user", "stranger"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / key)], check=True, capture_output=True
        )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (directory / "authorized_keys").write_text((directory / "user.pub").read_text())
    (directory / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {directory}/host\nPidFile none\nStrictModes no\n"
        f"AuthorizedKeysFile {directory}/authorized_keys\nPasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\nUsePAM no\nPermitRootLogin yes\n"
    )
    host_key = " ".join((directory / "host.pub").read_text().split()[:2])
    (directory / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}\n")
    (directory / "ssh_config").write_text(
        f"Host {HOST_ALIAS}\n HostName 127.0.0.1\n Port {port}\n User {getpass.getuser()}\n"
        f"Host *\n UserKnownHostsFile {directory}/known_hosts\n GlobalKnownHostsFile none\n"
        f" IdentityFile {directory}/user\n IdentitiesOnly yes\n IdentityAgent none\n StrictHostKeyChecking yes\n"
    )
    wrapper = directory / "bin" / "ssh"
    wrapper.parent.mkdir()
    wrapper.write_text(
        f'#!/bin/sh\necho "$@" >> {directory}/calls\nexec {shutil.which("ssh")} -F {directory}/ssh_config "$@"\n'
    )
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")
    return Sshd(directory, port)
