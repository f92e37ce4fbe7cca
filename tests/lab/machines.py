"""The lab: several machines with Docker on this one, that can be killed, cut off and made to hang.

A machine is a network, mount, PID, UTS and IPC namespace, in which dockerd (with bridges, iptables and published ports)
and sshd run with their default paths; see `boot`. The machines are wired to a switch in a namespace of its own, so that
this machine's iptables never see their frames. They have no route to anywhere: nothing leaves the lab. This machine's
own dockerd knows nothing of them.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.images import ensure_image

HERE = Path(__file__).resolve().parent
NET = "10.99.0"
"""NET.N is hostN, NET.254 this machine."""
SWITCH = "ecsctl-lab"
CABLE = "ecsctl-lab0"
DISKS = ("ext2/ext3", "xfs")
"""Where overlay2 can have its layers, as stat calls them."""


class Machine:
    """One of them. A client reaches it by `unix`, whatever becomes of the network, and `ssh`."""

    def __init__(self, directory: Path, number: int) -> None:
        self.name = f"host{number}"
        self.address = f"{NET}.{number}"
        self.directory = directory / self.name
        self.unix = f"unix://{self.directory}/docker.sock"
        self.ssh = f"ssh://{self.name}"
        self._number = number
        self._namespace = f"ecsctl-lab-{self.name}"
        self._process: subprocess.Popen[bytes] | None = None

    # Its life

    def boot(self) -> None:
        """Returns when its engine answers. The disk is that of its last life."""
        for name, mode in (("disk", 0o711), ("etc", 0o755), ("root", 0o700), ("root/.ssh", 0o700)):
            (self.directory / name).mkdir(mode, parents=True, exist_ok=True)
        keys = self.directory.parent
        make_key(self.directory / "host_key")
        shutil.copy(keys / "key.pub", self.directory / "root/.ssh/authorized_keys")
        ip(None, f"netns add {self._namespace}")
        # With the same hardware address after each boot, so that nobody has to learn it anew.
        peer = f"peer name eth0 address 02:99:00:00:00:{self._number:02x} netns {self._namespace}"
        ip(SWITCH, f"link add {self.name} type veth {peer}", f"link set {self.name} master br0 up")
        ip(self._namespace, f"addr add {self.address}/24 dev eth0", "link set eth0 up", "link set lo up")
        apart = ("unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc")
        pool = f"10.{100 + self._number}"  # another on each, so that networks of several do not collide
        with (self.directory / "boot.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *("nsenter", f"--net=/run/netns/{self._namespace}", *apart),
                    *(str(HERE / "boot"), self.name, str(self.directory), self.address, pool),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(self._answers, f"{self.name} to boot, see {self.directory}")

    def _answers(self) -> bool:
        return not subprocess.run(["docker", "--host", self.unix, "version"], capture_output=True).returncode

    @property
    def is_up(self) -> bool:
        return self._process is not None

    def kill(self) -> None:
        """A power cut: all of it at once, containers too."""
        if self._process is None:
            return
        first = self._first()
        for pid in (first, self._process.pid):
            if pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)  # a PID namespace dies whole with its process 1
        self._process.wait()
        if first is not None:
            until(lambda: not Path(f"/proc/{first}").exists(), f"{self.name} to die")
        self._process = None
        ip(SWITCH, f"link del {self.name}", check=False)
        ip(None, f"netns del {self._namespace}", check=False)

    def crash(self) -> None:
        """Kill its dockerd alone; it is back in a second, as under systemd."""
        os.kill(self._dockerd(), signal.SIGKILL)

    # What it suffers, and gets over

    def pause(self) -> None:
        """Its engine takes connections and never answers; its containers go on."""
        os.kill(self._dockerd(), signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self._dockerd(), signal.SIGCONT)

    def partition(self) -> None:
        """Unplug its cable. The unix socket works on, as it is no part of the network."""
        ip(SWITCH, f"link set {self.name} nomaster")

    def heal(self) -> None:
        """What ended a partition or a pause, whatever there was; a machine that is off boots."""
        if not self.is_up:
            self.boot()
            return
        ip(SWITCH, f"link set {self.name} master br0")
        self.resume()
        until(self._answers, f"{self.name} to answer")

    # What is on it

    def docker(self, *arguments: str) -> str:
        command = ["docker", "--host", self.unix, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def containers(self, *more: str) -> list[str]:
        """Ids, by default of those that run."""
        return self.docker("ps", "--quiet", "--no-trunc", *more).split()

    def clear(self) -> None:
        """Remove all containers."""
        if left := self.containers("--all"):
            self.docker("rm", "--force", "--volumes", *left)

    def _first(self) -> int | None:
        """The pid, out here, of its process 1."""
        return next(iter(_children(self._process.pid)), None) if self._process else None

    def _dockerd(self) -> int:
        first = self._first()
        found = [pid for pid in _children(first) if _name(pid) == "dockerd"] if first else []
        if not found:
            raise RuntimeError(f"{self.name} has no dockerd")
        return found[0]


@contextmanager
def machines(number: int) -> Iterator[list[Machine]]:
    """So many machines, host1 and on, that have the tests' image; all is gone at the end. `ssh` on the PATH knows them
    by their names, with the key that they take."""
    lock = (Path(tempfile.gettempdir()) / "ecsctl-lab.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise RuntimeError("another process has a lab on this machine, and there can be only one") from None
    _clear()  # what is left of one whose process was killed
    directory = Path(tempfile.mkdtemp(prefix="lab", dir=disk()))
    made: list[Machine] = []
    path = os.environ["PATH"]
    try:
        make_key(directory / "key")
        _make_switch()
        made = [Machine(directory, n) for n in range(1, number + 1)]
        with ThreadPoolExecutor(number) as pool:
            list(pool.map(Machine.boot, made))
        for machine in made:
            ensure_image(host=machine.unix)
        os.environ["PATH"] = f"{_make_ssh(directory, made)}:{path}"
        yield made
    finally:
        os.environ["PATH"] = path
        for machine in made:
            machine.kill()
        _clear()
        shutil.rmtree(directory, ignore_errors=True)
        lock.close()


def disk() -> str:
    """A directory for short paths on a disk that overlay2 can use."""
    places = [tempfile.gettempdir(), "/var/tmp", "/tmp"]
    for place in places:
        kind = subprocess.run(["stat", "--file-system", "--format=%T", place], capture_output=True, text=True)
        if kind.stdout.strip() in DISKS:
            return place
    raise RuntimeError(f"none of {', '.join(places)} is on ext4 or xfs, which the lab's engines need")


def _clear() -> None:
    """Nothing of a lab is left but its directory."""
    for namespace in Path("/run/netns").glob("ecsctl-lab-*"):
        pids = subprocess.run(["ip", "netns", "pids", namespace.name], capture_output=True, text=True).stdout.split()
        for pid in map(int, pids):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        ip(None, f"netns del {namespace.name}", check=False)
    ip(None, f"netns del {SWITCH}", f"link del {CABLE}", check=False)
    ip(None, f"route del unreachable {NET}.0/24 metric 9999", check=False)
    _remove_cgroups()


def _make_switch() -> None:
    ip(None, f"netns add {SWITCH}", f"link add {CABLE} type veth peer name {CABLE} netns {SWITCH}")
    ip(SWITCH, "link add br0 up type bridge", f"link set {CABLE} master br0 up")
    ip(None, f"addr add {NET}.254/24 dev {CABLE}", f"link set {CABLE} up")
    # A stale address fails at once in place of following the default route off this machine.
    ip(None, f"route add unreachable {NET}.0/24 metric 9999", check=False)


def _make_ssh(directory: Path, made: Sequence[Machine]) -> Path:
    """The directory of an `ssh` with a configuration of its own: the user's stays as it is."""
    lines = [f"Host {one.name}\n  HostName {one.address}\n" for one in made]
    lines.append(f"Host *\n  User root\n  IdentityFile {directory}/key\n  IdentitiesOnly yes\n")
    lines.append(f"  UserKnownHostsFile {directory}/known_hosts\n")
    (directory / "ssh_config").write_text("".join(lines))
    keys = [(one, (one.directory / "host_key.pub").read_text().split()[:2]) for one in made]
    (directory / "known_hosts").write_text("".join(f"{one.address} {' '.join(key)}\n" for one, key in keys))
    wrapper = directory / "bin" / "ssh"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {directory}/ssh_config "$@"\n')
    wrapper.chmod(0o755)
    return wrapper.parent


def _remove_cgroups() -> None:
    """Those of the lab's containers, deepest first; the kernel takes a moment to let go of them."""
    for root in [*Path("/sys/fs/cgroup").glob("ecsctl-lab"), *Path("/sys/fs/cgroup").glob("*/ecsctl-lab")]:
        for _ in range(50):
            for found in sorted((p for p in root.rglob("*") if p.is_dir()), reverse=True):
                with suppress(OSError):
                    found.rmdir()
            with suppress(OSError):
                root.rmdir()
            if not root.exists():
                break
            time.sleep(0.1)


def make_key(file: Path) -> None:
    if not file.exists():
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ecsctl-lab", "-f", str(file)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def ip(namespace: str | None, *commands: str, check: bool = True) -> None:
    """`ip` commands in a network namespace, or here; without `check` what cannot be done is left."""
    for command in commands:
        within = ["-netns", namespace] if namespace else []
        done = subprocess.run(["ip", *within, *command.split()], capture_output=True, text=True)
        if check and done.returncode:
            raise RuntimeError(f"ip {command}: {done.stderr.strip()}")


def until(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Wait for something; it has to be so within the time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"gave up waiting for {what}")
        time.sleep(0.05)


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _name(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""
