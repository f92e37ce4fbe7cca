"""Addresses of TCP: what of them only this machine reaches, and sockets that listen there; TLS."""

from __future__ import annotations

import errno
import ipaddress
import resource
import socket
import ssl
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakSet

from ecsctl.model.errors import InputError

MOST = 256
"""Connections at a time: each may cost memory before anybody knows who it is, with TLS 256 KiB and more."""
_BACKLOG = 128


class Address(NamedTuple):
    """Where to listen: `host` as it was written, `ip` what it means."""

    host: str
    ip: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether nobody but this machine reaches it."""
        found = ipaddress.ip_address(self.ip)
        return ((found.version == 6 and found.ipv4_mapped) or found).is_loopback

    def __str__(self) -> str:
        return f"{_bracketed(self.host)}:{self.port}"


def parse_address(text: str) -> Address:
    """`127.0.0.1:8478`, `[::1]:8478`, `name:8478`. InputError, one line, for anything else."""
    host, colon, port = text.rpartition(":")
    inner = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not (colon and inner and port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise InputError(f"--bind {text}: write HOST:PORT, like 127.0.0.1:8478 or [::1]:8478; port 0 is any free one")
    if ":" in inner and inner == host:
        raise InputError(f"--bind {text}: write an IPv6 address in brackets, like [{inner}]:{port}")
    try:
        found = socket.getaddrinfo(inner, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise InputError(f"--bind {text}: {inner} is no address, and no name of one") from None
    return Address(inner, str(found[0][4][0]), int(port))


@contextmanager
def bound(addresses: Sequence[Address], most: int = MOST) -> Iterator[list[socket.socket]]:
    """Sockets that listen there, each with `most` connections at a time, and all with half of the files that the
    process may have open: the rest is for the work. InputError, one line, for an address that cannot be had."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if addresses and files != resource.RLIM_INFINITY:
        most = min(most, max(1, files // (2 * len(addresses))))
    with ExitStack() as stack:
        yield [stack.enter_context(_listening(address, most)) for address in addresses]


def url_of(listener: socket.socket, *, tls: bool) -> str:
    """Where it answers, with the port that it got."""
    host, port, *_ = listener.getsockname()
    return f"{'https' if tls else 'http'}://{_bracketed(host)}:{port}"


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """TLS 1.2 and 1.3 with a certificate (and those above it) and its key, PEM. InputError, one line, where they are
    none, are not of one another, or everybody may read the key."""
    for path, flag in ((certificate, "--tls-cert"), (key, "--tls-key")):
        try:
            mode = path.stat().st_mode
        except OSError as error:
            raise InputError(f"{flag} {path}: {error.strerror}") from None
        if path == key and stat.S_IMODE(mode) & 0o007:
            raise InputError(f"--tls-key {path} can be read by everybody: chmod 600 {path}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        mismatch = error.reason == "KEY_VALUES_MISMATCH"
        what = "the key is not the key of that certificate" if mismatch else "they are not both PEM"
        raise InputError(f"--tls-cert {certificate} --tls-key {key}: {what}") from None
    except OSError as error:
        raise InputError(f"--tls-cert {certificate} --tls-key {key}: {error.strerror}") from None
    return context


def _no_password() -> str:
    raise InputError("--tls-key: the key has a password, which nobody is there to type: give one without")


class _Listener(socket.socket):
    """A socket that closes at once what comes when there are enough connections."""

    # A socket has slots; these are two more.
    __slots__ = ("_accepted", "_most")

    def __init__(self, family: int, most: int) -> None:
        # TCP is named, or asyncio does not turn Nagle's algorithm off, and each answer waits 40 ms for an
        # acknowledgement.
        super().__init__(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._most = most
        self._accepted: WeakSet[socket.socket] = WeakSet()

    def accept(self) -> tuple[socket.socket, Any]:
        while True:
            connection, peer = super().accept()
            if sum(other.fileno() >= 0 for other in self._accepted) < self._most:
                self._accepted.add(connection)
                return connection, peer
            connection.close()


def _listening(address: Address, most: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.ip else socket.AF_INET
    listener = _Listener(family, most)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address.ip, address.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            why = "is in use by another process: end that one, or give another address by --bind"
        else:
            why = f"cannot be listened at: {error.strerror}"
        raise InputError(f"{address} {why}") from None
    return listener


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
