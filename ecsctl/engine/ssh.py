"""One forwarded socket per ssh host, made by the system's ssh and shared by every process of this user.

The user's own keys, agent, jump hosts and known_hosts apply. The ssh that holds the socket ends by itself a minute
after its last connection, and within ten seconds when the host stops answering; the next call makes a new one.
(Measured: a call through a forwarded socket takes 4 ms and as many run at once as one likes; a session per call takes
300 ms, and sshd refuses the eleventh.)
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ecsctl.engine.address import SshAddress
from ecsctl.model.errors import EngineUnreachable

REMOTE_SOCKET = "/var/run/docker.sock"
SSH_SECONDS = 20.0
"""For ssh to connect, log in and forward; its own ConnectTimeout covers the first of these."""
PROBE_SECONDS = 5.0

MAX_DIRECTORY = 60
"""Bytes of the runtime directory: ssh puts 17 more behind the name of its control socket, and 107 are all there is."""

OPTIONS = (
    "BatchMode=yes",  # a prompt would hang what nobody looks at
    "ConnectTimeout=5",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=2",
    "ExitOnForwardFailure=yes",
    "StreamLocalBindUnlink=yes",
    "StreamLocalBindMask=0177",
    "ControlMaster=auto",
    "ControlPersist=60s",
)

# What ssh says, and what to do about it. The first that is found is told.
_ADVICE = (
    ("Host key verification failed", "its host key is not the known one; run `{ssh}` once and look"),
    ("Permission denied", "it takes none of your keys; `{ssh} true` must work without a question"),
    ("Could not resolve hostname", "its name is not known"),
    ("Connection refused", "no sshd listens there"),
    ("timed out", "it does not answer"),
    ("No route to host", "there is no route to it"),
)


def tunnel(address: SshAddress) -> str:
    """The path of a socket that leads to the host's Docker socket; made when there is none that answers.

    EngineUnreachable with ssh's own reason when it cannot be made.
    """
    base = runtime_directory() / hashlib.sha256(str(address).encode()).hexdigest()[:16]
    sock = base.with_suffix(".sock")
    if _listens(sock):
        return str(sock)
    with _locked(base.with_suffix(".lock"), address):
        if not _listens(sock):  # another process may have made it meanwhile
            _make(address, sock, base.with_suffix(".ctl"))
    return str(sock)


def runtime_directory() -> Path:
    """The directory of this user's sockets, made with mode 0700. EngineUnreachable when it cannot be trusted."""
    given = os.environ.get("XDG_RUNTIME_DIR", "")
    path = Path(given) / "ecsctl"
    # ssh gives some characters a meaning of their own, and long paths do not fit a socket's address.
    if not re.fullmatch(r"/[A-Za-z0-9/._-]*", given) or len(str(path)) > MAX_DIRECTORY or not Path(given).is_dir():
        path = Path(f"/tmp/ecsctl-{os.getuid()}")  # noqa: S108 - looked at before it is used
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise EngineUnreachable(f"No directory for ssh's sockets at {path}: {error.strerror}.") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise EngineUnreachable(f"{path} is not a directory of yours: have it removed, or set XDG_RUNTIME_DIR.")
    if found.st_mode & 0o077:
        path.chmod(0o700)
    return path


def ssh_command(address: SshAddress, sock: Path, control: Path) -> list[str]:
    """The arguments that make ssh hold `sock` in the background."""
    command = ["ssh", "-fnNT"]
    for option in (*OPTIONS, f"ControlPath={control}"):
        command += ["-o", option]
    command += ["-L", f"{sock}:{REMOTE_SOCKET}"]
    if address.user:
        command += ["-l", address.user]
    if address.port:
        command += ["-p", str(address.port)]
    return [*command, "--", address.host]


def _make(address: SshAddress, sock: Path, control: Path) -> None:
    if control.exists():  # an ssh whose socket is gone would be asked to forward again, and say that it does
        _end(control)
    # A file takes what ssh says: a pipe would stay open, and be waited for, as long as the ssh in the background.
    with tempfile.TemporaryFile() as said:
        try:
            done = subprocess.run(
                ssh_command(address, sock, control),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                timeout=SSH_SECONDS,
                check=False,
            )
        except FileNotFoundError:
            raise EngineUnreachable(f"{address} needs the ssh command, which is not on the PATH.") from None
        except subprocess.TimeoutExpired:
            raise EngineUnreachable(f"No Docker Engine at {address}: ssh took more than {SSH_SECONDS:.0f} s.") from None
        said.seek(0)
        words = said.read(65536).decode("utf-8", "replace")
    if done.returncode or not _listens(sock):
        raise EngineUnreachable(f"No Docker Engine at {address}: {reason(address, words)}.")
    if not _leads_somewhere(sock):
        _end(control)  # so that the next call asks again
        raise EngineUnreachable(
            f"No Docker Engine at {address}: ssh works, but {REMOTE_SOCKET} there cannot be opened. "
            "Is dockerd running, and is the user in the group docker?"
        )


def _end(control: Path) -> None:
    with suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(
            ["ssh", "-o", f"ControlPath={control}", "-O", "exit", "--", "any"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROBE_SECONDS,
            check=False,
        )


def reason(address: SshAddress, words: str) -> str:
    """What ssh said, as one line and with what to do about it."""
    lines = [line.strip() for line in words.splitlines() if line.strip() and not line.startswith("Warning:")]
    target = " ".join(part for part in ("ssh", f"-p {address.port}" if address.port else "", _login(address)) if part)
    for sign, advice in _ADVICE:
        for line in lines:
            if sign in line:
                return f"{advice.format(ssh=target)} (ssh: {_bare(line)})"
    return f"ssh: {_bare(lines[-1])}" if lines else "ssh ended without a reason"


def _bare(line: str) -> str:
    return line.removeprefix("ssh: ").rstrip(".")


def _login(address: SshAddress) -> str:
    return f"{address.user}@{address.host}" if address.user else address.host


def _listens(path: Path) -> bool:
    """Whether a process holds the socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(PROBE_SECONDS)
        try:
            sock.connect(str(path))
        except OSError:
            return False
    return True


def _leads_somewhere(path: Path) -> bool:
    """Whether the far end is open: ssh takes connections even when there is nothing at the other side of it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(PROBE_SECONDS)
        try:
            sock.connect(str(path))
            sock.sendall(b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n")
            return sock.recv(1) != b""
        except TimeoutError:
            return True  # it is there and slow: the call's own deadline will say so
        except OSError:
            return False


@contextmanager
def _locked(path: Path, address: SshAddress) -> Iterator[None]:
    end = time.monotonic() + SSH_SECONDS
    with path.open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > end:
                    raise EngineUnreachable(f"Another process is still connecting to {address}.") from None
                time.sleep(0.05)
        yield
