"""The verbs about images, on a Docker Engine, API 1.41."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from ecsctl.engine.port import ObservedImage, PullProgress, RegistryLogin
from ecsctl.engine.registry_auth import auth_headers, login_headers
from ecsctl.engine.transport import Transport, segment
from ecsctl.model.errors import EngineRefused, ImageNotFound, NotFound
from ecsctl.model.record import evolve

INSPECT_SECONDS = 5.0
LIST_SECONDS = 10.0
QUIET_SECONDS = 60.0
"""Without a byte from an engine that pulls or exports."""
LOAD_QUIET_SECONDS = 300.0
"""An engine that has all of an image unpacks the last layer before it says more."""

_UNTAGGED = "<none>"
_THERE = ("Pull complete", "Already exists")


def pull(
    http: Transport, image: str, login: RegistryLogin | None, tell: Callable[[PullProgress], object] | None
) -> None:
    """See port.Engine."""
    name, tag = _name_and_tag(image)
    query = {"fromImage": name} | ({"tag": tag} if tag else {})
    headers = login_headers(login) if login else auth_headers(image)
    tally = _Tally()
    try:
        for line in _lines(http.stream("POST", "/images/create", QUIET_SECONDS, query, headers)):
            said = _said(line)
            if tell is not None and tally.add(said):
                tell(tally.progress)
    except EngineRefused as error:  # NotFound and Conflict too: those are about containers
        raise EngineRefused(error.status, _scrubbed(error.message)) from None


def load(http: Transport, image: Iterable[bytes]) -> None:
    """See port.Engine."""
    for line in _lines(http.upload("/images/load", image, LOAD_QUIET_SECONDS, {"quiet": "1"})):
        _said(line)


def export(http: Transport, image: str) -> Iterator[bytes]:
    """See port.Engine."""
    try:
        yield from http.stream("GET", f"/images/{segment(image)}/get", QUIET_SECONDS)
    except NotFound as error:
        raise ImageNotFound(error.status, error.message) from None


def inspect(http: Transport, name: str) -> ObservedImage | None:
    """See port.Engine."""
    try:
        found = http.call("GET", f"/images/{segment(name)}/json", INSPECT_SECONDS).json()
    except NotFound:
        return None
    return evolve(_observed(found), layers=tuple(found["RootFS"].get("Layers") or ()))


def listing(http: Transport) -> list[ObservedImage]:
    """See port.Engine."""
    return [_observed(entry) for entry in http.call("GET", "/images/json", LIST_SECONDS).json()]


def _observed(found: dict[str, Any]) -> ObservedImage:
    def names(key: str) -> tuple[str, ...]:
        return tuple(sorted(name for name in found.get(key) or () if not name.startswith(_UNTAGGED)))

    return ObservedImage(found["Id"], names("RepoTags"), names("RepoDigests"), found["Size"])


class _Tally:
    """Adds up what an engine tells of the layers that it pulls."""

    def __init__(self) -> None:
        self._there: set[str] = set()
        self._bytes: dict[str, tuple[int, int]] = {}

    def add(self, said: dict[str, Any]) -> bool:
        """Whether that was about a layer."""
        layer, status = said.get("id"), str(said.get("status") or "")
        if not layer or status.startswith("Pulling from"):
            return False
        detail = said.get("progressDetail") or {}
        done, total = self._bytes.setdefault(layer, (0, 0))
        if status == "Downloading":
            done, total = detail.get("current") or done, detail.get("total") or total
        elif status in ("Download complete", *_THERE):
            done = total
            self._there |= {layer} if status in _THERE else set()
        self._bytes[layer] = done, total
        return True

    @property
    def progress(self) -> PullProgress:
        done, total = (sum(both[i] for both in self._bytes.values()) for i in (0, 1))
        return PullProgress(len(self._there), len(self._bytes), done, total)


def _scrubbed(text: str) -> str:
    """A registry's words without what it may repeat of who asked."""
    text = re.sub(r"://[^/@\s]+@", "://***@", text)
    return re.sub(r"(?i)(bearer\s+|token=)[^\s&\"']+", r"\1***", text)


def _name_and_tag(image: str) -> tuple[str, str]:
    """What to ask for: without a tag the engine would fetch every tag there is."""
    if "@" in image:
        return image, ""
    last = image.rpartition("/")[2]
    if ":" in last:
        name, _, tag = image.rpartition(":")
        return name, tag
    return image, "latest"


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    buffer = b""
    for piece in pieces:
        *lines, buffer = (buffer + piece).split(b"\n")
        yield from lines
    yield buffer


def _said(line: bytes) -> dict[str, Any]:
    """What a line of progress says; EngineRefused when that is that it failed."""
    try:
        found = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return {}
    if not isinstance(found, dict):
        return {}
    if found.get("error"):
        raise EngineRefused(500, " ".join(str(found["error"]).split()))
    return found
