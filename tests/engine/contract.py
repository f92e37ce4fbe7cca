"""What every engine must do: a world to do it in, for the suite in test_contract.py.

A world has an engine and a few behaviours that containers can be created with. The real engine gets them by
shell commands on one image, the simulated one by programs, and from there on nothing tells the two apart.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from ecsctl.engine.connect import connect
from ecsctl.engine.contexts import current_address
from ecsctl.engine.port import CreateBody, Engine, Observed
from ecsctl.engine.simulated import SimulatedEngine
from ecsctl.engine.simulated_container import Program, StartError
from ecsctl.engine.simulated_faults import Pullable
from ecsctl.engine.simulated_images import archive, digest
from ecsctl.model import identity
from tests.engine.registry import tar_of

MILLISECOND = 10**6
MISSING_IMAGE = "ecsctl/not-there:none"
MISSING_COMMAND = "/not-there"
NETWORKED = "bridge"
LONG = 40_000
"""Bytes of a line that the engine hands on in three pieces."""

_FOREVER = "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"
_CHECK = {"Interval": 100 * MILLISECOND, "Timeout": 2000 * MILLISECOND, "Retries": 1}

COMMANDS: dict[str, CreateBody] = {
    "forever": {"Cmd": ["sh", "-c", _FOREVER]},
    "exits": {"Cmd": ["sh", "-c", "exit 7"]},
    "stubborn": {"Cmd": ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"]},
    "healthy": {"Cmd": ["sh", "-c", _FOREVER], "Healthcheck": {"Test": ["CMD", "true"], **_CHECK}},
    "sick": {"Cmd": ["sh", "-c", _FOREVER], "Healthcheck": {"Test": ["CMD", "false"], **_CHECK}},
    "missing": {"Cmd": [MISSING_COMMAND]},
    "hungry": {"Cmd": ["sh", "-c", "tail /dev/zero"]},
    "busy": {"Cmd": ["sh", "-c", "dd if=/dev/zero of=/dev/shm/x bs=1M count=20; while :; do :; done"]},
    "prints": {"Cmd": ["sh", "-c", "echo one; echo two; echo wrong >&2; sleep 0.5; echo three; printf rest"]},
    "reads": {"Cmd": ["sh", "-c", "cat /etc/given/words"]},
    "long": {"Cmd": ["sh", "-c", f"head -c {LONG} /dev/zero | tr '\\0' x; echo; echo end"]},
}

PROGRAMS = {
    "forever": Program(),
    "exits": Program(exits_after=0.01, exit_code=7),
    "stubborn": Program(ignores_term=True),
    "healthy": Program(health=((0.15, "healthy"),)),
    "sick": Program(health=((0.15, "unhealthy"),)),
    "missing": Program(start_error=StartError(400, f'exec: "{MISSING_COMMAND}": no such file or directory', 127)),
    "hungry": Program(exits_after=0.1, exit_code=137, oom_killed=True),
    "busy": Program(cpu=1.0, memory=21 << 20),
    "prints": Program(
        exits_after=0.6,
        output=(
            (0.001, "stdout", b"one"),
            (0.002, "stdout", b"two"),
            (0.003, "stderr", b"wrong"),
            (0.5, "stdout", b"three"),
            (0.501, "stdout", b"rest"),
        ),
    ),
    "reads": Program(exits_after=0.1, reads="/etc/given/words"),
    "long": Program(exits_after=0.1, output=((0.01, "stdout", b"x" * LONG), (0.02, "stdout", b"end"))),
}


@dataclass
class World:
    """An engine with nothing of ours on it."""

    engine: Engine
    image: Callable[[str], str]
    sleep: Callable[[float], None]
    now: Callable[[], float]
    install: str = field(default_factory=lambda: f"test-{secrets.token_hex(4)}")

    def name(self, word: str) -> str:
        """A name nobody else has."""
        return f"ecsctl-{self.install}-{word}"

    def body(self, behaviour: str, **host: Any) -> CreateBody:
        """A create body; `host` goes into its HostConfig."""
        return {
            "Image": self.image(behaviour),
            "Labels": {identity.INSTALL: self.install},
            # Without a network a start is twice as fast.
            "HostConfig": {"NetworkMode": "none", **host},
            **COMMANDS[behaviour],
        }

    def create(self, behaviour: str, word: str = "c", **host: Any) -> str:
        return self.engine.create(self.name(word), self.body(behaviour, **host))

    def run(self, behaviour: str, word: str = "c", **host: Any) -> str:
        container = self.create(behaviour, word, **host)
        self.engine.start(container)
        return container

    def until(self, container: str, true: Callable[[Observed], bool], seconds: float = 15) -> Observed:
        """What inspect shows once it is true."""
        end = self.now() + seconds
        while not true(found := self.engine.inspect(container)):
            assert self.now() < end, found
            self.sleep(0.05)
        return found

    def ended(self, container: str) -> Observed:
        return self.until(container, lambda found: found.has_ended)


class Clock:
    """A time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 1_800_000_000.0

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def saved(name: str, *layers: str) -> bytes:
    """An image of that name as `docker save` writes it, with a file in each layer that has this content."""
    contents = [tar_of("content", layer.encode()) for layer in layers]
    rootfs = {"type": "layers", "diff_ids": [digest(content) for content in contents]}
    config = {"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/pause"]}, "rootfs": rootfs}
    return archive(json.dumps(config).encode(), contents, [f"{name}:latest"])


@contextmanager
def simulated_world() -> Iterator[World]:
    clock = Clock()
    engine = SimulatedEngine(clock.now, PROGRAMS, sleep=clock.sleep, registry={"pulled:1": Pullable()})
    yield World(engine, lambda behaviour: behaviour, clock.sleep, clock.now)


@contextmanager
def docker_world(image: str, address: str | None = None) -> Iterator[World]:
    """On the current engine, or one at an address. What was made is removed, whatever happened."""
    with closing(connect(address or current_address())) as engine:
        world = World(engine, lambda _: image, time.sleep, time.time)
        try:
            yield world
        finally:
            for found in engine.list(world.install):
                engine.remove(found.id)
            engine.remove_volume(world.name("volume"))
            engine.remove_network(world.name("network"))
