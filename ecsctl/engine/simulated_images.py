"""The images of a simulated engine, and the registry that it pulls from."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Container, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from ecsctl.engine.port import ObservedImage
from ecsctl.engine.simulated_container import Program
from ecsctl.engine.simulated_faults import Pullable
from ecsctl.model.errors import Conflict, EngineRefused, ImageNotFound
from ecsctl.model.image import parse_image, pinned
from ecsctl.model.record import evolve


class _Image(NamedTuple):
    """`config` is its configuration, whose digest is its id; `layers` are contents, from the lowest."""

    config: bytes
    layers: tuple[bytes, ...]

    @property
    def id(self) -> str:
        return digest(self.config)


class Images:
    """What images there are, by their names. `registry`: what can be pulled; of a tag that was moved, what it meant
    before is found under `name@digest`."""

    def __init__(self, made: Mapping[str, Program], registry: Mapping[str, Pullable]) -> None:
        self.registry = {image_reference(name): found for name, found in registry.items()}
        self._images: dict[str, _Image] = {}
        self._names: dict[str, str] = {}  # to ids
        for name, program in made.items():
            self[name] = program

    def __setitem__(self, name: str, program: Program) -> None:
        """Make an image of that name here."""
        self._add(_image(f"made {image_reference(name)}", program), [image_reference(name)])

    def __delitem__(self, name: str) -> None:
        self.remove(name, ())

    def find(self, name: str) -> ObservedImage | None:
        """By name or id."""
        found = self._images.get(name if name in self._images else self._names.get(image_reference(name), ""))
        if found is None:
            return None
        names = sorted(known for known, image in self._names.items() if image == found.id)
        return ObservedImage(
            found.id,
            tuple(known for known in names if "@" not in known),
            tuple(known for known in names if "@" in known),
            sum(map(len, found.layers)),
            tuple(map(digest, found.layers)),
        )

    def listing(self) -> list[ObservedImage]:
        """All of them, without their layers."""
        return [evolve(seen, layers=()) for image in self._images if (seen := self.find(image))]

    def program(self, image: str) -> Program:
        """What containers of an image, by id, do."""
        config = msgspec.json.decode(self._images[image].config, type=dict[str, Any])
        if "program" not in config:
            return Program(stop_exit_code=137)
        return msgspec.convert(config["program"], Program)

    def pull(self, name: str) -> float:
        """The seconds that it takes."""
        reference = image_reference(name)
        found = self.registry.get(reference) or self._by_digest(reference)
        if found is None:
            raise EngineRefused(404, f"pull access denied for {name}, repository does not exist")
        if found.error:
            raise EngineRefused(500, found.error)
        image = pulled_image(reference, found)
        self._add(image, {reference, pinned(reference, registry_digest(reference, found))})
        return found.seconds

    def _by_digest(self, reference: str) -> Pullable | None:
        bare, _, wanted = reference.partition("@")
        for name, found in self.registry.items():
            if parse_image(name).repository == parse_image(bare).repository and registry_digest(name, found) == wanted:
                return found
        return None

    def remove(self, name: str, used: Container[str]) -> None:
        """As port.Engine.remove_image; `used` are the ids of images that containers use."""
        image = self.find(name)
        if image is None:
            return
        names = {*image.tags, *image.digests}
        kept = names - {image_reference(name)}
        if name == image.id and len(image.tags) > 1:
            raise Conflict(409, f"conflict: unable to delete {name[7:19]} (must be forced) - image is referenced")
        if name != image.id and any("@" not in one for one in kept):
            del self._names[image_reference(name)]
            return
        if image.id in used:
            raise Conflict(409, f"conflict: unable to remove {name} - a container is using its referenced image")
        del self._images[image.id]
        for one in names:
            del self._names[one]

    def export(self, name: str) -> bytes:
        """As `docker save` writes it."""
        seen = self.find(name)
        if seen is None:
            raise ImageNotFound(404, f"No such image: {name}")
        image = self._images[seen.id]
        tags = [image_reference(name)] if name != seen.id and "@" not in name else []
        return archive(image.config, image.layers, tags)

    def load(self, content: bytes) -> None:
        """What `docker load` does: layers that it has in their place already may be missing."""
        try:
            with tarfile.open(fileobj=io.BytesIO(content)) as tar:
                files = {entry.name: file.read() for entry in tar.getmembers() if (file := tar.extractfile(entry))}
        except tarfile.TarError:
            raise EngineRefused(500, "unexpected EOF") from None
        for entry in msgspec.json.decode(files["manifest.json"]):
            config = files[entry["Config"]]
            diff_ids = msgspec.json.decode(config)["rootfs"]["diff_ids"]
            layers: list[bytes] = []
            for i, name in enumerate(entry["Layers"]):
                layer = files.get(name, self._layer(diff_ids[: i + 1]))
                if layer is None:
                    raise EngineRefused(500, f"open /var/lib/docker/tmp/docker-import/{name}: no such file")
                layers.append(layer)
            self._add(_Image(config, tuple(layers)), entry["RepoTags"] or [])

    def _layer(self, chain: list[str]) -> bytes | None:
        """The last layer of a chain of layers that some image begins with."""
        for image in self._images.values():
            if [digest(layer) for layer in image.layers[: len(chain)]] == chain:
                return image.layers[len(chain) - 1]
        return None

    def _add(self, image: _Image, names: Iterable[str]) -> None:
        self._images[image.id] = image
        self._names |= dict.fromkeys(names, image.id)


def archive(config: bytes, layers: Iterable[bytes], tags: list[str]) -> bytes:
    """An image as `docker save` writes it."""
    files = {f"{digest(layer)[7:]}/layer.tar": layer for layer in layers}
    name = f"{digest(config)[7:]}.json"
    manifest = [{"Config": name, "RepoTags": tags or None, "Layers": [*files]}]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path, content in {**files, name: config, "manifest.json": msgspec.json.encode(manifest)}.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def pulled_image(reference: str, found: Pullable) -> _Image:
    return _image(f"pulled {parse_image(reference).repository} {found.content}", found.program)


def registry_digest(reference: str, found: Pullable) -> str:
    """What a registry calls it."""
    return digest(b"manifest of " + pulled_image(reference, found).config)


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def image_reference(name: str) -> str:
    """The name with its tag."""
    if "@" in name or ":" in name.rpartition("/")[2]:
        return name
    return f"{name}:latest"


def _image(content: str, program: Program) -> _Image:
    layers = (b"the system below", content.encode())
    config = {"rootfs": {"type": "layers", "diff_ids": [*map(digest, layers)]}, "program": program}
    return _Image(msgspec.json.encode(config), layers)
