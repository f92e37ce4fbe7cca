"""The engine port on a Docker Engine, API 1.41 (https://docs.docker.com/reference/api/engine/version/v1.41/).

What a listing and an inspection do not need is imported where it is used: cron asks for no more each minute.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from ecsctl.engine.transport import Transport, segment
from ecsctl.model import identity
from ecsctl.model.errors import (
    Conflict,
    EcsctlError,
    EngineRefused,
    EngineTimeout,
    ImageNotFound,
    InputError,
    NotFound,
)
from ecsctl.model.observed import Address, Observed, PortBinding, Settings

if TYPE_CHECKING:
    from ecsctl.engine.port import (
        CreateBody,
        EngineEvent,
        EngineInfo,
        ExecSession,
        Health,
        JoinTokens,
        LogChunk,
        Network,
        ObservedImage,
        PullProgress,
        RegistryLogin,
        State,
        Subnet,
        SwarmMember,
        Usage,
    )

PING_SECONDS = 5.0
LIST_SECONDS = 10.0
INSPECT_SECONDS = 5.0
STATS_SECONDS = 10.0
CREATE_SECONDS = 30.0
ARCHIVE_SECONDS = 30.0
START_SECONDS = 60.0
STOP_GRACE_SECONDS = 10.0
"""Beyond the time the container itself is given."""
REMOVE_SECONDS = 30.0
RENAME_SECONDS = 10.0
CLEAN_UP_SECONDS = 0.2
"""After a container's end, by which the engine has begun to clean up behind it, or is done."""
VOLUME_SECONDS = 30.0
REMOVE_IMAGE_SECONDS = 60.0
FEED_SECONDS = 10.0
LOGS_QUIET_SECONDS = 30.0

NEVER = "0001-01-01T00:00:00Z"
"""The engine's word for no time."""

_NO_DETACH_KEYS = "ctrl-],ctrl-],ctrl-],ctrl-]"
"""The engine holds back a key that may begin them, and by default that is Ctrl-P, with which shells go back."""

_EVENTS = ["die", "destroy", "health_status"]
"""Those that tell of something nobody asked for: what was started, was by us."""

HEALTHS = ("starting", "healthy", "unhealthy")


class DockerEngine:
    """One Docker Engine behind a transport; see port.Engine for the verbs."""

    def __init__(self, transport: Transport) -> None:
        self._http = transport
        self._networking = Lock()
        self._ended: dict[str, float] = {}
        """Containers whose end was told, and when (monotonic)."""

    def ping(self) -> None:
        self._http.call("GET", "/_ping", PING_SECONDS)

    def info(self) -> EngineInfo:
        reply = self._http.call("GET", "/info", INSPECT_SECONDS)
        with _understood():
            return _info(reply.json(), reply.headers.get("api-version", ""))

    def list(self, install: str | None, *, shared: bool = False) -> list[Observed]:
        # The engine cannot be asked for one label or another.
        one = install is not None and not shared
        filters = msgspec.json.encode(
            {"label": [f"{identity.INSTALL}={install}" if one else identity.INSTALL]}
        ).decode()
        reply = self._http.call("GET", "/containers/json", LIST_SECONDS, {"all": "1", "filters": filters})
        wanted = (install, identity.SHARED)
        with _understood():
            found = reply.json()
            return [_listed(e) for e in found if one or install is None or e["Labels"][identity.INSTALL] in wanted]

    def published(self) -> set[tuple[int, str]]:
        reply = self._http.call("GET", "/containers/json", LIST_SECONDS)
        with _understood():
            return {(port.host_port, port.protocol) for entry in reply.json() for port in _listed(entry).ports}

    def inspect(self, container: str) -> Observed:
        reply = self._http.call("GET", f"{_path(container)}/json", INSPECT_SECONDS)
        with _understood():
            return _inspected(reply.json())

    def settings(self, container: str) -> Settings:
        reply = self._http.call("GET", f"{_path(container)}/json", INSPECT_SECONDS)
        with _understood():
            found = reply.json()
            given = (entry.partition("=") for entry in found["Config"]["Env"] or ())
            options = (found["HostConfig"].get("LogConfig") or {}).get("Config") or {}
            environment = {name: value for name, _, value in given}
            return Settings(found["Config"]["Image"], found["Created"], environment, options)

    def create(self, name: str, body: CreateBody) -> str:
        try:
            reply = self._http.call("POST", "/containers/create", CREATE_SECONDS, {"name": name}, body)
        except NotFound as error:
            if "no such image" in error.message.lower():
                raise ImageNotFound(error.status, error.message) from None
            from ecsctl.engine.docker_networks import about

            raise about(error) from None
        with _understood():
            return str(reply.json()["Id"])

    def put_archive(self, container_id: str, path: str, archive: bytes) -> None:
        self._http.call("PUT", f"{_path(container_id)}/archive", ARCHIVE_SECONDS, {"path": path}, archive)

    def start(self, container_id: str) -> None:
        self._wait_for_clean_up()
        try:
            self._http.call("POST", f"{_path(container_id)}/start", START_SECONDS)
        except EngineRefused as error:
            # A network that is not there is a 404 too, and the container is not gone.
            if isinstance(error, NotFound) and "no such container" in error.message.lower():
                raise
            from ecsctl.engine.docker_networks import about

            raise about(error) from None

    def stop(self, container_id: str, timeout: int) -> None:
        seconds = timeout + STOP_GRACE_SECONDS
        self._http.call("POST", f"{_path(container_id)}/stop", seconds, {"t": str(timeout)})

    def kill(self, container_id: str) -> None:
        with suppress(Conflict):  # it does not run
            self._http.call("POST", f"{_path(container_id)}/kill", STOP_GRACE_SECONDS)

    def rename(self, container_id: str, name: str) -> None:
        try:
            self._http.call("POST", f"{_path(container_id)}/rename", RENAME_SECONDS, {"name": name})
        except EngineRefused as error:
            if error.status != 400 or "same name" not in error.message:
                raise

    def remove(self, container: str) -> None:
        try:
            self._http.call("DELETE", _path(container), REMOVE_SECONDS, {"force": "1", "v": "1"})
        except NotFound:
            pass
        except Conflict as error:
            if "already in progress" not in error.message:
                raise
            self._wait_until_gone(container)

    def feed(self, container_id: str, line: bytes, answer: bytes) -> None:
        from ecsctl.engine.feeding import feed

        if not self.inspect(container_id).is_up:  # the engine would wait for its start
            raise Conflict(409, f"Container {container_id} is not running")
        path = f"{_path(container_id)}/attach?stream=1&stdin=1&stdout=1"
        sock, rest = self._http.converse(path, FEED_SECONDS, {})
        feed(sock, rest, line, answer, FEED_SECONDS)

    def pull(
        self,
        image: str,
        login: RegistryLogin | None = None,
        tell: Callable[[PullProgress], object] | None = None,
    ) -> None:
        from ecsctl.engine import docker_images

        docker_images.pull(self._http, image, login, tell)

    def load(self, image: Iterable[bytes]) -> None:
        from ecsctl.engine import docker_images

        docker_images.load(self._http, image)

    def export(self, image: str) -> Iterator[bytes]:
        from ecsctl.engine import docker_images

        return docker_images.export(self._http, image)

    def image(self, name: str) -> ObservedImage | None:
        from ecsctl.engine import docker_images

        with _understood():
            return docker_images.inspect(self._http, name)

    def list_images(self) -> Sequence[ObservedImage]:
        from ecsctl.engine import docker_images

        with _understood():
            return docker_images.listing(self._http)

    def used_images(self) -> frozenset[str]:
        reply = self._http.call("GET", "/containers/json", LIST_SECONDS, {"all": "1"})
        with _understood():
            return frozenset(entry["ImageID"] for entry in reply.json())

    def remove_image(self, name: str) -> None:
        with suppress(NotFound):
            # Without force, the engine keeps what a container uses.
            self._http.call("DELETE", f"/images/{segment(name)}", REMOVE_IMAGE_SECONDS)

    def logs(
        self, container_id: str, *, follow: bool = False, since: str | None = None, tail: int | None = None
    ) -> Iterator[LogChunk]:
        from ecsctl.engine.log_frames import Seen

        seen = Seen()
        for chunk in self._read_logs(container_id, follow=follow, since=since, tail=tail):
            seen.add(chunk)
            yield chunk
        if not follow or (seen.first is None and tail == 0):
            return
        with suppress(NotFound):  # removed meanwhile
            yield from seen.unseen(self._read_logs(container_id, since=seen.first or since))

    def execute(
        self, container_id: str, command: Sequence[str], *, tty: bool = False, stdin: bool = False
    ) -> ExecSession:
        from ecsctl.engine.exec_session import DockerSession

        body = {
            "AttachStdin": stdin,
            "AttachStdout": True,
            "AttachStderr": True,
            "Tty": tty,
            "User": "0",  # as the agent of ECS Exec has it
            "Cmd": list(command),
            "DetachKeys": _NO_DETACH_KEYS,
        }
        reply = self._http.call("POST", f"{_path(container_id)}/exec", CREATE_SECONDS, body=body)
        with _understood():
            made = str(reply.json()["Id"])
        start = {"Detach": False, "Tty": tty}
        sock, rest = self._http.converse(f"/exec/{segment(made)}/start", START_SECONDS, start)
        return DockerSession(self._http, made, sock, rest, tty)

    def usage(self, container_id: str) -> Usage | None:
        with _understood():
            return _used(self.statistics(container_id))

    def statistics(self, container_id: str) -> dict[str, Any]:
        reply = self._http.call("GET", f"{_path(container_id)}/stats", STATS_SECONDS, {"stream": "false"})
        with _understood():
            return dict(reply.json())

    def events(self, install: str, quiet: float) -> Iterator[EngineEvent | None]:
        from ecsctl.engine.port import EngineEvent

        filters = {"type": ["container"], "label": [f"{identity.INSTALL}={install}"], "event": _EVENTS}
        query = {"filters": msgspec.json.encode(filters).decode()}
        buffer = b""
        for index, piece in enumerate(self._http.stream("GET", "/events", quiet, query)):
            if index == 0:
                yield None
            *lines, buffer = (buffer + piece).split(b"\n")
            with _understood():
                for line in filter(None, lines):
                    found = msgspec.json.decode(line)
                    action = str(found["Action"]).partition(":")[0]  # `health_status: healthy`
                    if action == "die":
                        self._ended[found["Actor"]["ID"]] = time.monotonic()
                    task = found["Actor"]["Attributes"].get(identity.TASK, "")
                    yield EngineEvent(
                        found["Actor"]["ID"], task, cast(Literal["die", "destroy", "health_status"], action)
                    )
        raise EngineTimeout("The engine ended its stream of events.")

    def create_volume(self, name: str, driver: str | None, options: dict[str, str], labels: dict[str, str]) -> str:
        body = {"Name": name, "Driver": driver or "local", "DriverOpts": options, "Labels": labels}
        try:
            reply = self._http.call("POST", "/volumes/create", VOLUME_SECONDS, body=body)
        except Conflict:  # it is of another driver
            reply = self._http.call("GET", f"/volumes/{segment(name)}", INSPECT_SECONDS)
        with _understood():
            return str(reply.json().get("Mountpoint") or "")

    def has_volume(self, name: str) -> bool:
        try:
            self._http.call("GET", f"/volumes/{segment(name)}", INSPECT_SECONDS)
        except NotFound:
            return False
        return True

    def remove_volume(self, name: str) -> None:
        with suppress(NotFound):
            self._http.call("DELETE", f"/volumes/{segment(name)}", VOLUME_SECONDS)

    def create_network(
        self, name: str, labels: dict[str, str], subnet: Subnet | None = None, *, internal: bool = False
    ) -> None:
        from ecsctl.engine import docker_networks

        with self._networking, _understood():
            docker_networks.create(self._http, name, labels, subnet, internal=internal)

    def create_overlay(self, name: str, labels: dict[str, str], *, internal: bool = False) -> None:
        from ecsctl.engine import docker_networks

        with _understood():
            docker_networks.create_overlay(self._http, name, labels, internal=internal)

    def connect_network(self, name: str, container_id: str, names: Sequence[str] = ()) -> None:
        from ecsctl.engine import docker_networks

        docker_networks.connect(self._http, name, container_id, names)

    def disconnect_network(self, name: str, container_id: str) -> None:
        from ecsctl.engine import docker_networks

        docker_networks.disconnect(self._http, name, container_id)

    def list_networks(self, label: str) -> Sequence[Network]:
        from ecsctl.engine import docker_networks

        with _understood():
            return docker_networks.listing(self._http, label)

    def remove_network(self, name: str) -> None:
        from ecsctl.engine import docker_networks

        docker_networks.remove(self._http, name)

    def swarm(self) -> SwarmMember:
        from ecsctl.engine import docker_networks

        reply = self._http.call("GET", "/info", INSPECT_SECONDS)
        with _understood():
            return docker_networks.member(reply.json())

    def init_swarm(self, address: str = "") -> None:
        from ecsctl.engine import docker_networks

        docker_networks.init(self._http, address)

    def join_tokens(self) -> JoinTokens:
        from ecsctl.engine import docker_networks

        with _understood():
            return docker_networks.tokens(self._http)

    def join_swarm(self, managers: Sequence[str], token: str, address: str = "") -> None:
        from ecsctl.engine import docker_networks

        docker_networks.join(self._http, managers, token, address)

    def leave_swarm(self) -> None:
        from ecsctl.engine import docker_networks

        docker_networks.leave(self._http)

    def close(self) -> None:
        self._http.close()

    def _read_logs(
        self, container_id: str, *, follow: bool = False, since: str | None = None, tail: int | None = None
    ) -> Iterator[LogChunk]:
        from ecsctl.engine.log_frames import read_log
        from ecsctl.model.timestamps import unix_time

        query = {"stdout": "1", "stderr": "1", "timestamps": "1", "follow": "1" if follow else "0"}
        if since is not None:
            query["since"] = unix_time(since)
        if tail is not None:
            query["tail"] = str(tail)
        quiet = None if follow else LOGS_QUIET_SECONDS
        return read_log(self._http.stream("GET", f"{_path(container_id)}/logs", quiet, query))

    def _wait_for_clean_up(self) -> None:
        """Let the engine clean up behind what has just ended, which holds up inspections, before it starts another.

        Both at once took it no less time than one after the other, and the replaced task's end was known later.
        """
        recent = time.monotonic() - CLEAN_UP_SECONDS
        with suppress(KeyError, EcsctlError):  # none is left; or the start will tell what is wrong
            while True:
                container, when = self._ended.popitem()
                if when > recent:
                    self.inspect(container)

    def _wait_until_gone(self, container: str) -> None:
        end = time.monotonic() + STOP_GRACE_SECONDS
        while time.monotonic() < end:
            try:
                self.inspect(container)
            except NotFound:
                return
            time.sleep(0.1)
        raise EngineTimeout(f"Container {container} is still being removed after {STOP_GRACE_SECONDS:.0f} s.")


@contextmanager
def _understood() -> Iterator[None]:
    """Turns an answer that is not shaped as a Docker Engine's into a refusal, rather than a traceback."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, InputError) as error:
        raise EngineRefused(200, f"The answer is not that of a Docker Engine: {error!r}.") from error


def _info(found: dict[str, Any], api_version: str) -> EngineInfo:
    from ecsctl.engine.port import EngineInfo
    from ecsctl.model.timestamps import unix_time

    name, directory, podman = found["Name"], found["DockerRootDir"], "BuildahVersion" in found
    return EngineInfo(
        # Podman makes up another one for each answer
        id=f"podman:{name}:{directory}" if podman else found["ID"],
        name=name,
        cpus=found["NCPU"],
        memory=found["MemTotal"],
        os=found["OSType"],
        architecture=found["Architecture"],
        version=found["ServerVersion"],
        api_version=api_version,
        live_restore=podman or bool(found.get("LiveRestoreEnabled")),
        clock=float(unix_time(found["SystemTime"])),
        directory=directory,
        podman=podman,
    )


def _path(container: str) -> str:
    return f"/containers/{segment(container)}"


def _listed(entry: dict[str, Any]) -> Observed:
    # A linked container has further names, with a slash inside.
    names = [name[1:] for name in entry["Names"] or () if "/" not in name[1:]]
    health = entry["Status"].rpartition("(")[2].removeprefix("health: ").rstrip(")")  # `Up 2 hours (healthy)`
    ports = {
        PortBinding(port.get("IP", ""), port["PublicPort"], port["PrivatePort"], port["Type"])
        for port in entry["Ports"] or ()
        if port.get("PublicPort")
    }
    return Observed(
        id=entry["Id"],
        name=names[0] if names else "",
        labels=entry["Labels"] or {},
        state=cast("State", entry["State"]),
        health=cast("Health", health) if health in HEALTHS else None,
        image_id=entry["ImageID"],
        ports=tuple(sorted(ports)),
        addresses=_addresses(entry),
    )


def _inspected(found: dict[str, Any]) -> Observed:
    state = found["State"]
    health = (state.get("Health") or {}).get("Status")
    return Observed(
        id=found["Id"],
        name=found["Name"].removeprefix("/"),
        labels=found["Config"]["Labels"] or {},
        state=cast("State", state["Status"]),
        health=cast("Health", health) if health in HEALTHS else None,
        image_id=found["Image"],
        ports=_bindings(found["NetworkSettings"].get("Ports") or {}),
        addresses=_addresses(found),
        exit_code=state["ExitCode"],
        oom_killed=state["OOMKilled"],
        error=state["Error"],
        started_at=_time(state["StartedAt"]),
        finished_at=_time(state["FinishedAt"]),
    )


def _bindings(ports: dict[str, Any]) -> tuple[PortBinding, ...]:
    found = set()
    for port, bindings in ports.items():
        number, _, protocol = port.partition("/")
        for binding in bindings or ():
            if binding["HostPort"]:
                host_port = int(binding["HostPort"])
                found.add(PortBinding(binding["HostIp"], host_port, int(number), protocol or "tcp"))
    return tuple(sorted(found))


def _addresses(found: dict[str, Any]) -> tuple[Address, ...]:
    networks = (found.get("NetworkSettings") or {}).get("Networks") or {}
    return tuple(
        Address(name, network["IPAddress"], network["GlobalIPv6Address"], network["MacAddress"])
        for name, network in sorted(networks.items())
        if network["IPAddress"] or network["GlobalIPv6Address"]
    )


def _used(found: dict[str, Any]) -> Usage | None:
    from ecsctl.engine.port import Usage
    from ecsctl.model.timestamps import unix_time

    memory, before, now = found["memory_stats"], found["preread"], found["read"]
    if _time(before) is None or _time(now) is None or "usage" not in memory:
        return None
    parts = memory.get("stats", {})
    idle = parts.get("total_inactive_file", parts.get("inactive_file", 0))  # of cgroups v1, and of v2
    nanoseconds = found["cpu_stats"]["cpu_usage"]["total_usage"] - found["precpu_stats"]["cpu_usage"]["total_usage"]
    seconds = float(unix_time(now)) - float(unix_time(before))
    return Usage(max(0.0, nanoseconds / 1e9 / seconds), max(0, memory["usage"] - idle))


def _time(text: str) -> str | None:
    return None if text in ("", NEVER) else text
