"""Docker contexts, read as the docker command keeps them, without running it.

    ~/.docker/config.json                                  {"currentContext": NAME}
    ~/.docker/contexts/meta/<sha256 of NAME>/meta.json     {"Name": …, "Endpoints": {"docker": {"Host": …}}}
    ~/.docker/contexts/tls/<sha256 of NAME>/docker/        ca.pem, cert.pem, key.pem

The environment variables DOCKER_CONFIG, DOCKER_HOST, DOCKER_CONTEXT, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH
mean what they mean to the docker command.
"""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Any

import msgspec

from ecsctl.engine.address import ContextAddress, SshAddress, TcpAddress, UnixAddress, parse_address
from ecsctl.model.errors import InputError

DEFAULT = "default"
DEFAULT_ADDRESS = "unix:///var/run/docker.sock"
TLS_PORT = 2376


class Tls(msgspec.Struct, frozen=True):
    """The files of a TLS connection, each None when there is none; `verify`: whether the server must prove itself."""

    ca: Path | None
    cert: Path | None
    key: Path | None
    verify: bool = True


class Endpoint(msgspec.Struct, frozen=True):
    """Where an engine listens. `tls` belongs to a TcpAddress; None there means a connection in the clear."""

    where: UnixAddress | TcpAddress | SshAddress
    tls: Tls | None = None


def current_address() -> str:
    """The address of the engine the docker command would use here: a URL, or `context:NAME` for a named context.

    InputError when DOCKER_HOST cannot be understood or the context is not there.
    """
    host = os.environ.get("DOCKER_HOST")
    if host:
        return str(parse_address(host))
    name = os.environ.get("DOCKER_CONTEXT") or str(read_config().get("currentContext") or DEFAULT)
    if name == DEFAULT:
        return DEFAULT_ADDRESS
    _context(name)
    return str(ContextAddress(name))


def addresses() -> list[str]:
    """Those of the engine that the docker command would use here, and of every Docker context."""
    contexts = (str(ContextAddress(name)) for name in sorted(_names()))
    return list(dict.fromkeys([current_address(), DEFAULT_ADDRESS, *contexts]))


def address_of(text: str) -> str:
    """The address that a person means: what parse_address understands, the bare name of a Docker context, or, without
    its `ssh://`, a host as ssh has it: an alias of ~/.ssh/config, [user@]host[:port].

    InputError, in one line, when it is none of these.
    """
    try:
        return str(parse_address(text))
    except InputError as error:
        if text == DEFAULT or text in _names():
            return str(ContextAddress(text))
        try:
            return str(parse_address(f"ssh://{text}"))
        except InputError:
            raise error from None


def is_same(address: str, other: str) -> bool:
    """Whether two addresses lead to one endpoint, as a context and what it stands for do."""
    if address == other:
        return True
    try:
        return resolve(address) == resolve(other)
    except InputError:  # it leads nowhere
        return False


def resolve(address: str) -> Endpoint:
    """Where the engine of an address listens. InputError when it cannot be told, or must not be used."""
    parsed = parse_address(address)
    if isinstance(parsed, ContextAddress):
        if parsed.name == DEFAULT:
            return resolve(DEFAULT_ADDRESS)
        return _of_context(parsed.name)
    if isinstance(parsed, TcpAddress):
        return _safe(Endpoint(parsed, _tls_of_environment(parsed)))
    return Endpoint(parsed)


def read_config() -> dict[str, Any]:
    """The docker command's config.json; empty when there is none. InputError when it cannot be read."""
    path = config_directory() / "config.json"
    try:
        found = msgspec.json.decode(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from error
    return found if isinstance(found, dict) else {}


def config_directory() -> Path:
    """Where the docker command keeps its configuration."""
    return Path(os.environ.get("DOCKER_CONFIG") or Path("~/.docker").expanduser())


def _of_context(name: str) -> Endpoint:
    docker = _context(name)
    host = docker.get("Host") or DEFAULT_ADDRESS
    try:
        where = parse_address(str(host))
    except InputError as error:
        raise InputError(f"Docker context '{name}': {error}") from error
    if isinstance(where, ContextAddress):
        raise InputError(f"Docker context '{name}' names another context, '{where.name}': give it a host instead.")
    if not isinstance(where, TcpAddress):
        return Endpoint(where)
    directory = config_directory() / "contexts" / "tls" / _digest(name) / "docker"
    tls = _tls_files(directory, verify=not docker.get("SkipTLSVerify"))
    if tls is None and docker.get("SkipTLSVerify"):
        tls = Tls(None, None, None, verify=False)
    return _safe(Endpoint(where, tls))


def _context(name: str) -> dict[str, Any]:
    """The docker endpoint of a context's meta.json."""
    path = config_directory() / "contexts" / "meta" / _digest(name) / "meta.json"
    try:
        docker = msgspec.json.decode(path.read_bytes())["Endpoints"]["docker"]
    except FileNotFoundError:
        known = ", ".join(sorted([DEFAULT, *_names()]))
        raise InputError(f"There is no Docker context '{name}'. There are: {known}.") from None
    except (OSError, msgspec.DecodeError, KeyError, TypeError) as error:
        raise InputError(f"The Docker context '{name}' cannot be read from {path}: {error}.") from error
    if not isinstance(docker, dict):
        raise InputError(f"The Docker context '{name}' has no docker endpoint in {path}.")
    return docker


def _names() -> list[str]:
    found = map(_name, (config_directory() / "contexts" / "meta").glob("*/meta.json"))
    return [name for name in found if name]


def _name(path: Path) -> str:
    """The name in a meta.json; empty when it has none, as one broken context does not hide the others."""
    try:
        return str(msgspec.json.decode(path.read_bytes())["Name"])
    except (OSError, msgspec.DecodeError, KeyError, TypeError):
        return ""


def _digest(name: str) -> str:
    import hashlib  # takes long to load, and most hosts are named otherwise

    return hashlib.sha256(name.encode()).hexdigest()


def _tls_of_environment(where: TcpAddress) -> Tls | None:
    """What the environment says of a tcp:// address that was given without a context.

    An address outlives the environment it was registered from, so TLS does not hang on DOCKER_TLS_VERIFY alone:
    beyond this machine there is none without it.
    """
    if is_loopback(where.host) and where.port != TLS_PORT and not os.environ.get("DOCKER_TLS_VERIFY"):
        return None
    return _tls_files(Path(os.environ.get("DOCKER_CERT_PATH") or config_directory()), verify=True)


def _tls_files(directory: Path, *, verify: bool) -> Tls | None:
    ca, cert, key = (
        path if path.is_file() else None for path in (directory / f"{name}.pem" for name in ("ca", "cert", "key"))
    )
    if ca is None and cert is None:
        return None
    if (cert is None) != (key is None):
        raise InputError(f"{directory} has one of cert.pem and key.pem: TLS with a client certificate needs both.")
    return Tls(ca, cert, key, verify)


def _safe(endpoint: Endpoint) -> Endpoint:
    where = endpoint.where
    if isinstance(where, TcpAddress) and endpoint.tls is None and not is_loopback(where.host):
        raise InputError(
            f"{where} without TLS is refused, as whoever reaches that port is root there: use ssh://{where.host}, "
            "or a Docker context with ca, cert and key, or DOCKER_CERT_PATH."
        )
    return endpoint


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name or number alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
