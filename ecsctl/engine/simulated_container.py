"""What a simulated container is and does: a function of its program and the time."""

from __future__ import annotations

import io
import os
import re
import select
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from ecsctl.engine.port import Address, CreateBody, Health, LogChunk, Observed, PortBinding, State, Stream, Usage
from ecsctl.model.errors import EngineTimeout
from ecsctl.model.record import evolve
from ecsctl.model.timestamps import rfc3339

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
"""What an engine takes as a name."""

_HOST_ADDRESSES = ("0.0.0.0", "::")  # noqa: S104 - what an engine reports for a port published everywhere


class StartError(NamedTuple):
    """How a start is refused: the HTTP status, the engine's words, and the exit code that inspect then shows."""

    status: int
    message: str
    exit_code: int = 128


class Program(NamedTuple):
    """What containers of an image do. Times are seconds after the start; nothing at all means: run for ever.

    `health`: (when, what) in order, before the first of which it is `starting`; empty means no health check.
    `output`: (when, stream, line without its end). `cpu`: how many CPUs it keeps busy, `memory`: bytes. `reads`: the
    path of a file whose lines it prints first. `listens`: it answers the lines that it is given, as is expected of it.
    `commands`: what it does instead where its command begins with that word.
    """

    exits_after: float | None = None
    exit_code: int = 0
    oom_killed: bool = False
    ignores_term: bool = False
    stop_seconds: float = 0.0
    stop_exit_code: int = 0
    health: tuple[tuple[float, Health], ...] = ()
    start_error: StartError | None = None
    output: tuple[tuple[float, Literal["stdout", "stderr"], bytes], ...] = ()
    cpu: float = 0.0
    memory: int = 1 << 20
    reads: str = ""
    listens: bool = False
    commands: tuple[tuple[str, Program], ...] = ()

    def of(self, body: CreateBody) -> Program:
        """What a container does that is created like this."""
        first = next(iter(body.get("Cmd") or ()), "")
        return dict(self.commands).get(first, self)


class SimulatedSession:
    """A command that says its own words and what it reads, as a terminal shows it, and ends at once, or at the end of
    its input (Ctrl-D)."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._left = False
        self.sizes: list[tuple[int, int]] = []

    def resize(self, rows: int, columns: int) -> None:
        self.sizes.append((rows, columns))

    def converse(self, stdin: int | None, write: Callable[[Stream, bytes], object]) -> int:
        write("stdout", " ".join(self._command).encode() + b"\n")
        while stdin is not None and not self._left:
            if select.select([stdin], [], [], 0.02)[0]:
                said, end, _ = os.read(stdin, 65536).partition(b"\x04")
                write("stdout", said)
                if end or not said:
                    return 0
        if self._left:
            raise EngineTimeout("The conversation with the command was ended.")
        return 0

    def leave(self) -> None:
        self._left = True


class PortWish(NamedTuple):
    """A port to publish. `host_ports` is the range to choose from, empty for any that is free."""

    host_ip: str
    host_ports: range
    container_port: int
    protocol: str


@dataclass
class Container:
    """One container; `state` and what follows are as of the last `settle`."""

    id: str
    name: str
    image_id: str
    body: CreateBody
    program: Program
    created: float
    state: State = "created"
    ports: tuple[PortBinding, ...] = ()
    exit_code: int = 0
    oom_killed: bool = False
    error: str = ""
    started: float | None = None
    finished: float | None = None
    forced_health: Health | None = None
    printed: list[LogChunk] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    """What was put into it, by path."""
    fed: list[bytes] = field(default_factory=list)
    """The lines that it was given since it began."""
    further_networks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Each with the names that it has there."""
    _end: tuple[float, int, bool] | None = None
    """When it will end, with which code, and whether by running out of memory."""

    @property
    def runs(self) -> bool:
        return self.state == "running"

    def start(self, now: float, ports: tuple[PortBinding, ...]) -> None:
        self.state, self.ports, self.started, self.finished = "running", ports, now, None
        self.exit_code, self.oom_killed, self.error, self.forced_health = 0, False, "", None
        self.fed = []
        after = self.program.exits_after
        self._end = None if after is None else (now + after, self.program.exit_code, self.program.oom_killed)

    def unpack(self, path: str, archive: bytes) -> None:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar.getmembers():
                if (content := tar.extractfile(member)) is not None:
                    self.files[f"{path.rstrip('/')}/{member.name}"] = content.read()

    def fail(self, error: StartError) -> None:
        """A start that was refused: it remains created, or what it was."""
        self.exit_code, self.error = error.exit_code, error.message

    def end_by(self, when: float, code: int, *, oom_killed: bool = False) -> None:
        """It ends then, unless it does earlier: of two stops, the shorter wins."""
        if self._end is None or when < self._end[0]:
            self._end = (when, code, oom_killed)

    def settle(self, now: float) -> None:
        """Let happen what is due."""
        if not self.runs or self._end is None or self._end[0] > now:
            return
        when, self.exit_code, self.oom_killed = self._end
        self.printed = self._output_until(when)
        self.state, self.finished, self.ports, self._end = "exited", when, (), None

    def usage(self) -> Usage | None:
        return Usage(self.program.cpu, self.program.memory) if self.runs else None

    def next_change(self, now: float) -> float | None:
        """When something it does by itself is due, if ever."""
        if not self.runs or self.started is None:
            return None
        due = [self.started + when for when, *_ in self.program.output]
        due += [self._end[0]] if self._end else []
        return min((when for when in due if when > now), default=None)

    def output(self, now: float) -> list[LogChunk]:
        return self._output_until(now) if self.runs else list(self.printed)

    def listed(self, now: float) -> Observed:
        """As the engine's listing shows it: without exit code and times, and with a health only while it runs."""
        return Observed(
            id=self.id,
            name=self.name,
            labels=dict(self.body.get("Labels") or {}),
            state=self.state,
            health=self._health(now) if self.runs else None,
            image_id=self.image_id,
            ports=self.ports,
            addresses=self._addresses(),
        )

    def inspected(self, now: float) -> Observed:
        # The engine calls what it no longer checks unhealthy.
        health = "unhealthy" if self.started is not None and not self.runs else self._health(now)
        return evolve(
            self.listed(now),
            health=health if self._is_checked() else None,
            exit_code=self.exit_code,
            oom_killed=self.oom_killed,
            error=self.error,
            started_at=None if self.started is None else rfc3339(self.started),
            finished_at=None if self.finished is None else rfc3339(self.finished),
        )

    @property
    def network(self) -> str:
        """As its create body names it: a network's name, or `container:` and whose it shares."""
        mode = str((self.body.get("HostConfig") or {}).get("NetworkMode") or "default")
        return "bridge" if mode == "default" else mode

    @property
    def networks(self) -> set[str]:
        """All that it is in."""
        return {self.network, *self.further_networks}

    def _addresses(self) -> tuple[Address, ...]:
        """In a network of its own; which address it is, is a function of its id."""
        if not self.runs or self.network in ("host", "none") or self.network.startswith("container:"):
            return ()
        a, b, c = (int(self.id[i : i + 2], 16) for i in (0, 2, 4))
        found = [(self.network, f"172.{a % 16 + 16}.{b}.{c}", f"02:42:ac:{a % 16 + 16:02x}:{b:02x}:{c:02x}")]
        found += [(name, f"169.254.{b}.{c}", f"02:42:a9:fe:{b:02x}:{c:02x}") for name in self.further_networks]
        return tuple(Address(name, ipv4, "", mac) for name, ipv4, mac in sorted(found))

    def volumes(self) -> set[str]:
        """The named volumes it uses."""
        host = self.body.get("HostConfig") or {}
        mounts = {mount["Source"] for mount in host.get("Mounts") or () if mount.get("Type") == "volume"}
        binds = {bind.partition(":")[0] for bind in host.get("Binds") or () if not bind.startswith("/")}
        return mounts | binds

    def _is_checked(self) -> bool:
        test = (self.body.get("Healthcheck") or {}).get("Test") or []
        return test[:1] != ["NONE"] and bool(test or self.program.health)

    def _health(self, now: float) -> Health | None:
        if not self._is_checked():
            return None
        if self.forced_health is not None:
            return self.forced_health
        found: Health = "starting"
        for when, health in self.program.health:
            if self.started is not None and self.started + when <= now:
                found = health
        return found

    def _output_until(self, end: float) -> list[LogChunk]:
        if self.started is None:
            return list(self.printed)
        one_stream = bool(self.body.get("Tty"))
        read: list[tuple[float, Stream, bytes]] = [
            (0.0, "stdout", line) for line in self.files.get(self.program.reads, b"").splitlines()
        ]
        return self.printed + [
            LogChunk("stdout" if one_stream else stream, rfc3339(self.started + when), line)
            for when, stream, line in (*read, *self.program.output)
            if self.started + when <= end
        ]


def wished_ports(body: CreateBody) -> list[PortWish]:
    """The ports a create body wants published."""
    host: dict[str, Any] = body.get("HostConfig") or {}
    if (host.get("NetworkMode") or "bridge") in ("host", "none") or str(host.get("NetworkMode")).startswith(
        "container:"
    ):
        return []
    wishes = []
    bindings: dict[str, Any] = dict(host.get("PortBindings") or {})
    if host.get("PublishAllPorts"):
        bindings |= {port: [{}] for port in body.get("ExposedPorts") or {} if port not in bindings}
    for port, places in sorted(bindings.items()):
        number, _, protocol = port.partition("/")
        for place in places or [{}]:
            host_port = str(place.get("HostPort") or "0")
            first, _, last = host_port.partition("-")
            ports = range(0) if host_port == "0" else range(int(first), int(last or first) + 1)
            wishes.append(PortWish(place.get("HostIp") or "", ports, int(number), protocol or "tcp"))
    return wishes


def allocate(wishes: list[PortWish], taken: set[tuple[str, int]], dynamic: range) -> tuple[PortBinding, ...] | PortWish:
    """The bindings that serve the wishes, or the first wish that cannot be served. `taken`: (protocol, host port)."""
    taken = set(taken)
    found: list[PortBinding] = []
    for wish in wishes:
        host_port = next((port for port in wish.host_ports or dynamic if (wish.protocol, port) not in taken), None)
        if host_port is None:
            return wish
        taken.add((wish.protocol, host_port))
        places = _HOST_ADDRESSES if wish.host_ip == "" else (wish.host_ip,)
        found += [PortBinding(host_ip, host_port, wish.container_port, wish.protocol) for host_ip in places]
    return tuple(sorted(found))
