"""The socket: who may open its file may do whatever the state's owner may, so nobody else may (mode 0600)."""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ecsctl.model.errors import InputError

LONGEST = 100
"""Bytes of a path: an address has room for 107, on some systems for 103."""
_BACKLOG = 128


@contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """A socket that listens at `path`, taken away at the end. One that a dead process left there is replaced.

    InputError, one line, when there is another thing, or a process that listens, or the path cannot be used.
    """
    if len(os.fsencode(path)) > LONGEST:
        raise InputError(f"{path}: the path is longer than {LONGEST} bytes, which the address of a socket cannot be")
    _refuse_another_thing(path)  # before there is a lock beside it: other programs look for one beside /etc/passwd
    with _claimed(path):
        _clear(path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            made = _bind(listener, path)
            try:
                yield listener
            finally:
                with suppress(OSError):
                    if path.lstat().st_ino == made:
                        path.unlink()


@contextmanager
def _claimed(path: Path) -> Iterator[None]:
    """Hold the lock beside it, which ends with the process: of two that begin at once only one looks and binds."""
    lock = path.with_name(path.name + ".lock")
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise InputError(f"{path}: no socket can be made there: {error.strerror}") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _in_use(path) from None
        yield
    finally:
        os.close(descriptor)


def _refuse_another_thing(path: Path) -> bool:
    """Whether a socket is there. InputError for what is none."""
    try:
        mode = path.lstat().st_mode
    except OSError:  # nothing is there, or it is told when the lock is made
        return False
    if not stat.S_ISSOCK(mode):
        raise InputError(f"{path} is there and is no socket: give another path by --socket")
    return True


def _clear(path: Path) -> None:
    """Take away what a dead process left."""
    if not _refuse_another_thing(path):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        try:
            client.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise InputError(f"{path} is there and cannot be replaced: {error.strerror}") from None
        else:
            raise _in_use(path)


def _in_use(path: Path) -> InputError:
    return InputError(f"{path} is in use by another process: end that one, or give another path by --socket")


def _bind(listener: socket.socket, path: Path) -> int:
    """Its inode. The file is its owner's alone from the beginning; no other thread runs yet that makes files."""
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
        listener.listen(_BACKLOG)
        return path.lstat().st_ino
    except OSError as error:
        raise InputError(f"{path}: no socket can be made there: {error.strerror}") from None
    finally:
        os.umask(before)
