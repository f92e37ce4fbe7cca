"""What an engine says of one container, or of one image."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

State = Literal["created", "running", "paused", "restarting", "removing", "exited", "dead"]
Stream = Literal["stdout", "stderr"]
Health = Literal["starting", "healthy", "unhealthy"]


class LogChunk(Struct, frozen=True):
    """A piece of a container's output, with the engine's timestamp (RFC 3339, nanoseconds) and without the line end."""

    stream: Stream
    timestamp: str
    line: bytes


class LogPlace(Struct, frozen=True):
    """Where a container's log is kept (CloudWatch Logs: log group and log stream). `container` is the engine's id: a
    stream may have the logs of several."""

    group: str
    stream: str
    container: str


class PortBinding(Struct, frozen=True, order=True):
    """One published port."""

    host_ip: str
    host_port: int
    container_port: int
    protocol: str


class Address(Struct, frozen=True):
    """Where a container is in a network of its host: IPv4, IPv6 (empty if none) and MAC address."""

    network: str
    ipv4: str
    ipv6: str
    mac: str


class ObservedImage(Struct, frozen=True):
    """What an engine says of one image. `tags` and `digests` are the names that it has, `repository:tag` and
    `repository@sha256:…`; `layers` the digests of its unpacked layers, from the lowest, which only `image` tells;
    `size` is in bytes."""

    id: str
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    size: int = 0
    layers: tuple[str, ...] = ()


class Settings(Struct, frozen=True):
    """What a container was created with that its labels do not say: by which name its image, when (RFC 3339, in the
    host's clock), and what may be secret, its environment, the image's in it, and the options of its log driver."""

    image: str
    created_at: str
    environment: dict[str, str]
    log_options: dict[str, str]

    def __repr__(self) -> str:
        return "Settings(***)"


class Observed(Struct, frozen=True):
    """What an engine says of one container.

    `list` leaves out what the engine's listing does not tell: everything after `addresses`.
    Times are RFC 3339 in the host's clock, None for "never".
    """

    id: str
    name: str
    labels: dict[str, str]
    state: State
    health: Health | None = None
    image_id: str | None = None
    ports: tuple[PortBinding, ...] = ()
    addresses: tuple[Address, ...] = ()
    exit_code: int | None = None
    oom_killed: bool = False
    error: str = ""
    started_at: str | None = None
    finished_at: str | None = None

    @property
    def is_up(self) -> bool:
        """Whether the container has a process."""
        return self.state in ("running", "paused", "restarting")

    @property
    def has_ended(self) -> bool:
        """Whether the container ran and ended (a failed start leaves it `created`)."""
        return self.state in ("exited", "dead")

    @property
    def ran(self) -> float | None:
        """How long it ran, in seconds by the host's clock; None where that is not told."""
        if not self.started_at or not self.finished_at:
            return None
        from ecsctl.model.timestamps import unix_time  # most looks find nothing that has ended

        return float(unix_time(self.finished_at)) - float(unix_time(self.started_at))
