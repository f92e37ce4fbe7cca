"""A Docker Engine in memory, with a virtual clock and faults. It passes the contract suite of the real one.

Nothing in it is random: the same calls at the same times give the same answers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any, Literal, TypeVar

from ecsctl.engine.port import (
    CreateBody,
    EngineEvent,
    EngineInfo,
    ExecSession,
    Health,
    JoinTokens,
    LogChunk,
    Network,
    Observed,
    ObservedImage,
    PullProgress,
    RegistryLogin,
    Settings,
    Subnet,
    SwarmMember,
    Usage,
)
from ecsctl.engine.simulated_container import (
    NAME,
    Container,
    PortWish,
    Program,
    SimulatedSession,
    StartError,
    allocate,
    wished_ports,
)
from ecsctl.engine.simulated_faults import Call, Fault, Pullable
from ecsctl.engine.simulated_images import Images, image_reference
from ecsctl.engine.simulated_networks import Networks
from ecsctl.engine.transport import refusal
from ecsctl.model import identity
from ecsctl.model.errors import (
    Conflict,
    EngineRefused,
    EngineTimeout,
    EngineUnreachable,
    ImageNotFound,
    NetworkNotFound,
    NotFound,
)
from ecsctl.model.record import evolve
from ecsctl.model.timestamps import rfc3339

T = TypeVar("T")
DYNAMIC_PORTS = range(32768, 61000)
MIN_MEMORY = 6 * 1024 * 1024
GIB = 1024**3
EVENT_POLL = 0.05
INFO = EngineInfo(
    "SIMU:0001", "simulated", 4, 8 * GIB, "linux", "x86_64", "20.10.24", "1.41", live_restore=False, directory="/"
)


class SimulatedEngine:
    """The engine port in memory; see port.Engine for the verbs. May be used by several threads.

    `now` gives seconds since 1970. `sleep` lets time pass where a real call would take some (stop, pull, following
    a log); without it those calls take none. `images`: what containers of an image do; `registry`: what can be pulled.
    Both may be changed at any time, as may `faults`, `reachable`, `disk_full` and `clock_ahead`, seconds.
    """

    def __init__(
        self,
        now: Callable[[], float],
        images: dict[str, Program] | None = None,
        *,
        sleep: Callable[[float], None] | None = None,
        info: EngineInfo = INFO,
        registry: dict[str, Pullable] | None = None,
        wire: dict[str, Networks] | None = None,
    ) -> None:
        self.images = Images(images or {}, registry or {})
        self.registry = self.images.registry
        self.faults: list[Fault] = []
        self.disk_full = False
        self.clock_ahead = 0.0
        self.calls: list[Call] = []
        self.volumes: dict[str, dict[str, str]] = {}
        self.networks = Networks(info.name, {} if wire is None else wire)
        self._now = now
        self._sleep = sleep
        self._info = info
        self._containers: dict[str, Container] = {}
        self._created = 0
        self._late: list[tuple[float, int, Callable[[], object]]] = []
        self._lock = RLock()
        self._happened: list[tuple[str | None, EngineEvent]] = []  # each with the install it is for
        self._known: dict[str, Observed] = {}

    # What tests do to it

    @property
    def reachable(self) -> bool:
        """Whether it answers, us and the other engines that have the same `wire`."""
        return self.networks.reachable

    @reachable.setter
    def reachable(self, value: bool) -> None:
        self.networks.reachable = value

    def resolve(self, network: str, name: str) -> list[str]:
        """The names of its containers that others in a network find by a name."""
        with self._settled():
            running = [found for found in self._containers.values() if found.runs]
            return [found.name for found in running if name in found.further_networks.get(network, ())]

    def calls_of(self, *verbs: str) -> list[Call]:
        """The calls made so far, of some verbs."""
        return [call for call in self.calls if call.verb in verbs]

    def end(self, container: str, exit_code: int = 0, *, oom_killed: bool = False) -> None:
        """The container's process ends, by itself or by somebody's hand."""
        with self._settled() as now:
            self._find(container).end_by(now, exit_code, oom_killed=oom_killed)

    def set_health(self, container: str, health: Health) -> None:
        """What its health check says from now on."""
        with self._settled():
            self._find(container).forced_health = health

    def lose_power(self) -> None:
        """Every container ends with 255, as after a reboot of the host; what was to be done late is not."""
        with self._settled() as now:
            self._late.clear()
            for container in self._containers.values():
                container.end_by(now, 255)
                container.settle(now)

    def containers(self) -> list[Observed]:
        """Everything on the host as inspect shows it, by creation. No call is recorded."""
        with self._settled() as now:
            return [container.inspected(now) for container in self._containers.values()]

    # The port

    def ping(self) -> None:
        self._call("ping", (), lambda _: None)

    def info(self) -> EngineInfo:
        return self._call("info", (), lambda now: evolve(self._info, clock=now + self.clock_ahead))

    def list(self, install: str | None, *, shared: bool = False) -> list[Observed]:
        def act(now: float) -> list[Observed]:
            seen = [container.listed(now) for container in self._containers.values()]
            owned = [found for found in reversed(seen) if identity.INSTALL in found.labels]
            wanted = {install, identity.SHARED} if shared else {install}
            return [found for found in owned if install is None or found.labels[identity.INSTALL] in wanted]

        return self._call("list", (install,), act)

    def published(self) -> set[tuple[int, str]]:
        return self._call("published", (), lambda _: {(port, protocol) for protocol, port in self._taken_ports()})

    def inspect(self, container: str) -> Observed:
        return self._call("inspect", (container,), lambda now: self._find(container).inspected(now))

    def settings(self, container: str) -> Settings:
        def act(_: float) -> Settings:
            found = self._find(container)
            body = found.body
            given = (entry.partition("=") for entry in body.get("Env") or ())
            options = ((body.get("HostConfig") or {}).get("LogConfig") or {}).get("Config") or {}
            environment = {name: value for name, _, value in given}
            return Settings(body["Image"], rfc3339(found.created), environment, options)

        return self._call("settings", (container,), act)

    def create(self, name: str, body: CreateBody) -> str:
        return self._call("create", (name, body), lambda now: self._create(name, body, now))

    def put_archive(self, container_id: str, path: str, archive: bytes) -> None:
        arguments = (container_id, path, archive)
        self._call("put_archive", arguments, lambda _: self._find(container_id).unpack(path, archive))

    def start(self, container_id: str) -> None:
        self._call("start", (container_id,), lambda now: self._start(self._find(container_id), now))

    def stop(self, container_id: str, timeout: int) -> None:
        def act(now: float) -> float:
            container = self._find(container_id)
            if not container.runs:
                return 0.0
            program = container.program
            killed = program.ignores_term or program.stop_seconds > timeout
            seconds = (float(timeout) if killed else program.stop_seconds) if self._sleep else 0.0
            container.end_by(now + seconds, 137 if killed else program.stop_exit_code)
            container.settle(now)
            return seconds

        self._pass(self._call("stop", (container_id, timeout), act))

    def kill(self, container_id: str) -> None:
        def act(now: float) -> None:
            container = self._find(container_id)
            container.end_by(now, 137)
            container.settle(now)

        self._call("kill", (container_id,), act)

    def rename(self, container_id: str, name: str) -> None:
        def act(_: float) -> None:
            container = self._find(container_id)
            if container.name != name:
                self._check_name(name, "Error when allocating new name: ")
                container.name = name

        self._call("rename", (container_id, name), act)

    def remove(self, container: str) -> None:
        def act(_: float) -> None:
            found = self._lookup(container)
            if found is not None:
                del self._containers[found.id]

        self._call("remove", (container,), act)

    def feed(self, container_id: str, line: bytes, answer: bytes) -> None:
        def act(_: float) -> None:
            container = self._find(container_id)
            if not container.runs:
                raise Conflict(409, f"Container {container_id} is not running")
            if not container.program.listens:
                raise EngineTimeout(f"{self._info.name}: the container did not answer.")
            container.fed.append(line)

        self._call("feed", (container_id, line, answer), act)

    def pull(
        self,
        image: str,
        login: RegistryLogin | None = None,
        tell: Callable[[PullProgress], object] | None = None,
    ) -> None:
        seconds = self._call("pull", (image, login) if login else (image,), lambda _: self.images.pull(image))
        if tell is not None:
            tell(PullProgress(1, 1, 100, 100))
        self._pass(seconds)

    def load(self, image: Iterable[bytes]) -> None:
        content = b"".join(image)
        self._call("load", (len(content),), lambda _: self.images.load(content))

    def export(self, image: str) -> Iterator[bytes]:
        yield self._call("export", (image,), lambda _: self.images.export(image))

    def image(self, name: str) -> ObservedImage | None:
        return self._call("image", (name,), lambda _: self.images.find(name))

    def list_images(self) -> Sequence[ObservedImage]:
        return self._call("list_images", (), lambda _: self.images.listing())

    def used_images(self) -> frozenset[str]:
        def act(_: float) -> frozenset[str]:
            return frozenset(container.image_id for container in self._containers.values())

        return self._call("used_images", (), act)

    def remove_image(self, name: str) -> None:
        def act(_: float) -> None:
            self.images.remove(name, {container.image_id for container in self._containers.values()})

        self._call("remove_image", (name,), act)

    def logs(
        self, container_id: str, *, follow: bool = False, since: str | None = None, tail: int | None = None
    ) -> Iterator[LogChunk]:
        read = 0
        while True:
            chunks, left = self._call("logs", (container_id,), lambda now: self._output(container_id, now))
            if read == 0:
                first = len(chunks) - tail if tail is not None else 0
                read = max(0, first)
            for chunk in chunks[read:]:
                if since is None or chunk.timestamp >= since:
                    yield chunk
            read = len(chunks)
            if not follow or left is None or self._sleep is None:
                return
            self._sleep(left)

    def execute(
        self, container_id: str, command: Sequence[str], *, tty: bool = False, stdin: bool = False
    ) -> ExecSession:
        def act(_: float) -> ExecSession:
            container = self._find(container_id)
            if not container.runs:
                raise Conflict(409, f"Container {container_id} is not running")
            return SimulatedSession(list(command))

        return self._call("execute", (container_id, tuple(command), tty, stdin), act)

    def usage(self, container_id: str) -> Usage | None:
        return self._call("usage", (container_id,), lambda _: self._find(container_id).usage())

    def statistics(self, container_id: str) -> dict[str, Any]:
        def act(_: float) -> dict[str, Any]:
            container = self._find(container_id)
            used = container.usage()
            return {
                "id": container.id,
                "name": f"/{container.name}",
                "memory_stats": {"usage": used.memory} if used else {},
            }

        return self._call("statistics", (container_id,), act)

    def events(self, install: str, quiet: float) -> Iterator[EngineEvent | None]:
        read = self._call("events", (install,), lambda _: len(self._happened))
        yield None
        silent = 0.0
        while silent < quiet and self.reachable:
            with self._settled():
                new = self._happened[read:]
            read += len(new)
            yield from (event for owner, event in new if owner == install)
            if self._sleep is None:
                break
            if not new:
                self._sleep(EVENT_POLL)
                silent += EVENT_POLL
        raise EngineTimeout(f"{self._info.name} told of no event.")

    def create_volume(self, name: str, driver: str | None, options: dict[str, str], labels: dict[str, str]) -> str:
        def act(_: float) -> str:
            self.volumes.setdefault(name, dict(labels))
            return f"/var/lib/docker/volumes/{name}/_data"

        return self._call("create_volume", (name, driver, options, labels), act)

    def has_volume(self, name: str) -> bool:
        return self._call("has_volume", (name,), lambda _: name in self.volumes)

    def remove_volume(self, name: str) -> None:
        def act(_: float) -> None:
            users = [found.id for found in self._containers.values() if name in found.volumes()]
            if users and name in self.volumes:
                raise Conflict(409, f"remove {name}: volume is in use - [{', '.join(users)}]")
            self.volumes.pop(name, None)

        self._call("remove_volume", (name,), act)

    def create_network(
        self, name: str, labels: dict[str, str], subnet: Subnet | None = None, *, internal: bool = False
    ) -> None:
        made = Network(name, "bridge", dict(labels))
        self._call("create_network", (name, labels, subnet, internal), lambda _: self.networks.create(made))

    def create_overlay(self, name: str, labels: dict[str, str], *, internal: bool = False) -> None:
        made = Network(name, "overlay", dict(labels))
        self._call("create_overlay", (name, labels, internal), lambda _: self.networks.create_overlay(made))

    def connect_network(self, name: str, container_id: str, names: Sequence[str] = ()) -> None:
        def act(_: float) -> None:
            container = self._find(container_id)
            if name not in container.networks:
                if container.runs and not self.networks.find(name):
                    raise NetworkNotFound(404, f"network {name} not found")
                container.further_networks[name] = tuple(names)

        self._call("connect_network", (name, container_id, *names), act)

    def disconnect_network(self, name: str, container_id: str) -> None:
        def act(_: float) -> None:
            self._find(container_id).further_networks.pop(name, None)

        self._call("disconnect_network", (name, container_id), act)

    def list_networks(self, label: str) -> Sequence[Network]:
        return self._call("list_networks", (label,), lambda _: self.networks.listing(label))

    def remove_network(self, name: str) -> None:
        def act(_: float) -> None:
            users = [found for found in self._containers.values() if found.runs and name in found.networks]
            if users:
                raise Conflict(409, f"error while removing network: network {name} has active endpoints")
            self.networks.remove(name)

        self._call("remove_network", (name,), act)

    def swarm(self) -> SwarmMember:
        return self._call("swarm", (), lambda _: self.networks.member())

    def init_swarm(self, address: str = "") -> None:
        self._call("init_swarm", (address,), lambda _: self.networks.init())

    def join_tokens(self) -> JoinTokens:
        return self._call("join_tokens", (), lambda _: self.networks.tokens())

    def join_swarm(self, managers: Sequence[str], token: str, address: str = "") -> None:
        self._call("join_swarm", (tuple(managers), address), lambda _: self.networks.join(managers, token))

    def leave_swarm(self) -> None:
        self._call("leave_swarm", (), lambda _: self.networks.leave())

    def close(self) -> None:
        pass

    # How a call goes

    def _call(self, verb: str, args: tuple[Any, ...], act: Callable[[float], T]) -> T:
        with self._settled() as now:
            self.calls.append(Call(verb, args))
            fault = self._next_fault(verb)
            if not self.reachable or (fault and fault.kind == "unreachable"):
                raise EngineUnreachable(f"No Docker Engine at {self._info.name}: it is simulated to be unreachable.")
            if fault is None:
                return act(now)
            if fault.kind == "refused":
                if verb == "create" and fault.status == 404:
                    raise ImageNotFound(fault.status, fault.message)
                raise refusal(fault.status, fault.message)
            if fault.kind == "late":
                self._late.append((now + fault.seconds, len(self.calls), lambda: act(self._now())))
            elif fault.kind == "lost_reply":
                _quietly(lambda: act(now))
            raise EngineTimeout(f"{self._info.name} did not answer {verb}. Whether it was done is unknown.")

    def _next_fault(self, verb: str) -> Fault | None:
        for fault in self.faults:
            if (not fault.verbs or verb in fault.verbs) and fault.times != 0:
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    @contextmanager
    def _settled(self) -> Iterator[float]:
        """The engine's lock, and the time, with everything due by then done."""
        with self._lock:
            yield self._settle()

    def _settle(self) -> float:
        now = self._now()
        due = sorted((late for late in self._late if late[0] <= now), key=lambda late: late[:2])
        self._late = [late for late in self._late if late[0] > now]
        for _, _, act in due:
            _quietly(act)
        for container in self._containers.values():
            container.settle(now)
        self._note_changes(now)
        return now

    def _note_changes(self, now: float) -> None:
        """What the engine tells those who listen to its events."""
        seen = {container.id: container.listed(now) for container in self._containers.values()}
        for key, found in {**self._known, **seen}.items():
            before, after = self._known.get(key), seen.get(key)
            actions: list[Literal["die", "destroy", "health_status"]] = []
            if after and after.has_ended and not (before and before.has_ended):
                actions.append("die")
            if after and after.health in ("healthy", "unhealthy") and after.health != (before and before.health):
                actions.append("health_status")
            if after is None:
                actions += ["die", "destroy"] if found.is_up else ["destroy"]
            for action in actions:
                event = EngineEvent(key, found.labels.get(identity.TASK, ""), action)
                self._happened.append((found.labels.get(identity.INSTALL), event))
        self._known = seen

    def _pass(self, seconds: float) -> None:
        if seconds and self._sleep is not None:
            self._sleep(seconds)

    # What the verbs do

    def _lookup(self, container: str) -> Container | None:
        if container in self._containers:
            return self._containers[container]
        by_name = [found for found in self._containers.values() if found.name == container]
        by_prefix = [found for key, found in self._containers.items() if container and key.startswith(container)]
        if by_name:
            return by_name[0]
        return by_prefix[0] if len(by_prefix) == 1 else None

    def _find(self, container: str) -> Container:
        found = self._lookup(container)
        if found is None:
            raise NotFound(404, f"No such container: {container}")
        return found

    def _check_name(self, name: str, prefix: str = "") -> None:
        if not NAME.fullmatch(name):
            raise EngineRefused(400, f"Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")
        for found in self._containers.values():
            if found.name == name:
                raise Conflict(
                    409,
                    f'{prefix}Conflict. The container name "/{name}" is already in use by container "{found.id}". '
                    "You have to remove (or rename) that container to be able to reuse that name.",
                )

    def _create(self, name: str, body: CreateBody, now: float) -> str:
        image = self.images.find(str(body["Image"]))
        if image is None:
            raise ImageNotFound(404, f"No such image: {image_reference(str(body['Image']))}")
        memory = (body.get("HostConfig") or {}).get("Memory") or 0
        if 0 < memory < MIN_MEMORY:
            raise EngineRefused(400, "Minimum memory limit allowed is 6MB")
        self._check_name(name)
        if self.disk_full:
            raise EngineRefused(500, "mkdir /var/lib/docker/overlay2: no space left on device")
        self._created += 1
        container_id = hashlib.sha256(f"{self._info.id} {self._created}".encode()).hexdigest()
        container = Container(container_id, name, image.id, body, self.images.program(image.id).of(body), now)
        self._containers[container_id] = container
        for volume in container.volumes():
            self.volumes.setdefault(volume, {})
        return container_id

    def _start(self, container: Container, now: float) -> None:
        if container.runs:
            return
        mode = container.network
        if mode.startswith("container:"):
            other = self._lookup(mode.removeprefix("container:"))
            if other is None:
                raise NotFound(404, f"No such container: {mode.removeprefix('container:')}")
            if not other.runs:
                raise Conflict(409, f"cannot join network of a non running container: {other.id}")
        elif missing := sorted(name for name in container.networks if not self.networks.find(name)):
            raise NetworkNotFound(404, f"network {missing[0]} not found")
        if container.program.start_error is not None:
            self._refuse_start(container, container.program.start_error)
        ports = allocate(wished_ports(container.body), self._taken_ports(), DYNAMIC_PORTS)
        if isinstance(ports, PortWish):
            where = f"{ports.host_ip or '0.0.0.0'}:{ports.host_ports[0] if ports.host_ports else 0}"  # noqa: S104
            reason = f"Bind for {where} failed: port is already allocated"
            words = f"driver failed programming external connectivity on endpoint {container.name}: {reason}"
            self._refuse_start(container, StartError(500, words))
        else:
            container.start(now, ports)

    def _taken_ports(self) -> set[tuple[str, int]]:
        """By protocol and number."""
        running = [container for container in self._containers.values() if container.runs]
        return {(port.protocol, port.host_port) for container in running for port in container.ports}

    def _refuse_start(self, container: Container, error: StartError) -> None:
        container.fail(error)
        raise EngineRefused(error.status, error.message)

    def _output(self, container_id: str, now: float) -> tuple[tuple[LogChunk, ...], float | None]:
        """The output so far, and the seconds until there may be more (None: there will be none)."""
        container = self._find(container_id)
        change = container.next_change(now)
        return tuple(container.output(now)), None if change is None else change - now


def _quietly(act: Callable[[], object]) -> None:
    """Do what nobody will hear the answer of."""
    try:
        act()
    except EngineRefused:
        return
