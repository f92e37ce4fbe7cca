"""The engine as the rest of ecsctl sees it: a dozen plain verbs over containers on one host.

Every verb raises EngineUnreachable when the request did not reach the engine, EngineTimeout when
what became of it is unknown, and EngineRefused (NotFound, ImageNotFound, NetworkNotFound, Conflict) when the
engine said no. Verbs that are asked for a state the container is already in succeed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol

from msgspec import Struct

from ecsctl.model.observed import (
    Address,
    Health,
    LogChunk,
    Observed,
    ObservedImage,
    PortBinding,
    Settings,
    State,
    Stream,
)

__all__ = [
    "Address",
    "CreateBody",
    "Engine",
    "EngineEvent",
    "EngineInfo",
    "ExecSession",
    "Health",
    "JoinTokens",
    "LogChunk",
    "Network",
    "Observed",
    "ObservedImage",
    "PortBinding",
    "PullProgress",
    "RegistryLogin",
    "Settings",
    "State",
    "Stream",
    "Subnet",
    "SwarmMember",
    "Usage",
]

CreateBody = dict[str, Any]
"""The body of the Engine API's `POST /containers/create` (API 1.41)."""


class EngineInfo(Struct, frozen=True):
    """What an engine says of its host: memory in bytes, architecture and os as it names them (`x86_64`, `linux`).

    `live_restore`: whether containers survive the end of the engine itself. `clock`: the host's time, in seconds since
    1970. `directory`: where, on the host, it keeps images and containers. `podman`: it is one, which keeps to Docker's
    API by and large.
    """

    id: str
    name: str
    cpus: int
    memory: int
    os: str
    architecture: str
    version: str
    api_version: str
    live_restore: bool
    clock: float = 0.0
    directory: str = ""
    podman: bool = False


class EngineEvent(Struct, frozen=True):
    """A container of ours died, was destroyed, or changed its health: its id, its `ecsctl.task` label, and which."""

    container: str
    task: str
    action: Literal["die", "destroy", "health_status"]


class RegistryLogin(Struct, frozen=True):
    """Who pulls an image."""

    username: str
    password: str

    def __repr__(self) -> str:
        return f"RegistryLogin({self.username!r}, ***)"


class PullProgress(Struct, frozen=True):
    """How far a pull is: layers that are there, of those that are known of; bytes that have come, of those that are
    known of."""

    layers: int = 0
    of_layers: int = 0
    bytes: int = 0
    of_bytes: int = 0


class Subnet(Struct, frozen=True):
    """The addresses of a network without a way out, in CIDR notation, and the one that no container gets."""

    block: str
    reserved: str


class Network(Struct, frozen=True):
    """A network: its driver is `overlay` where it spans the hosts of a swarm."""

    name: str
    driver: str
    labels: dict[str, str]


class SwarmMember(Struct, frozen=True):
    """What an engine says of the swarm that it is in. `state`: `inactive` where it is in none, `active` where all is
    well. `node` is its id there, `address` where others reach it; `swarm`, the swarm's id, only a manager tells.
    `managers`: where they listen, by their ids, as far as the engine knows them."""

    state: str = "inactive"
    node: str = ""
    address: str = ""
    swarm: str = ""
    managers: Mapping[str, str] = {}
    error: str = ""

    @property
    def is_manager(self) -> bool:
        return self.swarm != ""


class JoinTokens(Struct, frozen=True):
    """What lets an engine join a swarm: whoever has one can."""

    worker: str
    manager: str

    def __repr__(self) -> str:
        return "JoinTokens(***)"


class Usage(Struct, frozen=True):
    """What a running container uses: how many CPUs, as the mean of a second, and memory in bytes, without the part of
    the file cache that the kernel would give back at once."""

    cpus: float
    memory: int


class ExecSession(Protocol):
    """A command in a container, which has been started. It is talked with once."""

    def resize(self, rows: int, columns: int) -> None:
        """Tell the size of the terminal; it may be told while the conversation goes on. Failures are of no matter."""

    def converse(self, stdin: int | None, write: Callable[[Stream, bytes], object]) -> int:
        """Pass on what comes from a file descriptor until its end, and what the command says, until it has ended; its
        exit code. EngineTimeout when the connection is lost."""

    def leave(self) -> None:
        """End the conversation: converse() fails with EngineTimeout soon. The command may go on: no engine ends one."""


class Engine(Protocol):
    """One container engine. Instances may be used by several threads at once."""

    def ping(self) -> None:
        """Whether the engine answers: the cheapest question there is."""

    def info(self) -> EngineInfo: ...

    def list(self, install: str | None, *, shared: bool = False) -> list[Observed]:
        """Every container, running or not, that carries the label `ecsctl.install=<install>`; with `shared` those too
        that belong to everybody (`*`). None: of any install."""

    def published(self) -> set[tuple[int, str]]:
        """The ports of the host, with their protocols, that containers hold, whoever made them."""

    def inspect(self, container: str) -> Observed:
        """By id or name. NotFound when there is none."""

    def settings(self, container: str) -> Settings:
        """What it was created with. By id or name. NotFound when there is none."""

    def create(self, name: str, body: CreateBody) -> str:
        """The new container's id. Conflict: the name is taken; ImageNotFound, NetworkNotFound: it needs one that is
        not on the host."""

    def put_archive(self, container_id: str, path: str, archive: bytes) -> None:
        """Unpack a tar archive in a directory of a container, running or not. What is there of the same name is
        replaced. NotFound when the container is gone, or has no such directory."""

    def start(self, container_id: str) -> None:
        """Success when it runs already. NotFound when it is gone, NetworkNotFound when a network of its is."""

    def stop(self, container_id: str, timeout: int) -> None:
        """The image's stop signal, then SIGKILL after `timeout` seconds; returns when it has ended, or had."""

    def kill(self, container_id: str) -> None:
        """SIGKILL. Success when it does not run."""

    def rename(self, container_id: str, name: str) -> None:
        """NotFound when it is gone, Conflict when the name is taken."""

    def remove(self, container: str) -> None:
        """By id or name, running or not, with its anonymous volumes. Success when there is none."""

    def feed(self, container_id: str, line: bytes, answer: bytes) -> None:
        """Give a line to a container's standard input, which has to be open, and wait for a short one on its output.
        Several may do it at once. NotFound when it is gone, Conflict when it has ended, EngineTimeout when it does not
        answer."""

    def pull(
        self,
        image: str,
        login: RegistryLogin | None = None,
        tell: Callable[[PullProgress], object] | None = None,
    ) -> None:
        """Fetch an image, by that log-in or with the user's own registry credentials. EngineRefused carries the
        registry's words. `tell` is told how far it is, often."""

    def load(self, image: Iterable[bytes]) -> None:
        """Put an image on the host, given as `docker save` writes images, in pieces of any size."""

    def export(self, image: str) -> Iterator[bytes]:
        """An image, as `docker save` writes it, in pieces. ImageNotFound."""

    def image(self, name: str) -> ObservedImage | None:
        """By name or id; None when there is none."""

    def list_images(self) -> Sequence[ObservedImage]:
        """Every image that has a name or is of no other's making, without its layers."""

    def used_images(self) -> frozenset[str]:
        """The ids of the images of all containers, running or not, whoever made them."""

    def remove_image(self, name: str) -> None:
        """Take a name from an image, and with its last one the image; by id, the image. Success when there is none.
        Conflict while a container uses it, another image is built on it, or, by id, it has several names."""

    def logs(
        self, container_id: str, *, follow: bool = False, since: str | None = None, tail: int | None = None
    ) -> Iterator[LogChunk]:
        """The output so far, line by line; with `follow` until the container ends.

        `since` is a timestamp as in LogChunk (inclusive), `tail` the number of last lines to begin with.
        """

    def execute(
        self, container_id: str, command: Sequence[str], *, tty: bool = False, stdin: bool = False
    ) -> ExecSession:
        """Start a command in a running container, as its root. NotFound when it is gone, Conflict when it does not
        run, EngineRefused when there is no such command."""

    def usage(self, container_id: str) -> Usage | None:
        """What it uses now, which takes a second or two to tell; None when it does not run. NotFound when it is
        gone."""

    def statistics(self, container_id: str) -> dict[str, Any]:
        """All that the engine says of what a container uses, in its own words, which takes a second or two to tell.
        NotFound when it is gone."""

    def events(self, install: str, quiet: float) -> Iterator[EngineEvent | None]:
        """What happens to the containers that `list` shows, from now on: ends and changes of health.

        None comes first, once the engine is listening: a listing made after it misses nothing. EngineTimeout when
        nothing happened for `quiet` seconds.
        """

    def create_volume(self, name: str, driver: str | None, options: dict[str, str], labels: dict[str, str]) -> str:
        """Where it is on the host, if its driver says so. Success when a volume of that name exists already."""

    def has_volume(self, name: str) -> bool: ...

    def remove_volume(self, name: str) -> None:
        """Success when there is none. Conflict while a container uses it."""

    def create_network(
        self, name: str, labels: dict[str, str], subnet: Subnet | None = None, *, internal: bool = False
    ) -> None:
        """A network of the host's own; with a subnet, or `internal`, it has no way out. Success when there is a network
        of that name already, of whatever kind."""

    def create_overlay(self, name: str, labels: dict[str, str], *, internal: bool = False) -> None:
        """A network of all hosts of the swarm, which this engine has to be a manager of. Success when the swarm has one
        of that name already; Conflict when only this host has."""

    def connect_network(self, name: str, container_id: str, names: Sequence[str] = ()) -> None:
        """Put a container into a further network, by the time it runs; the others in it find it by these names too.
        Success when it is in it, by whatever names. NotFound when the container is gone, NetworkNotFound, now or at its
        start, when the network is not there."""

    def disconnect_network(self, name: str, container_id: str) -> None:
        """Take a container out of a network. Success when it is not in it, or there is no such network. NotFound when
        the container is gone."""

    def list_networks(self, label: str) -> Sequence[Network]:
        """Those that carry a label, as far as the host knows them."""

    def remove_network(self, name: str) -> None:
        """Success when there is none. Conflict while a container uses it."""

    def swarm(self) -> SwarmMember: ...

    def init_swarm(self, address: str = "") -> None:
        """Begin a swarm, as its manager, which others reach at an IP address; by default the engine chooses. Conflict
        when it is in one. EngineRefused: it has several addresses, and cannot choose."""

    def join_tokens(self) -> JoinTokens:
        """EngineRefused when it is no manager of a swarm."""

    def join_swarm(self, managers: Sequence[str], token: str, address: str = "") -> None:
        """Join a swarm by one of its managers (`address:port`). Conflict when it is in one; EngineRefused when it does
        not get through to them, and then it is in none."""

    def leave_swarm(self) -> None:
        """Success when it is in none. Its containers go on."""

    def close(self) -> None:
        """Give connections back."""
