"""The files of the state: whose they are, who else may read them, and the queue of their writers."""

from __future__ import annotations

import fcntl
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ecsctl.model.errors import StateError

WAIT = 30.0
"""Seconds that a writer waits for its turn."""

_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "afs", "ceph", "glusterfs", "fuse.glusterfs"}


def beside(path: Path, ending: str) -> Path:
    """A file that belongs to the state file of that path: `key` signs labels, `secrets-key` opens secrets,
    `key-generation` says which access keys are honoured, `lock` is the queue of the writers, `controller` the lease;
    `logs` is a directory."""
    return path.with_name(f"{path.name}.{ending}")


def prepare_directory(path: Path) -> None:
    """Make the directory of a state file that does not exist yet, for its owner alone."""
    try:
        if path.is_dir():
            raise StateError(f"the state file {path} is a directory: give the path of a file")
        if path.exists():
            return
        for directory in reversed(path.parents):  # mkdir's own `parents` would leave them to the umask
            directory.mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise StateError(f"the state file {path} cannot be reached: {error.strerror}") from None
    if kind := network_file_system(path.parent):
        raise StateError(
            f"{path.parent} is on a network file system ({kind}), where SQLite loses data: "
            "set ECSCTL_STATE to a local path"
        )


def network_file_system(directory: Path) -> str:
    """Its type, where a directory is on one; else empty."""
    kind = _file_system(directory)
    return kind if kind in _NETWORK else ""


def sync_directory(directory: Path) -> None:
    """What was made or renamed in it survives a power loss when this returns."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fingerprint(key: bytes) -> str:
    """What a state knows its key by."""
    import hashlib  # takes longer to load than a quiet pass takes to decide

    return hashlib.sha256(key).hexdigest()[:16]


def replace_private_file(path: Path, content: bytes) -> None:
    """Give a file another content, for its owner alone: all of it, or the old one stays."""
    new = path.with_name(path.name + ".new")
    private_file(new, content)
    new.replace(path)
    sync_directory(path.parent)


def private_file(
    path: Path, content: bytes | None = None, advice: str = "restore it from the backup of the state"
) -> Path:
    """The path of a file that only its owner can read; written first when content is given. `advice`: what to do where
    it is missing."""
    try:
        if content is not None:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise StateError(f"{path} is missing: {advice}") from None
    except OSError as error:
        raise StateError(f"{path}: {error.strerror}") from None
    if not stat.S_ISREG(mode):
        raise StateError(f"{path} is not a regular file: give the path of one")
    if stat.S_IMODE(mode) & 0o077:
        raise StateError(f"{path} can be read by others (mode {stat.S_IMODE(mode):04o}): run chmod 600 {path}")
    return path


def check_nobody_elses(path: Path) -> None:
    """StateError where others could put another state in the place of a state file, and with it their own keys: they
    may write to its directory, or exchange one on the way to it; or it or the file is another user's, or the file is
    a link. What does not exist yet is nobody's."""
    try:
        with suppress(FileNotFoundError):
            path.parent.stat()  # a circle of links fails here
        with suppress(FileNotFoundError):
            for place, facts in _way_to(path.parent):
                _check_step(place, facts)
            home = path.parent.stat()
            if _others_write(home):  # with the sticky bit, as /tmp, which all need as it is
                raise StateError(f"{path.parent} is for everybody: move the state to a directory of your own")
            _check_file(path, path.lstat())
    except OSError as error:
        raise StateError(f"{error.filename}: {error.strerror}") from None


def _way_to(directory: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """What is passed to get there, from the root on: each directory, and each link with those that it leads through."""
    here = Path("/")
    yield here, here.lstat()
    rest = [*reversed(directory.absolute().parts[1:])]
    while rest:
        step = rest.pop()
        place = here.parent if step == ".." else here / step
        facts = place.lstat()
        yield place, facts
        if not stat.S_ISLNK(facts.st_mode):
            here = place
            continue
        target = place.readlink()
        if target.is_absolute():
            here = Path("/")
        rest += reversed(target.parts[1:] if target.is_absolute() else target.parts)


def _check_step(place: Path, facts: os.stat_result) -> None:
    if facts.st_uid not in (0, os.geteuid()):
        raise _of_another_user(place, facts)
    if stat.S_ISLNK(facts.st_mode):
        if _others_write(place.parent.lstat()):
            raise StateError(
                f"{place} is a symbolic link where others may write: give the path without it, by {place.resolve()}"
            )
    elif _others_write(facts) and not facts.st_mode & stat.S_ISVTX:
        raise _open_to_others(place)


def _check_file(path: Path, facts: os.stat_result) -> None:
    if stat.S_ISLNK(facts.st_mode):
        raise StateError(f"{path} is a symbolic link: give the path of the state itself, {path.resolve()}")
    if facts.st_uid != os.geteuid():
        raise _of_another_user(path, facts)
    if _others_write(facts):
        raise _open_to_others(path)


def _others_write(facts: os.stat_result) -> bool:
    return bool(facts.st_mode & 0o022)


def _of_another_user(place: Path, facts: os.stat_result) -> StateError:
    return StateError(
        f"{place} is another user's (uid {facts.st_uid}): run chown {os.geteuid()} {place}, or move the state elsewhere"
    )


def _open_to_others(place: Path) -> StateError:
    return StateError(f"others may write to {place}: run chmod go-w {place}, or move the state elsewhere")


class WriterQueue:
    """Writers take turns. SQLite's own waiting is unfair: one of eight busy writers may never get in."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the queue. Raises StateError when it is not our turn within WAIT seconds."""
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._wait(self._descriptor)
        try:
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _wait(self, descriptor: int) -> None:
        # The kernel serves blocked flock() calls in order; a thread makes the wait one with an end.
        deciding, came, gone = threading.Lock(), threading.Event(), threading.Event()

        def take() -> None:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            with deciding:
                came.set()
                if gone.is_set():
                    os.close(descriptor)  # nobody waits for the turn any more: the next one's

        threading.Thread(target=take, daemon=True).start()
        came.wait(WAIT)
        with deciding:
            if came.is_set():
                return
            gone.set()
            self._descriptor = None
        raise StateError(f"another process has been writing to the state for {WAIT:.0f} s: see `fuser {self._path}`")

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class Presence:
    """What many processes hold together, or one alone. The kernel takes it back the moment a process ends, however it
    ends."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self, *, alone: bool) -> bool:
        """Whether it is ours now; it does not wait."""
        try:
            fcntl.flock(self._descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
        return True

    def close(self) -> None:
        """Let it go."""
        os.close(self._descriptor)

    @property
    def holder(self) -> str:
        """The process that took it last."""
        return os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip() or "?"


def _file_system(directory: Path) -> str:
    """The type of the file system a directory is on, "" where the system does not say."""
    try:
        mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    best, kind = "", ""
    resolved = str(directory.resolve())
    for line in mounts:
        _, point, found, *_ = line.split(" ")
        if (resolved + "/").startswith(point.rstrip("/") + "/") and len(point) >= len(best):
            best, kind = point, found
    return kind
