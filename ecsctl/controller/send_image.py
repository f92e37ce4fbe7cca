"""Sending an image from one engine to others, without any registry, and only the layers that they lack."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from tempfile import TemporaryFile
from threading import Lock
from typing import IO, NamedTuple

from ecsctl.controller.clock import Clock
from ecsctl.controller.images import remember
from ecsctl.controller.together import together
from ecsctl.engine.image_archive import ImageArchive, known_layers
from ecsctl.engine.port import Engine, ObservedImage
from ecsctl.model.errors import EngineError, EngineRefused, EngineTimeout, EngineUnreachable
from ecsctl.model.image import is_same_image
from ecsctl.model.stored import InstanceRecord
from ecsctl.store.store import Store

HOSTS_AT_ONCE = 8

Tell = Callable[[str, int, int], object]
"""Is told of a host, by name, how many bytes of how many have gone there."""


class Sent(NamedTuple):
    """How it went with one host. `layers` were sent of the image's `of_layers`, as `bytes`."""

    host: str
    container_instance_arn: str
    result: str
    """`sent`, `there already`, `failed` or `unreachable`."""
    layers: int = 0
    of_layers: int = 0
    bytes: int = 0
    seconds: float = 0.0
    reason: str = ""


class ImageSender:
    """Sends one image, under a name, from an engine."""

    def __init__(self, store: Store, clock: Clock, source: Engine, name: str, image: ObservedImage, tell: Tell) -> None:
        self._store = store
        self._clock = clock
        self._source = source
        self._name = name
        self._image = image
        self._tell = tell
        self._archive: ImageArchive | None = None
        self._reading = Lock()

    def send(self, hosts: Sequence[tuple[InstanceRecord, Engine]]) -> list[Sent]:
        """To all of them at the same time; how it went with each."""
        with TemporaryFile(prefix="ecsctl-image-") as file:
            sent = together([partial(self._to, host, engine, file) for host, engine in hosts], HOSTS_AT_ONCE)
        return [one for one in sent if one is not None]

    def _to(self, host: InstanceRecord, engine: Engine, file: IO[bytes]) -> Sent:
        begun = time.monotonic()
        try:
            layers, size = self._transfer(host, engine, file)
        except (EngineUnreachable, EngineTimeout) as error:
            return Sent(host.name, host.arn, "unreachable", reason=str(error))
        except EngineError as error:
            return Sent(host.name, host.arn, "failed", reason=str(error))
        of_layers, seconds = len(self._image.layers), time.monotonic() - begun
        return Sent(host.name, host.arn, "sent" if size else "there already", layers, of_layers, size, seconds)

    def _transfer(self, host: InstanceRecord, engine: Engine, file: IO[bytes]) -> tuple[int, int]:
        """The layers that were sent, and the bytes; none where it is there."""
        there = engine.image(self._image.id)
        if there and any(is_same_image(self._name, tag) for tag in there.tags):
            return 0, 0
        others = [found.layers for one in engine.list_images() if (found := engine.image(one.id))]
        known = known_layers(self._image.layers, others)
        archive = self._read(file)
        try:
            engine.load(self._told(host.name, archive, known))
        except EngineRefused:
            if not known:
                raise
            known = 0  # it is of a kind that wants all of them
            engine.load(self._told(host.name, archive, known))
        found = engine.image(self._name)
        if found is None or found.id != self._image.id:
            raise EngineRefused(200, f"it took the image, and has none of the name {self._name} and this content")
        remember(self._store, self._clock, host.arn, found.id, self._name, ours=there is None, pushed=True)
        return len(self._image.layers) - known, archive.size(known)

    def _read(self, file: IO[bytes]) -> ImageArchive:
        """The image from its engine, into a file, once for all of the hosts."""
        with self._reading:
            if self._archive is None:
                file.seek(0)
                file.truncate()
                for piece in self._source.export(self._name):
                    file.write(piece)
                file.flush()
                self._archive = ImageArchive(file)
            return self._archive

    def _told(self, host: str, archive: ImageArchive, known: int) -> Iterator[bytes]:
        sent, size = 0, archive.size(known)
        self._tell(host, 0, size)
        for piece in archive.pieces(known):
            yield piece
            sent += len(piece)
            self._tell(host, sent, size)
