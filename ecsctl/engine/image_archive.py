"""An image as `docker save` writes it, and the same without the layers that its receiver has.

An engine that loads an image takes each layer that it has, upon the same layers below, from its own store, and does not
look whether it is in the archive (moby, image/tarexport/load.go; tried on 20.10).
"""

from __future__ import annotations

import os
import posixpath
import tarfile
from collections.abc import Iterator, Sequence
from typing import IO

import msgspec

from ecsctl.model.errors import EngineRefused

BLOCK = 512
PIECE = 256 * 1024
END = bytes(2 * BLOCK)


class ImageArchive:
    """An archive of one image in a file. May be read by several threads."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        file.seek(0)
        try:
            with tarfile.open(fileobj=file, mode="r:") as tar:
                self._entries = {entry.name: entry for entry in tar.getmembers()}
                manifest = tar.extractfile("manifest.json")
                found = msgspec.json.decode(manifest.read() if manifest else b"[]", type=list[dict[str, object]])
        except (tarfile.TarError, KeyError, msgspec.DecodeError) as error:
            raise EngineRefused(200, f"the engine's archive of the image cannot be read: {error}") from error
        layers = found[0].get("Layers") if found else None
        self._layers = [str(name) for name in layers] if isinstance(layers, list) else []

    def size(self, known: int) -> int:
        """Bytes of it without so many of the lowest layers."""
        return sum(length for _, length in self._ranges(known)) + len(END)

    def pieces(self, known: int) -> Iterator[bytes]:
        """It, without so many of the lowest layers."""
        for start, length in self._ranges(known):
            for offset in range(start, start + length, PIECE):
                yield os.pread(self._file.fileno(), min(PIECE, start + length - offset), offset)
        yield END

    def _ranges(self, known: int) -> list[tuple[int, int]]:
        wanted = set(self._layers[known:])
        for name in list(wanted):
            entry = self._entries.get(name)
            if entry is not None and entry.issym():  # the same content as another layer's
                wanted.add(posixpath.normpath(posixpath.join(posixpath.dirname(name), entry.linkname)))
        left_out = set(self._layers[:known]) - wanted
        return [
            (entry.offset, entry.offset_data - entry.offset + -(-entry.size // BLOCK) * BLOCK)
            for entry in self._entries.values()
            if entry.name not in left_out
        ]


def known_layers(layers: Sequence[str], others: Sequence[Sequence[str]]) -> int:
    """How many of the lowest layers some other image has too, upon one another."""
    most = 0
    for other in others:
        same = 0
        while same < min(len(layers), len(other)) and layers[same] == other[same]:
            same += 1
        most = max(most, same)
    return most
