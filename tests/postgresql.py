"""A PostgreSQL server of the tests' own: its data are in a directory that goes with it, and it listens on loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

USER, PASSWORD = "ecs", "s3cret-of-the-state"
_numbers = count()


def binary(name: str) -> str:
    """The path of one of the server's programs; Debian keeps them off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[4]))
    path = str(found[-1]) if found else shutil.which(name)
    assert path, f"{name} is not there: run scripts/ensure-postgresql"
    return path


class Server:
    """One server."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._data = directory / "data"
        # It refuses to run as root.
        owner = _ordinary() if os.getuid() == 0 else None
        self._as: dict[str, Any] = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if owner else {}
        if owner:
            os.chown(directory, owner.pw_uid, owner.pw_gid)
        secret = directory / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self._run("initdb", "-D", str(self._data), "-U", USER, "-A", "scram-sha-256", "--pwfile", str(secret), "-N")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.start()

    def start(self) -> None:
        """Returns when it answers."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.directory,
            "fsync": "off",
            "max_connections": 60,
        }
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [binary("postgres"), "-D", str(self._data), *words], cwd="/", stdout=log, stderr=log, **self._as
            )
        end = time.monotonic() + 60
        while True:
            try:
                self.connect("postgres").close()
                break
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError((self.directory / "log").read_text()) from None
                time.sleep(0.05)

    def stop(self) -> None:
        """At once, as if it had crashed."""
        self._process.send_signal(3)  # SIGQUIT: immediate shutdown
        self._process.wait(timeout=60)

    def url(self, database: str, user: str = USER, password: str = PASSWORD) -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url(database), autocommit=True, connect_timeout=5)

    def new_database(self, more: str = "ENCODING UTF8 TEMPLATE template0") -> str:
        """The name of an empty one."""
        name = f"state{next(_numbers)}"
        with self.connect("postgres") as connection:
            connection.execute(f"CREATE DATABASE {name} {more}")
        return name

    def _run(self, name: str, *arguments: str) -> None:
        subprocess.run([binary(name), *arguments], check=True, capture_output=True, cwd="/", **self._as)


@contextmanager
def server() -> Iterator[Server]:
    """One that is stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="ecspg", dir="/tmp") as directory:
        made = Server(Path(directory))
        try:
            yield made
        finally:
            made.stop()


def _ordinary() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")
