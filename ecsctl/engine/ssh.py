"""One connection per ssh host, made by the system's ssh and shared by every process of this user.

The user's own keys, agent, jump hosts and known_hosts apply. The ssh that holds the connection also holds a socket
that it forwards to the host's Docker socket. It ends by itself a minute after its last use, and within ten seconds
when the host stops answering; the next call makes a new one. (Measured: a call through a forwarded socket takes 4 ms
and as many run at once as one likes; a connection per call takes 300 ms, and sshd refuses the eleventh.)

Where sshd forwards no sockets, or the engine is not where REMOTE_SOCKET says (rootless Docker), each call runs
`docker system dial-stdio` on the host, in a session of the same connection, as long as sshd has sessions to give.
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
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from ecsctl.engine import apart
from ecsctl.engine.address import SshAddress
from ecsctl.engine.dial import Scarce
from ecsctl.model.errors import Cause, EngineUnreachable

REMOTE_SOCKET = "/var/run/docker.sock"
SSH_SECONDS = 20.0
"""For ssh to connect and log in; its own ConnectTimeout covers the first of these."""
PROBE_SECONDS = 5.0

CALLS, STREAMS = 5, 4
"""Sessions at a time in one connection: sshd takes ten (MaxSessions), and `ask` is one. Beyond them ssh would connect
anew for each."""
PLACE_SECONDS = 10.0

MAX_DIRECTORY = 60
"""Bytes of the runtime directory: ssh puts 17 more behind the name of its control socket, and 107 are all there is."""

OPTIONS = (
    "BatchMode=yes",  # a prompt would hang what nobody looks at
    "ConnectTimeout=5",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=2",
    "ClearAllForwardings=yes",  # the user's own, whose ports another ssh of theirs may hold
    "RemoteCommand=none",
    "ForwardAgent=no",
    "ForwardX11=no",
    "StreamLocalBindUnlink=yes",
    "StreamLocalBindMask=0177",
    "ControlMaster=auto",
    "ControlPersist=60s",
)

DIAL = "docker system dial-stdio"
_LOOK = "test -e {0} && {{ test -w {0} && echo open || echo denied; }} || echo none"

_PING = b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n"

# What ssh says, what kind of trouble it is, and what to do about it. The first that is found is told.
_ADVICE: tuple[tuple[str, Cause, str], ...] = (
    (
        "IDENTIFICATION HAS CHANGED",
        "host-key",
        "its host key is another than the known one: if the machine was set up anew, `ssh-keygen -R {host}`, and run "
        "`{ssh}` once and look; if not, somebody is in between",
    ),
    ("Host key verification failed", "host-key", "its host key is not the known one; run `{ssh}` once and look"),
    ("Permission denied", "key", "it takes none of your keys; `{ssh} true` must work without a question"),
    ("Too many authentication failures", "key", "your agent offers it too many keys; name one by IdentityFile"),
    ("Could not resolve hostname", "name", "its name is not known"),
    ("Connection refused", "port", "no sshd listens there"),
    ("timed out", "timeout", "it does not answer"),
    ("No route to host", "route", "there is no route to it"),
    ("Network is unreachable", "route", "there is no route to it"),
    (  # of what the ssh of a jump host says, nothing is heard
        "kex_exchange_identification",
        "port",
        "what listens there is no sshd, or it takes no more connections now; or a jump host may take none of your "
        "keys: `{ssh} true` must work without a question",
    ),
    ("Connection closed by", "port", "its sshd takes no more connections now"),
    ("Connection reset by", "port", "its sshd takes no more connections now"),
)

_LOOKED: dict[str, tuple[Cause, str]] = {
    "denied": ("permission", "its user may not use it; add it to the group docker there"),
    "none": ("docker", "it is not there; is Docker installed?"),
    "open": (
        "docker",
        "dockerd is not running there; or sshd forwards no sockets (AllowStreamLocalForwarding), and there is no "
        "docker command that could do without",
    ),
    "": ("docker", "is dockerd running, and is the user in the group docker?"),
}


class _Files(Struct, frozen=True):
    """Those of one host in the runtime directory. `dial` is there while each call has to be a session."""

    sock: Path
    control: Path
    lock: Path
    dial: Path


def tunnel(address: SshAddress) -> str | None:
    """The path of a socket that leads to the host's Docker socket, made when there is none that answers; None where
    there can be none, but a `session`.

    EngineUnreachable with ssh's own reason when there is neither.
    """
    files = _files(address)
    if not _is_made(files):
        with _locked(files.lock, address):
            if not _is_made(files):  # another process may have made it meanwhile
                _make(address, files)
    return None if files.dial.exists() else str(files.sock)


def session(address: SshAddress, *, lasting: bool = False) -> socket.socket:
    """A connection to the host's engine by a command of its own there. Where it fails, it ends.

    There are only so many places in the connection that is shared. A call waits for one; what is `lasting`, or has
    waited behind what lasts, gets a connection of its own.
    """
    control = _files(address).control
    place = _place(control, "stream", STREAMS, 0) if lasting else _place(control, "call", CALLS, PLACE_SECONDS)
    command = _ssh(address, control if place is not None else None, DIAL)
    with ExitStack() as undoing:
        if place is not None:
            undoing.callback(os.close, place)
        ours, theirs = socket.socketpair()
        undoing.enter_context(ours)
        with theirs:
            process = apart.start(command, stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=subprocess.DEVNULL)
        undoing.pop_all()
    # Without somebody who waits for it, it stays a zombie; and its place is free when it has ended, not before.
    threading.Thread(target=_see_off, args=(process, place), daemon=True).start()
    return ours if place is None else Scarce(fileno=ours.detach())


def ask(address: SshAddress, command: str) -> str | None:
    """What a command prints on a host that there is a connection to; None when it fails.

    The host's shell reads it: what of it is not fixed has to be quoted.
    """
    try:
        done = _done(_ssh(address, _files(address).control, command))
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if done.returncode else done.stdout.decode("utf-8", "replace")


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
        raise EngineUnreachable(f"No directory for sockets at {path}: {error.strerror}.", "ssh") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise EngineUnreachable(f"{path} is not a directory of yours: have it removed, or set XDG_RUNTIME_DIR.", "ssh")
    if found.st_mode & 0o077:
        path.chmod(0o700)
    return path


def ssh_command(address: SshAddress, control: Path) -> list[str]:
    """The arguments that make ssh connect, and stay in the background."""
    return _ssh(address, control, options=("-fnNT",))


def _ssh(
    address: SshAddress,
    control: Path | None,
    command: str = "",
    options: Sequence[str] = ("-T", "-o", "ControlMaster=no"),  # of the two that ssh is then given, the first counts
) -> list[str]:
    arguments = ["ssh", *options]
    for option in (*OPTIONS, f"ControlPath={control or 'none'}"):
        arguments += ["-o", option]
    if address.user:
        arguments += ["-l", address.user]
    if address.port:
        arguments += ["-p", str(address.port)]
    return [*arguments, "--", address.host, *([command] if command else [])]


def _files(address: SshAddress) -> _Files:
    base = runtime_directory() / hashlib.sha256(str(address).encode()).hexdigest()[:16]
    return _Files(*(base.with_suffix(suffix) for suffix in (".sock", ".ctl", ".lock", ".dial")))


def _is_made(files: _Files) -> bool:
    return _listens(files.control if files.dial.exists() else files.sock)


def _make(address: SshAddress, files: _Files) -> None:
    files.dial.unlink(missing_ok=True)
    if files.control.exists():  # an ssh whose socket is gone would be asked to forward again, and say that it does
        _end(files)
    _connect(address, files.control)
    if _tell(files.control, "forward", "-L", f"{files.sock}:{REMOTE_SOCKET}") and _leads_somewhere(files.sock):
        return
    if _dials(address, files.control):
        files.dial.touch(mode=0o600)
        return
    looked = ask(address, _LOOK.format(REMOTE_SOCKET))
    _end(files)  # so that the next call asks again, as a user who is in other groups by then
    cause, why = _LOOKED.get((looked or "").strip(), _LOOKED[""])
    raise EngineUnreachable(
        f"No Docker Engine at {address}: ssh works, but {REMOTE_SOCKET} there cannot be opened: {why}.", cause
    )


def _dials(address: SshAddress, control: Path) -> bool:
    try:
        return _done(_ssh(address, control, DIAL), _PING).stdout.startswith(b"HTTP/")
    except subprocess.TimeoutExpired:
        return False


def _place(control: Path, kind: str, most: int, seconds: float) -> int | None:
    """A descriptor that holds one of so many places, which all processes share; None when none gets free."""
    end = time.monotonic() + seconds
    while True:
        for number in range(most):
            held = os.open(control.with_suffix(f".{kind}{number}"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(held)
            else:
                return held
        if time.monotonic() >= end:
            return None
        time.sleep(0.01)


def _see_off(process: subprocess.Popen[bytes], place: int | None) -> None:
    apart.wait(process)
    if place is not None:
        os.close(place)


def _connect(address: SshAddress, control: Path) -> None:
    # A file takes what ssh says: a pipe would stay open, and be waited for, as long as the ssh in the background.
    with tempfile.TemporaryFile() as said:
        try:
            nothing = subprocess.DEVNULL
            done = apart.run(ssh_command(address, control), SSH_SECONDS, stdin=nothing, stdout=nothing, stderr=said)
        except FileNotFoundError:
            raise EngineUnreachable(f"{address} needs the ssh command, which is not on the PATH.", "ssh") from None
        except subprocess.TimeoutExpired:
            raise EngineUnreachable(
                f"No Docker Engine at {address}: ssh took more than {SSH_SECONDS:.0f} s.", "timeout"
            ) from None
        said.seek(0)
        words = said.read(65536).decode("utf-8", "replace")
    if done.returncode or not _listens(control):
        why, cause = reason(address, words)
        raise EngineUnreachable(f"No Docker Engine at {address}: {why}.", cause)


def _end(files: _Files) -> None:
    _tell(files.control, "exit")
    for path in (files.sock, files.control):  # it goes in its own time, and until then it listens
        path.unlink(missing_ok=True)


def _tell(control: Path, what: str, *more: str) -> bool:
    """Ask the ssh that holds a connection for something; whether it did it. It is not the user's configuration that
    is to be followed."""
    with suppress(OSError, subprocess.TimeoutExpired):
        command = ["ssh", "-F", "none", "-o", f"ControlPath={control}", "-O", what, *more, "--", "any"]
        return _done(command).returncode == 0
    return False


def _done(command: list[str], given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    pipe = subprocess.PIPE
    return apart.run(command, PROBE_SECONDS, given, stdin=pipe, stdout=pipe, stderr=pipe)


def reason(address: SshAddress, words: str) -> tuple[str, Cause]:
    """What ssh said, as one line and with what to do about it."""
    lines = [line.strip(" @") for line in words.splitlines() if line.strip(" @") and not line.startswith("Warning:")]
    target = " ".join(part for part in ("ssh", f"-p {address.port}" if address.port else "", _login(address)) if part)
    known = f"'[{address.host}]:{address.port}'" if address.port else address.host
    for sign, cause, advice in _ADVICE:
        for line in lines:
            if sign in line:
                return f"{advice.format(ssh=target, host=known)} (ssh: {_bare(line)})", cause
    return (f"ssh: {_bare(lines[-1])}" if lines else "ssh ended without a reason"), "ssh"


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
            sock.sendall(_PING)
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
