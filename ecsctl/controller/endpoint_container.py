"""The container that answers the tasks of a host: one for all who use the host, made when it is first needed.

It is in the network `bridge`, with 169.254.170.2 as a further address of its own, and a route of the host leads there:
tasks in that network and in the host's reach it by the way they have. Those with a network interface of their own are
put into a network beside, which it is in too. What it says is in a volume in memory (see endpoint.sh).

It is made under another name, and has its own when it is ready: whoever finds it half made, by a process that was
killed or by one that is at it, goes on, as no step does harm when it is done twice. It never begins a second time: a
run is told by its id alone.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from ecsctl.engine.port import CreateBody, Engine, Observed, Subnet
from ecsctl.model.errors import Conflict, EngineRefused, ImageNotFound, NotFound
from ecsctl.model.identity import ENDPOINT, ENDPOINT_NAME, INSTALL, SHARED

VERSION = 1
"""Of what the container does: an older one is replaced."""
_NEW, _ROUTE = f"{ENDPOINT_NAME}.new", f"{ENDPOINT_NAME}.route"
_LABELS = {INSTALL: SHARED, ENDPOINT: str(VERSION)}
_SUBNET = Subnet("169.254.170.0/23", "169.254.170.2")
"""Not 169.254.169.254, where clouds answer their machines."""
_MIB = 1 << 20
_GZIP = 16 + zlib.MAX_WBITS
_TRIES = 5
_ROUTE_TRIES, _ROUTE_PAUSE, _OTHERS = 150, 0.1, 30
"""How often the route is tried to be set, seconds between, and after how many tries whoever is at it was killed."""


def present(engine: Engine) -> str | None:
    """The id of the container, when there is one that answers. EngineRefused when another has its name."""
    try:
        found = engine.inspect(ENDPOINT_NAME)
    except NotFound:
        return None
    return found.id if _is_good(found) else None


def raise_up(engine: Engine, image: str, sleep: Callable[[float], object], *, pull: bool) -> str:
    """Make the container, unless it is there; its id. EngineRefused says why it cannot be; ImageNotFound: it would have
    to be pulled."""
    for attempt in range(_TRIES):
        if found := present(engine):
            if attempt:  # what was made by two at once may have left the route of the other
                _set_route(engine, image, engine.inspect(found), sleep)
            return found
        engine.remove(ENDPOINT_NAME)
        with suppress(Conflict, NotFound):  # somebody else was at it too
            made = _make(engine, image, pull=pull)
            try:
                _prepare(engine, made, image, sleep)
            except EngineRefused as error:
                if not isinstance(error, (Conflict, NotFound)):
                    engine.remove(made)
                raise
            engine.rename(made, ENDPOINT_NAME)
            return made
    raise EngineRefused(500, f"container {ENDPOINT_NAME} is removed as often as it is made")


def put(engine: Engine, run: str, files: Mapping[str, str]) -> None:
    """Give the endpoint of that id files, by their paths. NotFound or Conflict when it is over."""
    packed = b" ".join(b"%s %s" % (path.encode("ascii"), _packed(text)) for path, text in files.items())
    number = hashlib.sha256(packed).hexdigest()[:16].encode()
    engine.feed(run, b"put %s %s" % (number, packed), b"ok %s" % number)


def _packed(text: str) -> bytes:
    packer = zlib.compressobj(wbits=_GZIP)
    return base64.b64encode(packer.compress(text.encode("ascii")) + packer.flush())


def join(engine: Engine, container: str) -> None:
    """Let a container with a network interface of its own reach it, from its start on."""
    engine.create_network(ENDPOINT_NAME, _LABELS, _SUBNET)
    engine.connect_network(ENDPOINT_NAME, container)


def withdraw(engine: Engine, sleep: Callable[[float], object]) -> None:
    """Remove it, and all that goes with it."""
    for name in (ENDPOINT_NAME, _NEW):
        with suppress(NotFound):
            found = engine.inspect(name)
            _check(found)
            engine.remove(found.id)  # at once: who finds it now would not know that it goes
            with suppress(EngineRefused):  # it leads nowhere then, until the host starts again
                _set_route(engine, str(found.image_id), found, sleep, word="del")
    engine.remove(_ROUTE)
    with suppress(Conflict):  # somebody began to use it again
        engine.remove_volume(ENDPOINT_NAME)
    with suppress(Conflict):
        engine.remove_network(ENDPOINT_NAME)


def _is_good(found: Observed) -> bool:
    _check(found)
    return found.is_up and int(found.labels[ENDPOINT]) >= VERSION


def _check(found: Observed) -> None:
    if not found.labels.get(ENDPOINT, "").isdigit():
        raise EngineRefused(409, f"the name {found.name} is in use by a container that is not ours")


def _make(engine: Engine, image: str, *, pull: bool) -> str:
    try:
        return _create(engine, image)
    except ImageNotFound:
        if not pull:
            raise
    try:
        engine.pull(image)
    except EngineRefused as error:
        raise ImageNotFound(error.status, f"CannotPullContainerError: {error.message}") from None
    return _create(engine, image)


def _create(engine: Engine, image: str) -> str:
    try:
        return engine.create(_NEW, _body(image))
    except Conflict:
        found = engine.inspect(_NEW)
    _check(found)
    if found.has_ended or int(found.labels[ENDPOINT]) < VERSION:
        engine.remove(found.id)
        raise Conflict(409, "it has ended")
    return found.id


def _prepare(engine: Engine, made: str, image: str, sleep: Callable[[float], object]) -> None:
    engine.start(made)
    join(engine, made)
    _set_route(engine, image, engine.inspect(made), sleep)
    if not engine.inspect(made).is_up:
        said = b" ".join(chunk.line for chunk in engine.logs(made, tail=3)).decode("utf-8", "replace")
        raise EngineRefused(500, f"container {ENDPOINT_NAME} of image {image} ended at once: {said or 'no output'}")


def _set_route(
    engine: Engine, image: str, endpoint: Observed, sleep: Callable[[float], object], word: str = "replace"
) -> None:
    """Let a container in the host's network tell the host the way to the endpoint."""
    via = next((address.ipv4 for address in endpoint.addresses if address.network == "bridge"), None)
    if via is None and endpoint.is_up:
        raise EngineRefused(404, "the engine has no network bridge")
    if via is None:
        return  # it has ended, which is found out next
    body: CreateBody = {
        "Image": image,
        "Cmd": ["ip", "route", word, f"{_SUBNET.reserved}/32", "via", via],
        "Entrypoint": [],
        "Labels": _LABELS,
        "HostConfig": {"NetworkMode": "host", "CapDrop": ["ALL"], "CapAdd": ["NET_ADMIN"]},
    }
    for attempt in range(_ROUTE_TRIES):
        try:
            helper = engine.create(_ROUTE, body)
            engine.start(helper)
            while (found := engine.inspect(helper)).is_up:
                sleep(_ROUTE_PAUSE / 4)
        except (Conflict, NotFound):  # somebody else is at it
            if attempt % _OTHERS == _OTHERS - 1:
                engine.remove(_ROUTE)
            sleep(_ROUTE_PAUSE)
            continue
        engine.remove(helper)
        if found.exit_code:
            raise EngineRefused(500, f"the host's route to {ENDPOINT_NAME} could not be set with the image {image}")
        return
    raise EngineRefused(500, f"container {_ROUTE} is in the way")


def _body(image: str) -> CreateBody:
    script = Path(__file__).with_name("endpoint.sh").read_text(encoding="ascii")
    memory = {"type": "tmpfs", "device": "tmpfs", "o": "size=32m,mode=0700"}
    return {
        "Image": image,
        "Entrypoint": [],
        "Cmd": ["/bin/sh", "-c", script, ENDPOINT_NAME, "serve", script],
        "User": "0",
        "OpenStdin": True,
        "StopSignal": "SIGKILL",
        "Labels": _LABELS,
        "HostConfig": {
            "NetworkMode": "bridge",
            "RestartPolicy": {"Name": "no"},
            "CapDrop": ["ALL"],
            "CapAdd": ["NET_ADMIN", "NET_BIND_SERVICE"],
            "SecurityOpt": ["no-new-privileges"],
            "Memory": 128 * _MIB,
            "PidsLimit": 1024,
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "1"}},
            "Mounts": [
                {
                    "Type": "volume",
                    "Source": ENDPOINT_NAME,
                    "Target": "/data",
                    "VolumeOptions": {"DriverConfig": {"Name": "local", "Options": memory}, "Labels": _LABELS},
                }
            ],
        },
    }
