"""What a host's address is: `unix:///path`, `tcp://host:port`, `ssh://[user@]host[:port]` or `context:NAME`."""

from __future__ import annotations

import re

from msgspec import Struct

from ecsctl.model.errors import InputError

FORMS = "unix:///path, tcp://host:port, ssh://[user@]host[:port] or context:NAME"

MAX_SOCKET_PATH = 107
"""Bytes of a unix socket's path: what sockaddr_un holds on Linux."""

# What goes to ssh's command line is held to letters that can be neither an option nor shell: a host is often
# copied from somewhere, and `ssh://-oProxyCommand=…` must not run a program.
_HOST = r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
_USER = r"(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9._-]*)@)?"
# Compiled when one is first needed: most addresses are those of a socket.
_SSH = rf"{_USER}{_HOST}(?::(?P<port>[0-9]{{1,5}}))?"
_TCP = rf"{_HOST}:(?P<port>[0-9]{{1,5}})"
_CONTEXT = r"[A-Za-z0-9][A-Za-z0-9_.+-]*"


class UnixAddress(Struct, frozen=True):
    """A socket on this machine, by absolute path."""

    path: str

    def __str__(self) -> str:
        return f"unix://{self.path}"


class TcpAddress(Struct, frozen=True):
    """A TCP port; an IPv6 host is without its brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"tcp://{_bracketed(self.host)}:{self.port}"


class SshAddress(Struct, frozen=True):
    """A host to reach by the system's ssh; None leaves user and port to ssh's configuration."""

    host: str
    user: str | None = None
    port: int | None = None

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        return f"ssh://{user}{_bracketed(self.host)}{f':{self.port}' if self.port else ''}"


class ContextAddress(Struct, frozen=True):
    """A Docker context, by name."""

    name: str

    def __str__(self) -> str:
        return f"context:{self.name}"


Address = UnixAddress | TcpAddress | SshAddress | ContextAddress


def parse_address(text: str) -> Address:
    """The address a text says. InputError, in one line, when it says none; `str()` of the result says the same."""
    scheme, _, rest = text.partition("://")
    if scheme == "unix" and rest:
        return _unix(text, rest)
    if scheme == "ssh" and rest:
        return _ssh(text, rest)
    if scheme == "tcp" and rest:
        return _tcp(text, rest)
    if text.startswith("context:"):
        name = text.removeprefix("context:")
        if not re.fullmatch(_CONTEXT, name):
            raise _wrong(text, "a context's name has letters, digits and _ . + -, and begins with a letter or digit")
        return ContextAddress(name)
    if scheme in ("http", "https") and rest:
        raise _wrong(text, f"write tcp://{rest.rstrip('/')}")
    if re.fullmatch(_CONTEXT, text):
        raise _wrong(text, f"write context:{text} for a Docker context, ssh://{text} for a host by ssh")
    raise _wrong(text, f"write {FORMS}")


def _unix(text: str, path: str) -> UnixAddress:
    if not path.startswith("/") or "\0" in path:
        raise _wrong(text, "write unix:///path, with an absolute path")
    if len(path.encode(errors="surrogateescape")) > MAX_SOCKET_PATH:
        raise _wrong(text, f"a socket's path has at most {MAX_SOCKET_PATH} bytes")
    return UnixAddress(path)


def _ssh(text: str, rest: str) -> SshAddress:
    found = re.fullmatch(_SSH, rest)
    if not found:
        if re.match(r"[^/]*:[^/]*@", rest):
            raise _wrong(text.replace(rest, "…"), "no password in an address: ssh asks your agent or uses your keys")
        if "/" in rest or "?" in rest:
            raise _wrong(text, "write ssh://[user@]host[:port], without a path")
        raise _wrong(text, "write ssh://[user@]host[:port]; anything else belongs in your ssh configuration")
    port = found["port"]
    return SshAddress(_plain(found["host"]), found["user"], _port(text, port) if port else None)


def _tcp(text: str, rest: str) -> TcpAddress:
    found = re.fullmatch(_TCP, rest)
    if not found:
        raise _wrong(text, "write tcp://host:port, without a path (the usual ports: 2376 with TLS, 2375 without)")
    return TcpAddress(_plain(found["host"]), _port(text, found["port"]))


def _port(text: str, digits: str) -> int:
    port = int(digits)
    if not 0 < port < 65536:
        raise _wrong(text, "a port is a number from 1 to 65535")
    return port


def _plain(host: str) -> str:
    return host.strip("[]")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _wrong(text: str, what_to_do: str) -> InputError:
    shown = text if text.isprintable() else ascii(text)[1:-1]
    return InputError(f"'{shown}' is not the address of a Docker Engine: {what_to_do}.")
