"""Opening a connection to an engine, and saying in one line why that did not work."""

from __future__ import annotations

import socket
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol

from ecsctl.engine.address import SshAddress, TcpAddress, UnixAddress
from ecsctl.engine.contexts import Endpoint, Tls
from ecsctl.model.errors import Cause, EngineUnreachable

if TYPE_CHECKING:
    import ssl

CONNECT_SECONDS = 5.0


class Dial(Protocol):
    """Opens one connection, or raises EngineUnreachable. One that is `lasting`, a stream, must not keep calls waiting
    where only so many can be open."""

    def __call__(self, *, lasting: bool = False) -> socket.socket: ...


class Scarce(socket.socket):
    """One of the few connections that there can be to a host at a time: others wait for it."""


def dialer(endpoint: Endpoint, address: str) -> Dial:
    """How to connect to an endpoint; `address` is what messages call it. Nothing is opened yet."""
    where = endpoint.where
    if isinstance(where, UnixAddress):
        path = where.path
        return lambda **_: dial_unix(path, address)
    if isinstance(where, TcpAddress):
        return lambda **_: _dial_tcp(where, endpoint.tls, address)
    return _ssh_dialer(where, address)


def dial_unix(path: str, address: str) -> socket.socket:
    """A connection to a socket on this machine."""
    end = time.monotonic() + CONNECT_SECONDS
    while True:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(CONNECT_SECONDS)
            sock.connect(path)
        except BlockingIOError:  # the queue of the listening socket is full: not waited for as TCP would
            sock.close()
            if time.monotonic() > end:
                raise _silent(address) from None
            time.sleep(0.05)
        except OSError as error:
            sock.close()
            reason, cause = _unix_reason(error)
            raise EngineUnreachable(f"No Docker Engine at {address}: {reason}", cause) from error
        else:
            return sock


def _unix_reason(error: OSError) -> tuple[str, Cause]:
    if isinstance(error, FileNotFoundError):
        return "there is no such socket. Is dockerd running there?", "docker"
    if isinstance(error, PermissionError):
        return "you may not use this socket. Join the group that owns it (usually docker), or be root.", "permission"
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens on this socket. Is dockerd running?", "docker"
    return f"{error.strerror or error}.", "other"


def _dial_tcp(where: TcpAddress, tls: Tls | None, address: str) -> socket.socket:
    try:
        sock = socket.create_connection((where.host, where.port), timeout=CONNECT_SECONDS)
    except TimeoutError:
        raise _silent(address) from None
    except socket.gaierror as error:
        raise EngineUnreachable(
            f"No Docker Engine at {address}: the host's name is not known ({error.strerror}).", "name"
        ) from error
    except OSError as error:
        refused = isinstance(error, ConnectionRefusedError)
        reason = "nobody listens on this port" if refused else error.strerror or error
        raise EngineUnreachable(
            f"No Docker Engine at {address}: {reason}. Is dockerd running there?", "port" if refused else "route"
        ) from error
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return sock if tls is None else _wrapped(sock, where.host, tls)
    except TimeoutError:
        sock.close()
        raise _silent(address) from None
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        sock.close()
        raise EngineUnreachable(f"No TLS connection to {address}: {_tls_reason(error)}.", "tls") from error


def _wrapped(sock: socket.socket, host: str, tls: Tls) -> ssl.SSLSocket:
    import ssl  # 10 ms that other transports need not pay

    context = ssl.create_default_context(cafile=tls.ca)
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.cert and tls.key:
        context.load_cert_chain(tls.cert, tls.key, password=partial(_no_password, tls.key))
    return context.wrap_socket(sock, server_hostname=host)


def _no_password(key: Path) -> NoReturn:
    # Without this, OpenSSL asks at the terminal.
    raise ValueError(f"the key {key} has a pass phrase, which nobody is asked for; give a key without one")


def _tls_reason(error: Exception) -> str:
    reason = getattr(error, "verify_message", "") or getattr(error, "reason", "") or error
    return str(reason).rstrip(".")


def _ssh_dialer(where: SshAddress, address: str) -> Dial:
    def dial(*, lasting: bool = False) -> socket.socket:
        from ecsctl.engine import ssh  # subprocess is not loaded for local engines

        path = ssh.tunnel(where)
        return dial_unix(path, address) if path else ssh.session(where, lasting=lasting)

    return dial


def _silent(address: str) -> EngineUnreachable:
    return EngineUnreachable(f"{address} did not take a connection within {CONNECT_SECONDS:.0f} s.", "timeout")
